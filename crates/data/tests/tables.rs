//! Tables of all kinds, from text to what a net sees.

use ndarray::array;
use surprisal_data::{
    Categorical, ColumnValues, CsvOptions, Encoder, Missing, Scaling, Standardize, Table, Task, Unseen,
};

/// Options for a table whose target is "y".
fn y() -> CsvOptions {
    CsvOptions { target: Some("y".to_owned()), ..CsvOptions::default() }
}

fn columns(names: &[&str]) -> Categorical {
    Categorical::Columns(names.iter().map(|name| name.to_string()).collect())
}

#[track_caller]
fn table(text: &str, options: &CsvOptions) -> Table {
    Table::from_csv(text.as_bytes(), "t", options).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn read(encoder: &Encoder, text: &str, unseen: Unseen) -> ndarray::Array2<f64> {
    let x = encoder.read_csv(text.as_bytes(), "new", &CsvOptions::default(), unseen);
    x.unwrap_or_else(|error| panic!("{error}"))
}

const PETS: &str = "id,colour,weight,y\n1,red,1,a\n2,blue,3,b\n3,red,5,a\n4,blue,7,b\n";

#[test]
fn one_table_in_many_dresses() {
    let plain = table(PETS, &CsvOptions { ignore: vec!["id".to_owned()], ..y() });
    assert_eq!(plain.columns().len(), 2);
    let by_place = CsvOptions { ignore: vec!["0".to_owned()], target: Some("-1".to_owned()), ..y() };
    assert_eq!(table(PETS, &by_place), plain);
    for (separator, text) in [(b';', ";"), (b'\t', "\t"), (b'|', "|")] {
        let options = CsvOptions { separator: Some(separator), ..by_place.clone() };
        assert_eq!(table(&PETS.replace(',', text), &options), plain);
    }
    let headless = CsvOptions { header: false, ..by_place };
    let (_, rows) = PETS.split_once('\n').unwrap();
    let headless = table(rows, &headless);
    assert_eq!(headless.columns().iter().map(|column| &column.name[..]).collect::<Vec<_>>(), ["1", "2"]);
    assert!(headless.columns().iter().zip(plain.columns()).all(|(a, b)| a.values == b.values));
    assert_eq!(headless.labels(), plain.labels());
}

#[test]
fn a_tsv_file_is_separated_by_tabs() {
    let path = std::env::temp_dir().join(format!("surprisal-tables-{}.tsv", std::process::id()));
    std::fs::write(&path, PETS.replace(',', "\t")).unwrap();
    let read = Table::from_csv_path(&path, &y());
    let encoder = Encoder::fit(&table(PETS, &y()), Scaling::None).unwrap();
    let x = encoder.read_csv_path(&path, &CsvOptions::default(), Unseen::Error);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read.unwrap().columns(), table(PETS, &y()).columns());
    assert_eq!(x.unwrap(), read_pets(&encoder));
}

fn read_pets(encoder: &Encoder) -> ndarray::Array2<f64> {
    read(encoder, PETS, Unseen::Error)
}

#[test]
fn a_table_says_what_it_holds_unless_somebody_says_otherwise() {
    let kinds = |text: &str, options: &CsvOptions| -> String {
        let kind = |values: &ColumnValues| match values {
            ColumnValues::Numbers(_) => 'n',
            ColumnValues::Categories { .. } => 'c',
        };
        table(text, options).columns().iter().map(|column| kind(&column.values)).collect()
    };
    assert_eq!(kinds(PETS, &y()), "ncn");
    assert_eq!(kinds(PETS, &CsvOptions { categorical: columns(&["colour", "weight"]), ..y() }), "ncc");
    // a column whose first values are missing is what the others are
    let gaps = "a,b,y\n,?,1\nred,2,2\nred,3,1\nblue,4,2\nblue,NA,1\n";
    assert_eq!(kinds(gaps, &CsvOptions { missing: Missing::Mean, ..y() }), "cn");
}

#[test]
fn up_to_a_hundred_texts_are_categories_unasked() {
    for (texts, is_category) in [(100, true), (101, false)] {
        let rows: String = (0..1000).map(|k| format!("t{},{}\n", k % texts, k % 2)).collect();
        let table = Table::from_csv(format!("x,y\n{rows}").as_bytes(), "t", &y());
        assert_eq!(table.is_ok(), is_category, "{texts}");
    }
}

#[test]
fn columns_of_one_name_may_be_ignored() {
    let ignoring = table("a,x,a,y\n,1,b,1\n,2,c,2\n", &CsvOptions { ignore: vec!["a".to_owned()], ..y() });
    assert_eq!(ignoring.columns(), table("x,y\n1,1\n2,2\n", &y()).columns());
}

