//! `surprisal cv`

use std::path::{Path, PathBuf};

use clap::Args;
use surprisal_report::files::{cannot_write, folder_of, write_atomically};
use surprisal_report::folder::RunFolder;
use surprisal_report::journal::JournalFile;
use surprisal_run::recorder::CONFIG;
use surprisal_run::{
    CrossValidation, Part, cross_validate, cross_validate_on, cross_validate_part, merge_cross_validation,
};

use crate::Failure;
use crate::progress::Bars;
use crate::ranks::Ranks;
use crate::setting_options::SettingOptions;

/// The folder of the runs, if no other is given.
const RUNS: &str = "runs";

#[derive(Args)]
#[command(after_help = "\
Each fold is the test set once: --test is ignored.

The folds can be spread over processes or machines that share a folder: --part 1/5 to --part 5/5, each with the same other
options, and then surprisal cv --merge DIR. A program with MPI spreads them itself: mpirun -n 4 surprisal cv ..")]
pub struct Options {
    #[command(flatten)]
    settings: SettingOptions,
    /// Number of folds; one net is trained for each
    #[arg(long, value_name = "N", default_value_t = 5)]
    folds: usize,
    /// A configuration file in TOML; options override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The output folder [default: the next free runs/cv-N]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Compute only part K of N of the folds, beside the other parts in the same --out: fold k, counted from 0, belongs to part (k mod N) + 1. Repeated, it resumes
    #[arg(long, value_name = "K/N", requires = "out")]
    part: Option<Part>,
    /// Merge the parts in this folder: write the results of all folds to it, as one process would
    #[arg(long, value_name = "DIR", exclusive = true)]
    merge: Option<PathBuf>,
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { settings, folds, config, out, part, merge } = options;
    if let Some(folder) = merge {
        return Ranks::together(|ranks| ranks.first(|| merged(&folder)).map(drop));
    }
    if let (Some(part), Some(out)) = (part, &out) {
        let settings = settings.over(config.as_deref())?;
        let (share, notices) = cross_validate_part(&settings, folds, part, out, &Bars::new())?;
        notices.iter().for_each(|notice| note!("{notice}"));
        return crate::part_finished("cv", part, share.runs, out);
    }
    Ranks::together(|ranks| {
        let (settings, bars) = (settings.over(config.as_deref()), Bars::new());
        let settings = ranks.agree(settings.map_err(Failure::from))?;
        let folder = ranks.first(|| match &out {
            Some(place) => Ok(RunFolder::exactly(place)?),
            None => Ok(RunFolder::take(RUNS, "cv")?),
        })?;
        let progress = ranks.progress(&bars);
        let outcome = match ranks.group() {
            None => cross_validate(&settings, folds, progress).map(|outcome| (outcome, None)),
            Some(group) => {
                let beside = out.as_deref().map_or(Path::new(RUNS), folder_of);
                cross_validate_on(group, &settings, folds, beside, progress)
            }
        };
        let (outcome, journal) = ranks.agree(outcome.map_err(Failure::from))?;
        let told = folder.map(|folder| {
            outcome.notices.iter().for_each(|notice| note!("{notice}"));
            let place = folder.fill(&files(&outcome, settings.to_toml()))?;
            journal.into_iter().for_each(JournalFile::remove);
            finished(&outcome, &place)
        });
        ranks.agree(told.unwrap_or(Ok(())))
    })
}

fn merged(folder: &Path) -> Result<(), Failure> {
    let (outcome, toml) = merge_cross_validation(folder)?;
    for (name, content) in files(&outcome, toml) {
        let path = folder.join(name);
        write_atomically(&path, &content).map_err(|error| Failure::run(cannot_write(&path, &error)))?;
    }
    finished(&outcome, folder)
}

fn files(outcome: &CrossValidation, toml: String) -> [(String, Vec<u8>); 4] {
    let files = [
        (CONFIG, toml),
        ("cv.csv", outcome.to_csv()),
        ("cv.json", outcome.to_json()),
        ("cv.txt", outcome.to_text()),
    ];
    files.map(|(name, content)| (name.to_string(), content.into_bytes()))
}

fn finished(outcome: &CrossValidation, place: &Path) -> Result<(), Failure> {
    note!("the folds, as CSV and JSON: {}", place.display());
    crate::tell(&outcome.to_text())
}
