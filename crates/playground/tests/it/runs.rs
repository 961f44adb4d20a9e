//! The numbers of the page are those of the library.
//!
//! `runs.json` has what WebAssembly computes, whose arithmetic is the same on every machine: `browser.mjs` holds Chromium to it bit for bit.
//! Here it is computed by this machine. Two things differ: products use the fused multiply-add where the processor has it, which rounds once
//! where WebAssembly rounds twice; and e^x and its kin in f64 are those of the C library here and of Rust's own in WebAssembly, which may
//! differ in the last bit. What 200 steps make of that is bounded below; measured with FMA
//! it is at most 1.7e-13.

use crate::race;

#[test]
fn two_hundred_steps_are_those_of_the_page() {
    let runs: serde_json::Value = serde_json::from_str(include_str!("../runs.json")).unwrap();
    let runs = runs.as_array().unwrap();
    assert_eq!(runs.len(), 6);
    for run in runs {
        let state = run["state"].as_str().unwrap();
        let mut race = race(state);
        (0..run["steps"].as_u64().unwrap()).for_each(|_| race.step());
        for (side, reached) in race.reached().into_iter().enumerate() {
            let expected = |name: &str| run["sides"][side][name].as_f64().unwrap();
            let far =
                |found: f64, name: &str| (found - expected(name)).abs() / expected(name).abs().max(1e-300);
            let (loss, norm) = (far(reached.loss, "loss"), far(reached.gradient_norm, "gradient_norm"));
            println!("{state} {side}: loss differs by {loss:.1e}, gradient norm by {norm:.1e}");
            assert!(loss < 1e-10 && norm < 1e-10, "{state}, side {side}: {loss:e} {norm:e}");
            assert_eq!(reached.accuracy, expected("accuracy"), "{state}, side {side}");
        }
    }
}
