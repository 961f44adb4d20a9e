//! Tables in text: CSV files, read with a type for each column.

pub(crate) mod column;
pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod number_form;
pub(crate) mod numbers;
pub(crate) mod options;
pub(crate) mod pieces;
pub(crate) mod read;
pub(crate) mod table;
pub(crate) mod text;
