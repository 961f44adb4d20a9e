//! `surprisal loss NAME --plot FILE.svg`: a loss of single numbers and its gradient, as the library computes them.

use std::path::Path;

use surprisal_loss::by_name::{ALL, Call, Curve, Entry, Value};
use surprisal_report::chart::{Chart, Line, Panels, Style};
use surprisal_tensor::ndarray::Array1;
use surprisal_tensor::{Params, Scalar, Var, Workspace};

use crate::Failure;

pub fn write(entry: &Entry, path: &Path) -> Result<(), Failure> {
    let picture = picture(entry)?;
    crate::write_file(path, picture.as_bytes())
}

/// The loss and its derivative at one place of an axis.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    loss: f64,
    slope: f64,
}

/// The points for one target, and what their line is called.
struct Branch {
    name: String,
    points: Vec<Point>,
}

fn picture(entry: &Entry) -> Result<String, Failure> {
    let name = entry.card.name;
    let Some(curve) = entry.curve else {
        let others = ALL.iter().filter(|entry| entry.curve.is_some()).map(|entry| entry.card.name);
        let others = others.collect::<Vec<_>>().join(", ");
        return Err(Failure::usage(format!(
            "{name} cannot be drawn: it is not a function of a single number | choose one of {others}"
        )));
    };
    let branches = |labels: [f64; 2], sample: &dyn Fn(f64) -> Result<Vec<Point>, Failure>| {
        let plus = |label| if labels[0] < 0.0 && label > 0.0 { "+" } else { "" };
        let name = |label| format!("target {}{}", plus(label), short(label));
        let branch = |label| Ok(Branch { name: name(label), points: sample(label)? });
        labels.into_iter().map(branch).collect::<Result<Vec<_>, Failure>>()
    };
    let alone = |points| vec![Branch { name: String::new(), points }];
    let axes = match curve {
        Curve::Logit(labels) => {
            let logits = |label| sample(entry, &grid(8.0), Some(label), |z| z);
            let probabilities = |label| {
                let points = sample(entry, &grid(FAR), Some(label), |z| z)?;
                // dl/dp = dl/dz / (p (1 - p)) for p = σ(z)
                let of_p = |Point { x: z, loss, slope }| {
                    let (p, rest) = (z.sigmoid(), (-z).sigmoid());
                    Point { x: p, loss, slope: slope / (p * rest) }
                };
                Ok(points.into_iter().map(of_p).collect())
            };
            vec![
                against_logit(branches(labels, &logits)?),
                against_probability(branches(labels, &probabilities)?),
            ]
        }
        Curve::Probability => {
            // a sigmoid on the tape: the slope with respect to z holds its derivative
            let logits = |label| sample(entry, &grid(8.0), Some(label), |z| z.sigmoid());
            let probabilities = |label| sample(entry, &probabilities(), Some(label), |p| p);
            let labels = [0.0, 1.0];
            vec![
                against_logit(branches(labels, &logits)?),
                against_probability(branches(labels, &probabilities)?),
            ]
        }
        Curve::Outcome => {
            let branches = alone(sample(entry, &probabilities(), None, |p| p)?);
            vec![Axis { about: "p, the probability of what happened", ..against_probability(branches) }]
        }
        Curve::Error => vec![against_error(alone(sample(entry, &grid(3.0), Some(0.0), |e| e)?))],
    };
    let panels = Panels::new(format!("loss-{name}"), name, 2).subtitle(formula(entry));
    let panels = axes.iter().flat_map(Axis::charts).fold(panels, Panels::panel);
    Ok(panels.to_svg())
}

/// The formula, and the options that are numbers.
fn formula(entry: &Entry) -> String {
    let numbers = entry.options.iter().filter(|option| option.default.parse::<f64>().is_ok());
    let numbers: Vec<_> = numbers.map(|option| format!("{} = {}", option.name, option.default)).collect();
    let with = if numbers.is_empty() { "" } else { ", with " };
    format!("l = {}{with}{}", entry.card.forward, numbers.join(", "))
}

