//! The embedded sets hold exactly the numbers of the reference vectors that the experiments are checked
//! against.

use serde_json::Value;
use surprisal_data::Dataset;

#[track_caller]
fn assert_same_numbers(set: &Dataset, vectors: &str) {
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let (x, y) = (vectors["X"].as_array().unwrap(), vectors["y"].as_array().unwrap());
    assert_eq!(set.features.nrows(), x.len());
    assert_eq!(set.labels().len(), y.len());
    for (row, expected) in x.iter().enumerate() {
        let expected: Vec<f64> = expected.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert_eq!(set.features.row(row).to_vec(), expected, "row {row}");
        assert_eq!(set.labels()[row] as u64, y[row].as_u64().unwrap(), "label of row {row}");
    }
    // "mean radius" there is "mean_radius" here, "sepal length (cm)" is "sepal_length_cm"
    let names = vectors["feature_names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    let names: Vec<String> = names.map(|name| name.replace(['(', ')'], "").replace(' ', "_")).collect();
    assert_eq!(set.feature_names, names);
}

#[test]
fn iris_is_the_reference_iris() {
    let iris = Dataset::iris();
    assert_same_numbers(&iris, include_str!("../vectors/data_iris.json"));
    assert_eq!(iris.class_names(), ["setosa", "versicolor", "virginica"]);
}

#[test]
fn breast_cancer_is_the_reference_breast_cancer() {
    let cancer = Dataset::breast_cancer();
    assert_same_numbers(&cancer, include_str!("../vectors/data_breast_cancer.json"));
    assert_eq!(cancer.class_names(), ["malignant", "benign"]);
    assert_eq!(cancer.class_counts(), [212, 357]);
}
