//! The page of all optimizers is written from the list of them.

use std::fmt::Write;

use surprisal_optim::OptimizerKind;

/// `UPDATE_DOCS=1 cargo test -p surprisal-optim --test it reference::` writes it anew.
#[test]
fn the_page_in_docs_is_what_the_list_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/optimizers.md");
    let text = page().expect("a string can be written to");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == text,
        "docs/optimizers.md is not what the list says: run this test with UPDATE_DOCS=1"
    );
}

fn page() -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        "# Optimizers\n\nEvery optimizer, its settings, their ranges and defaults; a learning rate's default is that of the command. \
         Written by a test of `crates/optim/tests/it/reference.rs`; formulas and sources are on the page of each in the crate's \
         documentation.\n",
    );
    for kind in OptimizerKind::ALL {
        writeln!(text, "\n## {}\n\n`opt = \"{kind}\"` is {}.\n", kind.type_name(), kind.about())?;
        writeln!(text, "| setting | range | default |\n|---|---|---|")?;
        for (setting, default) in kind.settings() {
            writeln!(text, "| {setting} | {} | {} |", setting.range(), setting.written(default))?;
        }
    }
    Ok(text)
}
