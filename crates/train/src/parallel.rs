//! Many independent runs over the cores of the machine.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::{iter, thread};

use surprisal_tensor::threads;

/// Learns how far a long job has come.
pub trait Progress: Sync {
    /// `runs` runs of `what` begin.
    fn begin(&self, what: &str, runs: usize);
    /// One more has ended.
    fn advance(&self);
    /// All of them have.
    fn end(&self);
}

/// Reports nothing.
impl Progress for () {
    fn begin(&self, _: &str, _: usize) {}
    fn advance(&self) {}
    fn end(&self) {}
}

/// `run` of every job, in [`threads::number`] threads; what comes back stands in the order of the jobs and does not depend on their number.
///
/// Where there is a job for each thread, a job does not share its own work; fewer jobs share the cores.
pub fn in_parallel<J: Sync, R: Send>(jobs: &[J], run: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let results: Vec<Mutex<Option<R>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    each_of(jobs.len(), &|i| {
        *results[i].lock().unwrap_or_else(PoisonError::into_inner) = Some(run(&jobs[i]))
    });
    let result = |result: Mutex<Option<R>>| result.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.into_iter().filter_map(result).collect()
}

/// Calls `run` with every number below `n`.
fn each_of(n: usize, run: &(dyn Fn(usize) + Sync)) {
    let cores = threads::number();
    let next = AtomicUsize::new(0);
    let take = || Some(next.fetch_add(1, Relaxed)).filter(|&i| i < n);
    if cores == 1 {
        return iter::from_fn(take).for_each(run);
    }
    let share = if n >= cores { 1 } else { cores };
    in_threads(cores.min(n), share, &take, run, || ());
}

/// Calls `run` with what `take` gives, until it gives none, in `number` threads, each of which may use `share` threads of its own; and
/// meanwhile runs `beside` in this one.
pub(crate) fn in_threads<R>(
    number: usize,
    share: usize,
    take: &(dyn Fn() -> Option<usize> + Sync),
    run: &(dyn Fn(usize) + Sync),
    beside: impl FnOnce() -> R,
) -> R {
    thread::scope(|scope| {
        for _ in 0..number {
            scope.spawn(|| threads::with(share, || iter::from_fn(take).for_each(run)));
        }
        beside()
    }) // a panic in a run goes on here
}

#[cfg(test)]
mod tests {
    use surprisal_tensor::threads;

    #[test]
    fn results_stand_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..100).collect();
        let slow_first = |&n: &u64| {
            std::thread::sleep(std::time::Duration::from_micros(200 - 2 * n));
            n * n
        };
        for cores in [1, 2, 3] {
            let squares = threads::with(cores, || super::in_parallel(&jobs, slow_first));
            assert_eq!(squares, jobs.iter().map(|n| n * n).collect::<Vec<_>>());
        }
        assert!(super::in_parallel(&[], slow_first).is_empty());
    }

    #[test]
    fn a_job_shares_its_work_only_where_there_are_fewer_jobs_than_cores() {
        let numbers = |jobs: &[()]| threads::with(3, || super::in_parallel(jobs, |()| threads::number()));
        assert_eq!(numbers(&[(); 2]), [3, 3]);
        assert_eq!(numbers(&[(); 4]), [1, 1, 1, 1]);
    }
}
