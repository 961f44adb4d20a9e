//! Synthetic data sets: [`Dataset::xor`], [`Dataset::moons`], [`Dataset::circles`],
//! [`Dataset::blobs`], [`Dataset::spirals`], [`Dataset::lines`], [`Dataset::cells`], and [`Synthetic`], any of them or [`Dataset::clutter`] as text.

use crate::clutter::digits_doubled;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::source::error::SpecError;
use crate::targets::Targets;
use ndarray::{Array2, Array3};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::{PI, TAU};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
use surprisal_settings::{Kind, Range, Setting, Value, named, read};

/// # Sets that are drawn
///
/// `n` is the number of rows. Rows take turns among the classes: row `k` is of class `k % classes`, so that no
/// class has more than one row more than another. `noise` is the standard deviation of the normal noise added
/// to every number; without it only the centers of `blobs` are random. The same seed draws the same set,
/// and the same noise in another strength.
///
/// Errors if a parameter is out of its range: `n` from twice the number of classes to 1,000,000, `noise` from
/// 0 to 100, the others as documented.
impl Dataset {
    /// Exclusive or: the corners (0, 0) and (1, 1) are class "0", (0, 1) and (1, 0) class "1".
    ///
    /// No straight line separates the two. 4 rows without noise are the truth table. In text: `xor`, which is
    /// `xor:n=100,noise=0.1`.
    ///
    /// Source: M. Minsky, S. Papert (1969), "Perceptrons".
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Dataset;
    ///
    /// let table = Dataset::xor(4, 0.0, &mut ChaCha8Rng::seed_from_u64(0))?;
    /// assert_eq!(table.features, ndarray::array![[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]);
    /// assert_eq!(table.labels(), [0, 1, 0, 1]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn xor(n: usize, noise: f64, rng: &mut (impl Rng + ?Sized)) -> Result<Dataset, DataError> {
        Shape::Xor.check(&[n as f64, noise])?;
        let corner = |class: usize, i: usize| {
            let first = i % 2;
            [first as f64, (first ^ class) as f64]
        };
        Ok(draw("xor", ["0", "1"], n, noise, rng, |class, i, _| corner(class, i)))
    }

    /// Two half circles that reach into each other; classes "outer" and "inner".
    ///
    /// For angles `a` evenly from 0 to pi, outer points are `(cos a, sin a)` and inner ones
    /// `(1 - cos a, 1/2 - sin a)`. In text: `moons`, which is `moons:n=100,noise=0`.
    ///
    /// Source: scikit-learn, `make_moons`, with its defaults.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Dataset;
    ///
    /// let moons = Dataset::moons(500, 0.2, &mut ChaCha8Rng::seed_from_u64(7))?;
    /// assert_eq!(moons.features.dim(), (500, 2));
    /// assert_eq!(moons.class_counts(), [250, 250]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn moons(n: usize, noise: f64, rng: &mut (impl Rng + ?Sized)) -> Result<Dataset, DataError> {
        Shape::Moons.check(&[n as f64, noise])?;
        Ok(draw("moons", ["outer", "inner"], n, noise, rng, |class, i, of| {
            let (sin, cos) = (PI * i as f64 / (of - 1) as f64).sin_cos();
            if class == 0 { [cos, sin] } else { [1.0 - cos, 0.5 - sin] }
        }))
    }

    /// One circle inside another; classes "outer" and "inner".
    ///
    /// Points lie at evenly spaced angles `a`: `r (cos a, sin a)` with `r` 1 outside and `factor`, from 0 to
    /// 0.99, inside. In text: `circles`, which is `circles:n=100,noise=0,factor=0.8`.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Dataset;
    ///
    /// let circles = Dataset::circles(100, 0.0, 0.5, &mut ChaCha8Rng::seed_from_u64(0))?;
    /// for (point, &label) in circles.features.rows().into_iter().zip(circles.labels()) {
    ///     assert!((point[0].hypot(point[1]) - [1.0, 0.5][label]).abs() < 1e-12);
    /// }
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    ///
    /// Source: scikit-learn, `make_circles`, with its defaults.
    pub fn circles(
        n: usize,
        noise: f64,
        factor: f64,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Dataset, DataError> {
        Shape::Circles.check(&[n as f64, noise, factor])?;
        Ok(draw("circles", ["outer", "inner"], n, noise, rng, |class, i, of| {
            let (sin, cos) = (TAU * i as f64 / of as f64).sin_cos();
            let radius = [1.0, factor][class];
            [radius * cos, radius * sin]
        }))
    }

    /// Round clouds, one per class, around centers drawn uniformly from a box; classes "0", "1", ...
    ///
    /// Every coordinate of a center lies from `-center_box` to `center_box` (0 to 1000); `noise` is the
    /// standard deviation of a cloud. `classes` from 2 to 100, `features` from 1 to 100. In text: `blobs`,
    /// which is `blobs:n=100,noise=1,classes=3,features=2,center_box=10`.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Dataset;
    ///
    /// let mut rng = ChaCha8Rng::seed_from_u64(0);
    /// let blobs = Dataset::blobs(90, 1.0, 3, 2, 10.0, &mut rng)?;
    /// assert_eq!((blobs.rows(), blobs.columns(), blobs.classes()), (90, 2, 3));
    /// let spirals = Dataset::spirals(194, 0.0, 2, 3.0, &mut rng)?;
    /// assert_eq!(spirals.class_names(), ["0", "1"]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    ///
    /// Source: scikit-learn, `make_blobs`, with its defaults.
    pub fn blobs(
        n: usize,
        noise: f64,
        classes: usize,
        features: usize,
        center_box: f64,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Dataset, DataError> {
        Shape::Blobs.check(&[n as f64, noise, classes as f64, features as f64, center_box])?;
        let centers = Array2::from_shape_fn((classes, features), |_| {
            let from_0_to_1: f64 = rng.random();
            center_box * (2.0 * from_0_to_1 - 1.0)
        });
        Ok(draw("blobs", numbered(classes), n, noise, rng, |class, _, _| centers.row(class).to_vec()))
    }

    /// Spirals around one middle, an arm per class; classes "0", "1", ...
    ///
    /// For `t` evenly from 0 to 1, arm `c` of `classes` (2 to 100) is `r (cos a, sin a)` with radius
    /// `r = (1 + 12 t) / 13` and angle `a = 2 pi (turns t + c / classes)`; `turns` from 0 to 100. In text:
    /// `spirals`, which is `spirals:n=200,noise=0,classes=2,turns=1`.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Dataset;
    ///
    /// let spirals = Dataset::spirals(200, 0.0, 2, 1.0, &mut ChaCha8Rng::seed_from_u64(0))?;
    /// let (a, b) = (spirals.features.row(0), spirals.features.row(1)); // the arms start on opposite sides
    /// assert!((&a + &b).iter().all(|sum| sum.abs() < 1e-12));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    ///
    /// Source: K. Lang, M. Witbrock (1988), "Learning to tell two spirals apart", Proceedings of the 1988
    /// Connectionist Models Summer School, 52-59. Their spirals, a well-known hard case, are 194 rows, 2 arms
    /// and 3 turns; these are the same but for their size and the way they turn.
    pub fn spirals(
        n: usize,
        noise: f64,
        classes: usize,
        turns: f64,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Dataset, DataError> {
        Shape::Spirals.check(&[n as f64, noise, classes as f64, turns])?;
        Ok(draw("spirals", numbered(classes), n, noise, rng, |class, i, of| {
            let t = i as f64 / (of - 1) as f64;
            let (sin, cos) = (TAU * (turns * t + class as f64 / classes as f64)).sin_cos();
            let radius = (1.0 + 12.0 * t) / 13.0;
            [radius * cos, radius * sin]
        }))
    }

    /// Parallel lines, one per class, from left to right; classes "0", "1", ...
    ///
    /// For `t` evenly from -1 to 1, points of class `c` of `classes` (2 to 100) are `(t, 2 c / (classes - 1) - 1)`. Without much noise
    /// straight lines separate the classes, as a net without hidden layers does. In text: `lines`, which is `lines:n=100,noise=0.2,classes=2`.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Dataset;
    ///
    /// let lines = Dataset::lines(6, 0.0, 3, &mut ChaCha8Rng::seed_from_u64(0))?;
    /// let points = ndarray::array![[-1.0, -1.0], [-1.0, 0.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 0.0], [1.0, 1.0]];
    /// assert_eq!((lines.features.clone(), lines.labels()), (points, &[0, 1, 2, 0, 1, 2][..]));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn lines(
        n: usize,
        noise: f64,
        classes: usize,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Dataset, DataError> {
        Shape::Lines.check(&[n as f64, noise, classes as f64])?;
        let evenly = |at: usize, of: usize| 2.0 * at as f64 / (of - 1) as f64 - 1.0;
        let point = |class: usize, i: usize, of: usize| [evenly(i, of), evenly(class, classes)];
        Ok(draw("lines", numbered(classes), n, noise, rng, point))
    }
}

/// Images of [`Dataset::cells`] have lines of this length, and are at least as large.
const LINES: std::ops::Range<f64> = 5.0..14.0;
/// The largest number of pixels of all images.
const MOST_PIXELS: f64 = (1 << 26) as f64;
/// The brightness of lines and discs.
const BRIGHT: f64 = 0.6;

impl Dataset {
    /// Images of cells for segmentation: noise, bright lines, and discs as bright as the lines, which are the foreground.
    ///
    /// Each of the `n` images has `side` x `side` pixels (x, y). The background is `0.3 (cos a y + sin a x) / side` with an angle a from 0 to 2
    /// pi, plus normal noise with the standard deviation `noise`. One to three lines with a center anywhere, any direction and a length from
    /// 5 to 14 add 0.6 to all pixels nearer than 0.75. No disc, one (twice as often) or two discs with a center at least 3 from the border and
    /// a radius from 1.5 to 3 add 0.6 to their pixels. All is drawn uniformly, from `seed` alone. With 32 pixels,
    /// 1.6 % of the pixels are foreground, and brightness alone does not tell them from lines. In text: `cells`, which is
    /// `cells:n=200,noise=0.25,side=32,seed=0`.
    ///
    /// Errors if a parameter is out of its range: `n` from 4 to 1,000,000 and at most 2^26 pixels in all, `side` from 16 to 256.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    ///
    /// let cells = Dataset::cells(100, 0.25, 32, 7)?;
    /// assert_eq!((cells.rows(), cells.image_shape), (100, Some([1, 32, 32])));
    /// assert_eq!(cells.class_names(), ["background", "disc"]);
    /// let [background, disc] = cells.class_counts()[..] else { unreachable!() };
    /// assert!(disc > 0 && disc < background / 20);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn cells(n: usize, noise: f64, side: usize, seed: u64) -> Result<Dataset, DataError> {
        Shape::Cells.check(&[n as f64, noise, side as f64, seed as f64])?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut images = Array2::zeros((n, side * side));
        let mut masks = Array3::<u8>::zeros((n, side, side));
        for (mut image, mut mask) in images.rows_mut().into_iter().zip(masks.outer_iter_mut()) {
            let (sin, cos) = rng.random_range(0.0..TAU).sin_cos();
            for (at, pixel) in image.iter_mut().enumerate() {
                let (y, x) = ((at / side) as f64, (at % side) as f64);
                let normal: f64 = StandardNormal.sample(&mut rng);
                *pixel = 0.3 * (cos * y + sin * x) / side as f64 + noise * normal;
            }
            let mut bright = vec![false; side * side];
            for _line in 0..rng.random_range(1..=3) {
                let [cy, cx]: [f64; 2] = [(); 2].map(|()| rng.random_range(0.0..side as f64));
                let (sin, cos) = rng.random_range(0.0..PI).sin_cos();
                let half = rng.random_range(LINES) / 2.0;
                for (at, bright) in bright.iter_mut().enumerate() {
                    let (y, x) = ((at / side) as f64 - cy, (at % side) as f64 - cx);
                    let along = (x * cos + y * sin).clamp(-half, half);
                    *bright |= (x - along * cos).hypot(y - along * sin) < 0.75;
                }
            }
            for _disc in 0..[0, 1, 1, 2][rng.random_range(0..4)] {
                let [cy, cx]: [f64; 2] = [(); 2].map(|()| rng.random_range(3.0..side as f64 - 3.0));
                let radius = rng.random_range(1.5..3.0);
                for ((y, x), class) in mask.indexed_iter_mut() {
                    *class |= u8::from((y as f64 - cy).hypot(x as f64 - cx) <= radius);
                }
            }
            for ((pixel, bright), &class) in image.iter_mut().zip(bright).zip(&mask) {
                *pixel += BRIGHT * (f64::from(bright) + f64::from(class));
            }
        }
        let names = ["background", "disc"].map(str::to_owned).to_vec();
        Ok(Dataset::of_square_images("cells", images, side, Targets::Masks { masks, names }))
    }

    /// Grayscale images of `side` x `side` pixels, one in each row.
    pub(crate) fn of_square_images(
        name: &str,
        images: Array2<f64>,
        side: usize,
        targets: Targets,
    ) -> Dataset {
        let pixel = |at: usize| format!("p{}_{}", at / side, at % side);
        Dataset {
            name: name.to_owned(),
            features: images,
            targets,
            feature_names: (0..side * side).map(pixel).collect(),
            image_shape: Some([1, side, side]),
        }
    }
}

/// `n` rows that take turns among the classes: `point(class, i, of)` is the i-th of `of` points of a class,
/// to which noise is added.
fn draw<P: AsRef<[f64]>>(
    name: &str,
    class_names: impl IntoIterator<Item = impl Into<String>>,
    n: usize,
    noise: f64,
    rng: &mut (impl Rng + ?Sized),
    point: impl Fn(usize, usize, usize) -> P,
) -> Dataset {
    let class_names: Vec<String> = class_names.into_iter().map(Into::into).collect();
    let classes = class_names.len();
    let mut numbers = Vec::new();
    for row in 0..n {
        let class = row % classes;
        let of = (n - class).div_ceil(classes);
        for coordinate in point(class, row / classes, of).as_ref() {
            let normal: f64 = StandardNormal.sample(rng);
            numbers.push(coordinate + noise * normal);
        }
    }
    let columns = numbers.len() / n;
    let feature_names = match columns {
        2 => vec!["x".to_owned(), "y".to_owned()],
        _ => (0..columns).map(|column| format!("x{column}")).collect(),
    };
    Dataset {
        name: name.to_owned(),
        features: Array2::from_shape_vec((n, columns), numbers).expect("every point has as many numbers"),
        targets: Targets::Classes { labels: (0..n).map(|row| row % classes).collect(), names: class_names },
        feature_names,
        image_shape: None,
    }
}

fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

/// A synthetic set and the values of its parameters, not drawn yet; read from text.
///
/// The text is the name of the set, then what is to differ from the defaults. Displayed, it shows all of them.
///
/// ```
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
/// use surprisal_data::{Dataset, Synthetic};
///
/// let blobs: Synthetic = "blobs:classes=5,n=200".parse()?;
/// assert_eq!(blobs.to_string(), "blobs:n=200,noise=1,classes=5,features=2,center_box=10");
/// let set = blobs.draw(&mut ChaCha8Rng::seed_from_u64(0));
/// assert_eq!(set, Dataset::blobs(200, 1.0, 5, 2, 10.0, &mut ChaCha8Rng::seed_from_u64(0))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Synthetic {
    shape: Shape,
    /// In the order of the shape's parameters, within their ranges.
    values: Vec<f64>,
}

