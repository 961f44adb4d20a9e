//! Every error message of the crate, in messages.txt below what gives it: what a user reads is part of the interface.

use crate::made_files::{Folder, gzip, idx, png};
use crate::panics::panic_of;
use expect_test::expect_file;
use ndarray::{Array2, array};
use png::{BitDepth, ColorType};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use std::fmt::Display;
use surprisal_data::metrics::{
    Average, ClassificationReport, ConfusionTable, Metric, average_precision_score, balanced_accuracy_score,
    brier_score_loss, calibration, confusion_matrix, log_loss, matthews_corrcoef, mean_absolute_error,
    mean_squared_error, precision_recall_curve, precision_recall_f1, precision_recall_fscore_average,
    precision_recall_fscore_support, r2_score, recall_score, roc_auc_score, roc_curve,
    root_mean_squared_error, top_k_accuracy_score, top_label_calibration,
};
use surprisal_data::{
    Batches, Categorical, CsvOptions, DataError, DataSource, Dataset, EncodedColumn, Encoder, Encoding,
    ErrorKind, Loaded, MinMax, Missing, Preprocess, Scaling, SpecError, Standardize, Synthetic, Table,
    Targets, Task, Unseen, accuracy, argmax_rows, balanced_weights, features_from_csv,
    features_from_csv_path, gather_rows, k_fold, one_hot, read_idx, split_rows, stratified_k_fold,
    stratified_split, stratified_split_rows,
};

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// The file so far.
pub struct Messages(String);

impl Messages {
    pub fn part(&mut self, title: &str) {
        self.0 += &format!("# {title}\n\n");
    }

    /// Adds the message of a result that must be an error, below what gives it.
    #[track_caller]
    pub fn add<T, E: Display>(&mut self, case: impl Display, result: Result<T, E>) {
        let Err(error) = result else { panic!("this should have failed: {case}") };
        self.0 += &format!("{case}\n    {error}\n\n");
    }

    /// The same, with a word for the path or the system's message that is not the same everywhere.
    #[track_caller]
    pub fn add_with<T>(
        &mut self,
        case: impl Display,
        result: Result<T, DataError>,
        varies: &str,
        word: &str,
    ) {
        self.add(case, result.map_err(|error| error.to_string().replace(varies, word)));
    }
}

/// Adds the message of each expression, below the expression.
macro_rules! add {
    ($messages:ident, $($result:expr),+ $(,)?) => { $($messages.add(stringify!($result).replace('\n', " "), $result);)+ };
}

#[test]
fn messages() {
    let mut messages = Messages(String::new());
    for part in [
        tables,
        features,
        options_of_tables,
        fields,
        targets,
        new_rows,
        encoders,
        words,
        parts,
        changed_sets,
        files_of_mnist,
        images,
        sources,
        preprocessing,
        labels,
        rankings,
        metrics_by_class_and_of_numbers,
        crate::numpy::messages,
        panics,
    ] {
        part(&mut messages);
    }
    expect_file!["messages.txt"].assert_eq(&messages.0);
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

struct Broken;
impl std::io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the line went dead"))
    }
}

fn tables(m: &mut Messages) {
    m.part("names of sets");
    add!(m, Dataset::named("mnist"), Dataset::named("breast-cancer"));

    m.part("tables named flowers.csv, with the label column \"species\"");
    let pixels = Vec::from_iter((0..784).map(|k| format!("p{k}"))).join(",");
    let rest = "3,4,b\n".repeat(100);
    let quotes = ["petal,sepal,species\n1,\"2,a\n", "petal,species\n\"1,a\n"];
    for (case, table) in [
        ("without a header", ""),
        ("without a header", "\n\n"),
        ("without a header", "\u{feff}"),
        ("a misspelt label column", "petal,sepal,speices\n1,2,a\n"),
        ("no such label column", "petal,sepal\n1,2\n"),
        ("more columns than a message can list", &pixels),
        ("a row as the header", "5.1,3.5,setosa\n4.9,3.0,setosa\n"),
        ("another delimiter", "petal;species\n1;a\n2;b\n"),
        ("a column twice", "\npetal,sepal,petal,species\n1,2,3,a\n"),
        ("the label column twice", "species,petal,species\na,1,a\n"),
        ("nothing but labels", "species\na\nb\n"),
        ("a short row", "petal,sepal,species\n1,2,a\n3,4\n"),
        ("a long row", "petal,sepal,species\n1,2,a\n3,4,b,c\n"),
        ("a number missing", "petal,sepal,species\n1,2,a\n3, ,b\n"),
        ("a label missing", "petal,sepal,species\n1,2,\n3,4,b\n"),
        ("text among the numbers", "petal,sepal,species\r\n1,2,a\r\n3,wide,b\r\n"),
        ("a quote that is not closed", &format!("{}{rest}", quotes[0])),
        ("a quote that is closed late", &format!("{}{rest}\",b\n", quotes[1])),
        ("a number that is not finite", "petal,species\n1,a\ninf,b\n"),
        ("a number that is not finite", "petal,species\n1,a\n-Infinity,b\n"),
        ("a number that is not finite", "petal,species\n1,a\n1e999,b\n"),
        ("no rows", "petal,species\n"),
        ("one class", "petal,species\n1,setosa\n2,setosa\n"),
    ] {
        let shown: String = table.chars().take(60).collect();
        let result = Dataset::from_csv(table.as_bytes(), "flowers.csv", "species");
        m.add(format!("{case}: {shown:?}"), result);
    }
    let latin1 = &b"petal,species\n1,a\n2,caf\xE9\n"[..];
    m.add("not UTF-8", Dataset::from_csv(latin1, "flowers.csv", "species"));
    m.add("a reader that fails", Dataset::from_csv(Broken, "flowers.csv", "species"));

    // the cause is the system's
    let error = Dataset::from_csv_path("no/such/flowers.csv", "species").unwrap_err();
    let cause = error.source().unwrap().to_string();
    m.add_with("a file that is not there", Err::<(), _>(error), &cause, "CAUSE");
    let path = std::env::temp_dir().join(format!("surprisal-{}.csv", std::process::id()));
    std::fs::write(&path, "x,species\n1,a\n?,b\n").unwrap();
    let result = Dataset::from_csv_path(&path, "species");
    std::fs::remove_file(&path).unwrap();
    m.add_with("a file that is there", result, path.to_str().unwrap(), "PATH");
}

