//! Many trainings, one for each core.

use surprisal_train::parallel::{Progress, in_parallel};

use crate::RunError;

/// `run` of every job; results are returned in the order of the jobs and do not depend on the number of cores.
pub(crate) fn over_cores<J: Sync, R: Send>(
    what: &str,
    jobs: &[J],
    progress: &dyn Progress,
    run: impl Fn(&J) -> Result<R, RunError> + Sync,
) -> Result<Vec<R>, RunError> {
    let run = |job: &J| {
        let result = run(job);
        progress.advance();
        result
    };
    progress.begin(what, jobs.len());
    let results = in_parallel(jobs, run);
    progress.end();
    results.into_iter().collect()
}
