//! The formulas of the book: each line of its blocks can be rendered.

use std::fs;
use std::path::Path;

#[test]
fn every_formula_of_the_lessons_follows_the_notation() {
    let lessons = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lessons");
    let mut count = 0;
    for entry in fs::read_dir(lessons).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        let blocks = page.split("\n```formula\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
        for formula in blocks.flat_map(str::lines) {
            if let Err(error) = surprisal_formula::block(formula) {
                panic!("{}: {error}", path.display());
            }
            count += 1;
        }
    }
    assert!(count > 20, "only {count} formulas were found");
}