fn features(m: &mut Messages) {
    m.part("features \"petal\" and \"sepal\" of new.csv");
    for table in [
        "sepal,colour\n1,2\n",
        "sepal,petl\n1,2\n",
        "species\na\n",
        "petal;sepal\n1;2\n",
        "5.1,3.5\n4.9,3.0\n",
        "petal,note,sepal,note,petal\n1,2,3,4,5\n",
        "sepal,species,petal\n1,,2\n3,,wide\n",
        "sepal,species,petal\n1,,2\n3,,\n",
        "sepal,species,petal\n1,,2\n3,,inf\n",
        "petal,sepal,species\n1,2\n",
        "",
        "petal,sepal\n",
    ] {
        m.add(format!("{table:?}"), features_from_csv(table.as_bytes(), "new.csv", &["petal", "sepal"]));
    }
    let pixels: Vec<String> = (0..784).map(|k| format!("p{k}")).collect();
    m.add("784 columns", features_from_csv("species\na\n".as_bytes(), "new.csv", &pixels));
    let error = features_from_csv_path("no/such/new.csv", &["petal"]).unwrap_err();
    let cause = error.source().unwrap().to_string();
    m.add_with("a file that is not there", Err::<(), _>(error), &cause, "CAUSE");
}

/// Options for a table whose target is "y".
fn y() -> CsvOptions {
    CsvOptions { target: Some("y".to_owned()), ..CsvOptions::default() }
}

fn table(text: &str, options: &CsvOptions) -> Result<Table, DataError> {
    Table::from_csv(text.as_bytes(), "t.csv", options)
}

fn options_of_tables(m: &mut Messages) {
    m.part("tables named t.csv, read with options");
    let categorical = |columns: &[&str]| Categorical::Columns(names(columns));
    let ignore = |column| CsvOptions { ignore: names(&[column]), ..y() };
    m.add("no target", table("x,y\n1,2\n", &CsvOptions::default()));
    let colours = "colour,width,y\nred,2,a\n";
    m.add(format!("ignore color: {colours:?}"), table(colours, &ignore("color")));
    for place in ["3", "-4"] {
        let options = CsvOptions { categorical: categorical(&[place]), ..y() };
        m.add(format!("categorical {place}: {colours:?}"), table(colours, &options));
    }
    m.add("ignore -1, the target", table("x,y\n1,2\n", &ignore("-1")));
    let both = CsvOptions { categorical: categorical(&["x"]), ..ignore("x") };
    m.add("ignore x, categorical x", table("x,y\n1,2\n", &both));

    let headless = CsvOptions { header: false, target: Some("-1".to_owned()), ..CsvOptions::default() };
    for text in ["\n", "1,2,a\n1,b\n"] {
        m.add(format!("no header: {text:?}"), table(text, &headless));
    }
    let names_of_rows = "name,y\nMiri,cat\nBello,dog\nMolly,cat\n";
    m.add(format!("a column of names: {names_of_rows:?}"), table(names_of_rows, &y()));
    let rows: String = (0..1001).map(|k| format!("{k},{}\n", k % 2)).collect();
    let named = CsvOptions { categorical: categorical(&["name"]), ..y() };
    m.add("1001 categories", table(&format!("name,y\n{rows}"), &named));
    let source = "iris".parse::<DataSource>().unwrap();
    let dropping = CsvOptions { missing: Missing::Drop, ..CsvOptions::default() };
    m.add("iris, missing drop", source.open(&dropping, &mut rng()));
}

