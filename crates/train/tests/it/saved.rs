//! Model files: they come back as they went, and everything that is wrong with one is reported.

use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect;
use surprisal_data::{EncodedColumn, Encoder, Encoding};
use surprisal_layers::{Activation, Layer, Mlp, rng};
use surprisal_optim::OptimizerState;
use surprisal_tensor::ndarray::array;
use surprisal_tensor::{Params, Workspace};
use surprisal_train::{
    Checkpoint, Epoch, Measured, ModelFile, Predictions, SavedModel, outputs, probabilities,
};

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// One in which every field holds something.
fn checkpoint(params: &[f32]) -> Checkpoint<f32> {
    let epoch = |epoch| Epoch {
        epoch,
        train: Measured { loss: 0.5, accuracy: Some(0.75), r2: None },
        validation: Some(Measured { loss: 0.6, accuracy: Some(f64::INFINITY), r2: None }),
        gradient_norm: Some(0.1),
        learning_rate: 0.01,
        monitored: 0.6,
    };
    Checkpoint {
        epoch: 1,
        step: 2,
        steps_per_epoch: 5,
        order: 1 << 100,
        seeds: 7,
        optimizer: OptimizerState {
            name: "sgd".into(),
            steps: 7,
            steps_of_each: Vec::new(),
            memory: vec![("velocity".into(), params.to_vec())],
        },
        history: [epoch(0), epoch(1)].into_iter().collect(),
        best: Some(params.to_vec()),
    }
}

fn model() -> (Mlp, Params<f32>, SavedModel) {
    let mut params = Params::new();
    let model = Mlp::new(&mut params, &"3-4-2".parse().unwrap(), Activation::Tanh, &mut rng(1));
    let saved = SavedModel {
        sizes: "3-4-2".into(),
        activation: "tanh".into(),
        encoder: Encoder {
            columns: vec![
                EncodedColumn {
                    name: "size".into(),
                    encoding: Encoding::Number { fill: Some(1.5), offset: 1.0, scale: 0.5 },
                },
                EncodedColumn {
                    name: "colour".into(), // as in the stored files
                    encoding: Encoding::OneHot { categories: names(&["blue", "red"]), fill: None },
                },
            ],
        },
        predictions: Predictions::Classes(names(&["no", "yes"])),
        settings: "data = \"boxes.csv\"\nepochs = 2\n".into(),
        data_checksum: 0x1234_5678,
        checkpoint: Some(checkpoint(params.as_slice())),
        ..SavedModel::of(&params)
    };
    (model, params, saved)
}

/// What reading these bytes says.
fn says(bytes: &[u8]) -> String {
    SavedModel::from_bytes(bytes, Path::new("m.model")).unwrap_err().to_string()
}

