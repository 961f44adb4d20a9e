//! What was measured.

use std::fmt::Write;

/// The state after so many epochs; epoch 0 is the start. All measured on the whole of the data, before the next update.
///
/// See the example of [`Trainer::fit`](crate::Trainer::fit).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epoch {
    /// Passes over the training data so far.
    pub epoch: usize,
    /// The mean loss over the training data.
    pub loss: f64,
    /// The share of training rows classified correctly, 0 to 1.
    pub train_accuracy: f64,
    /// The share of test rows classified correctly, 0 to 1.
    pub test_accuracy: f64,
    /// The Euclidean length of the gradient of `loss` over all parameters, if it was asked for.
    pub gradient_norm: Option<f64>,
}

/// The epochs of one training run, from 0 on.
///
/// ```
/// use surprisal_train::{Objective, Trainer};
/// # use surprisal_data::Dataset;
/// # use surprisal_layers::{Linear, rng};
/// # use surprisal_optim::Sgd;
/// # use surprisal_tensor::Params;
/// # use surprisal_train::Examples;
/// # let blobs = Examples::<f64>::new(&Dataset::blobs(60, 0.5, 2, 2, 5.0, &mut rng(1))?);
/// # let mut params = Params::new();
/// # let model = Linear::new(&mut params, "out", 2, 1, &mut rng(2));
/// # let trainer = Trainer { objective: Objective::CrossEntropy, epochs: 5, batch_size: 20, seed: 3, measure_gradient: false };
/// let history = trainer.fit(&model, &mut params, &mut Sgd::new(0.1), &blobs, &blobs, |_| ())?;
/// assert_eq!((history.epochs()[0].epoch, history.last().epoch), (0, trainer.epochs)); // the start, and the end
/// assert_eq!(history.epochs_to(0.95), Some(1)); // 0.93 at the start, 1 after the first epoch
/// assert_eq!(history.to_csv().lines().count(), 1 + 6); // a header, and a line an epoch
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    epochs: Vec<Epoch>,
}

impl History {
    pub(crate) fn new(start: Epoch) -> Self {
        History { epochs: vec![start] }
    }
    pub(crate) fn push(&mut self, epoch: Epoch) {
        self.epochs.push(epoch);
    }
    /// Every epoch, from 0 on.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }
    /// The state at the end.
    pub fn last(&self) -> &Epoch {
        &self.epochs[self.epochs.len() - 1] // there is always a start
    }
    /// The first epoch with at least this training accuracy, if it came to that.
    pub fn epochs_to(&self, train_accuracy: f64) -> Option<usize> {
        self.epochs.iter().find(|e| e.train_accuracy >= train_accuracy).map(|e| e.epoch)
    }
    /// As CSV with a header; every number in as many digits as it takes to read it back,
    /// and empty where nothing was measured.
    pub fn to_csv(&self) -> String {
        let mut csv = String::from("epoch,loss,train_accuracy,test_accuracy,gradient_norm\n");
        for e in &self.epochs {
            let Epoch { epoch, loss, train_accuracy, test_accuracy, gradient_norm } = e;
            let norm = gradient_norm.map_or(String::new(), |norm| norm.to_string());
            let _ = writeln!(csv, "{epoch},{loss},{train_accuracy},{test_accuracy},{norm}"); // into a String
        }
        csv
    }
}
