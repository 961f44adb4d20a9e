//! [`Matrix`]: rows of numbers in the type of their file.

use crate::csv::numbers::cut;
use crate::spill::Spill;
use ndarray::Array2;
use std::ops::Range;
use std::sync::Arc;

/// The number of numbers of a file that are read at a time.
const READ: usize = 1 << 18;
/// The number of those that are measured at a time.
const MEASURED: usize = 1 << 21;

/// Numbers, `[rows, columns]`, one row after the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Matrix {
    numbers: Stored,
    columns: usize,
}

/// The numbers in a type that holds each of them exactly.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    File(Away),
}

/// Numbers in a file: where they begin, how many there are, and the bytes of each: 1, a byte, 4 or 8, a float.
#[derive(Debug, Clone)]
pub(crate) struct Away {
    pub spill: Arc<Spill>,
    pub at: u64,
    pub count: usize,
    pub size: usize,
}

impl PartialEq for Away {
    fn eq(&self, other: &Away) -> bool {
        Arc::ptr_eq(&self.spill, &other.spill) && (self.at, self.count) == (other.at, other.count)
    }
}

impl Away {
    /// Some numbers, one after the other.
    fn read(&self, range: Range<usize>) -> Stored {
        let mut bytes = vec![0; range.len() * self.size];
        self.spill.read(self.at + (range.start * self.size) as u64, &mut bytes);
        match self.size {
            1 => Stored::Bytes(bytes),
            4 => Stored::Floats(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()),
            _ => {
                Stored::Doubles(bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
            }
        }
    }
}

impl Stored {
    /// These and others of the same type; in a file, they have to follow them there.
    pub fn followed_by(self, other: Stored) -> Stored {
        match (self, other) {
            (Stored::Bytes(mut one), Stored::Bytes(other)) => {
                one.extend_from_slice(&other);
                Stored::Bytes(one)
            }
            (Stored::File(one), Stored::File(other)) => {
                Stored::File(Away { count: one.count + other.count, ..one })
            }
            _ => unreachable!("both are bytes, or both in one file"),
        }
    }

    /// The same in a file.
    pub fn spilled(self, spill: &Arc<Spill>) -> Stored {
        const PART: usize = 1 << 16;
        let (count, at) = (self.len(), spill.reserve(0));
        let size = match &self {
            Stored::Bytes(numbers) => {
                spill.append(numbers);
                1
            }
            Stored::Floats(numbers) => {
                let bytes = |part: &[f32]| Vec::from_iter(part.iter().flat_map(|x| x.to_le_bytes()));
                for part in numbers.chunks(PART) {
                    spill.append(&bytes(part));
                }
                4
            }
            Stored::Doubles(numbers) => {
                let bytes = |part: &[f64]| Vec::from_iter(part.iter().flat_map(|x| x.to_le_bytes()));
                for part in numbers.chunks(PART) {
                    spill.append(&bytes(part));
                }
                8
            }
            Stored::File(_) => return self,
        };
        Stored::File(Away { spill: spill.clone(), at, count, size })
    }

    pub fn len(&self) -> usize {
        match self {
            Stored::Bytes(numbers) => numbers.len(),
            Stored::Floats(numbers) => numbers.len(),
            Stored::Doubles(numbers) => numbers.len(),
            Stored::File(away) => away.count,
        }
    }

    pub fn get(&self, at: usize) -> f64 {
        match self {
            Stored::Bytes(numbers) => numbers[at].into(),
            Stored::Floats(numbers) => numbers[at].into(),
            Stored::Doubles(numbers) => numbers[at],
            Stored::File(away) => away.read(at..at + 1).get(0),
        }
    }
}

impl Matrix {
    pub fn new(numbers: Stored, columns: usize) -> Matrix {
        Matrix { numbers, columns }
    }