#[test]
fn a_model_comes_back_to_the_last_bit() {
    let (model, params, saved) = model();
    let folder = std::env::temp_dir().join(format!("surprisal-saved-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("m.model");
    saved.write(&path).unwrap();
    saved.write(&path).unwrap(); // over the first, and nothing is left beside it
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    let read = SavedModel::read(&path).unwrap();
    assert_eq!(read, saved);
    let (again, weights) = read.load().unwrap();
    assert_eq!(weights.as_slice(), params.as_slice());
    let x = array![[0.1f32, -2.0, 0.7]];
    let run = |model: &dyn Layer, params: &Params<f32>| {
        Workspace::new().eval(params, |tape| model.forward(tape.input(&x)))
    };
    assert_eq!(run(&model, &params), run(&again, &weights));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_cannot_be_written_leaves_what_was_there() {
    let (_, _, saved) = model();
    let place = PathBuf::from("no/such/folder/m.model");
    let errors = [saved.write(&place).unwrap_err(), SavedModel::read(&place).unwrap_err()];
    assert!(errors.iter().all(|error| error.path == place), "{errors:?}");
    expect![[r#"
        no/such/folder/m.model: cannot write: No such file or directory (os error 2) | there is no folder no/such/folder: make it first, or write elsewhere
        no/such/folder/m.model: cannot read: No such file or directory (os error 2)"#]].assert_eq(&errors.map(|error| error.to_string()).join("\n"));
}

#[test]
fn every_cut_and_every_changed_byte_is_found_out() {
    let bytes = model().2.to_bytes();
    for length in 0..bytes.len() {
        says(&bytes[..length]);
    }
    for i in (0..bytes.len()).filter(|&i| i != 11) {
        // byte 11 is left for later versions
        let mut damaged = bytes.clone();
        damaged[i] ^= 0x10;
        says(&damaged);
    }
}

#[test]
fn each_kind_of_damage_has_its_own_message() {
    let bytes = model().2.to_bytes();
    let changed = |at: usize, to: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    assert_eq!(says(b"PK\x03\x04"), says(b""));
    let told = [
        &b""[..],
        &bytes[..20],
        &changed(8, &[5, 0]),
        &changed(10, &[8]),
        &bytes[..bytes.len() - 1],
        &changed(12, &(1u64 << 60).to_le_bytes()),
        &changed(30, &[255]),
        &[&bytes[..], b"!"].concat(),
    ];
    expect![[r#"
        m.model, byte 0: expected "SURPRISL", found something else: is this a model of surprisal?
        m.model, byte 20: expected a header of 24 bytes, found the end: is the file truncated?
        m.model, byte 8: expected version 1 to 4 of the format, found 5: was it written by a newer version of surprisal?
        m.model, byte 10: expected numbers of 4 bytes (f32), found 8 bytes
        m.model, byte 12: expected 984 bytes after the header, found 983: is the file truncated?
        m.model, byte 12: expected 1152921504606846976 bytes after the header, found 984: is the file truncated?
        m.model, byte 20: expected the checksum b024ed75, found 300c1ba5: the file is damaged
        m.model, byte 12: expected 984 bytes after the header, found 985: has data been appended?"#]].assert_eq(&told.map(says).join("\n"));
}

/// The file of a body that was made up, with a header that fits it.
fn forged(version: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = [&b"SURPRISL"[..], &[version, 0, 4, 0]].concat();
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(crc32fast::hash(body).to_le_bytes());
    bytes.extend(body);
    bytes
}

#[test]
fn a_forged_body_asks_for_no_memory_and_is_refused() {
    let lengths = u64::MAX.to_le_bytes().repeat(8); // a string of 2^64 - 1 bytes
    let mut many = 1u64.to_le_bytes().to_vec(); // a string of one byte, and then lists of 2^60
    many.push(b'3');
    let many = [1u64 << 60, 1 << 30].map(|elements| [&many[..], &elements.to_le_bytes().repeat(6)].concat());
    let told = [1, 2, 3, 4].map(|version| {
        let bodies = [&lengths[..], &many[0], &many[1], b""];
        let told = bodies.map(|body| says(&forged(version, body)));
        format!("version {version}\n{}\n", told.join("\n"))
    });
    expect![[r#"
        version 1
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: the body ends before the model does: is the file damaged?
        version 2
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: the body ends before the model does: is the file damaged?
        version 3
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: the body ends before the model does: is the file damaged?
        version 4
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: a length in the body is larger than the file allows: is the file damaged?
        m.model, byte 24: the body ends before the model does: is the file damaged?
    "#]]
    .assert_eq(&told.concat());
}

#[test]
fn parts_that_contradict_each_other_are_named() {
    let changes: [&dyn Fn(&mut SavedModel); 11] = [
        &|m| m.sizes = "3-5-2".into(),
        &|m| m.sizes = "3".into(),
        &|m| m.activation = "swish".into(),
        &|m| m.predictions = Predictions::Classes(names(&["a", "b", "c"])),
        &|m| m.predictions = Predictions::Number { name: "y".into(), offset: 0.0, scale: 1.0 },
        &|m| drop(m.encoder.columns.pop()),
        &|m| m.encoder.columns[0].encoding = Encoding::Number { fill: None, offset: 0.0, scale: 0.0 },
        &|m| m.parameters[0].name = "w".into(),
        &|m| m.parameters[0].values.truncate(11),
        &|m| m.checkpoint.as_mut().unwrap().best = Some(vec![0.0]),
        &|m| m.sizes = "3-18446744073709551615-2".into(),
    ];
    let told = changes.map(|change| {
        let mut saved = model().2;
        change(&mut saved);
        says(&saved.to_bytes())
    });
    expect![[r#"
        m.model, byte 24: expected 32 numbers for 3-5-2, found 26
        m.model, byte 24: "3" is not a list of layer sizes: a net has at least inputs and outputs | for example 64-32-10
        m.model, byte 24: no activation is named "swish" | known: relu, leaky_relu, elu, silu, mish, gelu, gelu_tanh, sigmoid, tanh, softplus, logsigmoid | did you mean "mish"?
        m.model, byte 24: expected class names for 2 outputs, found 3
        m.model, byte 24: expected one output for a number, found 2 in 3-4-2
        m.model, byte 24: expected columns for 3 inputs of 3-4-2, found 1
        m.model, byte 24: Encoder, column "size": expected finite numbers and a scale above 0, found offset 0.0, scale 0.0 | was the file edited?
        m.model, byte 24: 2 parameters do not fit
          "layer1.weight": expected [3, 4], found none
          "w": expected none, found [3, 4]
        m.model, byte 24: parameter "layer1.weight": expected the numbers of [3, 4], found 11
        m.model, byte 24: expected the 26 best parameters, found another number of them
        m.model, byte 24: expected 18446744073709551615 numbers for 3-18446744073709551615-2, found 26"#]].assert_eq(&told.join("\n"));
}

fn version(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/versions").join(name)
}

/// Version 1 was written by a command that knew it, from eight cats and dogs.
#[test]
fn a_file_of_version_1_answers_as_it_did() {
    let saved = SavedModel::read(version("v1.surprisal")).unwrap();
    assert_eq!(saved.encoder.feature_names(), ["weight_kg", "height_cm"]);
    assert_eq!(saved.predictions, Predictions::Classes(names(&["cat", "dog"])));
    assert_eq!((saved.settings.as_str(), saved.data_checksum, &saved.checkpoint), ("", 0, &None));
    let (model, params) = saved.load().unwrap();
    let x = saved.encoder.apply_array(&array![[4.0, 24.0], [30.0, 60.0]]).unwrap().mapv(|x| x as f32);
    let p = probabilities(outputs(&model, &params, x.view()).view());
    assert!((p[[0, 0]] - 0.8902339).abs() < 1e-6 && (p[[1, 1]] - 0.86890393).abs() < 1e-6, "{p}");
    assert_eq!(ModelFile::from_bytes(&saved.to_bytes(), "v2"), Ok(saved));
}

/// What the files of later versions hold.
fn of_every_version() -> SavedModel {
    let mut saved = model().2;
    // numbers that no change of the generator moves
    for parameter in &mut saved.parameters {
        parameter.values.iter_mut().zip(1u8..).for_each(|(value, k)| *value = f32::from(k) / 8.0);
    }
    saved.checkpoint = Some(checkpoint(&[0.25; 26]));
    saved
}

/// Written by a command that knew it: its optimizer counts the steps of all parameters together.
#[test]
fn a_file_of_version_2_is_read_as_what_it_was() {
    assert_eq!(SavedModel::read(version("v2.surprisal")), Ok(of_every_version()));
}

/// Written by a command that knew it: its history does not tell accuracy from R².
#[test]
fn a_file_of_version_3_is_read_as_what_it_was() {
    assert_eq!(SavedModel::read(version("v3.surprisal")), Ok(with_steps_of_each()));
}

/// The scores of a history of version 3 are R² where the model predicts a number.
#[test]
fn scores_of_version_3_are_r2_where_a_number_is_predicted() {
    let mut bytes = fs::read(version("v3.surprisal")).unwrap();
    let classes = bincode::serde::encode_to_vec(with_steps_of_each().predictions, BINCODE).unwrap();
    let number = Predictions::Number { name: "y".into(), offset: 0.0, scale: 1.0 };
    let at = bytes.windows(classes.len()).position(|window| window == classes).unwrap();
    bytes.splice(at..at + classes.len(), bincode::serde::encode_to_vec(&number, BINCODE).unwrap());
    // a model of one's own: sizes would contradict the predictions
    let sizes = bincode::serde::encode_to_vec("3-4-2", BINCODE).unwrap();
    assert_eq!(bytes[24..24 + sizes.len()], sizes);
    bytes.splice(24..24 + sizes.len(), [0; 8]);
    let read = SavedModel::from_bytes(&forged(3, &bytes[24..]), "m.model").unwrap();
    let epoch = read.checkpoint.unwrap().history.epochs()[1];
    assert_eq!((epoch.train.accuracy, epoch.train.r2), (None, Some(0.75)));
    assert_eq!(epoch.validation, Some(Measured { loss: 0.6, accuracy: None, r2: Some(f64::INFINITY) }));
}
const BINCODE: bincode::config::Configuration<bincode::config::LittleEndian, bincode::config::Fixint> =
    bincode::config::standard().with_fixed_int_encoding();

fn with_steps_of_each() -> SavedModel {
    let mut saved = of_every_version();
    saved.checkpoint.as_mut().unwrap().optimizer.steps_of_each = vec![7, 7, 3, 0];
    saved
}

/// `UPDATE_VERSIONS=1` writes it: only ever before a version is given to anybody.
#[test]
fn a_file_of_version_4_is_read_as_what_it_was() {
    let mut saved = with_steps_of_each();
    let checkpoint = saved.checkpoint.as_mut().unwrap();
    let mut last = *checkpoint.history.last();
    (last.train.accuracy, last.train.r2, last.validation) = (None, Some(0.5), None);
    checkpoint.history = [checkpoint.history.epochs()[0], last].into_iter().collect();
    if std::env::var_os("UPDATE_VERSIONS").is_some() {
        saved.write(version("v4.surprisal")).unwrap();
    }
    assert_eq!(SavedModel::read(version("v4.surprisal")), Ok(saved));
}
