//! A training that was interrupted and went on has the bits of one that was not: after any step, with anything that has a memory.

use std::ops::ControlFlow;

use expect_test::expect;
use surprisal_data::metrics::Metric;
use surprisal_data::{Dataset, Standardize};
use surprisal_layers::{BatchNorm1d, Dropout, Layer, Linear, Tanh, rng};
use surprisal_optim::{Optimizer, OptimizerKind, OptimizerSettings, Penalty};
use surprisal_tensor::{Params, Workspace};
use surprisal_train::{
    At, Augment, Callback, Checkpoint, Clip, EarlyStopping, Ended, Epoch, Examples, History, ModelFile,
    Monitor, SavedModel, Trainer,
};

/// Some rows of iris to learn from, and others.
fn parts() -> [Examples<f32>; 2] {
    let mut data = Dataset::iris();
    data.features = Standardize::fit(&data.features).unwrap().apply(&data.features).unwrap();
    let rows = |odd| Vec::from_iter((0..150).filter(|row| row % 5 == usize::from(odd)));
    [false, true].map(|odd| Examples::new(&data.select(&rows(odd))))
}

/// A net with everything that could go wrong: it draws, and it has numbers that no gradient moves.
fn net() -> (impl Layer, Params<f32>) {
    let (mut params, mut rng) = (Params::new(), rng(3));
    let model = (
        Linear::new(&mut params, "hidden", 4, 6, &mut rng),
        BatchNorm1d::new(&mut params, "norm", 6),
        Tanh,
        Dropout::new(0.3),
        Linear::new(&mut params, "out", 6, 3, &mut rng),
    );
    (model, params)
}

fn trainer(schedule: &str) -> Trainer {
    Trainer {
        epochs: 4,
        batch_size: 8,
        seed: 11,
        accumulate: 2,
        schedule: schedule.parse().unwrap(),
        penalty: Penalty::new(1e-3, 1e-2),
        clip: Clip::Norm(0.5),
        monitor: Monitor::Metric(Metric::Accuracy),
        stop: Some(EarlyStopping { patience: 3, min_delta: 0.0 }),
        keep_best: true,
        ..Trainer::default()
    }
}

fn optimizer(kind: OptimizerKind) -> Box<dyn Optimizer<f32>> {
    let momentum = matches!(kind, OptimizerKind::Sgd | OptimizerKind::RmsProp).then_some(0.9);
    kind.build(&OptimizerSettings { learning_rate: Some(0.02), momentum, ..OptimizerSettings::default() })
        .unwrap()
}

/// Ends after so many calls, and keeps the file that would have been written then.
struct EndAfter {
    calls: usize,
    file: Option<Vec<u8>>,
}

impl EndAfter {
    fn seen(&mut self, at: &At<f32>) -> ControlFlow<()> {
        self.calls = self.calls.wrapping_sub(1);
        if self.calls != 0 {
            return ControlFlow::Continue(());
        }
        let file = SavedModel { checkpoint: Some(at.checkpoint()), ..SavedModel::of(at.params) };
        self.file = Some(file.to_bytes());
        ControlFlow::Break(())
    }
}
impl Callback<f32> for EndAfter {
    fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
        self.seen(at)
    }
    fn on_epoch(&mut self, at: &At<f32>, _: &Epoch) -> ControlFlow<()> {
        self.seen(at)
    }
}

fn run(
    trainer: &Trainer,
    kind: OptimizerKind,
    from: Option<&[u8]>,
    callback: &mut impl Callback<f32>,
) -> (Params<f32>, History, Ended) {
    let ([train, test], (model, mut params)) = (parts(), net());
    let checkpoint: Option<Checkpoint<f32>> = from.map(|bytes| {
        let file: SavedModel = ModelFile::from_bytes(bytes, "checkpoint").unwrap();
        file.load_into(&mut params).unwrap();
        file.checkpoint.unwrap()
    });
    let mut optimizer = optimizer(kind);
    let noise = Augment { noise: 0.1, ..Augment::default() };
    let training = trainer.on(&train).validate(&test).augment(noise, [1, 2, 2]);
    let training = training.resume(checkpoint).callback(callback);
    let history = training.fit(&model, &mut params, &mut *optimizer).unwrap();
    let ended = history.ended();
    (params, history, ended)
}

