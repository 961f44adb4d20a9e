//! [`Rows`]: a data set as the input of a network.

use surprisal_data::{Dataset, stratified_split};
use surprisal_layers::{Layer, Rng};
use surprisal_tensor::ndarray::{ArcArray2, Array2, ArrayView2, Axis, Ix2};
use surprisal_tensor::{Params, Scalar, Tape, Var, Workspace};

use super::{LabError, correct};

/// Features and labels. Two classes have one output with the targets 0 and 1; more classes have one output each.
#[derive(Clone, Debug)]
pub struct Rows<T> {
    /// The features, `[rows, columns]`.
    pub x: ArcArray2<T>,
    /// The class of each row.
    pub labels: Vec<usize>,
    /// The number of outputs of a network.
    pub outputs: usize,
}

impl<T: Scalar> Rows<T> {
    /// Returns the rows of a data set, every feature divided by `scale`.
    pub fn new(data: &Dataset, scale: f64) -> Rows<T> {
        let outputs = if data.classes() == 2 { 1 } else { data.classes() };
        let x = data.features.mapv(|x| T::of(x / scale)).into_shared();
        Rows { x, labels: data.labels().to_vec(), outputs }
    }

    /// Returns the first rows alone.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn first(&self, rows: usize) -> Rows<T> {
        let x = self.x.view().split_at(Axis(0), rows).0.to_shared();
        Rows { x, labels: self.labels[..rows].to_vec(), outputs: self.outputs }
    }

    /// Returns features and targets of some rows, on a tape.
    pub fn batch<'t>(&self, tape: &'t Tape<'t>, rows: &[usize]) -> [Var<'t>; 2] {
        let targets = tape.input_with([rows.len(), self.outputs], |i| {
            let label = self.labels[rows[i / self.outputs]];
            if self.outputs > 1 { f64::from(label == i % self.outputs) } else { label as f64 }
        });
        [tape.rows(&self.x, rows), targets]
    }

    /// Returns the logits of all rows, `[rows, outputs]`.
    pub fn logits(&self, workspace: &mut Workspace<T>, params: &Params<T>, model: &impl Layer) -> Array2<T> {
        let logits = workspace.eval(params, |tape| model.forward(tape.shared(&self.x)));
        logits.into_dimensionality::<Ix2>().expect("a row of logits for each row")
    }

    /// Returns the accuracy of these logits.
    pub fn accuracy(&self, logits: ArrayView2<T>) -> f64 {
        correct(logits, &self.labels) as f64 / self.labels.len() as f64
    }
}

/// Splits a data set into training, validation and test set. `test` is a fraction of all rows, `valid` one of the others; each comes with the name of
/// its setting.
///
/// # Errors
/// If a part has no rows of some class.
pub fn three_parts(
    data: &Dataset,
    [valid, test]: [(&str, f64); 2],
    rng: &mut Rng,
) -> Result<[Dataset; 3], LabError> {
    let mut split = |data: &Dataset, (key, share): (&str, f64)| {
        stratified_split(data, share, rng).map_err(|error| LabError::Usage(format!("{key}: {error}")))
    };
    let (rest, test) = split(data, test)?;
    let (train, valid) = split(&rest, valid)?;
    Ok([train, valid, test])
}

#[cfg(test)]
mod tests {
    use super::*;
    use surprisal_layers::rng;

    #[test]
    fn two_classes_have_one_output_and_more_have_one_each() {
        let targets = |data: &Dataset, rows: &[usize]| {
            let (rows_of, params, mut workspace) =
                (Rows::<f64>::new(data, 2.0), Params::<f64>::default(), Workspace::new());
            let tape = workspace.tape(&params);
            let [x, targets] = rows_of.batch(&tape, rows);
            assert_eq!(x.value().as_slice().unwrap()[0], data.features[[rows[0], 0]] / 2.0);
            targets.value().iter().copied().collect::<Vec<_>>()
        };
        assert_eq!(targets(&Dataset::breast_cancer(), &[568, 0, 19]), [1.0, 0.0, 1.0]);
        assert_eq!(targets(&Dataset::iris(), &[149, 0]), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn three_parts_are_everything_once() {
        let mut set = Dataset::iris();
        set.features.column_mut(0).iter_mut().enumerate().for_each(|(row, value)| *value = row as f64);
        let parts = three_parts(&set, [("valid", 0.25), ("test", 0.2)], &mut rng(1)).unwrap();
        assert_eq!(parts.each_ref().map(Dataset::rows), [90, 30, 30]);
        let mut rows: Vec<usize> =
            parts.iter().flat_map(|part| part.features.column(0).mapv(|x| x as usize)).collect();
        rows.sort();
        assert_eq!(rows, (0..150).collect::<Vec<_>>());
        let error = three_parts(&set, [("valid", 1.0), ("test", 0.2)], &mut rng(1)).unwrap_err();
        let LabError::Usage(message) = error else { panic!("{error}") };
        expect_test::expect!["valid: stratified_split: expected a test fraction above 0 and below 1, found 1 | 0.2 keeps a fifth of the rows for testing"].assert_eq(&message);
    }
}
