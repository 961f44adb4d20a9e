//! Every error message of the crate, whole: what a user reads is part of the interface.

use crate::made_files::{Folder, gzip, idx};
use ndarray::{Array2, array};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use surprisal_data::metrics::{
    Average, ClassificationReport, ConfusionTable, Metric, average_precision_score, balanced_accuracy_score,
    brier_score_loss, calibration, confusion_matrix, log_loss, matthews_corrcoef, mean_absolute_error,
    mean_squared_error, precision_recall_curve, precision_recall_f1, precision_recall_fscore_average,
    precision_recall_fscore_support, r2_score, recall_score, roc_auc_score, roc_curve,
    root_mean_squared_error, top_k_accuracy_score, top_label_calibration,
};
use surprisal_data::{
    Batches, Categorical, CsvOptions, CsvProblem, DataError, DataSource, Dataset, EncodedColumn, Encoder,
    Encoding, ErrorKind, MinMax, Missing, Preprocess, Scaling, SpecError, Standardize, Synthetic, Table,
    Targets, Task, Unseen, accuracy, balanced_weights, features_from_csv, features_from_csv_path, k_fold,
    one_hot, read_idx, split_rows, stratified_k_fold, stratified_split, stratified_split_rows,
};

#[track_caller]
fn assert_message<T: std::fmt::Debug>(result: Result<T, DataError>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

/// The message for a table named flowers.csv with the label column "species".
#[track_caller]
fn assert_csv_message(table: impl AsRef<[u8]>, message: &str) {
    assert_message(Dataset::from_csv(table.as_ref(), "flowers.csv", "species"), message);
}

// names of sets

#[test]
fn unknown_dataset_lists_the_known_ones() {
    assert_message(
        Dataset::named("mnist"),
        "no data set is named \"mnist\" | known: iris, breast_cancer, digits, penguins",
    );
}

#[test]
fn unknown_dataset_asks_about_a_near_name() {
    assert_message(
        Dataset::named("breast-cancer"),
        "no data set is named \"breast-cancer\" | known: iris, breast_cancer, digits, penguins \
         | did you mean \"breast_cancer\"?",
    );
}

// tables

#[test]
fn csv_file_that_is_not_there() {
    let error = Dataset::from_csv_path("no/such/flowers.csv", "species").unwrap_err();
    let ErrorKind::Csv(csv) = error.kind() else { panic!("{error}") };
    let CsvProblem::Unreadable(cause) = &csv.problem else { panic!("{error}") };
    // the words of the cause are the system's
    assert_eq!(
        error.to_string(),
        format!("no/such/flowers.csv: cannot be read: {cause} | is the path right?")
    );
    assert!(error.source().is_some());
}

#[test]
fn csv_reader_that_fails() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line went dead"))
        }
    }
    assert_message(
        Dataset::from_csv(Broken, "flowers.csv", "species"),
        "flowers.csv: cannot be read: the line went dead | is the path right?",
    );
}

#[test]
fn csv_path_stands_in_the_message() {
    let path = std::env::temp_dir().join(format!("surprisal-{}.csv", std::process::id()));
    std::fs::write(&path, "x,species\n1,a\n?,b\n").unwrap();
    let result = Dataset::from_csv_path(&path, "species");
    std::fs::remove_file(&path).unwrap();
    assert_message(
        result,
        &format!(
            "{}, line 3, column \"x\": expected a value, found \"?\", a word for a missing value \
             | fill it in, or choose --missing drop (leaves the row out) or --missing mean",
            path.display()
        ),
    );
}

#[test]
fn csv_that_is_not_utf8() {
    assert_csv_message(
        b"petal,species\n1,a\n2,caf\xE9\n",
        "flowers.csv, line 3: expected UTF-8 text, found the byte 0xE9 | save the table as UTF-8",
    );
}

#[test]
fn csv_without_a_header() {
    for empty in ["", "\n\n", "\u{feff}"] {
        assert_csv_message(
            empty,
            "flowers.csv: expected a header line with the names of the columns, found nothing | is the file empty?",
        );
    }
}

#[test]
fn csv_with_a_misspelt_label_column() {
    assert_csv_message(
        "petal,sepal,speices\n1,2,a\n",
        "flowers.csv: expected a label column named \"species\", found the columns \"petal\", \"sepal\", \"speices\" \
         | did you mean \"speices\"?",
    );
}

#[test]
fn csv_with_no_such_label_column() {
    assert_csv_message(
        "petal,sepal\n1,2\n",
        "flowers.csv: expected a label column named \"species\", found the columns \"petal\", \"sepal\"",
    );
}

#[test]
fn csv_with_more_columns_than_a_message_can_list() {
    let pixels: Vec<String> = (0..784).map(|k| format!("p{k}")).collect();
    let listed: Vec<String> = pixels[..40].iter().map(|name| format!("{name:?}")).collect();
    assert_csv_message(
        pixels.join(","),
        &format!(
            "flowers.csv: expected a label column named \"species\", found the columns {} and 744 more",
            listed.join(", ")
        ),
    );
}

#[test]
fn csv_whose_header_is_a_row() {
    assert_csv_message(
        "5.1,3.5,setosa\n4.9,3.0,setosa\n",
        "flowers.csv: expected a label column named \"species\", found the columns \"5.1\", \"3.5\", \"setosa\" \
         | is the header line missing?",
    );
}

#[test]
fn csv_with_other_separators() {
    assert_csv_message(
        "petal;species\n1;a\n2;b\n",
        "flowers.csv: expected a label column named \"species\", found the columns \"petal;species\" \
         | set the delimiter with --separator",
    );
}

#[test]
fn csv_with_a_duplicate_column() {
    assert_csv_message(
        "\npetal,sepal,petal,species\n1,2,3,a\n",
        "flowers.csv, line 2, column \"petal\": expected one column of this name, found it as column 1 and as column 3 \
         | rename one of them",
    );
}

#[test]
fn csv_with_two_label_columns() {
    assert_csv_message(
        "species,petal,species\na,1,a\n",
        "flowers.csv, line 1, column \"species\": expected one column of this name, found it as column 1 and as column 3 \
         | rename one of them",
    );
}

#[test]
fn csv_with_nothing_but_labels() {
    assert_csv_message(
        "species\na\nb\n",
        "flowers.csv: expected columns to predict from beside the label column \"species\", found none \
         | does --separator say what stands between the fields?",
    );
}

#[test]
fn csv_row_that_is_too_short() {
    assert_csv_message(
        "petal,sepal,species\n1,2,a\n3,4\n",
        "flowers.csv, line 3, column \"species\": expected 3 fields, as in the header, found 2 \
         | is a value missing, or the line truncated?",
    );
}

#[test]
fn csv_row_that_is_too_long() {
    assert_csv_message(
        "petal,sepal,species\n1,2,a\n3,4,b,c\n",
        "flowers.csv, line 3: expected 3 fields, as in the header, found 4 \
         | a value that contains the delimiter must be in double quotes",
    );
}

#[test]
fn csv_number_that_is_missing() {
    assert_csv_message(
        "petal,sepal,species\n1,2,a\n3, ,b\n",
        "flowers.csv, line 3, column \"sepal\": expected a value, found an empty field \
         | fill it in, or choose --missing drop (leaves the row out) or --missing mean",
    );
}

#[test]
fn csv_label_that_is_missing() {
    assert_csv_message(
        "petal,sepal,species\n1,2,\n3,4,b\n",
        "flowers.csv, line 2, column \"species\": expected a value, found an empty field \
         | fill it in, or leave the row out, as --missing drop does",
    );
}

#[test]
fn csv_text_among_the_numbers() {
    assert_csv_message(
        "petal,sepal,species\r\n1,2,a\r\n3,wide,b\r\n",
        "flowers.csv, line 3, column \"sepal\": expected a number, found \"wide\" \
         | every column but the label column \"species\" must contain numbers",
    );
}

#[test]
fn csv_quote_that_is_not_closed_does_not_print_the_rest_of_the_file() {
    let table = format!("petal,sepal,species\n1,\"2,a\n{}", "3,4,b\n".repeat(100));
    assert_csv_message(
        table,
        "flowers.csv, line 2, column \"sepal\": expected a closing quote, found the end of the table \
         | close the quote that begins the field, or remove it",
    );
    let table = format!("petal,species\n\"1,a\n{}\",b\n", "2,b\n".repeat(100));
    assert_csv_message(
        table,
        "flowers.csv, line 2, column \"petal\": expected a number, \
         found \"1,a\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n\"... \
         | every column but the label column \"species\" must contain numbers",
    );
}

#[test]
fn csv_number_that_is_not_finite() {
    for found in ["inf", "-Infinity", "1e999"] {
        assert_csv_message(
            format!("petal,species\n1,a\n{found},b\n"),
            &format!(
                "flowers.csv, line 3, column \"petal\": expected a finite number, found \"{found}\" | correct the value, or leave the row out"
            ),
        );
    }
}

