//! What a generator has to imitate.

use surprisal_layers::Rng;
use surprisal_tensor::Var;
use surprisal_tensor::ndarray::Array2;

/// A mode with this fraction of the samples is covered.
const COVERED: f64 = 0.01;

/// Real points, and a measure of samples: a sample is good if it is near to one of the modes.
pub(super) trait Data: Sync {
    /// How many random numbers a sample is made of.
    fn noise(&self) -> usize;
    /// How many modes the real points have.
    fn modes(&self) -> usize;
    /// How many numbers a point has.
    fn features(&self) -> usize;
    /// Draws real points, `[rows, features]`.
    fn draw(&self, rows: usize, rng: &mut Rng) -> Array2<f32>;
    /// The samples, from the outputs of the generator's last layer.
    fn samples<'t>(&self, outputs: Var<'t>) -> Var<'t>;
    /// The number of good samples of each mode.
    fn good(&self, samples: &Array2<f32>) -> Vec<usize>;
    /// An image of points: its height and width, and the bytes of a PNG file.
    fn sheet(&self, points: &[Vec<f64>]) -> ([usize; 2], Vec<u8>);
}

/// The number of covered modes, and the fraction of good samples.
pub(super) fn quality(data: &dyn Data, samples: &Array2<f32>) -> [f64; 2] {
    let good = data.good(samples);
    let share = |n: usize| n as f64 / samples.nrows() as f64;
    let covered = good.iter().filter(|&&n| share(n) >= COVERED).count();
    [covered as f64, share(good.iter().sum())]
}