    pub fn rows(&self) -> usize {
        self.numbers.len() / self.columns.max(1)
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Writes some columns of some rows, one row after the other.
    #[track_caller]
    pub fn write(&self, rows: &[usize], columns: Range<usize>, numbers: &mut [f64]) {
        let count = columns.len();
        let each = |stored: &Stored, first: usize, rows: &[usize], numbers: &mut [f64]| {
            for (slots, &row) in numbers.chunks_exact_mut(count.max(1)).zip(rows) {
                let begin = (row - first) * self.columns;
                let all = begin + columns.start..begin + columns.end;
                match stored {
                    Stored::Bytes(numbers) => {
                        slots.iter_mut().zip(&numbers[all]).for_each(|(slot, &x)| *slot = x.into());
                    }
                    Stored::Floats(numbers) => {
                        slots.iter_mut().zip(&numbers[all]).for_each(|(slot, &x)| *slot = x.into());
                    }
                    Stored::Doubles(numbers) => slots.copy_from_slice(&numbers[all]),
                    Stored::File(_) => unreachable!("it is read before"),
                }
            }
        };
        let Stored::File(away) = &self.numbers else { return each(&self.numbers, 0, rows, numbers) };
        // the rows that are near the first of them, at once
        let near = (READ / self.columns.max(1)).max(1);
        let (mut rest, mut numbers) = (rows, numbers);
        while let Some(&first) = rest.first() {
            let some = rest.iter().take_while(|&&row| (first..first + near).contains(&row)).count();
            let last = rest[..some].iter().copied().fold(first, usize::max);
            let (slots, others) = std::mem::take(&mut numbers).split_at_mut(some * count);
            let read = away.read(first * self.columns..(last + 1) * self.columns);
            each(&read, first, &rest[..some], slots);
            (rest, numbers) = (&rest[some..], others);
        }
    }

    /// The number of columns of `rows` rows that are measured at a time: a file is to be read in few passes.
    pub fn together(&self, rows: usize) -> usize {
        match &self.numbers {
            Stored::File(_) => (MEASURED / rows.max(1)).max(2),
            _ => 2,
        }
    }

    /// Some rows.
    #[track_caller]
    pub fn select(&self, rows: &[usize]) -> Array2<f64> {
        let mut numbers = vec![0.0; rows.len() * self.columns];
        self.write(rows, 0..self.columns, &mut numbers);
        Array2::from_shape_vec((rows.len(), self.columns), numbers).expect("rows times columns")
    }

    /// Whether the numbers are bytes in memory.
    pub fn are_bytes(&self) -> bool {
        matches!(self.numbers, Stored::Bytes(_))
    }

    /// Copies some rows, if they are bytes in memory.
    #[track_caller]
    pub fn copy_bytes(&self, rows: &[usize], bytes: &mut Vec<u8>) {
        bytes.clear();
        if let Stored::Bytes(numbers) = &self.numbers {
            let row = |row: &usize| bytes.extend_from_slice(&numbers[row * self.columns..][..self.columns]);
            rows.iter().for_each(row);
        }
    }

    /// The same in a file.
    pub fn spilled(self, spill: &Arc<Spill>) -> Matrix {
        Matrix { numbers: self.numbers.spilled(spill), ..self }
    }

    /// Forgets the rows from an index on, and gives their memory back.
    pub fn truncate(&mut self, rows: usize) {
        let count = rows * self.columns;
        match &mut self.numbers {
            Stored::Bytes(numbers) => cut(numbers, count),
            Stored::Floats(numbers) => cut(numbers, count),
            Stored::Doubles(numbers) => cut(numbers, count),
            Stored::File(_) => {}
        }
    }
}

impl From<Array2<f64>> for Matrix {
    fn from(array: Array2<f64>) -> Matrix {
        let columns = array.ncols();
        let numbers = match array.is_standard_layout() {
            true => array.into_raw_vec_and_offset().0,
            false => array.iter().copied().collect(),
        };
        Matrix { numbers: Stored::Doubles(numbers), columns }
    }
}
