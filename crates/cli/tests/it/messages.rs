//! What is wrong is reported whole: where, what was expected, what was found, what to do. messages.txt has the commands and what they
//! write; here is that the exit code is 2 for the command line, 1 for files, and that nothing is left behind.

use std::fs;

use crate::common::{Folder, fails, refuses, words, works};
use expect_test::expect_file;
use surprisal_data::{NpyArray, write_npz};
use surprisal_run::Settings;
use surprisal_train::SavedModel;

const PETS: &str = "weight_kg,height_cm,kind\n4,24,cat\n5,25,cat\n3.5,23,cat\n4.5,26,cat\n30,60,dog\n25,55,dog\n35,65,dog\n28,58,dog\n";

/// Commands in a folder of their own, and what they write.
struct Session {
    folder: Folder,
    text: String,
}

impl Session {
    fn new(title: &str) -> Session {
        let session =
            Session { folder: Folder::new(&title.replace(' ', "-")), text: format!("# {title}\n\n") };
        session.write("pets.csv", PETS);
        session
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        self.folder.write(name, content);
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.0.join(name)).unwrap()
    }

    #[track_caller]
    fn works(&self, command: &str) -> String {
        works(&self.folder.0, &Vec::from_iter(command.split_whitespace()))
    }

    /// The message of a command, word by word, that must fail with this code and leave the folder as it is.
    #[track_caller]
    fn refuses(&mut self, code: i32, command: &str) -> String {
        self.refuses_with(code, command, &[])
    }

    /// The same, with words for what is not the same on every machine.
    #[track_caller]
    fn refuses_with(&mut self, code: i32, command: &str, varies: &[(String, &str)]) -> String {
        let (found, message) = refuses(&self.folder.0, &words(command));
        assert_eq!(found, code, "{command}: {message}");
        let mut shown = message.replace('\n', "\n    ").replace("\n    \n", "\n\n");
        for (text, word) in varies {
            assert!(shown.contains(text), "{text} is not in {shown}");
            shown = shown.replace(text, word);
        }
        self.text += &format!("$ surprisal {command}\n{code}   {shown}\n\n");
        message
    }

    /// The same of several commands that begin in the same way.
    #[track_caller]
    fn all_refuse(&mut self, code: i32, begin: &str, rest: &[&str]) {
        for rest in rest {
            self.refuses(code, &format!("{begin} {rest}"));
        }
    }

    /// The same of a command with several contents of a file.
    #[track_caller]
    fn all_files_refuse(&mut self, code: i32, command: &str, name: &str, contents: &[&[u8]]) {
        for content in contents {
            self.write(name, content);
            self.text += &format!("{name}: \"{}\"\n", content.escape_ascii());
            self.refuses(code, command);
        }
    }
}

#[test]
fn messages() {
    let parts: [fn() -> Session; 12] = [
        ranges,
        configurations,
        tables,
        together,
        sizes,
        predictions,
        model_files,
        runs,
        conversions,
        command_lines,
        experiments,
        replays,
    ];
    let parts = parts.map(std::thread::spawn).map(|part| part.join().unwrap().text);
    expect_file!["messages.txt"].assert_eq(&parts.concat());
}

/// A value that each setting cannot have, and nothing where only the data can tell.
const OUT_OF_RANGE: [(&str, &str); 56] = [
    ("data", "irsi"),
    ("target", ""),
    ("task", "regresion"),
    ("ignore", ""),
    ("keep", ""),
    ("categorical", ""),
    ("dates", ""),
    ("missing", "x"),
    ("missing_words", ""),
    ("decimal", "x"),
    ("thousands", "x"),
    ("delimiter", "ab"),
    ("header", "maybe"),
    ("scaling", "x"),
    ("memory", "much"),
    ("test", "1"),
    ("test_data", ""),
    ("validation", "-0.1"),
    ("balance", "x"),
    ("label_noise", "2"),
    ("augment", "shfit:2"),
    ("model", "4-0-3"),
    ("hidden", "8-"),
    ("activation", "swish"),
    ("init", "normal:-1"),
    ("start_from", ""),
    ("freeze", ""),
    ("loss", "hing"),
    ("class_weight", "a"),
    ("opt", "newton"),
    ("lr", "0"),
    ("momentum", "1"),
    ("nesterov", "2"),
    ("alpha", "1"),
    ("beta1", "nan"),
    ("beta2", "-1"),
    ("eps", "1e-46"),
    ("weight_decay", "-1"),
    ("l1", "inf"),
    ("l2", "x"),
    ("clip_norm", "0"),
    ("clip_value", "-1"),
    ("accumulate", "0"),
    ("shards", "0"),
    ("schedule", "step:every=0"),
    ("groups", "layer1"),
    ("epochs", "1e18"),
    ("batch", "0"),
    ("block", "0"),
    ("drop_last", "2"),
    ("seed", "-1"),
    ("monitor", "x"),
    ("patience", "0"),
    ("min_delta", "-1"),
    ("keep_best", "2"),
    ("checkpoint_every", "0"),
];

