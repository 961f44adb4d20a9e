//! Segmentation: settings that do not fit are refused before anything is trained, and masks without foreground have a defined Dice.

use expect_test::expect;
use surprisal_data::Dataset;
use surprisal_lab::experiments::find;
use surprisal_lab::gallery::{LabError, Outcome};

fn run(name: &str, settings: &[(&str, &str)], first_seed: u64) -> Result<Outcome, LabError> {
    let experiment = find(name).unwrap();
    let mut plan = experiment.plan(true, false);
    (plan.first_seed, plan.seeds) = (first_seed, 2);
    settings.iter().for_each(|(key, value)| plan.setting.set(key, value).unwrap());
    experiment.run(plan, &(), None, None)
}

fn refused(name: &str, settings: &[(&str, &str)], first_seed: u64) -> String {
    match run(name, settings, first_seed).err() {
        Some(LabError::Usage(message)) => message,
        other => panic!("{settings:?}: {other:?}"),
    }
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let told = [
        ("dice-and-imbalance", &[("rate", "7")][..]),
        ("dice-and-imbalance", &[("batch", "100")]),
        ("dice-and-imbalance", &[("side", "17")]),
        ("dice-and-imbalance", &[("side", "8")]),
        ("dice-and-imbalance", &[("noise", "-1")]),
        ("dice-and-imbalance", &[("longer_seeds", "1")]),
        ("ce-dice-weight", &[("folds", "1")]),
        ("ce-dice-weight", &[("folds", "17")]),
        ("ce-dice-weight", &[("batch", "9")]),
        ("ce-dice-weight", &[("weights", "0,1")]),
        ("ce-dice-weight", &[("train", "2")]),
    ];
    expect![[r#"
        rate: 7 is not among rates, [0.003]: add it there, or choose one of them
        batch: 100 images in a step, but there are only 24
        levels, width and side: at level 1, an image of 17x17 comes back as 16x16 and does not fit its skip connection | crop or pad the images to multiples of 2, such as 16x16 or 18x18, or use fewer levels
        test: cells: side: expected a whole number from 16 to 256, found 8
        test: cells: noise: expected a number from 0 to 100, found -1
        longer_seeds: expected at least 2, which an interval needs
        folds: k_fold: expected 2 folds or more, found 1 | 5 and 10 are usual
        folds: k_fold: expected 17 rows or more, one for each part, found 16 | use fewer parts
        batch: 9 images in a step, but a fold trains on only 8
        weights: expected 0.5 among them, found [0.0, 1.0]: the chosen weight is compared with it
        train: cells: n: expected a whole number from 4 to 1000000, found 2"#]].assert_eq(&told.map(|(name, settings)| refused(name, settings, 1)).join("\n"));
}

/// The first seed whose four images have no disc.
fn without_disc() -> u64 {
    let discs = |seed| Dataset::cells(4, 0.25, 16, seed).unwrap().class_counts()[1];
    (0..).find(|&seed| discs(seed) == 0).unwrap()
}

#[test]
fn images_without_foreground_are_refused_and_folds_without_it_are_measured() {
    let seed = without_disc();
    let told = refused("ce-dice-weight", &[("train", "4"), ("batch", "2")], seed);
    assert!(
        told.starts_with(&format!("train: none of the 4 images drawn with seed {seed} has a disc")),
        "{told}"
    );

    // one image is held out at a time, so that some folds have no disc
    let settings = [("folds", "16"), ("epochs", "1"), ("test", "8")];
    let outcome = run("ce-dice-weight", &settings, 1).unwrap();
    let findings = outcome.report.findings();
    assert!(findings.iter().all(|finding| finding.estimate.mean.is_finite()), "{findings:?}");
}
