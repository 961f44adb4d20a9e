//! `surprisal loss --list`, and the names that come near one that is not there.

use surprisal_loss::by_name::{ALL, Entry};

const WIDTH: usize = 100;

pub fn table() -> String {
    let mut text = String::from("An input marked * has a gradient. An option is shown with its default.\n");
    for entry in ALL {
        text += &describe(entry);
    }
    text
}

fn describe(entry: &Entry) -> String {
    let card = entry.card;
    let inputs = entry
        .inputs
        .iter()
        .map(|input| (format!("{}{}", input.name, if input.differentiable { "*" } else { "" }), input.about));
    let options =
        entry.options.iter().map(|option| (format!("{} = {}", option.name, option.default), option.about));
    let (inputs, options) = (inputs.collect::<Vec<_>>(), options.collect::<Vec<_>>());
    let longest = inputs.iter().chain(&options).map(|(name, _)| name.chars().count()).max().unwrap_or(0);

    let mut text = format!("\n{}\n", card.name);
    text += &row("value", "", 0, card.forward);
    text += &row("gradient", "", 0, card.backward);
    for (heading, rows) in [("inputs", inputs), ("options", options)] {
        for (i, (name, about)) in rows.iter().enumerate() {
            text += &row(if i == 0 { heading } else { "" }, name, longest + 2, about);
        }
    }
    text
}

/// One row, its last cell wrapped.
fn row(heading: &str, name: &str, name_width: usize, about: &str) -> String {
    let start = format!("  {heading:<10}{name:<name_width$}");
    let indent = start.chars().count();
    let (mut text, mut column) = (start, indent);
    for (i, word) in about.split(' ').enumerate() {
        let length = word.chars().count();
        if i > 0 && column + 1 + length > WIDTH {
            text += &format!("\n{:indent$}", "");
            column = indent;
        } else if i > 0 {
            text.push(' ');
            column += 1;
        }
        text += word;
        column += length;
    }
    text + "\n"
}

/// The names that one may have meant, the nearest first, at most three.
pub fn nearest(name: &str) -> Vec<&'static str> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', ' '], "");
    let given = plain(name);
    let rank = |known: &str| {
        let initials: String = known.split('_').filter_map(|word| word.chars().next()).collect();
        let plain = plain(known);
        let edits = edits(&plain, &given);
        if given.len() > 2 && plain.contains(&given) {
            Some((0, plain.len()))
        } else if given.len() > 1 && initials.contains(&given) {
            Some((1, initials.len()))
        } else if edits <= 2.max(plain.len() / 4) {
            Some((2, edits))
        } else {
            given.contains(&plain).then(|| (3, given.len() - plain.len()))
        }
    };
    let names = ALL.iter().map(|entry| entry.card.name);
    let mut near: Vec<_> = names.filter_map(|name| Some((rank(name)?, name))).collect();
    near.sort();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

/// How many letters must be put in, left out or replaced to make one word the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_a_part_and_an_abbreviation_find_their_loss() {
        for (given, meant) in [
            ("mse", "mse_loss"),
            ("MSELoss", "mse_loss"),
            ("softmax_cross_entrpy", "softmax_cross_entropy"),
            ("sce", "softmax_cross_entropy"),
            ("bce", "binary_cross_entropy"),
            ("sigmiod", "sigmoid"),
            ("nll_loss_with_logits", "nll_loss"),
        ] {
            assert_eq!(nearest(given).first(), Some(&meant), "{given}");
        }
        assert_eq!(nearest("cosine"), [""; 0]);
        assert_eq!(nearest(""), [""; 0]);
    }
}
