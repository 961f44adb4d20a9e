//! Invalid settings are refused before anything is trained.

use surprisal_lab::experiments::find;
use surprisal_lab::gallery::LabError;

fn refused(name: &str, settings: &[(&str, &str)]) -> String {
    let experiment = find(name).unwrap();
    let mut plan = experiment.plan(true, false);
    settings.iter().for_each(|(key, value)| plan.setting.set(key, value).unwrap());
    match experiment.run(plan, &(), None).err() {
        Some(LabError::Usage(message)) => message,
        other => panic!("{settings:?}: {other:?}"),
    }
}

#[test]
fn settings_that_do_not_fit_each_other_are_refused() {
    for (name, settings, message) in [
        ("noise-and-calibration", &[("shown", "0.3")][..], "shown: 0.3 is not among noise, [0.0, 0.2]: "),
        ("noise-and-calibration", &[("shown", "0")], "shown: expected a fraction above 0, found 0"),
        ("noise-and-calibration", &[("noise", "0.0001"), ("shown", "0.0001")], "noise: 0.0001 of "),
        ("noise-and-calibration", &[("batch", "2000")], "batch: 2000 images in a step, "),
        ("noise-and-calibration", &[("test", "0")], "test: "),
        ("imbalance-and-switching", &[("rate", "7")], "rate: 7 is not among rates, [2.0]: "),
        ("imbalance-and-switching", &[("logistic_rate", "7")], "logistic_rate: 7 is not among "),
        (
            "imbalance-and-switching",
            &[("switch", "20")],
            "switch: expected an epoch before the last of 20, found 20",
        ),
        ("imbalance-and-switching", &[("eights", "150")], "eights: 150 training images, "),
        ("imbalance-and-switching", &[("batch", "2000")], "batch: 2000 images in a step, "),
        (
            "compare",
            &[("first", "mse")],
            "squared error is compared with itself: choose two different losses",
        ),
    ] {
        let found = refused(name, settings);
        assert!(found.starts_with(message), "{found}");
    }
}
