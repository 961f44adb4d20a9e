//! CSV for spreadsheets and programs, after RFC 4180.

use csv::Writer;

/// Returns rows of cells as CSV. A cell with a comma, a quote or a line break is quoted.
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
        writer.write_record(row).expect("every row has the same number of cells");
    }
    let bytes = writer.into_inner().expect("writing to a vector does not fail");
    String::from_utf8_lossy(&bytes).into_owned()
}
