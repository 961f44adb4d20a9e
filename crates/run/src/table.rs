//! Tables as text.

/// Rows of as many cells in columns of characters, numbers flush right; the first row names the columns.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let numbers =
        |c: usize| rows.iter().skip(1).all(|row| row[c].is_empty() || row[c].parse::<f64>().is_ok());
    let columns = Vec::from_iter((0..columns).map(|c| (width(c), numbers(c))));
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&columns).map(|(cell, &(width, numbers))| match numbers {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
        format!("  {}\n", Vec::from_iter(cells).join("   ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// A number for readers: four decimals, or four digits where that says nothing.
pub(crate) fn short(number: f64) -> String {
    match number.abs() {
        0.0 | 1e-3..1e5 => format!("{number:.4}"),
        _ => format!("{number:.3e}"),
    }
}