fn ranges() -> Session {
    let mut session = Session::new("values out of range");
    let keys = OUT_OF_RANGE.map(|(key, _)| key);
    assert_eq!(Vec::from(keys), Vec::from_iter(Settings::ALL.iter().map(|setting| setting.key)));
    for (key, value) in OUT_OF_RANGE.into_iter().filter(|(_, value)| !value.is_empty()) {
        let option = key.replace('_', "-");
        let as_option = session.refuses(2, &format!("train --{option} {value}"));
        // the same in a file, with its line
        session.write("c.toml", format!("# settings\n{key} = \"{value}\"\n"));
        let (code, in_file) = refuses(&session.folder.0, &["train", "--config", "c.toml"]);
        let message = in_file.strip_prefix(&format!("c.toml, line 2: {key}: ")).expect(&in_file);
        assert!(code == 1 && as_option.contains(&format!("': {message}\n")), "{as_option}\n{in_file}");
    }
    // what only the data can judge
    session.all_refuse(
        2,
        "train --data iris",
        &["--target x", "--ignore x", "--categorical x", "--freeze layer3"],
    );
    session.refuses(1, "train --data iris --start-from nowhere");
    session
}

fn configurations() -> Session {
    let mut session = Session::new("configurations");
    session.all_files_refuse(
        1,
        "train --config c.toml",
        "c.toml",
        &[
            b"data = \"iris\"\n\nlearning_rat = 1\nweight_decy = 0\n",
            b"data = \"iris\"\n\nweight_decy = 0\n",
            b"data = \"iris\"\nepochs = 1.5\n",
            b"data = \"iris\"\n[epochs]\nof = 1\n",
            b"freeze = [1]\n",
            b"epochs = 1\nepochs = 2\n",
            b"data = iris\n",
            b"data = \"\xff\"\n",
        ],
    );
    session.all_files_refuse(2, "train --config c.toml", "c.toml", &[b""]);
    session.refuses(1, "train --config nowhere.toml");
    session
}

fn tables() -> Session {
    let mut session = Session::new("tables");
    session.refuses(2, "train --data pets.csv");
    session.all_files_refuse(
        1,
        "train --data t.csv --target kind",
        "t.csv",
        &[
            b"",
            b"a,kind\n",
            b"a,kind\n1,x\n\"2,y\n3,x\n",
            b"a,b,kind\n1,2,x\n1,y\n",
            b"a,kind\n1,x\n2,\xff\n",
            b"a,kind\n1,x\n1e999,y\n",
            b"a,kind\n1,x\ntwo,y\n3,x\n1,y\n",
            b"a,kind\n1,x\n2,x\n",
            b"a,kind\n1,x\n2,x\n3,y\n",
        ],
    );
    session.write("holes.csv", "a,kind\n1,x\nNaN,y\n,x\n");
    session.write("german.csv", "a;kind\n36,5;x\n37,1;y\n");
    session.write("signs.csv", "a,\"b, c\",kind\n1,1,x\n2,2,y\n");
    session.all_refuse(
        1,
        "train --target kind --data",
        &[
            "holes.csv --missing error",
            "holes.csv --missing error --missing-words none",
            "german.csv --delimiter semicolon",
            "signs.csv --ignore b --categorical a",
            "signs.csv --dates a --categorical a",
            "signs.csv --dates a",
            "no.csv",
            "pets.csv --ignore weigth_kg",
            "pets.csv --task numbers",
        ],
    );
    session.refuses(1, "train --data pets.csv --target kin");
    session.all_refuse(
        2,
        "train --target kind --data",
        &["german.csv --delimiter semicolon --decimal comma --thousands comma", "signs.csv --ignore \"b,a"],
    );
    session
}

