//! Independent runs on the ranks of a group.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use surprisal_tensor::threads;
use surprisal_train::{Group, GroupError, Runs, Team};

use crate::on_ranks;

type Found = Result<Vec<Option<f64>>, GroupError>;

/// Computes runs; those of rank 0 that are done have their number with a minus.
fn compute(
    rank: &mut dyn Group,
    done: &[Option<f64>],
    run: impl Fn(usize) -> Result<Option<f64>, GroupError> + Sync,
    keep: impl Fn(usize, f64) -> Result<(), GroupError> + Sync,
) -> Found {
    let runs = Runs {
        what: "test",
        done: done.to_vec(),
        run: &run,
        keep: &|k, found| keep(k, *found),
        encode: |found| json!(found),
        decode: |value| value.as_f64(),
    };
    Team::new(Some(rank)).compute(runs, &())
}

fn lost(message: &str) -> GroupError {
    GroupError::Lost(message.into())
}

#[test]
fn all_ranks_have_all_results_and_rank_0_keeps_each_once() {
    let value = |k: usize| (k as f64 + 0.1).sqrt();
    let mut done = vec![None; 40];
    (done[3], done[39]) = (Some(-3.0), Some(-39.0));
    let expected = Vec::from_iter((0..40).map(|k| Some(done[k].unwrap_or(value(k)))));
    for (size, cores) in [(1, 1), (1, 3), (2, 1), (3, 2), (5, 1)] {
        let kept = Mutex::new(Vec::new());
        let found = on_ranks(size, |number, rank| {
            let none = vec![None; 40]; // what is done is known to rank 0 alone
            let keep = |k, found: f64| {
                assert!(number == 0 && found == value(k));
                kept.lock().unwrap().push(k);
                Ok(())
            };
            let done = if number == 0 { &done } else { &none };
            threads::with(cores, || compute(rank, done, |k| Ok(Some(value(k))), keep))
        });
        assert!(found.iter().all(|found| found.as_ref() == Ok(&expected)), "{size} ranks");
        let mut kept = kept.into_inner().unwrap();
        kept.sort_unstable();
        assert!(kept == Vec::from_iter((0..39).filter(|&k| k != 3)), "{kept:?}");
    }
}

/// Run 0 ends when all others have: nothing waits behind it.
#[test]
fn a_slow_run_does_not_hold_up_the_others() {
    for size in [2, 3] {
        let (others, all) = (Mutex::new(0), Condvar::new());
        let run = |k: usize| {
            let mut others = others.lock().unwrap();
            if k > 0 {
                *others += 1;
                all.notify_all();
            } else {
                let wait = all.wait_timeout_while(others, Duration::from_secs(60), |others| *others < 11);
                let wait = wait.unwrap().1;
                assert!(!wait.timed_out(), "a run waits behind the slow one");
            }
            Ok(Some(k as f64))
        };
        let found = on_ranks(size, |_, rank| {
            threads::with(1, || compute(rank, &[None; 12], run, |_, _| Ok(()))).unwrap()
        });
        assert!(found.iter().all(|found| *found == Vec::from_iter((0..12).map(|k| Some(k as f64)))));
    }
}

#[test]
fn the_error_of_the_first_run_is_that_of_all_ranks_and_names_another_rank() {
    // a run for each rank at the same time, so that each has some
    let (began, errors) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let found = on_ranks(2, |number, rank| {
        let run = |k: usize| {
            began.fetch_add(1, SeqCst);
            while began.load(SeqCst) < 2 {
                sleep(Duration::from_millis(1));
            }
            if k < 2 {
                errors.lock().unwrap().push((k, number));
            }
            if k < 2 { Err(lost(&format!("run {k}"))) } else { Ok(Some(0.0)) }
        };
        threads::with(1, || compute(rank, &[None; 20], run, |_, _| Ok(()))).unwrap_err().to_string()
    });
    assert_eq!(began.load(SeqCst), 20); // the others are computed all the same
    let (_, of_first) = *errors.lock().unwrap().iter().find(|(k, _)| *k == 0).unwrap();
    let message = lost("run 0").to_string();
    assert_eq!(found[0], if of_first == 0 { message } else { format!("rank 1: {message}") });
    assert!(found[1].ends_with(&found[0]), "{found:?}");
}

#[test]
fn no_further_run_begins_after_an_interruption_or_a_result_that_cannot_be_kept() {
    for interrupted in [true, false] {
        let (began, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let found = on_ranks(3, |number, rank| {
            let run = |k: usize| {
                if interrupted && number == 1 && stop.swap(true, SeqCst) {
                    return Ok(None);
                }
                began.fetch_add(1, SeqCst);
                sleep(Duration::from_millis(5));
                Ok(Some(k as f64))
            };
            let keep = |_, _| if interrupted { Ok(()) } else { Err(lost("the disk is full")) };
            threads::with(1, || compute(rank, &[None; 1000], run, keep))
        });
        assert!(began.load(SeqCst) < 500, "{} runs", began.load(SeqCst));
        match &found[0] {
            Ok(runs) => {
                assert!(interrupted && runs.contains(&None) && runs.iter().any(Option::is_some));
                assert!(found.iter().all(|other| *other == found[0]));
            }
            Err(error) => {
                assert_eq!((error, interrupted), (&lost("the disk is full"), false));
                assert!(found.iter().all(Result::is_err));
            }
        }
    }
}

#[test]
fn what_a_rank_fails_with_all_fail_with_wherever_the_others_are() {
    for failing in 0..3 {
        let found = on_ranks(3, |number, rank| {
            let team = Team::new(Some(rank));
            let work = || -> Result<usize, GroupError> {
                if number == failing {
                    return Err(lost("no data"));
                }
                let runs = Runs {
                    what: "test",
                    done: vec![None; 4],
                    run: &|k| Ok(Some(k as f64)),
                    keep: &|_, _| Ok::<(), GroupError>(()),
                    encode: |found| json!(found),
                    decode: |value| value.as_f64(),
                };
                Ok(team.compute(runs, &())?.len())
            };
            team.agree(work())
        });
        for (number, found) in found.iter().enumerate() {
            let own = lost("no data");
            let message = own.to_string();
            let expected =
                if number == failing { own } else { GroupError::Failed { rank: failing, message } };
            assert_eq!(*found, Err(expected));
        }
    }
}

#[test]
fn ranks_that_have_other_bytes_or_other_runs_are_named() {
    let found =
        on_ranks(3, |number, rank| Team::new(Some(rank)).same("options", &[0, u8::from(number == 2)]));
    assert!(found.iter().all(|found| *found == Err(GroupError::Differs { rank: 2, what: "options" })));
    let found = on_ranks(2, |number, rank| {
        compute(rank, &vec![None; 4 + number], |k| Ok(Some(k as f64)), |_, _| Ok(()))
    });
    assert!(found.iter().all(|found| *found == Err(GroupError::Differs { rank: 1, what: "runs" })));
    // a rank has no more runs, the other has
    let found = on_ranks(2, |number, rank| match number {
        0 => compute(rank, &[None; 4], |k| Ok(Some(k as f64)), |_, _| Ok(())).map(drop),
        _ => Team::new(Some(rank)).agree(Ok(())),
    });
    assert!(found.iter().all(|found| *found == Err(GroupError::Differs { rank: 1, what: "runs" })));
}
