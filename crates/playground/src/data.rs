//! [`Data`]: the points of the race.

use serde_json::json;
use surprisal_data::{
    Categorical, ColumnValues, CsvOptions, DataError, Dataset, Missing, Standardize, Table, Targets, Task,
};
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
        let broken = |error: DataError| json!({"code": "data", "message": error.to_string()});
        let mut set = recipe.draw(rng).map_err(broken)?;
        let drawn = set.class_counts();
        // of points of one's own a class may be empty, from which nothing is taken
        if let Some(kept) = recipe.kept(&drawn).filter(|_| recipe.drawn().is_some()) {
            set = set.imbalanced(&kept, rng).map_err(broken)?;
        }
        let mut flipped = vec![false; set.rows()];
        if state.number("flip", 0) > 0.0 {
            let (noisy, rows) = set.with_label_noise(state.number("flip", 0), rng).map_err(broken)?;
            set = noisy;
            rows.into_iter().for_each(|row| flipped[row] = true);
        }
        if recipe.drawn().is_some() {
            let standardize = Standardize::fit(&set.features).map_err(broken)?;
            set.features = standardize.apply(&set.features).map_err(broken)?;
        }
        Ok(Data { targets: targets(set.labels(), set.classes()), set, flipped, drawn })
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.set.classes()
    }

    /// The part of the plane that is drawn: `[x0, x1, y0, y1]`, with a margin around the points.
    pub fn window(&self) -> [f64; 4] {
        let span = |column: usize| {
            let numbers = self.set.features.column(column);
            let (low, high) =
                (numbers.iter().copied().fold(-1.0, f64::min), numbers.iter().copied().fold(1.0, f64::max));
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
/// # Errors
/// If the table cannot be read, does not have two columns of numbers and a class in the last one, or too many rows.
pub fn points_of_csv(text: &str) -> Result<(Vec<Point>, Vec<String>), Error> {
    let wrong = |error: DataError| json!({"code": "csv", "message": error.to_string()});
    let first = text.trim_start_matches('\u{feff}').split([',', ';', '\t', '\n']).next().unwrap_or_default();
    let options = CsvOptions {
        header: first.trim().parse::<f64>().is_err(),
        target: Some("-1".into()),
        task: Task::Classification,
        categorical: Categorical::None,
        missing: Missing::Error,
        ..CsvOptions::default()
    };
    let table = Table::from_csv(text.as_bytes(), "the table", &options).map_err(wrong)?;
    let [ColumnValues::Numbers(x), ColumnValues::Numbers(y)] =
        &table.columns().iter().map(|column| &column.values).collect::<Vec<_>>()[..]
    else {
        return Err(json!({"code": "csv_columns", "found": table.columns().len() + 1}));
    };
    let (Targets::Classes { labels, names }, rows) = (table.targets(), table.rows()) else {
        return Err(json!({"code": "csv_classes", "found": 0}));
    };
    if !(2..=3).contains(&names.len()) {
        return Err(json!({"code": "csv_classes", "found": names.len()}));
    }
    if rows > POINTS {
        return Err(json!({"code": "csv_rows", "found": rows, "most": POINTS}));
    }
    let features = Array2::from_shape_fn((rows, 2), |(row, column)| [x, y][column][row]);
    let features =
        Standardize::fit(&features).and_then(|standardize| standardize.apply(&features)).map_err(wrong)?;
    let round = |x: f64| (x * 1e3).round() / 1e3;
    let point =
        |(row, &class): (ArrayView1<f64>, &usize)| Point { x: round(row[0]), y: round(row[1]), class };
    Ok((features.rows().into_iter().zip(labels).map(point).collect(), names.clone()))
}
