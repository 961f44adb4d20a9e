//! What is wrong is said whole: where, what was expected, what was found, what to do. Exit code 2 for what was told, 1 for what the
//! files hold, and nothing is left behind.

use std::fs;

use crate::common::{Folder, refuses, surprisal, works};
use surprisal_data::metrics::Metric;
use surprisal_data::{NpyArray, write_npz};
use surprisal_optim::OptimizerKind;
use surprisal_run::Settings;
use surprisal_train::SavedModel;

const PETS: &str = "weight_kg,height_cm,kind\n4,24,cat\n5,25,cat\n3.5,23,cat\n4.5,26,cat\n30,60,dog\n25,55,dog\n35,65,dog\n28,58,dog\n";

impl Folder {
    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }
    /// The command, word by word, must say exactly this.
    #[track_caller]
    fn refuses(&self, command: &str, code: i32, message: &str) {
        let said = refuses(&self.0, &Vec::from_iter(command.split(' ')));
        assert_eq!(said, (code, message.to_string()), "{command}");
    }
    /// `train` with these words more.
    #[track_caller]
    fn train_refuses(&self, more: &str, code: i32, message: &str) {
        self.refuses(&format!("train {more}"), code, message);
    }
}

/// A value that each setting cannot have, and what is said of it; nothing where only the data can tell.
const OUT_OF_RANGE: [(&str, &str, &str); 51] = [
    (
        "data",
        "irsi",
        "no data set is named \"irsi\" | known: iris, breast_cancer, digits, penguins, xor, moons, circles, blobs, spirals, mnist:DIR, FILE.csv, \
         FILE.npz | did you mean \"iris\"?",
    ),
    ("target", "", ""),
    (
        "task",
        "regresion",
        "expected one of auto, classification, regression, found \"regresion\" | did you mean \"regression\"?",
    ),
    ("ignore", "", ""),
    ("keep", "", ""),
    ("categorical", "", ""),
    ("dates", "", ""),
    ("missing", "x", "expected one of error, drop, mean, found \"x\""),
    ("missing_words", "", ""),
    ("decimal", "x", "expected one of point, comma, found \"x\""),
    ("thousands", "x", "expected one of none, comma, point, space, apostrophe, found \"x\""),
    (
        "separator",
        "ab",
        "expected comma, semicolon, tab, or one such character, found \"ab\" | in a shell, quote the character: ';'",
    ),
    ("header", "maybe", "expected true or false, found \"maybe\""),
    ("scaling", "x", "expected one of none, divide:255, standardize, minmax, found \"x\""),
    ("test", "1", "expected a fraction from 0 to below 1, found 1.0 | 0.25 is usual"),
    ("test_data", "", ""),
    ("validation", "-0.1", "expected a fraction from 0 to below 1, found -0.1 | 0.15 is usual"),
    ("balance", "x", "\"x\" is not a way to balance: choose none, oversample or undersample"),
    ("label_noise", "2", "expected a fraction from 0 to 1, found 2.0 | 0.1 is usual"),
    (
        "model",
        "4-0-3",
        "\"4-0-3\" is not a list of layer sizes: \"0\" is not a number from 1 on; for example 64-32-10",
    ),
    ("hidden", "8-", "\"8-\" is not a list of hidden layers: for example 32, 64-32, or none"),
    (
        "activation",
        "swish",
        "there is no activation \"swish\": choose relu, leaky_relu, elu, silu, gelu, gelu_tanh, sigmoid, tanh, softplus or logsigmoid",
    ),
    (
        "init",
        "normal:-1",
        "unknown initializer \"normal:-1\": choose zeros, constant:VALUE, uniform:BOUND, normal, normal:DEVIATION, linear, \
         normal_over_sqrt_inputs, xavier_uniform, xavier_normal, kaiming_uniform, kaiming_normal, orthogonal or orthogonal:GAIN; \
         numbers are finite, a bound, standard deviation or gain not negative",
    ),
    ("start_from", "", ""),
    ("freeze", "", ""),
    ("loss", "hing", "there is no loss \"hing\" | did you mean \"hinge\"?"),
    ("class_weight", "a", "expected balanced, none, or weights such as cat=1,dog=2, found \"a\""),
    ("opt", "newton", "no optimizer is named \"newton\" | known: {optimizers}"),
    ("lr", "0", "expected a finite number above 0, found 0.0 | 0.1 is usual for Sgd, 0.001 for Adam"),
    ("momentum", "1", "expected a number from 0 to below 1, found 1.0 | 0.9 is usual"),
    ("nesterov", "2", "expected true or false, found \"2\""),
    ("alpha", "1", "expected a number from 0 to below 1, found 1.0 | 0.99 is usual"),
    ("beta1", "nan", "expected a number from 0 to below 1, found NaN | 0.9 is usual"),
    ("beta2", "-1", "expected a number from 0 to below 1, found -1.0 | 0.999 is usual"),
    (
        "eps",
        "1e-46",
        "expected a finite number above 0 also when rounded to f32, found 1e-46, which becomes 0.0 | 1e-8 is usual",
    ),
    (
        "weight_decay",
        "-1",
        "expected a finite number, 0 or above, found -1.0 | 0 is none, 1e-4 is usual, 1e-2 for AdamW",
    ),
    ("l1", "inf", "expected a finite number, 0 or above, found inf | 0 is none, 1e-4 is usual"),
    ("l2", "x", "expected a number, found \"x\""),
    ("clip_norm", "0", "expected a norm finite and above 0, found 0.0 | 1 is usual"),
    ("clip_value", "-1", "expected a size finite and above 0, found -1.0 | 0.5 is usual"),
    ("accumulate", "0", "expected 1 or more, found 0"),
    ("schedule", "step:every=0", "every: expected a whole number from 1 to 1000000, found 0"),
    ("groups", "layer1", "\"layer1\" is not a group: for example layer1:lr=0.01,weight_decay=0"),
    ("epochs", "1e18", "expected a whole number, 0 or above, found \"1e18\""),
    ("batch", "0", "expected 1 or more, found 0"),
    ("seed", "-1", "expected a whole number, 0 or above, found \"-1\""),
    ("watch", "x", "no metric is named \"x\" | known: {metrics}, or loss"),
    ("patience", "0", "expected 1 or more, found 0"),
    ("min_delta", "-1", "expected a difference finite, 0 or above, found -1.0 | 0.001 is usual"),
    ("keep_best", "2", "expected true or false, found \"2\""),
    ("checkpoint_every", "0", "expected 1 or more, found 0"),
];

