//! Many independent runs over the cores of the machine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// Is told how far a long job has come.
pub trait Progress: Sync {
    /// `runs` runs of `what` begin.
    fn begin(&self, what: &str, runs: usize);
    /// One more has ended.
    fn advance(&self);
    /// All of them have.
    fn end(&self);
}

/// Tells nobody.
impl Progress for () {
    fn begin(&self, _: &str, _: usize) {}
    fn advance(&self) {}
    fn end(&self) {}
}

/// `run` of every job, in the order of the jobs: what comes back does not depend on the number of cores.
pub fn in_parallel<J: Sync, R: Send>(jobs: &[J], run: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<R>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let threads = thread::available_parallelism().map_or(1, |n| n.get()).min(jobs.len());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(i) = Some(next.fetch_add(1, Relaxed)).filter(|&i| i < jobs.len()) {
                    let result = run(&jobs[i]);
                    results.lock().unwrap_or_else(|e| e.into_inner())[i] = Some(result);
                }
            });
        }
    }); // a panic in a run goes on here
    let results = results.into_inner().unwrap_or_else(|e| e.into_inner());
    results.into_iter().map(|result| result.expect("every job has been taken and has ended")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_stand_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..100).collect();
        let slow_first = |&n: &u64| {
            std::thread::sleep(std::time::Duration::from_micros(200 - 2 * n));
            n * n
        };
        assert_eq!(super::in_parallel(&jobs, slow_first), jobs.iter().map(|n| n * n).collect::<Vec<_>>());
        assert!(super::in_parallel(&[], slow_first).is_empty());
    }
}
