//! Encoders of images of digits with few labels, and what their features are worth: for `features` and `joint-triplet`.

use std::path::PathBuf;

use surprisal_data::{Dataset, argmax_rows};
use surprisal_layers::rand::seq::SliceRandom;
use surprisal_layers::{
    Activation, Conv2d, Flatten, Layer, Linear, MaxPool2d, Mlp, Relu, Rng, Sizes, Unflatten, rng,
};
use surprisal_loss::softmax_cross_entropy;
use surprisal_optim::Adam;
use surprisal_tensor::ndarray::{Array2, Axis, Ix2};
use surprisal_tensor::{Params, Var, Workspace};
use surprisal_train::{TrainError, Trainer};

use crate::gallery::{Knob, Lab, LabError, Rows, Training, correct};

/// The number of features of an image.
pub(super) const FEATURES: usize = 64;
/// The number of classes.
pub(super) const DIGITS: usize = 10;

/// The settings that the experiments share.
pub(super) const DATA: Knob = Knob::word(
    "data",
    &["digits", "mnist"],
    "digits",
    "the images: digits of 8x8 pixels, or those of MNIST in the folder SURPRISAL_MNIST",
);
pub(super) const BATCH: Knob = Knob::count("batch", "128", "images in a step, at most; 20 or more");

/// Where the images are, digit by digit.
pub(super) struct Source {
    side: usize,
    largest: f64,
    /// Images for training and validation, and images for testing.
    parts: [Dataset; 2],
    /// Of each digit, for validation and testing.
    held_out: [usize; 2],
}

/// Training, validation and test images of one seed. Any ten consecutive training images from the first on are ten digits.
pub(super) struct Images {
    pub train: Rows<f32>,
    pub valid: Rows<f32>,
    pub test: Rows<f32>,
    side: usize,
}

/// Reads the images, and checks the numbers of labels.
pub(super) fn source(lab: &Lab) -> Result<Source, LabError> {
    let source = match lab.setting.word("data") {
        "digits" => {
            let digits = Dataset::digits();
            Source { side: 8, largest: 16.0, parts: [digits.clone(), digits], held_out: [20, 50] }
        }
        _ => {
            let Some(folder) = std::env::var_os("SURPRISAL_MNIST").map(PathBuf::from) else {
                let message = "MNIST is too large to include: set SURPRISAL_MNIST to the folder with its four IDX files, packed or not";
                return Err(LabError::Absent(message.into()));
            };
            Source { side: 28, largest: 255.0, parts: Dataset::mnist(folder)?.into(), held_out: [100, 400] }
        }
    };
    let most = DIGITS * source.rows_of_digits(&mut rng(0))[0].iter().map(Vec::len).min().unwrap_or(0);
    let wrong = |labels: &usize| *labels < 20 || !labels.is_multiple_of(DIGITS) || *labels > most;
    if let Some(labels) = lab.setting.counts("labels").iter().find(|labels| wrong(labels)) {
        return Err(LabError::Usage(format!(
            "labels: expected multiples of {DIGITS} from 20 to {most}, as many of each digit, found {labels}"
        )));
    }
    Ok(source)
}

/// Checks the batch size, for losses that compare images of a batch.
pub(super) fn check_batch(lab: &Lab) -> Result<(), LabError> {
    match lab.count("batch") {
        batch @ ..20 => Err(LabError::Usage(format!(
            "batch: expected 20 images or more, so that some are of the same digit, found {batch}"
        ))),
        _ => Ok(()),
    }
}

impl Source {
    /// The rows of each digit for training, for validation and for testing.
    fn rows_of_digits(&self, rng: &mut Rng) -> [Vec<Vec<usize>>; 3] {
        let [valid, test] = self.held_out;
        let [mut train, mut tests] = self.parts.each_ref().map(|part| {
            let of = |digit| Vec::from_iter((0..part.rows()).filter(|&row| part.labels()[row] == digit));
            let mut rows = Vec::from_iter((0..DIGITS).map(of));
            rows.iter_mut().for_each(|rows| rows.shuffle(rng));
            rows
        });
        if self.side == 8 {
            tests = train.iter_mut().map(|rows| rows.split_off(rows.len() - test)).collect(); // the same images
        }
        tests.iter_mut().for_each(|rows| rows.truncate(test));
        let valid = train.iter_mut().map(|rows| rows.split_off(rows.len() - valid)).collect();
        [train, valid, tests]
    }

    /// The number of test images.
    pub fn tests(&self) -> usize {
        DIGITS * self.held_out[1]
    }

    /// The images of a seed, at most `most` of them for training.
    pub fn images(&self, seed: u64, most: usize) -> Images {
        let [train, valid, test] = self.rows_of_digits(&mut rng(seed));
        let rows = |part: &Dataset, of: Vec<Vec<usize>>, count: usize| {
            let rows = Vec::from_iter((0..count).map(|row| of[row % DIGITS][row / DIGITS]));
            Rows::new(&part.select(&rows), self.largest)
        };
        let [seen, unseen] = &self.parts;
        let [valid_rows, test_rows] = self.held_out.map(|rows| DIGITS * rows);
        Images {
            train: rows(seen, train, most),
            valid: rows(seen, valid, valid_rows),
            test: rows(unseen, test, test_rows),
            side: self.side,
        }
    }
}