fn metrics(which: fn(&Metric) -> bool) -> String {
    Vec::from_iter(Metric::all().filter(which).map(|metric| metric.to_string())).join(", ")
}

#[test]
fn every_setting_out_of_its_range_is_refused_as_an_option_and_with_its_line_in_a_file() {
    let folder = Folder::new("ranges");
    let optimizers = OptimizerKind::ALL.map(OptimizerKind::name).join(", ");
    let keys = OUT_OF_RANGE.map(|(key, ..)| key);
    assert_eq!(Vec::from(keys), Vec::from_iter(Settings::ALL.iter().map(|setting| setting.key)));
    for ((key, value, message), setting) in OUT_OF_RANGE.iter().zip(Settings::ALL) {
        if message.is_empty() {
            continue;
        }
        let message = message.replace("{metrics}", &metrics(|_| true)).replace("{optimizers}", &optimizers);
        let option = key.replace('_', "-");
        let what =
            if setting.value == "BOOL" { "[<BOOL>]".to_string() } else { format!("<{}>", setting.value) };
        folder.train_refuses(
            &format!("--{option} {value}"),
            2,
            &format!("invalid value '{value}' for '--{option} {what}': {message}\n\nFor more information, try '--help'."),
        );
        folder.write("c.toml", format!("# settings\n{key} = \"{value}\"\n"));
        folder.train_refuses("--config c.toml", 1, &format!("c.toml, line 2: {key}: {message}"));
    }
    // what only the data can judge
    for (more, code, message) in [
        ("--target x", 2, "iris: expected no label column, found \"x\" | only a table (FILE.csv) needs one"),
        (
            "--ignore x",
            2,
            "iris: expected no options of tables, found ignore | only a table (FILE.csv) takes them",
        ),
        (
            "--categorical x",
            2,
            "iris: expected no options of tables, found categorical | only a table (FILE.csv) takes them",
        ),
        ("--start-from nowhere", 1, "nowhere: cannot read: No such file or directory (os error 2)"),
        (
            "--freeze layer3",
            2,
            "freeze: no parameter matches \"layer3\" | there are \"layer1.weight\", \"layer1.bias\", \"layer2.weight\", \
             \"layer2.bias\"",
        ),
    ] {
        let message = message.replace("{metrics}", &metrics(|metric| metric.for_so_many(3)));
        folder.train_refuses(&format!("--data iris {more}"), code, &message);
    }
}

