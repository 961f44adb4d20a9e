//! [`Matrix`]: rows of numbers in the type of their file.

use crate::csv::numbers::cut;
use ndarray::Array2;

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
}

impl Stored {
    pub fn len(&self) -> usize {
        match self {
            Stored::Bytes(numbers) => numbers.len(),
            Stored::Floats(numbers) => numbers.len(),
            Stored::Doubles(numbers) => numbers.len(),
        }
    }

    pub fn get(&self, at: usize) -> f64 {
        match self {
            Stored::Bytes(numbers) => numbers[at].into(),
            Stored::Floats(numbers) => numbers[at].into(),
            Stored::Doubles(numbers) => numbers[at],
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

    /// Writes some rows, one after the other.
    #[track_caller]
    pub fn write(&self, rows: &[usize], numbers: &mut [f64]) {
        let columns = self.columns;
        for (slots, &row) in numbers.chunks_exact_mut(columns).zip(rows) {
            let all = row * columns..(row + 1) * columns;
            match &self.numbers {
                Stored::Bytes(numbers) => {
                    slots.iter_mut().zip(&numbers[all]).for_each(|(slot, &x)| *slot = x.into());
                }
                Stored::Floats(numbers) => {
                    slots.iter_mut().zip(&numbers[all]).for_each(|(slot, &x)| *slot = x.into());
                }
                Stored::Doubles(numbers) => slots.copy_from_slice(&numbers[all]),
            }
        }
    }

    /// Writes one column of some rows, to every `step`th slot.
    #[track_caller]
    pub fn write_column(&self, column: usize, rows: &[usize], slots: &mut [f64], step: usize) {
        let number = |row: usize| self.numbers.get(row * self.columns + column);
        slots.iter_mut().step_by(step).zip(rows).for_each(|(slot, &row)| *slot = number(row));
    }

    /// Some rows.
    #[track_caller]
    pub fn select(&self, rows: &[usize]) -> Array2<f64> {
        let mut numbers = vec![0.0; rows.len() * self.columns];
        self.write(rows, &mut numbers);
        Array2::from_shape_vec((rows.len(), self.columns), numbers).expect("rows times columns")
    }

    /// Forgets the rows from an index on, and gives their memory back.
    pub fn truncate(&mut self, rows: usize) {
        let count = rows * self.columns;
        match &mut self.numbers {
            Stored::Bytes(numbers) => cut(numbers, count),
            Stored::Floats(numbers) => cut(numbers, count),
            Stored::Doubles(numbers) => cut(numbers, count),
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
