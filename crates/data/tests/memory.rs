//! What a header of IDX, NPY or NPZ claims costs nothing; only what arrives does. Its own binary: the counter replaces the
//! allocator.
#![allow(unsafe_code)] // an allocator cannot be written without; it only counts and passes on

use expect_test::expect;
use flate2::Compression;
use flate2::read::GzEncoder;
use flate2::write::DeflateEncoder;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};
use surprisal_data::{DataError, ErrorKind, Idx, IdxProblem, NpyArray, Npz, read_idx};

struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

fn count(more: usize, less: usize) {
    let held = (HELD.get() + more).saturating_sub(less);
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads, quickly; returns the most bytes that were held at a time, too.
fn measured(reader: impl Read) -> (Result<Idx, DataError>, usize) {
    held(|| read_idx(reader, "claims.idx"))
}

fn held<T>(read: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let start = Instant::now();
    let result = read();
    assert!(start.elapsed() < Duration::from_secs(5));
    (result, MOST.get() - before)
}

fn header(dims: &[u32]) -> Vec<u8> {
    let mut header = vec![0, 0, 8, dims.len() as u8];
    header.extend(dims.iter().flat_map(|size| size.to_be_bytes()));
    header
}

#[track_caller]
fn problem(result: Result<Idx, DataError>) -> IdxProblem {
    let error = result.unwrap_err();
    match error.kind() {
        ErrorKind::Idx(idx) => match idx.problem {
            IdxProblem::TooLarge { ref dims, product } => {
                IdxProblem::TooLarge { dims: dims.clone(), product }
            }
            IdxProblem::Cut { expected, found } => IdxProblem::Cut { expected, found },
            _ => panic!("{error}"),
        },
        kind => panic!("{kind}"),
    }
}

const LITTLE: usize = 200_000; // what unpacking takes, and more

#[test]
fn a_header_of_2_to_the_60_elements_is_refused_before_anything_is_reserved() {
    let header = header(&[1 << 30, 1 << 30]);
    for arrives in [0, 10, 4 << 20] {
        let (result, most) = measured(header.as_slice().chain(io::repeat(0)).take(12 + arrives));
        assert!(matches!(problem(result), IdxProblem::TooLarge { product: Some(n), .. } if n == 1 << 60));
        assert!(most < LITTLE, "{most}");
    }
    let (result, most) = measured(GzEncoder::new(header.as_slice(), Compression::fast()));
    assert!(matches!(problem(result), IdxProblem::TooLarge { product: Some(n), .. } if n == 1 << 60));
    assert!(most < 3 * LITTLE, "{most}"); // packing runs here too
}

#[test]
fn a_table_takes_memory_as_its_file_does_whatever_it_holds() {
    use surprisal_data::{CsvOptions, Table};
    let lines = |line: &dyn Fn(usize) -> String| (0..20_000).map(line).collect::<String>();
    let texts = lines(&|k| format!("{k:x}z,{}\n", k % 7));
    let tables = [
        ("numbers", format!("x,y\n{}", lines(&|k| format!("{},{}\n", k % 10, k % 2)))),
        ("few texts", format!("x,y\n{}", lines(&|k| format!("{},{}\n", ["a", "b"][k % 2], k % 3)))),
        ("a text in every row", format!("x,y\n{texts}")),
        ("a class in every row", format!("y,x\n{texts}")),
        ("many columns", format!("{}y\n", lines(&|k| format!("{k:x},")))),
        ("many columns and a row", format!("{0}y\n{0}0\n{0}1", lines(&|k| format!("{k},")))),
        ("a quote", format!("x,y\n\"{texts}")),
        ("separators", ",".repeat(100_000)),
    ];
    for (what, text) in tables {
        let before = HELD.get();
        MOST.set(before);
        let target = Some("y".to_owned());
        let _ = Table::from_csv(text.as_bytes(), "t", &CsvOptions { target, ..CsvOptions::default() });
        let most = MOST.get() - before;
        assert!(most < (64 << 10) + 60 * text.len(), "{what}: {most} for {} bytes", text.len());
    }
}

#[test]
fn a_header_whose_product_overflows_is_refused_too() {
    for dims in [vec![u32::MAX; 3], vec![u32::MAX; 255], vec![1 << 16, 1 << 16, 1 << 16, 1 << 16]] {
        let (result, most) = measured(header(&dims).as_slice().chain(io::repeat(0)).take(4 << 20));
        assert!(matches!(problem(result), IdxProblem::TooLarge { product: None, .. }));
        assert!(most < LITTLE, "{most}");
    }
}

#[test]
fn a_header_of_as_much_as_is_allowed_reserves_nothing_for_what_does_not_arrive() {
    let file = [header(&[1 << 10, 1 << 20]), vec![7; 10]].concat();
    let (result, most) = measured(file.as_slice());
    assert!(matches!(problem(result), IdxProblem::Cut { expected: 0x4000_0000, found: 10 }));
    assert!(most < LITTLE, "{most}");
}

#[test]
fn memory_follows_what_arrives() {
    let elements = 8 << 20;
    let header = header(&[elements]);
    let (result, most) = measured(header.as_slice().chain(io::repeat(3)).take(8 + u64::from(elements)));
    assert_eq!(result.unwrap().values.len(), 8 << 20);
    assert!((8 << 20..=32 << 20).contains(&most), "{most}"); // a vector that grows holds old and new for a moment
}

/// A packed archive of one array, "x", of so many zeros of a byte each, whose header claims another shape.
fn zeros(claimed: &str, elements: usize) -> Vec<u8> {
    let mut forged = NpyArray::new(&[elements], &vec![0u8; elements]).as_bytes().to_vec();
    let shape = format!("({elements}, ), }}");
    let at = forged.windows(shape.len()).position(|window| window == shape.as_bytes()).unwrap();
    forged[at..at + claimed.len()].copy_from_slice(claimed.as_bytes());
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&forged).unwrap();
    let packed = packed.finish().unwrap();
    let mut local = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0".to_vec();
    local.extend(
        [crc32fast::hash(&forged), packed.len() as u32, forged.len() as u32].map(u32::to_le_bytes).concat(),
    );
    local.extend([5, 0, 0, 0]);
    let mut archive = [&local, &b"x.npy"[..], &packed].concat();
    let central = archive.len() as u32;
    archive.extend([b"PK\x01\x02\x14\0", &local[4..], &[0; 14], b"x.npy"].concat());
    archive.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    archive.extend([51, central].map(u32::to_le_bytes).concat());
    archive.extend([0; 2]);
    archive
}

