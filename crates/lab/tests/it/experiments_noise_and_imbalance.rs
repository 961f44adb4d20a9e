//! Invalid settings are refused before anything is trained.

use expect_test::expect;
use surprisal_lab::experiments::find;
use surprisal_lab::gallery::LabError;

fn refused(name: &str, settings: &[(&str, &str)]) -> String {
    let experiment = find(name).unwrap();
    let mut plan = experiment.plan(true, false);
    settings.iter().for_each(|(key, value)| plan.setting.set(key, value).unwrap());
    match experiment.run(plan, &(), None, None).err() {
        Some(LabError::Usage(message)) => message,
        other => panic!("{settings:?}: {other:?}"),
    }
}

#[test]
fn settings_that_do_not_fit_each_other_are_refused() {
    let told = [
        ("noise-and-calibration", &[("shown", "0.3")][..]),
        ("noise-and-calibration", &[("shown", "0")]),
        ("noise-and-calibration", &[("noise", "0.0001"), ("shown", "0.0001")]),
        ("noise-and-calibration", &[("batch", "2000")]),
        ("noise-and-calibration", &[("test", "0")]),
        ("imbalance-and-switching", &[("rate", "7")]),
        ("imbalance-and-switching", &[("logistic_rate", "7")]),
        ("imbalance-and-switching", &[("switch", "20")]),
        ("imbalance-and-switching", &[("eights", "150")]),
        ("imbalance-and-switching", &[("batch", "2000")]),
        ("compare", &[("first", "mse")]),
        ("convexity", &[("chord", "3,0")]),
        ("convexity", &[("inputs", "1")]),
        ("convexity", &[("points", "1")]),
        ("plateaus", &[("points", "1")]),
        ("gan-is-cross-entropy", &[("multiples", "0.1,10")]),
        ("gan-is-cross-entropy", &[("blurs", "0.1")]),
        ("gan-is-cross-entropy", &[("blurs", "0,-1")]),
    ];
    expect![[r#"
        shown: 0.3 is not among noise, [0.0, 0.2]: add it there, or choose one of them
        shown: expected a fraction above 0, found 0: without wrong labels, none is memorized
        noise: 0.0001 of 1077 labels is less than one label
        batch: 2000 images in a step, but there are only 1077
        test: stratified_split: expected a test fraction above 0 and below 1, found 0 | 0.2 keeps a fifth of the rows for testing
        rate: 7 is not among rates, [2.0]: add it there, or choose one of them
        logistic_rate: 7 is not among logistic_rates, [1.0]: add it there, or choose one of them
        switch: expected an epoch before the last of 20, found 20
        eights: 150 training images, but there are only 97 without the validation and test images
        batch: 2000 images in a step, but there are only 1009
        squared error is compared with itself: choose two different losses
        chord: expected two numbers, the smaller first, such as chord=-1,1
        inputs: 1 inputs and 2 targets; every input needs one
        points: expected at least 2
        points: expected at least 2
        multiples: 1, the rate that both losses share, is not among [0.1, 10.0]: add it there
        blurs: expected numbers from 0 on and 0 among them, found [0.1]
        blurs: expected numbers from 0 on and 0 among them, found [0.0, -1.0]"#]].assert_eq(&told.map(|(name, settings)| refused(name, settings)).join("\n"));
}
