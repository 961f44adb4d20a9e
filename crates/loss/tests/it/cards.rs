//! What the losses say of themselves: the reference is written from it, and every formula can be rendered.

use std::fmt::Write;

use expect_test::expect_file;
use surprisal_loss::by_name;

#[test]
fn every_formula_of_a_card_can_be_rendered() {
    for entry in by_name::ALL {
        for formula in [entry.card.forward, entry.card.backward] {
            if let Err(error) = surprisal_formula::block(formula) {
                panic!("{}: {error}", entry.card.name);
            }
        }
    }
}

/// The reference is written from the cards: `UPDATE_EXPECT=1` writes it anew.
#[test]
fn the_reference_in_docs_is_what_the_cards_say() {
    expect_file!["../../../../docs/losses.md"].assert_eq(&reference().expect("a string can be written to"));
}

fn reference() -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        "# Losses\n\nEvery loss, from its card, and the functions that losses are made of. Of each: its value, and the gradients \
         of its inputs, where dl, or dy, is what comes back to the result. The mean over rows or elements comes after. Written by a \
         test of `crates/loss/tests/it/cards.rs`; the page of each loss in the crate's documentation has the whole lesson.\n",
    );
    for entry in by_name::ALL {
        let card = entry.card;
        writeln!(text, "\n## {}\n\n{}\n", card.name, card.story)?;
        writeln!(text, "```formula\n{}\n{}\n```\n", card.forward, card.backward)?;
        writeln!(text, "| input | | gradient |\n|---|---|---|")?;
        for input in entry.inputs {
            let gradient = if input.differentiable { "yes" } else { "no" };
            writeln!(text, "| `{}` | {} | {gradient} |", input.name, input.about)?;
        }
        if !entry.options.is_empty() {
            writeln!(text, "\n| option | default | |\n|---|---|---|")?;
        }
        for option in entry.options {
            writeln!(text, "| `{}` | {} | {} |", option.name, option.default, option.help)?;
        }
    }
    Ok(text)
}
