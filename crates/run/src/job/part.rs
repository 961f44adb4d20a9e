//! [`DataPart`]: rows of the data, encoded for the net.

use surprisal_data::{Dataset, Targets};
use surprisal_tensor::ndarray::{Array2, ArrayView2};
use surprisal_tensor::{Scalar, Tape, Var, Write};
use surprisal_train::{Batched, Predictions};

/// So many numbers are in a block.
const BLOCK: usize = 1 << 15;

/// The training, validation or test set: features as the net reads them, in `f32`, and targets.
///
/// As a [`Batched`], it has the targets in the scale of the net.
pub struct DataPart {
    /// The name of the data.
    pub name: String,
    /// The target of each row, in the units of the data.
    pub targets: Targets,
    /// The names of the net's inputs.
    pub feature_names: Vec<String>,
    /// `[channels, height, width]` of the rows, if they are images.
    pub image_shape: Option<[usize; 3]>,
    scaled: Option<Targets>, // in the scale of the net, if that is another
    blocks: Vec<Vec<f32>>,   // features of `rows_of_block` rows each; without memory until they are written
    rows_of_block: usize,
    exact: Option<Array2<f64>>, // the same before they were rounded, where a picture or an explanation needs them
}

impl DataPart {
    /// Rows without features, which are to be [written](Self::write).
    pub(super) fn new(set: Dataset, predictions: &Predictions, exact: bool) -> DataPart {
        let Dataset { name, features, targets, feature_names, image_shape } = set;
        let scaled = match predictions {
            Predictions::Classes(_) | Predictions::Masks(_) => None,
            &Predictions::Number { offset, scale, .. } => {
                Some(targets.map(|value| f64::from(((value - offset) / scale) as f32)))
            }
        };
        let shape = (features.nrows(), feature_names.len());
        // of a decision boundary, and of images with masks, there are pictures
        let exact = (exact || shape.1 <= 2 || targets.is_segmentation()).then(|| Array2::zeros(shape));
        let rows_of_block = (BLOCK / shape.1.max(1)).max(1);
        let blocks = vec![Vec::new(); shape.0.div_ceil(rows_of_block)];
        DataPart { name, targets, feature_names, image_shape, scaled, blocks, rows_of_block, exact }
    }

    /// A data set that is encoded.
    pub(super) fn of(mut set: Dataset, predictions: &Predictions, exact: bool) -> DataPart {
        let none = Array2::zeros((set.rows(), 0));
        let features = std::mem::replace(&mut set.features, none);
        let mut part = DataPart::new(set, predictions, exact);
        part.write(0, features.view());
        part
    }

    /// Sets the features of some rows.
    pub(super) fn write(&mut self, first: usize, numbers: ArrayView2<f64>) {
        let (rows, columns) = (self.rows(), self.feature_names.len());
        for (row, numbers) in (first..).zip(numbers.rows()) {
            let (block, at) = (row / self.rows_of_block, row % self.rows_of_block * columns);
            if self.blocks[block].is_empty() {
                let count = self.rows_of_block.min(rows - block * self.rows_of_block);
                self.blocks[block] = vec![0.0; count * columns];
            }
            let slots = &mut self.blocks[block][at..at + columns];
            slots.iter_mut().zip(numbers).for_each(|(slot, &x)| *slot = x as f32);
            if let Some(exact) = &mut self.exact {
                exact.row_mut(row).assign(&numbers);
            }
        }
    }

    /// The features of a row, as the net reads them.
    fn features_of(&self, row: usize) -> &[f32] {
        let columns = self.feature_names.len();
        let at = row % self.rows_of_block * columns;
        &self.blocks[row / self.rows_of_block][at..at + columns]
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.targets.len()
    }

    /// As a data set. Features are the numbers that the net reads.
    pub fn dataset(&self) -> Dataset {
        Dataset {
            name: self.name.clone(),
            features: self.exact.clone().unwrap_or_else(|| {
                let number = |(row, column): (usize, usize)| f64::from(self.features_of(row)[column]);
                Array2::from_shape_fn((self.rows(), self.feature_names.len()), number)
            }),
            targets: self.targets.clone(),
            feature_names: self.feature_names.clone(),
            image_shape: self.image_shape,
        }
    }

    /// A column of the features.
    pub(crate) fn column(&self, at: usize) -> Vec<f64> {
        match &self.exact {
            Some(exact) => exact.column(at).to_vec(),
            None => (0..self.rows()).map(|row| f64::from(self.features_of(row)[at])).collect(),
        }
    }

    /// The features of a row.
    pub(crate) fn row(&self, at: usize) -> Vec<f64> {
        match &self.exact {
            Some(exact) => exact.row(at).to_vec(),
            None => self.features_of(at).iter().copied().map(f64::from).collect(),
        }
    }

    /// Adds features and targets, as the net reads them, to a checksum.
    pub(super) fn add_to(&self, crc: &mut crc32fast::Hasher) {
        let mut bytes = Vec::new();
        for numbers in &self.blocks {
            bytes.clear();
            bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
            crc.update(&bytes);
        }
        match Batched::targets(self) {
            Targets::Classes { labels, .. } => {
                labels.iter().for_each(|label| crc.update(&(*label as u64).to_le_bytes()));
            }
            Targets::Masks { masks, .. } => masks.iter().for_each(|&class| crc.update(&[class])),
            Targets::Values(values) => {
                values.iter().for_each(|value| crc.update(&(*value as f32).to_le_bytes())); // which they are
            }
        }
    }
}

impl Batched for DataPart {
    fn rows(&self) -> usize {
        self.rows()
    }
    fn targets(&self) -> &Targets {
        self.scaled.as_ref().unwrap_or(&self.targets)
    }
    #[track_caller]
    fn features<'t>(&self, tape: &'t Tape<'t>, rows: &[usize]) -> Var<'t> {
        if let Some(row) = rows.iter().find(|&&row| row >= self.rows()) {
            panic!("features: there is no row {row}, found {} rows", self.rows());
        }
        tape.input_by([rows.len(), self.feature_names.len()], Gathered { part: self, rows })
    }
}

/// Some rows of a part, on their way to a tape.
struct Gathered<'a> {
    part: &'a DataPart,
    rows: &'a [usize],
}

impl Write for Gathered<'_> {
    fn write<T: Scalar>(self, slots: &mut [T]) {
        let columns = self.part.feature_names.len();
        for (slots, &row) in slots.chunks_exact_mut(columns.max(1)).zip(self.rows) {
            let numbers = self.part.features_of(row);
            slots.iter_mut().zip(numbers).for_each(|(slot, &x)| *slot = T::of(f64::from(x)));
        }
    }
}
