use crate::solutions::own_data as right;
use crate::{all_near, near};

fn measures(measure: impl Fn(&[f64]) -> (f64, f64)) {
    for (column, mean, deviation) in
        [(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0][..], 5.0, 2.0), (&[3.0], 3.0, 0.0)]
    {
        let (found_mean, found_deviation) = measure(column);
        near(format_args!("the mean of {column:?}"), found_mean, mean);
        near(format_args!("the deviation of {column:?}"), found_deviation, deviation);
    }
}
exercise!(
    own_data::measure,
    measures,
    wrong: [
        |x| (right::measure(x).0, right::measure(x).1.powi(2)), // the variance
        |x| (right::measure(x).0, right::measure(x).1 * (x.len() as f64 / (x.len() as f64 - 1.0)).sqrt()),
        |x| (x[0], right::measure(x).1),
    ]
);

fn standardizes(standardized: impl Fn(&[f64], &[f64]) -> (Vec<f64>, Vec<f64>)) {
    let (train, test) = standardized(&[1.0, 3.0], &[2.0, 7.0]);
    all_near("the training part of 1, 3 | 2, 7,", &train, &[-1.0, 1.0]);
    all_near("the test part of 1, 3 | 2, 7,", &test, &[0.0, 5.0]);
}
exercise!(
    own_data::standardized,
    standardizes,
    wrong: [
        |train, test| (right::standardized(train, test).0, right::standardized(test, test).1), // each by itself
        |train, test| {
            let all = [train, test].concat(); // has looked at the answers
            (right::standardized(&all, train).1, right::standardized(&all, test).1)
        },
        |train, test| (right::standardized(train, test).0, test.to_vec()),
    ]
);

fn is_accuracy(accuracy: impl Fn(&[usize], &[usize]) -> f64) {
    near("true 0 1 1 0, said 0 1 2 1: the accuracy", accuracy(&[0, 1, 1, 0], &[0, 1, 2, 1]), 0.5);
    near("true 2, said 2: the accuracy", accuracy(&[2], &[2]), 1.0);
    near("true 0 1, said 1 0: the accuracy", accuracy(&[0, 1], &[1, 0]), 0.0);
}
exercise!(
    own_data::accuracy,
    is_accuracy,
    wrong: [
        |labels, said| 1.0 - right::accuracy(labels, said),
        |labels, said| right::accuracy(labels, said) * labels.len() as f64,
        |labels, said| said.iter().filter(|said| labels.contains(said)).count() as f64 / labels.len() as f64,
    ]
);