fn together() -> Session {
    let mut session = Session::new("settings that do not go together");
    session.all_refuse(1, "train --data iris", &["--model 4-2", "--model 5-3", "--batch 1000"]);
    session.all_refuse(
        1,
        "train",
        &[
            "--data pets.csv --target kind --model conv(8,3)-2",
            "--data pets.csv --target kind --model 1x2x2-conv(8,2)-2",
            "--data digits --model conv(8,9)-10",
            "--data digits --model conv(8,3)-relu",
            "--data digits --model conv(8,3)-relu-9",
            "--data digits --model conv(99999,8)-99999-10",
        ],
    );
    session.all_refuse(
        2,
        "train --data digits --model",
        &["maxpol(2)-10", "conv(8,strid=2)-10", "conv(8,3)-10 --hidden 8", "conv(8,3)-10 --activation relu"],
    );
    session.all_refuse(
        2,
        "train --data iris",
        &[
            "--model 4-3 --hidden 8",
            "--validation 0 --patience 3",
            "--validation 0 --keep-best true",
            "--validation 0 --schedule plateau",
            "--accumulate 5",
            "--test 0.6 --validation 0.5",
            "--loss mae",
            "--monitor roc_auc",
            "--freeze *",
            "--groups layer3:lr=1",
            "--epochs 10 --schedule cosine:warmup=10",
            "--min-delta 0.1",
            "--clip-norm 1 --clip-value 1",
            "--momentum 0.5 --opt adam",
            "--nesterov",
        ],
    );
    session.all_refuse(
        2,
        "train --data pets.csv --target weight_kg --task numbers --ignore kind",
        &["--loss ce", "--monitor accuracy", "--balance oversample"],
    );
    session
}

/// Refused before memory is asked for.
fn sizes() -> Session {
    let mut session = Session::new("absurd sizes");
    session.all_refuse(
        1,
        "train --data pets.csv --target kind",
        &[
            "--model 1000000000-1000000000-2",
            "--hidden 1000000000-1000000000",
            "--hidden 18446744073709551615",
            "--batch 1000000000000000",
        ],
    );
    session.refuses(2, "train --data pets.csv --target kind --patience 9007199254740991 --checkpoint-every 9007199254740991 --accumulate 9007199254740991");
    session.refuses(2, "train --data pets.csv --target kind --epochs 18446744073709551615");
    // as many epochs as that can be begun, if they may end early
    session.works("train --data pets.csv --target kind --epochs 9007199254740991 --patience 1 --min-delta 1e300 --schedule cosine \
                   --validation 0.25 --checkpoint-every 9007199254740991 --quiet");
    session
}

fn predictions() -> Session {
    let mut session = Session::new("what a model is asked for");
    session.write("boxes.csv", "color,kind\nred,a\nblue,b\nred,a\nblue,b\n");
    session.write("birds.csv", "weight_kg,height_cm,kind\n1,2,bird\n");
    session.write("other.csv", "weigth_kg,height_cm\n1,2\n");
    session.write("text.csv", "weight_kg,height_cm\n1,two\n");
    session.write("green.csv", "color\ngreen\n");
    session.works("train --data pets.csv --target kind --epochs 1 --out m");
    session.works("train --data boxes.csv --target kind --epochs 1 --out b");
    session.refuses(2, "predict --model m/model.surprisal");
    session.all_refuse(
        1,
        "predict --model",
        &[
            "m --data pets.csv",
            "m/model.surprisal --data iris",
            "m/model.surprisal --data other.csv",
            "m/model.surprisal --data text.csv",
            "b/model.surprisal --data green.csv",
            "m/model.surprisal --data pets.csv --row-id nmae",
        ],
    );
    session.refuses(1, "check all --model m/model.surprisal --data iris");
    session.all_refuse(1, "eval --model m/model.surprisal", &["--data birds.csv", "--data text.csv"]);
    session.refuses(2, "eval --model m/model.surprisal --part validation");
    let ignoring = session.works("predict --model b/model.surprisal --data green.csv --unseen ignore");
    assert!(ignoring.starts_with("row,predicted,p(a),p(b)\n0,"));
    session.write("pets.csv", PETS.to_string() + "20,40,dog\n");
    session.refuses(1, "eval --model m/model.surprisal");
    session
}

