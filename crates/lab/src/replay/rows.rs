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
    /// What the setting names, after its `preprocess`.
    pub fn read(setting: &Place, folder: &Path) -> Result<Self, ReplayError> {
        let rows = match setting.find("data")? {
            Some(name) => {
                let file = read_json(&name, folder)?;
                let file = Place::root(name.text()?, &file);
                Rows::from_labels(&file.get("X")?, &file.get("y")?, setting.find("positive_class")?)?
            }
            None => {
                let (x, y) = (setting.get("inputs")?, setting.get("targets")?);
                Rows { x: x.matrix()?, y: y.matrix()?, y_path: y.path, labels: false }.checked()?
            }
        };
        match setting.find("preprocess")? {
            Some(how) => Ok(Rows { x: preprocess(rows.x, &how)?, ..rows }),
            None => Ok(rows),
        }
    }

    /// Inputs, and a label for each row; with a positive class k, the target is 1 where the label is k, else 0.
    pub fn from_labels(
        x: &Place,
        labels: &Place,
        positive_class: Option<Place>,
    ) -> Result<Self, ReplayError> {
        let numbers = labels.numbers()?;
        let mut y = Array2::from_shape_fn((numbers.len(), 1), |(i, _)| numbers[i]);
        if let Some(place) = &positive_class {
            let class = place.count()? as f64;
            if !numbers.contains(&class) {
                return Err(
                    place.wrong(format!("one of the labels in {}", labels.path), "labels count from 0")
                );
            }
            y.mapv_inplace(|label| f64::from(label == class));
        }
        let (y_path, labels) = (labels.path.clone(), positive_class.is_none());
        Rows { x: x.matrix()?, y, y_path, labels }.checked()
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
    let told = path.display();
    let text = fs::read_to_string(&path).map_err(|error| {
        name.found(
            format!("{told}: {error}"),
            "a file that can be read",
            "data files stand beside the setting's file, or in the folder that is named (--data)",
        )
    })?;
    serde_json::from_str(&text)
        .map_err(|error| name.found(format!("{told}: {error}"), "JSON", "is the file complete?"))
}

/// `{"standardise": "population"}`, every column to mean 0 and standard deviation 1, with ddof 0, over all rows; or
/// `{"divide_by": number}`.
fn preprocess(x: Array2<f64>, how: &Place) -> Result<Array2<f64>, ReplayError> {
    if let Some(deviation) = how.find("standardise")? {
        deviation.one_of(&[("population", ())])?;
        let standardised = Standardize::fit(&x).and_then(|standardize| standardize.apply(&x));
        return standardised
            .map_err(|error| how.found(error.to_string(), "numbers to standardise", "look at the data"));
    }
    let divisor = how.get("divide_by")?;
    match divisor.number()? {
        0.0 => Err(divisor.wrong("a number that is not 0", "divide pixels by 255")),
        number => Ok(x / number),
    }
}
