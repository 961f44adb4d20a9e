//! The instruction sets of kernels, set by `SURPRISAL_SIMD`.

use std::path::Path;
use std::process::{Command, Output};

use expect_test::expect;
use surprisal_tensor::simd;

const VECTORS: &[(&str, &str)] = &[
    ("loss", "../loss/tests/vectors"),
    #[cfg(feature = "replay")]
    ("op", "../replay/tests/operations"),
];
/// From the narrowest.
const LEVELS: [&str; 3] = ["baseline", "avx2", "avx512"];

fn surprisal(level: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_surprisal"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("SURPRISAL_SIMD", level)
        .output()
        .unwrap()
}

fn available() -> &'static [&'static str] {
    let widest = simd::instruction_set().unwrap();
    &LEVELS[..=LEVELS.iter().position(|&level| level == widest).unwrap()]
}

/// Those of losses have 500 digits; those of operations, convolutions too, are from PyTorch.
#[test]
fn every_level_holds_against_the_test_vectors() {
    for (command, folder) in VECTORS {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).read_dir().unwrap();
        let files = files.map(|file| file.unwrap().path().into_os_string().into_string().unwrap());
        let files: Vec<_> = files.filter(|file| file.ends_with(".json")).collect();
        let arguments: Vec<_> =
            [command, "--check"].into_iter().chain(files.iter().map(|file| &**file)).collect();
        for level in available() {
            let output = surprisal(level, &arguments);
            let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
            assert!(output.status.success(), "{level}:\n{out}{err}");
        }
    }
}

#[test]
fn a_level_that_the_processor_lacks_is_refused() {
    let missing = &LEVELS[available().len()..];
    for level in [missing, &["AVX2", "sse2", "avx512 "]].concat() {
        let output = surprisal(level, &["loss", "--list"]);
        assert_eq!((output.status.code(), &*output.stdout), (Some(2), &b""[..]), "{level}");
    }
    assert!(surprisal("", &["loss", "--list"]).status.success());
}

#[test]
fn the_message_names_the_levels() {
    let output = surprisal("avx", &["loss", "--list"]);
    let message =
        String::from_utf8_lossy(&output.stderr).replace(&format!("({})", available().join(", ")), "(..)");
    expect![[r#"
        error: SURPRISAL_SIMD: expected an instruction set of this processor (..), found "avx" | unset it to use the widest
    "#]].assert_eq(&message);
}
