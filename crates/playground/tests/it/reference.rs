//! The table of `docs/playground.md` is written from the list of settings: `UPDATE_EXPECT=1` writes it anew.

use std::fs;

use surprisal_playground::state::{Kind, SETTINGS};

#[test]
fn the_page_of_the_book_has_every_setting() {
    let mut table = String::from("\n| key | default | values | sides |\n|---|---|---|---|\n");
    for setting in SETTINGS {
        let values = match setting.kind {
            Kind::Number(least, most) => format!("a number from {least} to {most}"),
            Kind::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Word(words) => {
                words().iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
            Kind::Sizes => "units of each hidden layer, such as `8-8`, or `none`".into(),
            Kind::Points => "points, `x,y,class;x,y,class`, for `data=own`".into(),
        };
        let (key, default) = (setting.key, setting.default);
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        table +=
            &format!("| `{key}` | {default} | {values} | {} |\n", if setting.sides { "two" } else { "" });
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/playground.md");
    let page = fs::read_to_string(path).unwrap();
    let (begin, end) = ("<!-- settings -->\n", "<!-- end of the settings -->");
    let (before, rest) = page.split_once(begin).unwrap();
    let (found, after) = rest.split_once(end).unwrap();
    let expected = table + "\n";
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(path, [before, begin, &expected, end, after].concat()).unwrap();
    } else {
        assert_eq!(found, expected, "UPDATE_EXPECT=1 writes the table anew");
    }
}
