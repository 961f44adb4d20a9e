//! What an IDX header claims costs nothing; only what arrives does. Its own binary: the counter replaces the
//! allocator.
#![allow(unsafe_code)] // an allocator cannot be written without; it only counts and passes on

use flate2::Compression;
use flate2::read::GzEncoder;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{self, Read};
use std::time::{Duration, Instant};
use surprisal_data::{DataError, ErrorKind, Idx, IdxProblem, read_idx};

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
    let before = HELD.get();
    MOST.set(before);
    let start = Instant::now();
    let result = read_idx(reader, "claims.idx");
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