/// An encoder: pixels to features.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    /// Two linear layers.
    Dense,
    /// Two convolutions and a linear layer.
    Convolutional,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Dense => "dense",
            Kind::Convolutional => "convolutional",
        }
    }

    pub fn encoder(self, params: &mut Params, images: &Images, rng: &mut Rng) -> Box<dyn Layer + Sync> {
        let side = images.side;
        if self == Kind::Dense {
            let sizes = Sizes::new(&[side * side, 128, FEATURES]).expect("sizes are not 0");
            return Box::new(Mlp::new(params, &sizes, Activation::Relu, rng));
        }
        let (kernel, padding, after) = if side == 8 { (3, 1, 2) } else { (5, 0, 4) };
        let mut conv = |name, channels| Conv2d::new(params, name, channels, kernel, rng).padding(padding);
        let (first, second) = (conv("conv1", [1, 8]), conv("conv2", [8, 16]));
        Box::new((
            Unflatten::new([1, side, side]),
            (first, Relu, MaxPool2d::new([2, 2])),
            (second, Relu, MaxPool2d::new([2, 2])),
            (Flatten, Linear::new(params, "features", 16 * after * after, FEATURES, rng)),
        ))
    }
}

/// Minimizes a loss of the features and labels of batches of the first `labels` images, for the setting `steps`, by Adam. Batches are as large
/// as the setting `batch` allows, and equally large.
pub(super) fn train(
    lab: &Lab,
    params: &mut Params,
    encoder: &dyn Layer,
    (images, labels): (&Rows<f32>, usize),
    rate: f64,
    order: &mut Rng,
    loss: impl for<'t> Fn(Var<'t>, &[usize]) -> Var<'t>,
) {
    let batch_size = labels / labels.div_ceil(lab.count("batch"));
    let trainer = Trainer {
        epochs: lab.count("steps").div_ceil(labels / batch_size),
        batch_size,
        drop_last: true,
        measure_train: false,
        ..Trainer::default()
    };
    let rows = surprisal_train::Rows(labels);
    let trained = trainer.on(&rows).order(order).minimize(
        |batch| {
            let of_batch = Vec::from_iter(batch.rows.iter().map(|&row| images.labels[row]));
            loss(encoder.forward(batch.tape().rows(&images.x, batch.rows)), &of_batch)
        },
        params,
        &mut Adam::new(rate),
    );
    match trained {
        Ok(_) | Err(TrainError::NotFinite { .. }) => {} // ends with the last finite parameters
        Err(error) => panic!("{error}"),
    }
}

/// Returns the features of images, each brought to length 1.
pub(super) fn unit_features(params: &Params, encoder: &dyn Layer, images: &Rows<f32>) -> Array2<f32> {
    let raw = Workspace::new().eval(params, |tape| encoder.forward(tape.shared(&images.x)));
    let mut features = raw.into_dimensionality::<Ix2>().expect("features are [rows, 64]");
    for mut row in features.rows_mut() {
        let norm = row.dot(&row).sqrt().max(f32::MIN_POSITIVE);
        row /= norm;
    }
    features
}

/// Trains a linear layer on features, for `steps` steps on all rows, and returns its accuracies on others.
pub(super) fn probe<const N: usize>(
    (train, labels): (&Array2<f32>, &[usize]),
    steps: usize,
    others: [(&Array2<f32>, &[usize]); N],
    rng: &mut Rng,
) -> [f64; N] {
    let mut params = Params::new();
    let probe = Linear::new(&mut params, "probe", train.ncols(), DIGITS, rng);
    Training { epochs: steps, rows: train.nrows(), batch: train.nrows() }.run(
        &mut params,
        &mut Adam::new(0.05),
        rng,
        |tape, _| softmax_cross_entropy(probe.forward(tape.input(train)), labels),
        |_, _| true,
    );
    others.map(|(features, labels)| {
        let logits = Workspace::new().eval(&params, |tape| probe.forward(tape.input(features)));
        let logits = logits.into_dimensionality::<Ix2>().expect("logits are [rows, 10]");
        correct(logits.view(), labels) as f64 / labels.len() as f64
    })
}

/// The accuracy of the label of the nearest training image, for features of length 1.
pub(super) fn nearest(
    (train, known): (&Array2<f32>, &[usize]),
    (features, labels): (&Array2<f32>, &[usize]),
) -> f64 {
    let cosines = features.dot(&train.t());
    let right =
        argmax_rows(&cosines).iter().zip(labels).filter(|&(&row, &label)| known[row] == label).count();
    right as f64 / labels.len() as f64
}

/// The mean squared distance of class means from the common mean, divided by that of rows from the mean of their class.
pub(super) fn separation(features: &Array2<f64>, labels: &[usize]) -> f64 {
    let all = features.mean_axis(Axis(0)).expect("there are rows");
    let (mut between, mut within) = (0.0, 0.0);
    for digit in 0..DIGITS {
        let rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == digit).collect();
        let of_digit = features.select(Axis(0), &rows);
        let Some(mean) = of_digit.mean_axis(Axis(0)) else { continue };
        between += rows.len() as f64 * (&mean - &all).mapv(|x| x * x).sum();
        within += (&of_digit - &mean).mapv(|x| x * x).sum();
    }
    between / within
}
