//! `surprisal explain`: what it prints is what the library computed, and its page can be stepped through.

#[path = "../../lab/tests/support/browser.rs"]
mod browser;
mod common;

use std::fs;
use std::path::Path;

use common::{Folder, fails, surprisal};

fn says(folder: &Path, arguments: &[&str]) -> String {
    let output = surprisal(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const NEURON: &str = "sigmoid(w*x + b)";

#[test]
fn a_neuron_is_told_forward_and_backward() {
    let folder = Folder::new("explain-neuron");
    let told = says(&folder.0, &["explain", NEURON, "--at", "x=1,w=2,b=2"]);
    let expected = "\
forward
  w                                    2
  x                                    1
  v2 = w · x = 2 · 1                   2
  b                                    2
  z = v2 + b = 2 + 2                   4
  a = 1 / (1 + e^-z) = 1 / (1 + e^-4)  0.982014  saturated
backward: ∂v is the derivative of a with respect to v
  ∂a                                         1
  ∂z = σ(z) · σ(-z) · ∂a = σ(4) · σ(-4) · 1  0.0176627  a passes on 1.8 % of its gradient
  ∂v2 = ∂z = 0.0176627                       0.0176627
  ∂b = ∂z = 0.0176627                        0.0176627
  ∂w = x · ∂v2 = 1 · 0.0176627               0.0176627
  ∂x = w · ∂v2 = 2 · 0.0176627               0.0353254
";
    assert_eq!(told, expected);
}

#[test]
fn with_a_target_squared_error_stands_beside_cross_entropy() {
    let folder = Folder::new("explain-beside");
    let told = says(&folder.0, &["explain", NEURON, "--at", "x=1,w=2,b=2,y=0"]);
    // the slope 0.0177 stays under squared error, and cancels under cross-entropy
    for line in [
        "  loss                              0.482176         4.01815",
        "  ∂a, what the loss sends           0.982014         55.5982",
        "  slope of a at z                  0.0176627       0.0176627",
        "  ∂z = ∂a · slope                   0.017345        0.982014",
    ] {
        assert!(told.contains(line), "{line}\nis not in\n{told}");
    }
    assert!(told.contains("the slope stands below the line and cancels, ∂z = a - y."));
    // so far out that a rounds to 1: no number is made up
    let told = says(&folder.0, &["explain", NEURON, "--at", "x=1,w=40,b=2,y=0"]);
    assert!(told.contains("bce_with_logits(z, y)") && !told.contains("cancels"), "{told}");
    let told =
        says(&folder.0, &["explain", "z = w*x + b; bce_with_logits(z, y)", "--at", "x=1,w=40,b=2,y=0"]);
    assert!(told.contains("∂z = (σ(z) - y) · ∂loss = (σ(42) - 0) · 1"), "{told}");
}

#[test]
fn gradients_that_meet_are_added() {
    let folder = Folder::new("explain-meet");
    let told = says(&folder.0, &["explain", "x*x + 3*x", "--at", "x=1.5"]);
    assert!(told.contains("∂x = 3 + 1.5 + 1.5"), "{told}");
    let sum = told.lines().find(|line| line.contains("∂x = 3 + 1.5 + 1.5")).unwrap();
    assert!(sum.ends_with(" 6"), "{sum}");
}

#[test]
fn a_row_of_a_net_is_told_with_the_four_equations_and_drawn() {
    let folder = Folder::new("explain-net");
    let train = ["train", "--data", "iris", "--model", "4-5-3", "--epochs", "3", "--out", "net"];
    says(&folder.0, &train);
    let arguments =
        ["explain", "--model", "net/model.surprisal", "--data", "iris", "--row", "70", "--out", "told"];
    let told = says(&folder.0, &arguments);
    assert!(told.starts_with("row 70 is versicolor; the net says "), "{told}");
    for part in [
        "forward\n",
        "backward: ",
        "layer2, error of the output",
        "layer1, error of a hidden layer",
        "δ_k",
        "cross-entropy   δ",
        "x: sepal_length_cm 5.9, scaled ",
    ] {
        assert!(told.contains(part), "no {part} in\n{told}");
    }
    // every number of the page is one that was printed: the worked lines are the same in both
    let page = fs::read_to_string(folder.0.join("told/tape.html")).unwrap();
    let worked = told.lines().filter(|line| line.trim_start().starts_with("∂w[")).collect::<Vec<_>>();
    assert_eq!(worked.len(), 2);
    assert!(worked.iter().all(|line| page.contains(line.trim())));
    assert!(fs::read_to_string(folder.0.join("told/tape.dot")).unwrap().starts_with("digraph"));

    says(&folder.0, &["explain", NEURON, "--at", "x=1,w=2,b=2,y=0", "--out", "neuron"]);
    says(&folder.0, &["explain", "--model", "64-16-10", "--data", "digits", "--row", "0", "--out", "digits"]);
    let pages = ["told/tape.html", "neuron/tape-1.html", "neuron/tape-2.html", "digits/tape.html"];
    let pages = pages.map(|page| folder.0.join(page));
    if let Some(faults) = browser::faults(&pages) {
        assert_eq!(faults, [""; 0]);
    }
}

#[test]
fn what_cannot_be_explained_is_told_and_leaves_nothing() {
    for (arguments, code, message) in [
        (&["explain", "w*x", "--at", "w=1"][..], 2, "what is x? Give it a number: --at x=0.5"),
        (
            &["explain", "w*x", "--loss", "ce"],
            2,
            "what are w, x, y? Give them numbers: --at w=0.5,x=0.5,y=0.5",
        ),
        (&["explain", "relu(w*x)", "--at", "w=1,x=2,y=1"], 2, "the result is no sigmoid"),
        (&["explain", "w**x", "--at", "w=1,x=2"], 2, "expected a number, a name or \"(\""),
        (&["explain", "w", "--at", "w=much"], 2, "--at: \"w=much\" ends with no number"),
        (&["explain", "w", "--at", "w=1", "--loss", "mse"], 2, "what is y?"),
        (&["explain", "sigmoid(z)", "--at", "z=1,y=0", "--loss", "bcee"], 2, "there is no function \"bcee\""),
        (
            &["explain", "--model", "4-3", "--data", "iris", "--row", "9999"],
            1,
            "--row 9999: the data have the rows 0 to",
        ),
        (&["explain", "--model", "4-3", "--data", "iris"], 2, "--row"),
        (&["explain"], 2, "required"),
    ] {
        let (found, error) = fails(arguments);
        assert_eq!((found, error.contains(message)), (code, true), "{arguments:?}: {error}");
    }
}
