//! [`Data`]: the points of the race.

use crate::json::json;
use surprisal_data::{DataError, Dataset, Standardize, Targets};
use surprisal_layers::Rng;
use surprisal_tensor::ndarray::{Array2, ArrayView1};

use crate::state::{Error, POINTS, Point, State};

/// The points, and what the losses need.
#[derive(Clone, Debug)]
pub struct Data {
    /// Standardized, but for points of one's own.
    pub set: Dataset,
    /// For two classes a column that is 1 for the second, for more a column for each class.
    pub targets: Array2<f64>,
    /// Whether a row has a wrong label.
    pub flipped: Vec<bool>,
    /// How many rows of each class were drawn, before some are left out.
    pub drawn: Vec<usize>,
}

/// A recipe: the calls that draw a set, which the program repeats.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'s>(pub &'s State);

impl Recipe<'_> {
    /// The function of [`Dataset`] and its numbers, before the generator; `None` for points of one's own.
    pub fn drawn(self) -> Option<(&'static str, Vec<f64>)> {
        let state = self.0;
        let (n, noise) = (state.number("n", 0), state.number("noise", 0));
        Some(match state.word("data", 0) {
            "moons" => ("moons", vec![n, noise]),
            "circles" => ("circles", vec![n, noise, 0.5]),
            "xor" => ("xor", vec![n, noise]),
            // ten times as large, as its centers
            "blobs" => ("blobs", vec![n, 10.0 * noise, 2.0, 2.0, 10.0]),
            "three" => ("blobs", vec![n, 10.0 * noise, 3.0, 2.0, 10.0]),
            "spirals" => ("spirals", vec![n, noise, 2.0, 1.0]),
            "lines" => ("lines", vec![n, noise, 2.0]),
            _ => return None,
        })
    }

    /// How many rows of each class are kept, if not all.
    pub fn kept(self, counts: &[usize]) -> Option<Vec<usize>> {
        let keep = self.0.number("keep", 0);
        let mut kept = counts.to_vec();
        let last = kept.last_mut()?;
        *last = ((keep * *last as f64).round() as usize).max(1);
        (keep < 1.0).then_some(kept)
    }

    fn draw(self, rng: &mut Rng) -> Result<Dataset, DataError> {
        let Some((name, numbers)) = self.drawn() else { return Ok(own(self.0.points())) };
        let (n, noise) = (numbers[0] as usize, numbers[1]);
        let whole = |at: usize| numbers[at] as usize;
        match name {
            "moons" => Dataset::moons(n, noise, rng),
            "circles" => Dataset::circles(n, noise, numbers[2], rng),
            "xor" => Dataset::xor(n, noise, rng),
            "blobs" => Dataset::blobs(n, noise, whole(2), whole(3), numbers[4], rng),
            "lines" => Dataset::lines(n, noise, whole(2), rng),
            _ => Dataset::spirals(n, noise, whole(2), numbers[3], rng),
        }
    }
}

/// Points of one's own; there are as many classes as the largest needs, at least two.
fn own(points: &[Point]) -> Dataset {
    let classes = points.iter().map(|point| point.class + 1).max().unwrap_or(0).max(2);
    Dataset {
        name: "points".into(),
        features: Array2::from_shape_fn((points.len(), 2), |(row, column)| {
            if column == 0 { points[row].x } else { points[row].y }
        }),
        targets: Targets::Classes {
            labels: points.iter().map(|point| point.class).collect(),
            names: (0..classes).map(|class| class.to_string()).collect(),
        },
        feature_names: vec!["x".into(), "y".into()],
        image_shape: None,
    }
}

impl Data {
    /// Draws the points of a state.
    ///
    /// # Errors
    /// If there are points of fewer than two classes, as may be with points of one's own.
    pub fn new(state: &State, rng: &mut Rng) -> Result<Data, Error> {
        let recipe = Recipe(state);
        if recipe.drawn().is_none() {
            let points = state.points();
            if points.iter().all(|point| point.class == points[0].class) {
                return Err(json!({"code": "rows", "rows": points.len()}));
            }
        }
        let mut set = recipe.draw(rng).map_err(refused)?;
        let drawn = set.class_counts();
        // of points of one's own a class may be empty, from which nothing is taken
        if let Some(kept) = recipe.kept(&drawn).filter(|_| recipe.drawn().is_some()) {
            set = set.imbalanced(&kept, rng).map_err(refused)?;
        }
        let mut flipped = vec![false; set.rows()];
        if state.number("flip", 0) > 0.0 {
            let (noisy, rows) = set.with_label_noise(state.number("flip", 0), rng).map_err(refused)?;
            set = noisy;
            rows.into_iter().for_each(|row| flipped[row] = true);
        }
        if recipe.drawn().is_some() {
            let standardize = Standardize::fit(&set.features).map_err(refused)?;
            set.features = standardize.apply(&set.features).map_err(refused)?;
        }
        Ok(Data { targets: targets(set.labels(), set.classes()), set, flipped, drawn })
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.set.classes()
    }

