//! `surprisal explain`: what it prints is what the library computed, and its page can be stepped through.

use std::fs;
use std::path::Path;

use crate::common::{Folder, fails, houses, surprisal};
use expect_test::expect;

fn says(folder: &Path, arguments: &[&str]) -> String {
    let output = surprisal(folder, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const NEURON: &str = "sigmoid(w*x + b)";

#[test]
fn a_neuron_is_reported_forward_and_backward() {
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
    assert!(told.contains("the slope in the denominator cancels, ∂z = a - y."));
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
fn a_row_of_a_net_is_reported_with_the_four_equations_and_drawn() {
    let folder = Folder::new("explain-net");
    let train = ["train", "--data", "iris", "--model", "4-5-3", "--epochs", "3", "--out", "net"];
    says(&folder.0, &train);
    let arguments =
        ["explain", "--model", "net/model.surprisal", "--data", "iris", "--row", "70", "--out", "told"];
    let told = says(&folder.0, &arguments);
    assert!(told.starts_with("row 70 is versicolor; the net predicts "), "{told}");
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
    let net = "conv(20,3)-batchnorm-relu-maxpool(2)-16-batchnorm-relu-10";
    let told =
        says(&folder.0, &["explain", "--model", net, "--data", "digits", "--row", "0", "--out", "images"]);
    let errors = told.lines().filter(|line| line.contains(", error of "));
    assert_eq!(
        Vec::from_iter(errors),
        ["  layer9, error of the output", "  layer6, error of a hidden layer"]
    );
    let page = fs::read_to_string(folder.0.join("images/tape.html")).unwrap();
    assert!(page.contains("16 of 20 kernels") && page.contains("16 of 20 channels"));
    assert!(page.len() < 150_000, "{} bytes", page.len());
    let pages = [
        "told/tape.html",
        "neuron/tape-1.html",
        "neuron/tape-2.html",
        "digits/tape.html",
        "images/tape.html",
    ];
    let pages = pages.map(|page| folder.0.join(page));
    if let Some(faults) = crate::browser::faults(&pages) {
        assert_eq!(faults, [""; 0]);
    }
}

#[test]
fn a_row_of_a_net_that_predicts_a_number_is_reported_in_its_own_units() {
    let folder = Folder::new("explain-number");
    houses(&folder.0);
    let data = ["--data", "houses.csv", "--target", "price", "--task", "numbers"];
    says(&folder.0, &[&["train", "--hidden", "4", "--epochs", "3", "--out", "m"][..], &data].concat());
    for (model, loss, name) in [
        (&["--model", "m/model.surprisal"][..], &[][..], "squared error"),
        (&["--model", "2-3-1"], &["--loss", "mae"], "absolute error"),
        (&["--hidden", "3"], &["--loss", "huber"], "Huber's loss"),
        (&[], &["--loss", "half_mse"], "half squared error"),
    ] {
        let told =
            says(&folder.0, &[&["explain", "--row", "3", "--out", "told"], model, &data, loss].concat());
        fs::remove_dir_all(folder.0.join("told")).unwrap();
        assert!(told.starts_with("row 3 has price 208500; the net predicts "), "{told}");
        for part in [
            &format!("; the loss is {name}\n"),
            "output and target are (price - ",
            "x: area 61, scaled ",
            "forward\n",
            "backward: ",
            "layer2, error of the output",
            "  squared error   δ = ",
            "  absolute error  δ = ",
            "  Huber's loss    δ = ",
        ] {
            assert!(told.contains(part), "no {part} in\n{told}");
        }
        // the number in the text is what the output stands for
        let number = |after: &str| -> f64 {
            let rest = &told[told.find(after).unwrap() + after.len()..];
            rest.split([',', ' ', ')', ';', ':', '\n']).next().unwrap().parse().unwrap()
        };
        let (offset, scale) = (number("(price - "), number(") / ").max(1.0));
        let (says, output) = (number("the net predicts "), number("the output "));
        assert!((offset + scale * output - says).abs() < 1e-4 * says.abs().max(scale), "{told}");
    }
}

#[test]
fn a_net_of_rates_is_reported_in_rates_wherever_it_is_asked() {
    let folder = Folder::new("explain-rates");
    let rows = String::from_iter((0..40).map(|i| format!("{},{}\n", f64::from(i * i) / 9.0, 1 + i / 4)));
    fs::write(folder.0.join("counts.csv"), format!("x,y\n{rows}")).unwrap();
    let data = ["--data", "counts.csv", "--target", "y", "--task", "regression"];
    says(&folder.0, &[&["train", "--loss", "poisson", "--hidden", "4", "--out", "m"][..], &data].concat());
    let number = |text: &str, before: &str| -> f64 {
        let rest =
            &text[text.find(before).unwrap_or_else(|| panic!("no {before} in\n{text}")) + before.len()..];
        rest.split([',', ';', '\n', ' ']).next().unwrap().parse().unwrap()
    };
    let predicted = says(&folder.0, &["predict", "--model", "m/model.surprisal", "--data", "counts.csv"]);
    let of_net =
        [&["explain", "--model", "m/model.surprisal", "--row", "5", "--out", "told"][..], &data].concat();
    let told = says(&folder.0, &of_net);
    let (said, expected) = (number(&told, "the net predicts "), number(&predicted, "\n5,"));
    assert!((said / expected - 1.0).abs() < 1e-4 && said > 0.0, "{said} and {expected} in\n{told}");
    assert!(says(&folder.0, &["inspect", "m/model.surprisal"]).contains(" e^z\n"));
    // always the mean is off by the mean distance from it, and has an R² of about 0
    let page = fs::read_to_string(folder.0.join("m/report.html")).unwrap();
    assert!(!page.contains("always predicting 0,"), "{page}");
    // nets at their start take the same scale
    says(&folder.0, &[&["check", "all", "--loss", "poisson"][..], &data].concat());
    says(&folder.0, &[&["explain", "--row", "1", "--loss", "poisson", "--out", "fresh"][..], &data].concat());
    let refused = surprisal(&folder.0, &[&of_net[..], &["--loss", "mse"]].concat());
    let message = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{message}");
    expect![[r#"
        error: loss mse: the net was trained with poisson, and the outputs of poisson are logarithms of rates | leave the loss out
    "#]].assert_eq(&message);
}

#[test]
fn a_long_formula_is_computed_and_drawn_as_far_as_a_picture_can_show_it() {
    let folder = Folder::new("explain-long");
    let sum = format!("y = {}x", "x+".repeat(20_000));
    let told = says(&folder.0, &["explain", &sum, "--at", "x=0.5"]);
    assert!(told.contains("  y ") || told.contains("y = "), "{}", &told[told.len() - 300..]);
    assert!(told.contains("the sum of 20001 parts"), "no sum");
    let names: String = (1..2000).map(|k| format!("x{k} = x{}*1.0001; ", k - 1)).collect();
    says(&folder.0, &["explain", &names, "--at", "x0=1"]);

    says(&folder.0, &["explain", &sum[..1305], "--at", "x=0.5", "--out", "long"]);
    for name in ["long/tape.svg", "long/tape.html"] {
        let text = fs::read_to_string(folder.0.join(name)).unwrap();
        assert!(text.contains("the 250 boxes nearest to the result, of "), "{name}");
    }
}

#[test]
fn what_is_nested_too_deeply_is_refused_in_a_few_lines() {
    for formula in [
        "(".repeat(50_000) + "x" + &")".repeat(50_000),
        "-(".repeat(30_000) + "x" + &")".repeat(30_000),
        "sigmoid(".repeat(10_000) + "x" + &")".repeat(10_000),
        "|".repeat(50_001),
        "√".repeat(30_000) + "x",
        "ln ".repeat(30_000) + "x",
        "x^".repeat(30_000) + "2",
        "x".repeat(100_000) + "(",
        "x + ".repeat(25_000) + ")",
    ] {
        let (code, error) = fails(&["explain", &formula, "--at", "x=0.5"]);
        assert!(code == 2 && error.len() < 600, "{code} {}", &error[..error.len().min(900)]);
    }
}

#[test]
fn what_it_prints_can_be_typed_in() {
    let folder = Folder::new("explain-again");
    for (formula, value) in [
        ("σ(w·x + b)", "0.982014"),
        ("1 / (1 + e^-(w · x + b))", "0.982014"),
        ("-w·x", "-2"),
        ("−w × x", "-2"),
        ("√(w²) - ½", "1.5"),
        ("max(x, w) - min(x, w)", "1"),
        ("|x - w|", "1"),
        ("ln e^x", "1"),
        ("log(w) - ln w", "0"),
        ("h = w*x; p = σ(h + b)", "0.982014"),
        ("h = w*x; p = σ(h + b);", "0.982014"),
        ("2 · [w - x]³", "2"),
    ] {
        let told = says(&folder.0, &["explain", formula, "--at", "x=1,w=2,b=2"]);
        let forward = told.split("backward").next().unwrap();
        let last = forward.trim_end().lines().last().unwrap();
        assert!(last.split_whitespace().any(|word| word == value), "{formula}: {last}");
    }
    // a neuron by another name is one
    let told = says(&folder.0, &["explain", "p = σ(w*x + b)", "--at", "x=1,w=2,b=2,y=0"]);
    assert!(told.contains("The same neuron under both losses"), "{told}");
}

#[test]
fn a_name_that_is_given_twice_is_shown_with_numbers() {
    let folder = Folder::new("explain-twice");
    let told = says(&folder.0, &["explain", "a = x; a = a*2; a = a + a", "--at", "x=3"]);
    for line in ["  a₁ = x · 2 = 3 · 2 ", "  a₂ = a₁ + a₁ = 6 + 6 ", "  ∂x = 2 · ∂a₁ = 2 · 2 "]
    {
        assert!(told.contains(line), "{line}\nis not in\n{told}");
    }
    assert_eq!(told.matches("∂a₁ = 1 + 1").count(), 1, "{told}");
}

#[test]
fn an_infinite_slope_is_called_so() {
    let folder = Folder::new("explain-infinite");
    let told = says(&folder.0, &["explain", "a = sqrt(x)", "--at", "x=0"]);
    assert!(told.contains("the slope of a is not finite here") && !told.contains('%'), "{told}");
}
