//! `--check`: a line for each file and precision, then the failures.

use std::path::{Path, PathBuf};

use serde_json::Value;
use surprisal_loss::vectors::{F32, F64, Fault, Judged, Precision, Report};

use crate::Failure;

/// The maximum number of faults reported for one file, the worst first.
const TOLD: usize = 10;

/// Compares the results of all files. The `key` of each names its subject, `noun`, by which `check` compares.
pub fn run(
    files: &[PathBuf],
    precision: Option<Precision>,
    (key, noun): (&str, &str),
    check: impl Fn(&str, &Value, Precision) -> Result<Report, String>,
) -> Result<(), Failure> {
    let precisions = precision.map_or(vec![F32, F64], |precision| vec![precision]);
    let width = files.iter().map(|file| file.display().to_string().chars().count()).max().unwrap_or(0);
    crate::tell(&format!(
        "{:width$}  type  cases  numbers  of budget  ULP: value  gradient  false 0/inf/NaN\n",
        ""
    ))?;
    let (mut short, mut details) = (0, String::new());
    for file in files {
        match reports(file, &precisions, (key, noun), &check) {
            Ok(reports) => {
                short += usize::from(reports.iter().any(|report| !report.holds()));
                for (report, precision) in reports.iter().zip(&precisions) {
                    crate::tell(&line(&format!("{:width$}", file.display()), precision, report))?;
                    if !report.holds() {
                        details += &summary(&format!("{}, {}", file.display(), precision.name), report);
                    }
                }
            }
            Err(error) => {
                short += 1;
                note!("error: {error}");
            }
        }
    }
    crate::tell(&details)?;
    if short > 0 {
        return Err(Failure::run(format!("{short} of {} files exceed their error budgets", files.len())));
    }
    Ok(())
}

fn reports(
    file: &Path,
    precisions: &[Precision],
    (key, noun): (&str, &str),
    check: impl Fn(&str, &Value, Precision) -> Result<Report, String>,
) -> Result<Vec<Report>, String> {
    let (place, document) = super::read(Some(file))?;
    let Some(name) = document[key].as_str() else {
        return Err(format!("{place}: \"{key}\" is missing: a file to check must name {noun}"));
    };
    let report = |&precision: &Precision| check(name, &document, precision);
    precisions.iter().map(report).collect::<Result<_, _>>().map_err(|error| format!("{place}: {error}"))
}

fn line(file: &str, precision: &Precision, report: &Report) -> String {
    let Report { cases, values, gradients, worst_share, .. } = report;
    let short = |x: f64| if x < 1e4 { format!("{x:.2}") } else { format!("{x:.1e}") };
    let ulp = |ulp: Option<f64>| ulp.map_or("-".to_owned(), short);
    let [zeros, infinities, nans] = [0, 1, 2].map(|i| values.false_numbers[i] + gradients.false_numbers[i]);
    format!(
        "{file}  {:4}  {cases:>5}  {:>7}  {:>9}  {:>10}  {:>8}  {:>15}\n",
        precision.name,
        values.numbers + gradients.numbers,
        short(*worst_share),
        ulp(values.worst_ulp),
        ulp(gradients.worst_ulp),
        format!("{zeros}/{infinities}/{nans}")
    )
}

fn summary(place: &str, report: &Report) -> String {
    let (faults, failed) = (&report.faults, &report.failed);
    let numbers = report.values.numbers + report.gradients.numbers;
    let mut text = format!("\n{place}: {} of {numbers} numbers exceed their budget", faults.len());
    if !failed.is_empty() {
        text += &format!(", {} of {} cases cannot be evaluated", failed.len(), report.cases);
    }
    text += "\n";
    for (case, error) in failed.iter().take(TOLD) {
        text += &format!("  {case}: {error}\n");
    }
    for Fault { case, number: Judged { what, computed, exact, .. }, share } in faults.iter().take(TOLD) {
        text += &format!("  {case}, {what}: {computed:e}, exactly {exact:e}: {share:.3e} of the budget\n");
    }
    let left = faults.len().saturating_sub(TOLD) + failed.len().saturating_sub(TOLD);
    if left > 0 {
        text += &format!("  and {left} more\n");
    }
    text
}
