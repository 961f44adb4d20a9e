//! Ranks that differ, drift apart, end or fail.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use surprisal_layers::{Linear, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::Params;
use surprisal_train::{At, Callback, Ended, Group, GroupError, Trainer};

use crate::{digits, everything, on_ranks, train};

#[test]
fn ranks_that_begin_differently_are_named() {
    let (data, trainer) = (digits(), everything());
    let mut other_data = [data.clone(), data.clone(), data.clone()];
    other_data[0].0.features[[202, 63]] += 1e-6;
    other_data[1].1.features[[0, 0]] += 1e-6;
    let mut targets = other_data[2].0.targets.labels().to_vec();
    targets[7] ^= 1;
    let names = data.0.class_names().to_vec();
    other_data[2].0.targets = surprisal_data::Targets::Classes { labels: targets, names };
    for (other, what) in other_data.iter().zip(["training data", "validation data", "training data"]) {
        let errors = on_ranks(3, |number, rank| {
            let data = if number == 2 { other } else { &data };
            train(rank, &trainer, data, None, &mut ()).unwrap_err().to_string()
        });
        let expected = GroupError::Differs { rank: 2, what };
        assert!(errors.iter().all(|error| *error == expected.to_string()), "{errors:?}");
    }
    let other = Trainer { seed: 6, ..trainer.clone() };
    let errors = on_ranks(2, |number, rank| {
        train(rank, [&trainer, &other][number], &data, None, &mut ()).unwrap_err().to_string()
    });
    assert_eq!(errors[0], GroupError::Differs { rank: 1, what: "settings" }.to_string());
    let few = Trainer { shards: 2, ..trainer };
    let errors = on_ranks(3, |_, rank| train(rank, &few, &data, None, &mut ()).unwrap_err().to_string());
    assert_eq!(
        errors[0],
        "shards: expected at least 3, the number of ranks, found 2 | start fewer ranks, or cut batches in more shards"
    );
}

/// A rank to which something else arrives than what was sent.
struct Faulty<'g> {
    group: &'g mut dyn Group,
    change: fn(&mut [u8]),
    countdown: usize, // to the message that is changed
    longer_than: usize,
}
impl Group for Faulty<'_> {
    fn rank(&self) -> usize {
        self.group.rank()
    }
    fn size(&self) -> usize {
        self.group.size()
    }
    fn all_gather(&mut self, sent: &[u8], received: &mut [u8], lengths: &[usize]) -> Result<(), GroupError> {
        self.group.all_gather(sent, received, lengths)?;
        if received.len() > self.longer_than {
            self.countdown = self.countdown.wrapping_sub(1);
            if self.countdown == 0 {
                (self.change)(received);
            }
        }
        Ok(())
    }
    fn all_to_all(
        &mut self,
        sent: &[u8],
        sent_lengths: &[usize],
        received: &mut [u8],
        lengths: &[usize],
    ) -> Result<(), GroupError> {
        self.group.all_to_all(sent, sent_lengths, received, lengths)
    }
    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), GroupError> {
        self.group.send(to, message)
    }
    fn receive(&mut self) -> Result<Option<(usize, Vec<u8>)>, GroupError> {
        self.group.receive()
    }
}

#[test]
fn ranks_that_drift_apart_are_found_after_the_epoch() {
    let (data, trainer) = (digits(), Trainer { epochs: 3, batch_size: 50, shards: 4, ..Trainer::default() });
    // of five batches in an epoch, the seventh is in the second
    let errors = on_ranks(3, |number, rank| {
        // a bit of the gradient of a bias
        let change = |received: &mut [u8]| received[received.len() - 3] ^= 1;
        let countdown = if number == 1 { 7 } else { 0 };
        let mut rank = Faulty { group: rank, change, countdown, longer_than: 2000 };
        let mut params = Params::<f32>::new();
        let model = Linear::new(&mut params, "out", 64, 10, &mut rng(3));
        trainer
            .on(&data.0)
            .group(&mut rank)
            .fit(&model, &mut params, &mut Sgd::new(0.1))
            .unwrap_err()
            .to_string()
    });
    let expected = GroupError::Drifted { rank: 1, epoch: 2 };
    assert!(errors.iter().all(|error| *error == expected.to_string()), "{errors:?}");
}