/// The loss of link(x) and its derivative with respect to x, from the tape.
fn sample(
    entry: &Entry,
    x: &[f64],
    target: Option<f64>,
    link: impl for<'t> Fn(Var<'t>) -> Var<'t>,
) -> Result<Vec<Point>, Failure> {
    let failed = |why: String| Failure::run(format!("{} cannot be drawn: {why}", entry.card.name));
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let leaf = tape.input(&Array1::from(x.to_vec())).requires_grad();
    let target = target.map(|target| tape.input(&Array1::from_elem(x.len(), target)));
    let names = entry.inputs.iter().map(|input| input.name.to_owned());
    let call = Call {
        inputs: names.zip([link(leaf)].into_iter().chain(target)).collect(),
        options: [("reduction".to_owned(), Value::Text("none".to_owned()))].into(),
    };
    let output = entry.call(&call).map_err(|error| failed(error.to_string()))?;
    output.sum().backward();
    let (loss, slope) = (output.value(), leaf.grad().unwrap_or_default());
    if loss.len() != x.len() || slope.len() != x.len() {
        return Err(failed("it does not return one loss for each number".to_owned()));
    }
    let points = x.iter().zip(&loss).zip(&slope).map(|((&x, &loss), &slope)| Point { x, loss, slope });
    Ok(without_needless(points.collect()))
}

/// From -end to end in steps of 1/8, far out of 1/2; where a slope may jump, at whole and half numbers, also just beside.
fn grid(end: f64) -> Vec<f64> {
    let steps = (end * 8.0) as i32;
    let inner = (-steps..=steps).filter(|i| i % 4 == 0 || i.abs() < 32).flat_map(|i| {
        let x = f64::from(i) / 8.0;
        if i % 4 == 0 { vec![x - BESIDE, x, x + BESIDE] } else { vec![x] }
    });
    let inner = inner.filter(|x| x.abs() < end - 2.0 * BESIDE);
    [-end].into_iter().chain(inner).chain([end]).collect()
}
const BESIDE: f64 = 1e-6;

/// From 0.001 to 0.999.
fn probabilities() -> Vec<f64> {
    grid(FAR).into_iter().map(Scalar::sigmoid).collect()
}
/// σ(FAR) is 0.999.
const FAR: f64 = 6.906_754_778_648_554;

/// Leaves out what stands beside a place where nothing jumps.
fn without_needless(points: Vec<Point>) -> Vec<Point> {
    let steepest = largest(points.iter().map(|point| point.slope));
    let jumps = |a: &Point, b: &Point| (a.slope - b.slope).abs() > 1e-3 * steepest;
    let close = |a: &Point, b: &Point| (a.x - b.x).abs() < 2.0 * BESIDE;
    let needed = |(i, point): (usize, &Point)| {
        let before = i.checked_sub(1).map(|i| &points[i]).filter(|other| close(point, other));
        let after = points.get(i + 1).filter(|other| close(point, other));
        match (before, after) {
            (Some(place), None) | (None, Some(place)) => jumps(point, place),
            _ => true,
        }
    };
    points.iter().enumerate().filter(|&at| needed(at)).map(|(_, point)| *point).collect()
}

fn largest(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(f64::abs).filter(|x| x.is_finite()).fold(0.0, f64::max)
}