fn fields(m: &mut Messages) {
    m.part("fields of tables");
    let error = CsvOptions { missing: Missing::Error, ..y() };
    for text in ["x,y\n1,a\nn/a,b\n", "x,y\n1,a\nNA,b\n", "x,y\n1,a\n2,?\n"] {
        m.add(format!("missing error: {text:?}"), table(text, &error));
    }
    let text = "x,y\n1,\nnull,b\n";
    m.add(format!("missing drop: {text:?}"), table(text, &CsvOptions { missing: Missing::Drop, ..y() }));
    for text in [
        "z,y\n,a\nnan,b\n",
        "z,y\n1,\n2,?\n",
        "x,y\n1,a\nwide,b\n",
        "x,y\n1,a\n2,a\n-,b\n",
        "x,y\n1,a\n2,a\nunknown,b\n",
        "x,y\nwide,a\n1,b\n",
        "x,y\n1,\"a\"b\n",
        "x,y\n1,a\n2,\"b\n3,a\n4,\"b\n",
        "x,y\n1,\"a \\\"b\\\" c\"\n",
    ] {
        m.add(format!("{text:?}"), table(text, &y()));
    }
    // whatever reads them
    for text in [
        "x,y\n1,a\n2,\"b\n3,a\n",
        "x,y\n\"1,a\n2,b\n",
        "x,y\n1,\"a\nb\"\n\"2,b\n",
        "x,\"y\n1,a\n2,b\n",
        "x,y\n9007199254740992,a\n9007199254740993,b\n",
    ] {
        let error = table(text, &y()).unwrap_err().to_string();
        for other in [
            Dataset::from_csv(text.as_bytes(), "t.csv", "y").map(drop),
            features_from_csv(text.as_bytes(), "t.csv", &["x"]).map(drop),
        ] {
            assert_eq!(other.unwrap_err().to_string(), error);
        }
        m.add(format!("{text:?}"), Err::<(), _>(error));
    }

    m.part("numbers in another notation");
    for (first, second) in [
        ("\"36,5\"", "\"37,1\""),
        ("\"1,200\"", "950"),
        ("1 200", "1 300"),
        ("1.200.000", "1.300.000"),
        ("10%", "12%"),
        ("$5", "$6"),
        ("5 kg", "6 kg"),
        ("2024-03-31", "2024-04-01"),
        ("31.3.2024", "1.4.2024"),
        ("12:30", "12:45"),
        ("0x1F", "0x20"),
        ("(12)", "(13)"),
        ("1_000", "2_000"),
    ] {
        let of = |rows| {
            table(&format!("x,y\n{}", format!("{first},a\n{second},b\n").repeat(rows)), &y()).unwrap_err()
        };
        assert_eq!(of(5).to_string(), of(1).to_string()); // however often each comes
        m.add(format!("{first}, {second}"), Err::<(), _>(of(1)));
    }
}

fn targets(m: &mut Messages) {
    m.part("targets of tables");
    let rows: String = (0..30).map(|k| format!("1,{k}.5\n")).collect();
    m.add("30 numbers and a text", table(&format!("x,y\n{rows}1,high\n"), &y()));
    let text = "x,y\n1,36.5\n1,\"36,5\"\n2,\"37,5\"\n";
    m.add(format!("{text:?}"), table(text, &y()));
    for text in ["x,y\n1,2\n1,high\n", "x,y\n1,2.5\n2,2.5\n"] {
        m.add(format!("regression: {text:?}"), table(text, &CsvOptions { task: Task::Regression, ..y() }));
    }
}

/// Of columns "colour" (red, green; green if missing) and "width" (nothing if missing).
fn encoder() -> Encoder {
    let colour = Encoding::OneHot { categories: names(&["red", "green"]), fill: Some(1) };
    let width = Encoding::Number { fill: None, offset: 1.0, scale: 2.0 };
    let column = |name: &str, encoding| EncodedColumn { name: name.to_owned(), encoding };
    Encoder { columns: vec![column("colour", colour), column("width", width)] }
}

fn new_rows(m: &mut Messages) {
    m.part("rows of new.csv for an encoder of \"colour\" and \"width\"");
    for text in [
        "color,widht,kind\nred,1,a\n",
        "colour;width\nred;1\n",
        "width,colour\n1,\n2,geen\n",
        "width,colour\n?,red\n",
        "width,colour\nwide,red\n",
        "width,colour\n\"1,5\",red\n",
    ] {
        let options = CsvOptions::default();
        m.add(format!("{text:?}"), encoder().read_csv(text.as_bytes(), "new.csv", &options, Unseen::Error));
    }

    m.part("another table for this encoder");
    for (text, missing) in [
        ("colour,widht,y\nred,1,a\nred,2,b\n", Missing::Error),
        ("colour,width,y\n1,1,a\n2,2,b\n", Missing::Error),
        ("colour,width,y\nred,big,a\nred,big,b\n", Missing::Error),
        ("colour,width,y\nred,1,a\nred,,b\n", Missing::Mean),
        ("colour,width,y\nred,1,a\nred,2,b\nblue,2,b\nblue,3,a\n", Missing::Error),
    ] {
        let table = table(text, &CsvOptions { missing, ..y() }).unwrap();
        m.add(format!("{text:?}"), encoder().apply(&table));
    }
    add!(m, encoder().apply_array(&array![[1.0]]), encoder().apply_array(&array![[1.0, 2.0]]));
}