#[test]
fn a_configuration_that_is_none_is_refused_with_its_line() {
    let folder = Folder::new("configuration");
    for (text, message) in [
        (
            &b"data = \"iris\"\n\nlearning_rat = 1\nweight_decy = 0\n"[..],
            "c.toml, line 3: there is no setting \"learning_rat\" | choose one of ALL",
        ),
        (
            b"data = \"iris\"\n\nweight_decy = 0\n",
            "c.toml, line 3: there is no setting \"weight_decy\" | did you mean \"weight_decay\"?",
        ),
        (
            b"data = \"iris\"\nepochs = 1.5\n",
            "c.toml, line 2: epochs: expected a whole number, 0 or above, found \"1.5\"",
        ),
        (
            b"data = \"iris\"\n[epochs]\nof = 1\n",
            "c.toml, line 2: epochs: expected a text, a number, true, false or a list of texts",
        ),
        (b"freeze = [1]\n", "c.toml, line 1: freeze: expected texts in the list"),
        (
            b"epochs = 1\nepochs = 2\n",
            "c.toml, line 2: not valid TOML: duplicate key | write key = value, with texts in quotes: data = \"iris\"",
        ),
        (
            b"data = iris\n",
            "c.toml, line 1: not valid TOML: invalid float, expected `inf` | write key = value, with texts in quotes: data = \"iris\"",
        ),
        (b"data = \"\xff\"\n", "c.toml: cannot read: stream did not contain valid UTF-8"),
        (b"", "no data given: name them with --data, or data = \"..\" in the configuration"),
    ] {
        folder.write("c.toml", text);
        let all = Vec::from_iter(Settings::ALL.iter().map(|setting| setting.key)).join(", ");
        let code = if text.is_empty() { 2 } else { 1 };
        folder.train_refuses("--config c.toml", code, &message.replace("ALL", &all));
    }
    folder.train_refuses(
        "--config nowhere.toml",
        1,
        "nowhere.toml: cannot read: No such file or directory (os error 2)",
    );
}

