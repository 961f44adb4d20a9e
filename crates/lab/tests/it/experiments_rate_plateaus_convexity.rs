//! Deterministic numbers of three experiments.

use surprisal_lab::experiments::find;
use surprisal_lab::gallery::{Commands, Outcome};
use surprisal_report::Verdict;

/// Runs an experiment's quick version, with some knobs set.
fn run(name: &str, broken: bool, knobs: &[(&str, &str)]) -> Outcome {
    let experiment = find(name).unwrap();
    let mut plan = experiment.plan(true, broken);
    for (key, value) in knobs {
        plan.setting.set(key, value).unwrap();
    }
    experiment.run(plan, &(), None, None).unwrap()
}

/// The lines of a CSV file without its header, in cells.
fn csv(outcome: &Outcome, name: &str) -> Vec<Vec<String>> {
    let commands = Commands {
        run: |experiment, _| experiment.name.into(),
        entered: "",
        set: "",
        play: str::to_owned,
        playground: None,
    };
    let files = outcome.files(&commands);
    let (_, content) = files.iter().find(|(file, _)| file == name).unwrap();
    let text = String::from_utf8(content.clone()).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_string).collect()).collect()
}

/// An independent program gives the same epochs: 4, 7, 7, 7 and 5, 3, 5, 6; 7 and 137.
#[test]
fn only_the_rate_gives_the_epochs_of_an_independent_program() {
    let outcome = run("only-the-rate", false, &[]);
    let findings = outcome.report.findings();
    assert!(
        findings[0].sentence.contains("takes 5, 3, 5, 6 epochs and cross-entropy 4, 7, 7, 7"),
        "{}",
        findings[0].sentence
    );
    assert_eq!(findings[0].verdict, Verdict::NotSupported);
    assert!(
        findings[1].sentence.contains("137 epochs at rate 30 against 7 at rate 300"),
        "{}",
        findings[1].sentence
    );
    assert_eq!(findings[1].verdict, Verdict::Supported);
}

/// A threshold that is never reached is reported, and decides no verdict.
#[test]
fn a_threshold_that_nothing_reaches_is_inconclusive() {
    let outcome = run(
        "only-the-rate",
        false,
        &[("rates", "0.001"), ("cap", "2"), ("starts", "0.3"), ("threshold", "1")],
    );
    for finding in outcome.report.findings() {
        assert_eq!(
            (finding.verdict, finding.estimate.mean),
            (Verdict::Inconclusive, 1.0),
            "{}",
            finding.condition
        );
    }
    assert!(
        outcome.summary().replace("\n    ", " ").contains("over 2 epochs at rate 0.001"),
        "{}",
        outcome.summary()
    );
}

/// The level fractions on the full grid of 241 x 241, to two digits those of an independent program: 10.3 % and 2.4 %.
#[test]
fn plateaus_cover_the_fractions_of_an_independent_program() {
    let outcome = run("plateaus", false, &[("points", "241")]);
    let sentence = &outcome.report.findings()[0].sentence;
    assert!(
        sentence.starts_with("10.3 % of the surface is level under squared error, 2.4 % under"),
        "{sentence}"
    );
}

/// Roots found in 50-digit arithmetic.
#[test]
fn convexity_finds_the_stationary_points_of_two_cases() {
    let outcome = run("convexity", false, &[]);
    let found = csv(&outcome, "stationary.csv");
    let expected = [
        ("squared error", -1.5693973348886612, "1"),
        ("squared error", -0.5307162247175895, "0"),
        ("squared error", 0.012925234785417886, "1"),
        ("cross-entropy", 0.01295460972243911, "1"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (row, (loss, w, minimum)) in found.iter().zip(expected) {
        assert_eq!((&*row[0], &*row[3]), (loss, minimum));
        let off = row[1].parse::<f64>().unwrap() - w;
        assert!(off.abs() < 1e-10, "{loss}: {off:e} from {w}");
    }
}

/// In `f64`: in `f32` the differences would be a thousand times above their bound.
#[test]
fn identities_hold_up_to_rounding() {
    for finding in run("identities", false, &[]).report.findings() {
        assert_eq!(finding.verdict, Verdict::Supported, "{}: {finding}", finding.condition);
    }
}

#[test]
fn only_the_complete_version_supports_the_claim() {
    for name in ["only-the-rate", "plateaus", "convexity"] {
        let supported = |broken| {
            let outcome = run(name, broken, &[]);
            outcome.report.findings().iter().filter(|f| f.verdict == Verdict::Supported).count()
        };
        assert!(supported(false) >= 2, "{name}");
        assert_eq!(supported(true), 0, "{name}, broken");
    }
}
