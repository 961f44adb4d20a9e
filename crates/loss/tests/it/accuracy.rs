//! docs/accuracy.md: how far off our losses are on the test vectors, and PyTorch's beside them.
//!
//! `UPDATE_EXPECT=1 cargo test -p surprisal-loss --test it accuracy` writes it. What PyTorch does is measured by `pytorch/accuracy.py`.

use std::fmt::Write;
use std::fs;

use serde_json::Value;
use surprisal_loss::by_name::{ALL, Entry};
use surprisal_loss::vectors::{Accuracy, F32, F64, Precision, check_document};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/accuracy.md");
/// What stands between these lines is written by hand.
const BY_HAND: [&str; 2] = ["<!-- every f32: begin -->\n", "<!-- every f32: end -->\n"];

const BEGINNING: &str = "\
# Accuracy

How far off each loss and its gradient are, and how often they are 0, infinite or NaN where the true number is none of these.

**Measured on** the vectors in `crates/loss/tests/vectors`: ordinary numbers, and the edges where exponentials overflow, logarithms
cancel and probabilities round to 0 and 1. Their exact results were computed with 500 digits. A user's own numbers are mostly tamer.

**ULP** is the worst error in units in the last place, over results that are well-conditioned (a budget of at most 64 roundings) and
in the normal range. The exact results are kept as `f64`: for `f32` 0.5 is as good as it gets; for `f64` errors are whole numbers,
half a unit more or less. From about 8e6 in `f32`, or 4e15 in `f64`, no digit is right. **False** counts zeros, infinities and NaNs
that stand for an ordinary number.

";

const AGAIN: &str = "\
## Measured again

```sh
UPDATE_EXPECT=1 cargo test -p surprisal-loss --test it accuracy  # ours; without UPDATE_EXPECT it compares
surprisal loss --check crates/loss/tests/vectors/*.json        # ours, against the error budgets
python crates/loss/tests/pytorch/accuracy.py                   # PyTorch's, with torch and numpy installed
```

The test holds the `f32` numbers exactly, as their elementary functions are our own. Those of `f64` come from the system's library,
and may be 1 ULP worse with another one.

";

fn ours(entry: &Entry, precision: Precision) -> [Accuracy; 2] {
    let name = entry.card.name;
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let document: Value = serde_json::from_str(&fs::read_to_string(path).expect(name)).unwrap();
    let report = check_document(entry, &document, precision).unwrap();
    assert!(report.failed.is_empty(), "{name}: {:?}", report.failed);
    [report.values, report.gradients]
}

/// The same of PyTorch, as its script wrote it; nothing where it was not measured.
fn theirs(measured: &Value) -> Option<[Accuracy; 2]> {
    let read = |what: &Value| {
        let count = |name: &str| Some(what[name].as_u64()? as usize);
        Some(Accuracy {
            numbers: count("numbers")?,
            worst_ulp: what["ulp"].as_f64(),
            false_numbers: [count("zeros")?, count("infinities")?, count("nans")?],
        })
    };
    Some([read(&measured["value"])?, read(&measured["gradient"])?])
}

/// "0.52 | 1.31 | 0 / 0 / 0"
fn cells(accuracy: &Option<[Accuracy; 2]>) -> String {
    let Some([values, gradients]) = accuracy else { return "- | - | -".into() };
    let ulp = |x: &Accuracy| match x.worst_ulp {
        None => "-".into(),
        Some(ulp) if ulp < 1000.0 => format!("{ulp:.2}"),
        Some(ulp) => format!("{ulp:.0e}"),
    };
    let [zeros, infinities, nans] = [0, 1, 2].map(|i| values.false_numbers[i] + gradients.false_numbers[i]);
    format!("{} | {} | {zeros} / {infinities} / {nans}", ulp(values), ulp(gradients))
}

fn table(pytorch: &Value, precision: Precision, own: bool) -> String {
    let mut text = String::from(
        "| loss | numbers | ULP: value | gradient | false 0 / inf / NaN | PyTorch, ULP: value | gradient | false 0 / inf / NaN |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for entry in ALL {
        let measured = &pytorch["losses"][entry.card.name];
        if (measured["own"] == true) == own {
            let (ours, theirs) = (ours(entry, precision), theirs(&measured[precision.name]));
            let numbers = ours[0].numbers + ours[1].numbers;
            let (name, ours, theirs) = (entry.card.name, cells(&Some(ours)), cells(&theirs));
            writeln!(text, "| `{name}` | {numbers} | {ours} | {theirs} |").unwrap();
        }
    }
    text + "\n"
}