fn encoders(m: &mut Messages) {
    m.part("encoders");
    let standardize = Preprocess::Standardize(Standardize::fit(&array![[1.0, 2.0]]).unwrap());
    add!(m, Encoder::of_numbers(&names(&["x"]), &standardize));
    let categorical = Categorical::Columns(names(&["c"]));
    let options = CsvOptions { missing: Missing::Mean, categorical, ..y() };
    let filled = table("x,c,y\n,red,a\n2,,b\n", &options).unwrap();
    for row in [0, 1] {
        m.add(format!("Encoder::fit, row {row} alone"), Encoder::fit(&filled.select(&[row]), Scaling::None));
    }
    let number = |fill, offset, scale| Encoding::Number { fill, offset, scale };
    let one_hot = |categories: &[&str], fill| Encoding::OneHot { categories: names(categories), fill };
    encoder().check().unwrap();
    for encoding in [
        number(None, 0.0, 0.0),
        number(None, 0.0, INF),
        number(None, NAN, 1.0),
        number(Some(NAN), 0.0, 1.0),
        one_hot(&[], None),
        one_hot(&["a"; 1001], None),
        one_hot(&["a", "b", "a"], Some(2)),
        one_hot(&["a", "b"], Some(2)),
    ] {
        let shown: String = format!("{encoding:?}").chars().take(80).collect();
        let mut encoder = encoder();
        encoder.columns[1].encoding = encoding;
        m.add(format!("check, {shown}"), encoder.check());
    }
    let mut encoder = encoder();
    encoder.columns[1].name = "colour".to_owned();
    m.add("check, \"colour\" twice", encoder.check());
    encoder.columns.clear();
    m.add("check, no columns", encoder.check());

    let fitted = MinMax::fit(&array![[1.0], [2.0]]).unwrap();
    add!(
        m,
        MinMax::from_parts(vec![0.0], vec![1.0, 2.0]),
        MinMax::from_parts(vec![0.0, 0.5], vec![1.0, 0.0]),
        MinMax::fit(&array![[1.0], [INF]]),
        fitted.apply(&array![[1.0, 2.0]]),
    );
}

fn words(m: &mut Messages) {
    m.part("words");
    add!(
        m,
        "Regression".parse::<Task>(),
        "fill".parse::<Missing>(),
        "zero".parse::<Unseen>(),
        "standardise".parse::<Scaling>(),
        "divide:0".parse::<Scaling>(),
        "divide:-1".parse::<Scaling>(),
        "divide:inf".parse::<Scaling>(),
        "divide:x".parse::<Scaling>(),
        "divide:".parse::<Scaling>(),
    );
    for found in ["", ";;", "x", "5", ".", "\"", "\n", "é"] {
        m.add(format!("delimiter {found:?}"), CsvOptions::parse_delimiter(found));
    }
}

fn parts(m: &mut Messages) {
    m.part("parts and folds");
    for shares in [&[1.0][..], &[0.5, 0.6], &[1.2, -0.2], &[0.5, NAN], &[]] {
        m.add(format!("split_rows(9, {shares:?})"), split_rows(9, shares, &mut rng()));
    }
    add!(
        m,
        split_rows(2, &[0.6, 0.2, 0.2], &mut rng()),
        stratified_split_rows(&[0, 0, 0, 7], &[0.5, 0.5], &mut rng()),
        k_fold(9, 0, &mut rng()),
        k_fold(9, 1, &mut rng()),
        k_fold(9, 10, &mut rng()),
        stratified_k_fold(&[0, 0, 0, 1, 1], 3, &mut rng()),
    );
    let options = CsvOptions { target: Some("species".to_owned()), ..CsvOptions::default() };
    let source = "datasets/iris.csv".parse::<DataSource>().unwrap();
    m.add("datasets/iris.csv, 51 folds", source.open(&options, &mut rng()).unwrap().k_fold(51, &mut rng()));
    for fraction in [0.0, 1.0, -0.2, 20.0, NAN] {
        m.add(
            format!("stratified_split, {fraction}"),
            stratified_split(&Dataset::iris(), fraction, &mut rng()),
        );
    }
    let one_versicolor = Dataset::iris().select(&[0, 1, 2, 50, 100, 101]);
    let mut unlabeled = Dataset::iris();
    unlabeled.targets.labels_mut().truncate(100);
    add!(
        m,
        stratified_split(&one_versicolor, 0.5, &mut rng()),
        stratified_split(&unlabeled, 0.5, &mut rng()),
        balanced_weights(&[0, 2], 3),
        balanced_weights(&[0, 2], 2),
        Batches::new(10, 0),
        Batches::new(10, 11),
        Batches::new(0, 32),
    );
}