#[test]
fn many_different_numbers_are_classes_only_if_somebody_says_so() {
    let rents: String = (0..40).map(|k| format!("{k},{}.5\n", 700 + k)).collect();
    let rents = format!("x,y\n{rents}");
    let as_task = |task| CsvOptions { task, ..y() };
    assert!(Table::from_csv(rents.as_bytes(), "t", &y()).is_err());
    let numbers = table(&rents, &as_task(Task::Numbers));
    assert_eq!((numbers.values()[1], numbers.labels().len(), numbers.class_names().len()), (701.5, 0, 0));
    let classes = table(&rents, &as_task(Task::Classes));
    assert_eq!((classes.labels()[1], classes.values().len(), classes.class_names().len()), (1, 0, 40));
    // so are whole numbers of which nearly every row has its own; but not 30 numbers that come again and again
    let whole = rents.replace(".5", "");
    assert!(Table::from_csv(whole.as_bytes(), "t", &y()).is_err());
    let digits: String = (0..90).map(|k| format!("{k},{}\n", k % 30)).collect();
    assert_eq!(table(&format!("x,y\n{digits}"), &y()).class_names().len(), 30);
}

#[test]
fn rows_without_a_value_are_left_out_and_counted() {
    let text = "a,b,c,y\n1,x,,1\n2,x,,2\n?,x,,1\n4,,,2\n5,x,,\n6,x,,1\n";
    let options = CsvOptions { ignore: vec!["c".to_owned()], missing: Missing::Drop, ..y() };
    let kept = table(text, &options);
    assert_eq!((kept.rows(), kept.dropped()), (3, 3));
    assert_eq!(kept.columns()[0].values, ColumnValues::Numbers(vec![1.0, 2.0, 6.0]));
    assert_eq!(kept.labels(), [0, 1, 0]);
}

#[test]
fn what_is_missing_is_filled_in_by_what_is_measured_on_the_rows_for_training() {
    let text = "colour,x,y\nred,1,a\nred,,b\n,5,a\nblue,1000,b\nblue,2000,a\nblue,3000,b\n";
    let table = table(text, &CsvOptions { missing: Missing::Mean, ..y() });
    let train = table.select(&[0, 1, 2]);
    let encoder = Encoder::fit(&train, Scaling::None).unwrap();
    assert_eq!(encoder.feature_names(), ["colour=blue", "colour=red", "x"]);
    assert_eq!(encoder.apply(&train).unwrap(), array![[0.0, 1.0, 1.0], [0.0, 1.0, 3.0], [0.0, 1.0, 5.0]]);
    // the commonest of all rows, blue, and the mean of all rows had no say
    assert_eq!(read(&encoder, "x,colour\nNA,\n", Unseen::Error), array![[0.0, 1.0, 3.0]]);
    // scaled after it was filled in: 1, 3, 5
    let standardized = Encoder::fit(&train, Scaling::Standardize).unwrap().apply(&train).unwrap();
    let fitted = Standardize::fit(&array![[1.0], [3.0], [5.0]]).unwrap();
    assert_eq!(standardized.column(2), fitted.apply(&array![[1.0], [3.0], [5.0]]).unwrap().column(0));
}

#[test]
fn every_part_of_a_table_gives_a_net_as_many_inputs() {
    let table = table(PETS, &y());
    let red = Encoder::fit(&table.select(&[0, 2]), Scaling::MinMax).unwrap();
    assert_eq!(red.feature_names(), ["id", "colour=blue", "colour=red", "weight"]);
    assert_eq!(red.apply(&table.select(&[1])).unwrap(), array![[0.5, 1.0, 0.0, 0.5]]);
}

#[test]
fn new_rows_are_encoded_as_the_rows_of_the_training_were() {
    let table = table(PETS, &y());
    for scaling in [Scaling::None, Scaling::Divide(3.0), Scaling::Standardize, Scaling::MinMax] {
        let encoder = Encoder::fit(&table, scaling).unwrap();
        encoder.check().unwrap();
        assert_eq!(encoder.width(), encoder.feature_names().len());
        assert_eq!(read_pets(&encoder), encoder.apply(&table).unwrap(), "{scaling}");
        assert_eq!(scaling.to_string().parse(), Ok(scaling));
    }
}

#[test]
fn a_category_that_was_never_seen_is_none_of_them_if_that_was_asked_for() {
    let encoder = Encoder::fit(&table(PETS, &y()), Scaling::None).unwrap();
    assert_eq!(
        read(&encoder, "id,weight,colour\n1,2,green\n2,3,red\n", Unseen::Ignore),
        array![[1.0, 0.0, 0.0, 2.0], [2.0, 0.0, 1.0, 3.0]]
    );
}

#[test]
fn categories_do_not_depend_on_the_order_of_rows() {
    let mut lines: Vec<&str> = PETS.lines().collect();
    lines[1..].reverse();
    let (forth, back) = (table(PETS, &y()), table(&lines.join("\n"), &y()));
    assert_eq!(back.select(&[3, 2, 1, 0]), forth);
}

#[cfg(feature = "serde")]
#[test]
fn an_encoder_is_read_as_it_was_written() {
    let options = CsvOptions { missing: Missing::Mean, ..y() };
    let encoder = Encoder::fit(&table(PETS, &options), Scaling::Standardize).unwrap();
    let text = serde_json::to_string(&encoder).unwrap();
    assert_eq!(serde_json::from_str::<Encoder>(&text).unwrap(), encoder);
}