impl Synthetic {
    /// The names of the sets.
    pub const NAMES: [&str; 8] = ["xor", "moons", "circles", "blobs", "spirals", "lines", "cells", "clutter"];

    /// Draws the set.
    ///
    /// ```
    /// use rand::SeedableRng;
    /// use rand_chacha::ChaCha8Rng;
    /// use surprisal_data::Synthetic;
    ///
    /// let moons: Synthetic = "moons:n=40".parse()?;
    /// assert_eq!(moons.draw(&mut ChaCha8Rng::seed_from_u64(0)).class_counts(), [20, 20]);
    /// # Ok::<(), surprisal_data::SpecError>(())
    /// ```
    pub fn draw(&self, rng: &mut (impl Rng + ?Sized)) -> Dataset {
        let real = |at: usize| self.values[at];
        let whole = |at: usize| self.values[at] as usize;
        let (n, noise) = (whole(0), real(1));
        let drawn = match self.shape {
            Shape::Xor => Dataset::xor(n, noise, rng),
            Shape::Moons => Dataset::moons(n, noise, rng),
            Shape::Circles => Dataset::circles(n, noise, real(2), rng),
            Shape::Blobs => Dataset::blobs(n, noise, whole(2), whole(3), real(4), rng),
            Shape::Spirals => Dataset::spirals(n, noise, whole(2), real(3), rng),
            Shape::Lines => Dataset::lines(n, noise, whole(2), rng),
            Shape::Cells => Dataset::cells(n, noise, whole(2), whole(3) as u64),
            Shape::Clutter => digits_doubled().clutter(n, whole(1), whole(2) as u64),
        };
        drawn.expect("the parameters were checked when the text was read")
    }