fn changed_sets(m: &mut Messages) {
    m.part("sets filled or changed by hand");
    let of = |values| Dataset { targets: Targets::Values(values), ..Dataset::iris() };
    let regression = of(vec![0.5; 150]);
    regression.check().unwrap();
    m.add("149 values", of(vec![0.5; 149]).check());
    m.add("a value NaN", of([vec![0.5; 149], vec![NAN]].concat()).check());
    let changed = |change: fn(&mut Dataset)| {
        let mut set = Dataset::iris();
        change(&mut set);
        set.check()
    };
    m.add("149 labels", changed(|set| set.targets.labels_mut().truncate(149)));
    m.add("5 feature names", changed(|set| set.feature_names.push("colour".to_owned())));
    for shape in [[1, 2, 3], [0, 2, 2], [usize::MAX, 2, 2]] {
        let image = Dataset { image_shape: Some(shape), ..Dataset::iris() };
        m.add(format!("image shape {shape:?}"), image.check());
    }
    m.add("a label 3", changed(|set| set.targets.labels_mut()[7] = 3));
    let (iris, rng) = (Dataset::iris, &mut rng());
    let setosa = iris().only_classes(&["setosa"]).unwrap();
    add!(
        m,
        iris().select(&[]).check(),
        regression.with_class_order(&["a", "b"]),
        iris().with_class_order(&["virginica", "setosa"]),
        iris().with_class_order(&["virginica", "setosa", "virginica", "versicolor"]),
        iris().only_classes(&["setosa", "virginca"]),
        iris().only_classes(&["setosa", "setosa"]),
        iris().only_classes(&[] as &[&str]),
        iris().with_label_noise(-0.1, rng),
        iris().with_label_noise(1.5, rng),
        iris().with_label_noise(NAN, rng),
        setosa.with_label_noise(0.1, rng),
        iris().imbalanced(&[100, 5], rng),
        iris().imbalanced(&[0, 0, 0], rng),
    );
}

fn files_of_mnist(m: &mut Messages) {
    m.part("IDX files named digits.idx");
    let whole = idx(&[60_000, 28, 28], &[]);
    let short = idx(&[2, 2, 3], &[0; 11]);
    let mut files = vec![
        ("nothing".to_string(), Vec::new()),
        ("another file".to_string(), b"P5 28 28".to_vec()),
        ("another file".to_string(), vec![0, 1]),
        ("no dimensions".to_string(), idx(&[], &[1])),
        ("2^60 elements".to_string(), idx(&[1 << 30, 1 << 30], &[])),
        ("2^30 + 1 elements".to_string(), idx(&[(1 << 30) + 1], &[])),
        ("9 dimensions".to_string(), idx(&[u32::MAX; 9], &[])),
        ("11 elements".to_string(), short.clone()),
        ("no elements".to_string(), short[..16].to_vec()),
        ("13 elements".to_string(), idx(&[2, 2, 3], &[0; 13])),
    ];
    files.extend((1..16).map(|length| (format!("{length} bytes of the header"), whole[..length].to_vec())));
    for element in [0x09, 0x0b, 0x0c, 0x0d, 0x0e, 0x0a, 0x00] {
        let mut file = idx(&[2], &[1, 2]);
        file[2] = element;
        files.push((format!("elements of type {element:#04x}"), file));
    }
    for (case, file) in files {
        let message = |file: &[u8]| read_idx(file, "digits.idx").map_err(|error| error.to_string());
        assert_eq!(message(&gzip(&file)), message(&file));
        m.add(case, message(&file));
    }
    let after = |file: &'static [u8]| read_idx(std::io::Read::chain(file, Broken), "digits.idx");
    assert!(after(&[0]).unwrap_err().source().is_some());
    add!(m, after(&[]), after(&[0, 0, 8, 1, 0, 0, 0, 9, 1, 2]));

    // the place of the damage and the cause are the unpacking's
    let noise: Vec<u8> = (0..1000u32).map(|k| (k * k / 7 + k) as u8).collect();
    let packed = gzip(&idx(&[1000], &noise));
    let damaged = |at: usize| [&packed[..at], &[!packed[at]], &packed[at + 1..]].concat();
    let last = packed.len() - 1;
    for (case, file, first_byte) in [
        ("a damaged gzip header", damaged(2), 0..1),
        ("a damaged checksum", damaged(last - 5), 1008..1009),
        ("a damaged length", damaged(last), 1008..1009),
        ("a gzip file cut short", packed[..last / 2].to_vec(), 1..1008),
        ("a gzip file with a byte more", [&packed[..], b"!"].concat(), 1008..1009),
    ] {
        let error = read_idx(&file[..], "digits.gz").unwrap_err();
        let ErrorKind::Idx(at) = error.kind() else { panic!("{error}") };
        assert!(first_byte.contains(&at.byte), "{error}");
        let cause = error.source().unwrap().to_string();
        let shown =
            error.to_string().replace(&cause, "CAUSE").replace(&format!("byte {}", at.byte), "byte N");
        m.add(case, Err::<(), _>(shown));
    }

    m.part("folders of MNIST");
    add!(m, Dataset::mnist("no/such/folder"));
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"] {
        let folder = Folder::mnist(&format!("without-{name}")).without(name);
        let path = folder.path().to_str().unwrap();
        m.add_with(format!("without {name}"), Dataset::mnist(folder.path()), path, "DIR");
    }
    let (train_images, train_labels) = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte");
    for (case, name, file) in [
        ("damaged", "t10k-labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 0, 2, 1][..]),
        ("labels-for-images", train_images, &idx(&[3], &[1, 0, 2])),
        ("images-for-labels", train_labels, &idx(&[3, 2, 3], &[0; 18])),
        ("no-images", train_images, &idx(&[0, 2, 3], &[])),
        ("no-pixels", train_images, &idx(&[3, 0, 3], &[])),
        ("2-labels", train_labels, &idx(&[2], &[0; 2])),
        ("4-labels", train_labels, &idx(&[4], &[0; 4])),
        ("two-sizes", "t10k-images-idx3-ubyte", &idx(&[2, 3, 2], &[0; 12])),
    ] {
        let folder = Folder::mnist(case).with(name, file);
        m.add_with(case, Dataset::mnist(folder.path()), folder.path().to_str().unwrap(), "DIR");
    }
}