fn model_files() -> Session {
    let mut session = Session::new("model files");
    session.works("train --data pets.csv --target kind --hidden 4 --epochs 1 --out m");
    let good = session.read("m/model.surprisal");
    let changed = |at: usize, to: u8| {
        let mut bytes = good.clone();
        bytes[at] = to;
        bytes
    };
    let body = (format!("expected {} bytes", good.len() - 24), "expected N bytes");
    let checksum = u32::from_le_bytes(good[20..24].try_into().unwrap());
    let damaged = changed(60, good[60] ^ 1);
    let found = crc32(&damaged[24..]);
    let checksums = [(format!("{checksum:08x}"), "CHECKSUM"), (format!("{found:08x}"), "ANOTHER")];
    for (bytes, varies) in [
        (b"hello".to_vec(), &[][..]),
        (good[..100].to_vec(), &[body]),
        (damaged, &checksums),
        (changed(8, 5), &[]),
        (changed(10, 8), &[]),
    ] {
        session.write("x", bytes);
        session.refuses_with(1, "predict --model x --data pets.csv", varies);
    }
    session.refuses(1, "train --data pets.csv --target kind --hidden 8 --start-from m/model.surprisal");
    session
}

/// The checksum of PNG and zip, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

fn runs() -> Session {
    let mut session = Session::new("runs");
    // with one dog more, the rows to train on are still the same: the others tell
    let train = "train --data pets.csv --target kind --test 0.5 --hidden 4 --epochs 2";
    session.works(&format!("{train} --out m"));
    fs::create_dir(session.folder.0.join("empty")).unwrap();
    session.all_refuse(1, &format!("{train} --out"), &["m", "empty", "pets.csv", "pets.csv/m", "new/.."]);
    session.refuses(1, "compare --out pets.csv/runs");
    session.refuses(1, "lab run entropy-bound --out pets.csv/runs");
    session.all_refuse(2, "train --resume m", &["--lr 0.5", "--checkpoint-every 5", "--epochs 1"]);
    session.all_refuse(1, "train --resume", &["empty", "nowhere"]);

    session.write("pets.csv", PETS.to_string() + "20,40,dog\n");
    session.refuses(1, "train --resume m --epochs 3");
    session.write("pets.csv", PETS);
    let good = session.read("m/checkpoint.surprisal");
    session.write("m/checkpoint.surprisal", &good[..100]);
    let body = (format!("expected {} bytes", good.len() - 24), "expected N bytes");
    session.refuses_with(1, "train --resume m", &[body]);
    session.write("m/checkpoint.surprisal", session.read("m/model.surprisal"));
    session.refuses(1, "train --resume m");
    fs::remove_file(session.folder.0.join("m/checkpoint.surprisal")).unwrap();
    session.refuses(1, "train --resume m");
    session.write("m/checkpoint.surprisal", good);
    session.works("train --resume m --epochs 3"); // and this is how it is meant
    fs::remove_file(session.folder.0.join("pets.csv")).unwrap();
    session.refuses(1, "train --resume m --epochs 4");
    session.refuses(1, "eval --model m/model.surprisal");
    session
}

