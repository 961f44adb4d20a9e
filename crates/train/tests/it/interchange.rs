//! Parameters in safetensors and NPZ files: they come back exactly, and all that does not fit is reported at once.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use expect_test::expect;
use surprisal_data::{NpyArray, Npz, write_npz};
use surprisal_layers::{Activation, Embedding, Linear, Mlp, rng};
use surprisal_tensor::ndarray::{Array1, array};
use surprisal_tensor::{Params, Scalar};
use surprisal_train::{
    InterchangeError, Layout, load_npz, load_safetensors, load_safetensors_bytes, save_npz, save_safetensors,
    write_atomically,
};

fn mlp<T: Scalar>(sizes: &str, seed: u64) -> Params<T> {
    let mut params = Params::default();
    Mlp::new(&mut params, &sizes.parse().unwrap(), Activation::Relu, &mut rng(seed));
    params
}

/// A place of its own for each test.
fn place(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("surprisal-interchange-{}-{name}", std::process::id()))
}

/// A safetensors file of these arrays: name, type, shape and bytes.
fn file(arrays: &[(&str, &str, &[usize], &[u8])]) -> Vec<u8> {
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (name, dtype, shape, bytes) in arrays {
        let start = data.len();
        data.extend_from_slice(bytes);
        let end = data.len();
        entries.push(format!(
            "{name:?}:{{\"dtype\":{dtype:?},\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}"
        ));
    }
    with_header(&format!("{{{}}}", entries.join(",")), &data)
}

fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

fn load<T: Scalar>(bytes: &[u8], params: &mut Params<T>, layout: Layout) -> Result<(), InterchangeError> {
    load_safetensors_bytes(bytes, "m.safetensors", params, layout)
}

#[test]
fn parameters_come_back_to_the_last_bit_in_every_layout_and_type() {
    fn check<T: Scalar>(name: &str) {
        let path = place(name);
        for layout in [Layout::Surprisal, Layout::PyTorch] {
            let trained = mlp::<T>("3-4-5-2", 1);
            let [mut a, mut b] = [2, 3].map(|seed| mlp::<T>("3-4-5-2", seed));
            save_safetensors(&path, &trained, layout).unwrap();
            load_safetensors(&path, &mut a, layout).unwrap();
            save_npz(&path, &trained, layout).unwrap();
            load_npz(&path, &mut b, layout).unwrap();
            assert_eq!((a.as_slice(), b.as_slice()), (trained.as_slice(), trained.as_slice()));
        }
        fs::remove_file(path).unwrap();
    }
    check::<f32>("f32");
    check::<f64>("f64");
}

#[test]
fn the_two_layouts_differ_in_names_and_order_as_documented() {
    let mut params = mlp::<f32>("2-3-1", 1);
    let path = place("layouts");
    save_npz(&path, &params, Layout::PyTorch).unwrap();
    let npz = Npz::read(&path).unwrap();
    assert_eq!(npz.names().collect::<Vec<_>>(), ["0.weight", "0.bias", "2.weight", "2.bias"]);
    let weight = npz.array("0.weight").unwrap().array_f32().unwrap();
    let here = params.view(params.find("layer1.weight").unwrap());
    assert_eq!(weight, here.t());

    Embedding::new(&mut params, "word", 5, 3, &mut rng(1)); // no longer an Mlp: names stay
    save_npz(&path, &params, Layout::PyTorch).unwrap();
    let npz = Npz::read(&path).unwrap();
    assert_eq!(npz.array("layer1.weight").unwrap().shape(), [3, 2]);
    assert_eq!(npz.array("word.weight").unwrap().shape(), [5, 3]);
    fs::remove_file(path).unwrap();
}