#[test]
fn interrupted_after_any_step_or_epoch_the_bits_are_those_of_a_training_that_was_not() {
    let schedules = [
        "cosine:warmup=1",
        "plateau:patience=1,factor=0.5",
        "exponential:factor=0.8",
        "step:every=2,factor=0.1",
        "constant",
    ];
    for (kind, schedule) in OptimizerKind::ALL.into_iter().zip(schedules.into_iter().cycle()) {
        let trainer = trainer(schedule);
        let (params, history, ended) = run(&trainer, kind, None, &mut ());
        // the start, four epochs of two steps each (four batches, two by two)
        for calls in 1..=1 + 4 * 3 {
            let mut interruption = EndAfter { calls, file: None };
            let (_, _, first) = run(&trainer, kind, None, &mut interruption);
            let file = interruption.file.unwrap();
            let (again, told, second) = run(&trainer, kind, Some(&file), &mut ());
            assert_eq!(
                again.as_slice(),
                params.as_slice(),
                "{kind}, {schedule}, after call {calls} ({first:?})"
            );
            assert_eq!((told, second), (history.clone(), ended), "{kind}, {schedule}, after call {calls}");
        }
    }
}

#[test]
fn the_best_epoch_is_kept_and_no_other() {
    let trainer = Trainer { epochs: 12, stop: None, ..trainer("constant") };
    let (params, history, _) = run(&trainer, OptimizerKind::Adam, None, &mut ());
    let best = history.epochs().iter().map(|e| e.monitored).fold(f64::MIN, f64::max);
    let [_, test] = parts();
    let (model, _) = net();
    let outputs = Workspace::new().eval(&params, |tape| model.forward(tape.input(&test.features)));
    let outputs = outputs.into_dimensionality().unwrap();
    assert_eq!(surprisal_train::score(Metric::Accuracy, outputs.view(), &test).unwrap(), best);
    let last = Trainer { keep_best: false, ..trainer };
    assert_ne!(run(&last, OptimizerKind::Adam, None, &mut ()).0.as_slice(), params.as_slice());
}

