//! t-SNE: points of many dimensions as a picture in which neighbors stay neighbors.

use std::fmt;

use ndarray::{Array2, ArrayView2};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// t-SNE in `f64`, every pair of points computed: for a few thousand points.
///
/// Each point i gives every other a probability `p_(j|i)` that falls with their squared distance, as a normal distribution whose width is
/// chosen so that the [`perplexity`](Self::perplexity), `e^H` of that distribution, is the given one; `p_ij = (p_(j|i) + p_(i|j)) / 2n`.
/// In the plane the same pairs have `q_ij`, which falls as `1 / (1 + |y_i - y_j|²)` and sums to 1. The places y are moved down the gradient
/// of KL(P, Q), the cross-entropy of P and Q less the entropy of P:
///
/// ```text
/// KL = Σ p_ij ln(p_ij / q_ij),    dKL/dy_i = 4 Σ_j (p_ij - q_ij) (y_i - y_j) / (1 + |y_i - y_j|²)
/// ```
///
/// Only neighborhoods mean something: neither distances between groups nor their sizes do.
///
/// ```
/// use rand::SeedableRng;
/// use surprisal_data::{Dataset, Tsne};
///
/// let iris = Dataset::iris();
/// let settings = Tsne { iterations: 300, ..Tsne::default() };
/// let picture = settings.fit(iris.features.view(), &mut rand_chacha::ChaCha8Rng::seed_from_u64(7))?;
/// assert_eq!(picture.places.dim(), (150, 2));
/// assert!(picture.divergence > 0.0 && picture.divergence < 1.0);
/// # Ok::<(), surprisal_data::TsneError>(())
/// ```
///
/// # Source
/// van der Maaten and Hinton 2008, "Visualizing data using t-SNE"; steps, gains and early exaggeration as in scikit-learn's `TSNE` with
/// `method="exact"`, `init="random"` and `learning_rate="auto"`, to whose divergence this comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tsne {
    /// How many neighbors a point has, in effect: 1 or more, and less than the number of points. 30 by default.
    pub perplexity: f64,
    /// Steps, of which the first 250 move groups together with P times 12. 1000 by default.
    pub iterations: usize,
}

impl Default for Tsne {
    fn default() -> Self {
        Tsne { perplexity: 30.0, iterations: 1000 }
    }
}

/// What [`Tsne::fit`] finds.
#[derive(Clone, Debug, PartialEq)]
pub struct TsnePicture {
    /// The places in the plane, `[rows, 2]`.
    pub places: Array2<f64>,
    /// KL(P, Q) in nats: the smaller it is, the truer are the neighborhoods.
    pub divergence: f64,
}

/// Why there is no picture.
#[derive(Clone, Debug, PartialEq)]
pub enum TsneError {
    /// The perplexity is not from 1 to less than the number of points.
    Perplexity {
        /// The perplexity.
        perplexity: f64,
        /// The number of points.
        points: usize,
    },
    /// A number is not finite.
    NotFinite {
        /// Its row, from 0.
        row: usize,
        /// Its column, from 0.
        column: usize,
        /// The number.
        found: f64,
    },
    /// There are more points than pairs fit into memory.
    Points {
        /// The number of points.
        points: usize,
    },
}

/// Two matrices of this many rows and columns take 1.6 GB.
const MOST_POINTS: usize = 10_000;

impl fmt::Display for TsneError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            TsneError::Perplexity { perplexity, points } => write!(
                f,
                "t-SNE: expected a perplexity from 1 to less than the number of points, {points}, found {perplexity} | \
                 set a smaller perplexity, such as {}",
                (points as f64 / 3.0).floor().clamp(1.0, 30.0)
            ),
            TsneError::NotFinite { row, column, found } => write!(
                f,
                "t-SNE, row {row}, column {column}: expected a finite number, found {found} | remove the row, or fill the value"
            ),
            TsneError::Points { points } => write!(
                f,
                "t-SNE: expected at most {MOST_POINTS} points, found {points} | every pair is computed: draw some of them"
            ),
        }
    }
}
impl std::error::Error for TsneError {}

