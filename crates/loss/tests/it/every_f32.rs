//! A stratified million of all 2^32 inputs, in every binade and on both sides of 0; `examples/every_f32.rs` runs them all.

#[path = "../../examples/every_f32.rs"]
mod program;

use program::{FUNCTIONS, run};

/// Odd, so that the low bits of the inputs differ too.
const STEP: u64 = 4099;

#[test]
fn functions_of_one_number_are_right_to_a_few_units_in_the_last_place() {
    for (function, row) in FUNCTIONS.iter().zip(run(STEP, |_| {})) {
        for (([normal, subnormal], bound), what) in
            row.iter().zip(function.bounds).zip(["value", "derivative"])
        {
            let name = function.name;
            assert!(normal.units <= bound, "{name}, {what}: {} ULP at {:e}", normal.units, normal.at);
            assert!(
                subnormal.units <= 4.0,
                "{name}, {what}: {} times 2^-149 at {:e}",
                subnormal.units,
                subnormal.at
            );
            assert!(
                normal.units > 0.4,
                "{name}, {what}: half an ULP is what rounding costs: this judge is blind"
            );
        }
    }
}
