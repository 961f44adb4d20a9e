//! The data: a ring of Gaussians, whose density is known.

use std::f64::consts::TAU;

use rand_distr::{Distribution, StandardNormal, Uniform};
use surprisal_data::rgb_to_png;
use surprisal_layers::Rng;
use surprisal_tensor::Var;
use surprisal_tensor::ndarray::Array2;

use super::data::Data;

/// The number of Gaussians.
const MODES: usize = 8;
/// The distance of their centers from the origin.
const RADIUS: f64 = 2.0;
/// Their standard deviation.
const DEVIATION: f64 = 0.1;
/// A sample this near to a center is good.
const NEAR: f64 = 0.4;

/// Gaussians of equal weight on a circle.
#[derive(Clone, Copy)]
pub(super) struct Ring {
    deviation: f64,
    centers: [[f64; 2]; MODES],
}

impl Ring {
    /// The ring whose points are moved by normal noise of this standard deviation.
    pub(super) fn blurred(by: f64) -> Ring {
        Ring { deviation: DEVIATION.hypot(by), centers: centers() }
    }

    /// The logarithm of the density at a point.
    pub(super) fn log_density(self, point: [f64; 2]) -> f64 {
        let variance = self.deviation * self.deviation;
        let exponents: [f64; MODES] =
            self.centers.map(|center| -squared_distance(point, center) / (2.0 * variance));
        let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = exponents.iter().map(|e| (e - largest).exp()).sum();
        largest + sum.ln() - (TAU * variance * MODES as f64).ln()
    }
}

impl Data for Ring {
    fn noise(&self) -> usize {
        2
    }
    fn modes(&self) -> usize {
        MODES
    }
    fn features(&self) -> usize {
        2
    }
    fn draw(&self, rows: usize, rng: &mut Rng) -> Array2<f32> {
        let modes = Uniform::new(0, MODES).expect("there are modes");
        let mut points = Array2::zeros((rows, 2));
        for mut point in points.rows_mut() {
            let center = self.centers[modes.sample(rng)];
            for (x, center) in point.iter_mut().zip(center) {
                let noise: f64 = StandardNormal.sample(rng);
                *x = (center + self.deviation * noise) as f32;
            }
        }
        points
    }
    fn samples<'t>(&self, outputs: Var<'t>) -> Var<'t> {
        outputs
    }
    fn good(&self, samples: &Array2<f32>) -> Vec<usize> {
        let mut good = vec![0; MODES];
        for sample in samples.rows() {
            let point = [sample[0], sample[1]].map(f64::from);
            let near = |center: &[f64; 2]| squared_distance(point, *center) < NEAR * NEAR;
            if let Some(mode) = self.centers.iter().position(near) {
                good[mode] += 1;
            }
        }
        good
    }

    /// The plane from -3 to 3: points dark, good places light.
    fn sheet(&self, points: &[Vec<f64>]) -> ([usize; 2], Vec<u8>) {
        const SIDE: usize = 72;
        const HALF: f64 = 3.0;
        let place = |pixel: usize| HALF * (2.0 * (pixel as f64 + 0.5) / SIDE as f64 - 1.0);
        let near = |i: usize| {
            let point = [place(i % SIDE), -place(i / SIDE)];
            self.centers.iter().any(|center| squared_distance(point, *center) < NEAR * NEAR)
        };
        let mut colors: Vec<[u8; 3]> =
            (0..SIDE * SIDE).map(|i| if near(i) { [255, 214, 170] } else { [255; 3] }).collect();
        let pixel = |x: f64| (SIDE as f64 * (x / HALF + 1.0) / 2.0).floor();
        for point in points {
            let (column, row) = (pixel(point[0]), pixel(-point[1]));
            let inside = |pixel: f64| (0.0..SIDE as f64).contains(&pixel);
            if inside(column) && inside(row) {
                colors[row as usize * SIDE + column as usize] = [0, 60, 130];
            }
        }
        ([SIDE; 2], rgb_to_png([SIDE; 2], colors.as_flattened()))
    }
}

/// The centers of the Gaussians.
fn centers() -> [[f64; 2]; MODES] {
    std::array::from_fn(|mode| {
        let angle = TAU * mode as f64 / MODES as f64;
        [RADIUS * angle.cos(), RADIUS * angle.sin()]
    })
}

fn squared_distance([x, y]: [f64; 2], [a, b]: [f64; 2]) -> f64 {
    (x - a) * (x - a) + (y - b) * (y - b)
}

/// The Jensen-Shannon divergence, ½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2, summed over a grid.
///
/// Its step is half of the smallest standard deviation, so that the sum over a smooth density is exact to many digits.
pub(super) fn jensen_shannon(p: Ring, q: Ring) -> f64 {
    let step = DEVIATION / 2.0;
    let half = ((RADIUS + 6.0 * p.deviation.max(q.deviation)) / step).ceil() as i32;
    let mut sum = 0.0;
    for i in -half..=half {
        for j in -half..=half {
            let point = [step * f64::from(i), step * f64::from(j)];
            let [p, q] = [p, q].map(|ring| ring.log_density(point).exp());
            let m = (p + q) / 2.0;
            sum += [p, q].iter().filter(|&&a| a > 0.0).map(|a| a * (a / m).ln()).sum::<f64>();
        }
    }
    sum / 2.0 * step * step
}

#[cfg(test)]
mod tests {
    use super::super::data::quality;
    use super::*;
    use surprisal_layers::rng;

    #[test]
    fn the_density_is_one_in_total_and_the_divergence_has_its_limits() {
        let ring = Ring::blurred(0.3);
        let cells = (-100..100).flat_map(|i| (-100..100).map(move |j| [i, j].map(|k| 0.05 * f64::from(k))));
        let total: f64 = cells.map(|point| ring.log_density(point).exp() * 0.05 * 0.05).sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
        assert_eq!(jensen_shannon(ring, ring), 0.0);
        let far = jensen_shannon(Ring::blurred(0.0), Ring::blurred(5.0));
        assert!(far > 0.6 && far < 2f64.ln(), "{far}");
    }

    #[test]
    fn quality_counts_modes_and_good_samples() {
        let ring = Ring::blurred(0.0);
        assert_eq!(quality(&ring, &ring.draw(1000, &mut rng(1)))[0], 8.0);
        let mut samples = Array2::from_elem((200, 2), 0.0); // the origin is far from all
        samples.column_mut(0).iter_mut().take(100).for_each(|x| *x = 2.0);
        samples[[150, 1]] = 2.0; // too few for a mode, but good
        assert_eq!(quality(&ring, &samples), [1.0, 101.0 / 200.0]);
    }
}