const EXAGGERATED: usize = 250;
const EXAGGERATION: f64 = 12.0;
/// Steps between two looks at the divergence, and how many may pass without a smaller one.
const LOOK: usize = 50;
const PATIENCE: usize = 300;

impl Tsne {
    /// Places the rows of `x` in the plane, from normal random places of deviation 1e-4.
    ///
    /// # Errors
    /// If the perplexity is below 1 or not below the number of rows, if a number is not finite, or if there are more than 10,000 rows.
    pub fn fit(&self, x: ArrayView2<f64>, rng: &mut impl Rng) -> Result<TsnePicture, TsneError> {
        let n = x.nrows();
        if !(self.perplexity >= 1.0 && self.perplexity < n as f64) {
            return Err(TsneError::Perplexity { perplexity: self.perplexity, points: n });
        }
        if n > MOST_POINTS {
            return Err(TsneError::Points { points: n });
        }
        if let Some(((row, column), &found)) = x.indexed_iter().find(|(_, x)| !x.is_finite()) {
            return Err(TsneError::NotFinite { row, column, found });
        }
        let mut p = affinities(x, self.perplexity);
        let mut y: Vec<[f64; 2]> = (0..n)
            .map(|_| [(); 2].map(|()| 1e-4 * Distribution::<f64>::sample(&StandardNormal, rng)))
            .collect();
        let (mut update, mut gains) = (vec![[0.0f64; 2]; n], vec![[1.0f64; 2]; n]);
        let rate = (n as f64 / EXAGGERATION / 4.0).max(50.0);
        let mut room = Room { weights: vec![0.0; n * n], gradient: vec![[0.0; 2]; n] };
        p.iter_mut().for_each(|p| *p *= EXAGGERATION);
        let (mut least, mut least_at) = (f64::INFINITY, 0);
        for step in 0..self.iterations {
            if step == EXAGGERATED {
                p.iter_mut().for_each(|p| *p /= EXAGGERATION);
                update.fill([0.0; 2]);
                gains.fill([1.0; 2]);
                (least, least_at) = (f64::INFINITY, step);
            }
            let look = (step + 1) % LOOK == 0;
            let divergence = room.gradient(&p, &y, look);
            let momentum = if step < EXAGGERATED { 0.5 } else { 0.8 };
            let mut norm = 0.0;
            for ((y, g), (update, gains)) in
                y.iter_mut().zip(&room.gradient).zip(update.iter_mut().zip(&mut gains))
            {
                for k in 0..2 {
                    gains[k] =
                        if update[k] * g[k] < 0.0 { gains[k] + 0.2 } else { (gains[k] * 0.8).max(0.01) };
                    update[k] = momentum * update[k] - rate * gains[k] * g[k];
                    y[k] += update[k];
                    norm += (gains[k] * g[k]).powi(2);
                }
            }
            if look {
                if divergence < least {
                    (least, least_at) = (divergence, step);
                }
                if step >= EXAGGERATED && (norm.sqrt() < 1e-7 || step - least_at > PATIENCE) {
                    break;
                }
            }
        }
        if self.iterations <= EXAGGERATED {
            p.iter_mut().for_each(|p| *p /= EXAGGERATION);
        }
        let divergence = room.gradient(&p, &y, true);
        let places = Array2::from_shape_fn((n, 2), |(i, k)| y[i][k]);
        Ok(TsnePicture { places, divergence })
    }
}

