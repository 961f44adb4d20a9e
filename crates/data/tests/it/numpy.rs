//! Files of NumPy's: those in `numpy`, which its script wrote, come in as they are; those that go out are read there.

use crate::made_files::Folder;
use ndarray::{ArrayD, array};
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
}

#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T, DataError>, message: &str) {
    assert_eq!(result.unwrap_err().to_string().replace(NUMPY, ""), message);
}

#[test]
fn no_number_is_rounded_in_silence() {
    says(
        read("int64_beyond_f64").array_f64(),
        "int64_beyond_f64.npy, byte 128: expected numbers that f64 holds exactly, found 9007199254740993 \
         | read it as i64",
    );
    says(
        read("int64_beyond_f64").array_f32(),
        "int64_beyond_f64.npy, byte 128: expected numbers that f32 holds exactly, found 9007199254740993 \
         | read it as f64 or i64",
    );
    says(
        read("uint64_beyond_i64").array_i64(),
        "uint64_beyond_i64.npy, byte 128: expected numbers that i64 holds exactly, found 18446744073709551615 \
         | is this the right array?",
    );
    says(
        read("float64").array_f32(),
        "float64.npy: expected float32 or smaller, found float64, which f32 would round \
         | read it as f64, or save array.astype(\"float32\")",
    );
    says(
        read("float16").array_i64(),
        "float16.npy: expected whole numbers, found elements of type float16 \
         | labels are the numbers of classes: array.astype(\"int64\")",
    );
}

#[test]
fn elements_that_are_no_numbers_are_refused() {
    for (name, found) in [("complex", "<c16"), ("record", "a record of fields"), ("object", "|O")] {
        says(
            read_npy(format!("{NUMPY}{name}.npy")),
            &format!(
                "{name}.npy, byte 20: expected elements that are numbers of 8 to 64 bits, such as '<f8', or texts, \
                 such as '<U5', found \"{found}\" | array.astype(\"float64\") makes numbers, array.astype(str) texts"
            ),
        );
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

#[test]
fn damaged_headers_are_reported() {
    let says = |bytes: &[u8], message: &str| says(NpyArray::from_bytes(bytes.to_vec(), "a.npy"), message);
    let good = with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}");
    NpyArray::from_bytes(good.clone(), "a.npy").unwrap();
    NpyArray::from_bytes(with_header("{\"shape\":(1L,),'descr':'>f8', 'fortran_order' :True,} \n"), "")
        .unwrap();

    says(
        b"",
        "a.npy, byte 0: expected the bytes 93 4e 55 4d 50 59 of an NPY file, found nothing | np.save writes such files",
    );
    says(
        b"PK\x03\x04--",
        "a.npy, byte 0: expected the bytes 93 4e 55 4d 50 59 of an NPY file, found 50 4b 03 04 2d 2d | this is an archive of arrays, NPZ",
    );
    says(&good[..7], "a.npy, byte 7: expected a header of 8 bytes, found the end | is the file truncated?");
    says(&good[..9], "a.npy, byte 9: expected a header of 10 bytes, found the end | is the file truncated?");
    says(
        &good[..60],
        "a.npy, byte 60: expected a header of 65 bytes, found the end | is the file truncated?",
    );
    says(
        b"\x93NUMPY\x04\x01",
        "a.npy, byte 6: expected version 1.0, 2.0 or 3.0 of the format, found 4.1 | is the file damaged?",
    );
    says(
        b"\x93NUMPY\x02\0\0\0\x01\0{",
        "a.npy, byte 8: expected a header of at most 65535 bytes, found a claim of 65536 | is the file damaged?",
    );
    says(&good[..72], "a.npy, byte 65: expected 8 bytes (1 of float64), found 7 | is the file truncated?");
    says(
        &[&good[..], b"!"].concat(),
        "a.npy, byte 65: expected 8 bytes (1 of float64), found 9 | has data been appended?",
    );
    for (text, byte, expected, found) in [
        ("'descr'", 10, "{", "'descr'"),
        ("{descr: 1}", 11, "the name of a field", "descr: 1}"),
        ("{'descr", 11, "the name of a field", "'descr"),
        ("{'descr' 1}", 19, ":", "1}"),
        ("{'color': 1}", 19, "one of the fields descr, fortran_order, shape", " 1}"),
        ("{'fortran_order': 1}", 28, "True or False", "1}"),
        ("{'shape': 3}", 20, "(", "3}"),
        ("{'shape': (-1,)}", 21, "the length of an axis, below 2^64", "-1,)}"),
        (
            "{'shape': (99999999999999999999,)}",
            21,
            "the length of an axis, below 2^64",
            "99999999999999999999",
        ),
        ("{'shape': (1 2)}", 23, ")", "2)}"),
        ("{'shape': (1,) 'descr'", 25, "}", "'descr'"),
        ("{'shape': (1,)}", 25, "the fields descr, fortran_order and shape", ""),
    ] {
        let message = format!(
            "a.npy, byte {byte}: expected {expected} in the header, found {found:?} | is the file damaged?"
        );
        says(&with_header(text), &message);
    }
    for (shape, shown) in [
        ("1152921504606846976, 16", "1152921504606846976 x 16"),
        ("0, 9223372036854775807, 2", "0 x 9223372036854775807 x 2"),
        (&"1, ".repeat(65), "1 x 1 x 1 x 1 x 1 x 1 x 1 x 1 x ..."),
    ] {
        says(
            &with_header(&format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape})}}")),
            &format!(
                "a.npy, byte 10: expected at most 64 axes, and elements that a memory can hold, found a header that \
                 claims {shown} | is the file damaged?"
            ),
        );
    }
}

