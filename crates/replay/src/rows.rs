//! Inputs and targets: `inputs` and `targets` of the setting, or `X` and `y` of the data file that it names.

use std::fs;
use std::path::Path;

use serde_json::Value;
use surprisal_data::Standardize;
use surprisal_tensor::ndarray::Array2;

use super::ReplayError;
use super::place::Place;

/// What a net is trained on.
pub(super) struct Rows {
    /// `[rows, features]`
    pub x: Array2<f64>,
    /// `[rows, outputs]`, or `[rows, 1]` with a label in each row.
    y: Array2<f64>,
    y_path: String,
    labels: bool,
}

impl Rows {
    /// The data that the setting names, after its `preprocess`, which may contain `positive_class`; it may also be beside it.
    pub fn read(setting: &Place, folder: impl AsRef<Path>) -> Result<Self, ReplayError> {
        let folder = folder.as_ref();
        let mut rows = match setting.find("data")? {
            Some(name) => {
                let file = read_json(&name, folder)?;
                let file = Place::root(name.text()?, &file);
                Rows::from_labels(&file.get("X")?, &file.get("y")?)?
            }
            None => {
                let (x, y) = (setting.get("inputs")?, setting.get("targets")?);
                Rows { x: x.matrix()?, y: y.matrix()?, y_path: y.path, labels: false }.checked()?
            }
        };
        let how = setting.find("preprocess")?;
        let inside = how.as_ref().map_or(Ok(None), |how| how.find("positive_class"))?;
        match (setting.find("positive_class")?, &inside) {
            (Some(_), Some(inside)) => {
                return Err(inside.wrong(
                    "positive_class once",
                    "it is also given beside preprocess: remove one of the two",
                ));
            }
            (Some(class), None) => rows.answer(&class)?,
            (None, Some(class)) => rows.answer(class)?,
            (None, None) => {}
        }
        match how {
            Some(how) => Ok(Rows { x: preprocess(rows.x, &how, inside.is_some())?, ..rows }),
            None => Ok(rows),
        }
    }

    /// Inputs, and a label for each row.
    pub fn from_labels(x: &Place, labels: &Place) -> Result<Self, ReplayError> {
        let numbers = labels.numbers()?;
        let y = Array2::from_shape_fn((numbers.len(), 1), |(i, _)| numbers[i]);
        Rows { x: x.matrix()?, y, y_path: labels.path.clone(), labels: true }.checked()
    }

    /// Makes the target 1 where the label is the positive class, else 0.
    fn answer(&mut self, class: &Place) -> Result<(), ReplayError> {
        let positive = class.count()? as f64;
        if self.y.ncols() != 1 || !self.y.iter().any(|&label| label == positive) {
            return Err(class.wrong(format!("one of the labels in {}", self.y_path), "labels count from 0"));
        }
        self.y.mapv_inplace(|label| f64::from(label == positive));
        self.labels = false;
        Ok(())
    }

    fn checked(self) -> Result<Self, ReplayError> {
        if self.x.nrows() == self.y.nrows() {
            return Ok(self);
        }
        let expected = format!("{} targets, one for each row", self.x.nrows());
        let hint = "do inputs and targets belong together?";
        Err(ReplayError::new(self.y_path, expected, self.y.nrows().to_string(), hint))
    }

    /// The targets of a net with so many outputs, `[rows, outputs]`: as they stand there, or one-hot where labels meet
    /// several outputs.
    pub fn targets(&self, outputs: usize) -> Result<Array2<f64>, ReplayError> {
        if outputs == self.y.ncols() {
            return Ok(self.y.clone());
        }
        if !self.labels {
            let expected = format!("as many columns as the net has outputs, {outputs}");
            let hint = "does the last layer have the right width?";
            return Err(ReplayError::new(&*self.y_path, expected, self.y.ncols().to_string(), hint));
        }
        let is_class = |(i, class)| f64::from(self.y[[i, 0]] == class as f64);
        let one_hot = Array2::from_shape_fn((self.y.nrows(), outputs), is_class);
        match one_hot.rows().into_iter().position(|row| row.sum() == 0.0) {
            None => Ok(one_hot),
            Some(i) => {
                let expected = format!("a class from 0 to {}", outputs - 1);
                Err(self.wrong_in_row(i, expected, self.y[[i, 0]], "is the last layer too narrow?"))
            }
        }
    }

    /// The same, where a cross-entropy needs them between 0 and 1.
    pub fn probabilities(&self, outputs: usize) -> Result<Array2<f64>, ReplayError> {
        let targets = self.targets(outputs)?;
        match targets.indexed_iter().find(|(_, t)| !(0.0..=1.0).contains(*t)) {
            None => Ok(targets),
            Some(((i, _), &found)) => {
                let hint = "a cross-entropy compares probabilities: name the `positive_class` of labels";
                Err(self.wrong_in_row(i, "a target from 0 to 1", found, hint))
            }
        }
    }

    fn wrong_in_row(&self, i: usize, expected: impl Into<String>, found: f64, hint: &str) -> ReplayError {
        ReplayError::new(format!("{}[{i}]", self.y_path), expected, found.to_string(), hint)
    }
}

fn read_json(name: &Place, folder: &Path) -> Result<Value, ReplayError> {
    let path = folder.join(name.text()?);
    let place = path.display();
    let text = fs::read_to_string(&path).map_err(|error| {
        name.found(
            format!("{place}: {error}"),
            "a file that can be read",
            "put data files beside the setting's file, or into the folder of data that is given",
        )
    })?;
    serde_json::from_str(&text)
        .map_err(|error| name.found(format!("{place}: {error}"), "JSON", "is the file complete?"))
}

/// `{"standardise": "population"}`, every column to mean 0 and standard deviation 1, with ddof 0, over all rows; or
/// `{"divide_by": number}`; or neither, where only the targets are prepared.
fn preprocess(x: Array2<f64>, how: &Place, targets: bool) -> Result<Array2<f64>, ReplayError> {
    if let Some(deviation) = how.find("standardise")? {
        deviation.one_of(&[("population", ())])?;
        let standardized = Standardize::fit(&x).and_then(|standardize| standardize.apply(&x));
        return standardized
            .map_err(|error| how.found(error.to_string(), "numbers to standardise", "look at the data"));
    }
    if targets && how.find("divide_by")?.is_none() {
        return Ok(x);
    }
    let divisor = how.get("divide_by")?;
    match divisor.number()? {
        0.0 => Err(divisor.wrong("a number that is not 0", "divide pixels by 255")),
        number => Ok(x / number),
    }
}