/// P, `[n, n]` by rows.
fn affinities(x: ArrayView2<f64>, perplexity: f64) -> Vec<f64> {
    let n = x.nrows();
    let mut p = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..i {
            let squared: f64 = x.row(i).iter().zip(x.row(j)).map(|(a, b)| (a - b) * (a - b)).sum();
            (p[i * n + j], p[j * n + i]) = (squared, squared);
        }
    }
    for (i, row) in p.chunks_exact_mut(n).enumerate() {
        neighbors(row, i, perplexity.ln());
    }
    for i in 0..n {
        p[i * n + i] = 0.0;
        for j in 0..i {
            let both = (p[i * n + j] + p[j * n + i]) / (2.0 * n as f64);
            (p[i * n + j], p[j * n + i]) = (both, both);
        }
    }
    p
}

/// Squared distances from point i become the probabilities of its neighbors, whose entropy is `entropy`, by bisection of the precision.
fn neighbors(row: &mut [f64], i: usize, entropy: f64) {
    let nearest =
        row.iter().enumerate().filter(|(j, _)| *j != i).fold(f64::INFINITY, |least, (_, &d)| least.min(d));
    let weight =
        |j: usize, d: f64, precision: f64| if j == i { 0.0 } else { (-precision * (d - nearest)).exp() };
    let sums = |precision: f64| {
        row.iter().enumerate().fold((0.0, 0.0), |(total, mean), (j, &d)| {
            let w = weight(j, d, precision);
            (total + w, if w > 0.0 { mean + w * (d - nearest) } else { mean })
        })
    };
    let (mut low, mut high, mut precision) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..200 {
        let (total, mean) = sums(precision);
        let off = total.ln() + precision * mean / total - entropy;
        if off.abs() < 1e-10 {
            break;
        }
        if off > 0.0 {
            low = precision;
            precision = if high == f64::INFINITY { precision * 2.0 } else { (low + high) / 2.0 };
        } else {
            high = precision;
            precision = (low + high) / 2.0;
        }
        if !(precision > 0.0 && precision < f64::MAX) {
            break; // all neighbors are equally far, or on the point itself
        }
    }
    let (total, _) = sums(precision);
    for (j, d) in row.iter_mut().enumerate() {
        *d = weight(j, *d, precision) / total;
    }
}

struct Room {
    weights: Vec<f64>,
    gradient: Vec<[f64; 2]>,
}

