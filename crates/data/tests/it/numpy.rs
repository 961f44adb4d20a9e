//! Files of NumPy's: those in `numpy`, which its script wrote, come in as they are; those that go out are read there.

use crate::made_files::Folder;
use crate::messages::Messages;
use ndarray::{ArrayD, array};
use std::error::Error;
use std::process::Command;
use surprisal_data::{DataError, Dataset, NpyArray, NpyType, Npz, npz_bytes, read_npy, write_npz};

const NUMPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/numpy/");

fn read(name: &str) -> NpyArray {
    read_npy(format!("{NUMPY}{name}.npy")).unwrap()
}

fn values() -> ArrayD<f64> {
    array![[-1.5, 0.25, 3.0], [65504.0, 0.0, -2.0]].into_dyn()
}

#[test]
fn every_version_order_and_type_reads_as_the_same_numbers() {
    for (name, dtype) in [
        ("float64", NpyType::Float64),
        ("float32_fortran_big_endian", NpyType::Float32),
        ("float16", NpyType::Float16),
        ("version2", NpyType::Float64),
        ("version3", NpyType::Float64),
    ] {
        let array = read(name);
        assert_eq!((array.dtype(), array.shape()), (dtype, &[2, 3][..]), "{name}");
        assert_eq!(array.array_f64().unwrap(), values(), "{name}");
        assert!(array.array_f64().unwrap().is_standard_layout());
        if dtype != NpyType::Float64 {
            assert_eq!(array.array_f32().unwrap(), values().mapv(|x| x as f32), "{name}");
        }
    }
    assert_eq!(read("bool_no_axes").array_i64().unwrap(), ndarray::arr0(1).into_dyn());
    assert_eq!(read("uint8_no_rows").array_f64().unwrap().shape(), [0, 4]);
    assert_eq!(read("int64_beyond_f64").array_i64().unwrap(), array![(1 << 53) + 1, i64::MIN].into_dyn());
    for header in [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
        "{\"shape\":(1L,),'descr':'>f8', 'fortran_order' :True,} \n",
    ] {
        NpyArray::from_bytes(with_header(header), "").unwrap();
    }
}

#[test]
fn both_kinds_of_archive_hold_the_same_arrays() {
    for name in ["stored.npz", "packed.npz"] {
        let npz = Npz::read(format!("{NUMPY}{name}")).unwrap();
        assert_eq!(npz.names().collect::<Vec<_>>(), ["x", "y", "weights", "zeros"]);
        assert_eq!(npz.header("x").unwrap(), (NpyType::UInt8, vec![3, 2, 4]));
        assert_eq!(npz.array("x").unwrap().array_i64().unwrap()[[2, 1, 3]], 23);
        assert_eq!(npz.array("weights").unwrap().array_f64().unwrap(), values());
        assert_eq!(npz.array("zeros").unwrap().array_f64().unwrap(), ArrayD::<f64>::zeros(vec![10, 100]));

        let data = Dataset::from_npz_path(format!("{NUMPY}{name}")).unwrap();
        data.check().unwrap();
        assert_eq!(data.features.row(1).to_vec(), (8..16).map(f64::from).collect::<Vec<_>>());
        assert_eq!((data.labels(), data.class_names()), (&[1, 0, 1][..], &["2".into(), "7".into()][..]));
        assert_eq!((data.name + ".npz", &data.feature_names[5][..]), (name.into(), "p1_1"));
    }
}

/// An NPY file of version 1 with this text for a header, and one f8.
fn with_header(text: &str) -> Vec<u8> {
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\0", &length[..], text.as_bytes(), &[0; 8]].concat()
}

