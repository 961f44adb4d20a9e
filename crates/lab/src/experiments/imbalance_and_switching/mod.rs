//! What weights and focus do where one class is rare, and what squared error adds after cross-entropy: two changes of the loss.

mod imbalance;
mod switching;

use crate::gallery::{Experiment, Knob, Lab, LabError, Report, Seeds, Text};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "imbalance-and-switching",
    text: Text::new(include_str!("../imbalance_and_switching.md")),
    minutes: 0.07,
    seeds: Some(Seeds { usual: 8, quick: 8 }),
    knobs: &[
        Knob::count("threes", "100", "threes to learn from"),
        Knob::count("eights", "5", "eights to learn from"),
        Knob::positive("gamma", "2", "how much the focal loss turns down what is known"),
        Knob::positives("logistic_rates", "0.1,0.3,1,3,10", "the learning rates of logistic regression")
            .quick("1"),
        Knob::positive("logistic_rate", "1", "its rate of \"at the same rate\", one of these"),
        Knob::count("logistic_epochs", "300", "its epochs, of one step each"),
        Knob::share("ranking_margin", "0.01", "a difference in average precision that counts as none"),
        Knob::positives("rates", "0.5,1,2,4,8,16", "the learning rates of the network").quick("2"),
        Knob::positive("rate", "2", "its rate of \"at the same rate\", one of these"),
        Knob::count("epochs", "40", "its epochs").quick("20"),
        Knob::count("switch", "10", "the epoch after which cross-entropy gives way to squared error")
            .quick("5"),
        Knob::count("batch", "32", "pictures in a step of the network"),
        Knob::count("hidden", "64", "neurons in its hidden layer"),
        Knob::positive("deviation", "1", "the standard deviation of its weights at the start"),
        Knob::share("margin", "0.02", "a difference in the network's accuracy that counts as none"),
        Knob::share(
            "valid",
            "0.25",
            "the share of the pictures not tested on that is put aside to choose a rate by",
        ),
        Knob::share("test", "0.25", "the share of the pictures that is tested on"),
    ],
    run,
};

fn run(lab: &Lab) -> Result<Report, LabError> {
    let digits = switching::data(lab)?;
    let report = imbalance::run(lab, Report::new())?;
    switching::run(lab, report, &digits)
}