#[test]
fn a_table_that_cannot_be_learned_from_is_refused_with_its_line() {
    let folder = Folder::new("tables");
    folder.write("pets.csv", PETS);
    folder.train_refuses(
        "--data pets.csv",
        2,
        "pets.csv: no target column given | name it with --target, or target = \"..\" in the configuration",
    );
    for (text, message) in [
        (
            &b""[..],
            "t.csv: expected a header line with the names of the columns, found nothing | is the file empty?",
        ),
        (b"a,kind\n", "t.csv: expected rows below the header, found none | is the file truncated?"),
        (
            b"a,kind\n1,x\n\"2,y\n3,x\n",
            "t.csv, line 3, column \"a\": expected a closing quote, found the end of the table | close the quote that begins the field, \
             or remove it",
        ),
        (
            b"a,b,kind\n1,2,x\n1,y\n",
            "t.csv, line 3, column \"kind\": expected 3 fields, as in the header, found 2 | is a value missing, or the line truncated?",
        ),
        (
            b"a,kind\n1,x\n2,\xff\n",
            "t.csv, line 3: expected UTF-8 text, found the byte 0xFF | save the table as UTF-8",
        ),
        (
            b"a,kind\n1,x\n1e999,y\n",
            "t.csv, line 3, column \"a\": expected a finite number, found \"1e999\" | correct the value, or leave the row out",
        ),
        (
            b"a,kind\n1,x\ntwo,y\n3,x\n1,y\n",
            "t.csv, line 3, column \"a\": expected a number, found \"two\" | correct it, or name the column in --categorical (text is a \
             category) or --ignore",
        ),
        (
            b"a,kind\n1,x\n2,x\n",
            "t.csv, column \"kind\": expected two classes or more, found \"x\" in all 2 rows | is this the label column?",
        ),
        (
            b"a,kind\n1,x\n2,x\n3,y\n",
            "split: expected 2 rows or more of every class of \"t.csv\", one for each part, found 1 of \"y\" | add rows of it, merge it \
             with another class, or leave it out",
        ),
    ] {
        folder.write("t.csv", text);
        folder.train_refuses("--data t.csv --target kind", 1, message);
    }
    folder.write("holes.csv", "a,kind\n1,x\nNaN,y\n,x\n");
    folder.write("german.csv", "a;kind\n36,5;x\n37,1;y\n");
    folder.write("signs.csv", "a,\"b, c\",kind\n1,1,x\n2,2,y\n");
    for (more, code, message) in [
        (
            "--data holes.csv --target kind --missing error",
            1,
            "holes.csv, line 3, column \"a\": expected a value, found \"NaN\", a word for a missing value | fill it in, or choose \
             --missing drop (leaves the row out) or --missing mean",
        ),
        (
            "--data holes.csv --target kind --missing error --missing-words none",
            1,
            "holes.csv, line 3, column \"a\": expected a finite number, found \"NaN\" | correct the value, or leave the row out",
        ),
        (
            "--data german.csv --target kind --separator semicolon",
            1,
            "german.csv, line 2, column \"a\": expected a number, found \"36,5\", a number with a decimal comma | set decimal to comma, \
             or name the column in categorical or ignore",
        ),
        (
            "--data german.csv --target kind --separator semicolon --decimal comma --thousands comma",
            2,
            "decimal and thousands: expected two different characters, found comma for both | set thousands to another one",
        ),
        (
            "--data signs.csv --target kind --ignore \"b,a",
            2,
            "invalid value '\"b,a' for '--ignore <COLUMNS>': expected a closing quote, found the end of the table | close the quote that \
             begins the field, or remove it\n\nFor more information, try '--help'.",
        ),
        (
            "--data signs.csv --target kind --ignore b --categorical a",
            1,
            "signs.csv: --ignore: expected the name of a column, found \"b\" | the columns are \"a\", \"b, c\", \"kind\"",
        ),
        (
            "--data signs.csv --target kind --dates a --categorical a",
            1,
            "signs.csv, column \"a\": the column is in both --categorical and --dates | keep one of them",
        ),
        (
            "--data signs.csv --target kind --dates a",
            1,
            "signs.csv, line 2, column \"a\": expected a date such as 2024-03-31 or 2024-03-31T12:30, found \"1\" | correct the format, or leave the row out",
        ),
        (
            "--data no.csv --target kind",
            1,
            "no.csv: cannot be read: No such file or directory (os error 2) | is the path right?",
        ),
        (
            "--data pets.csv --target kin",
            1,
            "pets.csv: expected a label column named \"kin\", found the columns \"weight_kg\", \"height_cm\", \"kind\" | did you mean \
             \"kind\"?",
        ),
        (
            "--data pets.csv --target kind --ignore weigth_kg",
            1,
            "pets.csv: --ignore: expected the name of a column, found \"weigth_kg\" | the columns are \"weight_kg\", \"height_cm\", \
             \"kind\" | did you mean \"weight_kg\"?",
        ),
        (
            "--data pets.csv --target kind --task numbers",
            1,
            "pets.csv, line 2, column \"kind\": expected a number for regression, found \"cat\" | use --task classification for texts",
        ),
    ] {
        folder.train_refuses(more, code, message);
    }
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let folder = Folder::new("together");
    folder.write("pets.csv", PETS);
    for (more, code, message) in [
        ("--model 4-2", 1, "the data has 3 classes and the model 2 outputs: give its last layer 3 outputs"),
        (
            "--model 5-3",
            1,
            "--model 5-3 has 5 inputs, but iris has 4 features: begin with 4, or give the hidden layers with --hidden",
        ),
        (
            "--model 4-3 --hidden 8",
            2,
            "model 4-3 and hidden 8: the hidden layers differ | give only one of them: model has all sizes, hidden those of the hidden layers",
        ),
        (
            "--validation 0 --patience 3",
            2,
            "validation 0: patience needs validation rows | leave validation out, or set it to 0.15",
        ),
        (
            "--validation 0 --keep-best true",
            2,
            "validation 0: keep_best needs validation rows | leave validation out, or set it to 0.15",
        ),
        (
            "--validation 0 --schedule plateau",
            2,
            "validation 0: schedule plateau needs validation rows | leave validation out, or set it to 0.15",
        ),
        (
            "--batch 1000",
            1,
            "batch: expected 1 to 111, the number of training rows, found 1000 | leave it out, or give 111 for one batch of all rows",
        ),
        (
            "--accumulate 5",
            2,
            "accumulate: expected 1 to 4, the number of batches in an epoch, found 5 | reduce the batch size for more",
        ),
        (
            "--test 0.6 --validation 0.5",
            2,
            "test 0.6 and validation 0.5: expected fractions whose sum is below 1 | 0.25 and 0.15 are usual",
        ),
        (
            "--loss mae",
            2,
            "loss mae: does not support classification | choose ce, focal, topk, bce, sigmoid_focal, soft_margin, hinge, squared_hinge, multi_margin, mse, half_mse, dice, ce_dice",
        ),
        (
            "--watch roc_auc",
            2,
            "watch: roc_auc does not support 3 classes | choose one of {metrics}, or loss",
        ),
        ("--freeze *", 2, "freeze: all parameters are frozen | name fewer layers or parameters"),
        (
            "--groups layer3:lr=1",
            2,
            "groups: no parameter matches \"layer3\" | there are \"layer1.weight\", \"layer1.bias\", \"layer2.weight\", \
             \"layer2.bias\"",
        ),
        (
            "--epochs 10 --schedule cosine:warmup=10",
            2,
            "cosine: expected a warm-up shorter than training, found 10 epochs of 10 | warm up for fewer, or train for more",
        ),
        ("--min-delta 0.1", 2, "min_delta: needs early stopping | set patience too"),
        (
            "--clip-norm 1 --clip-value 1",
            2,
            "clip_norm and clip_value: only one kind of gradient clipping is supported | give one of them",
        ),
        (
            "--momentum 0.5 --opt adam",
            2,
            "adam: expected no momentum, found one | leave it out, or take one that has it: sgd, rmsprop",
        ),
        ("--nesterov", 2, "nesterov: needs momentum | set momentum too, 0.9 is usual"),
    ] {
        let message = message.replace("{metrics}", &metrics(|metric| metric.for_so_many(3)));
        folder.train_refuses(&format!("--data iris {more}"), code, &message);
    }
    for (more, message) in [
        (
            "--loss ce",
            "loss ce: does not support regression | choose mse, half_mse, mae, smooth_l1, huber, log_cosh, quantile, poisson",
        ),
        (
            "--watch accuracy",
            "watch: accuracy does not support numbers | choose one of r2, mae, mse, rmse, or loss",
        ),
        ("--balance oversample", "balance: does not support regression | leave it out"),
    ] {
        folder.train_refuses(
            &format!("--data pets.csv --target weight_kg --task numbers --ignore kind {more}"),
            2,
            message,
        );
    }
}

