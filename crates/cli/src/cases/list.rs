//! `--list`: names, formulas, inputs, options.

use surprisal_settings::Setting;

const WIDTH: usize = 100;

/// An entry of the list of losses or operations.
pub struct Described {
    pub name: &'static str,
    pub forward: &'static str,
    pub backward: &'static str,
    /// The name of an input, whether it has a gradient, and what it is.
    pub inputs: Vec<(String, bool, String)>,
    /// One whose default is empty has none.
    pub options: &'static [Setting],
}

pub fn table(all: impl Iterator<Item = Described>) -> String {
    let mut text = String::from("Inputs marked * have a gradient. Options are shown with their defaults.\n");
    for entry in all {
        text += &describe(entry);
    }
    text
}

fn describe(entry: Described) -> String {
    let inputs = entry
        .inputs
        .into_iter()
        .map(|(name, differentiable, about)| (name + if differentiable { "*" } else { "" }, about));
    let options = entry.options.iter().map(|option| {
        let default = if option.default.is_empty() { "" } else { " = " };
        (format!("{}{default}{}", option.name, option.default), option.help.to_owned())
    });
    let (inputs, options) = (inputs.collect::<Vec<_>>(), options.collect::<Vec<_>>());
    let longest = inputs.iter().chain(&options).map(|(name, _)| name.chars().count()).max().unwrap_or(0);

    let mut text = format!("\n{}\n", entry.name);
    text += &row("value", "", 0, entry.forward);
    text += &row("gradient", "", 0, entry.backward);
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
    text.trim_end().to_owned() + "\n"
}
