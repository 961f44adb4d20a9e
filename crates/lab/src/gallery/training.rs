//! Training in experiments: any loss of any model, in batches, with a callback after every epoch.

use std::ops::ControlFlow;

use surprisal_data::argmax_rows;
use surprisal_layers::Rng;
use surprisal_optim::Optimizer;
use surprisal_tensor::ndarray::ArrayView2;
use surprisal_tensor::{Params, Scalar, Tape, Var};
use surprisal_train::{At, Callback, Epoch, Rows, TrainError, Trainer};

/// The number of epochs and the batch size.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// Passes over the rows.
    pub epochs: usize,
    /// The number of rows.
    pub rows: usize,
    /// The number of rows in a step. If it is the number of all rows, they keep their order.
    pub batch: usize,
}

impl Training {
    /// Minimizes `loss`, which records the loss of the given rows. `each` gets the parameters after every epoch, where epoch 0 is before training,
    /// and returns whether to continue.
    ///
    /// Returns whether the loss stayed finite; if not, training ends there.
    ///
    /// # Panics
    /// If a batch is empty or has more than all rows, or the loss does not depend on a parameter.
    #[track_caller]
    pub fn run<T: Scalar>(
        self,
        params: &mut Params<T>,
        optimizer: &mut impl Optimizer<T>,
        order: &mut Rng,
        loss: impl for<'t> Fn(&'t Tape<'t>, &[usize]) -> Var<'t>,
        each: impl FnMut(usize, &Params<T>) -> bool,
    ) -> bool {
        let trainer = Trainer {
            epochs: self.epochs,
            batch_size: self.batch,
            measure_train: false,
            ..Trainer::default()
        };
        let (rows, mut each) = (Rows(self.rows), Each(each));
        let training = trainer.on(&rows).order(order).callback(&mut each);
        match training.minimize(|batch| loss(batch.tape(), batch.rows), params, optimizer) {
            Ok(_) => true,
            Err(TrainError::NotFinite { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Calls a function after every epoch.
struct Each<F>(F);

impl<T: Scalar, F: FnMut(usize, &Params<T>) -> bool> Callback<T> for Each<F> {
    fn on_epoch(&mut self, at: &At<T>, _: &Epoch) -> ControlFlow<()> {
        match (self.0)(at.epoch, at.params) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }
}

/// Returns the number of rows with the largest logit at the label; a single logit predicts class 1 where it is above 0.
pub fn correct<T: Scalar>(logits: ArrayView2<T>, labels: &[usize]) -> usize {
    match logits.ncols() {
        1 => logits.iter().zip(labels).filter(|&(&z, &label)| usize::from(z > T::ZERO) == label).count(),
        _ => argmax_rows(&logits).iter().zip(labels).filter(|(class, label)| class == label).count(),
    }
}
