//! What was measured.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::Watch;

/// The state after so many epochs; epoch 0 is the start. All measured on the whole of the data, before the next update.
///
/// See the example of [`Trainer::fit`](crate::Trainer::fit).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Passes over the training data so far.
    pub epoch: usize,
    /// The mean loss over the training data.
    pub loss: f64,
    /// The share of training rows classified correctly, 0 to 1; where numbers are predicted, R².
    pub train_accuracy: f64,
    /// The share of test rows classified correctly, 0 to 1; where numbers are predicted, R².
    pub test_accuracy: f64,
    /// The Euclidean length of the gradient of `loss` over all parameters, if it was asked for.
    pub gradient_norm: Option<f64>,
    /// The mean loss over the test data.
    pub test_loss: f64,
    /// The learning rate of the last step.
    pub learning_rate: f64,
    /// What [`Trainer::watch`](crate::Trainer::watch) says, on the test data.
    pub watched: f64,
}

impl Epoch {
    /// What the columns of a table of epochs are called.
    pub const COLUMNS: [&'static str; 8] = [
        "epoch",
        "loss",
        "train_accuracy",
        "test_accuracy",
        "gradient_norm",
        "test_loss",
        "learning_rate",
        "watched",
    ];
    /// A row of that table.
    pub fn cells(&self) -> [Option<f64>; 8] {
        let Epoch {
            epoch,
            loss,
            train_accuracy,
            test_accuracy,
            gradient_norm,
            test_loss,
            learning_rate,
            watched,
        } = *self;
        let [loss, train, test, rest @ ..] =
            [loss, train_accuracy, test_accuracy, test_loss, learning_rate, watched].map(Some);
        [Some(epoch as f64), loss, train, test, gradient_norm, rest[0], rest[1], rest[2]]
    }
}

/// The epochs of one training run, from 0 on; after [`fit`](crate::Trainer::fit) there is at least that one.
///
/// ```
/// use surprisal_train::Trainer;
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Linear, rng};
/// # use surprisal_optim::Sgd;
/// # use surprisal_tensor::Params;
/// # use surprisal_train::Examples;
/// # let blobs = Examples::<f64>::new(&Dataset::blobs(60, 0.5, 2, 2, 5.0, &mut rng(1))?);
/// # let mut params = Params::new();
/// # let model = Linear::new(&mut params, "out", 2, 1, &mut rng(2));
/// # let trainer = Trainer { epochs: 5, batch_size: 20, seed: 3, ..Trainer::default() };
/// let history = trainer.fit(&model, &mut params, &mut Sgd::new(0.1), &blobs, &blobs, |_| ())?;
/// assert_eq!((history.epochs()[0].epoch, history.last().epoch), (0, trainer.epochs)); // the start, and the end
/// assert_eq!(history.epochs_to(0.95), Some(1)); // 0.93 at the start, 1 after the first epoch
/// assert_eq!(history.to_csv().lines().count(), 1 + 6); // a header, and a line an epoch
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    epochs: Vec<Epoch>,
}

impl History {
    pub(crate) fn push(&mut self, epoch: Epoch) {
        self.epochs.push(epoch);
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
    /// The first epoch with at least this training accuracy, if it came to that.
    pub fn epochs_to(&self, train_accuracy: f64) -> Option<usize> {
        self.epochs.iter().find(|e| e.train_accuracy >= train_accuracy).map(|e| e.epoch)
    }
    /// The epoch at which what was watched was best, the first of several.
    pub fn best(&self, watch: Watch) -> usize {
        let watched = watch.smaller_is_better(self);
        (0..watched.len()).fold(0, |best, i| {
            let better = watched[i] < watched[best] || (watched[best].is_nan() && !watched[i].is_nan());
            if better { i } else { best }
        })
    }
    /// As CSV with a header; every number in as many digits as it takes to read it back,
    /// and empty where nothing was measured.
    pub fn to_csv(&self) -> String {
        let mut csv = format!("{}\n", Epoch::COLUMNS.join(","));
        for epoch in &self.epochs {
            let cells = epoch.cells().map(|cell| cell.map_or(String::new(), |number| number.to_string()));
            let _ = writeln!(csv, "{}", cells.join(",")); // into a String
        }
        csv
    }
}

impl FromIterator<Epoch> for History {
    fn from_iter<I: IntoIterator<Item = Epoch>>(epochs: I) -> Self {
        History { epochs: epochs.into_iter().collect() }
    }
}