pub fn messages(m: &mut Messages) {
    m.part("numbers of stored files that another type would round");
    m.add_with("f64", read("int64_beyond_f64").array_f64(), NUMPY, "");
    m.add_with("f32", read("int64_beyond_f64").array_f32(), NUMPY, "");
    m.add_with("i64", read("uint64_beyond_i64").array_i64(), NUMPY, "");
    m.add_with("f32", read("float64").array_f32(), NUMPY, "");
    m.add_with("i64", read("float16").array_i64(), NUMPY, "");

    m.part("elements that are not numbers");
    for name in ["complex", "record", "object"] {
        m.add_with(name, read_npy(format!("{NUMPY}{name}.npy")), NUMPY, "");
    }

    m.part("damaged headers of a.npy");
    let mut of = |case: &str, bytes: &[u8]| m.add(case, NpyArray::from_bytes(bytes.to_vec(), "a.npy"));
    let good = with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}");
    of("nothing", b"");
    of("an archive", b"PK\x03\x04--");
    for length in [7, 9, 60, 72] {
        of(&format!("the first {length} bytes"), &good[..length]);
    }
    of("another version", b"\x93NUMPY\x04\x01");
    of("a long header", b"\x93NUMPY\x02\0\0\0\x01\0{");
    of("one byte more", &[&good[..], b"!"].concat());
    for text in [
        "'descr'",
        "{descr: 1}",
        "{'descr",
        "{'descr' 1}",
        "{'color': 1}",
        "{'fortran_order': 1}",
        "{'shape': 3}",
        "{'shape': (-1,)}",
        "{'shape': (99999999999999999999,)}",
        "{'shape': (1 2)}",
        "{'shape': (1,) 'descr'",
        "{'shape': (1,)}",
    ] {
        of(text, &with_header(text));
    }
    for shape in ["1152921504606846976, 16", "0, 9223372036854775807, 2", &"1, ".repeat(65)] {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape})}}");
        of(&format!("shape {shape:.40}"), &with_header(&header));
    }
    damaged_archives(m);
    features_and_labels(m);
}

fn damaged_archives(m: &mut Messages) {
    m.part("damaged archives named a.npz, with the array \"x\"");
    let mut of = |case: &str, bytes: &[u8]| {
        m.add(case, Npz::from_bytes(bytes.to_vec(), "a.npz").and_then(|npz| npz.array("x")));
    };
    let x = NpyArray::new(&[1], &[0.5]);
    let good = npz_bytes([("x", &x)]).unwrap();
    let content = 30 + 5; // where the array begins: behind the local header and its name
    let central = content + x.as_bytes().len();
    let end = good.len() - 22;
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    of("a single array", x.as_bytes());
    for length in [4, end, good.len() - 1] {
        of(&format!("the first {length} of {} bytes", good.len()), &good[..length]);
    }
    of("no entry in the directory", &changed(central, b"Q"));
    of("two entries in place of one", &changed(end + 10, &[2]));
    of("an entry without its content", &changed(central + 42, &[1]));
    of("an entry of 2^28 bytes", &changed(central + 20, &[0, 0, 0, 0x10, 0, 0, 0, 0x10]));
    of("an entry that unpacks to nothing", &changed(central + 24, &[0]));
    of("packed in another way", &changed(central + 10, &[12]));
    of("encrypted", &changed(central + 8, &[1]));
    of("a number changed", &changed(content + 130, &[9]));
    of("the array's first byte changed", &changed(content, &[0]));
    // the same content twice: a bomb is made of such
    let mut overlapping = npz_bytes([("x", &x), ("y", &x)]).unwrap();
    let second = overlapping.len() - 22 - 46 - 5;
    overlapping[second + 42..second + 46].fill(0);
    let end = overlapping.len() - 22;
    overlapping.drain(central..second - 46 - 5); // nor is there a second content
    let moved = (central as u32).to_le_bytes();
    let end = end - (second - 46 - 5 - central);
    overlapping[end + 16..end + 20].copy_from_slice(&moved);
    of("two entries of the same bytes", &overlapping);

    let mut unpackable = std::fs::read(format!("{NUMPY}packed.npz")).unwrap();
    let name = unpackable.windows(11).position(|name| name == b"weights.npy").unwrap();
    unpackable[name + 31] = 0xff; // no kind of block
    let error = weights(unpackable).unwrap_err();
    let cause = error.source().unwrap().to_string();
    m.add_with("content that cannot be decompressed", Err::<(), _>(error), &cause, "CAUSE");
    m.add("two arrays named x", npz_bytes([("x", &x), ("x", &x)]));
    let too_many: Vec<String> = (0..=0xffff).map(|k| k.to_string()).collect();
    m.add("65536 arrays", npz_bytes(too_many.iter().map(|name| (name.as_str(), &x))));
}