#[test]
fn absurd_sizes_are_refused_before_memory_is_asked_for() {
    let folder = Folder::new("absurd");
    folder.write("pets.csv", PETS);
    for (more, code, message) in [
        (
            "--model 1000000000-1000000000-2",
            1,
            "--model 1000000000-1000000000-2 has 1000000000 inputs, but pets.csv has 2 features: begin with 2, or give the hidden layers with --hidden",
        ),
        (
            "--hidden 1000000000-1000000000",
            1,
            "a net 2-1000000000-1000000000-2 has 1000000006000000002 parameters: expected at most 134217728 | make its layers smaller",
        ),
        (
            "--hidden 18446744073709551615",
            1,
            "a net 2-18446744073709551615-2 has 18446744073709551615 parameters: expected at most 134217728 | make its layers smaller",
        ),
        (
            "--batch 1000000000000000000",
            1,
            "batch: expected 1 to 6, the number of training rows, found 1000000000000000000 | leave it out, or give 6 for one batch of all rows",
        ),
        (
            "--patience 18446744073709551615 --checkpoint-every 18446744073709551615 --accumulate 18446744073709551615",
            2,
            "accumulate: expected 1 to 1, the number of batches in an epoch, found 18446744073709551615 | reduce the batch size for more",
        ),
    ] {
        folder.train_refuses(&format!("--data pets.csv --target kind {more}"), code, message);
    }
    // as many epochs as that can be begun, if they may end early
    let train = "train --data pets.csv --target kind --epochs 18446744073709551615 --patience 1 --min-delta 1e300 --schedule cosine \
                 --validation 0.25 --checkpoint-every 18446744073709551615 --quiet";
    works(&folder.0, &Vec::from_iter(train.split_whitespace()));
}

