//! [`Scheduler`]: a schedule in a loop of one's own.

use surprisal_tensor::Scalar;

use crate::{At, OptimError, Optimizer, Schedule};

/// A [`Schedule`] that counts steps and epochs: for a loop of one's own. A [`Schedule`] alone is a function of the position in training.
///
/// ```
/// use surprisal_optim::{Optimizer, Schedule, Scheduler, Sgd};
/// let mut sgd = Sgd::<f32>::new(0.8);
/// let mut scheduler = Scheduler::new(Schedule::Step { every: 1, factor: 0.5 }, 0.8, 3, 2)?; // 3 epochs of 2 steps
/// let mut rates = Vec::new();
/// for _epoch in 0..3 {
///     for _batch in 0..2 {
///         scheduler.next(&mut sgd); // before the step that it is for
///         rates.push(sgd.learning_rate());
///     }
/// }
/// assert_eq!(rates, [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]);
/// # Ok::<(), surprisal_optim::OptimError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scheduler {
    schedule: Schedule,
    base: f64,
    at: At,
    monitored: Vec<f64>,
}

impl Scheduler {
    /// For a training of `epochs` times `steps_per_epoch` steps that begins with the learning rate `base`.
    ///
    /// # Errors
    /// If a number of the schedule is out of its range, or its warm-up is as long as training.
    pub fn new(
        schedule: Schedule,
        base: f64,
        epochs: usize,
        steps_per_epoch: usize,
    ) -> Result<Scheduler, OptimError> {
        schedule.check(epochs)?;
        let at = At { epoch: 0, step: 0, steps_per_epoch: steps_per_epoch.max(1), epochs };
        Ok(Scheduler { schedule, base, at, monitored: Vec::new() })
    }

    /// Sets the learning rate of the next step, and counts it.
    #[track_caller]
    pub fn next<T: Scalar>(&mut self, optimizer: &mut (impl Optimizer<T> + ?Sized)) {
        optimizer.set_learning_rate(self.schedule.rate(self.base, self.at, &self.monitored));
        self.at.step += 1;
        if self.at.step == self.at.steps_per_epoch {
            (self.at.epoch, self.at.step) = (self.at.epoch + 1, 0);
        }
    }

    /// Notes the monitored metric after an epoch, for [`Schedule::Plateau`]: smaller is better.
    ///
    /// ```
    /// use surprisal_optim::{Optimizer, Scheduler, Sgd};
    /// let mut sgd = Sgd::<f32>::new(0.8);
    /// let mut scheduler = Scheduler::new("plateau:patience=0,factor=0.5".parse()?, 0.8, 3, 1)?;
    /// for loss in [1.0, 1.0] {
    ///     scheduler.next(&mut sgd);
    ///     scheduler.monitor(loss);
    /// }
    /// scheduler.next(&mut sgd); // the loss has not become smaller
    /// assert_eq!(sgd.learning_rate(), 0.4);
    /// # Ok::<(), surprisal_optim::OptimError>(())
    /// ```
    pub fn monitor(&mut self, metric: f64) {
        self.monitored.push(metric);
    }
}