fn features_and_labels(m: &mut Messages) {
    m.part("features and labels in a.npz");
    let folder = Folder::new("npz");
    let path = folder.path().join("a.npz");
    let mut of = |case: &str, arrays: &[(&str, NpyArray)]| {
        write_npz(&path, arrays.iter().map(|(name, array)| (*name, array))).unwrap();
        m.add_with(case, Dataset::from_npz_path(&path), &path.display().to_string(), "a.npz");
    };
    let x = |shape: &[usize], values: &[f64]| ("x", NpyArray::new(shape, values));
    let y = |shape: &[usize], labels: &[i64]| ("labels", NpyArray::new(shape, labels));
    let good = || x(&[2, 2], &[0.0, 1.0, 2.0, 3.0]);
    of("no arrays", &[]);
    of("a misspelt name", &[good(), ("lables", NpyArray::new(&[2], &[0i64, 1]))]);
    of("features without columns", &[x(&[2], &[0.0, 1.0]), y(&[2], &[0, 1])]);
    of("one-hot rows", &[good(), y(&[2, 2], &[0, 1, 1, 0])]);
    of("a feature that is not finite", &[x(&[2, 2], &[0.0, 1.0, f64::NAN, 3.0]), y(&[2], &[0, 1])]);
    of("one class", &[good(), y(&[2, 1], &[5, 5])]);
    let path = folder.path().join("no/a.npz");
    let error = write_npz(&path, []).unwrap_err();
    let told = error.to_string().replace(&error.source().unwrap().to_string(), "CAUSE");
    m.add("no such folder", Err::<(), _>(told.replace(&path.display().to_string(), "PATH")));
}

#[test]
fn sizes_and_places_of_64_bits_are_read() {
    let x = NpyArray::new(&[1], &[0.5]);
    let plain = npz_bytes([("x", &x)]).unwrap();
    let (central, end) = (plain.len() - 22 - 46 - 5, plain.len() - 22);
    let size = 136u64.to_le_bytes();
    let wide = [&[1, 0, 24, 0][..], &size, &size, &0u64.to_le_bytes()].concat(); // both sizes, and the place
    let mut bytes = plain[..end].to_vec();
    bytes[central + 20..central + 28].fill(0xff);
    bytes[central + 42..central + 46].fill(0xff);
    bytes[central + 30] = wide.len() as u8;
    bytes.extend(&wide);
    let place = (bytes.len() as u64).to_le_bytes();
    let [one, length, start] = [1, 0, central as u64].map(u64::to_le_bytes);
    bytes.extend([&b"PK\x06\x06"[..], &[0; 20], &one, &one, &length, &start].concat());
    bytes.extend([&b"PK\x06\x07"[..], &[0; 4], &place, &[1, 0, 0, 0]].concat());
    bytes.extend([&b"PK\x05\x06"[..], &[0; 4], &[0xff; 12], &[0; 2]].concat());
    assert_eq!(Npz::from_bytes(bytes, "x").unwrap().array("x").unwrap().array_f64().unwrap()[[0]], 0.5);
}

fn weights(bytes: Vec<u8>) -> Result<ArrayD<f64>, DataError> {
    Npz::from_bytes(bytes, "")?.array("weights")?.array_f64()
}

#[test]
fn damage_anywhere_is_no_panic_and_changes_no_number() {
    let packed = std::fs::read(format!("{NUMPY}packed.npz")).unwrap();
    for length in 0..packed.len() {
        weights(packed[..length].to_vec()).unwrap_err();
    }
    let mut refused = 0;
    for bit in 0..8 * packed.len() {
        let mut damaged = packed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        match weights(damaged) {
            Ok(read) => assert_eq!(read, values(), "bit {bit}"), // elsewhere: a date, another array
            Err(_) => refused += 1,
        }
    }
    assert!(refused > packed.len(), "{refused}");
}

#[test]
fn what_is_written_here_numpy_reads() {
    let python = std::env::var("SURPRISAL_PYTHON").unwrap_or_else(|_| "python3".into());
    let there = Command::new(&python).args(["-c", "import numpy"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} has no numpy; SURPRISAL_PYTHON names one that has");
        return;
    }
    let folder = Folder::new("numpy-reads");
    let path = folder.path().join("a.npz");
    let arrays = [
        ("a", NpyArray::new(&[2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, f32::MIN_POSITIVE])),
        ("b", NpyArray::new(&[], &[f64::MAX])),
        ("c", NpyArray::new(&[3, 0, 2], &[0i64; 0])),
        ("größe", NpyArray::new(&[1], &[200u8])),
    ];
    write_npz(&path, arrays.iter().map(|(name, array)| (*name, array))).unwrap();
    let script = "import sys, numpy as np
a = np.load(sys.argv[1])
assert list(a) == ['a', 'b', 'c', 'größe'], list(a)
assert np.array_equal(a['a'], np.array([[1, 2, 3], [4, 5, 2.0**-126]], 'f4')) and a['a'].dtype == 'f4'
assert a['b'].shape == () and a['b'] == sys.float_info.max and a['b'].dtype == 'f8'
assert a['c'].shape == (3, 0, 2) and a['c'].dtype == 'i8'
assert a['größe'].dtype == 'u1' and a['größe'][0] == 200";
    let output = Command::new(python).args(["-c", script]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