#[test]
fn what_is_asked_of_a_model_has_to_fit_it() {
    let folder = Folder::new("asked");
    folder.write("pets.csv", PETS);
    folder.write("boxes.csv", "colour,kind\nred,a\nblue,b\nred,a\nblue,b\n");
    folder.write("birds.csv", "weight_kg,height_cm,kind\n1,2,bird\n");
    folder.write("other.csv", "weigth_kg,height_cm\n1,2\n");
    folder.write("text.csv", "weight_kg,height_cm\n1,two\n");
    folder.write("green.csv", "colour\ngreen\n");
    works(&folder.0, &["train", "--data", "pets.csv", "--target", "kind", "--epochs", "1", "--out", "m"]);
    works(&folder.0, &["train", "--data", "boxes.csv", "--target", "kind", "--epochs", "1", "--out", "b"]);
    for (command, code, message) in [
        (
            "predict --model m/model.surprisal",
            2,
            "no data given: name them with --data: a CSV file with the columns of the model, or a data set as for train",
        ),
        (
            "predict --model m --data pets.csv",
            1,
            "m: is a folder: name the file in it, such as model.surprisal",
        ),
        (
            "predict --model m/model.surprisal --data iris",
            1,
            "the model takes 2 columns, weight_kg to height_cm, but iris has 4 columns, sepal_length_cm to petal_width_cm: is this the \
             data it was trained on?",
        ),
        (
            "predict --model m/model.surprisal --data other.csv",
            1,
            "other.csv: expected a column named \"weight_kg\", found the columns \"weigth_kg\", \"height_cm\" | did you mean \
             \"weigth_kg\"?",
        ),
        (
            "predict --model m/model.surprisal --data text.csv",
            1,
            "text.csv, line 2, column \"height_cm\": expected a number, found \"two\" | every column that the model reads must contain numbers",
        ),
        (
            "predict --model b/model.surprisal --data green.csv",
            1,
            "green.csv, line 2, column \"colour\": expected a category of the training, found \"green\" | known: \"blue\", \"red\" | \
             --unseen ignore takes it for none of them",
        ),
        (
            "eval --model m/model.surprisal --data birds.csv",
            1,
            "birds.csv, line 2, column \"kind\": expected one of the model's classes, found \"bird\" | known: \"cat\", \"dog\"",
        ),
        (
            "eval --model m/model.surprisal --data text.csv",
            1,
            "text.csv, line 2, column \"height_cm\": expected a number, found \"two\" | every column that the model reads must contain numbers",
        ),
        (
            "eval --model m/model.surprisal --part validation",
            2,
            "--part validation: the net was trained without this part | name data with --data",
        ),
    ] {
        folder.refuses(command, code, message);
    }
    let ignoring = "predict --model b/model.surprisal --data green.csv --unseen ignore";
    assert!(
        works(&folder.0, &Vec::from_iter(ignoring.split(' '))).starts_with("row,predicted,p(a),p(b)\n0,")
    );
    folder.write("pets.csv", PETS.to_string() + "20,40,dog\n");
    folder.refuses(
        "eval --model m/model.surprisal",
        1,
        "pets.csv: the rows have changed since the training | name data with --data to use all of their rows",
    );
}

#[test]
fn a_model_file_that_cannot_be_used_is_refused_with_the_byte() {
    let folder = Folder::new("model-files");
    folder.write("pets.csv", PETS);
    works(
        &folder.0,
        &["train", "--data", "pets.csv", "--target", "kind", "--hidden", "4", "--epochs", "1", "--out", "m"],
    );
    let good = folder.read("m/model.surprisal");
    let changed = |at: usize, to: u8| {
        let mut bytes = good.clone();
        bytes[at] = to;
        bytes
    };
    let body = good.len() - 24;
    let checksum = u32::from_le_bytes(good[20..24].try_into().unwrap());
    let damaged = changed(60, good[60] ^ 1);
    let found = crc32(&damaged[24..]);
    for (bytes, message) in [
        (
            b"hello".to_vec(),
            "x, byte 0: expected \"SURPRISL\", found something else: is this a model of surprisal?"
                .to_string(),
        ),
        (
            good[..100].to_vec(),
            format!("x, byte 12: expected {body} bytes after the header, found 76: is the file cut off?"),
        ),
        (
            damaged,
            format!(
                "x, byte 20: expected the checksum {checksum:08x}, found {found:08x}: the file is damaged"
            ),
        ),
        (
            changed(8, 5),
            "x, byte 8: expected version 1 to 4 of the format, found 5: was it written by a later surprisal?"
                .to_string(),
        ),
        (changed(10, 8), "x, byte 10: expected numbers of 4 bytes (f32), found 8 bytes".to_string()),
    ] {
        folder.write("x", bytes);
        folder.refuses("predict --model x --data pets.csv", 1, &message);
    }
    folder.train_refuses(
        "--data pets.csv --target kind --hidden 8 --start-from m/model.surprisal",
        1,
        "m/model.surprisal: 3 parameters do not fit\n  \"layer1.weight\": expected [2, 8], found [2, 4]\n  \"layer1.bias\": expected \
         [8], found [4]\n  \"layer2.weight\": expected [8, 2], found [4, 2]",
    );
}

/// The checksum of PNG and zip, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