#[test]
fn messages_of_another_step_or_rank_are_named() {
    let (data, trainer) =
        (digits(), Trainer { batch_size: 50, shards: 4, measure_train: false, ..Trainer::default() });
    let failed = |change: fn(&mut [u8])| {
        let errors = on_ranks(2, |number, rank| {
            // the headers of the first batch; those of the start are shorter
            let countdown = if number == 1 { 1 } else { 0 };
            let mut rank = Faulty { group: rank, change, countdown, longer_than: 110 };
            let mut params = Params::<f32>::default();
            let model = Linear::new(&mut params, "out", 64, 10, &mut rng(3));
            let fit = trainer.on(&data.0).group(&mut rank);
            fit.fit(&model, &mut params, &mut Sgd::new(0.1)).unwrap_err().to_string()
        });
        errors[1].clone()
    };
    let same = "the ranks do not run the same training | start all ranks with the same program and options";
    let expected = "expected the gradient of batch 0 of epoch 1 of rank 0";
    assert_eq!(
        failed(|received| received[24] = 3),
        format!("rank 0 sent the gradient of batch 3 of epoch 1 of rank 0, {expected}: {same}")
    );
    assert_eq!(
        failed(|received| received[0] = 1),
        format!("rank 0 sent the gradient of batch 0 of epoch 1 of rank 1, {expected}: {same}")
    );
    assert_eq!(
        failed(|received| received[8] = 77),
        format!("rank 0 sent a message of another program of rank 0, {expected}: {same}")
    );
}

#[test]
fn all_ranks_end_where_the_loss_is_no_longer_finite_with_the_same_error() {
    let (mut data, trainer) =
        (digits(), Trainer { epochs: 3, batch_size: 50, shards: 4, ..Trainer::default() });
    data.0.features[[17, 3]] = f64::INFINITY; // 0 inf is NaN
    let failed = |size| {
        on_ranks(size, |_, rank| {
            let mut params = Params::<f32>::new();
            let model = Linear::new(&mut params, "out", 64, 10, &mut rng(3));
            let trainer = Trainer { measure_train: false, ..trainer.clone() };
            trainer
                .on(&data.0)
                .group(rank)
                .fit(&model, &mut params, &mut Sgd::new(0.1))
                .unwrap_err()
                .to_string()
        })
    };
    let alone = failed(1).remove(0);
    assert!(alone.contains("in epoch 1, step") && alone.contains("first: "), "{alone}");
    for size in 2..5 {
        assert!(failed(size).iter().all(|error| *error == alone), "{:?}", failed(size));
    }
}

/// Ends the training, or raises the flag, after a step.
struct End<'f>(usize, Option<&'f AtomicBool>, Vec<(usize, bool)>);
impl Callback<f32> for End<'_> {
    fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
        self.2.push((at.step, at.ends));
        if at.step != self.0 {
            return ControlFlow::Continue(());
        }
        match self.1 {
            Some(flag) => flag.store(true, Ordering::Relaxed),
            None => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn a_callback_or_a_signal_on_one_rank_ends_all() {
    let (data, trainer) = (digits(), Trainer { epochs: 3, batch_size: 20, shards: 4, ..Trainer::default() });
    for by_flag in [false, true] {
        let seen = on_ranks(3, |number, rank| {
            let flag = AtomicBool::new(false);
            let mut end = End(if number == 1 { 4 } else { 0 }, by_flag.then_some(&flag), Vec::new());
            let mut params = Params::<f32>::new();
            let model = Linear::new(&mut params, "out", 64, 10, &mut rng(3));
            let fit = trainer.on(&data.0).group(rank).interrupt(&flag).callback(&mut end);
            let history = fit.fit(&model, &mut params, &mut Sgd::new(0.1)).unwrap();
            assert_eq!(history.ended(), Ended::Interrupted);
            (end.2, params.as_slice().to_vec())
        });
        let steps = [(1, false), (2, false), (3, false), (4, false), (5, true)];
        assert!(seen.iter().all(|(of_rank, params)| *of_rank == steps && *params == seen[0].1));
    }
}

#[test]
fn a_rank_that_is_gone_is_an_error_of_the_others() {
    let (data, trainer) = (digits(), everything());
    let errors = on_ranks(3, |number, rank| {
        (number != 1).then(|| train(rank, &trainer, &data, None, &mut ()).unwrap_err().to_string())
    });
    assert_eq!(errors[1], None);
    for error in [&errors[0], &errors[2]] {
        assert!(error.as_ref().unwrap().starts_with("the ranks cannot communicate: rank "), "{errors:?}");
    }
}