#[test]
fn csv_without_rows() {
    assert_csv_message(
        "petal,species\n",
        "flowers.csv: expected rows below the header, found none | is the file truncated?",
    );
}

#[test]
fn csv_of_one_class() {
    assert_csv_message(
        "petal,species\n1,setosa\n2,setosa\n",
        "flowers.csv, column \"species\": expected two classes or more, found \"setosa\" in all 2 rows \
         | is this the label column?",
    );
}

// features of new rows

#[track_caller]
fn assert_features_message(table: &str, message: &str) {
    assert_message(features_from_csv(table.as_bytes(), "new.csv", &["petal", "sepal"]), message);
}

#[test]
fn features_with_a_column_that_is_missing() {
    assert_features_message(
        "sepal,colour\n1,2\n",
        "new.csv: expected a column named \"petal\", found the columns \"sepal\", \"colour\"",
    );
    assert_features_message(
        "sepal,petl\n1,2\n",
        "new.csv: expected a column named \"petal\", found the columns \"sepal\", \"petl\" | did you mean \"petl\"?",
    );
}

#[test]
fn features_with_columns_that_are_missing() {
    assert_features_message(
        "species\na\n",
        "new.csv: expected columns named \"petal\", \"sepal\", found the columns \"species\"",
    );
    assert_features_message(
        "petal;sepal\n1;2\n",
        "new.csv: expected columns named \"petal\", \"sepal\", found the columns \"petal;sepal\" \
         | set the delimiter with --separator",
    );
    assert_features_message(
        "5.1,3.5\n4.9,3.0\n",
        "new.csv: expected columns named \"petal\", \"sepal\", found the columns \"5.1\", \"3.5\" \
         | is the header line missing?",
    );
}

#[test]
fn features_with_more_missing_columns_than_a_message_can_list() {
    let pixels: Vec<String> = (0..784).map(|k| format!("p{k}")).collect();
    let listed: Vec<String> = pixels[..40].iter().map(|name| format!("{name:?}")).collect();
    assert_message(
        features_from_csv("species\na\n".as_bytes(), "new.csv", &pixels),
        &format!(
            "new.csv: expected columns named {} and 744 more, found the columns \"species\"",
            listed.join(", ")
        ),
    );
}

#[test]
fn features_with_a_column_that_is_there_twice() {
    assert_features_message(
        "petal,note,sepal,note,petal\n1,2,3,4,5\n",
        "new.csv, line 1, column \"petal\": expected one column of this name, found it as column 1 and as column 5 \
         | rename one of them",
    );
}

#[test]
fn features_with_fields_that_are_no_numbers() {
    for (field, expected_and_found) in [
        (
            "wide",
            "expected a number, found \"wide\" | every column that the model reads must contain numbers",
        ),
        ("", "expected a value, found an empty field | fill it in, or leave the row out"),
        ("inf", "expected a finite number, found \"inf\" | correct the value, or leave the row out"),
    ] {
        assert_features_message(
            &format!("sepal,species,petal\n1,,2\n3,,{field}\n"),
            &format!("new.csv, line 3, column \"petal\": {expected_and_found}"),
        );
    }
}

#[test]
fn features_in_a_row_that_is_too_short() {
    assert_features_message(
        "petal,sepal,species\n1,2\n",
        "new.csv, line 2, column \"species\": expected 3 fields, as in the header, found 2 \
         | is a value missing, or the line truncated?",
    );
}

#[test]
fn features_of_nothing() {
    assert_features_message(
        "",
        "new.csv: expected a header line with the names of the columns, found nothing | is the file empty?",
    );
    assert_features_message(
        "petal,sepal\n",
        "new.csv: expected rows below the header, found none | is the file truncated?",
    );
}

#[test]
fn features_of_a_file_that_is_not_there() {
    let error = features_from_csv_path("no/such/new.csv", &["petal"]).unwrap_err();
    let cause = error.source().expect("the system's error");
    assert_eq!(error.to_string(), format!("no/such/new.csv: cannot be read: {cause} | is the path right?"));
}

// tables read with options