#[test]
fn a_folder_that_is_taken_and_a_run_that_cannot_go_on_are_said_to_be_so() {
    let folder = Folder::new("runs");
    folder.write("pets.csv", PETS);
    // with one dog more, the rows to train on are still the same: the others tell
    let train = "--data pets.csv --target kind --test 0.5 --hidden 4 --epochs 2";
    let begin = format!("train {train} --out m");
    works(&folder.0, &Vec::from_iter(begin.split(' ')));
    fs::create_dir(folder.0.join("empty")).unwrap();
    for (out, message) in [
        (
            "m",
            "m: already contains a run, which is not overwritten | choose another folder with --out, or resume the run: train --resume m",
        ),
        (
            "empty",
            "cannot write empty: it already exists and is not overwritten; choose another folder with --out",
        ),
        (
            "pets.csv",
            "cannot write pets.csv: it already exists and is not overwritten; choose another folder with --out",
        ),
        (
            "pets.csv/m",
            "cannot write pets.csv/m: a part of its path is a file; choose another folder with --out",
        ),
        ("new/..", "cannot write new/..: this is no name of a folder; name a folder"),
    ] {
        folder.train_refuses(&format!("{train} --out {out}"), 1, message);
    }

    let other = "cannot be changed when a run is resumed; only --epochs can | start a new run instead, perhaps with \
                 --start-from m/checkpoint.surprisal";
    folder.train_refuses("--resume m --lr 0.5", 2, &format!("--lr: {other}"));
    folder.train_refuses("--resume m --checkpoint-every 5", 2, &format!("--checkpoint-every: {other}"));
    let none = "contains no checkpoint (checkpoint.surprisal)";
    for place in ["empty", "nowhere"] {
        let message = format!("{place}: {none} | name the folder of a run that was interrupted");
        folder.train_refuses(&format!("--resume {place}"), 1, &message);
    }

    folder.write("pets.csv", PETS.to_string() + "20,40,dog\n");
    folder.train_refuses(
        "--resume m --epochs 3",
        1,
        "m/checkpoint.surprisal: the rows have changed since the training | begin a new run, or restore the data",
    );
    folder.write("pets.csv", PETS);
    let good = folder.read("m/checkpoint.surprisal");
    let again = "bring it back, or begin again with surprisal train --config m/config.toml";
    folder.write("m/checkpoint.surprisal", &good[..100]);
    folder.train_refuses(
        "--resume m",
        1,
        &format!(
            "m/checkpoint.surprisal, byte 12: expected {} bytes after the header, found 76: is the file cut off? | {again}",
            good.len() - 24
        ),
    );
    folder.write("m/checkpoint.surprisal", folder.read("m/model.surprisal"));
    folder.train_refuses(
        "--resume m",
        1,
        "m/checkpoint.surprisal: the model contains no training state to resume",
    );
    fs::remove_file(folder.0.join("m/checkpoint.surprisal")).unwrap();
    folder.train_refuses(
        "--resume m",
        1,
        &format!("m: {none} | it ended before its first step: begin again with surprisal train --config m/config.toml"),
    );
    folder.write("m/checkpoint.surprisal", good);
    works(&folder.0, &["train", "--resume", "m", "--epochs", "3"]); // and this is how it is meant
}