impl Room {
    /// The gradient at places y, and the divergence if it is asked for.
    fn gradient(&mut self, p: &[f64], y: &[[f64; 2]], divergence: bool) -> f64 {
        let n = y.len();
        let mut total = 0.0;
        for (i, row) in self.weights.chunks_exact_mut(n).enumerate() {
            for (w, b) in row.iter_mut().zip(y) {
                let (dx, dy) = (y[i][0] - b[0], y[i][1] - b[1]);
                *w = 1.0 / (1.0 + dx * dx + dy * dy);
            }
            row[i] = 0.0;
            total += row.iter().sum::<f64>();
        }
        let mut kl = 0.0;
        let rows = self.weights.chunks_exact(n).zip(p.chunks_exact(n)).zip(y);
        for (((weights, p), a), gradient) in rows.zip(&mut self.gradient) {
            let mut sum = [0.0; 2];
            for ((&w, &p), b) in weights.iter().zip(p).zip(y) {
                let force = (p - w / total) * w;
                sum = [sum[0] + force * (a[0] - b[0]), sum[1] + force * (a[1] - b[1])];
            }
            *gradient = sum.map(|sum| 4.0 * sum);
            if divergence {
                let terms = weights.iter().zip(p).filter(|(_, p)| **p > 0.0);
                kl += terms.map(|(&w, &p)| p * (p / (w / total).max(f64::MIN_POSITIVE)).ln()).sum::<f64>();
            }
        }
        kl
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, Axis};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(7)
    }

    #[test]
    fn a_point_has_as_many_neighbors_as_the_perplexity_says() {
        let x = Array::from_shape_fn((40, 3), |(i, j)| ((i * 3 + j) as f64 * 1.7).sin());
        for perplexity in [2.0, 10.0, 30.0] {
            for i in 0..40 {
                let mut row: Vec<f64> = x
                    .outer_iter()
                    .map(|b| x.row(i).iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum())
                    .collect();
                neighbors(&mut row, i, f64::ln(perplexity));
                let entropy: f64 = row.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
                assert!(
                    (row.iter().sum::<f64>() - 1.0).abs() < 1e-12
                        && (entropy.exp() - perplexity).abs() < 1e-7
                );
            }
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_divergence() {
        let x = Array::from_shape_fn((12, 4), |(i, j)| ((i * 5 + j) as f64 * 0.9).cos());
        let p = affinities(x.view(), 4.0);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let mut y = Vec::from_iter((0..12).map(|i| [(i as f64).sin(), (i as f64 * 2.0).cos()]));
        let mut room = Room { weights: vec![0.0; 144], gradient: vec![[0.0; 2]; 12] };
        room.gradient(&p, &y, false);
        let found = room.gradient.clone();
        for i in 0..12 {
            for k in 0..2 {
                let mut at = |step: f64| {
                    y[i][k] += step;
                    let kl = room.gradient(&p, &y, true);
                    y[i][k] -= step;
                    kl
                };
                let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
                assert!((slope - found[i][k]).abs() < 1e-8, "{slope} {}", found[i][k]);
            }
        }
    }

    /// Divergences of scikit-learn 1.9.1 from eight random starts (`method="exact", init="random", learning_rate="auto"`), the least and the
    /// largest.
    #[test]
    fn it_comes_to_the_divergence_of_scikit_learn() {
        let cancer = crate::Dataset::breast_cancer().features;
        let cancer = crate::Standardize::fit(&cancer).unwrap().apply(&cancer).unwrap();
        let digits = crate::Dataset::digits().features / 16.0;
        let first = Vec::from_iter(0..150);
        let sets = [
            ("iris", crate::Dataset::iris().features, [0.1215, 0.1278]),
            ("breast_cancer", cancer.select(Axis(0), &first), [0.3774, 0.4274]),
            ("digits", digits.select(Axis(0), &first), [0.1901, 0.2254]),
        ];
        for (name, x, [least, largest]) in sets {
            let found = Tsne::default().fit(x.view(), &mut rng()).unwrap().divergence;
            assert!(found > 0.95 * least && found < 1.05 * largest, "{name}: {found}");
        }
    }

    #[test]
    fn points_that_are_equal_or_equally_far_have_places() {
        for x in [Array2::zeros((8, 2)), Array2::eye(8)] {
            let picture = Tsne { perplexity: 3.0, iterations: 300 }.fit(x.view(), &mut rng()).unwrap();
            assert!(picture.places.iter().all(|y| y.is_finite()) && picture.divergence.is_finite());
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let fit = |perplexity, x: Array2<f64>| {
            Tsne { perplexity, ..Tsne::default() }.fit(x.view(), &mut rng()).unwrap_err().to_string()
        };
        let mut broken = Array2::zeros((5, 2));
        broken[[3, 1]] = f64::NAN;
        expect_test::expect![[r#"
            t-SNE: expected a perplexity from 1 to less than the number of points, 30, found 30 | set a smaller perplexity, such as 10
            t-SNE: expected a perplexity from 1 to less than the number of points, 300, found NaN | set a smaller perplexity, such as 30
            t-SNE: expected a perplexity from 1 to less than the number of points, 0, found 0.5 | set a smaller perplexity, such as 1
            t-SNE, row 3, column 1: expected a finite number, found NaN | remove the row, or fill the value
            t-SNE: expected at most 10000 points, found 10001 | every pair is computed: draw some of them"#]].assert_eq(
            &[
                fit(30.0, Array2::zeros((30, 2))),
                fit(f64::NAN, Array2::zeros((300, 2))),
                fit(0.5, Array2::zeros((0, 2))),
                fit(2.0, broken),
                fit(2.0, Array2::zeros((10_001, 1))),
            ]
            .join("\n"),
        );
    }
}