fn conversions() -> Session {
    let mut session = Session::new("other formats");
    session.works("train --data iris --hidden 4 --epochs 1 --out m");
    session.works("train --data iris --hidden 8 --epochs 1 --out other");
    session.works("convert m/model.surprisal x.npz");
    let arrays = |third: f64| {
        let [w1, w2, b2] =
            [[4, 4].as_slice(), &[3, 4], &[3]].map(|shape| (shape, vec![0.5; shape.iter().product()]));
        [("0.weight", w1), ("0.bias", (&[4], vec![0.5, 0.5, third, 0.5])), ("2.weight", w2), ("2.bias", b2)]
    };
    let folder = session.folder.0.clone();
    let write = |name: &str, arrays: Vec<(&str, NpyArray)>| {
        write_npz(folder.join(name), arrays.iter().map(|(name, array)| (*name, array))).unwrap();
    };
    let narrow = |third: f64| {
        let array = |values: &[f64]| Vec::from_iter(values.iter().map(|&x| x as f32));
        Vec::from_iter(
            arrays(third).map(|(name, (shape, values))| (name, NpyArray::new(shape, &array(&values)))),
        )
    };
    let wide = |third: f64| {
        Vec::from_iter(arrays(third).map(|(name, (shape, values))| (name, NpyArray::new(shape, &values))))
    };
    write("infinite.npz", narrow(f64::INFINITY));
    write("more.npz", [narrow(0.5), vec![("steps", NpyArray::new(&[2], &[1.0f32, 2.0]))]].concat());
    write("wide.npz", wide(0.1));
    write("large.npz", wide(1e300));
    session.all_refuse(
        2,
        "convert",
        &[
            "m/model.surprisal x.txt",
            "x.npz y.surprisal",
            "m/model.surprisal y.npz --like m/model.surprisal",
            "m/model.surprisal y.npz --probabilities",
        ],
    );
    session.all_refuse(
        1,
        "convert",
        &[
            "m/model.surprisal x.npz",
            "x.npz y.surprisal --like other/model.surprisal",
            "nowhere.npz y.surprisal --like m/model.surprisal",
            "wide.npz y.surprisal --like m/model.surprisal",
            "more.npz y.surprisal --like m/model.surprisal",
            "infinite.npz y.surprisal --like m/model.surprisal",
            "large.npz y.surprisal --like m/model.surprisal --round",
        ],
    );
    session.works("convert x.npz y.surprisal --like m/model.surprisal");
    session.works("convert wide.npz wide.surprisal --like m/model.surprisal --round");
    session.works("convert x.npz y.onnx --like m/model.surprisal --probabilities");
    session.works("convert m/model.surprisal z.onnx --probabilities");
    assert!(session.read("y.onnx") == session.read("z.onnx"));
    session.works("convert y.onnx again.surprisal --like m/model.surprisal");
    session.works("convert z.onnx alone.surprisal");
    assert!(session.read("again.surprisal") == session.read("y.surprisal"));
    let predicted = session.works("predict --model m/model.surprisal --data iris");
    assert_eq!(session.works("predict --model alone.surprisal --data iris"), predicted);
    session.works("eval --model alone.surprisal --data iris");
    assert_eq!(session.works("predict --model z.onnx --data iris"), predicted);
    session.works("inspect z.onnx");
    session.write("cut.onnx", &session.read("z.onnx")[..1000]);
    session.write("notes.onnx", "no net");
    session.all_refuse(
        1,
        "convert",
        &[
            "nowhere.onnx w.surprisal",
            "cut.onnx w.surprisal",
            "notes.onnx w.surprisal",
            "z.onnx w.surprisal --like other/model.surprisal",
        ],
    );
    session.refuses(1, "inspect cut.onnx");
    session.refuses(1, "predict --model cut.onnx --data iris");
    session.refuses(2, "eval --model alone.surprisal");
    let rounded = SavedModel::read(folder.join("wide.surprisal")).unwrap();
    assert_eq!(rounded.parameters[1].values, [0.5, 0.5, 0.1, 0.5]);

    session.refuses(1, "inspect nowhere");
    let file = |entries: &str| {
        let header = format!("{{{entries}}}");
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 8]].concat()
    };
    let entry = |name: &str, offsets: &str| {
        format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{offsets}}}")
    };
    for entries in [
        [entry("a", "[0,4]"), entry("b", "[0,4]")],
        [entry("a", "[4,0]"), entry("b", "[4,8]")],
        [entry("a", "[0,4]"), entry("b", "[8,12]")],
        [entry("a", "[0,4]"), entry("a", "[4,8]")],
    ] {
        let entries = entries.join(",");
        session.write("x.safetensors", file(&entries));
        session.text += &format!("x.safetensors: {entries}\n");
        session.refuses(1, "inspect x.safetensors");
    }
    session.write("x.safetensors", file(&[entry("b", "[0,4]"), entry("a", "[4,8]")].join(",")));
    let size = session.read("x.safetensors").len();
    assert_eq!(
        session.works("inspect x.safetensors"),
        format!("x.safetensors: {size} bytes\n  a  F32 [1]\n  b  F32 [1]\n")
    );

    write_npz(folder.join("x.npz"), [("a", &NpyArray::new(&[2], &[1.0, 2.0]))]).unwrap();
    session.works("inspect x.npz");
    let mut damaged = session.read("x.npz");
    let number = damaged.windows(8).position(|bytes| bytes == 2f64.to_le_bytes()).unwrap();
    damaged[number] ^= 1;
    session.write("x.npz", damaged);
    session.refuses(1, "inspect x.npz");
    session
}

