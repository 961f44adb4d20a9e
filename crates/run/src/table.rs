//! Tables as text.

use surprisal_report::text::columns;

/// Rows of as many cells in columns of characters, numbers flush right; the first row names the columns.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    columns(rows, |c| rows.iter().skip(1).all(|row| row[c].is_empty() || row[c].parse::<f64>().is_ok()))
}

/// A number for readers: four decimals, or four digits where that says nothing.
pub(crate) fn short(number: f64) -> String {
    match number.abs() {
        0.0 | 1e-3..1e5 => format!("{number:.4}"),
        _ => format!("{number:.3e}"),
    }
}
