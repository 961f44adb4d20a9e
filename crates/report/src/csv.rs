//! CSV for spreadsheets and programs, as RFC 4180 has it.

use csv::Writer;

/// Rows of cells as CSV: a cell with a comma, a quote or a line break is quoted.
///
/// ```
/// use surprisal_report::csv::csv;
/// assert_eq!(csv([["name", "loss"], ["a, b", "0.25"]]), "name,loss\n\"a, b\",0.25\n");
/// ```
///
/// # Panics
/// If rows have different numbers of cells.
#[track_caller]
pub fn csv<C: AsRef<[u8]>>(rows: impl IntoIterator<Item = impl IntoIterator<Item = C>>) -> String {
    let mut writer = Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).expect("every row has as many cells as the first");
    }
    let bytes = writer.into_inner().expect("a vector takes all that is written");
    String::from_utf8_lossy(&bytes).into_owned()
}
