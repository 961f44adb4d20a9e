//! Segmentation in experiments: images with masks of two classes, a U-Net, and metrics over all pixels.

use surprisal_data::metrics::{average_precision_score, overlap};
use surprisal_data::{Dataset, gray_to_png, rgb_to_png};
use surprisal_layers::{Layer, UNet, UNetOptions, rng};
use surprisal_optim::Adam;
use surprisal_tensor::ndarray::{ArrayD, Axis, Slice};
use surprisal_tensor::{Params, Scalar, Tape, Var, Workspace};

use super::{Lab, LabError, Training};

/// Images and the class of every pixel, 0 for the background and 1 for the foreground.
#[derive(Clone, Debug)]
pub struct Masks {
    images: ArrayD<f32>,  // [images, 1, height, width]
    targets: ArrayD<f32>, // the same shape
    labels: Vec<usize>,   // by pixels
}

/// The images that a net sees at once where it is evaluated: more need more memory.
const CHUNK: usize = 16;
/// Colors of a prediction: found, found where nothing is, missed. Color-blind readers can tell them apart.
const FOUND: [u8; 3] = [255, 255, 255];
const WRONG: [u8; 3] = [230, 130, 0];
const MISSED: [u8; 3] = [60, 150, 255];

impl Masks {
    /// Draws images of [`cells`](Dataset::cells): as many as the setting `key` says, with the settings `noise` and `side`.
    ///
    /// # Errors
    /// If a setting is out of its range, or no image has a foreground.
    pub fn cells(lab: &Lab, key: &str, seed: u64) -> Result<Masks, LabError> {
        let (n, side) = (lab.count(key), lab.count("side"));
        let data = Dataset::cells(n, lab.number("noise"), side, seed)
            .map_err(|error| LabError::Usage(format!("{key}: {error}")))?;
        let labels: Vec<usize> = match &data.targets {
            surprisal_data::Targets::Masks { masks, .. } => masks.iter().map(|&c| usize::from(c)).collect(),
            _ => unreachable!("cells have masks"),
        };
        if !labels.contains(&1) {
            return Err(LabError::Usage(format!(
                "{key}: none of the {n} images drawn with seed {seed} has a disc, without which Dice and average precision mean nothing | \
                 draw more images"
            )));
        }
        let shape = vec![n, 1, side, side];
        let targets =
            ArrayD::from_shape_fn(shape.clone(), |at| labels[(at[0] * side + at[2]) * side + at[3]] as f32);
        let images = data.features.mapv(|x| x as f32).into_shape_with_order(shape).expect("square images");
        Ok(Masks { images, targets, labels })
    }

    /// Returns some of the images.
    pub fn select(&self, rows: &[usize]) -> Masks {
        let of = |all: &ArrayD<f32>| all.select(Axis(0), rows);
        let labels = rows.iter().flat_map(|&row| self.labels_of(row).to_vec()).collect();
        Masks { images: of(&self.images), targets: of(&self.targets), labels }
    }

    /// Returns the number of images.
    pub fn rows(&self) -> usize {
        self.images.len_of(Axis(0))
    }

    /// Returns the number of pixels of an image.
    pub fn pixels(&self) -> usize {
        self.labels.len() / self.rows()
    }

    /// Returns the class of every pixel of all images.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Returns the class of every pixel of an image.
    pub fn labels_of(&self, row: usize) -> &[usize] {
        &self.labels[row * self.pixels()..][..self.pixels()]
    }

    /// Returns the height and width of the images.
    pub fn size(&self) -> [usize; 2] {
        [self.images.shape()[2], self.images.shape()[3]]
    }