#[test]
fn convert_overwrites_nothing_and_says_what_does_not_fit() {
    let folder = Folder::new("convert");
    for (hidden, out) in [("4", "m"), ("8", "other")] {
        works(&folder.0, &["train", "--data", "iris", "--hidden", hidden, "--epochs", "1", "--out", out]);
    }
    works(&folder.0, &["convert", "m/model.surprisal", "x.npz"]);
    let arrays = |third: f64| {
        let [w1, w2, b2] =
            [[4, 4].as_slice(), &[3, 4], &[3]].map(|shape| (shape, vec![0.5; shape.iter().product()]));
        [("0.weight", w1), ("0.bias", (&[4], vec![0.5, 0.5, third, 0.5])), ("2.weight", w2), ("2.bias", b2)]
    };
    let write = |name: &str, arrays: Vec<(&str, NpyArray)>| {
        write_npz(folder.0.join(name), arrays.iter().map(|(name, array)| (*name, array))).unwrap();
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
    for (command, code, message) in [
        ("convert m/model.surprisal x.npz", 1, "x.npz: the file exists and is not overwritten"),
        (
            "convert m/model.surprisal x.txt",
            2,
            "x.txt: unknown file type | expected .surprisal, .safetensors or .npz",
        ),
        (
            "convert x.npz y.surprisal",
            2,
            "x.npz: contains parameters only | name a model of the same net with --like FILE.surprisal",
        ),
        (
            "convert x.npz y.surprisal --like other/model.surprisal",
            1,
            "x.npz: 3 parameters do not fit\n  \"layer1.weight\": expected [8, 4], found [4, 4]\n  \"layer1.bias\": expected [8], found \
             [4]\n  \"layer2.weight\": expected [3, 8], found [3, 4]\n  hint: is this a file of the same model?",
        ),
        (
            "convert nowhere.npz y.surprisal --like m/model.surprisal",
            1,
            "nowhere.npz: cannot be read: No such file or directory (os error 2) | is the path right?",
        ),
        (
            "convert m/model.surprisal y.npz --like m/model.surprisal",
            2,
            "--like: m/model.surprisal is a model file itself | leave --like out",
        ),
        (
            "convert wide.npz y.surprisal --like m/model.surprisal",
            1,
            "wide.npz: 4 parameters do not fit\n  \"layer1.weight\": expected float16, bfloat16, float32, found float64\n  \
             \"layer1.bias\": expected float16, bfloat16, float32, found float64\n  \"layer2.weight\": expected float16, \
             bfloat16, float32, found float64\n  \"layer2.bias\": expected float16, bfloat16, float32, found float64\n  \
             hint: to round them, load into Params<f64> and use cast::<f32>(), or convert with --round",
        ),
        (
            "convert more.npz y.surprisal --like m/model.surprisal",
            1,
            "more.npz: 1 parameter does not fit\n  \"steps\": expected none, found [2]\n  hint: is this a file of the same model?",
        ),
        (
            "convert infinite.npz y.surprisal --like m/model.surprisal",
            1,
            "infinite.npz: \"layer1.bias\", number 2: expected a finite number, found inf: did the training diverge?",
        ),
        (
            "convert large.npz y.surprisal --like m/model.surprisal --round",
            1,
            "large.npz: \"layer1.bias\", number 2: expected a finite number, found inf: did the training diverge?",
        ),
        ("inspect nowhere", 1, "nowhere: cannot read: No such file or directory (os error 2)"),
    ] {
        folder.refuses(command, code, message);
    }
    assert!(
        surprisal(&folder.0, &["convert", "x.npz", "y.surprisal", "--like", "m/model.surprisal"])
            .status
            .success()
    );
    works(&folder.0, &["convert", "wide.npz", "wide.surprisal", "--like", "m/model.surprisal", "--round"]);
    let rounded = SavedModel::read(folder.0.join("wide.surprisal")).unwrap();
    assert_eq!(rounded.parameters[1].values, [0.5, 0.5, 0.1, 0.5]);
}

#[test]
fn inspect_says_what_is_wrong_with_a_file_that_cannot_be_used() {
    let folder = Folder::new("inspect");
    let file = |entries: &str| {
        let header = format!("{{{entries}}}");
        [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 8]].concat()
    };
    let entry = |name: &str, offsets: &str| {
        format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{offsets}}}")
    };
    for (entries, problem) in [
        ([entry("a", "[0,4]"), entry("b", "[0,4]")], "\"b\": expected its numbers at 4 of the data, found 0"),
        (
            [entry("a", "[4,0]"), entry("b", "[4,8]")],
            "\"a\": expected its numbers at 4..0 of the data, found 8 bytes of data",
        ),
        (
            [entry("a", "[0,4]"), entry("b", "[8,12]")],
            "\"b\": expected its numbers at 8..12 of the data, found 8 bytes of data",
        ),
        ([entry("a", "[0,4]"), entry("a", "[4,8]")], "\"a\": expected it once, found it twice"),
    ] {
        folder.write("x.safetensors", file(&entries.join(",")));
        let message = format!("x.safetensors, byte 8: {problem}: is the file damaged?");
        folder.refuses("inspect x.safetensors", 1, &message);
    }
    folder.write("x.safetensors", file(&[entry("b", "[0,4]"), entry("a", "[4,8]")].join(",")));
    let size = folder.read("x.safetensors").len();
    assert_eq!(
        works(&folder.0, &["inspect", "x.safetensors"]),
        format!("x.safetensors: {size} bytes\n  a  F32 [1]\n  b  F32 [1]\n")
    );

    write_npz(folder.0.join("x.npz"), [("a", &NpyArray::new(&[2], &[1.0, 2.0]))]).unwrap();
    works(&folder.0, &["inspect", "x.npz"]);
    let mut damaged = folder.read("x.npz");
    let number = damaged.windows(8).position(|bytes| bytes == 2f64.to_le_bytes()).unwrap();
    damaged[number] ^= 1;
    folder.write("x.npz", damaged);
    let (code, message) = refuses(&folder.0, &["inspect", "x.npz"]);
    assert!(code == 1 && message.starts_with("x.npz") && message.contains("checksum"), "{message}");
}

#[test]
fn data_of_a_relative_path_that_are_not_there_are_said_to_be_relative() {
    let folder = Folder::new("relative");
    folder.write("pets.csv", PETS);
    works(
        &folder.0,
        &"train --data pets.csv --target kind --epochs 1 --out m".split(' ').collect::<Vec<_>>(),
    );
    fs::remove_file(folder.0.join("pets.csv")).unwrap();
    for command in ["train --resume m --epochs 2", "eval --model m/model.surprisal"] {
        let (code, message) = refuses(&folder.0, &Vec::from_iter(command.split(' ')));
        let told =
            "; the path is relative to the folder in which the run was started: run this command there";
        assert!(code == 1 && message.starts_with("pets.csv: ") && message.ends_with(told), "{message}");
    }
}
