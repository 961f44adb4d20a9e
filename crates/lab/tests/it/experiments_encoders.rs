//! Encoders and hard examples: settings that do not fit are refused before anything is trained.

use expect_test::expect;
use surprisal_lab::experiments::find;
use surprisal_lab::gallery::LabError;

fn refused(name: &str, settings: &[(&str, &str)]) -> String {
    let experiment = find(name).unwrap();
    let mut plan = experiment.plan(true, false);
    let set = settings.iter().try_for_each(|(key, value)| plan.setting.set(key, value));
    match set.and_then(|()| experiment.run(plan, &(), None, None).map(drop)) {
        Err(LabError::Usage(message)) => message,
        other => panic!("{name}: {settings:?}: {other:?}"),
    }
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let told = [
        ("features", &[("labels", "105")][..]),
        ("features", &[("labels", "1050")]),
        ("features", &[("labels", "300,100")]),
        ("features", &[("batch", "19")]),
        ("features", &[("points", "501")]),
        ("features", &[("eta", "0.5")]),
        ("joint-triplet", &[("lambdas", "1,1.5")]),
        ("joint-triplet", &[("lambda", "-0.25")]),
        ("joint-triplet", &[("lambdas", "0.5,0.25")]),
        ("joint-triplet", &[("lambda", "0.5")]),
        ("joint-triplet", &[("lambda", "1")]),
        ("joint-triplet", &[("margin", "-0.2")]),
        ("hard-examples", &[("k", "32,80")]),
        ("hard-examples", &[("k", "64")]),
        ("hard-examples", &[("k", "0")]),
        ("hard-examples", &[("batch", "1001")]),
        ("hard-examples", &[("noise", "1.2")]),
    ];
    expect![[r#"
        labels: expected multiples of 10 from 20 to 1040, as many of each digit, found 105
        labels: expected multiples of 10 from 20 to 1040, as many of each digit, found 1050
        labels: expected ascending numbers
        batch: expected 20 images or more, so that some are of the same digit, found 19
        points: expected 20 to 500, the test images, found 501
        eta: 0.5 is not among rates, [0.003]: add it there, or choose one of them
        lambdas: expected a number from 0 to 1, or several, separated by commas, found "1,1.5" | shares of cross-entropy in the loss; 1 is among them, such as lambdas=1,0.75,0.5,0.25
        lambda: expected a number from 0 to 1, found -0.25 | the share at which choices of triplets are compared, such as lambda=0.5
        lambdas: expected 1 among them, cross-entropy alone
        lambda: 0.5 is not among lambdas, [1.0, 0.25]: add it there, or choose one of them
        lambda: expected a share below 1, where there are triplets, found 1
        margin: expected 0 or more, found -0.2
        k: 80 images of a batch, but it has only 64
        k: expected a number below 64, all images of a batch
        k: expected a whole number from 1 to 10000000, or several, separated by commas, found 0 | how many of them are trained on, the hardest; at most all, such as k=16,32,48
        batch: 1001 images in a step, but there are only 1000
        noise: expected a number from 0 to 1, found 1.2 | the fraction of wrong training labels, such as noise=0.2
    "#]]
    .assert_eq(&told.map(|(name, settings)| refused(name, settings) + "\n").concat());
}