fn page(by_hand: &str) -> String {
    let pytorch: Value = serde_json::from_str(include_str!("../pytorch/accuracy.json")).unwrap();
    let (version, cpu) = (pytorch["torch"].as_str().unwrap(), pytorch["cpu"].as_str().unwrap());
    let mut text = BEGINNING.to_owned();
    writeln!(text, "**PyTorch** is {version}, on a CPU with {cpu}, its gradients by autograd. What was called is listed below.\n").unwrap();
    text += AGAIN;
    for (title, precision) in [("Single precision", F32), ("Double precision", F64)] {
        write!(text, "## {title}\n\n### Losses that PyTorch has\n\n{}", table(&pytorch, precision, true))
            .unwrap();
        let others = table(&pytorch, precision, false);
        write!(text, "### Losses that it does not have, written from its functions\n\n{others}").unwrap();
    }
    text += "## Every `f32` there is\n\n";
    text += &[BY_HAND[0], by_hand, BY_HAND[1]].concat();
    text += "\n## What was called\n\n\
        Losses that PyTorch has, as they are; a clamped logarithm, as in its `binary_cross_entropy`, is its convention, and counts\n\
        here like any other difference. The others as they are usually written; of several ways, one that behaves well.\n\n\
        | loss | PyTorch |\n|---|---|\n";
    for entry in ALL {
        if let Some(call) = pytorch["losses"][entry.card.name]["call"].as_str() {
            writeln!(text, "| `{}` | `{}` |", entry.card.name, call.replace('|', "\\|")).unwrap();
        }
    }
    text
}

fn between<'a>(text: &'a str, [begin, end]: [&str; 2]) -> Option<&'a str> {
    Some(text.split_once(begin)?.1.split_once(end)?.0)
}

/// Whether a line says what was measured: the same, but that our ULP in double precision may be 1 larger, or smaller.
fn agrees(documented: &str, measured: &str, double: bool) -> bool {
    const OUR_ULP: [usize; 2] = [3, 4]; // before the first | there is an empty cell
    let (documented, measured): (Vec<_>, Vec<_>) =
        (documented.split('|').collect(), measured.split('|').collect());
    documented.len() == measured.len()
        && documented.iter().zip(&measured).enumerate().all(|(i, (documented, measured))| {
            let [bound, ulp] = [documented, measured].map(|cell| cell.trim().parse::<f64>());
            match (bound, ulp) {
                (Ok(bound), Ok(ulp)) if double && OUR_ULP.contains(&i) => ulp <= bound + 1.0,
                _ => documented == measured,
            }
        })
}

#[test]
fn the_page_in_docs_says_what_is_measured() {
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    let by_hand = between(&written, BY_HAND).unwrap_or("Not measured yet.\n");
    let measured = page(by_hand);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        return fs::write(PAGE, measured).unwrap();
    }
    let (mut double, mut wrong) = (false, vec![]);
    for (documented, measured) in written.lines().zip(measured.lines()) {
        double |= measured == "## Double precision";
        if !agrees(documented, measured, double) {
            wrong.push(format!("documented {documented}\nmeasured   {measured}"));
        }
    }
    let lengths = [written.lines().count(), measured.lines().count()];
    assert!(
        wrong.is_empty() && lengths[0] == lengths[1],
        "docs/accuracy.md is not what is measured ({lengths:?} lines): run this test with UPDATE_EXPECT=1\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_line_agrees_up_to_what_another_library_may_add() {
    let line = "| `mse_loss` | 786 | 0.74 | 1.27 | 0 / 0 / 0 | 0.74 | 1.27 | 0 / 0 / 0 |";
    for (other, single, double) in [
        (line.to_owned(), true, true),
        (line.replacen("0.74", "1.74", 1), false, true),
        (line.replacen("0.74", "0.20", 1), false, true),
        (line.replacen("0.74", "1.80", 1), false, false),
        (line.replacen("0.74", "-", 1), false, false),
        (line.replacen("| 0.74 | 1.27 | 0 / 0 / 0 |", "| 0.74 | 1.27 | 1 / 0 / 0 |", 1), false, false),
        (line.replace("1.27 | 0 / 0 / 0 |", "1.28 | 0 / 0 / 0 |"), false, false), // PyTorch's too
        (line.replace("786", "787"), false, false),
    ] {
        assert_eq!([agrees(line, &other, false), agrees(line, &other, true)], [single, double], "{other}");
    }
}
