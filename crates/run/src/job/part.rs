//! [`DataPart`]: rows of the data, encoded for the net.

use std::sync::{Arc, Mutex, PoisonError};

use surprisal_data::{Dataset, Encoder, Loaded, Spill, Targets};
use surprisal_tensor::ndarray::{Array2, ArrayView2, Axis};
use surprisal_tensor::store::{self, Numbers};
use surprisal_tensor::{Scalar, Tape, Var, Write};
use surprisal_train::{Batched, Predictions};

/// The number of numbers in a block.
const BLOCK: usize = 1 << 15;
/// The number of bytes that are decoded at a time.
const NEAR: usize = 1 << 16;
/// The number of numbers of columns that are copied at a time.
const COPIED: usize = 1 << 21;

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
    store: Store,
    rows_of_block: usize,
    exact: Option<Array2<f64>>, // the same before they were rounded, where a picture or an explanation needs them
}

/// Where the blocks of features are.
enum Store {
    /// In memory, as soon as they are written.
    Memory(Vec<Vec<f32>>),
    /// In memory as bytes, and what the net reads for each.
    Bytes(Vec<u8>, Box<[f32; 256]>),
    /// One after the other in a file, from this place on.
    File { at: u64, file: Arc<BlockFile> },
}

/// A file of blocks, one of which is in memory.
pub(super) struct BlockFile {
    pub spill: Arc<Spill>,
    /// The rows of a block.
    pub rows: usize,
    loaded: Mutex<(u64, Vec<f32>)>, // its place, and its numbers
}

impl BlockFile {
    pub fn new(spill: Arc<Spill>, rows: usize) -> Arc<BlockFile> {
        Arc::new(BlockFile { spill, rows, loaded: Mutex::new((u64::MAX, Vec::new())) })
    }

    /// Calls `each` with the numbers of the block at a place.
    fn with<R>(&self, at: u64, numbers: usize, each: impl FnOnce(&[f32]) -> R) -> R {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if loaded.0 != at {
            loaded.1.clear();
            loaded.1.resize(numbers, 0.0);
            self.spill.read_f32(at, &mut loaded.1);
            loaded.0 = at;
        }
        each(&loaded.1)
    }
}

impl DataPart {
    /// Rows without features, which are to be [written](Self::write).
    pub(super) fn new(
        set: Dataset,
        predictions: &Predictions,
        exact: bool,
        file: Option<&Arc<BlockFile>>,
    ) -> DataPart {
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
        let rows_of_block = file.map_or((BLOCK / shape.1.max(1)).max(1), |file| file.rows);
        let store = match file {
            Some(file) => {
                let at = file.spill.reserve(4 * shape.0 as u64 * shape.1 as u64);
                Store::File { at, file: file.clone() }
            }
            None => Store::Memory(vec![Vec::new(); shape.0.div_ceil(rows_of_block)]),
        };
        DataPart { name, targets, feature_names, image_shape, scaled, store, rows_of_block, exact }
    }

    /// A data set that is encoded.
    pub(super) fn of(
        mut set: Dataset,
        predictions: &Predictions,
        exact: bool,
        file: Option<&Arc<BlockFile>>,
    ) -> DataPart {
        let none = Array2::zeros((set.rows(), 0));
        let features = std::mem::replace(&mut set.features, none);
        let mut part = DataPart::new(set, predictions, exact, file);
        part.write(0, features.view());
        part
    }

    /// Takes the features of all of its rows, if they can be in memory as bytes.
    pub(super) fn take_bytes(&mut self, loaded: &Loaded, rows: &[usize], encoder: &Encoder) -> bool {
        let small = self.feature_names.len() <= NEAR;
        let can = small && self.exact.is_none() && matches!(self.store, Store::Memory(_));
        let bytes = can.then(|| loaded.bytes(rows, encoder)).flatten();
        bytes.map(|(bytes, numbers)| self.store = Store::Bytes(bytes, Box::new(numbers))).is_some()
    }

    /// Sets the features of some rows.
    pub(super) fn write(&mut self, first: usize, numbers: ArrayView2<f64>) {
        let (rows, columns) = (self.rows(), self.feature_names.len());
        if let Some(exact) = &mut self.exact {
            exact.slice_axis_mut(Axis(0), (first..first + numbers.nrows()).into()).assign(&numbers);
        }
        match &mut self.store {
            Store::File { at, file } => {
                let bytes = Vec::from_iter(numbers.iter().flat_map(|&x| (x as f32).to_le_bytes()));
                file.spill.write(*at + 4 * (first * columns) as u64, &bytes);
            }
            Store::Memory(blocks) => {
                for (row, numbers) in (first..).zip(numbers.rows()) {
                    let (block, at) = (row / self.rows_of_block, row % self.rows_of_block * columns);
                    if blocks[block].is_empty() {
                        let count = self.rows_of_block.min(rows - block * self.rows_of_block);
                        blocks[block] = vec![0.0; count * columns];
                    }
                    let slots = &mut blocks[block][at..at + columns];
                    let numbers = numbers.as_slice().expect("rows in standard layout");
                    slots.iter_mut().zip(numbers).for_each(|(slot, &x)| *slot = x as f32);
                }
            }
            Store::Bytes(..) => unreachable!("all rows have been taken"),
        }
    }

