//! [`DataPart`]: rows of the data, encoded for the net.

use std::sync::{Arc, Mutex, PoisonError};

use surprisal_data::{Dataset, Encoder, Encoding, Spill, Targets};
use surprisal_tensor::ndarray::{Array2, ArrayView2, Axis};
use surprisal_tensor::store::{self, Numbers};
use surprisal_tensor::{Buf, DType, Scalar, Tape, Var, Write, kernel};
use surprisal_train::{Batched, Predictions};

/// The number of numbers in a block.
const BLOCK: usize = 1 << 15;
/// The number of bytes that are decoded at a time.
const NEAR: usize = 1 << 16;
/// The number of bytes of a block of them.
const BYTES: usize = 1 << 24;
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
    /// In memory as bytes.
    Bytes(Box<Bytes>),
    /// One after the other in a file, from this place on.
    File { at: u64, file: Arc<BlockFile> },
}

/// Features as bytes, in large pages: rows that are drawn at random are far from each other.
struct Bytes {
    blocks: Vec<Buf<u8>>, // there as soon as they are written: until then, the bytes that are read have this memory
    rows: usize,          // of a block
    columns: usize,
    scale: Scale,
}

impl Bytes {
    fn row(&self, row: usize) -> &[u8] {
        &self.blocks[row / self.rows][row % self.rows * self.columns..][..self.columns]
    }

    /// Sets some rows, of this number in all.
    fn write(&mut self, first: usize, bytes: &[u8], rows: usize) {
        for (row, bytes) in (first..).zip(bytes.chunks_exact(self.columns)) {
            let (block, at) = (row / self.rows, row % self.rows * self.columns);
            let all = &mut self.blocks[block];
            if all.is_empty() {
                all.resize(self.rows.min(rows - block * self.rows) * self.columns);
            }
            all[at..at + self.columns].copy_from_slice(bytes);
        }
    }
}

/// What the net reads for each byte.
struct Scale {
    numbers: [f32; 256],
    line: Option<[f64; 2]>, // the offset and the scale, if they give these numbers in `f32`
}

impl Scale {
    fn new(numbers: [f32; 256], encoder: &Encoder) -> Scale {
        let line = match encoder.columns.first().map(|column| &column.encoding) {
            Some(&Encoding::Number { offset, scale, .. }) => Some([offset, scale]),
            _ => None,
        };
        let mut found = [0.0; 256];
        let line = line.filter(|&[offset, scale]| {
            on_line(offset, scale, &std::array::from_fn::<_, 256, _>(|byte| byte as u8), &mut found);
            found.map(f32::to_bits) == numbers.map(f32::to_bits)
        });
        Scale { numbers, line }
    }

    /// Writes what the net reads for each of these bytes.
    fn write<T: Scalar>(&self, bytes: &[u8], slots: &mut [T]) {
        match self.line {
            Some([offset, scale]) if T::DTYPE == DType::F32 => {
                on_line(offset, scale, bytes, slots);
            }
            _ => {
                let number = |&byte: &u8| T::of(self.numbers[usize::from(byte)].into());
                slots.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = number(byte));
            }
        }
    }
}

kernel! {
    /// (byte - offset) / scale, where there is FMA by the factor 1 / scale in two parts: a division takes four times as long.
    fn on_line<T: Scalar>(offset: f64, scale: f64, bytes: &[u8], slots: &mut [T]) {
        let (offset, factor, divisor) = (T::of(offset), T::of(1.0 / scale), T::of(scale));
        let rest = T::of(1.0 / scale - factor.value());
        for (slot, &byte) in slots.iter_mut().zip(bytes) {
            let x = T::of(f64::from(byte)) - offset;
            *slot = if FMA { T::mul_add::<FMA>(x, factor, x * rest) } else { x / divisor };
        }
    }
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

    /// Whether its features may be in memory as bytes.
    pub(super) fn may_be_bytes(&self) -> bool {
        let small = self.feature_names.len() <= NEAR;
        small && self.exact.is_none() && matches!(self.store, Store::Memory(_))
    }

    /// Prepares for features that are [written as bytes](Self::write_bytes), each of which is one of these numbers.
    pub(super) fn hold_bytes(&mut self, numbers: [f32; 256], encoder: &Encoder) {
        let (columns, scale) = (self.feature_names.len(), Scale::new(numbers, encoder));
        let rows = BYTES / columns;
        let blocks = (0..self.rows().div_ceil(rows)).map(|_| Buf::default()).collect();
        self.store = Store::Bytes(Box::new(Bytes { blocks, rows, columns, scale }));
    }

    /// Sets the features of some rows.
    pub(super) fn write_bytes(&mut self, first: usize, bytes: &[u8]) {
        let rows = self.rows();
        let Store::Bytes(all) = &mut self.store else { unreachable!("it holds bytes") };
        all.write(first, bytes, rows);
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
            Store::Bytes(..) => unreachable!("rows are bytes"),
        }
    }

    /// Calls `each` with the features of a block of rows, as the net reads them.
    fn with_block<R>(&self, block: usize, each: impl FnOnce(&[f32]) -> R) -> R {
        let (first, columns) = (block * self.rows_of_block, self.feature_names.len());
        let count = self.rows_of_block.min(self.rows() - first) * columns;
        match &self.store {
            Store::Memory(blocks) => each(&blocks[block]),
            Store::Bytes(bytes) => {
                let mut numbers = vec![0.0; count];
                for (row, slots) in (first..).zip(numbers.chunks_exact_mut(columns)) {
                    bytes.scale.write(bytes.row(row), slots);
                }
                each(&numbers)
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
            match &self.exact {
                Some(exact) => {
                    copies.iter_mut().zip(&some).for_each(|(copy, &at)| copy.extend(exact.column(at)));
                }
                None => self.each_block(|_, numbers| {
                    for (copy, &at) in copies.iter_mut().zip(&some) {
                        copy.extend((at..numbers.len()).step_by(width).map(|i| f64::from(numbers[i])));
                    }
                }),
            }
            some.into_iter().zip(&mut copies).for_each(|(at, copy)| each(at, copy));
        }
    }

    /// Whether two numbers of a column can be closer to each other than this share of its range. Bytes are 255 steps apart.
    pub(crate) fn is_finer_than(&self, share: f64) -> bool {
        let Store::Bytes(bytes) = &self.store else { return true };
        let numbers = &bytes.scale.numbers;
        let between = |a: f32, b: f32| (f64::from(b) - f64::from(a)).abs();
        let [first, .., last] = *numbers;
        numbers.windows(2).any(|pair| between(pair[0], pair[1]) < share * between(first, last))
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
        if let Store::Bytes(bytes) = &self.part.store {
            let (mut near, together) = ([0; NEAR], NEAR / columns);
            for (slots, rows) in slots.chunks_mut(together * columns).zip(self.rows.chunks(together)) {
                // copied first: many rows are on their way from memory at once
                for (near, row) in near.chunks_exact_mut(columns).zip(rows) {
                    near.copy_from_slice(bytes.row(*row));
                }
                bytes.scale.write(&near, slots);
            }
            return;
        }
        let mut rows = slots.chunks_exact_mut(columns);
        self.part.each_row(self.rows, |numbers| {
            Numbers::F32(numbers).copy_to(rows.next().unwrap_or_default());
        });
    }
}