/// Options for a table whose target is "y".
fn y() -> CsvOptions {
    CsvOptions { target: Some("y".to_owned()), ..CsvOptions::default() }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

#[track_caller]
fn assert_table_message(table: &str, options: &CsvOptions, message: &str) {
    assert_message(Table::from_csv(table.as_bytes(), "t.csv", options), message);
}

#[test]
fn table_without_a_target() {
    assert_table_message(
        "x,y\n1,2\n",
        &CsvOptions::default(),
        "t.csv: expected the name of the label column, found none | a table needs one",
    );
}

#[test]
fn table_whose_options_name_no_column() {
    let columns = "\"colour\", \"width\", \"y\"";
    assert_table_message(
        "colour,width,y\nred,2,a\n",
        &CsvOptions { ignore: names(&["color"]), ..y() },
        &format!(
            "t.csv: --ignore: expected the name of a column, found \"color\" | the columns are {columns} \
             | did you mean \"colour\"?"
        ),
    );
    for place in ["3", "-4"] {
        assert_table_message(
            "colour,width,y\nred,2,a\n",
            &CsvOptions { categorical: Categorical::Columns(names(&[place])), ..y() },
            &format!(
                "t.csv: --categorical: expected the name of a column, found \"{place}\" | the columns are {columns}"
            ),
        );
    }
}

#[test]
fn table_whose_options_contradict_each_other() {
    assert_table_message(
        "x,y\n1,2\n",
        &CsvOptions { ignore: names(&["-1"]), ..y() },
        "t.csv, column \"y\": --ignore: expected columns to predict from, found the one to predict \
         | name another column, or another --target",
    );
    assert_table_message(
        "x,y\n1,2\n",
        &CsvOptions { ignore: names(&["x"]), categorical: Categorical::Columns(names(&["x"])), ..y() },
        "t.csv, column \"x\": the column is in both --ignore and --categorical | keep one of them",
    );
}

#[test]
fn table_without_a_header_or_a_row() {
    let headless = CsvOptions { header: false, target: Some("-1".to_owned()), ..CsvOptions::default() };
    assert_table_message("\n", &headless, "t.csv: expected rows, found nothing | is the file empty?");
    assert_table_message(
        "1,2,a\n1,b\n",
        &headless,
        "t.csv, line 2, column \"2\": expected 3 fields, as in the first row, found 2 \
         | is a value missing, or the line truncated?",
    );
}

#[test]
fn table_of_values_that_are_missing() {
    let error = CsvOptions { missing: Missing::Error, ..y() };
    assert_table_message(
        "x,y\n1,a\nn/a,b\n",
        &error,
        "t.csv, line 3, column \"x\": expected a value, found \"n/a\", a word for a missing value \
         | fill it in, or choose --missing drop (leaves the row out) or --missing mean",
    );
    assert_table_message(
        "x,y\n1,a\nNA,b\n",
        &error,
        "t.csv, line 3, column \"x\": expected a value, found \"NA\", a word for a missing value \
         | fill it in, or choose --missing drop (leaves the row out) or --missing mean",
    );
    assert_table_message(
        "x,y\n1,a\n2,?\n",
        &error,
        "t.csv, line 3, column \"y\": expected a value, found \"?\", a word for a missing value \
         | fill it in, or leave the row out, as --missing drop does",
    );
    assert_table_message(
        "x,y\n1,\nnull,b\n",
        &CsvOptions { missing: Missing::Drop, ..y() },
        "t.csv: expected a row without a missing value, found none among 2 \
         | --ignore leaves out the columns that are hardly filled in, --missing mean fills them in",
    );
    assert_table_message(
        "z,y\n,a\nnan,b\n",
        &y(),
        "t.csv, column \"z\": the column has no value in 2 rows | leave it out with --ignore",
    );
    assert_table_message(
        "z,y\n1,\n2,?\n",
        &y(),
        "t.csv, line 2, column \"y\": expected a value, found an empty field \
         | fill it in, or leave the row out, as --missing drop does",
    );
}

#[test]
fn table_of_numbers_and_texts_in_one_column() {
    let hint = "correct it, or name the column in --categorical (text is a category) or --ignore";
    assert_table_message(
        "x,y\n1,a\nwide,b\n",
        &y(),
        &format!("t.csv, line 3, column \"x\": expected a number, found \"wide\" | {hint}"),
    );
    for missing in ["-", "unknown"] {
        assert_table_message(
            &format!("x,y\n1,a\n2,a\n{missing},b\n"),
            &y(),
            &format!(
                "t.csv, line 4, column \"x\": expected a number, found \"{missing}\" | if it stands for a missing value, \
                 name it in missing_words; otherwise correct it, or name the column in categorical or ignore"
            ),
        );
    }
    assert_table_message(
        "x,y\nwide,a\n1,b\n",
        &y(),
        &format!("t.csv, line 2, column \"x\": expected a number, found \"wide\" | {hint}"),
    );
}

#[test]
fn table_of_numbers_written_otherwise() {
    let message = |form: &str| {
        format!(
            "t.csv, line 2, column \"x\": expected a number, found {form}, or name the column in \
        categorical or ignore"
        )
    };
    for (first, second, form) in [
        ("\"36,5\"", "\"37,1\"", "\"36,5\", a number with a decimal comma | set decimal to comma"),
        (
            "\"1,200\"",
            "950",
            "\"1,200\", a number with a comma | set thousands to comma, or decimal to comma",
        ),
        ("1 200", "1 300", "\"1 200\", a number with separated thousands | set thousands to space"),
        (
            "1.200.000",
            "1.300.000",
            "\"1.200.000\", a number with separated thousands | set thousands to point, and decimal to comma",
        ),
        ("10%", "12%", "\"10%\", a percentage | write the number without the sign"),
        ("$5", "$6", "\"$5\", an amount of money | write the number without the currency"),
        ("5 kg", "6 kg", "\"5 kg\", a number with \"kg\" behind it | write the number alone"),
        (
            "2024-03-31",
            "2024-04-01",
            "\"2024-03-31\", a date | name the column in dates, which makes it a number of days",
        ),
        (
            "31.3.2024",
            "1.4.2024",
            "\"31.3.2024\", a date | write it as 2024-03-31 and name the column in dates",
        ),
        ("12:30", "12:45", "\"12:30\", a time | write it as a number, such as minutes"),
        ("0x1F", "0x20", "\"0x1F\", a hexadecimal number | write it in decimal"),
        (
            "(12)",
            "(13)",
            "\"(12)\", a negative number in another notation | write it with a minus sign in front",
        ),
        ("1_000", "2_000", "\"1_000\", a number | write it in plain digits"),
    ] {
        // however often each comes
        for rows in [1, 5] {
            let rows = format!("{first},a\n{second},b\n").repeat(rows);
            assert_table_message(&format!("x,y\n{rows}"), &y(), &message(form));
        }
    }
    // and in rows for a model that is there
    assert_new_message(
        "width,colour\n\"1,5\",red\n",
        "new.csv, line 2, column \"width\": expected a number, found \"1,5\", a number with a decimal comma \
         | set decimal to comma",
    );
}

#[test]
fn table_whose_quotes_do_not_match() {
    let unclosed = "expected a closing quote, found the end of the table | close the quote that begins the field, or remove it";
    for (text, place) in [
        ("x,y\n1,a\n2,\"b\n3,a\n", "line 3, column \"y\""),
        ("x,y\n\"1,a\n2,b\n", "line 2, column \"x\""),
        ("x,y\n1,\"a\nb\"\n\"2,b\n", "line 4, column \"x\""),
        ("x,\"y\n1,a\n2,b\n", "line 1"),
    ] {
        assert_table_message(text, &y(), &format!("t.csv, {place}: {unclosed}"));
        assert_message(
            features_from_csv(text.as_bytes(), "t.csv", &["x"]),
            &format!("t.csv, {place}: {unclosed}"),
        );
    }
    let twice = "a quote inside a quoted field is written twice, \"\"";
    for (text, message) in [
        (
            "x,y\n1,\"a\"b\n",
            format!(
                "line 2, column \"y\": expected the end of the field after its closing quote, \
            found \"b\" | {twice}"
            ),
        ),
        (
            "x,y\n1,a\n2,\"b\n3,a\n4,\"b\n",
            format!(
                "line 3, column \"y\": expected the end of the field after its closing quote in line 5, found \"b\" | {twice}"
            ),
        ),
        (
            "x,y\n1,\"a \\\"b\\\" c\"\n",
            format!(
                "line 2, column \"y\": expected the end of the field after its closing quote, found \"b\\\\\" | {twice}, and not as \\\""
            ),
        ),
    ] {
        assert_table_message(text, &y(), &format!("t.csv, {message}"));
    }
}

#[test]
fn table_of_whole_numbers_that_are_rounded() {
    let rest = "found \"9007199254740993\", which would become 9007199254740992 \
        | if the column holds identifiers, name it in ignore or categorical";
    let message = format!("line 3, column \"x\": expected a whole number that a 64-bit float holds, {rest}");
    let text = "x,y\n9007199254740992,a\n9007199254740993,b\n";
    assert_table_message(text, &y(), &format!("t.csv, {message}"));
    assert_message(Dataset::from_csv(text.as_bytes(), "t.csv", "y"), &format!("t.csv, {message}"));
    assert_message(features_from_csv(text.as_bytes(), "t.csv", &["x"]), &format!("t.csv, {message}"));
}

#[test]
fn table_with_a_column_of_names() {
    assert_table_message(
        "name,y\nMiri,cat\nBello,dog\nMolly,cat\n",
        &y(),
        "t.csv, column \"name\": expected numbers, or few texts that come again and again, \
         found 3 different texts in 3 rows, such as \"Bello\" \
         | leave the column out with --ignore, or name it in --categorical",
    );
    let rows: String = (0..1001).map(|k| format!("{k},{}\n", k % 2)).collect();
    assert_table_message(
        &format!("name,y\n{rows}"),
        &CsvOptions { categorical: Categorical::Columns(names(&["name"])), ..y() },
        "t.csv, column \"name\": expected at most 1000 categories, found 1001 \
         | leave the column out with --ignore, or put rare categories together",
    );
}

#[test]
fn table_with_nothing_clear_to_predict() {
    let rows: String = (0..30).map(|k| format!("1,{k}.5\n")).collect();
    assert_table_message(
        &format!("x,y\n{rows}1,high\n"),
        &y(),
        "t.csv, line 32, column \"y\": expected a number for regression, found \"high\" | use --task classification for texts",
    );
    assert_table_message(
        "x,y\n1,36.5\n1,\"36,5\"\n2,\"37,5\"\n",
        &y(),
        "t.csv, line 3, column \"y\": expected a number, found \"36,5\", a number with a decimal comma \
         | set decimal to comma, or set task to classification if the values are classes",
    );
    let numbers = CsvOptions { task: Task::Numbers, ..y() };
    assert_table_message(
        "x,y\n1,2\n1,high\n",
        &numbers,
        "t.csv, line 3, column \"y\": expected a number for regression, found \"high\" | use --task classification for texts",
    );
    assert_table_message(
        "x,y\n1,2.5\n2,2.5\n",
        &numbers,
        "t.csv, column \"y\": the target is 2.5 in all 2 rows | is this the target column?",
    );
}

// encoders

/// Of columns "colour" (red, green; green if missing) and "width" (nothing if missing).
fn encoder() -> Encoder {
    let colour = Encoding::OneHot { categories: names(&["red", "green"]), fill: Some(1) };
    let width = Encoding::Number { fill: None, offset: 1.0, scale: 2.0 };
    let column = |name: &str, encoding| EncodedColumn { name: name.to_owned(), encoding };
    Encoder { columns: vec![column("colour", colour), column("width", width)] }
}

#[track_caller]
fn assert_new_message(table: &str, message: &str) {
    let options = CsvOptions::default();
    assert_message(encoder().read_csv(table.as_bytes(), "new.csv", &options, Unseen::Error), message);
}

#[test]
fn new_rows_that_lack_columns() {
    assert_new_message(
        "color,widht,kind\nred,1,a\n",
        "new.csv: expected columns named \"colour\", \"width\", found the columns \"color\", \"widht\", \"kind\" \
         | did you mean \"color\" for \"colour\", \"widht\" for \"width\"?",
    );
    assert_new_message(
        "colour;width\nred;1\n",
        "new.csv: expected columns named \"colour\", \"width\", found the columns \"colour;width\" \
         | set the delimiter with --separator",
    );
}

#[test]
fn new_rows_with_what_the_model_never_saw() {
    assert_new_message(
        "width,colour\n1,\n2,geen\n",
        "new.csv, line 3, column \"colour\": expected a category of the training, found \"geen\" \
         | known: \"red\", \"green\" | --unseen ignore takes it for none of them | did you mean \"green\"?",
    );
    assert_new_message(
        "width,colour\n?,red\n",
        "new.csv, line 2, column \"width\": expected a value, found \"?\", a word for a missing value \
         | fill it in, or leave the row out",
    );
    assert_new_message(
        "width,colour\nwide,red\n",
        "new.csv, line 2, column \"width\": expected a number, found \"wide\" \
         | every column that the model reads must contain numbers",
    );
}

#[test]
fn encoder_applied_to_another_table() {
    let apply = |text: &str, missing| {
        let table = Table::from_csv(text.as_bytes(), "t.csv", &CsvOptions { missing, ..y() }).unwrap();
        encoder().apply(&table)
    };
    assert_message(
        apply("colour,widht,y\nred,1,a\nred,2,b\n", Missing::Error),
        "t.csv: expected columns named \"width\", found \"colour\", \"widht\" | did you mean \"widht\"?",
    );
    assert_message(
        apply("colour,width,y\n1,1,a\n2,2,b\n", Missing::Error),
        "t.csv, column \"colour\": expected categories, found numbers | read the data with the options of the training",
    );
    assert_message(
        apply("colour,width,y\nred,big,a\nred,big,b\n", Missing::Error),
        "t.csv, column \"width\": expected numbers, found categories | read the data with the options of the training",
    );
    assert_message(
        apply("colour,width,y\nred,1,a\nred,,b\n", Missing::Mean),
        "t.csv, column \"width\": expected a value, found none in row 1 | fill it in, or leave the row out",
    );
    assert_message(
        apply("colour,width,y\nred,1,a\nred,2,b\nblue,2,b\nblue,3,a\n", Missing::Error),
        "t.csv, column \"colour\": expected a category of the training, found \"blue\" in row 2 \
         | known: \"red\", \"green\"",
    );
}

#[test]
fn encoder_of_arrays_of_other_columns() {
    assert_message(
        encoder().apply_array(&array![[1.0]]),
        "an array: expected 2 columns, found 1 | keep the same columns, in the same order",
    );
    assert_message(
        encoder().apply_array(&array![[1.0, 2.0]]),
        "an array, column \"colour\": expected categories, found numbers \
         | read the data with the options of the training",
    );
    let standardize = Preprocess::Standardize(Standardize::fit(&array![[1.0, 2.0]]).unwrap());
    assert_message(
        Encoder::of_numbers(&names(&["x"]), &standardize),
        "Encoder: expected 2 columns, found 1 | keep the same columns, in the same order",
    );
}

#[test]
fn encoder_fitted_on_rows_that_lack_a_value() {
    let options = CsvOptions { missing: Missing::Mean, ..y() };
    let table = Table::from_csv(
        "x,c,y\n,red,a\n2,,b\n".as_bytes(),
        "t.csv",
        &CsvOptions { categorical: Categorical::Columns(names(&["c"])), ..options },
    );
    let table = table.unwrap();
    for (row, column) in [(0, "x"), (1, "c")] {
        assert_message(
            Encoder::fit(&table.select(&[row]), Scaling::None),
            &format!(
                "t.csv, column \"{column}\": the column has no value in the training rows | leave it out with --ignore"
            ),
        );
    }
}

#[test]
fn encoder_that_no_fit_gives() {
    let number = |fill, offset, scale| Encoding::Number { fill, offset, scale };
    let one_hot = |categories: &[&str], fill| Encoding::OneHot { categories: names(categories), fill };
    for (encoding, message) in [
        (number(None, 0.0, 0.0), "expected finite numbers and a scale above 0, found offset 0.0, scale 0.0"),
        (
            number(None, 0.0, f64::INFINITY),
            "expected finite numbers and a scale above 0, found offset 0.0, scale inf",
        ),
        (
            number(None, f64::NAN, 1.0),
            "expected finite numbers and a scale above 0, found offset NaN, scale 1.0",
        ),
        (
            number(Some(f64::NAN), 0.0, 1.0),
            "expected finite numbers and a scale above 0, found offset 0.0, scale 1.0 and NaN for missing values",
        ),
        (one_hot(&[], None), "expected from 1 to 1000 categories, found 0"),
        (one_hot(&["a"; 1001], None), "expected from 1 to 1000 categories, found 1001"),
        (one_hot(&["a", "b", "a"], Some(2)), "expected every category once, found \"a\" twice"),
        (one_hot(&["a", "b"], Some(2)), "expected one of 2 categories for missing values, found number 2"),
    ] {
        let mut encoder = encoder();
        encoder.columns[1].encoding = encoding;
        let message = format!("Encoder, column \"width\": {message} | was the file edited?");
        assert_message(encoder.check(), &message);
    }
    let mut encoder = encoder();
    encoder.check().unwrap();
    encoder.columns[1].name = "colour".to_owned();
    assert_message(
        encoder.check(),
        "Encoder, column \"colour\": expected one column of this name, found two | was the file edited?",
    );
    encoder.columns.clear();
    assert_message(
        encoder.check(),
        "Encoder: expected one column or more, found none | was the file damaged?",
    );
}

#[test]
fn min_max_of_what_no_fit_gives() {
    assert_message(
        MinMax::from_parts(vec![0.0], vec![1.0, 2.0]),
        "MinMax::from_parts: expected one smallest value and one range per column, found 1 smallest values \
         and 2 ranges | was the file cut short?",
    );
    assert_message(
        MinMax::from_parts(vec![0.0, 0.5], vec![1.0, 0.0]),
        "MinMax::from_parts: expected a finite smallest value and a finite range above 0, found 0.5 and 0.0 \
         in column 1 | was the file edited?",
    );
    assert_message(
        MinMax::fit(&array![[1.0], [f64::INFINITY]]),
        "MinMax::fit: expected finite numbers of size up to 1e300, found inf in row 1, column 0 \
         | leave the row out, or fill in the value",
    );
    assert_message(
        MinMax::fit(&array![[1.0], [2.0]]).unwrap().apply(&array![[1.0, 2.0]]),
        "MinMax::apply: expected the 1 columns that it was fitted on, found 2 \
         | keep the same columns, in the same order",
    );
}

// words of a command line

#[test]
fn options_of_other_words() {
    let message = |error: SpecError| error.to_string();
    assert_eq!(
        message("Regression".parse::<Task>().unwrap_err()),
        "--task: expected one of auto, classification, regression, found \"Regression\" \
         | did you mean \"regression\"?"
    );
    assert_eq!(
        message("fill".parse::<Missing>().unwrap_err()),
        "--missing: expected one of error, drop, mean, found \"fill\""
    );
    assert_eq!(
        message("zero".parse::<Unseen>().unwrap_err()),
        "--unseen: expected one of error, ignore, found \"zero\""
    );
    assert_eq!(
        message("standardise".parse::<Scaling>().unwrap_err()),
        "--scaling: expected one of none, divide:255, standardize, minmax, found \"standardise\" \
         | did you mean \"standardize\"?"
    );
    for found in ["0", "-1", "inf", "x", ""] {
        assert_eq!(
            message(format!("divide:{found}").parse::<Scaling>().unwrap_err()),
            format!(
                "--scaling divide: expected a finite number above 0, found {found:?} \
                 | divide:255 is for pixels of one byte"
            )
        );
    }
    for found in ["", ";;", "x", "5", ".", "\"", "\n", "é"] {
        assert_eq!(
            message(CsvOptions::parse_separator(found).unwrap_err()),
            format!(
                "--separator: expected comma, semicolon, tab, or one such character, found {found:?} \
                 | in a shell, quote the character: ';'"
            )
        );
    }
}

#[test]
fn options_of_tables_for_what_is_none() {
    let options = CsvOptions { missing: Missing::Drop, ..CsvOptions::default() };
    assert_message(
        "iris".parse::<DataSource>().unwrap().open(&options, &mut ChaCha8Rng::seed_from_u64(0)),
        "iris: expected no options of tables, found missing | only a table (FILE.csv) takes them",
    );
}

// parts

#[test]
fn splits_that_cannot_be_made() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for shares in [&[1.0][..], &[0.5, 0.6], &[1.2, -0.2], &[0.5, f64::NAN], &[]] {
        assert_message(
            split_rows(9, shares, &mut rng),
            &format!(
                "split_rows: expected two shares or more, above 0 and 1 in all, found {shares:?} \
                 | 0.6, 0.15 and 0.25 are for training, choosing and testing"
            ),
        );
    }
    assert_message(
        split_rows(2, &[0.6, 0.2, 0.2], &mut rng),
        "split_rows: expected 3 rows or more, one for each part, found 2 | use fewer parts",
    );
    assert_message(
        stratified_split_rows(&[0, 0, 0, 7], &[0.5, 0.5], &mut rng),
        "stratified_split_rows: expected 2 rows or more of every class, one for each part, found 1 of \"7\" \
         | add rows of it, merge it with another class, or leave it out",
    );
}