    /// Calls `each` with the features of a block of rows, as the net reads them.
    fn with_block<R>(&self, block: usize, each: impl FnOnce(&[f32]) -> R) -> R {
        let (first, columns) = (block * self.rows_of_block, self.feature_names.len());
        let count = self.rows_of_block.min(self.rows() - first) * columns;
        match &self.store {
            Store::Memory(blocks) => each(&blocks[block]),
            Store::Bytes(bytes, numbers) => {
                let bytes = &bytes[first * columns..][..count];
                each(&Vec::from_iter(bytes.iter().map(|&byte| numbers[usize::from(byte)])))
            }
            Store::File { at, file } => file.with(at + 4 * (first * columns) as u64, count, each),
        }
    }

    /// Calls `each` with the features of each of these rows; neighbors of one block load it once.
    fn each_row(&self, rows: &[usize], mut each: impl FnMut(&[f32])) {
        let columns = self.feature_names.len();
        let (mut rest, size) = (rows, self.rows_of_block);
        while let Some(&first) = rest.first() {
            let count = rest.iter().take_while(|&&row| row / size == first / size).count();
            self.with_block(first / size, |numbers| {
                for row in &rest[..count] {
                    let at = row % size * columns;
                    each(&numbers[at..at + columns]);
                }
            });
            rest = &rest[count..];
        }
    }

    /// Calls `each` with the first row and the features of each block.
    fn each_block(&self, mut each: impl FnMut(usize, &[f32])) {
        for block in 0..self.rows().div_ceil(self.rows_of_block) {
            self.with_block(block, |numbers| each(block * self.rows_of_block, numbers));
        }
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
                let columns = self.feature_names.len();
                let mut features = Array2::zeros((self.rows(), columns));
                self.each_block(|first, numbers| {
                    let slots = features.iter_mut().skip(first * columns);
                    slots.zip(numbers).for_each(|(slot, &x)| *slot = x.into());
                });
                features
            }),
            targets: self.targets.clone(),
            feature_names: self.feature_names.clone(),
            image_shape: self.image_shape,
        }
    }

    /// Calls `each` with the index and a copy of the numbers of each of these columns; some are copied at a time.
    pub(crate) fn each_column(
        &self,
        columns: impl IntoIterator<Item = usize>,
        mut each: impl FnMut(usize, &mut [f64]),
    ) {
        let mut columns = columns.into_iter().peekable();
        let together = (COPIED / self.rows().max(1)).clamp(1, 64);
        let mut copies = Vec::from_iter((0..together).map(|_| Vec::with_capacity(self.rows())));
        while columns.peek().is_some() {
            let some = Vec::from_iter(columns.by_ref().take(together));
            copies.iter_mut().for_each(Vec::clear);
            let width = self.feature_names.len();
            match (&self.exact, &self.store) {
                (Some(exact), _) => {
                    copies.iter_mut().zip(&some).for_each(|(copy, &at)| copy.extend(exact.column(at)));
                }
                (None, Store::Bytes(bytes, numbers)) => {
                    for bytes in bytes.chunks(self.rows_of_block * width) {
                        for (copy, &at) in copies.iter_mut().zip(&some) {
                            let column = (at..bytes.len()).step_by(width);
                            copy.extend(column.map(|i| f64::from(numbers[usize::from(bytes[i])])));
                        }
                    }
                }
                (None, _) => self.each_block(|_, numbers| {
                    for (copy, &at) in copies.iter_mut().zip(&some) {
                        copy.extend((at..numbers.len()).step_by(width).map(|i| f64::from(numbers[i])));
                    }
                }),
            }
            some.into_iter().zip(&mut copies).for_each(|(at, copy)| each(at, copy));
        }
    }

    /// A column of the features.
    pub(crate) fn column(&self, at: usize) -> Vec<f64> {
        let mut column = Vec::new();
        self.each_column([at], |_, copy| column = copy.to_vec());
        column
    }

    /// The features of a row.
    pub(crate) fn row(&self, at: usize) -> Vec<f64> {
        match &self.exact {
            Some(exact) => exact.row(at).to_vec(),
            None => {
                let mut numbers = Vec::new();
                self.each_row(&[at], |row| numbers.extend(row.iter().copied().map(f64::from)));
                numbers
            }
        }
    }

    /// Adds features and targets, as the net reads them, to a checksum.
    pub(super) fn add_to(&self, crc: &mut crc32fast::Hasher) {
        self.each_block(|_, numbers| crc.update(store::bytes(Numbers::F32(numbers))));
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
        let columns = self.part.feature_names.len().max(1);
        if let Store::Bytes(bytes, numbers) = &self.part.store {
            let (numbers, mut near) = (numbers.map(|x| T::of(f64::from(x))), [0; NEAR]);
            let together = NEAR / columns;
            for (slots, rows) in slots.chunks_mut(together * columns).zip(self.rows.chunks(together)) {
                // copied first: many rows are on their way from memory at once
                for (near, row) in near.chunks_exact_mut(columns).zip(rows) {
                    near.copy_from_slice(&bytes[row * columns..][..columns]);
                }
                slots.iter_mut().zip(&near).for_each(|(slot, byte)| *slot = numbers[usize::from(*byte)]);
            }
            return;
        }
        let mut rows = slots.chunks_exact_mut(columns);
        self.part.each_row(self.rows, |numbers| {
            Numbers::F32(numbers).copy_to(rows.next().unwrap_or_default());
        });
    }
}
