//! The charts and images.

use super::games::{Arm, Games};
use super::{AIMS, LOG_4};
use crate::gallery::{Arm as Curve, Lab, Record, Report, every_run};
use surprisal_layers::rng;
use surprisal_report::chart::{Chart, ImageGrid, Line, Panels, Points, Style};
use surprisal_report::statistics::mean;

/// The rounds after which samples are shown.
pub(super) fn rounds_shown(rounds: usize) -> [usize; 3] {
    [10, 3, 1].map(|part| (rounds / part).max(1))
}

/// The gradient of the generator, while the discriminator is trained alone.
pub(super) fn pull(lab: &Lab, games: &Games) -> Chart {
    let of = |loss: &str| -> Vec<Record> {
        let curve = |record: &Record| {
            let mut curve = Record::new("pull", &["steps", "gradient"]);
            record.points("steps", loss).into_iter().for_each(|(step, norm)| curve.push([step, norm]));
            curve
        };
        games.gradients.iter().map(curve).collect()
    };
    let norms = AIMS.map(|(loss, _)| (loss, of(loss)));
    let curves =
        norms.each_ref().map(|(loss, norms)| Curve { name: (*loss).into(), records: norms.iter().collect() });
    let chart = Chart::new("The pull on the generator")
        .subtitle("a ring of 8 Gaussians; each seed, and their mean")
        .x_label("steps of the discriminator alone")
        .y_label("gradient norm of the generator")
        .log_y();
    every_run(chart, &curves, ["steps", "gradient"], usize::MAX).alt(lab.text("alt: pull"))
}

/// The loss of discriminators against blurred rings, and the formula.
pub(super) fn bound(lab: &Lab, against: &[[Record; 1]], bound: impl Fn(f64) -> f64) -> Chart {
    const CELLS: usize = 24;
    let blurs = lab.numbers("blurs");
    let most = blurs.iter().copied().fold(0.1, f64::max);
    let curve: Vec<_> =
        (0..=CELLS).map(|i| most * i as f64 / CELLS as f64).map(|blur| (blur, bound(blur))).collect();
    let means = |column: &str| -> Vec<(f64, f64)> {
        let of = |runs: &[[Record; 1]]| mean(&runs.iter().map(|[r]| r.last(column)).collect::<Vec<_>>());
        blurs.iter().copied().zip(against.chunks(lab.seeds.len()).map(of)).collect()
    };
    Chart::new("The loss of a discriminator")
        .subtitle("a ring of 8 Gaussians against the same ring with noise")
        .x_label("standard deviation of the noise")
        .y_label("loss, nats")
        .include_y(0.0)
        .line(Line::new("log 4", [(0.0, LOG_4), (most, LOG_4)]).color(4).style(Style::Dashed))
        .line(Line::new("log 4 - 2 JS", curve).color(0))
        .points(Points::new("trained net", means("net")).color(1))
        .alt(lab.text("alt: bound"))
}

/// The course of the games that begin with a sure discriminator, and samples of the first seed.
pub(super) fn games(report: Report, lab: &Lab, games: &Games) -> Report {
    let setup = games.setup;
    let mut courses = Panels::new(
        format!("gan-is-cross-entropy-course-{}", setup.name),
        format!("Games on {}", setup.on),
        2,
    )
    .subtitle("they begin with a sure discriminator; each seed, and their mean");
    for &(by, _) in &setup.optimizers {
        let curves = [0, 1].map(|aim| {
            let arm = Arm { by, aim, sure: true, multiple: 1.0 };
            Curve {
                name: AIMS[aim].0.into(),
                records: games.finite(arm).map(|[course, ..]| course).collect(),
            }
        });
        let log_4 = Line::new("log 4", [1.0, setup.rounds as f64].map(|round| (round, LOG_4)));
        for (column, title, unit) in
            [("loss", "Loss of the discriminator", "nats"), ("good", "Good samples", "fraction")]
        {
            let chart = Chart::new(format!("{title}, {}", by.name())).x_label("round").y_label(unit);
            let chart = match column {
                "loss" => chart.include_y(0.0).line(log_4.clone().color(4).style(Style::Dashed)),
                _ => chart.include_y(0.0).include_y(1.0),
            };
            let alt = lab.text_with(&format!("alt: {column}"), &[("by", &by.name()), ("on", &setup.on)]);
            courses = courses.panel(every_run(chart, &curves, ["round", column], usize::MAX).alt(alt));
        }
    }
    let caption = |name: &str| lab.text_with(&format!("caption: {name}"), &[("on", &setup.on)]);
    report.panels(format!("course-{}", setup.name), courses, caption("course")).figure(
        format!("samples-{}", setup.name),
        samples(lab, games),
        caption(&format!("samples on {}", setup.name)),
    )
}

/// Samples of the first seed during the games that begin with a sure discriminator, and real points beside them.
fn samples(lab: &Lab, games: &Games) -> String {
    let setup = games.setup;
    let shown = rounds_shown(setup.rounds);
    let heads = shown.map(|round| format!("round {round}")).into_iter().chain(["real".into()]);
    let mut grid = ImageGrid::new(format!("Samples, {}", setup.on), heads);
    let mut rng = rng(0);
    for &(by, _) in &setup.optimizers {
        for (aim, (loss, _)) in AIMS.into_iter().enumerate() {
            let first = games.of(Arm { by, aim, sure: true, multiple: 1.0 }).next();
            let samples = |round: usize| match first {
                Some([.., samples]) => rows_of(samples, setup.data.features(), round),
                None => vec![],
            };
            let real = setup.data.draw(setup.shown, &mut rng);
            let real =
                real.rows().into_iter().map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect();
            let sheets: Vec<_> =
                shown.map(samples).into_iter().chain([real]).map(|rows| setup.data.sheet(&rows)).collect();
            let size = sheets[0].0;
            let text = format!("{}, {loss} loss", by.name());
            grid = grid.row(text, size, sheets.iter().map(|(_, png)| png.as_slice()));
        }
    }
    grid.alt(lab.text_with("alt: samples", &[("on", &setup.on)])).to_svg()
}

/// The samples of a round.
fn rows_of(samples: &Record, features: usize, round: usize) -> Vec<Vec<f64>> {
    let columns: Vec<Vec<f64>> = (1..=features).map(|i| samples.column(&format!("x{i}"))).collect();
    let rounds = samples.column("round").into_iter().enumerate();
    let rows = rounds.filter(|(_, r)| *r == round as f64);
    rows.map(|(row, _)| columns.iter().map(|column| column[row]).collect()).collect()
}
