//! The ranks of a group train as one process does, and share independent runs.

mod equal;
mod faults;
mod team;

use std::thread;

use surprisal_data::Dataset;
use surprisal_distributed::{Local, local};
use surprisal_layers::{BatchNorm1d, Dropout, Linear, Relu, rng};
use surprisal_optim::{Adam, Schedule};
use surprisal_tensor::Params;
use surprisal_train::{Callback, Checkpoint, Clip, EarlyStopping, History, TrainError, Trainer};

/// What a rank has in the end.
pub type Trained = (Vec<f32>, History);

/// The digits, scaled: training and validation rows.
pub fn digits() -> (Dataset, Dataset) {
    let mut digits = Dataset::digits();
    digits.features /= 16.0;
    (digits.select(&Vec::from_iter(0..203)), digits.select(&Vec::from_iter(203..300)))
}

/// Everything that a step can have: batches of 50, the last one of 3, in 8 shards.
pub fn everything() -> Trainer {
    Trainer {
        epochs: 4,
        batch_size: 50,
        shards: 8,
        seed: 5,
        accumulate: 2,
        clip: Clip::Norm(0.5),
        schedule: Schedule::Cosine { warmup: 1, floor: 0.1 },
        stop: Some(EarlyStopping { patience: 3, min_delta: 0.0 }),
        keep_best: true,
        monitor: "log_loss".parse().unwrap(),
        ..Trainer::default()
    }
}

/// Trains a net with batch normalization and dropout on the digits.
pub fn train(
    rank: &mut Local,
    trainer: &Trainer,
    (train, validation): &(Dataset, Dataset),
    start: Option<(Vec<f32>, Checkpoint<f32>)>,
    callback: &mut dyn Callback<f32>,
) -> Result<Trained, TrainError> {
    let mut params = Params::new();
    let mut rng = rng(3);
    let model = (
        Linear::new(&mut params, "hidden", 64, 16, &mut rng),
        BatchNorm1d::new(&mut params, "norm", 16),
        Relu,
        Dropout::new(0.2),
        Linear::new(&mut params, "out", 16, 10, &mut rng),
    );
    let (values, checkpoint) = start.unzip();
    if let Some(values) = values {
        params.as_mut_slice().copy_from_slice(&values);
    }
    let fit = trainer.on(train).validate(validation).group(rank).resume(checkpoint).callback(callback);
    let history = fit.fit(&model, &mut params, &mut Adam::new(0.01))?;
    Ok((params.as_slice().to_vec(), history))
}

/// `run` on every rank of a group; what comes back stands in the order of ranks.
pub fn on_ranks<R: Send>(size: usize, run: impl Fn(usize, &mut Local) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let run = &run;
        let ranks = local(size).into_iter().enumerate();
        let ranks =
            Vec::from_iter(ranks.map(|(number, mut rank)| scope.spawn(move || run(number, &mut rank))));
        ranks.into_iter().map(|rank| rank.join().expect("no rank panics")).collect()
    })
}