#[test]
fn folds_that_cannot_be_made() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for k in [0, 1] {
        assert_message(
            k_fold(9, k, &mut rng),
            &format!("k_fold: expected 2 folds or more, found {k} | 5 and 10 are usual"),
        );
    }
    assert_message(
        k_fold(9, 10, &mut rng),
        "k_fold: expected 10 rows or more, one for each part, found 9 | use fewer parts",
    );
    assert_message(
        stratified_k_fold(&[0, 0, 0, 1, 1], 3, &mut rng),
        "stratified_k_fold: expected 3 rows or more of every class, one for each part, found 2 of \"1\" \
         | add rows of it, merge it with another class, or leave it out",
    );
    let iris = "datasets/iris.csv";
    let options = CsvOptions { target: Some("species".to_owned()), ..CsvOptions::default() };
    let loaded = iris.parse::<DataSource>().unwrap().open(&options, &mut rng).unwrap();
    assert_message(
        loaded.k_fold(51, &mut rng),
        &format!(
            "k_fold: expected 51 rows or more of every class of {iris:?}, one for each part, \
             found 50 of \"setosa\" | add rows of it, merge it with another class, or leave it out"
        ),
    );
}

#[test]
fn weights_of_classes_that_are_not_there() {
    assert_message(
        balanced_weights(&[0, 2], 3),
        "balanced_weights: expected rows of every class, found none of class 1 | leave the class out",
    );
    assert_message(
        balanced_weights(&[0, 2], 2),
        "balanced_weights: expected labels below 2, the number of classes, found 2 in row 1 | labels count from 0",
    );
}