    fn batch<'t>(&self, tape: &'t Tape<'t>, rows: &[usize]) -> [Var<'t>; 2] {
        [tape.rows(&self.images, rows), tape.rows(&self.targets, rows)]
    }

    /// Returns the probability of the foreground of every pixel. An overflow counts as 0, so that it finds nothing.
    pub fn probabilities(
        &self,
        workspace: &mut Workspace<f32>,
        params: &Params<f32>,
        net: &impl Layer,
    ) -> Vec<f64> {
        let mut probabilities = Vec::with_capacity(self.labels.len());
        for start in (0..self.rows()).step_by(CHUNK) {
            let rows = Slice::from(start..self.rows().min(start + CHUNK));
            let images = self.images.slice_axis(Axis(0), rows);
            let logits = workspace.eval(params, |tape| net.forward(tape.input(&images)));
            let probability = |&z: &f32| if z.is_finite() { f64::from(z.sigmoid()) } else { 0.0 };
            probabilities.extend(logits.iter().map(probability));
        }
        probabilities
    }

    /// Trains a U-Net with the settings `levels`, `width`, `rate` of Adam, `epochs` and `batch`, on these images, from the initial parameters and in the order of a seed.
    /// `loss` takes logits and targets of the same shape. `each` gets a function from images to probabilities after every epoch.
    pub fn train(
        &self,
        lab: &Lab,
        rate: f64,
        epochs: usize,
        seed: u64,
        loss: impl for<'t> Fn(Var<'t>, Var<'t>) -> Var<'t>,
        mut each: impl FnMut(usize, &mut dyn FnMut(&Masks) -> Vec<f64>),
    ) {
        let (mut params, mut rng, mut workspace) = (Params::new(), rng(seed), Workspace::new());
        let net = UNet::new(&mut params, "unet", [1, 1], options(lab), &mut rng);
        let training = Training { epochs, rows: self.rows(), batch: lab.count("batch").min(self.rows()) };
        let mut done = 0;
        training.run(
            &mut params,
            &mut Adam::new(rate),
            &mut rng,
            |tape, rows| {
                let [images, targets] = self.batch(tape, rows);
                loss(net.forward(images), targets)
            },
            |epoch, params| {
                each(epoch, &mut |masks| masks.probabilities(&mut workspace, params, &net));
                done = epoch;
                true
            },
        );
        for epoch in done + 1..=epochs {
            // where the loss overflowed
            each(epoch, &mut |masks| masks.probabilities(&mut workspace, &params, &net));
        }
    }

    /// Returns an image as PNG files: the image itself, its mask, the probability (black for 0, white for 1), and the prediction from a threshold on, over the
    /// darkened image: white where it is right, orange where nothing is, blue where it misses something.
    pub fn pictures(&self, row: usize, probabilities: &[f64], threshold: f64) -> [Vec<u8>; 4] {
        let (image, labels) = (self.images.index_axis(Axis(0), row), self.labels_of(row));
        let size = self.size();
        let low = image.iter().copied().fold(f32::INFINITY, f32::min);
        let high = image.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let gray = |x: &f32| (255.0 * (x - low) / (high - low).max(f32::MIN_POSITIVE)).round() as u8;
        let grays = Vec::from_iter(image.iter().map(gray));
        let mask = Vec::from_iter(labels.iter().map(|&class| 255 * class as u8));
        let shades = Vec::from_iter(probabilities.iter().map(|p| (255.0 * p).round() as u8));
        let colors = grays.iter().zip(labels).zip(probabilities).flat_map(|((gray, &label), &p)| {
            match (label, p >= threshold) {
                (0, false) => [gray / 2; 3],
                (0, true) => WRONG,
                (_, true) => FOUND,
                (_, false) => MISSED,
            }
        });
        let prediction = rgb_to_png(size, &Vec::from_iter(colors));
        [gray_to_png(size, &grays), gray_to_png(size, &mask), gray_to_png(size, &shades), prediction]
    }
}

/// The settings of the net.
fn options(lab: &Lab) -> UNetOptions {
    UNetOptions { levels: lab.count("levels"), width: lab.count("width"), ..UNetOptions::default() }
}

/// Checks that the net takes the images.
///
/// # Errors
/// If not.
pub fn check_net(lab: &Lab) -> Result<(), LabError> {
    options(lab)
        .check([lab.count("side"); 2])
        .map_err(|(problem, advice)| LabError::Usage(format!("levels, width and side: {problem} | {advice}")))
}

/// Returns Dice of predicting the foreground from a probability on, `2 tp / (2 tp + fp + fn)`, over all these pixels together: 1 where
/// there is nothing and nothing is predicted.
pub fn dice(labels: &[usize], probabilities: &[f64], threshold: f64) -> f64 {
    let predicted: Vec<usize> = probabilities.iter().map(|&p| usize::from(p >= threshold)).collect();
    overlap(labels, &predicted, 2).expect("a class for each pixel")[1].dice
}

/// Returns the average precision of these probabilities; there must be some foreground.
pub fn average_precision(labels: &[usize], probabilities: &[f64]) -> f64 {
    average_precision_score(labels, probabilities).expect("finite probabilities and some foreground")
}

#[cfg(test)]
mod tests {
    use super::dice;

    #[test]
    fn dice_of_empty_masks_is_defined() {
        for (labels, expected) in [([0, 0, 0], [1.0, 0.0]), ([0, 1, 1], [0.0, 0.8])] {
            let found = [[0.1, 0.2, 0.3], [0.6, 0.5, 0.9]].map(|p| dice(&labels, &p, 0.5));
            assert_eq!(found, expected, "{labels:?}");
        }
    }
}
