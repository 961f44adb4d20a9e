//! What the macro makes of literals, also of those that come through another macro.

use surprisal_formula_macro::math;

macro_rules! function {
    ($formula:literal) => {
        math!("y = " $formula)
    };
}

#[test]
fn literals_are_joined_and_rendered() {
    let rendered = surprisal_formula::block("y = 1 / x").unwrap();
    assert_eq!(math!("y = 1 / x"), rendered);
    assert_eq!(math!("y =" " 1 / x"), rendered);
    assert_eq!(function!("1 / x"), rendered);
}