#[test]
fn damaged_archives_are_reported() {
    let says = |bytes: &[u8], message: &str| {
        says(Npz::from_bytes(bytes.to_vec(), "a.npz").and_then(|npz| npz.array("x")), message);
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
    says(
        x.as_bytes(),
        "a.npz, byte 0: expected the bytes 50 4b 03 04 of an NPZ file, found 93 4e 55 4d \
         | this is a single array, NPY: np.savez(file, x=..., y=...) writes several",
    );
    for length in [4, end, good.len() - 1] {
        says(
            &good[..length],
            &format!(
                "a.npz, byte {length}: expected the directory of the archive before the end, found none \
                 | is the file truncated?"
            ),
        );
    }
    let one =
        "expected an entry in the directory of the archive, found something else | is the file damaged?";
    says(&changed(central, b"Q"), &format!("a.npz, byte {central}: {one}"));
    says(&changed(end + 10, &[2]), &format!("a.npz, byte {end}: {one}"));
    let whole = format!(
        "a.npz, byte {central}: expected an entry with its content in the directory of the archive, found something \
         else | is the file damaged?"
    );
    says(&changed(central + 42, &[1]), &whole); // where its content should be
    says(&changed(central + 20, &[0, 0, 0, 0x10, 0, 0, 0, 0x10]), &whole); // 2^28 bytes
    says(
        &changed(central + 24, &[0]),
        &format!(
            "a.npz, byte {central}: expected \"x.npy\" to unpack to at most 1032 times its 136 bytes, or to just them \
             if it is stored, found a claim of 0 bytes | is the file damaged?"
        ),
    );
    let packing = |how: &str| {
        format!(
            "a.npz, byte {central}: expected \"x.npy\" to be stored or deflated, found it {how} \
             | use np.savez or np.savez_compressed"
        )
    };
    says(&changed(central + 10, &[12]), &packing("packed by method 12"));
    says(&changed(central + 8, &[1]), &packing("encrypted"));
    let checksum =
        Npz::from_bytes(changed(content + 130, &[9]), "a.npz").unwrap().array("x").unwrap_err().to_string();
    assert!(
        checksum.starts_with(&format!("a.npz, byte {content}: expected content with the checksum ")),
        "{checksum}"
    );
    says(
        &changed(content, &[0]),
        "a.npz, array \"x\", byte 0: expected the bytes 93 4e 55 4d 50 59 of an NPY file, found 00 4e 55 4d 50 59 \
         | np.save writes such files",
    );
    let twice = npz_bytes([("x", &x), ("x", &x)]);
    assert_eq!(
        twice.unwrap_err().to_string(),
        "npz_bytes: expected one array of each name, found two named \"x\" | rename one of them"
    );
    let too_many: Vec<String> = (0..=0xffff).map(|k| k.to_string()).collect();
    assert_eq!(
        npz_bytes(too_many.iter().map(|name| (name.as_str(), &x))).unwrap_err().to_string(),
        "npz_bytes: expected arrays of less than 4 GiB together, and less than 65536 of them, found more \
         | write them to several files"
    );
    // the same content twice: a bomb is made of such
    let mut overlapping = npz_bytes([("x", &x), ("y", &x)]).unwrap();
    let second = overlapping.len() - 22 - 46 - 5;
    overlapping[second + 42..second + 46].fill(0);
    let end = overlapping.len() - 22;
    overlapping.drain(central..second - 46 - 5); // nor is there a second content
    let moved = (central as u32).to_le_bytes();
    let end = end - (second - 46 - 5 - central);
    overlapping[end + 16..end + 20].copy_from_slice(&moved);
    says(
        &overlapping,
        &format!(
            "a.npz, byte {}: expected entries that do not share bytes in the directory of the archive, found something \
             else | is the file damaged?",
            central + 46 + 5
        ),
    );
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

#[test]
fn damage_anywhere_is_no_panic_and_changes_no_number() {
    let packed = std::fs::read(format!("{NUMPY}packed.npz")).unwrap();
    let weights = |bytes: Vec<u8>| {
        Npz::from_bytes(bytes, "").and_then(|npz| npz.array("weights")).and_then(|array| array.array_f64())
    };
    for length in 0..packed.len() {
        weights(packed[..length].to_vec()).unwrap_err();
    }
    let mut unpackable = packed.clone();
    unpackable[packed.windows(11).position(|name| name == b"weights.npy").unwrap() + 31] = 0xff; // no kind of block
    let error = weights(unpackable).unwrap_err().to_string();
    assert!(error.contains(": the content cannot be decompressed from here on: "), "{error}");
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
fn features_and_labels_that_do_not_fit_are_reported() {
    let folder = Folder::new("npz");
    let path = folder.path().join("a.npz");
    let says = |arrays: &[(&str, NpyArray)], message: &str| {
        write_npz(&path, arrays.iter().map(|(name, array)| (*name, array))).unwrap();
        let told = Dataset::from_npz_path(&path).unwrap_err().to_string();
        assert_eq!(told.replace(&path.display().to_string(), "a.npz"), message);
    };
    let x = || ("x", NpyArray::new(&[2, 2], &[0.0, 1.0, 2.0, 3.0]));
    let y = |shape: &[usize], labels: &[i64]| ("labels", NpyArray::new(shape, labels));
    says(
        &[],
        "a.npz: expected an array named \"x\" or \"X\" or \"features\" or \"data\", found none \
         | give the array one of these names",
    );
    says(
        &[x(), ("lables", NpyArray::new(&[2], &[0i64, 1]))],
        "a.npz: expected an array named \"y\" or \"Y\" or \"labels\" or \"label\" or \"target\", found \"x\", \"lables\" \
         | give the array one of these names",
    );
    says(
        &[("x", NpyArray::new(&[2], &[0.0, 1.0])), y(&[2], &[0, 1])],
        "a.npz, array \"x\": expected features of shape [rows, columns], with one or more of each, found [2] \
         | array.reshape(rows, -1) makes columns of what is in a row",
    );
    says(
        &[x(), y(&[2, 2], &[0, 1, 1, 0])],
        "a.npz, array \"labels\": expected one label for each of the 2 rows of a.npz, array \"x\", that is, \
         the shape [2], found [2, 2] | labels are the numbers of classes, not one-hot rows",
    );
    says(
        &[("x", NpyArray::new(&[2, 2], &[0.0, 1.0, f64::NAN, 3.0])), y(&[2], &[0, 1])],
        "a.npz, array \"x\": expected finite numbers, found NaN in row 1, column 0 \
         | fill the value in, or leave the row out",
    );
    says(
        &[x(), y(&[2, 1], &[5, 5])],
        "a.npz, array \"labels\": expected two classes or more, found 5 in all 2 rows | are these the labels?",
    );
    let told = write_npz(folder.path().join("no/a.npz"), []).unwrap_err().to_string();
    assert!(told.contains("no/a.npz: cannot be written: "), "{told}");
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