/// Each case changes one file of a folder that is right.
fn images(m: &mut Messages) {
    const GRAY: ColorType = ColorType::Grayscale;
    let gray = |width: u32, height: u32| {
        png([width, height], GRAY, BitDepth::Eight, &vec![1; (width * height) as usize])
    };
    let right = |test: &str| {
        let folder = Folder::new(&format!("images-{test}"));
        folder.with("cat/1.png", &gray(3, 2)).with("cat/2.png", &gray(3, 2)).with("dog/1.png", &gray(3, 2))
    };
    // a header of another size, in a file of so many bytes
    let claims = |size: u32, bytes: usize| {
        let mut file = gray(3, 2);
        file[16..24].copy_from_slice(&[size.to_be_bytes(), size.to_be_bytes()].concat());
        let checksum = crc32fast::hash(&file[12..29]);
        file[29..33].copy_from_slice(&checksum.to_be_bytes());
        file.resize(bytes.max(file.len()), 0);
        file
    };

    m.part("folders of images with two classes, of 1 x 2 x 3");
    add!(m, Dataset::from_image_folder("no/such/folder"));
    for (case, name, file) in [
        ("another-size", "cat/2.png", gray(2, 3)),
        ("rgb", "dog/1.png", png([3, 2], ColorType::Rgb, BitDepth::Eight, &[1; 18])),
        ("empty-file", "cat/1.png", Vec::new()),
        ("no-png", "cat/1.png", b"GIF89a and more".to_vec()),
        ("truncated", "cat/1.png", gray(3, 2)[..50].to_vec()),
        ("huge-header", "cat/1.png", claims(i32::MAX as u32, 0)),
        ("huge-header-later", "dog/1.png", claims(i32::MAX as u32, 0)),
        ("too-many-numbers", "cat/1.png", claims(20_000, 1 << 19)),
        ("jpeg-file", "cat/3.jpg", b"...".to_vec()),
    ] {
        let folder = right(case).with(name, &file);
        m.add_with(case, Dataset::from_image_folder(folder.path()), folder.path().to_str().unwrap(), "DIR");
    }
    let empty = right("empty").without("dog/1.png");
    m.add_with("empty", Dataset::from_image_folder(empty.path()), empty.path().to_str().unwrap(), "DIR");
    let folder = right("one-class");
    let cats = folder.path().join("cat");
    m.add_with("no-classes", Dataset::from_image_folder(&cats), folder.path().to_str().unwrap(), "DIR");

    m.part("images of 2 rows and 3 columns with masks of 2 classes");
    let mask = |samples: &[u8]| png([3, 2], GRAY, BitDepth::Eight, samples);
    for (case, name, file) in [
        ("mask-size", "masks/1.png", gray(2, 2)),
        ("mask-class", "masks/1.png", mask(&[0, 1, 255, 0, 1, 2])),
        ("mask-rgb", "masks/1.png", png([3, 2], ColorType::Rgb, BitDepth::Eight, &[1; 18])),
        ("mask-16", "masks/1.png", png([3, 2], GRAY, BitDepth::Sixteen, &[0; 12])),
        ("no-mask", "images/2.png", gray(3, 2)),
        ("no-image", "masks/2.png", gray(3, 2)),
    ] {
        let folder = Folder::new(case).with("images/1.png", &gray(3, 2)).with("masks/1.png", &gray(3, 2));
        let folder = folder.with(name, &file);
        m.add_with(case, Dataset::from_image_masks(folder.path()), folder.path().to_str().unwrap(), "DIR");
    }
    let named = |names: &str| {
        let folder =
            Folder::new("three").with("images/1.png", &gray(3, 2)).with("masks/1.png", &mask(&[255; 6]));
        folder.with("classes.txt", names.as_bytes())
    };
    for (case, names) in
        [("3 classes", "sky\nsea\nland\n"), ("a class twice", "a\nb\na\n"), ("one class", "a\n\n")]
    {
        let folder = named(names);
        m.add_with(case, Dataset::from_image_masks(folder.path()), folder.path().to_str().unwrap(), "DIR");
    }

    m.part("channels");
    let iris = Dataset::iris().features;
    add!(m, Scaling::Channels.fit(&iris, None), Scaling::Channels.fit(&iris, Some([3, 2, 2])));
}