#[test]
fn dataset_of_numbers_to_predict_that_contradicts_itself() {
    let of = |values| Dataset { targets: Targets::Values(values), ..Dataset::iris() };
    let set = of(vec![0.5; 150]);
    set.check().unwrap();
    for (set, message) in [
        (of(vec![0.5; 149]), "150 rows of features meet 149 values | every row needs one value"),
        (of([vec![0.5; 149], vec![f64::NAN]].concat()), "row 149 has the value NaN | leave the row out"),
    ] {
        assert_message(set.check(), &format!("data set \"iris\": {message}"));
    }
    assert_message(
        set.with_class_order(&["a", "b"]),
        "data set \"iris\": expected classification, found regression | only classes can be selected or changed",
    );
}

// files of MNIST

#[track_caller]
fn assert_idx_message(file: &[u8], message: &str) {
    assert_message(read_idx(file, "digits.idx"), message);
    assert_message(read_idx(&gzip(file)[..], "digits.idx"), message);
}

#[test]
fn idx_of_nothing() {
    assert_idx_message(
        &[],
        "digits.idx, byte 0: expected the header of an IDX file, found nothing | is the file empty?",
    );
}

#[test]
fn idx_that_is_something_else() {
    assert_idx_message(
        b"P5 28 28",
        "digits.idx, byte 0: expected the bytes 00 00 08 of an IDX file, found 50 35 20 32 | is this a file of MNIST?",
    );
    assert_idx_message(
        &[0, 1],
        "digits.idx, byte 0: expected the bytes 00 00 08 of an IDX file, found 00 01 | is this a file of MNIST?",
    );
}

#[test]
fn idx_whose_header_is_cut_short() {
    let file = idx(&[60_000, 28, 28], &[]);
    for length in 1..4 {
        assert_idx_message(
            &file[..length],
            &format!(
                "digits.idx, byte {length}: expected a header of 4 bytes, found {length} bytes in all \
                 | is the file truncated?"
            ),
        );
    }
    for length in 4..16 {
        assert_idx_message(
            &file[..length],
            &format!(
                "digits.idx, byte {length}: expected a header of 16 bytes, found {length} bytes in all \
                 | is the file truncated?"
            ),
        );
    }
}

#[test]
fn idx_of_other_elements() {
    for (element, found) in [
        (0x09, "0x09 (signed bytes)"),
        (0x0b, "0x0b (16-bit integers)"),
        (0x0c, "0x0c (32-bit integers)"),
        (0x0d, "0x0d (32-bit floats)"),
        (0x0e, "0x0e (64-bit floats)"),
        (0x0a, "0x0a"),
        (0x00, "0x00"),
    ] {
        let mut file = idx(&[2], &[1, 2]);
        file[2] = element;
        assert_idx_message(
            &file,
            &format!(
                "digits.idx, byte 2: expected elements of type 0x08 (unsigned bytes), found type {found} \
                 | other types are not read"
            ),
        );
    }
}

#[test]
fn idx_without_dimensions() {
    assert_idx_message(
        &idx(&[], &[1]),
        "digits.idx, byte 3: expected one dimension or more, found none | is the file damaged?",
    );
}

#[test]
fn idx_that_claims_too_much() {
    assert_idx_message(
        &idx(&[1 << 30, 1 << 30], &[]),
        "digits.idx, byte 4: expected at most 1073741824 elements, found a header that claims 1152921504606846976, \
         1073741824 x 1073741824 | is the file damaged?",
    );
    assert_idx_message(
        &idx(&[(1 << 30) + 1], &[]),
        "digits.idx, byte 4: expected at most 1073741824 elements, found a header that claims 1073741825, \
         1073741825 | is the file damaged?",
    );
    assert_idx_message(
        &idx(&[u32::MAX; 9], &[]),
        &format!(
            "digits.idx, byte 4: expected at most 1073741824 elements, found a header that claims 2^64 or more, \
             {} x ... | is the file damaged?",
            ["4294967295"; 8].join(" x ")
        ),
    );
}

#[test]
fn idx_that_ends_early() {
    let file = idx(&[2, 2, 3], &[0; 11]);
    assert_idx_message(
        &file,
        "digits.idx, byte 27: expected 12 elements, as the header says, found 11 | is the file truncated?",
    );
    assert_idx_message(
        &file[..16],
        "digits.idx, byte 16: expected 12 elements, as the header says, found 0 | is the file truncated?",
    );
}

#[test]
fn idx_that_goes_on() {
    assert_idx_message(
        &idx(&[2, 2, 3], &[0; 13]),
        "digits.idx, byte 28: expected the end after 12 elements, as the header says, found more bytes \
         | is the file damaged?",
    );
}

#[test]
fn idx_that_cannot_be_unpacked() {
    let noise: Vec<u8> = (0..1000u32).map(|k| (k * k / 7 + k) as u8).collect();
    let packed = gzip(&idx(&[1000], &noise));
    let damaged = |at: usize| [&packed[..at], &[!packed[at]], &packed[at + 1..]].concat();
    let last = packed.len() - 1;
    // the header, the content's checksum, its length, its end, what follows it
    let files = [
        damaged(2),
        damaged(last - 5),
        damaged(last),
        packed[..last / 2].to_vec(),
        [&packed[..], b"!"].concat(),
    ];
    for (file, first_byte) in files.iter().zip([0..1, 1008..1009, 1008..1009, 1..1008, 1008..1009]) {
        let error = read_idx(&file[..], "digits.gz").unwrap_err();
        let cause = error.source().expect("what the unpacking says");
        let ErrorKind::Idx(at) = error.kind() else { panic!("{error}") };
        assert!(first_byte.contains(&at.byte), "{error}");
        assert_eq!(
            error.to_string(),
            format!(
                "digits.gz, byte {}: from here on the content cannot be unpacked: {cause} \
                 | was the file damaged or cut short?",
                at.byte
            )
        );
    }
}

#[test]
fn idx_reader_that_fails() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line went dead"))
        }
    }
    let after = |file: &'static [u8]| read_idx(std::io::Read::chain(file, Broken), "digits.idx");
    assert_message(after(&[]), "digits.idx, byte 0: cannot be read: the line went dead | is the path right?");
    assert_message(
        after(&[0, 0, 8, 1, 0, 0, 0, 9, 1, 2]),
        "digits.idx, byte 10: cannot be read: the line went dead | is the path right?",
    );
    assert!(after(&[0]).unwrap_err().source().is_some());
}

#[test]
fn mnist_in_a_folder_that_is_not_there() {
    assert_message(
        Dataset::mnist("no/such/folder"),
        "no/such/folder: expected a folder with the four files of MNIST, found no folder | is the path right?",
    );
}

#[test]
fn mnist_without_one_of_its_files() {
    for (part, content) in [("train", "images-idx3"), ("train", "labels-idx1"), ("t10k", "labels-idx1")] {
        let name = format!("{part}-{content}-ubyte");
        let folder = Folder::mnist(&format!("without-{name}")).without(&name);
        let dotted = format!("{part}-{}-ubyte", content.replace('-', "."));
        assert_message(
            Dataset::mnist(folder.path()),
            &format!(
                "{}: expected one of the files {name}, {name}.gz, {dotted}, {dotted}.gz, found none \
                 | are all four files of MNIST in this folder?",
                folder.path().display()
            ),
        );
    }
}

/// The message for a folder in which one file is another, starting with the path of that file.
#[track_caller]
fn assert_mnist_message(test: &str, name: &str, file: &[u8], message: &str) {
    let folder = Folder::mnist(test).with(name, file);
    let place = format!("{}/", folder.path().display());
    let error = Dataset::mnist(folder.path()).unwrap_err().to_string();
    assert_eq!(error.replace(&place, ""), format!("{name}{message}"));
    assert!(error.starts_with(&place));
}

#[test]
fn mnist_with_a_damaged_file() {
    assert_mnist_message(
        "damaged",
        "t10k-labels-idx1-ubyte",
        &[0, 0, 8, 1, 0, 0, 0, 2, 1],
        ", byte 9: expected 2 elements, as the header says, found 1 | is the file truncated?",
    );
}

#[test]
fn mnist_with_images_and_labels_interchanged() {
    assert_mnist_message(
        "labels-for-images",
        "train-images-idx3-ubyte",
        &idx(&[3], &[1, 0, 2]),
        ", byte 3: expected the number of dimensions to be 3, found 1 \
         | images have 3, labels 1: do the files have each other's names?",
    );
    assert_mnist_message(
        "images-for-labels",
        "train-labels-idx1-ubyte",
        &idx(&[3, 2, 3], &[0; 18]),
        ", byte 3: expected the number of dimensions to be 1, found 3 \
         | images have 3, labels 1: do the files have each other's names?",
    );
}