#[test]
fn an_archive_that_unpacks_to_much_is_unpacked_only_if_its_header_says_so() {
    let elements = 8 << 20;
    let good = zeros("", elements);
    assert!(good.len() < 40_000);
    let (array, most) = held(|| Npz::from_bytes(good.clone(), "zeros").unwrap().array("x").unwrap());
    assert_eq!(array.shape(), [elements]);
    assert!((elements..3 * elements).contains(&most), "{most}");
    let forged = zeros("(3, ), }      ", elements);
    let (error, most) = held(|| Npz::from_bytes(forged.clone(), "zeros").unwrap().array("x").unwrap_err());
    expect![[r#"zeros, array "x", byte 128: expected 3 bytes (3 of uint8), found 8388608 | has data been appended?"#]].assert_eq(&error.to_string());
    assert!(most < 3 * LITTLE, "{most}");
    // one element less than there is, in the header and in the directory
    let mut less = zeros("(8388607, ), }", elements);
    let at = less.len() - 22 - 51 + 24;
    less[at..at + 4].copy_from_slice(&(elements as u32 + 128 - 1).to_le_bytes());
    let error = Npz::from_bytes(less, "less").unwrap().array("x").unwrap_err();
    expect!["less, byte 35: expected the content from here on to unpack to 8388735 bytes, found more | was the file damaged?"].assert_eq(&error.to_string());
    // more than deflate can do: its size in the directory, and so the header's claim, is beyond belief
    let mut bomb = zeros("", elements);
    let at = bomb.len() - 22 - 51 + 24;
    bomb[at..at + 4].fill(0xf0);
    let (error, most) = held(|| Npz::from_bytes(bomb.clone(), "bomb").unwrap_err());
    let (entry, packed) = (bomb.len() - 22 - 51, bomb.len() - 22 - 51 - 35); // which the compressor decides
    let masked = error.to_string().replace(&format!("byte {entry}:"), "byte ENTRY:");
    expect![[r#"bomb, byte ENTRY: expected "x.npy" to unpack to at most 1032 times its PACKED bytes, or to just them if it is stored, found a claim of 4042322160 bytes | is the file damaged?"#]].assert_eq(&masked.replace(&format!(" {packed} bytes"), " PACKED bytes"));
    assert!(most < 2 * LITTLE, "{most}");
}

#[test]
fn an_npy_header_of_2_to_the_60_elements_takes_no_memory() {
    let mut file = NpyArray::new(&[1000, 1000, 1000, 0], &[0f64; 0]).as_bytes().to_vec();
    let at = file.windows(4).position(|window| window == b"1000").unwrap();
    file[at..at + 20].copy_from_slice(b"1152921504606846976,");
    let (error, most) = held(|| NpyArray::from_bytes(file.clone(), "claims.npy").unwrap_err());
    expect!["claims.npy, byte 10: expected at most 64 axes, and elements that a memory can hold, found a header that claims 1152921504606846976 | is the file damaged?"].assert_eq(&error.to_string());
    assert!(most < LITTLE, "{most}");
}
