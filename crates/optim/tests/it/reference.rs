//! The page of all optimizers is written from the list of them: `UPDATE_EXPECT=1` writes it anew.

use std::fmt::Write;

use expect_test::expect_file;
use surprisal_optim::OptimizerKind;

#[test]
fn the_page_in_docs_is_what_the_list_says() {
    expect_file!["../../../../docs/optimizers.md"].assert_eq(&page().expect("a string can be written to"));
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
            writeln!(text, "| {setting} | {} | {} |", setting.kind(), setting.written(default))?;
        }
    }
    Ok(text)
}