    /// The part of the plane that is drawn: `[x0, x1, y0, y1]`, with a margin around the points. Points of one's own may be added where there
    /// are none yet.
    pub fn window(&self, is_own: bool) -> [f64; 4] {
        let least = if is_own { 2.0 } else { 1.0 };
        let span = |column: usize| {
            let numbers = self.set.features.column(column);
            let wider = |(low, high), &x| (f64::min(low, x), f64::max(high, x));
            let (low, high) = numbers.iter().fold((-least, least), wider);
            let margin = 0.15 * (high - low);
            [low - margin, high + margin]
        };
        let ([x0, x1], [y0, y1]) = (span(0), span(1));
        [x0, x1, y0, y1]
    }
}

/// For two classes a column that is 1 for the second, for more a column for each class.
pub fn targets(labels: &[usize], classes: usize) -> Array2<f64> {
    let first = usize::from(classes == 2);
    Array2::from_shape_fn((labels.len(), classes - first), |(row, column)| {
        f64::from(u8::from(labels[row] == column + first))
    })
}

/// A table with two columns of numbers and a class as points: standardized, so that they lie around the origin.
///
/// Delimiters are commas, semicolons or tabs; a first line without numbers is a header. Classes are numbered in the order of their first rows.
///
/// # Errors
/// With its line, if a row does not have two numbers and a class; if there are not two or three classes, or too many rows.
pub fn points_of_csv(text: &str) -> Result<(Vec<Point>, Vec<String>), Error> {
    let text = text.trim_start_matches('\u{feff}');
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (first_at, first) = lines().next().unwrap_or_default();
    let delimiter = ['\t', ';'].into_iter().find(|&sign| first.contains(sign)).unwrap_or(',');
    let (mut numbers, mut labels, mut classes) = (Vec::new(), Vec::new(), Vec::<String>::new());
    for (at, line) in lines() {
        let fields: Vec<&str> = line.split(delimiter).map(|field| field.trim().trim_matches('"')).collect();
        let row = match fields[..] {
            [x, y, class] if !class.is_empty() => number(x).zip(number(y)).map(|(x, y)| (x, y, class)),
            _ => None,
        };
        let Some((x, y, class)) = row else {
            let header =
                numbers.is_empty() && fields.len() == 3 && fields.iter().all(|field| number(field).is_none());
            if header && at == first_at {
                continue;
            }
            return Err(
                json!({"code": "csv_line", "line": at + 1, "found": line.chars().take(40).collect::<String>()}),
            );
        };
        let known = classes.iter().position(|known| known == class);
        labels.push(known.unwrap_or_else(|| {
            classes.push(class.into());
            classes.len() - 1
        }));
        numbers.extend([x, y]);
    }
    if !(2..=3).contains(&classes.len()) {
        return Err(json!({"code": "csv_classes", "found": classes.len()}));
    }
    let rows = labels.len();
    if rows > POINTS {
        return Err(json!({"code": "csv_rows", "found": rows, "most": POINTS}));
    }
    let features = Array2::from_shape_fn((rows, 2), |(row, column)| numbers[2 * row + column]);
    let features =
        Standardize::fit(&features).and_then(|standardize| standardize.apply(&features)).map_err(refused)?;
    let round = |x: f64| (x * 1e3).round() / 1e3;
    let point = |(row, class): (ArrayView1<f64>, usize)| Point { x: round(row[0]), y: round(row[1]), class };
    Ok((features.rows().into_iter().zip(labels).map(point).collect(), classes))
}

/// A number within what a table may hold.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|x: &f64| x.abs() <= 1e100)
}

/// What the checks of the settings leave is never refused: the message would only make the page larger.
pub fn refused(_: DataError) -> Error {
    json!({"code": "rows", "rows": 0})
}