    /// Whether its targets are masks.
    pub(crate) fn has_masks(&self) -> bool {
        matches!(self.shape, Shape::Cells | Shape::Clutter)
    }
}

impl FromStr for Synthetic {
    type Err = SpecError;

    /// `NAME` or `NAME:PARAMETER=VALUE,PARAMETER=VALUE,...`
    fn from_str(text: &str) -> Result<Synthetic, SpecError> {
        let (name, list) = named(text);
        let unknown = || SpecError::UnknownSource { text: text.to_owned() };
        let shape = Shape::ALL.into_iter().find(|shape| shape.name() == name).ok_or_else(unknown)?;
        let values = read(shape.name(), "parameter", &shape.parameters(), list)?;
        let values = Vec::from_iter(values.iter().filter_map(Value::number));
        shape.check(&values)?;
        Ok(Synthetic { shape, values })
    }
}

impl Display for Synthetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.shape.name())?;
        for (at, (parameter, value)) in self.shape.parameters().iter().zip(&self.values).enumerate() {
            write!(f, "{}{}={value}", if at == 0 { ':' } else { ',' }, parameter.name)?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Xor,
    Moons,
    Circles,
    Blobs,
    Spirals,
    Lines,
    Cells,
    Clutter,
}

const fn whole(
    name: &'static str,
    default: &'static str,
    least: f64,
    most: f64,
    help: &'static str,
) -> Setting {
    Setting { name, kind: Kind::Whole(Range::at_least(least).at_most(most)), default, help }
}

