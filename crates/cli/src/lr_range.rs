//! `surprisal lr-range`

use std::path::PathBuf;

use clap::Args;
use surprisal_report::folder::RunFolder;
use surprisal_run::LrRange;
use surprisal_run::recorder::CONFIG;
use surprisal_run::report::REPORT;

use crate::Failure;
use crate::setting_options::SettingOptions;

#[derive(Args)]
#[command(after_help = "--lr, --schedule and --patience are ignored; no model is saved.")]
pub struct Options {
    #[command(flatten)]
    settings: SettingOptions,
    /// The first learning rate
    #[arg(long, value_name = "RATE", default_value_t = LrRange::default().from)]
    from: f64,
    /// The last learning rate
    #[arg(long, value_name = "RATE", default_value_t = LrRange::default().to)]
    to: f64,
    /// Number of steps, of one batch each
    #[arg(long, value_name = "N", default_value_t = LrRange::default().steps)]
    steps: usize,
    /// A configuration file in TOML; options override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The output folder [default: the next free runs/lr-range-N]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(options: Options) -> Result<(), Failure> {
    let Options { settings, from, to, steps, config, out } = options;
    let settings = settings.over(config.as_deref())?;
    let folder = match &out {
        Some(place) => RunFolder::exactly(place)?,
        None => RunFolder::take("runs", "lr-range")?,
    };
    let curve = LrRange { from, to, steps }.test(&settings)?;
    let text = curve.to_text();
    let files = [
        (CONFIG, settings.to_toml()),
        ("lr_range.csv", curve.to_csv()),
        ("lr_range.svg", curve.to_svg()),
        ("lr_range.txt", text.clone()),
        (REPORT, curve.to_html(&settings)),
    ];
    let place = folder.fill(&files.map(|(name, content)| (name.to_string(), content.into_bytes())))?;
    note!("the report: {}", place.join(REPORT).display());
    crate::tell(&text)
}