/// A loss against one number: two panels, the loss and its slope.
struct Axis {
    letter: &'static str,
    /// The meaning of the letter.
    about: &'static str,
    /// Titles of the loss and of its slope.
    titles: [&'static str; 2],
    /// Slopes that are larger are not drawn.
    frame: f64,
    branches: Vec<Branch>,
}

fn against_logit(branches: Vec<Branch>) -> Axis {
    let no = &branches[0].points; // wrong where z is large
    let steepest = largest(no.iter().map(|point| point.slope));
    let [small, large] = [3.0, 8.0].map(|z| slope_at(no, z).abs());
    let seen = if large < 0.1 * steepest {
        "Slope: flat where it is most wrong"
    } else if large > 1.5 * small {
        "Slope: the more wrong, the steeper"
    } else {
        "Slope: steep wherever it is wrong"
    };
    let about = "logit z: the model gives yes the probability σ(z)";
    Axis { letter: "z", about, titles: ["Loss against the logit", seen], frame: f64::INFINITY, branches }
}

fn against_probability(branches: Vec<Branch>) -> Axis {
    // 1 / p is 1000 at the end: drawn in full, the rest would be a flat line
    let points = || branches.iter().flat_map(|branch| &branch.points);
    let inner = largest(points().filter(|point| (0.05..0.95).contains(&point.x)).map(|point| point.slope));
    let all = largest(points().map(|point| point.slope));
    let frame = if all > 3.0 * inner { inner } else { f64::INFINITY };
    let titles = ["Loss against the probability", "Slope against the probability"];
    Axis { letter: "p", about: "p, the probability that the model gives to yes", titles, frame, branches }
}

fn against_error(branches: Vec<Branch>) -> Axis {
    let [small, middle, large] = [0.25, 1.5, 3.0].map(|e| slope_at(&branches[0].points, e).abs());
    let seen = if large > 1.5 * middle {
        "Slope: the larger the error, the steeper"
    } else if large > 1.1 * small {
        "Slope: grows with the error, then levels off"
    } else {
        "Slope: the same for every error"
    };
    let titles = ["Loss against the error", seen];
    Axis { letter: "e", about: "error e = input − target", titles, frame: f64::INFINITY, branches }
}

fn slope_at(points: &[Point], x: f64) -> f64 {
    points.iter().find(|point| point.x >= x).map_or(f64::NAN, |point| point.slope)
}

impl Axis {
    fn charts(&self) -> [Chart; 2] {
        let Axis { letter, titles, frame, .. } = self;
        let loss = self.chart(titles[0], "loss", f64::INFINITY, |point| point.loss);
        [
            loss.include_y(0.0),
            self.chart(titles[1], &format!("slope dl/d{letter}"), *frame, |point| point.slope),
        ]
    }

    fn chart(&self, title: &str, y: &str, frame: f64, of: impl Fn(&Point) -> f64) -> Chart {
        let Axis { letter, about, branches, .. } = self;
        let (first, last) = (branches[0].points.first(), branches[0].points.last());
        let shown: Vec<_> = [first, last]
            .into_iter()
            .flatten()
            .map(|point| format!("{} at {letter} = {}", short(of(point)), short(point.x)))
            .collect();
        let colon = if branches[0].name.is_empty() { "" } else { ": " };
        let mut shown = format!("{}{colon}{}", branches[0].name, shown.join(", "));
        if frame.is_finite() {
            shown += " (cut off)";
        }
        let alt = format!("{y} against {about}. {shown}.");
        let mut chart = Chart::new(title).subtitle(shown).x_label(*about).y_label(y).alt(alt);
        let drawn = |branch: &Branch| {
            let points = branch.points.iter().map(|point| (point.x, of(point)));
            points.filter(|&(_, y)| y.abs() <= frame).collect::<Vec<_>>()
        };
        let all: Vec<_> = branches.iter().flat_map(drawn).collect();
        if let ([Some(first), Some(last)], true) = ([first, last], all.iter().any(|&(_, y)| y < 0.0)) {
            let zero = Line::new("", [(first.x, 0.0), (last.x, 0.0)]);
            chart = chart.line(zero.color(4).faint());
        }
        for (i, branch) in branches.iter().enumerate() {
            let style = [Style::Solid, Style::Dashed][i % 2];
            chart = chart.line(Line::new(&*branch.name, drawn(branch)).color(i).style(style));
        }
        chart
    }
}

/// Three digits.
fn short(x: f64) -> String {
    let size = x.abs();
    if size == 0.0 {
        return "0".to_owned();
    }
    let text = if (9.995e-5..1e4).contains(&size) {
        let decimals = 2 - (size * 1.0005).log10().floor() as i32;
        format!("{x:.*}", decimals.max(0) as usize)
    } else {
        format!("{x:.1e}")
    };
    let short = if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    short.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let shown =
            [0.0, -1.0, 8.000335, 0.999, 0.99999, 0.000999999, 3.3535e-4, 12.34, 1000.0, 1.13e-7, -0.25];
        let shown = shown.map(short);
        assert_eq!(
            shown,
            ["0", "−1", "8", "0.999", "1", "0.001", "0.000335", "12.3", "1000", "1.1e−7", "−0.25"]
        );
    }
}
