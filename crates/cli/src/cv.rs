//! `surprisal cv`

use std::path::PathBuf;

use clap::Args;
use surprisal_report::folder::RunFolder;
use surprisal_run::cross_validate;
use surprisal_run::recorder::CONFIG;

use crate::Failure;
use crate::progress::Bars;
use crate::setting_options::SettingOptions;

#[derive(Args)]
#[command(after_help = "Each fold is the test set once: --test is ignored.")]
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
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { settings, folds, config, out } = options;
    let settings = settings.over(config.as_deref())?;
    let folder = match &out {
        Some(place) => RunFolder::exactly(place)?,
        None => RunFolder::take("runs", "cv")?,
    };
    let outcome = cross_validate(&settings, folds, &Bars::new())?;
    outcome.notices.iter().for_each(|notice| note!("{notice}"));
    let text = outcome.to_text();
    let files = [
        (CONFIG, settings.to_toml()),
        ("cv.csv", outcome.to_csv()),
        ("cv.json", outcome.to_json()),
        ("cv.txt", text.clone()),
    ];
    let place = folder.fill(&files.map(|(name, content)| (name.to_string(), content.into_bytes())))?;
    note!("the folds, as CSV and JSON: {}", place.display());
    crate::tell(&text)
}
