//! A preprocessor of mdBook: renders the formulas of blocks fenced as `formula`, one on each line. In `book.toml`:
//!
//! ```toml
//! [preprocessor.formula]
//! command = "cargo run --quiet -p surprisal-formula --example mdbook-formula"
//! ```

use std::error::Error;
use std::io::{Read, stdin};
use std::process::ExitCode;

use serde_json::Value;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("supports") {
        return ExitCode::from(u8::from(arguments.next().as_deref() != Some("html")));
    }
    match preprocess() {
        Ok(book) => {
            println!("{book}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("mdbook-formula: {error}");
            ExitCode::FAILURE
        }
    }
}

/// mdBook writes `[context, book]` to the standard input, and reads the book from the standard output.
fn preprocess() -> Result<Value, Box<dyn Error>> {
    let mut input = String::new();
    stdin().read_to_string(&mut input)?;
    let [_, mut book] = serde_json::from_str::<[Value; 2]>(&input)
        .map_err(|error| format!("expected [context, book] as mdBook writes it: {error}"))?;
    chapters(&mut book)?;
    Ok(book)
}

/// Every chapter, wherever it hangs in the book.
fn chapters(part: &mut Value) -> Result<(), Box<dyn Error>> {
    match part {
        Value::Array(parts) => parts.iter_mut().try_for_each(chapters),
        Value::Object(fields) => {
            let name = fields.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(Value::String(content)) = fields.get_mut("content") {
                *content = rendered(content).map_err(|error| format!("chapter \"{name}\": {error}"))?;
            }
            fields.values_mut().try_for_each(chapters)
        }
        _ => Ok(()),
    }
}

/// The text, with formulas instead of their blocks.
fn rendered(markdown: &str) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    let mut block: Option<(String, bool)> = None; // the fence of the block that we are in, and whether it holds formulas
    for line in markdown.split_inclusive('\n') {
        let content = line.trim();
        let mark = content.chars().next().filter(|mark| "`~".contains(*mark));
        let fence: String = content.chars().take_while(|&c| Some(c) == mark).collect();
        let mut formulas = false;
        match &block {
            None if fence.len() >= 3 => {
                formulas = content[fence.len()..].trim() == "formula";
                block = Some((fence, formulas));
            }
            None => {}
            Some((open, inside)) => {
                formulas = *inside;
                if fence == content && fence.starts_with(open) {
                    block = None;
                } else if formulas && !content.is_empty() {
                    let indent = &line[..line.len() - line.trim_start().len()];
                    text += &format!("\n{indent}{}\n", surprisal_formula::block(content)?);
                }
            }
        }
        text += if formulas { "\n" } else { line };
    }
    match block {
        Some((fence, true)) => Err(format!("no {fence} closes the last block of formulas").into()),
        _ => Ok(text),
    }
}