#[test]
fn any_ascending_numbers_are_the_layers_of_an_mlp() {
    let zeros: [(&str, &[usize]); 4] =
        [("10.weight", &[1, 3]), ("10.bias", &[1]), ("9.weight", &[3, 2]), ("9.bias", &[3])];
    let told = ["", "net.", "body.layers."].map(|stem| {
        let names = zeros.map(|(name, _)| format!("{stem}{name}"));
        let bytes = [1u8, 2, 3, 4].map(|n| [0, 0, 128, 62 + n].repeat(6)); // a number for each
        let arrays: Vec<_> = (0..4)
            .map(|k| {
                let elements: usize = zeros[k].1.iter().product();
                (names[k].as_str(), "F32", zeros[k].1, &bytes[k][..4 * elements])
            })
            .collect();
        let mut params = mlp::<f32>("2-3-1", 1);
        load(&file(&arrays), &mut params, Layout::PyTorch).unwrap();
        assert_eq!(params.as_slice(), [[16.0; 6].as_slice(), &[64.0; 3], &[1.0; 3], &[4.0]].concat());

        // what is too much is named alone
        let more =
            [("counter", "F32", &[0usize] as &[usize], &[] as &[u8]), ("others.0.bias", "F32", &[0], &[])];
        load(&file(&[arrays, more.to_vec()].concat()), &mut params, Layout::PyTorch).unwrap_err().to_string()
    });
    assert!(told.iter().all(|message| *message == told[0]), "{told:#?}");
    expect![[r#"
        m.safetensors: 2 parameters do not fit
          "counter": expected none, found [0]
          "others.0.bias": expected none, found [0]
          hint: is this a file of the same model?"#]]
    .assert_eq(&told[0]);
}

#[test]
fn small_types_are_widened_exactly_and_nothing_is_rounded() {
    let mut params = Params::new();
    let w = params.add("w", &array![0.0, 0.0]);
    load(&file(&[("w", "BF16", &[2], &[0x80, 0x3f, 0x49, 0xc0])]), &mut params, Layout::Surprisal).unwrap();
    assert_eq!(params[w], [1.0, -3.140625]);
    load(&file(&[("w", "F16", &[2], &[1, 0, 0xff, 0x7b])]), &mut params, Layout::Surprisal).unwrap();
    assert_eq!(params[w], [2f32.powi(-24), 65504.0]);
    let mut doubles = params.cast::<f64>();
    let third = [(1f32 / 3.0).to_le_bytes(), f32::MAX.to_le_bytes()].concat();
    load(&file(&[("w", "F32", &[2], &third)]), &mut doubles, Layout::Surprisal).unwrap();
    assert_eq!(doubles[w], [f64::from(1f32 / 3.0), f64::from(f32::MAX)]);

    let before = params.as_slice().to_vec();
    let error = load(&file(&[("w", "F64", &[2], &[0; 16])]), &mut params, Layout::Surprisal).unwrap_err();
    expect![[r#"
        m.safetensors: 1 parameter does not fit
          "w": expected float16, bfloat16, float32, found float64
          hint: to round them, load into Params<f64> and use cast::<f32>()"#]]
    .assert_eq(&error.to_string());
    assert_eq!(error.settings(), ["round"]);
    let error = load(&file(&[("w", "I64", &[2], &[0; 16])]), &mut doubles, Layout::Surprisal).unwrap_err();
    expect![[r#"
        m.safetensors: 1 parameter does not fit
          "w": expected float16, bfloat16, float32, float64, found int64
          hint: is this a file of the same model?"#]]
    .assert_eq(&error.to_string());
    assert_eq!(params.as_slice(), before);
}

#[test]
fn a_wrong_layout_is_named_with_what_to_do() {
    let (trained, path) = (mlp::<f32>("4-2", 1), place("wrong"));
    let mut fresh = mlp::<f32>("4-2", 2);
    let before = fresh.as_slice().to_vec();
    let mut says = |path: &PathBuf, layout| {
        let error = match path.extension() {
            None => load_npz(path, &mut fresh, layout),
            Some(_) => load_safetensors(path, &mut fresh, layout),
        };
        assert_eq!(fresh.as_slice(), before);
        let error = error.unwrap_err();
        assert_eq!(error.settings(), ["layout"]);
        error.to_string().replace(&place("").display().to_string(), "")
    };
    save_npz(&path, &trained, Layout::PyTorch).unwrap();
    expect![[r#"
        wrong: 4 parameters do not fit
          "layer1.weight": expected [4, 2], found none
          "layer1.bias": expected [2], found none
          "0.weight": expected none, found [2, 4]
          "0.bias": expected none, found [2]
          hint: all fit in the layout pytorch: load it in this layout, Layout::PyTorch"#]]
    .assert_eq(&says(&path, Layout::Surprisal));
    save_npz(&path, &trained, Layout::Surprisal).unwrap();
    expect![[r#"
        wrong: 1 parameter does not fit
          "layer1.weight": expected [2, 4], found [4, 2]
          hint: all fit in the layout surprisal: load it in this layout, Layout::Surprisal"#]]
    .assert_eq(&says(&path, Layout::PyTorch));
    fs::remove_file(&path).unwrap();

    // as many outputs as inputs: both layouts fit, and only what the file says can tell them apart
    let path = place("square.safetensors");
    let told = [(Layout::PyTorch, Layout::Surprisal), (Layout::Surprisal, Layout::PyTorch)].map(
        |(layout, other)| {
            let mut square = Params::new();
            Linear::new(&mut square, "out", 2, 2, &mut rng(1));
            save_safetensors(&path, &square, layout).unwrap();
            says(&path, other)
        },
    );
    expect![[r#"
        square.safetensors: the file says that its layout is pytorch | load it in this layout, Layout::PyTorch
        square.safetensors: the file says that its layout is surprisal | load it in this layout, Layout::Surprisal"#]].assert_eq(&told.join("\n"));
    fs::remove_file(&path).unwrap();
}

#[test]
fn at_most_ten_misfits_are_listed() {
    let path = place("many");
    save_npz(&path, &mlp::<f32>("2-2-2-2-2-2-2", 1), Layout::Surprisal).unwrap();
    let error = load_npz(&path, &mut mlp::<f32>("3-3", 1), Layout::Surprisal).unwrap_err().to_string();
    fs::remove_file(path).unwrap();
    expect![[r#"
        many: 12 parameters do not fit
          "layer1.weight": expected [3, 3], found [2, 2]
          "layer1.bias": expected [3], found [2]
          "layer2.weight": expected none, found [2, 2]
          "layer2.bias": expected none, found [2]
          "layer3.weight": expected none, found [2, 2]
          "layer3.bias": expected none, found [2]
          "layer4.weight": expected none, found [2, 2]
          "layer4.bias": expected none, found [2]
          "layer5.weight": expected none, found [2, 2]
          "layer5.bias": expected none, found [2]
          and 2 more
          hint: is this a file of the same model?"#]]
    .assert_eq(&error.replace(&place("").display().to_string(), ""));
}

#[test]
fn damaged_files_are_reported() {
    let whole = file(&[("w", "F32", &[2], &[0; 8])]);
    let entry = |name: &str, start: u64| {
        let end = start.wrapping_add(2);
        format!("\"{name}\":{{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[{start},{end}]}}")
    };
    let told = [
        &b"PK\x03\x04"[..],
        &[0xff; 20],
        &with_header("{]", b""),
        &with_header("{\"w\":1}", b""),
        &file(&[("w", "Q4", &[2], &[0; 8])]),
        &file(&[("w", "F32", &[3], &[0; 8])]),
        &file(&[("w", "F32", &[1 << 60, 16], &[0; 8])]),
        &whole[..whole.len() - 1],
        &[&whole[..], &[0]].concat(),
        &with_header(&format!("{{{},{}}}", entry("a", 0), entry("b", 1)), &[0; 3]),
        &with_header(&format!("{{{}}}", entry("a", u64::MAX - 1)), &[0; 3]), // the sum is more than 64 bits hold
    ]
    .map(|bytes| {
        let mut params = Params::new();
        params.add("w", &Array1::zeros(2));
        load(bytes, &mut params, Layout::Surprisal).unwrap_err().to_string()
    });
    expect![[r#"
        m.safetensors, byte 0: expected 8 bytes with the length of the header, found 4 in all: is this a safetensors file, or is it truncated?
        m.safetensors, byte 0: expected 8 bytes and a header of 18446744073709551615, found 20 in all: is this a safetensors file, or is it truncated?
        m.safetensors, byte 8: the header cannot be read: key must be a string at line 1 column 2: is this a safetensors file?
        m.safetensors, byte 8: "w": the header cannot be read: invalid type: integer `1`, expected struct Info: is the file damaged?
        m.safetensors, byte 8: "w": expected a known type such as F32, found "Q4"
        m.safetensors, byte 8: "w": expected the bytes of F32 [3], found 8: is the file damaged?
        m.safetensors, byte 8: "w": expected the bytes of F32 [1152921504606846976, 16], found 8: is the file damaged?
        m.safetensors, byte 8: "w": expected its numbers at 0..8 of the data, found 7 bytes of data: is the file damaged?
        m.safetensors, byte 70: expected 8 bytes of data, found 9: has data been appended?
        m.safetensors, byte 8: "b": expected its numbers at 2 of the data, found 1: is the file damaged?
        m.safetensors, byte 8: "a": expected its numbers at 18446744073709551614..0 of the data, found 3 bytes of data: is the file damaged?"#]].assert_eq(&told.join("\n"));
}

#[test]
fn the_npz_file_of_others_may_hold_numbers_only() {
    let path = place("labels");
    write_npz(&path, [("w", &NpyArray::new(&[2], &[1i64, 2]))]).unwrap();
    let mut params = Params::new();
    params.add("w", &Array1::zeros(2));
    let mut says = || load_npz(&path, &mut params, Layout::Surprisal).unwrap_err().to_string();
    let integers = says();
    fs::write(&path, "no").unwrap();
    let told = format!("{integers}\n{}", says());
    expect![[r#"
        PATH: 1 parameter does not fit
          "w": expected float16, bfloat16, float32, found int64
          hint: is this a file of the same model?
        PATH, byte 0: expected the bytes 50 4b 03 04 of an NPZ file, found 6e 6f | np.savez writes such files"#]].assert_eq(&told.replace(&path.display().to_string(), "PATH"));
    fs::remove_file(path).unwrap();
}

#[test]
fn a_file_that_cannot_be_written_leaves_what_was_there() {
    let folder = place("folder");
    fs::create_dir(&folder).unwrap();
    let error = save_npz(folder.join("no/such/m.npz"), &mlp::<f32>("2-2", 1), Layout::PyTorch).unwrap_err();
    expect!["FOLDER/no/such/m.npz: cannot write: No such file or directory (os error 2) | there is no folder FOLDER/no/such: make it first, or write elsewhere"].assert_eq(&error.to_string().replace(&folder.display().to_string(), "FOLDER"));
    write_atomically(&folder, b"new").unwrap_err(); // a folder is no file
    write_atomically(folder.join(".."), b"new").unwrap_err();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    fs::remove_dir(folder).unwrap();
    #[cfg(target_os = "linux")]
    {
        let error = write_atomically("/dev/full", b"new").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput); // a device is no file
    }
}

/// Runs this test once more in a process that may write files of 512 bytes at most, and is killed when it writes more.
#[cfg(unix)]
#[test]
fn a_program_that_is_killed_while_it_writes_leaves_what_was_there() {
    const PLACE: &str = "SURPRISAL_TEST_PLACE";
    if let Ok(path) = std::env::var(PLACE) {
        write_atomically(&path, &[b'n'; 100_000]).unwrap();
        return;
    }
    let folder = place("killed");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("m.safetensors");
    let again = |limit: &str| {
        let name = "interchange::a_program_that_is_killed_while_it_writes_leaves_what_was_there";
        Command::new("sh")
            .args(["-c", &format!("{limit} exec \"$0\" --exact {name}")])
            .arg(std::env::current_exe().unwrap())
            .env(PLACE, &path)
            .output()
            .unwrap()
    };
    write_atomically(&path, b"old").unwrap();
    assert!(!again("ulimit -f 1;").status.success());
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert!(again("").status.success());
    assert_eq!(fs::read(&path).unwrap(), [b'n'; 100_000]);
    fs::remove_dir_all(folder).unwrap();
}
