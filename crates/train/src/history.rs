//! The history of a training.

use serde::{Deserialize, Serialize};
use surprisal_report::csv::csv;

use crate::{Ended, Monitor};

/// The state after an epoch; epoch 0 is before training. Everything is measured on whole parts of the data, before the next update.
///
/// See the example of [`Trainer`](crate::Trainer).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Passes over the training data so far.
    pub epoch: usize,
    /// On the training data.
    pub train: Measured,
    /// On the validation data, if there is any.
    pub validation: Option<Measured>,
    /// The gradient norm of the training loss over all parameters, if it was requested.
    pub gradient_norm: Option<f64>,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// The monitored metric, [`Trainer::monitor`](crate::Trainer::monitor), on the validation data, or without these on the training data.
    pub monitored: f64,
}

/// Loss and score of a model on a part of the data.
///
/// Metrics of classification are `None` for regression, and vice versa. An `Option` is compared as it is:
///
/// ```
/// use surprisal_train::Measured;
/// let measured = Measured { loss: 0.1, accuracy: Some(0.97), r2: None };
/// assert!(measured.accuracy > Some(0.95) && measured.r2.is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The mean loss.
    pub loss: f64,
    /// The fraction of rows classified correctly, 0 to 1; for classification.
    pub accuracy: Option<f64>,
    /// R², the fraction of the variance that is explained, at most 1; for regression. NaN where it is not defined: for one row, and for outputs
    /// that are not finite.
    pub r2: Option<f64>,
}

impl Measured {
    /// Accuracy or R², whichever there is; NaN without either.
    pub fn score(&self) -> f64 {
        self.accuracy.or(self.r2).unwrap_or(f64::NAN)
    }
}

impl Epoch {
    /// The measurements on the validation data, or without these on the training data.
    pub fn held_out(&self) -> &Measured {
        self.validation.as_ref().unwrap_or(&self.train)
    }

    /// The column names of a table of epochs.
    pub const COLUMNS: [&'static str; 10] = [
        "epoch",
        "train_loss",
        "train_accuracy",
        "train_r2",
        "validation_loss",
        "validation_accuracy",
        "validation_r2",
        "gradient_norm",
        "learning_rate",
        "monitored",
    ];
    /// A row of that table.
    pub fn cells(&self) -> [Option<f64>; 10] {
        let Epoch { epoch, train, validation, gradient_norm, learning_rate, monitored } = *self;
        [
            Some(epoch as f64),
            Some(train.loss),
            train.accuracy,
            train.r2,
            validation.map(|validation| validation.loss),
            validation.and_then(|validation| validation.accuracy),
            validation.and_then(|validation| validation.r2),
            gradient_norm,
            Some(learning_rate),
            Some(monitored),
        ]
    }
}

/// The epochs of one training run, from 0 on; after [`fit`](crate::Fit::fit) there is at least that one.
///
/// ```
/// use surprisal_train::Trainer;
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Linear, rng};
/// # use surprisal_optim::Sgd;
/// # use surprisal_tensor::Params;
/// # let blobs = Dataset::blobs(60, 0.5, 2, 2, 5.0, &mut rng(1))?;
/// # let mut params = Params::<f64>::default();
/// # let model = Linear::new(&mut params, "out", 2, 1, &mut rng(2));
/// # let trainer = Trainer { epochs: 5, batch_size: 20, seed: 3, ..Trainer::default() };
/// let history = trainer.on(&blobs).fit(&model, &mut params, &mut Sgd::new(0.1))?;
/// assert_eq!((history.epochs()[0].epoch, history.last().epoch), (0, trainer.epochs)); // the start, and the end
/// assert_eq!(history.epochs_to(0.95), Some(1)); // 0.93 at the start, 1 after the first epoch
/// assert_eq!(history.to_csv().lines().count(), 1 + 6); // a header, and a line an epoch
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    epochs: Vec<Epoch>,
    #[serde(skip)]
    ended: Ended,
}

impl History {
    pub(crate) fn push(&mut self, epoch: Epoch) {
        self.epochs.push(epoch);
    }
    /// What files of earlier versions did not tell: whether numbers are predicted, and whether there is validation data.
    pub(crate) fn of(&mut self, numbers: bool, validated: bool) {
        for epoch in &mut self.epochs {
            epoch.validation.take_if(|_| !validated);
            for measured in [&mut epoch.train].into_iter().chain(&mut epoch.validation) {
                let score = measured.accuracy.or(measured.r2);
                (measured.accuracy, measured.r2) = if numbers { (None, score) } else { (score, None) };
            }
        }
    }
    pub(crate) fn with_end(self, ended: Ended) -> Self {
        History { ended, ..self }
    }
    /// Why the training ended; [`Ended::Interrupted`] while it is running, as in a [`Checkpoint`](crate::Checkpoint).
    pub fn ended(&self) -> Ended {
        self.ended
    }
    /// Every epoch, from 0 on.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }
    /// The state at the end.
    ///
    /// # Panics
    /// If nothing was measured.
    pub fn last(&self) -> &Epoch {
        self.epochs.last().expect("the start is measured before anything else")
    }
    /// The first epoch with at least this training accuracy, or R² for regression, if there is one.
    pub fn epochs_to(&self, score: f64) -> Option<usize> {
        self.epochs.iter().find(|e| e.train.score() >= score).map(|e| e.epoch)
    }
    /// The epoch with the best monitored metric, the first of several.
    pub fn best(&self, monitor: Monitor) -> usize {
        first_best(&monitor.smaller_is_better(self))
    }
    /// As CSV with a header; every number in as many digits as it takes to read it back,
    /// and empty where nothing was measured.
    pub fn to_csv(&self) -> String {
        csv(std::iter::once(Epoch::COLUMNS.map(String::from)).chain(self.rows()))
    }

    /// The rows of [`to_csv`](Self::to_csv), below its header.
    pub fn rows(&self) -> impl Iterator<Item = [String; Epoch::COLUMNS.len()]> {
        let cell = |cell: Option<f64>| cell.map_or(String::new(), |number| number.to_string());
        self.epochs.iter().map(move |epoch| epoch.cells().map(cell))
    }
}

/// The first of the smallest numbers; NaN is the largest.
pub(crate) fn first_best(monitored: &[f64]) -> usize {
    (0..monitored.len()).fold(0, |best, i| {
        let better = monitored[i] < monitored[best] || (monitored[best].is_nan() && !monitored[i].is_nan());
        if better { i } else { best }
    })
}

impl FromIterator<Epoch> for History {
    fn from_iter<I: IntoIterator<Item = Epoch>>(epochs: I) -> Self {
        History { epochs: epochs.into_iter().collect(), ended: Ended::default() }
    }
}