#[test]
fn mnist_without_images_or_pixels() {
    for (number, dims) in [[0, 2, 3], [3, 0, 3]].into_iter().enumerate() {
        assert_mnist_message(
            &format!("no-images-{number}"),
            "train-images-idx3-ubyte",
            &idx(&dims, &[]),
            &format!(
                ", byte 4: expected one image or more, of one pixel or more, found {} x {} x {} \
                 | is this a file of images?",
                dims[0], dims[1], dims[2]
            ),
        );
    }
}

#[test]
fn mnist_with_a_label_too_few_or_too_many() {
    for labels in [2, 4] {
        assert_mnist_message(
            &format!("{labels}-labels"),
            "train-labels-idx1-ubyte",
            &idx(&[labels], &vec![0; labels as usize]),
            &format!(
                ", byte 4: expected 3 labels, one per image of train-images-idx3-ubyte, found {labels} \
                 | are the two files of the same set?"
            ),
        );
    }
}

#[test]
fn mnist_of_images_of_two_sizes() {
    assert_mnist_message(
        "two-sizes",
        "t10k-images-idx3-ubyte",
        &idx(&[2, 3, 2], &[0; 12]),
        ", byte 8: expected images of 2 x 3, as in the training set, found 3 x 2 | do the files belong to the same data set?",
    );
}

// what a command line says

#[track_caller]
fn assert_spec_message(text: &str, message: &str) {
    assert_eq!(text.parse::<DataSource>().unwrap_err().to_string(), message);
}

const KNOWN: &str = "iris, breast_cancer, digits, penguins, xor, moons, circles, blobs, spirals, mnist:DIR, FILE.csv, FILE.npz";

#[test]
fn source_of_an_unknown_name() {
    for text in ["flowers", "", "some/folder"] {
        assert_spec_message(text, &format!("no data set is named {text:?} | known: {KNOWN}"));
    }
}

#[test]
fn source_of_a_misspelt_name() {
    for (text, meant) in [
        ("mooons", "moons"),
        ("breast-cancer", "breast_cancer"),
        ("minst:folder", "mnist"),
        ("Blobs:n=5", "blobs"),
    ] {
        assert_spec_message(
            text,
            &format!("no data set is named {text:?} | known: {KNOWN} | did you mean {meant:?}?"),
        );
    }
}

#[test]
fn source_with_parameters_that_it_does_not_take() {
    for found in ["n=5", ""] {
        assert_spec_message(
            &format!("iris:{found}"),
            &format!("iris: expected no parameters, found {found:?} | this data set has none"),
        );
    }
}

#[test]
fn source_with_an_unknown_parameter() {
    assert_spec_message(
        "moons:n=500,factor=0.5",
        "moons: no parameter is named \"factor\" | known: n, noise",
    );
    assert_spec_message(
        "blobs:clases=5",
        "blobs: no parameter is named \"clases\" | known: n, noise, classes, features, center_box \
         | did you mean \"classes\"?",
    );
}

#[test]
fn source_with_a_parameter_without_a_value() {
    for (text, found) in [("moons:noise", "noise"), ("moons:", ""), ("moons:n=50,", ""), ("moons:500", "500")]
    {
        assert_spec_message(
            text,
            &format!("moons: expected NAME=VALUE, found {found:?} | parameters: n, noise"),
        );
    }
}

#[test]
fn source_with_a_parameter_twice() {
    assert_spec_message("moons:n=50,noise=0,n=50", "moons: n is given twice | keep one of them");
}

#[test]
fn source_with_a_parameter_out_of_range() {
    for (text, message) in [
        ("moons:n=3", "moons: expected n to be a whole number from 4 to 1000000, found 3"),
        ("moons:n=1e7", "moons: expected n to be a whole number from 4 to 1000000, found 10000000"),
        ("moons:n=50.5", "moons: expected n to be a whole number from 4 to 1000000, found 50.5"),
        ("moons:n=many", "moons: expected n to be a whole number from 4 to 1000000, found \"many\""),
        ("moons:n=", "moons: expected n to be a whole number from 4 to 1000000, found \"\""),
        ("xor:noise=-0.1", "xor: expected noise to be a number from 0 to 100, found -0.1"),
        ("xor:noise=nan", "xor: expected noise to be a number from 0 to 100, found NaN"),
        ("xor:noise=inf", "xor: expected noise to be a number from 0 to 100, found inf"),
        ("xor:noise=0.csv", "xor: expected noise to be a number from 0 to 100, found \"0.csv\""),
        ("circles:factor=1", "circles: expected factor to be a number from 0 to 0.99, found 1"),
        ("blobs:classes=1", "blobs: expected classes to be a whole number from 2 to 100, found 1"),
        ("blobs:features=0", "blobs: expected features to be a whole number from 1 to 100, found 0"),
        ("blobs:center_box=-1", "blobs: expected center_box to be a number from 0 to 1000, found -1"),
        ("spirals:turns=101", "spirals: expected turns to be a number from 0 to 100, found 101"),
        // two rows of each class
        ("blobs:n=5", "blobs: expected n to be a whole number from 6 to 1000000, found 5"),
        (
            "spirals:classes=100,n=199",
            "spirals: expected n to be a whole number from 200 to 1000000, found 199",
        ),
    ] {
        assert_spec_message(text, message);
        assert_eq!(text.parse::<Synthetic>().unwrap_err().to_string(), message);
    }
}

#[test]
fn functions_refuse_what_text_may_not_say() {
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    for result in [
        Dataset::xor(3, 0.0, rng),
        Dataset::moons(usize::MAX, 0.0, rng),
        Dataset::moons(100, f64::NAN, rng),
        Dataset::circles(100, 0.0, 1.0, rng),
        Dataset::blobs(5, 1.0, 3, 2, 10.0, rng),
        Dataset::blobs(100, 1.0, 0, 2, 10.0, rng),
        Dataset::spirals(100, 0.0, 2, -1.0, rng),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Spec(SpecError::OutOfRange { .. })), "{error}");
    }
    assert_message(
        Dataset::circles(100, -1.0, 0.8, rng),
        "circles: expected noise to be a number from 0 to 100, found -1",
    );
}

#[test]
fn source_of_mnist_without_its_folder() {
    for text in ["mnist", "mnist:"] {
        assert_spec_message(
            text,
            "mnist: expected the folder with the four MNIST files, found none | write mnist:DIR",
        );
    }
}

/// The message for data with or without a label column, which is a mistake in the command.
#[track_caller]
fn assert_target_message(text: &str, target: Option<&str>, message: &str) {
    let source: DataSource = text.parse().unwrap();
    assert_eq!(source.check_target(target).unwrap_err().to_string(), message);
    let error = source.load(target, &mut ChaCha8Rng::seed_from_u64(0)).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Spec(_)), "{error}");
    assert_eq!(error.to_string(), message);
}

#[test]
fn source_of_a_table_without_a_label_column() {
    assert_target_message(
        "no/such/flowers.csv",
        None,
        "no/such/flowers.csv: expected the name of the label column, found none | a table needs one",
    );
}

#[test]
fn source_with_a_label_column_that_it_does_not_need() {
    for text in ["iris", "mnist:no/such/folder"] {
        assert_target_message(
            text,
            Some("species"),
            &format!(
                "{text}: expected no label column, found \"species\" | only a table (FILE.csv) needs one"
            ),
        );
    }
}

#[test]
fn source_whose_file_is_not_there_is_no_mistake_in_the_command() {
    for (text, target) in [("no/such/flowers.csv", Some("species")), ("mnist:no/such/folder", None)] {
        let source: DataSource = text.parse().unwrap();
        let error = source.load(target, &mut ChaCha8Rng::seed_from_u64(0)).unwrap_err();
        assert!(!matches!(error.kind(), ErrorKind::Spec(_)), "{error}");
        assert!(error.to_string().contains("no/such"), "{error}");
    }
}

// sets filled or changed by hand

#[test]
fn dataset_with_a_label_too_few() {
    let mut set = Dataset::iris();
    set.targets.labels_mut().pop();
    assert_message(
        set.check(),
        "data set \"iris\": 150 rows of features meet 149 labels | every row needs one label",
    );
}

#[test]
fn dataset_with_a_feature_name_too_many() {
    let mut set = Dataset::iris();
    set.feature_names.push("colour".to_owned());
    assert_message(
        set.check(),
        "data set \"iris\": 4 columns of features meet 5 feature names | every column needs one name",
    );
}

#[test]
fn dataset_with_a_label_without_a_class() {
    let mut set = Dataset::iris();
    set.targets.labels_mut()[7] = 3;
    assert_message(
        set.check(),
        "data set \"iris\": row 7 has label 3, but there are 3 class names | labels count from 0",
    );
}

#[test]
fn dataset_without_rows() {
    assert_message(
        Dataset::iris().select(&[]).check(),
        "data set \"iris\": expected at least one row, found none | was everything filtered out?",
    );
}

