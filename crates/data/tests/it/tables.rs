//! Tables of all kinds, from text to what a net sees.

use expect_test::expect;
use ndarray::array;
use surprisal_data::{
    Categorical, ColumnValues, CsvOptions, Dataset, Decimal, Encoder, Missing, Scaling, Standardize, Table,
    Targets, Task, Thousands, Unseen,
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

const PETS: &str = "id,color,weight,y\n1,red,1,a\n2,blue,3,b\n3,red,5,a\n4,blue,7,b\n";

#[test]
fn one_table_in_many_dresses() {
    let plain = table(PETS, &CsvOptions { ignore: vec!["id".to_owned()], ..y() });
    assert_eq!(plain.columns().len(), 2);
    let by_place = CsvOptions { ignore: vec!["0".to_owned()], target: Some("-1".to_owned()), ..y() };
    assert_eq!(table(PETS, &by_place), plain);
    for (delimiter, text) in [(b';', ";"), (b'\t', "\t"), (b'|', "|")] {
        let options = CsvOptions { delimiter: Some(delimiter), ..by_place.clone() };
        assert_eq!(table(&PETS.replace(',', text), &options), plain);
    }
    let headless = CsvOptions { header: false, ..by_place };
    let (_, rows) = PETS.split_once('\n').unwrap();
    let headless = table(rows, &headless);
    assert_eq!(headless.columns().iter().map(|column| &column.name[..]).collect::<Vec<_>>(), ["1", "2"]);
    assert!(headless.columns().iter().zip(plain.columns()).all(|(a, b)| a.values == b.values));
    assert_eq!(headless.targets().labels(), plain.targets().labels());
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
            ColumnValues::Dates(_) => 'd',
            ColumnValues::Categories { .. } => 'c',
        };
        table(text, options).columns().iter().map(|column| kind(&column.values)).collect()
    };
    assert_eq!(kinds(PETS, &y()), "ncn");
    assert_eq!(kinds(PETS, &CsvOptions { categorical: columns(&["weight"]), ..y() }), "ncc");
    // a column of few kinds most of which are texts holds categories, one of numbers and few texts is a mistake
    let drives = "drive,y\nf,1\n4,2\nr,1\nf,2\n4,1\nr,2\n";
    assert_eq!(kinds(drives, &y()), "c");
    let typo = drives.replace("f,", "5,").replace("4,", "6,");
    assert!(Table::from_csv(typo.as_bytes(), "t", &y()).is_err());
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
fn numbers_to_predict_are_those_with_fractions_or_of_many_kinds() {
    let predicted = |task, target: &dyn Fn(usize) -> String| {
        let rows: String = (0..90).map(|k| format!("{},{}\n", k % 7, target(k))).collect();
        let table = table(&format!("x,y\n{rows}"), &CsvOptions { task, ..y() });
        match table.targets() {
            Targets::Classes { names, .. } => (0, names.len()),
            other => (other.values().len(), 0),
        }
    };
    let auto = |target: &dyn Fn(usize) -> String| predicted(Task::Auto, target);
    assert_eq!(auto(&|k| format!("{}", k % 20)), (0, 20));
    assert_eq!(auto(&|k| format!("{}", k % 21)), (90, 0));
    assert_eq!(auto(&|k| format!("{}.0", k % 3)), (0, 3));
    assert_eq!(auto(&|k| format!("{}", (k % 3) as f64 / 2.0)), (90, 0));
    assert_eq!(auto(&|k| format!("t{}", k % 30)), (0, 30));
    // what is said holds
    assert_eq!(predicted(Task::Regression, &|k| format!("{}", k % 2)), (90, 0));
    assert_eq!(predicted(Task::Classification, &|k| format!("{}.5", k % 40)), (0, 40));
}

