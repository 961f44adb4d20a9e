//! The same bits for any number of ranks and threads.

use std::ops::ControlFlow;

use surprisal_data::{Dataset, Targets};
use surprisal_layers::{Linear, Tanh, rng};
use surprisal_optim::{Adam, Sgd};
use surprisal_tensor::{Params, threads};
use surprisal_train::{At, Callback, Checkpoint, Ended, KeptOutputs, Objective, Trainer};

use crate::{digits, everything, on_ranks, train};

#[test]
fn any_number_of_ranks_and_threads_trains_the_same_net() {
    let (data, trainer) = (digits(), everything());
    let alone = on_ranks(1, |_, rank| train(rank, &trainer, &data, None, &mut ()).unwrap()).remove(0);
    assert!(alone.1.last().held_out().accuracy > Some(0.4), "{:?}", alone.1.last());
    for (size, cores) in [(1, 3), (2, 1), (2, 2), (3, 1), (4, 2), (8, 1)] {
        let ranks = on_ranks(size, |_, rank| {
            threads::with(cores, || train(rank, &trainer, &data, None, &mut ()).unwrap())
        });
        assert!(ranks.iter().all(|trained| *trained == alone), "{size} ranks with {cores} threads");
    }
    let other = Trainer { shards: 4, ..trainer };
    let fewer = on_ranks(1, |_, rank| train(rank, &other, &data, None, &mut ()).unwrap()).remove(0);
    assert_ne!(fewer.0, alone.0, "shards change what is computed");
}

#[test]
fn a_shard_that_is_the_batch_changes_nothing() {
    let (data, trainer) = (digits(), Trainer { shards: 1, ..everything() });
    let alone = on_ranks(1, |_, rank| train(rank, &trainer, &data, None, &mut ()).unwrap()).remove(0);
    // 2 or 3 rows of a batch are one shard, however large their number
    let tiny = Trainer { batch_size: 3, ..trainer };
    let trained = |shards| {
        let trainer = Trainer { shards, ..tiny.clone() };
        on_ranks(1, |_, rank| train(rank, &trainer, &data, None, &mut ()).unwrap()).remove(0)
    };
    assert_eq!(trained(1), trained(8));
    assert_ne!(trained(1).0, alone.0);
}

#[test]
fn the_mean_of_equal_shards_is_the_gradient_of_the_batch_but_for_rounding() {
    let (data, trainer) = (digits(), Trainer { accumulate: 1, batch_size: 203, ..everything() });
    let weights = |shards: usize| {
        let trainer = Trainer { shards, ..trainer.clone() };
        let mut params = Params::<f64>::default();
        let model = Linear::new(&mut params, "out", 64, 10, &mut rng(3));
        trainer.on(&data.0).validate(&data.1).fit(&model, &mut params, &mut Sgd::new(0.5)).unwrap();
        params
    };
    let (whole, shards) = (weights(1), weights(8));
    let farthest =
        whole.as_slice().iter().zip(shards.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(farthest > 0.0 && farthest < 1e-13, "{farthest}");
}

#[test]
fn regression_and_the_norm_of_the_whole_gradient_are_the_same_too() {
    let iris = Dataset::iris();
    let values = iris.features.column(3).to_vec();
    let data = Dataset {
        features: iris.features.slice(surprisal_tensor::ndarray::s![.., ..3]).to_owned(),
        targets: Targets::Values(values),
        ..iris
    };
    let trainer = Trainer {
        objective: Objective::SquaredError,
        monitor: "r2".parse().unwrap(),
        shards: 5,
        epochs: 5,
        measure_gradient: true,
        drop_last: true,
        ..Trainer::default()
    };
    let trained = |size| {
        on_ranks(size, |_, rank| {
            let (mut params, mut rng) = (Params::<f64>::default(), rng(1));
            let model = (
                Linear::new(&mut params, "a", 3, 4, &mut rng),
                Tanh,
                Linear::new(&mut params, "b", 4, 1, &mut rng),
            );
            let mut kept = KeptOutputs::default();
            let fit = trainer.on(&data).group(rank).keep_outputs(&mut kept);
            let history = fit.fit(&model, &mut params, &mut Adam::new(0.02)).unwrap();
            assert_eq!(kept, KeptOutputs::default()); // each rank has measured some of the rows
            (params.as_slice().to_vec(), history)
        })
    };
    let alone = trained(1).remove(0);
    assert!(alone.1.last().train.r2 > Some(0.5) && alone.1.last().gradient_norm > Some(0.0));
    for size in 2..6 {
        assert!(trained(size).iter().all(|trained| *trained == alone), "{size} ranks");
    }
}

/// Keeps the state after a step, and ends there.
struct EndAt(usize, usize, Option<(Vec<f32>, Checkpoint<f32>)>);
impl Callback<f32> for EndAt {
    fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
        if (at.epoch, at.step) != (self.0, self.1) {
            return ControlFlow::Continue(());
        }
        self.2 = Some((at.params.as_slice().to_vec(), at.checkpoint()));
        ControlFlow::Break(())
    }
}

#[test]
fn a_training_is_resumed_on_another_number_of_ranks() {
    let (data, trainer) = (digits(), everything());
    let alone = on_ranks(1, |_, rank| train(rank, &trainer, &data, None, &mut ()).unwrap()).remove(0);
    for (size, later) in [(1, 3), (3, 1), (2, 4)] {
        let states = on_ranks(size, |_, rank| {
            let mut end = EndAt(2, 1, None);
            let (_, history) = train(rank, &trainer, &data, None, &mut end).unwrap();
            assert_eq!(history.ended(), Ended::Interrupted);
            end.2.unwrap()
        });
        assert!(states.iter().all(|state| state == &states[0]));
        let resumed = on_ranks(later, |_, rank| {
            train(rank, &trainer, &data, Some(states[0].clone()), &mut ()).unwrap()
        });
        assert!(resumed.iter().all(|trained| *trained == alone), "{size} ranks, then {later}");
    }
}