#[test]
fn class_order_that_leaves_out_a_class() {
    assert_message(
        Dataset::iris().with_class_order(&["virginica", "setosa"]),
        "data set \"iris\": expected every class in the order [virginica, setosa], found rows of \"versicolor\" \
         | add it to the order, or leave its rows out",
    );
}

#[test]
fn class_order_that_names_a_class_twice() {
    assert_message(
        Dataset::iris().with_class_order(&["virginica", "setosa", "virginica", "versicolor"]),
        "data set \"iris\": expected every class once in the order, found \"virginica\" twice \
         | name each class once",
    );
}

// from features to batches

#[test]
fn standardize_fitted_on_nothing() {
    assert_message(
        Standardize::fit(&Array2::zeros((0, 4))),
        "Standardize::fit: expected at least one row and one column, found [0, 4] | was everything filtered out?",
    );
}

#[test]
fn standardize_fitted_on_values_that_have_no_mean() {
    for (value, found) in [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "-inf"), (1.1e300, "1.1e300")] {
        assert_message(
            Standardize::fit(&array![[1.0, 2.0], [3.0, value]]),
            &format!(
                "Standardize::fit: expected finite numbers of size up to 1e300, found {found} in row 1, column 1 \
                 | leave the row out, or fill in the value"
            ),
        );
    }
}

#[test]
fn standardize_applied_to_other_columns() {
    let standardize = Standardize::fit(&Dataset::iris().features).unwrap();
    for found in [1, 3, 5] {
        assert_message(
            standardize.apply(&Array2::zeros((2, found))),
            &format!(
                "Standardize::apply: expected the 4 columns that it was fitted on, found {found} \
                 | keep the same columns, in the same order"
            ),
        );
    }
}

#[test]
fn standardize_from_parts_that_do_not_fit() {
    for (means, scales) in [(0, 0), (2, 1), (0, 1)] {
        assert_message(
            Standardize::from_parts(vec![0.0; means], vec![1.0; scales]),
            &format!(
                "Standardize::from_parts: expected one mean and one scale per column, found {means} means and \
                 {scales} scales | was the file cut short?"
            ),
        );
    }
}

#[test]
fn standardize_from_parts_that_no_fit_gives() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for (mean, scale, found) in [
        (nan, 1.0, "mean NaN and scale 1.0"),
        (-inf, 1.0, "mean -inf and scale 1.0"),
        (0.5, 0.0, "mean 0.5 and scale 0.0"),
        (0.5, -2.0, "mean 0.5 and scale -2.0"),
        (0.5, nan, "mean 0.5 and scale NaN"),
        (0.5, inf, "mean 0.5 and scale inf"),
    ] {
        assert_message(
            Standardize::from_parts(vec![0.0, mean], vec![1.0, scale]),
            &format!(
                "Standardize::from_parts: expected a finite mean and a finite scale above 0, found {found} \
                 in column 1 | was the file edited?"
            ),
        );
    }
}

#[test]
fn preprocess_that_divides_by_what_cannot_be_divided_by() {
    for (divisor, found) in [(0.0, "0.0"), (-16.0, "-16.0"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let message = format!(
            "Preprocess::divide: expected a finite number above 0, found {found} \
             | pixels are divided by their largest value"
        );
        assert_message(Preprocess::divide(divisor), &message);
        assert_message(Preprocess::Divide(divisor).apply(&array![[1.0]]), &message);
    }
}

#[test]
fn preprocess_of_other_columns() {
    let standardize = Standardize::from_parts(vec![0.0; 4], vec![1.0; 4]).unwrap();
    assert_message(
        Preprocess::Standardize(standardize).apply(&array![[1.0, 2.0]]),
        "Standardize::apply: expected the 4 columns that it was fitted on, found 2 \
         | keep the same columns, in the same order",
    );
}

#[test]
fn split_by_a_fraction_that_leaves_one_side_empty() {
    for (fraction, found) in [(0.0, "0"), (1.0, "1"), (-0.2, "-0.2"), (20.0, "20"), (f64::NAN, "NaN")] {
        assert_message(
            stratified_split(&Dataset::iris(), fraction, &mut ChaCha8Rng::seed_from_u64(0)),
            &format!(
                "stratified_split: expected a test fraction above 0 and below 1, found {found} \
                 | 0.2 keeps a fifth of the rows for testing"
            ),
        );
    }
}

#[test]
fn split_of_a_class_of_one_row() {
    let set = Dataset::iris().select(&[0, 1, 2, 50, 100, 101]);
    assert_message(
        stratified_split(&set, 0.5, &mut ChaCha8Rng::seed_from_u64(0)),
        "stratified_split: expected 2 rows or more of every class of \"iris\", one for each part, found 1 of \"versicolor\" \
         | add rows of it, merge it with another class, or leave it out",
    );
}

#[test]
fn split_of_a_set_whose_parts_do_not_fit() {
    let mut set = Dataset::iris();
    set.targets.labels_mut().truncate(100);
    assert_message(
        stratified_split(&set, 0.5, &mut ChaCha8Rng::seed_from_u64(0)),
        "data set \"iris\": 150 rows of features meet 100 labels | every row needs one label",
    );
}

#[test]
fn batches_of_no_size_or_of_more_than_there_is() {
    for batch_size in [0, 11] {
        assert_message(
            Batches::new(10, batch_size),
            &format!(
                "Batches::new: expected a batch size from 1 to 10, the number of rows, found {batch_size} \
                 | 10 makes one batch of everything"
            ),
        );
    }
}

#[test]
fn batches_of_no_rows() {
    assert_message(
        Batches::new(0, 32),
        "Batches::new: expected at least one row, found none | was everything filtered out?",
    );
}

// labels

#[test]
fn one_hot_of_a_label_beyond_the_classes() {
    assert_message(
        one_hot(&[0, 2, 3], 3),
        "one_hot: expected labels below 3, the number of classes, found 3 in row 2 | labels count from 0",
    );
}

#[test]
fn accuracy_of_predictions_for_other_rows() {
    assert_message(
        accuracy(&[0, 1], &[0, 1, 1]),
        "accuracy: expected one prediction per label, found 3 for 2 labels | are they for the same rows?",
    );
}

#[test]
fn accuracy_of_nothing() {
    assert_message(
        accuracy(&[], &[]),
        "accuracy: expected at least one prediction, found none | was everything filtered out?",
    );
}

#[test]
fn metrics_of_answers_to_other_rows_or_of_nothing() {
    let rest = "found 2 for 3 labels | are they for the same rows?";
    assert_message(
        roc_curve(&[0, 1, 1], &[0.1, 0.2]),
        &format!("roc_curve: expected one score per label, {rest}"),
    );
    assert_message(
        brier_score_loss(&[0, 1, 1], &[0.1, 0.2]),
        &format!("brier_score_loss: expected one probability per label, {rest}"),
    );
    assert_message(
        confusion_matrix(&[0, 1, 1], &[0, 1], 2),
        &format!("confusion_matrix: expected one prediction per label, {rest}"),
    );
    assert_message(
        calibration(&[0, 1, 1], &[0.1, 0.2], 10),
        &format!("calibration: expected one confidence per label, {rest}"),
    );
    assert_message(
        top_label_calibration(&[0, 1, 1], array![[0.1, 0.9], [0.2, 0.8]].view(), 10),
        &format!("top_label_calibration: expected one row of probabilities per label, {rest}"),
    );
    assert_message(
        roc_auc_score(&[], &[]),
        "roc_auc_score: expected at least one score, found none | was everything filtered out?",
    );
}

#[test]
fn metrics_of_labels_that_are_no_classes() {
    assert_message(
        average_precision_score(&[0, 1, 2], &[0.1, 0.2, 0.3]),
        "average_precision_score: expected every label to be 0 or 1, found 2 in row 2 | 0 is no, 1 is yes",
    );
    assert_message(
        recall_score(&[0, 1, 2], &[0, 3, 1], 3),
        "recall_score: expected every prediction to be below 3, the number of classes, found 3 in row 1 \
         | classes count from 0",
    );
    assert_message(
        top_label_calibration(&[3], array![[0.1, 0.9, 0.0]].view(), 10),
        "top_label_calibration: expected every label to be below 3, the number of classes, found 3 in row 0 \
         | classes count from 0",
    );
}

#[test]
fn rankings_of_one_class() {
    for (labels, missing) in [([0, 0, 0], 1), ([1, 1, 1], 0)] {
        assert_message(
            precision_recall_curve(&labels, &[0.1, 0.2, 0.3]),
            &format!(
                "precision_recall_curve: expected labels of both classes, found none of class {missing} in 3 rows \
                 | is the class too rare for so few rows?"
            ),
        );
    }
}

#[test]
fn rankings_of_scores_that_are_no_numbers() {
    for (score, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        assert_message(
            roc_auc_score(&[0, 1, 1], &[0.1, score, 0.3]),
            &format!("roc_auc_score: expected finite scores, found {shown} in row 1 | did training diverge?"),
        );
    }
    assert_message(
        precision_recall_f1(&[0, 1], &[0.1, 0.2], f64::NAN),
        "precision_recall_f1: expected a threshold, found NaN | 0.5 is usual for probabilities",
    );
}

#[test]
fn metrics_of_probabilities_that_are_none() {
    let (of_logits, diverged) = ("apply sigmoid or softmax to logits", "did training diverge?");
    let cases = [(1.5, "1.5", of_logits), (-1e-9, "-0.000000001", of_logits), (f64::NAN, "NaN", diverged)];
    for (found, shown, hint) in cases {
        let rest = format!("found {shown} in row 1 | {hint}");
        assert_message(
            brier_score_loss(&[0, 1], &[0.5, found]),
            &format!("brier_score_loss: expected probabilities from 0 to 1, {rest}"),
        );
        assert_message(
            top_label_calibration(&[0, 1], array![[0.5, 0.5], [0.9, found]].view(), 10),
            &format!("top_label_calibration: expected probabilities from 0 to 1, {rest}"),
        );
    }
}

#[test]
fn probabilities_of_a_row_that_do_not_sum_to_1() {
    assert_message(
        log_loss(&[0, 1], array![[0.5, 0.5], [0.5, 0.75]].view()),
        "log_loss: expected the probabilities of a row to sum to 1, found 1.25 in row 1 \
         | softmax makes such rows of logits",
    );
}

#[test]
fn nothing_that_is_not_a_number_counts_as_class_0() {
    let diverged = array![[0.5, 0.5], [f64::NAN, f64::NAN]];
    for name in ["accuracy", "f1_macro", "top2_accuracy", "log_loss", "roc_auc"] {
        assert_message(
            name.parse::<Metric>().unwrap().of_classes(&[1, 0], diverged.view()),
            &format!(
                "{name}: expected probabilities from 0 to 1, found NaN in row 1 | did training diverge?"
            ),
        );
    }
    assert_message(
        top_k_accuracy_score(&[1, 0], diverged.view(), 1),
        "top_k_accuracy_score: expected finite scores, found NaN in row 1 | did training diverge?",
    );
}

#[test]
fn top_k_of_no_places_or_of_all() {
    for k in [0, 3] {
        assert_message(
            top_k_accuracy_score(&[0, 1], array![[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]].view(), k),
            &format!(
                "top_k_accuracy_score: expected k to be at least 1 and below 3, the number of classes, found {k} \
                 | among all classes is every label"
            ),
        );
    }
}

#[test]
fn metrics_by_class_of_labels_that_are_no_classes() {
    let (labels, predicted) = ([0, 1, 2], [0, 3, 1]);
    let rest = "expected every prediction to be below 3, the number of classes, found 3 in row 1 \
                | classes count from 0";
    let names = ["a", "b", "c"];
    for (metric, error) in [
        (
            "precision_recall_fscore_support",
            precision_recall_fscore_support(&labels, &predicted, 3).unwrap_err(),
        ),
        (
            "precision_recall_fscore_average",
            precision_recall_fscore_average(&labels, &predicted, 3, Average::Macro).unwrap_err(),
        ),
        ("balanced_accuracy_score", balanced_accuracy_score(&labels, &predicted, 3).unwrap_err()),
        ("matthews_corrcoef", matthews_corrcoef(&labels, &predicted, 3).unwrap_err()),
        ("ClassificationReport::new", ClassificationReport::new(&labels, &predicted, &names).unwrap_err()),
        ("confusion_matrix", ConfusionTable::new(&labels, &predicted, &names).unwrap_err()),
    ] {
        assert_eq!(error.to_string(), format!("{metric}: {rest}"));
    }
}

#[test]
fn metrics_of_numbers_that_are_none_or_too_few() {
    assert_message(
        mean_squared_error(&[1.0, 2.0, 3.0], &[1.0, 2.0]),
        "mean_squared_error: expected one prediction per target, found 2 for 3 targets | are they for the same rows?",
    );
    assert_message(
        mean_absolute_error(&[], &[]),
        "mean_absolute_error: expected at least one prediction, found none | was everything filtered out?",
    );
    assert_message(
        root_mean_squared_error(&[1.0, f64::NAN], &[1.0, 2.0]),
        "root_mean_squared_error: expected every target to be a finite number of size up to 1e150, found NaN in row 1 \
         | leave the row out, or fill in the value",
    );
    for (found, shown) in [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "-inf"), (2e150, "2e150")] {
        assert_message(
            r2_score(&[1.0, 2.0], &[1.0, found]),
            &format!(
                "r2_score: expected every prediction to be a finite number of size up to 1e150, found {shown} in row 1 \
                 | did training diverge?"
            ),
        );
    }
    assert_message(
        r2_score(&[1.0], &[1.0]),
        "r2_score: expected two rows or more, found one | one row has no variance",
    );
}