fn command_lines() -> Session {
    let mut session = Session::new("command lines");
    session.all_refuse(
        2,
        "compare",
        &[
            "--data mnist",
            "--losses ce,hinge",
            "--losses ce,mze",
            "--losses ce,ce",
            "--losses ce",
            "--lr 0",
            "--lr -0.1",
            "--lr nan",
            "--lr inf",
            "--lr fast",
            "--seeds 1",
            "--seeds 1001",
            "--seed -1",
        ],
    );
    session.all_refuse(
        2,
        "check",
        &[
            "gradient --data iris --model 4-3",
            "all --data iris --model 4-3 --target species",
            "all --data iris --model 4-3 --rows 0",
            "all --data iris --model model.bin",
            "all --data iris --model x.surprisal --activation relu",
            "all --data iris --loss mae",
            "all --data iris --loss huber",
            "all --data pets.csv --target weight_kg --ignore kind --task numbers --loss ce",
        ],
    );
    session.all_refuse(
        2,
        "explain",
        &[
            "w*x --at w=1",
            "w*x --loss ce",
            "relu(w*x) --at w=1,x=2,y=1",
            "'maxx(x, 0)' --at x=1",
            "sigmod(x) --at x=1",
            "'1 + 2; x' --at x=1",
            "w**x --at w=1,x=2",
            "w --at w=much",
            "w --at w=1 --loss mse",
            "sigmoid(z) --at z=1,y=0 --loss bcee",
            "--modle 4-3",
            "--row 0 --data iris --loss huber",
            "--model 4-3 --data iris --row 0 --loss mae",
            "--model 4-3 --data iris",
        ],
    );
    session.refuses(1, "explain --model 4-3 --data iris --row 9999");
    session.all_refuse(
        2,
        "loss",
        &[
            "mse",
            "softmax_cross_entrop x.json",
            "cosine",
            "mse --plot x.svg",
            "softmax_cross_entropy --plot x.svg",
            "mse_loss --dtype f16",
            "mse_loss --list",
            "--check",
        ],
    );
    session.all_refuse(
        2,
        "play",
        &[
            "--port 0",
            "--port -1",
            "--port 65536",
            "--port any",
            "--port 8080 --out site",
            "a b",
            "n=20 --out site",
        ],
    );
    session.all_refuse(1, "play", &["--page pets.csv", "--page missing.html"]);
    for command in ["compere", "op conv2", "explain", "loss", "lab replay", "lab repaly"] {
        session.refuses(2, command);
    }
    session
}

fn experiments() -> Session {
    let mut session = Session::new("experiments");
    session.all_refuse(
        2,
        "lab run",
        &[
            "nothing",
            "plateau",
            "saturated-neuron --set etta=1",
            "saturated-neuron --set eta=-1",
            "saturated-neuron --set eta=NaN",
            "saturated-neuron --set scores=1,,2",
            "saturated-neuron --set cap=1e30",
            "saturated-neuron --set eta",
            "saturated-neuron --seeds 3",
            "plateaus --seeds 1",
            "all --set eta=1",
        ],
    );
    let command = "lab run plateaus --setting setting.json";
    session.refuses(1, command);
    session.all_files_refuse(
        1,
        command,
        "setting.json",
        &[
            b"{",
            b"[]",
            b"{}",
            br#"{"experiment": "features"}"#,
            br#"{"experiment": "plateaus", "setting": {"levle": 0.01}}"#,
            br#"{"experiment": "plateaus", "setting": {"level": null}}"#,
            br#"{"experiment": "plateaus", "setting": 1}"#,
            br#"{"experiment": "plateaus", "seeds": 1}"#,
            br#"{"experiment": "plateaus", "speed": 1}"#,
        ],
    );
    session
}

fn replays() -> Session {
    let mut session = Session::new("replays");
    session.all_refuse(2, "lab replay", &["--check", "a.json --data", "a.json b.json", "a.json --chek"]);
    session.refuses(1, "lab replay a.json");
    session.all_files_refuse(
        1,
        "lab replay a.json",
        "a.json",
        &[
            b"{\"setting\":\n{\"kind\": ",
            b"\0",
            b"",
            b"[1]",
            br#"{"X": 1}"#,
            br#"{"settings": 1}"#,
            br#"{"setting": 1}"#,
            br#"{"setting": {"kind": "calibratoin"}}"#,
            br#"{"setting": {"kind": 7}}"#,
            br#"{"setting": {"kind": "calibration"}}"#,
        ],
    );
    fs::create_dir(session.folder.0.join("folder.json")).unwrap();
    session.refuses(1, "lab replay folder.json");
    session
}

#[test]
fn a_command_that_names_nothing_to_do_shows_its_usage() {
    for arguments in [&[][..], &["lab"]] {
        let (code, stderr) = fails(arguments);
        assert!(code == 2 && stderr.contains("Usage: surprisal"), "{stderr}");
    }
}
