//! The files in `datasets/` are, byte for byte, those that its README tells of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[test]
fn checksums_in_the_readme_are_those_of_the_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let listed: Vec<(&str, &str)> =
        readme.lines().filter_map(|line| line.split_once("  ")).filter(|(sum, _)| sum.len() == 64).collect();
    let names: Vec<&str> = listed.iter().map(|&(_, name)| name).collect();
    assert_eq!(
        names,
        ["breast_cancer.csv", "digits.csv", "iris.csv", "nuclei.png", "nuclei_mask.png", "penguins.csv"]
    );
    for (sum, name) in listed {
        assert_eq!(sha256(&std::fs::read(folder.join(name)).unwrap()), sum, "{name}");
    }
}

#[test]
fn what_the_crate_carries_is_what_stands_in_datasets() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = |folder: &str| -> BTreeMap<_, _> {
        let entries = std::fs::read_dir(here.join(folder)).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect()
    };
    let (original, carried) = (files("../../datasets"), files("datasets"));
    let differ: BTreeSet<_> = (original.keys().chain(carried.keys()))
        .filter(|name| original.get(*name) != carried.get(*name))
        .collect();
    assert!(
        differ.is_empty(),
        "crates/data/datasets is no copy of datasets: {differ:?} differ; in the repository's folder, write it anew: \
         rm -r crates/data/datasets && cp -r datasets crates/data"
    );
}

#[test]
fn sha256_of_the_standards_examples() {
    assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert_eq!(sha256(two_blocks), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

/// SHA-256 in hexadecimal, after FIPS 180-4; too little to depend on a crate for.
fn sha256(message: &[u8]) -> String {
    // the constants are the first 32 bits after the point of square and cube roots of the first primes
    let primes: Vec<u128> = (2..312).filter(|n| (2..*n).all(|d| n % d != 0)).collect();
    let k: Vec<u32> = primes.iter().map(|p| cube_root(p << 96) as u32).collect();
    let mut hash: [u32; 8] = std::array::from_fn(|i| (primes[i] << 64).isqrt() as u32);

    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend((message.len() as u64 * 8).to_be_bytes());

    for block in padded.chunks_exact(64) {
        let mut w: Vec<u32> =
            block.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
        for t in 16..64 {
            let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
            let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
            w.push(w[t - 16].wrapping_add(s0).wrapping_add(w[t - 7]).wrapping_add(s1));
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = hash;
        for t in 0..64 {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = (e & f) ^ (!e & g);
            let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(k[t]).wrapping_add(w[t]);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let majority = (a & b) ^ (a & c) ^ (b & c);
            (h, g, f, e, d, c, b) = (g, f, e, d.wrapping_add(t1), c, b, a);
            a = t1.wrapping_add(s0).wrapping_add(majority);
        }
        for (old, new) in hash.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *old = old.wrapping_add(new);
        }
    }
    hash.iter().map(|word| format!("{word:08x}")).collect()
}

/// The largest integer whose cube is at most `n`, for `n` below 2^108, bit by bit.
fn cube_root(n: u128) -> u128 {
    (0..36).rev().fold(0u128, |root, bit| if (root | 1 << bit).pow(3) <= n { root | 1 << bit } else { root })
}