#[test]
fn metrics_of_the_wrong_kind() {
    let three = array![[0.5, 0.3, 0.2]];
    let names = Vec::from_iter(Metric::all().filter(Metric::for_classes).map(|metric| metric.to_string()));
    assert_message(
        Metric::RootMeanSquaredError.of_classes(&[0], three.view()),
        &format!("rmse: does not support classification | metrics of classification: {}", names.join(", ")),
    );
    assert_message(
        Metric::Accuracy.of_numbers(&[0.0], &[0.0]),
        "accuracy: does not support regression | metrics of regression: r2, mae, mse, rmse",
    );
    assert_message(
        Metric::RocAuc.of_classes(&[0], three.view()),
        "roc_auc: expected the probabilities of two classes, found 3 columns \
         | for several classes there are log_loss, f1_macro, balanced_accuracy",
    );
}

#[test]
fn unknown_metric_lists_the_known_ones_and_asks_about_a_near_name() {
    let names = Vec::from_iter(Metric::all().map(|metric| metric.to_string()));
    assert!(
        names
            .join(", ")
            .starts_with("accuracy, top2_accuracy, top5_accuracy, balanced_accuracy, precision_macro")
    );
    let known = format!("known: {}", names.join(", "));
    for (name, message) in [
        ("accurcy", format!("no metric is named \"accurcy\" | {known} | did you mean \"accuracy\"?")),
        (
            "top0_accuracy",
            format!("no metric is named \"top0_accuracy\" | {known} | did you mean \"top2_accuracy\"?"),
        ),
        ("speed", format!("no metric is named \"speed\" | {known}")),
    ] {
        assert_eq!(name.parse::<Metric>().unwrap_err().to_string(), message);
    }
}

#[test]
fn calibration_in_no_bins_or_too_many() {
    for bins in [0, 10_001] {
        assert_message(
            calibration(&[1], &[0.5], bins),
            &format!("calibration: expected from 1 to 10000 bins, found {bins} | 10 and 15 are usual"),
        );
    }
}

// sets made smaller or harder

#[test]
fn classes_that_the_set_does_not_have() {
    assert_message(
        Dataset::iris().only_classes(&["setosa", "virginca"]),
        "data set \"iris\": no class is named \"virginca\" | known: \"setosa\", \"versicolor\", \"virginica\" \
         | did you mean \"virginica\"?",
    );
    assert_message(
        Dataset::iris().only_classes(&["setosa", "setosa"]),
        "data set \"iris\": expected every class once in the order, found \"setosa\" twice | name each class once",
    );
    assert_message(
        Dataset::iris().only_classes(&[] as &[&str]),
        "data set \"iris\": expected at least one row, found none | was everything filtered out?",
    );
}

#[test]
fn label_noise_out_of_range_or_without_another_class() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for (share, shown) in [(-0.1, "-0.1"), (1.5, "1.5"), (f64::NAN, "NaN")] {
        assert_message(
            Dataset::iris().with_label_noise(share, &mut rng),
            &format!(
                "with_label_noise: expected a fraction from 0 to 1, found {shown} | 0.2 changes 20 % of the labels"
            ),
        );
    }
    assert_message(
        Dataset::iris().only_classes(&["setosa"]).unwrap().with_label_noise(0.1, &mut rng),
        "with_label_noise: expected two classes or more in data set \"iris\", found one \
         | a label can only be wrong among several",
    );
}

#[test]
fn imbalance_without_a_count_for_each_class_or_a_row() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    assert_message(
        Dataset::iris().imbalanced(&[100, 5], &mut rng),
        "imbalanced: expected one count for each of the 3 classes of data set \"iris\", found 2 \
         | usize::MAX keeps every row of a class",
    );
    assert_message(
        Dataset::iris().imbalanced(&[0, 0, 0], &mut rng),
        "data set \"iris\": expected at least one row, found none | was everything filtered out?",
    );
}

// the error itself

#[test]
fn error_is_small_travels_and_shows_its_message_from_main() {
    fn travels<T: Error + Send + Sync + 'static>() {}
    travels::<DataError>();
    assert_eq!(size_of::<DataError>(), size_of::<usize>());
    let error = Batches::new(10, 0).unwrap_err();
    assert_eq!(format!("{error:?}"), format!("{error}"));
    assert!(matches!(error.kind(), ErrorKind::BatchSize { batch_size: 0, rows: 10 }));
}
