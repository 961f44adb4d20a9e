//! [`Record`]: a table of numbers, the result of a run.

use serde_json::{Value, json};
use surprisal_report::csv::csv;

/// Named columns of numbers, row by row: a trajectory, a curve, the points of a chart.
///
/// ```
/// use surprisal_lab::gallery::Record;
/// let mut record = Record::new("trajectory", &["epoch", "error"]);
/// record.push([0.0, 0.98]);
/// record.push([1.0, 0.5]);
/// assert_eq!(record.column("error"), [0.98, 0.5]);
/// assert_eq!(record.last("epoch"), 1.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The name of its file.
    pub name: String,
    columns: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Record {
    /// Returns a record without rows.
    pub fn new(name: &str, columns: &[&str]) -> Record {
        Record { name: name.into(), columns: columns.iter().map(|c| c.to_string()).collect(), rows: vec![] }
    }

    /// Returns a record with one row.
    pub fn once<const N: usize>(name: &str, values: [(&str, f64); N]) -> Record {
        let mut record = Record::new(name, &values.map(|(column, _)| column));
        record.push(values.map(|(_, value)| value));
        record
    }

    /// Adds a row.
    ///
    /// # Panics
    /// If its length is not the number of columns.
    #[track_caller]
    pub fn push(&mut self, row: impl Into<Vec<f64>>) {
        let row = row.into();
        assert!(
            row.len() == self.columns.len(),
            "{}: {} numbers for the columns {:?}",
            self.name,
            row.len(),
            self.columns
        );
        self.rows.push(row);
    }

    /// Returns the numbers of a column.
    ///
    /// # Panics
    /// If there is no such column.
    #[track_caller]
    pub fn column(&self, name: &str) -> Vec<f64> {
        let place = self.columns.iter().position(|column| column == name);
        let place = place.unwrap_or_else(|| panic!("{}: no column {name} in {:?}", self.name, self.columns));
        self.rows.iter().map(|row| row[place]).collect()
    }

    /// Returns two columns as the points of a line.
    #[track_caller]
    pub fn points(&self, x: &str, y: &str) -> Vec<(f64, f64)> {
        self.column(x).into_iter().zip(self.column(y)).collect()
    }

    /// Returns the last number of a column; NaN if there are no rows.
    #[track_caller]
    pub fn last(&self, name: &str) -> f64 {
        self.column(name).last().copied().unwrap_or(f64::NAN)
    }

    pub(super) fn to_json(&self) -> Value {
        let rows: Vec<Vec<Value>> =
            self.rows.iter().map(|row| row.iter().map(|&x| number(x)).collect()).collect();
        json!({ "name": self.name, "columns": self.columns, "rows": rows })
    }

    pub(super) fn from_json(value: &Value) -> Option<Record> {
        let columns = value["columns"].as_array()?.iter().map(|c| Some(c.as_str()?.to_string()));
        let columns = columns.collect::<Option<Vec<_>>>()?;
        let number = |x: &Value| x.as_f64().or_else(|| x.as_str()?.parse().ok());
        let row = |row: &Value| row.as_array()?.iter().map(number).collect::<Option<Vec<f64>>>();
        let rows = value["rows"].as_array()?.iter().map(row).collect::<Option<Vec<_>>>()?;
        let whole = rows.iter().all(|row| row.len() == columns.len());
        whole.then(|| Record { name: value["name"].as_str().unwrap_or_default().into(), columns, rows })
    }
}

/// A number in JSON, which has no NaN or infinity: these are text.
pub(super) fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { json!(x.to_string()) }
}

/// A record and the labels of its run: "loss" is "ce", "seed" is 3.
#[derive(Clone, Debug)]
pub(super) struct Labeled {
    pub labels: Vec<(&'static str, String)>,
    pub record: Record,
}

/// Records of one name as one table in CSV: a column for each label, then those of the records.
///
/// Every number has enough digits to read the same number back; NaN is an empty cell.
pub(super) fn to_csv(records: &[&Labeled]) -> String {
    let Some(Labeled { labels, record }) = records.first() else { return String::new() };
    let header =
        labels.iter().map(|(label, _)| label.to_string()).chain(record.columns.iter().cloned()).collect();
    let rows = records.iter().flat_map(|Labeled { labels, record }| {
        let labels = labels.iter().map(|(_, value)| value.clone());
        record.rows.iter().map(move |row| labels.clone().chain(row.iter().map(|&x| cell(x))).collect())
    });
    csv(std::iter::once(header).chain(rows).collect::<Vec<Vec<String>>>())
}

fn cell(x: f64) -> String {
    match x.abs() {
        size if size.is_nan() => String::new(),
        size if x == 0.0 || size.is_infinite() || (1e-5..1e15).contains(&size) => x.to_string(),
        _ => format!("{x:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let mut record = Record::new("r", &["a", "b"]);
        record.push([0.1 + 0.2, f64::NAN]);
        record.push([f64::NEG_INFINITY, 5e-324]);
        let read = Record::from_json(&serde_json::from_str(&record.to_json().to_string()).unwrap()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{record:?}"));
        let labeled = Labeled { labels: vec![("loss", "ce".into())], record };
        assert_eq!(to_csv(&[&labeled]), "loss,a,b\nce,0.30000000000000004,\nce,-inf,5e-324\n");
        assert!(Record::from_json(&json!({ "columns": ["a"], "rows": [[1, 2]] })).is_none());
    }
}
