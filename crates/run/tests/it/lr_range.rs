//! The learning rate range test.

use std::ops::ControlFlow;

use expect_test::expect;
use surprisal_run::{Job, LrCurve, LrRange, LrStep, RunError, Settings};
use surprisal_train::{At, Callback};

fn settings(toml: &str) -> Settings {
    Settings::from_toml(toml, "test.toml").unwrap()
}

/// Whether each suggestion trains to an accuracy of 0.9 on the training rows within so many epochs.
#[track_caller]
fn reaches_nine_tenths_within(epochs: usize, toml: &str) {
    let settings = settings(toml);
    let curve = LrRange::default().test(&settings).unwrap();
    for rate in [curve.steepest(), curve.tenth_of_minimum()] {
        let mut job = Job::new(&Settings { lr: rate, epochs: Some(epochs), ..settings.clone() }).unwrap();
        let reached = job.fit(None, &mut ()).unwrap().0.epochs_to(0.9);
        assert!(rate.is_some() && reached.is_some(), "{rate:?}");
    }
}

#[test]
fn both_suggestions_train_within_few_epochs() {
    // measured: after 11 and 5 epochs, 7 and 3, 2 and 5, 2 and 2
    reaches_nine_tenths_within(15, "data = \"iris\"\nbatch = 16\nopt = \"sgd\"\nschedule = \"constant\"\n");
    reaches_nine_tenths_within(10, "data = \"iris\"\nbatch = 16\nschedule = \"constant\"\n");
    reaches_nine_tenths_within(8, "data = \"digits\"\nbatch = 32\nopt = \"sgd\"\nschedule = \"constant\"\n");
    reaches_nine_tenths_within(4, "data = \"digits\"\nschedule = \"constant\"\n");
}

#[test]
fn a_rate_that_does_not_rise_is_a_training_as_any() {
    struct Losses(Vec<f64>);
    impl Callback<f32> for Losses {
        fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
            self.0.push(at.loss);
            ControlFlow::Continue(())
        }
    }
    // momentum, so that what the optimizer remembers counts too
    let settings = settings(
        "data = \"iris\"\nopt = \"sgd\"\nmomentum = 0.9\nlr = 0.05\nschedule = \"constant\"\nbatch = 16\nepochs = 5\nl2 = 0.01\n",
    );
    let mut losses = Losses(Vec::new());
    Job::new(&settings).unwrap().fit(None, &mut losses).unwrap();
    let flat = LrRange { from: 0.05, to: 0.05 * (1.0 + 1e-12), steps: 35 }.test(&settings).unwrap();
    assert_eq!(flat.steps.iter().map(|step| step.loss).collect::<Vec<_>>(), losses.0);
}

#[test]
fn rates_rise_by_one_factor_and_the_mean_is_corrected_at_its_start() {
    let range = LrRange { from: 1e-5, to: 1e-2, steps: 31 };
    let LrCurve { steps, diverged } = range.test(&settings("data = \"iris\"\n")).unwrap();
    assert_eq!((steps.len(), diverged), (31, false));
    assert!(
        steps[0].rate == 1e-5
            && (steps[30].rate - 1e-2).abs() < 1e-15
            && (steps[10].rate - 1e-4).abs() < 1e-17
    );
    for i in [0, 1, 30] {
        let weights = (0..=i).map(|k| 0.9f64.powi((i - k) as i32)).collect::<Vec<_>>();
        let sum: f64 = weights.iter().zip(&steps).map(|(w, step)| w * step.loss).sum();
        assert!((steps[i].smoothed - sum / weights.iter().sum::<f64>()).abs() < 1e-12, "{i}");
    }
}

/// A smoothed loss of this form over rates from 1e-4 on, 20 steps for a factor of ten.
fn curve(loss: impl Fn(f64) -> f64) -> LrCurve {
    let step = |i: usize| {
        let rate = 10f64.powf(i as f64 / 20.0 - 4.0);
        LrStep { rate, loss: loss(rate), smoothed: loss(rate) }
    };
    LrCurve { steps: (0..100).map(step).collect(), diverged: false }
}

#[test]
fn suggestions_are_where_a_curve_falls_most_and_a_tenth_of_its_minimum() {
    // falls around 0.01, is least where the rise begins to outweigh, near 0.22
    let bent = curve(|rate| 1.0 / (1.0 + (rate / 0.01).powi(2)) + 0.02 * rate);
    assert_eq!(bent.steepest().unwrap(), 0.01);
    let least = bent.tenth_of_minimum().unwrap();
    assert!((0.015..0.025).contains(&least), "{least}");
    for none in [curve(|_| 1.0), curve(|rate| 1.0 + rate), curve(|rate| 1.0 - 0.04 * rate.min(1.0))] {
        assert_eq!((none.steepest(), none.tenth_of_minimum()), (None, None));
        assert!(none.to_text().contains("no suggestion: the loss never fell by 5 %"));
    }
}

#[test]
fn it_ends_where_the_loss_is_lost() {
    let of = |to: f64| {
        LrRange { to, ..LrRange::default() }.test(&settings("data = \"iris\"\nbatch = 16\n")).unwrap()
    };
    for curve in [of(10.0), of(1e30)] {
        assert!(curve.diverged && curve.steps.len() < 200, "{}", curve.steps.len());
        assert!(curve.to_text().contains("the loss rose to 4 times its minimum, or was no longer finite"));
        assert_eq!(curve.to_csv().lines().count(), curve.steps.len() + 1);
        assert!(curve.to_svg().contains("steepest: "));
    }
    // one step of 1e30 is enough for a loss that is no number
    let at_once = LrRange { from: 1e29, to: 1e30, steps: 30 }
        .test(&settings("data = \"iris\"\nloss = \"ce\"\n"))
        .unwrap();
    assert!(at_once.diverged && at_once.steps.len() < 3, "{:?}", at_once.steps);
}

#[test]
fn a_range_that_is_none_is_refused() {
    let refused = |range: LrRange| match range.test(&settings("data = \"iris\"\n")) {
        Err(RunError::Usage(message)) => message.text,
        other => panic!("{other:?}"),
    };
    let told =
        [(0.0, 1.0, 100), (1.0, 1.0, 100), (f64::NAN, 1.0, 100), (1.0, f64::INFINITY, 100), (1e-5, 1.0, 29)]
            .map(|(from, to, steps)| refused(LrRange { from, to, steps }));
    expect![[r#"
        from 0.0 to 1.0: expected finite numbers above 0, the second the larger | 1e-6 and 10 are usual
        from 1.0 to 1.0: expected finite numbers above 0, the second the larger | 1e-6 and 10 are usual
        from NaN to 1.0: expected finite numbers above 0, the second the larger | 1e-6 and 10 are usual
        from 1.0 to inf: expected finite numbers above 0, the second the larger | 1e-6 and 10 are usual
        steps: expected 30 or more, found 29 | 200 are usual"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn the_page_has_the_picture_the_suggestions_and_the_command_for_one() {
    let settings = settings("data = \"iris\"\nbatch = 16\n");
    let curve = LrRange::default().test(&settings).unwrap();
    let page = curve.to_html(&settings);
    let rate =
        curve.to_text().split("steepest descent: ").nth(1).unwrap().split(',').next().unwrap().to_string();
    for shown in
        ["Learning rates for iris", "<svg", "Steepest descent: ", &format!("DIR/config.toml --lr {rate}")]
    {
        assert!(page.contains(shown), "{shown:?} is not on the page");
    }
}