#[test]
fn several_batches_make_the_step_of_one_large() {
    let one = Trainer { batch_size: 10, epochs: 3, seed: 1, ..Trainer::default() };
    let several = Trainer { batch_size: 5, accumulate: 2, ..one.clone() };
    let [train, test] = parts();
    let fit = |trainer: &Trainer| {
        let mut params = Params::new();
        let model = Linear::new(&mut params, "out", 4, 3, &mut rng(2));
        let training = trainer.on(&train).validate(&test);
        training.fit(&model, &mut params, &mut *optimizer(OptimizerKind::Sgd)).unwrap();
        params
    };
    let (one, several) = (fit(&one), fit(&several));
    for (a, b) in one.as_slice().iter().zip(several.as_slice()) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let told = |change: &dyn Fn(&mut Checkpoint<f32>, &mut Trainer)| {
        let mut trainer = trainer("constant");
        let mut interruption = EndAfter { calls: 3, file: None };
        run(&trainer, OptimizerKind::Adam, None, &mut interruption);
        let file: SavedModel = ModelFile::from_bytes(&interruption.file.unwrap(), "c").unwrap();
        let ([train, test], (model, mut params)) = (parts(), net());
        let mut checkpoint = file.checkpoint.unwrap();
        change(&mut checkpoint, &mut trainer);
        let mut adam = optimizer(OptimizerKind::Adam);
        let training = trainer.on(&train).validate(&test).resume(checkpoint);
        training.fit(&model, &mut params, &mut *adam).unwrap_err().to_string()
    };
    type Change = dyn Fn(&mut Checkpoint<f32>, &mut Trainer);
    let changes: [&Change; 17] = [
        &|_, trainer| trainer.batch_size = 4,
        &|_, trainer| trainer.epochs = 0,
        &|c, _| c.epoch = 3,
        &|c, _| c.epoch = u64::MAX,
        &|c, _| c.history = History::default(),
        &|c, _| c.history = c.history.epochs().iter().map(|e| Epoch { epoch: 5, ..*e }).collect(),
        &|c, _| c.step = 3,
        &|c, _| c.order = u128::MAX,
        &|c, _| c.seeds = 1 << 68,
        &|c, _| c.best = Some(vec![0.0]),
        &|c, _| c.best.as_mut().unwrap()[0] = f32::NAN,
        &|c, _| c.best = None,
        &|c, _| c.optimizer.steps = u64::MAX,
        &|c, _| c.optimizer.steps_of_each = vec![1],
        &|c, _| c.optimizer.memory.iter_mut().for_each(|(_, m)| m.truncate(3)),
        &|c, _| c.optimizer.memory[0].1[0] = f32::INFINITY,
        &|c, _| c.optimizer.name = "sgd".into(),
    ];
    expect![[r#"
        the checkpoint is of a training with 2 steps an epoch, this one has 4: have the data, the batch size or the validation fraction changed?
        the checkpoint is after epoch 0 and 2 steps, but the training ends after epoch 0: set a larger number of epochs
        the checkpoint is after epoch 3: expected a history of the epochs 0 to 3, found 1 epochs, the last of them 0
        the checkpoint is after epoch 18446744073709551615: expected a history of the epochs 0 to 18446744073709551615, found 1 epochs, the last of them 0
        the checkpoint is after epoch 0: expected a history of the epochs 0 to 0, found 0 epochs, the last of them none
        the checkpoint is after epoch 0: expected a history of the epochs 0 to 0, found 1 epochs, the last of them 5
        the checkpoint is after step 3 of an epoch of 2 steps
        the checkpoint has invalid states of random generators
        the checkpoint has invalid states of random generators
        the checkpoint has 1 best parameters, but the model has 75
        the checkpoint has best parameters that are not finite
        the checkpoint has no parameters of the best epoch
        the checkpoint has an optimizer after 18446744073709551615 steps
        the checkpoint has the steps of 1 parameters, but the model has 8
        the checkpoint has 3 numbers of the optimizer's state "mean", but the model has 75 parameters
        the checkpoint has numbers in the optimizer's state "mean" that are not finite
        load_state: this is the state of sgd, not of adam | make the optimizer that it was saved from"#]].assert_eq(&changes.map(told).join("\n"));
}

#[test]
fn patience_that_ends_with_the_last_epoch_ends_alike_after_an_interruption() {
    struct Keep(Option<(Params<f32>, Checkpoint<f32>)>);
    impl Callback<f32> for Keep {
        fn on_epoch(&mut self, at: &At<f32>, _: &Epoch) -> ControlFlow<()> {
            self.0 = Some((at.params.clone(), at.checkpoint()));
            ControlFlow::Continue(())
        }
    }
    let ([train, test], (model, mut params)) = (parts(), net());
    let stop = Some(EarlyStopping { patience: 1, min_delta: 1e9 }); // no epoch is that much better
    let trainer = Trainer { epochs: 1, stop, ..trainer("constant") };
    let mut adam = optimizer(OptimizerKind::Adam);
    let mut keep = Keep(None);
    let training = trainer.on(&train).validate(&test);
    let history = training.callback(&mut keep).fit(&model, &mut params, &mut *adam).unwrap();
    let (mut params, checkpoint) = keep.0.unwrap();
    let mut adam = optimizer(OptimizerKind::Adam);
    let training = trainer.on(&train).validate(&test);
    let again = training.resume(checkpoint).fit(&model, &mut params, &mut *adam).unwrap();
    assert_eq!(history, again);
    assert_eq!(history.ended(), Ended::Finished);
}
