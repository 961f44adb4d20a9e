//! `surprisal loss --list`, and suggestions for unknown names.

use surprisal_loss::by_name::{ALL, Entry};

const WIDTH: usize = 100;

pub fn table() -> String {
    let mut text = String::from("Inputs marked * have a gradient. Options are shown with their defaults.\n");
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
        entry.options.iter().map(|option| (format!("{} = {}", option.name, option.default), option.help));
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
