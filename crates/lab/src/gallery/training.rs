//! Training as experiments do it: any loss of any model, by batches, watched epoch by epoch.

use std::ops::ControlFlow;

use surprisal_data::argmax_rows;
use surprisal_layers::Rng;
use surprisal_optim::Optimizer;
use surprisal_tensor::ndarray::ArrayView2;
use surprisal_tensor::{Params, Scalar, Tape, Var};
use surprisal_train::{At, Callback, Epoch, Rows, TrainError, Trainer};

/// How long, and in which pieces.
#[derive(Clone, Copy, Debug)]
pub struct Training {
    /// Passes over the rows.
    pub epochs: usize,
    /// How many rows there are.
    pub rows: usize,
    /// How many of them make a step; all of them for descent on the whole batch, in their own order.
    pub batch: usize,
}

impl Training {
    /// Steps down the gradient of `loss`, which records the loss of the rows it is given. `each` sees the state after every epoch, 0
    /// being the start, and says whether to go on.
    ///
    /// Gives whether the loss stayed finite; if it did not, nothing more is done.
    ///
    /// # Panics
    /// If a batch is empty or larger than all rows, or the loss does not reach a parameter.
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

/// Asks after every epoch whether to go on.
struct Each<F>(F);

impl<T: Scalar, F: FnMut(usize, &Params<T>) -> bool> Callback<T> for Each<F> {
    fn on_epoch(&mut self, at: &At<T>, _: &Epoch) -> ControlFlow<()> {
        match (self.0)(at.epoch, at.params) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }
}

/// How many rows have their largest logit at the label; a single logit says 1 where it is above 0.
pub fn correct<T: Scalar>(logits: ArrayView2<T>, labels: &[usize]) -> usize {
    match logits.ncols() {
        1 => logits.iter().zip(labels).filter(|&(&z, &label)| usize::from(z > T::ZERO) == label).count(),
        _ => argmax_rows(&logits).iter().zip(labels).filter(|(said, label)| said == label).count(),
    }
}
