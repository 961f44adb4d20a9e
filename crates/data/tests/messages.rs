//! Every error message of the crate, whole: what a user reads is part of the interface.

use ndarray::{Array2, array};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::error::Error;
use surprisal_data::{
    Batches, CsvProblem, DataError, Dataset, ErrorKind, Standardize, accuracy, one_hot, stratified_split,
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
        "no data set is named \"mnist\" | known: iris, breast_cancer, digits",
    );
}

#[test]
fn unknown_dataset_asks_about_a_near_name() {
    assert_message(
        Dataset::named("breast-cancer"),
        "no data set is named \"breast-cancer\" | known: iris, breast_cancer, digits \
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
            "{}, line 3, column \"x\": expected a number, found \"?\" \
             | every column but the label column \"species\" must hold numbers",
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
         | separate the fields by commas",
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
        "flowers.csv: expected columns of numbers beside the label column \"species\", found none \
         | are the fields separated by commas?",
    );
}

#[test]
fn csv_row_that_is_too_short() {
    assert_csv_message(
        "petal,sepal,species\n1,2,a\n3,4\n",
        "flowers.csv, line 3, column \"species\": expected 3 fields, as in the header, found 2 \
         | is a value missing, or the line cut short?",
    );
}

#[test]
fn csv_row_that_is_too_long() {
    assert_csv_message(
        "petal,sepal,species\n1,2,a\n3,4,b,c\n",
        "flowers.csv, line 3: expected 3 fields, as in the header, found 4 \
         | a value that contains a comma stands in double quotes",
    );
}

#[test]
fn csv_number_that_is_missing() {
    assert_csv_message(
        "petal,sepal,species\n1,2,a\n3, ,b\n",
        "flowers.csv, line 3, column \"sepal\": expected a number, found an empty field \
         | fill it in, or leave the row out",
    );
}

#[test]
fn csv_label_that_is_missing() {
    assert_csv_message(
        "petal,sepal,species\n1,2,\n3,4,b\n",
        "flowers.csv, line 2, column \"species\": expected a class name, found an empty field \
         | fill it in, or leave the row out",
    );
}

#[test]
fn csv_text_among_the_numbers() {
    assert_csv_message(
        "petal,sepal,species\r\n1,2,a\r\n3,wide,b\r\n",
        "flowers.csv, line 3, column \"sepal\": expected a number, found \"wide\" \
         | every column but the label column \"species\" must hold numbers",
    );
}

#[test]
fn csv_quote_that_is_not_closed_does_not_print_the_rest_of_the_file() {
    let table = format!("petal,sepal,species\n1,\"2,a\n{}", "3,4,b\n".repeat(100));
    assert_csv_message(
        table,
        "flowers.csv, line 2, column \"species\": expected 3 fields, as in the header, found 2 \
         | is a value missing, or the line cut short?",
    );
    let table = format!("petal,species\n\"1,a\n{}\",b\n", "2,b\n".repeat(100));
    assert_csv_message(
        table,
        "flowers.csv, line 2, column \"petal\": expected a number, \
         found \"1,a\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n2,b\\n\"... \
         | every column but the label column \"species\" must hold numbers",
    );
}

#[test]
fn csv_number_that_is_not_finite() {
    for found in ["NaN", "nan", "inf", "-Infinity", "1e999"] {
        assert_csv_message(
            format!("petal,species\n1,a\n{found},b\n"),
            &format!(
                "flowers.csv, line 3, column \"petal\": expected a finite number, found \"{found}\" \
                 | fill the value in, or leave the row out"
            ),
        );
    }
}

#[test]
fn csv_without_rows() {
    assert_csv_message(
        "petal,species\n",
        "flowers.csv: expected rows below the header, found none | is the file cut short?",
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

// sets filled or changed by hand

#[test]
fn dataset_with_a_label_too_few() {
    let mut set = Dataset::iris();
    set.labels.pop();
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
    set.labels[7] = 3;
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
                 | leave the row out, or fill the value in"
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
        "stratified_split: expected two rows or more of each class of data set \"iris\", found one of \"versicolor\" \
         | add rows of it, or leave the class out",
    );
}

#[test]
fn split_of_a_set_whose_parts_do_not_fit() {
    let mut set = Dataset::iris();
    set.labels.truncate(100);
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
        accuracy(&[0, 1, 1], &[0, 1]),
        "accuracy: expected one prediction per label, found 3 predictions and 2 labels \
         | are they of the same rows?",
    );
}

#[test]
fn accuracy_of_nothing() {
    assert_message(
        accuracy(&[], &[]),
        "accuracy: expected at least one prediction, found none | was everything filtered out?",
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
