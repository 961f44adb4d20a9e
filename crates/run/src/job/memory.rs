//! How many rows are in memory if a maximum is set.

use std::sync::Arc;

use surprisal_data::{DataSource, Encoder, Encoding, Spill};

use crate::settings::Memory;
use crate::{RunError, Settings};

/// The program itself, the pieces of a file on their way in, activations, and the report.
const PROGRAM: u64 = 96 << 20;
/// The inputs of this number of rows are measured at a time, up to a maximum.
const MEASURED_ROWS: u64 = 2048;
const MEASURED: u64 = 1 << 24;
/// A parameter, its gradient, the state of the optimizer, the best epoch, and a checkpoint.
const OF_PARAMETER: u64 = 40;
/// A row without its features: its target, its place in the order of an epoch and in a part, and what is measured of it ..
const OF_ROW: u64 = 96;
/// .. for each output of the net ..
const OF_OUTPUT: u64 = 16;
/// .. and for each column of categories.
const OF_CATEGORY: u64 = 8;
/// A number of a block.
const OF_NUMBER: u64 = 4;

/// The temporary file for the rows of these settings, if they set a maximum of memory.
///
/// # Errors
/// If it cannot be created, and if the data are folders of images.
pub(super) fn spill(settings: &Settings) -> Result<Option<Arc<Spill>>, RunError> {
    let Some(data) = settings.data.as_ref().filter(|_| settings.memory.is_some()) else { return Ok(None) };
    if let DataSource::Images(_) | DataSource::MnistClutter(_) = data {
        return Err(RunError::usage(format!(
            "memory: does not support folders of images, found {data} | leave it out, or convert the images to NumPy arrays"
        )));
    }
    Ok(Some(Spill::new(std::env::temp_dir())?))
}

/// What has to be known of a training to see what fits.
pub(super) struct Needs<'a> {
    pub rows: usize,
    pub train: usize,
    pub batch: usize,
    pub outputs: usize,
    pub parameters: usize,
    pub encoder: &'a Encoder,
}

impl Needs<'_> {
    /// The number of rows in a block: that of the settings, or as many as fit.
    ///
    /// # Errors
    /// If that is too many, or not even a batch fits.
    pub fn block(&self, memory: Memory, given: Option<usize>) -> Result<usize, RunError> {
        let categories =
            self.encoder.columns.iter().filter(|column| matches!(column.encoding, Encoding::OneHot { .. }));
        let width = self.encoder.width() as u64;
        let of_picture = if width <= 2 { 8 * width } else { 0 };
        let of_row =
            OF_ROW + OF_OUTPUT * self.outputs as u64 + OF_CATEGORY * categories.count() as u64 + of_picture;
        let of_rows = OF_NUMBER * MEASURED.min(MEASURED_ROWS * width) + of_row * self.rows as u64;
        let least = PROGRAM + OF_PARAMETER * self.parameters as u64 + of_rows;
        let rows = given.unwrap_or(self.batch).min(self.train.max(1)) as u64;
        let needed = least + OF_NUMBER * width * rows;
        if needed > memory.0 {
            let what = format!(
                "for {} rows without features, {of_row} bytes each, {} parameters, and a block of {rows} rows",
                self.rows, self.parameters
            );
            return Err(too_small(memory, needed, &what));
        }
        let fitting = (memory.0 - least) / (OF_NUMBER * width.max(1));
        Ok(given.unwrap_or_else(|| usize::try_from(fitting).unwrap_or(usize::MAX).min(self.train.max(1))))
    }
}

fn too_small(memory: Memory, needed: u64, what: &str) -> RunError {
    let needed = Memory(needed.next_multiple_of(1 << 20));
    RunError::run(format!("memory {memory}: expected {needed} or more, {what} | set memory to {needed}"))
        .with(&["memory"])
}
