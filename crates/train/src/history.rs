//! What was measured.

use std::fmt::Write;

/// The state after so many epochs; epoch 0 is the start. All measured on the whole of the data, before the next update.
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