const fn real(name: &'static str, default: &'static str, most: f64, help: &'static str) -> Setting {
    Setting { name, kind: Kind::Number(Range::at_least(0.0).at_most(most)), default, help }
}

impl Shape {
    const ALL: [Shape; 8] = [
        Shape::Xor,
        Shape::Moons,
        Shape::Circles,
        Shape::Blobs,
        Shape::Spirals,
        Shape::Lines,
        Shape::Cells,
        Shape::Clutter,
    ];

    fn name(self) -> &'static str {
        Synthetic::NAMES[self as usize]
    }

    /// In the order in which the functions above take them.
    fn parameters(self) -> Vec<Setting> {
        let rows = |default| whole("n", default, 4.0, 1e6, "number of rows");
        let noise = |default| real("noise", default, 100.0, "standard deviation of the noise");
        let classes = |default| whole("classes", default, 2.0, 100.0, "number of classes");
        let side = |default| whole("side", default, 16.0, 256.0, "height and width of an image");
        let seed = || {
            whole("seed", "0", 0.0, 2f64.powi(53), "seed of the images, whatever the seed of the training")
        };
        match self {
            Shape::Xor => vec![rows("100"), noise("0.1")],
            Shape::Moons => vec![rows("100"), noise("0")],
            Shape::Circles => {
                vec![rows("100"), noise("0"), real("factor", "0.8", 0.99, "radius of the inner circle")]
            }
            Shape::Blobs => vec![
                rows("100"),
                noise("1"),
                classes("3"),
                whole("features", "2", 1.0, 100.0, "number of features"),
                real("center_box", "10", 1000.0, "centers lie within plus and minus this"),
            ],
            Shape::Lines => vec![rows("100"), noise("0.2"), classes("2")],
            Shape::Cells => vec![rows("200"), noise("0.25"), side("32"), seed()],
            Shape::Clutter => vec![rows("200"), side("48"), seed()],
            Shape::Spirals => {
                vec![rows("200"), noise("0"), classes("2"), real("turns", "1", 100.0, "turns of an arm")]
            }
        }
    }

    /// Whether the values, in the order of the parameters, are within their ranges.
    pub(crate) fn check(self, values: &[f64]) -> Result<(), SpecError> {
        let check = |parameter: &Setting, value: f64| {
            parameter.parse(&value.to_string()).map(drop).map_err(|problem| problem.of(self.name()))
        };
        let mut parameters = self.parameters();
        parameters.iter().zip(values).try_for_each(|(parameter, &value)| check(parameter, value))?;
        // two rows of each class: one to train on, one to test on
        let classes = parameters.iter().position(|parameter| parameter.name == "classes");
        let least = 2.0 * classes.map_or(2.0, |at| values[at]);
        let side = parameters.iter().position(|parameter| parameter.name == "side");
        let most = side.map_or(1e6, |at| (MOST_PIXELS / (values[at] * values[at])).floor());
        parameters[0].kind = Kind::Whole(Range::at_least(least).at_most(most.min(1e6)));
        Ok(check(&parameters[0], values[0])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    fn set(text: &str, seed: u64) -> Dataset {
        text.parse::<Synthetic>().unwrap().draw(&mut rng(seed))
    }

    /// The points of one class, in order.
    fn points(set: &Dataset, class: usize) -> Vec<[f64; 2]> {
        let rows = set.features.rows().into_iter().zip(set.labels());
        rows.filter(|&(_, &label)| label == class).map(|(row, _)| [row[0], row[1]]).collect()
    }

    fn distance([a, b]: [f64; 2], [c, d]: [f64; 2]) -> f64 {
        (a - c).hypot(b - d)
    }

    /// The angles between neighbors on the way along a curve, as seen from the origin, added up.
    fn turned(points: &[[f64; 2]]) -> f64 {
        let angle = |[a, b]: [f64; 2], [c, d]: [f64; 2]| (a * d - b * c).atan2(a * c + b * d);
        points.windows(2).map(|pair| angle(pair[0], pair[1])).sum()
    }

    #[track_caller]
    fn assert_close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found} is not {expected} to {tolerance}");
    }

    #[test]
    fn names_are_those_of_the_shapes() {
        for shape in Shape::ALL {
            let set = set(shape.name(), 0);
            assert_eq!(set.name, shape.name());
            assert_eq!(format!("{shape:?}").to_lowercase(), shape.name());
        }
    }

    /// Discs are as bright as lines, 1.6 % of the pixels, and the images depend on their own seed alone.
    #[test]
    fn cells_are_discs_among_lines_as_bright() {
        let cells = Dataset::cells(400, 0.0, 32, 1).unwrap();
        cells.check().unwrap();
        let share = cells.class_counts()[1] as f64 / (400.0 * 1024.0);
        assert!((0.0140..0.0185).contains(&share), "{share}");
        let masks = cells.targets.masks();
        let empty = masks.outer_iter().filter(|mask| mask.sum() == 0).count();
        assert!((70..130).contains(&empty), "{empty}"); // a quarter
        let bright = |foreground: u8| {
            let pixels =
                cells.features.iter().zip(masks).filter(|&(&x, &class)| class == foreground && x > 0.45);
            pixels.count()
        };
        assert!(bright(0) > bright(1)); // lines: brightness alone does not tell
        assert!(cells.features.iter().zip(masks).all(|(&x, &class)| class == 0 || x > 0.18)); // 0.6 less the gradient
        let again = set("cells:n=400,noise=0,seed=1", 5);
        assert_eq!((again.features == cells.features, again.targets == cells.targets), (true, true));
        assert_ne!(Dataset::cells(400, 0.0, 32, 2).unwrap().targets, cells.targets);
    }

    #[test]
    fn defaults_are_those_that_the_documentation_tells() {
        for text in [
            "xor:n=100,noise=0.1",
            "moons:n=100,noise=0",
            "circles:n=100,noise=0,factor=0.8",
            "blobs:n=100,noise=1,classes=3,features=2,center_box=10",
            "spirals:n=200,noise=0,classes=2,turns=1",
            "lines:n=100,noise=0.2,classes=2",
            "cells:n=200,noise=0.25,side=32,seed=0",
            "clutter:n=200,side=48,seed=0",
        ] {
            let name = text.split(':').next().unwrap();
            assert_eq!(name.parse::<Synthetic>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn text_is_the_function_with_its_arguments() {
        assert_eq!(set("xor:n=9,noise=0.3", 1), Dataset::xor(9, 0.3, &mut rng(1)).unwrap());
        assert_eq!(set("moons:noise=0.2,n=11", 2), Dataset::moons(11, 0.2, &mut rng(2)).unwrap());
        let circles = Dataset::circles(12, 0.1, 0.4, &mut rng(3)).unwrap();
        assert_eq!(set("circles: n = 12 , noise=1e-1, factor=0.4", 3), circles);
        let blobs = Dataset::blobs(40, 2.0, 4, 7, 3.0, &mut rng(4)).unwrap();
        assert_eq!(set("blobs:n=40,noise=2,classes=4,features=7,center_box=3", 4), blobs);
        let spirals = Dataset::spirals(30, 0.5, 5, 2.5, &mut rng(5)).unwrap();
        assert_eq!(set("spirals:n=3e1,noise=0.5,classes=5,turns=2.5", 5), spirals);
    }

    #[test]
    fn same_seed_same_set_other_seed_other_set() {
        for name in Synthetic::NAMES {
            let own_seed = ["cells", "clutter"].contains(&name); // a parameter
            let text = format!("{name}:{}", if name == "clutter" { "n=20" } else { "noise=0.5" });
            assert_eq!(set(&text, 6), set(&text, 6));
            assert_eq!(set(&text, 6) == set(&text, 7), own_seed);
        }
    }

    #[test]
    fn sets_are_sound_balanced_and_finite_to_the_ends_of_their_ranges() {
        for text in [
            "xor:n=4,noise=100",
            "moons:n=4",
            "moons:n=1001,noise=100",
            "circles:n=5,factor=0",
            "circles:n=7,factor=0.99",
            "blobs:n=4,classes=2,features=1,center_box=0",
            "blobs:n=333,noise=100,classes=100,features=100,center_box=1000",
            "spirals:n=200,classes=100,turns=100",
            "spirals:n=7,classes=3,turns=0",
        ] {
            let set = set(text, 8);
            set.check().unwrap();
            let counts = set.class_counts();
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(*least >= 2 && most - least <= 1, "{text}: {counts:?}");
            assert!(set.features.iter().all(|x| x.is_finite()), "{text}");
            assert!(text.contains(&format!("n={}", set.rows())));
        }
    }

    #[test]
    fn columns_are_as_many_as_features_and_named() {
        assert_eq!(set("moons", 0).feature_names, ["x", "y"]);
        assert_eq!(set("blobs:features=1", 0).feature_names, ["x0"]);
        assert_eq!(set("blobs:features=3", 0).feature_names, ["x0", "x1", "x2"]);
        assert_eq!(set("blobs:classes=4", 0).class_names(), ["0", "1", "2", "3"]);
        assert_eq!(set("circles", 0).class_names(), ["outer", "inner"]);
    }

    #[test]
    fn noise_is_the_standard_deviation_and_nothing_else() {
        let clean = set("spirals:n=20000", 9).features;
        let noise = |size: &str| set(&format!("spirals:n=20000,noise={size}"), 9).features - &clean;
        let (small, large) = (noise("0.1"), noise("0.2"));
        // 40,000 numbers: the error of the deviation is 0.1 / sqrt(80,000), that of the mean 0.1 / 200
        assert_close(small.std(0.0), 0.1, 0.0015);
        assert_close(small.mean().unwrap(), 0.0, 0.002);
        assert!((&large - &small * 2.0).iter().all(|difference| difference.abs() < 1e-14));
    }

    #[test]
    fn xor_corners_are_its_truth_table_and_stay_so_in_little_noise() {
        let table = set("xor:n=8,noise=0", 10);
        for (corner, label) in table.features.rows().into_iter().zip(table.labels()) {
            assert_eq!(*label, corner[0] as usize ^ corner[1] as usize);
        }
        let noisy = set("xor:n=400,noise=0.1", 10);
        let mut per_corner = [[0; 2]; 2];
        for (row, label) in noisy.features.rows().into_iter().zip(noisy.labels()) {
            let corner = [0, 1].map(|column| usize::from(row[column] > 0.5));
            assert_eq!(*label, corner[0] ^ corner[1]);
            per_corner[corner[0]][corner[1]] += 1;
        }
        assert_eq!(per_corner, [[100; 2]; 2]);
    }

    #[test]
    fn moons_are_half_circles_that_reach_into_each_other_and_never_meet() {
        let set = set("moons:n=401", 11);
        let (outer, inner) = (points(&set, 0), points(&set, 1));
        assert_eq!((outer.len(), inner.len()), (201, 200));
        for &[x, y] in &outer {
            assert_close(x.hypot(y), 1.0, 1e-15);
            assert!(y >= 0.0);
        }
        for &[x, y] in &inner {
            assert_close((x - 1.0).hypot(y - 0.5), 1.0, 1e-15);
            assert!(y <= 0.5);
        }
        let ends = [outer[0], outer[200], inner[0], inner[199]];
        let expected = [[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [2.0, 0.5]];
        assert!(ends.iter().zip(expected).all(|(&end, expected)| distance(end, expected) < 1e-15));

        let gaps = outer.iter().flat_map(|&a| inner.iter().map(move |&b| distance(a, b)));
        let narrowest = gaps.fold(f64::INFINITY, f64::min);
        assert!(narrowest > 0.49, "{narrowest}");
        let lowest_inner = inner.iter().map(|[_, y]| *y).fold(f64::INFINITY, f64::min);
        assert!(lowest_inner < -0.49, "no line between the two");
    }

    #[test]
    fn circles_have_their_radii_and_points_all_around() {
        let set = set("circles:n=100,factor=0.3", 12);
        for (class, radius) in [(0, 1.0), (1, 0.3)] {
            let circle = points(&set, class);
            assert_eq!(circle.len(), 50);
            assert!(circle.iter().all(|&[x, y]| (x.hypot(y) - radius).abs() < 1e-15));
            assert_close(turned(&circle), TAU * 49.0 / 50.0, 1e-12);
            let step = distance(circle[0], circle[1]);
            let closing = distance(circle[49], circle[0]);
            assert_close(step, closing, 1e-14); // no gap, and no point twice
        }
    }

    #[test]
    fn blobs_lie_around_centers_in_the_box() {
        let centers = set("blobs:n=400,noise=0,classes=4,features=5,center_box=3", 13);
        for row in 4..400 {
            assert_eq!(centers.features.row(row), centers.features.row(row % 4), "each at its center");
        }
        let four = centers.select(&[0, 1, 2, 3]).features;
        assert!(four.iter().all(|x| x.abs() <= 3.0));
        assert!(four.iter().any(|x| *x > 1.0) && four.iter().any(|x| *x < -1.0), "all of the box is used");
        let noisy = set("blobs:n=40000,noise=0.5,classes=4,features=5,center_box=3", 13);
        let first: Vec<usize> = (0..40000).step_by(4).collect();
        let cloud = noisy.select(&first).features;
        for column in 0..5 {
            assert_close(cloud.column(column).mean().unwrap(), four[[0, column]], 0.02);
            assert_close(cloud.column(column).std(0.0), 0.5, 0.02);
        }
    }

    #[test]
    fn spirals_turn_as_often_as_asked_and_their_arms_are_one_arm_rotated() {
        for (classes, turns) in [(2, 1.0), (3, 0.25), (5, 3.0)] {
            let set = set(&format!("spirals:n={},classes={classes},turns={turns}", 200 * classes), 14);
            let first = points(&set, 0);
            let radii: Vec<f64> = first.iter().map(|[x, y]| x.hypot(*y)).collect();
            assert!(radii.is_sorted());
            assert_close(radii[0], 1.0 / 13.0, 1e-15);
            assert_close(radii[199], 1.0, 1e-15);
            assert_close(turned(&first), TAU * turns, 1e-11);
            for class in 1..classes {
                let (sin, cos) = (TAU * class as f64 / classes as f64).sin_cos();
                let rotated = |[x, y]: [f64; 2]| [cos * x - sin * y, sin * x + cos * y];
                let arm = points(&set, class);
                assert!(first.iter().zip(arm).all(|(&a, b)| distance(rotated(a), b) < 1e-13));
            }
        }
    }

    #[test]
    fn spirals_of_194_points_and_3_turns_are_those_of_lang_and_witbrock() {
        let arm = points(&set("spirals:n=194,turns=3", 15), 0);
        for (i, point) in arm.iter().rev().enumerate() {
            // theirs begins outside, and has radius 6.5 there
            let (angle, radius) = (i as f64 * PI / 16.0, 6.5 * (104.0 - i as f64) / 104.0);
            let [x, y] = [radius * angle.cos(), -radius * angle.sin()].map(|coordinate| coordinate / 6.5);
            assert!(distance(*point, [x, y]) < 1e-13, "point {i}");
        }
    }
}
