//! The processes that `mpirun` started, if it did.

use surprisal_run::{Job, RunError};
use surprisal_train::parallel::Progress;
use surprisal_train::{Group, GroupError, TrainError};

use crate::Failure;

/// The number of shards of a batch, if it is not set.
pub const SHARDS: usize = 8;

/// This process and the other ranks; alone, if it was not started by `mpirun`.
pub struct Ranks(Option<Box<dyn Group>>);

impl Ranks {
    /// Runs a command on all ranks, which have the same options. A failure is reported before MPI ends: `mpirun` kills all ranks as soon as one of
    /// them has failed.
    pub fn together(command: impl FnOnce(&mut Ranks) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut ranks = Ranks(group()?);
        let options = Vec::from_iter(std::env::args_os().skip(1)).join("\0".as_ref());
        let same = ranks.same("options", options.as_encoded_bytes());
        match same.map_err(|failure| Failure { code: 2, ..failure }).and_then(|()| command(&mut ranks)) {
            Err(failure) if ranks.are_there() => Err(failure.reported()),
            outcome => outcome,
        }
    }

    /// Checks that all ranks have the same bytes.
    fn same(&mut self, what: &'static str, bytes: &[u8]) -> Result<(), Failure> {
        let Some(group) = &mut self.0 else { return Ok(()) };
        let all = group.gather(bytes)?;
        let differs = all.iter().position(|other| *other != all[0]);
        self.agree(differs.map_or(Ok(()), |rank| Err(Failure::run(GroupError::Differs { rank, what }))))
    }

    /// Checks, before a folder is made for it, that a run has the same data on all ranks and a shard for each.
    pub fn check(&mut self, job: &Job) -> Result<(), Failure> {
        let Some(group) = &mut self.0 else { return Ok(()) };
        let shards = TrainError::check_shards(job.trainer.shards, group.size());
        self.agree(shards.map_err(|error| RunError::from(error).into()))?;
        self.same("data", &job.data_checksum().to_le_bytes())
    }

    /// The ranks, unless this process is alone.
    pub fn group(&mut self) -> Option<&mut dyn Group> {
        self.0.as_mut().map(|group| &mut **group as &mut dyn Group)
    }

    /// Whether `mpirun` started it.
    pub fn are_there(&self) -> bool {
        self.0.is_some()
    }

    /// The progress of rank 0; other ranks do not report theirs.
    pub fn progress<'a>(&self, of_first: &'a dyn Progress) -> &'a dyn Progress {
        if self.is_first() { of_first } else { &() }
    }

    /// Whether this is rank 0, which alone writes and reports.
    fn is_first(&self) -> bool {
        self.0.as_ref().is_none_or(|group| group.rank() == 0)
    }

    /// Runs something on rank 0 alone.
    pub fn first<R>(&mut self, run: impl FnOnce() -> Result<R, Failure>) -> Result<Option<R>, Failure> {
        let outcome = if self.is_first() { run().map(Some) } else { Ok(None) };
        self.agree(outcome)
    }

    /// What this rank has, if no rank failed: otherwise all ranks fail, and rank 0 reports the first failure.
    pub fn agree<R>(&mut self, outcome: Result<R, Failure>) -> Result<R, Failure> {
        let is_first = self.is_first();
        let Some(group) = &mut self.0 else { return outcome };
        let failure = outcome.as_ref().err();
        let own =
            failure.map_or(Vec::new(), |failure| [&[failure.code], failure.message.as_bytes()].concat());
        let all = group.gather(&own)?;
        let Some((rank, failure)) = all.iter().enumerate().find(|(_, failure)| !failure.is_empty()) else {
            return outcome;
        };
        if !is_first {
            return Err(Failure::silent(failure[0]));
        }
        let message = String::from_utf8_lossy(&failure[1..]);
        // what rank 0 sees too is not that of another
        let message = if rank == 0 { message.into() } else { format!("rank {rank}: {message}") };
        Err(Failure { message, code: failure[0] })
    }

    /// What rank 0 has, on all ranks; other ranks give nothing.
    pub fn share(&mut self, of_first: Vec<u8>) -> Result<Vec<u8>, Failure> {
        match &mut self.0 {
            Some(group) => Ok(group.gather(&of_first)?.swap_remove(0)),
            None => Ok(of_first),
        }
    }
}

impl From<GroupError> for Failure {
    fn from(error: GroupError) -> Self {
        Failure::run(error)
    }
}

/// The number of processes that were started together, as Open MPI, MPICH and Slurm write it to the environment; `None` if this one was
/// started by none of them.
fn started() -> Option<usize> {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    let of_slurm = || std::env::var_os("PMIX_RANK").map(|_| number("SLURM_STEP_NUM_TASKS").unwrap_or(1));
    number("OMPI_COMM_WORLD_SIZE").or_else(|| number("PMI_SIZE")).or_else(of_slurm)
}

#[cfg(feature = "mpi")]
fn group() -> Result<Option<Box<dyn Group>>, Failure> {
    Ok(if started().is_some() { Some(Box::new(surprisal_distributed::World::new()?)) } else { None })
}

#[cfg(not(feature = "mpi"))]
fn group() -> Result<Option<Box<dyn Group>>, Failure> {
    match started() {
        Some(size) if size > 1 => Err(Failure::usage(format!(
            "mpirun started {size} processes, but this program was compiled without MPI, so each of them would compute everything | \
             start it without mpirun, or compile it with: cargo install surprisal-cli --features mpi"
        ))),
        _ => Ok(None),
    }
}
