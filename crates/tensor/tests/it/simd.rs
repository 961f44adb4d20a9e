//! The other tests at each level of `SURPRISAL_SIMD`, in processes of their own.

use std::env;
use std::process::Command;

use surprisal_tensor::simd;

/// From the widest.
const LEVELS: [&str; 3] = ["avx512", "avx2", "baseline"];

fn tests_pass(level: &str, modules: &[&str]) -> (bool, String) {
    let mut tests = Command::new(env::current_exe().unwrap());
    let output = tests.args(modules).env(simd::VARIABLE, level).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.success(), out + &err)
}

#[test]
fn operations_and_products_are_right_at_every_level() {
    let widest = simd::instruction_set().unwrap();
    let narrower = LEVELS.iter().position(|&level| level == widest).unwrap() + 1;
    for level in &LEVELS[narrower..] {
        let (passed, told) = tests_pass(level, &["edges::", "images::", "ops::"]);
        assert!(passed && !told.contains(" 0 passed"), "{level}:\n{told}");
    }
}

#[test]
fn the_first_kernel_refuses_a_level_that_is_unknown() {
    let (passed, told) = tests_pass("sse2", &["edges::products_in_blocks"]);
    assert!(!passed && told.contains(simd::VARIABLE), "{told}");
}
