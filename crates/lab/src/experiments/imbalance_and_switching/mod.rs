//! Weights and focus where one class is rare, and squared error after cross-entropy: two changes of the loss.

mod imbalance;
mod switching;

use crate::gallery::{Experiment, Knob, Lab, LabError, Report, Seeds, Text};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "imbalance-and-switching",
    text: Text::new(include_str!("../imbalance_and_switching.md")),
    minutes: 0.07,
    seeds: Some(Seeds { first: 1, usual: 8, quick: 8 }),
    knobs: &[
        Knob::count("threes", "100", "threes in the training set"),
        Knob::count("eights", "5", "eights in the training set"),
        Knob::positive(
            "gamma",
            "2",
            "how much the focal loss turns down examples of which the model is sure",
        ),
        Knob::positives("logistic_rates", "0.1,0.3,1,3,10", "the learning rates of logistic regression")
            .quick("1"),
        Knob::positive("logistic_rate", "1", "the rate of \"at the same rate\", one of the above"),
        Knob::count("logistic_epochs", "300", "its epochs, of one step each"),
        Knob::share("ranking_margin", "0.01", "a difference in average precision that counts as none"),
        Knob::positives("rates", "0.5,1,2,4,8,16", "the learning rates of the network").quick("2"),
        Knob::positive("rate", "2", "the rate of \"at the same rate\", one of the above"),
        Knob::count("epochs", "40", "its epochs").quick("20"),
        Knob::count("switch", "10", "the epoch after which cross-entropy gives way to squared error")
            .quick("5"),
        Knob::count("batch", "32", "images in a step of the network"),
        Knob::count("hidden", "64", "units in its hidden layer"),
        Knob::positive("deviation", "1", "the standard deviation of its initial weights"),
        Knob::share("margin", "0.02", "a difference in the network's accuracy that counts as none"),
        Knob::share("valid", "0.25", "the validation set, as a fraction of the images outside the test set"),
        Knob::share("test", "0.25", "the test set, as a fraction of all images"),
    ],
    run,
};

fn run(lab: &Lab) -> Result<Report, LabError> {
    let digits = switching::data(lab)?;
    let report = imbalance::run(lab, Report::new())?;
    switching::run(lab, report, &digits)
}