#[test]
fn what_was_taken_for_what_is_reported() {
    let rows: String = (0..30).map(|k| format!("{},{k}\n", k % 7)).collect();
    let notices = |text: &str, options: &CsvOptions| -> Vec<String> {
        table(text, options).notices().iter().map(ToString::to_string).collect()
    };
    let text = format!("x,y\n{rows}");
    assert!(notices(&text, &CsvOptions { task: Task::Regression, ..y() }).is_empty());
    let told = [
        notices(&text, &y()),
        notices("5.1,3.5,y\n4.9,3,a\n5,2,b\n", &y()),
        notices("zip,x,y\n01000,1,a\n20000,5,b\n", &y()),
        notices("x,z,y\n1,,a\n,q,b\n3,q,\n3,q,b\n7,q,a", &y()),
        notices("x,y\n1,a\n,b\n3,\n3,b\n", &CsvOptions { missing: Missing::Drop, ..y() }),
        notices("drive,y\nf,1\n4,2\nr,1\nf,2\n4,1\nr,2\n", &y()),
    ];
    expect![[r#"
        the target "y" has 30 distinct numbers: the task is regression | set task to classification if that is wrong
        the first line is read as names, but looks like a row of data: "5.1", "3.5", "y" | set header to false if it is one
        "zip" is read as numbers, some with leading zeros, such as "01000" | name it in categorical if they are codes
        1 row was left out because a value is missing in the target column
        2 missing values are filled in: 1 in "x", 1 in "z"
        2 rows were left out because a value is missing, in 1 of them in the target column
        "drive" contains texts and numbers, and is read as categories: "4", "f", "r""#]].assert_eq(&told.map(|told| told.join("\n")).join("\n"));
}

#[test]
fn a_field_that_looks_like_rows_is_reported() {
    let options = CsvOptions { ignore: vec!["note".to_owned()], ..y() };
    let swallowed: String = (0..20).map(|k| format!("{},{},fine\n", k % 7, k % 2)).collect();
    let read = table(&format!("x,y,note\n1,0,\"wide\n{swallowed}3,1,wide\"\n2,0,a\n4,1,b\n"), &options);
    expect![[r#"the field in line 2, column "note", spans 22 lines that look like rows | is a quote missing in one of them?"#]].assert_eq(&read.notices()[0].to_string());
    let text = table("x,y,note\n1,0,\"a text\nof, say,\nthree lines, or\nfour, is one\"\n2,1,b\n", &options);
    assert_eq!((text.rows(), text.notices()), (2, &[][..]));
}

#[test]
fn columns_that_count_or_have_no_name_or_no_value_are_left_out() {
    let rows = |first: usize, rows: usize| -> String {
        (0..rows).map(|k| format!("{},{},{},,{}\n", first + k, (k * k) % 5, k % 3, k % 2)).collect()
    };
    let text = |first, count| format!("id,x,,z,y\n{}", rows(first, count));
    let names = |table: &Table| Vec::from_iter(table.columns().iter().map(|column| column.name.clone()));
    let told = [0, 1, 1000].map(|first| {
        let table = table(&text(first, 12), &y());
        assert_eq!(names(&table), ["x"]);
        Vec::from_iter(table.notices().iter().map(ToString::to_string)).join("\n")
    });
    assert!(told.iter().all(|notices| *notices == told[0]), "{told:#?}");
    expect![[r#"
        columns without a name are left out: column 3
        columns that count the rows are left out: "id" | to keep one, name it in keep
        columns without values are left out: "z""#]]
    .assert_eq(&told[0]);
    // the model wants none of them
    let encoder = Encoder::fit(&table(&text(1, 12), &y()), Scaling::None).unwrap();
    assert_eq!(read(&encoder, "x\n3\n", Unseen::Error), array![[3.0]]);
    // in few rows, numbers count by chance
    assert_eq!(names(&table(&text(1, 7), &y())), ["id", "x"]);
    let keep = CsvOptions { keep: vec!["id".into(), "2".into()], ..y() };
    assert_eq!(names(&table(&text(1, 12), &keep)), ["id", "x", ""]);
    // a name that pandas made up is none, in whatever order the rows are
    let shuffled: String = (0..9).map(|k| format!("{},{},{}\n", (k * 5) % 9, k % 4, k % 2)).collect();
    assert_eq!(names(&table(&format!("Unnamed: 0,x,y\n{shuffled}"), &y())), ["x"]);
    // what is named is left out without a word, and by place too
    let ignore = CsvOptions { ignore: vec!["id".into(), "".into(), "3".into()], ..y() };
    assert_eq!(table(&text(1, 12), &ignore).notices(), []);
    // where nothing else is left, it is the predictor
    let seconds: String = (1..=20).map(|k| format!("{k},{}.5\n", 100 + k)).collect();
    assert_eq!(names(&table(&format!("x,y\n{seconds}"), &y())), ["x"]);
    assert_eq!(names(&table(",y\n5,a\n6,b\n", &y())), [""]);
    // gaps and other orders are no count
    let shuffled: String = (0..20).map(|k| format!("{},{},{}\n", (k * 7) % 20, k % 3, k % 2)).collect();
    assert_eq!(names(&table(&format!("id,x,y\n{shuffled}"), &y())), ["id", "x"]);
    // where nothing is read but numbers, nothing is left out
    let set = Dataset::from_csv(format!("x,y\n{seconds}").as_bytes(), "t", "y").unwrap();
    assert_eq!(set.columns(), 1);
}

#[test]
fn equal_numbers_are_one_class_and_one_category_however_they_are_written() {
    let text = "a,b,y\n1,x,1\n1.0,x,1.0\n01,x,0.0\n2,x,0\n2e0,x,1e0\n+2,x,-0\n";
    let table = table(text, &CsvOptions { categorical: columns(&["a"]), ..y() });
    assert_eq!(
        (table.targets().class_names(), table.targets().labels()),
        (&["0".to_owned(), "1".to_owned()][..], &[1, 1, 0, 0, 1, 0][..])
    );
    let encoder = Encoder::fit(&table, Scaling::None).unwrap();
    assert_eq!(encoder.feature_names(), ["a=1", "a=2", "b=x"]);
    assert_eq!(encoder.apply(&table).unwrap().column(0).to_vec(), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    assert_eq!(
        read(&encoder, "a,b\n1.00,x\n2.0,x\n", Unseen::Error),
        array![[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    );
    // numbers that only look equal in 64 bits are two
    let ids = "a,y\n9007199254740993,0\n9007199254740992,1\n9007199254740993,0\n9007199254740992,1\n";
    let ids =
        Table::from_csv(ids.as_bytes(), "t", &CsvOptions { categorical: columns(&["a"]), ..y() }).unwrap();
    assert_eq!(Encoder::fit(&ids, Scaling::None).unwrap().width(), 2);
}

#[test]
fn numbers_are_read_with_the_signs_that_are_named() {
    let options =
        CsvOptions { delimiter: Some(b';'), decimal: Decimal::Comma, thousands: Thousands::Point, ..y() };
    let german = table("x;z;y\n1.200,5;3,5;1,5\n-7;4;2\n", &options);
    assert_eq!(german.columns()[0].values, ColumnValues::Numbers([1200.5, -7.0].into_iter().collect()));
    assert_eq!(german.targets().values(), [1.5, 2.0]);
    let encoder = Encoder::fit(&german, Scaling::None).unwrap();
    let new = encoder.read_csv("z;x\n0,5;2.000\n".as_bytes(), "new", &options, Unseen::Error).unwrap();
    assert_eq!(new, array![[2000.0, 0.5]]);
}

#[test]
fn dates_are_days_and_are_scaled() {
    let options = CsvOptions { dates: vec!["day".to_owned()], ..y() };
    let text = "day,x,y\n1970-01-02,5,a\n1970-01-04T12:00,6,b\n,6,a\n";
    let table = table(text, &options);
    assert!(
        matches!(&table.columns()[0].values, ColumnValues::Dates(days) if [days.get(0), days.get(1)] == [1.0, 3.5] && days.get(2).is_nan())
    );
    let encoder = Encoder::fit(&table, Scaling::MinMax).unwrap();
    encoder.check().unwrap();
    assert_eq!(encoder.apply(&table).unwrap().column(0).to_vec(), [0.0, 1.0, 0.5]);
    assert_eq!(read(&encoder, "x,day\n5,1970-01-07\n6,NA\n", Unseen::Error), array![[2.0, 0.0], [0.5, 1.0]]);
    let error = encoder.read_csv("x,day\n5,17\n".as_bytes(), "new", &CsvOptions::default(), Unseen::Error);
    expect![[r#"new, line 2, column "day": expected a date such as 2024-03-31 or 2024-03-31T12:30, found "17" | correct the format, or leave the row out"#]].assert_eq(&error.unwrap_err().to_string());
}

#[test]
fn the_words_for_missing_values_can_be_named() {
    let text = &format!("country,x,y\n{}", "NA,1,1\nDE,-999,2\nNA,3,2\nDE,4,1\n".repeat(2));
    let with = |words: &[&str]| CsvOptions {
        missing_words: Some(words.iter().map(|word| word.to_string()).collect()),
        missing: Missing::Drop,
        ..y()
    };
    assert_eq!(table(text, &with(&[])).rows(), 8);
    let no_nines = with(&["-999"]);
    let kept = table(text, &no_nines);
    assert_eq!(kept.rows(), 6);
    assert_eq!(
        Encoder::fit(&kept, Scaling::None).unwrap().feature_names(),
        ["country=DE", "country=NA", "x"]
    );
    assert_eq!(table(text, &CsvOptions { missing: Missing::Drop, ..y() }).rows(), 4);
}

#[test]
fn rows_without_a_value_are_left_out_and_counted() {
    let text = "a,b,c,y\n1,x,,1\n2,x,,2\n?,x,,1\n4,,,2\n5,x,,\n6,x,,1\n";
    let options = CsvOptions { ignore: vec!["c".to_owned()], missing: Missing::Drop, ..y() };
    let kept = table(text, &options);
    assert_eq!((kept.rows(), kept.dropped()), (3, 3));
    assert_eq!(kept.columns()[0].values, ColumnValues::Numbers([1.0, 2.0, 6.0].into_iter().collect()));
    assert_eq!(kept.targets().labels(), [0, 1, 0]);
}

#[test]
fn what_is_missing_is_filled_in_by_what_is_measured_on_the_rows_for_training() {
    let text = "color,x,y\nred,1,a\nred,,b\n,5,a\nblue,1000,b\nblue,2000,a\nblue,3000,b\n";
    let table = table(text, &CsvOptions { missing: Missing::Mean, ..y() });
    let train = table.select(&[0, 1, 2]);
    let encoder = Encoder::fit(&train, Scaling::None).unwrap();
    assert_eq!(encoder.feature_names(), ["color=blue", "color=red", "x"]);
    assert_eq!(encoder.apply(&train).unwrap(), array![[0.0, 1.0, 1.0], [0.0, 1.0, 3.0], [0.0, 1.0, 5.0]]);
    // the commonest of all rows, blue, and the mean of all rows had no say
    assert_eq!(read(&encoder, "x,color\nNA,\n", Unseen::Error), array![[0.0, 1.0, 3.0]]);
    // scaled after it was filled in: 1, 3, 5
    let standardized = Encoder::fit(&train, Scaling::Standardize).unwrap().apply(&train).unwrap();
    let fitted = Standardize::fit(&array![[1.0], [3.0], [5.0]]).unwrap();
    assert_eq!(standardized.column(2), fitted.apply(&array![[1.0], [3.0], [5.0]]).unwrap().column(0));
}

#[test]
fn every_part_of_a_table_gives_a_net_as_many_inputs() {
    let table = table(PETS, &y());
    let red = Encoder::fit(&table.select(&[0, 2]), Scaling::MinMax).unwrap();
    assert_eq!(red.feature_names(), ["id", "color=blue", "color=red", "weight"]);
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
        read(&encoder, "id,weight,color\n1,2,green\n2,3,red\n", Unseen::Ignore),
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