fn sources(m: &mut Messages) {
    m.part("names of data");
    for text in [
        "flowers",
        "",
        "some/folder",
        "mooons",
        "breast-cancer",
        "minst:folder",
        "Blobs:n=5",
        "iris:n=5",
        "iris:",
        "mnist",
        "mnist:",
        "images",
        "image:folder",
    ] {
        m.add(format!("{text:?}"), text.parse::<DataSource>());
    }
    for text in [
        "moons:n=500,factor=0.5",
        "blobs:clases=5",
        "moons:noise",
        "moons:",
        "moons:n=50,",
        "moons:500",
        "moons:n=50,noise=0,n=50",
        "moons:n=3",
        "moons:n=1e7",
        "moons:n=50.5",
        "moons:n=many",
        "moons:n=",
        "xor:noise=-0.1",
        "xor:noise=nan",
        "xor:noise=inf",
        "xor:noise=0.csv",
        "circles:factor=1",
        "blobs:classes=1",
        "blobs:features=0",
        "blobs:center_box=-1",
        "spirals:turns=101",
        "blobs:n=5", // two rows of each class
        "spirals:classes=100,n=199",
    ] {
        let error = text.parse::<DataSource>().unwrap_err();
        assert_eq!(text.parse::<Synthetic>().unwrap_err().to_string(), error.to_string());
        m.add(format!("{text:?}"), Err::<(), _>(error));
    }
    let rng = &mut rng();
    macro_rules! out_of_range {
        ($($call:expr),+ $(,)?) => { $(
            let error = $call.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Spec(SpecError::Setting(_))), "{error}");
            m.add(stringify!($call), Err::<(), _>(error));
        )+ };
    }
    out_of_range!(
        Dataset::xor(3, 0.0, rng),
        Dataset::moons(usize::MAX, 0.0, rng),
        Dataset::moons(100, NAN, rng),
        Dataset::circles(100, 0.0, 1.0, rng),
        Dataset::circles(100, -1.0, 0.8, rng),
        Dataset::blobs(5, 1.0, 3, 2, 10.0, rng),
        Dataset::blobs(100, 1.0, 0, 2, 10.0, rng),
        Dataset::spirals(100, 0.0, 2, -1.0, rng),
    );

    m.part("data and a label column");
    for (text, target) in
        [("no/such/flowers.csv", None), ("iris", Some("species")), ("mnist:no/such/folder", Some("species"))]
    {
        let source: DataSource = text.parse().unwrap();
        let error = opened(&source, target, rng).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Spec(_)), "{error}");
        assert_eq!(source.check_target(target).unwrap_err().to_string(), error.to_string());
        m.add(format!("{text}, {target:?}"), Err::<(), _>(error));
    }
}

fn opened(source: &DataSource, target: Option<&str>, rng: &mut ChaCha8Rng) -> Result<Loaded, DataError> {
    source.open(&CsvOptions { target: target.map(str::to_owned), ..CsvOptions::default() }, rng)
}

#[test]
fn source_whose_file_is_not_there_is_no_mistake_in_the_command() {
    for (text, target) in [("no/such/flowers.csv", Some("species")), ("mnist:no/such/folder", None)] {
        let source: DataSource = text.parse().unwrap();
        let error = opened(&source, target, &mut rng()).unwrap_err();
        assert!(!matches!(error.kind(), ErrorKind::Spec(_)), "{error}");
    }
}

fn preprocessing(m: &mut Messages) {
    m.part("preprocessing");
    add!(m, Standardize::fit(&Array2::zeros((0, 4))));
    for value in [NAN, -INF, 1.1e300] {
        m.add(format!("Standardize::fit, {value:?}"), Standardize::fit(&array![[1.0, 2.0], [3.0, value]]));
    }
    let fitted = Standardize::fit(&Dataset::iris().features).unwrap();
    for columns in [1, 3, 5] {
        m.add(format!("Standardize::apply, {columns} columns"), fitted.apply(&Array2::zeros((2, columns))));
    }
    add!(m, Preprocess::Standardize(fitted.clone()).apply(&array![[1.0, 2.0]]));
    for (means, scales) in [(0, 0), (2, 1), (0, 1)] {
        let result = Standardize::from_parts(vec![0.0; means], vec![1.0; scales]);
        m.add(format!("Standardize::from_parts, {means} means, {scales} scales"), result);
    }
    for (mean, scale) in [(NAN, 1.0), (-INF, 1.0), (0.5, 0.0), (0.5, -2.0), (0.5, NAN), (0.5, INF)] {
        let result = Standardize::from_parts(vec![0.0, mean], vec![1.0, scale]);
        m.add(format!("Standardize::from_parts, mean {mean}, scale {scale}"), result);
    }
    for divisor in [0.0, -16.0, NAN, INF] {
        let error = Preprocess::divide(divisor).unwrap_err();
        let applied = Preprocess::Divide(divisor).apply(&array![[1.0]]).unwrap_err();
        assert_eq!(applied.to_string(), error.to_string());
        m.add(format!("Preprocess::divide({divisor})"), Err::<(), _>(error));
    }
}

