//! Lesson 12: your own data.

use crate::unsolved;

/// Mean and standard deviation of a column; the deviation divides by the number of rows.
pub fn measure(column: &[f64]) -> (f64, f64) {
    unsolved("the deviation is the root of the mean of (x - mean)²")
}

/// Both parts of a column, standardized: minus the mean, divided by the standard deviation, both of the *training* part.
pub fn standardized(train: &[f64], test: &[f64]) -> (Vec<f64>, Vec<f64>) {
    unsolved("measure the training part, and apply that to both parts")
}

/// The share of answers that are right.
pub fn accuracy(labels: &[usize], said: &[usize]) -> f64 {
    unsolved("count where both agree, and divide by how many there are")
}
