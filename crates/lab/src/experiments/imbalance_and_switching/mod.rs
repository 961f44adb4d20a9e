//! What weights and focus do where one class is rare, and what squared error adds after cross-entropy: two changes of the loss.

mod imbalance;
mod switching;

use crate::gallery::{Experiment, Knob, Lab, LabError, Report, Seeds};

/// The experiment.
pub static EXPERIMENT: Experiment = Experiment {
    name: "imbalance-and-switching",
    title: "A rare class, and a change of loss",
    claim: "where a class is rare, weighted and focal losses move the threshold and not the ranking; and squared error that cannot learn by itself can \
            after a start with cross-entropy, without improving on it",
    short: "class weights move the threshold, not the ranking",
    background: &[
        "*A rare class.* The data are pictures of handwritten digits, 8 by 8 pixels. A model is to tell eights from threes and learns from a hundred \
         threes and five eights. It gives every picture a score, and says \"eight\" where the score is above a *threshold*, usually a probability of ½. \
         *Recall* is the share of the eights that are found. *Average precision* looks at the order of the scores alone: it is 1 if every eight stands above \
         every three, wherever the threshold is.",
        "Plain *cross-entropy* adds up how surprised the model is by each label, and threes are the many. *Weighted* cross-entropy counts each eight as \
         often as there are more threes. The *focal* loss turns down what the model is sure of already, and has weights too, if α is given: α for an \
         eight, 1 - α for a three. The model is logistic regression: a weighted sum of the pixels, made a probability.",
        "*A change of loss.* A network with a hidden layer is to tell all ten digits. Its weights start large, so that its outputs are sure and mostly \
         wrong, and there *squared error* is nearly level: nothing pulls. Cross-entropy is steep there. It was proposed to let cross-entropy do \
         the first part of the way, and squared error the rest. An *epoch* is one pass over the pictures.",
    ],
    falsified_if: "weights leave recall where it is or change average precision, the focal loss beats weighted cross-entropy in average precision, or \
                   squared error after cross-entropy improves on cross-entropy alone",
    broken: "with the rare class every loss is plain cross-entropy, and the weighted arm learns from labels that are shuffled, so that its ranking does \
             change; and the arm that changes its loss gets squared error from the start",
    source: "Lin, Goyal, Girshick, He and Dollár, \"Focal loss for dense object detection\" (2017); Golik, Doetsch and Ney, \"Cross-entropy vs. squared \
             error training: a theoretical and experimental comparison\" (2013); the data: Alpaydin and Kaynak (1998), as scikit-learn carries them.",
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