fn labels(m: &mut Messages) {
    m.part("labels and predictions");
    let diverged = array![[0.5, 0.5], [NAN, NAN]];
    add!(
        m,
        one_hot(&[0, 2, 3], 3),
        accuracy(&[0, 1], &[0, 1, 1]),
        accuracy(&[], &[]),
        roc_curve(&[0, 1, 1], &[0.1, 0.2]),
        brier_score_loss(&[0, 1, 1], &[0.1, 0.2]),
        confusion_matrix(&[0, 1, 1], &[0, 1], 2),
        calibration(&[0, 1, 1], &[0.1, 0.2], 10),
        top_label_calibration(&[0, 1, 1], array![[0.1, 0.9], [0.2, 0.8]].view(), 10),
        roc_auc_score(&[], &[]),
        average_precision_score(&[0, 1, 2], &[0.1, 0.2, 0.3]),
        recall_score(&[0, 1, 2], &[0, 3, 1], 3),
        top_label_calibration(&[3], array![[0.1, 0.9, 0.0]].view(), 10),
        log_loss(&[0, 1], array![[0.5, 0.5], [0.5, 0.75]].view()),
        calibration(&[1], &[0.5], 0),
        calibration(&[1], &[0.5], 10_001),
        top_k_accuracy_score(&[0, 1], array![[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]].view(), 0),
        top_k_accuracy_score(&[0, 1], array![[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]].view(), 3),
        top_k_accuracy_score(&[1, 0], diverged.view(), 1),
    );
    // nothing that is not a number counts as class 0
    for name in ["accuracy", "f1_macro", "top2_accuracy", "log_loss", "roc_auc"] {
        let metric: Metric = name.parse().unwrap();
        m.add(format!("{name} of NaN"), metric.of_classes(&[1, 0], diverged.view()));
    }
    for found in [1.5, -1e-9, NAN] {
        m.add(format!("brier_score_loss, {found:?}"), brier_score_loss(&[0, 1], &[0.5, found]));
        let probabilities = array![[0.5, 0.5], [0.9, found]];
        m.add(
            format!("top_label_calibration, {found:?}"),
            top_label_calibration(&[0, 1], probabilities.view(), 10),
        );
    }
}

fn rankings(m: &mut Messages) {
    m.part("rankings");
    add!(
        m,
        precision_recall_curve(&[0, 0, 0], &[0.1, 0.2, 0.3]),
        precision_recall_curve(&[1, 1, 1], &[0.1, 0.2, 0.3]),
        roc_auc_score(&[0, 1, 1], &[0.1, NAN, 0.3]),
        roc_auc_score(&[0, 1, 1], &[0.1, INF, 0.3]),
        roc_auc_score(&[0, 1, 1], &[0.1, -INF, 0.3]),
        precision_recall_f1(&[0, 1], &[0.1, 0.2], NAN),
    );
}

fn metrics_by_class_and_of_numbers(m: &mut Messages) {
    m.part("metrics by class");
    let (labels, predicted, names) = ([0, 1, 2], [0, 3, 1], ["a", "b", "c"]);
    add!(
        m,
        precision_recall_fscore_support(&labels, &predicted, 3),
        precision_recall_fscore_average(&labels, &predicted, 3, Average::Macro),
        balanced_accuracy_score(&labels, &predicted, 3),
        matthews_corrcoef(&labels, &predicted, 3),
        ClassificationReport::new(&labels, &predicted, &names),
        ConfusionTable::new(&labels, &predicted, &names),
    );
    m.part("metrics of numbers");
    add!(
        m,
        mean_squared_error(&[1.0, 2.0, 3.0], &[1.0, 2.0]),
        mean_absolute_error(&[], &[]),
        root_mean_squared_error(&[1.0, NAN], &[1.0, 2.0]),
        r2_score(&[1.0, 2.0], &[1.0, NAN]),
        r2_score(&[1.0, 2.0], &[1.0, -INF]),
        r2_score(&[1.0, 2.0], &[1.0, 2e150]),
        r2_score(&[1.0], &[1.0]),
    );
    m.part("metrics by name");
    let three = array![[0.5, 0.3, 0.2]];
    add!(
        m,
        Metric::RootMeanSquaredError.of_classes(&[0], three.view()),
        Metric::Accuracy.of_numbers(&[0.0], &[0.0]),
        Metric::RocAuc.of_classes(&[0], three.view()),
        "accurcy".parse::<Metric>(),
        "top0_accuracy".parse::<Metric>(),
        "speed".parse::<Metric>(),
    );
}

fn panics(m: &mut Messages) {
    m.part("panics");
    macro_rules! panics {
        ($($code:expr),+ $(,)?) => { $(m.add(stringify!($code), Err::<(), _>(panic_of(|| $code).0));)+ };
    }
    panics!(
        gather_rows(array![[1, 2], [3, 4]].view(), &[0, 1], &mut [0; 3]),
        gather_rows(array![[1, 2], [3, 4]].view(), &[0, 2], &mut [0; 4]),
        argmax_rows(&ndarray::arr0(1.0)),
        argmax_rows(&Array2::<f64>::zeros((2, 0))),
        Dataset::iris().select(&[0, 150]),
    );
}

#[test]
fn error_is_small_travels_and_shows_its_message_from_main() {
    fn travels<T: Error + Send + Sync + 'static>() {}
    travels::<DataError>();
    assert_eq!(size_of::<DataError>(), size_of::<usize>());
    let error = Batches::new(10, 0).unwrap_err();
    assert_eq!(format!("{error:?}"), format!("{error}"));
    assert!(matches!(error.kind(), ErrorKind::BatchSize { batch_size: 0, rows: 10 }));
}
