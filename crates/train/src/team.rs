//! [`Team`]: independent runs over the cores of one process, or of all ranks of a group.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{iter, thread};

use serde_json::Value;
use surprisal_tensor::threads;

use crate::parallel::{Progress, in_threads};
use crate::{Group, GroupError};

/// How long a rank waits before it looks again for a message: one that waits in MPI keeps a core busy.
const NAP: Duration = Duration::from_millis(1);
/// In the place of a run's number: the first request of a thread; no run is left; a rank asks for no more.
const FIRST: u64 = u64::MAX;
const END: u64 = u64::MAX - 1;
const LEAVE: u64 = u64::MAX - 2;

/// This process, or all ranks of a group, that compute independent runs together. Rank 0 hands out the runs, one at a time to each thread
/// of each rank, and computes some itself; it alone knows of earlier results and keeps new ones.
///
/// All ranks call the same methods in the same order, from one thread. What a rank fails with, all ranks fail with.
pub struct Team<'g> {
    first: bool,
    state: Mutex<State<'g>>,
}

struct State<'g> {
    group: Option<&'g mut dyn Group>, // if there are other ranks
    failed: bool,                     // all ranks know that one failed: nothing is exchanged any more
}

/// Runs that do not depend on each other.
pub struct Runs<'a, R, E> {
    /// What they are, for [`Progress::begin`].
    pub what: &'a str,
    /// For each run its result, if it is known; only that of rank 0 counts.
    pub done: Vec<Option<R>>,
    /// Computes a run; `None` if it was interrupted: then no further run begins.
    pub run: &'a (dyn Fn(usize) -> Result<Option<R>, E> + Sync),
    /// Keeps a new result, on rank 0. After an error, no further run begins.
    pub keep: &'a (dyn Fn(usize, &R) -> Result<(), E> + Sync),
    /// Makes JSON of a result, for another rank.
    pub encode: fn(&R) -> Value,
    /// Makes a result of this JSON, with the same bits.
    pub decode: fn(Value) -> Option<R>,
}

type Outcome<R, E> = Result<Option<R>, E>;

impl<'g> Team<'g> {
    /// The ranks of this group; this process alone if there is none.
    pub fn new(group: Option<&'g mut dyn Group>) -> Team<'g> {
        let group = group.filter(|group| group.size() > 1);
        let first = group.as_ref().is_none_or(|group| group.rank() == 0);
        Team { first, state: Mutex::new(State { group, failed: false }) }
    }

    /// Returns whether this is rank 0.
    pub fn is_first(&self) -> bool {
        self.first
    }

    /// Returns what this rank has, if no rank failed.
    ///
    /// # Errors
    /// Its own error, or that of the first rank that failed.
    pub fn agree<R, E: Display + From<GroupError>>(&self, outcome: Result<R, E>) -> Result<R, E> {
        let mut state = self.state();
        if state.failed {
            return outcome;
        }
        let told = outcome.as_ref().map(|_| &[][..]).map_err(E::to_string);
        let met = state.meet(told, "runs");
        let result = outcome?;
        met?;
        Ok(result)
    }

    /// Runs something on rank 0 alone.
    ///
    /// # Errors
    /// If it failed there.
    pub fn first<R, E: Display + From<GroupError>>(
        &self,
        run: impl FnOnce() -> Result<R, E>,
    ) -> Result<Option<R>, E> {
        self.agree(if self.is_first() { run().map(Some) } else { Ok(None) })
    }

    /// Checks that all ranks have the same bytes.
    ///
    /// # Errors
    /// If a rank has others: with its number, and `what`, in the plural.
    pub fn same(&self, what: &'static str, bytes: &[u8]) -> Result<(), GroupError> {
        self.state().meet(Ok(bytes), what)
    }

    /// Computes all runs that are not done; the results, in the order of the runs, are on all ranks, and do not depend on the number of
    /// ranks and cores. `None` are the runs that were interrupted, and those that did not begin therefore.
    ///
    /// ```
    /// use serde_json::json;
    /// use surprisal_train::{GroupError, Runs, Team};
    /// let runs = Runs {
    ///     what: "squares",
    ///     done: vec![None, Some(1.0), None, None],
    ///     run: &|k| Ok(Some((k * k) as f64)),
    ///     keep: &|_, _| Ok::<(), GroupError>(()),
    ///     encode: |square| json!(square),
    ///     decode: |value| value.as_f64(),
    /// };
    /// let squares = Team::new(None).compute(runs, &())?;
    /// assert_eq!(squares, [Some(0.0), Some(1.0), Some(4.0), Some(9.0)]);
    /// # Ok::<(), GroupError>(())
    /// ```
    ///
    /// # Errors
    /// That of the first run, in their order, that failed or could not be kept; the others are computed all the same.
    pub fn compute<R: Send, E: Display + From<GroupError> + Send>(
        &self,
        runs: Runs<R, E>,
        progress: &dyn Progress,
    ) -> Result<Vec<Option<R>>, E> {
        let mut state = self.state();
        state.meet(Ok(format!("{} {}", runs.what, runs.done.len()).as_bytes()), "runs")?;
        progress.begin(runs.what, runs.done.len());
        let group = state.group.as_mut().map(|group| &mut **group as &mut dyn Group);
        let outcomes = match group {
            Some(group) if !self.first => follow(group, &runs, progress),
            group => lead(group, runs, progress),
        };
        progress.end();
        let results = outcomes.map_err(E::from).and_then(|outcomes| outcomes.into_iter().collect());
        state.failed |= results.is_err();
        results
    }

    fn state(&self) -> MutexGuard<'_, State<'g>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State<'_> {
    /// Exchanges an error or some bytes: it is an error if a rank has one, or other bytes than rank 0.
    fn meet(&mut self, own: Result<&[u8], String>, what: &'static str) -> Result<(), GroupError> {
        if self.failed {
            return Err(GroupError::Lost("a rank failed before".into()));
        }
        let Some(group) = &mut self.group else { return Ok(()) };
        let all = group.gather(&match &own {
            Ok(bytes) => [&[0], *bytes].concat(),
            Err(message) => [&[1], message.as_bytes()].concat(),
        });
        let met = all.and_then(|all| {
            if let Some(rank) = all.iter().position(|sent| sent[0] == 1) {
                let message = String::from_utf8_lossy(&all[rank][1..]).into();
                return Err(GroupError::Failed { rank, message });
            }
            let other = all.iter().position(|sent| *sent != all[0]);
            other.map_or(Ok(()), |rank| Err(GroupError::Differs { rank, what }))
        });
        self.failed |= met.is_err();
        met
    }
}

/// Rank 0: its own threads compute, and this one hands out runs to the others.
fn lead<R: Send, E: Display + From<GroupError> + Send>(
    mut group: Option<&mut dyn Group>,
    Runs { done, run, keep, encode, decode, .. }: Runs<R, E>,
    progress: &dyn Progress,
) -> Result<Vec<Outcome<R, E>>, GroupError> {
    let outcomes =
        Vec::from_iter(done.into_iter().map(|known| Mutex::new(known.map(|known| Ok(Some(known))))));
    let outcome = |k: usize| outcomes[k].lock().unwrap_or_else(PoisonError::into_inner);
    let missing = Vec::from_iter((0..outcomes.len()).filter(|&k| outcome(k).is_none()));
    (missing.len()..outcomes.len()).for_each(|_| progress.advance());
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let take = || match stopped.load(Relaxed) {
        true => None,
        false => missing.get(next.fetch_add(1, Relaxed)).copied(),
    };
    let end = |k: usize, found: Outcome<R, E>| {
        let found = found.and_then(|found| {
            let kept = found.as_ref().map(|result| keep(k, result));
            if !matches!(kept, Some(Ok(()))) {
                stopped.store(true, Relaxed);
            }
            kept.transpose().map(|_| found)
        });
        *outcome(k) = Some(found);
        progress.advance();
    };
    let compute = |k: usize| end(k, run(k));
    let size = group.as_ref().map_or(1, |group| group.size());
    let (threads, share) = shared(missing.len(), size);
    match &mut group {
        None if threads::number() == 1 => iter::from_fn(take).for_each(compute),
        None => in_threads(threads, share, &take, &compute, || ()),
        Some(group) => in_threads(threads, share, &take, &compute, || {
            let served = serve(&mut **group, &take, |k, from, bytes| {
                end(k, decoded(bytes, from, decode));
            });
            stopped.fetch_or(served.is_err(), Relaxed);
            served
        })?,
    }
    let outcomes =
        outcomes.into_iter().map(|outcome| outcome.into_inner().unwrap_or_else(PoisonError::into_inner));
    let outcomes = Vec::from_iter(outcomes.map(|outcome| outcome.unwrap_or(Ok(None))));
    if let Some(group) = group {
        let encoded = outcomes.iter().flat_map(|outcome| {
            let bytes = encoded(outcome, encode);
            [(bytes.len() as u64).to_le_bytes().to_vec(), bytes].concat()
        });
        group.gather(&Vec::from_iter(encoded))?;
    }
    Ok(outcomes)
}

/// How many of these runs a rank computes at once, and how many threads each may use.
fn shared(runs: usize, ranks: usize) -> (usize, usize) {
    let cores = threads::number();
    (cores.min(runs.div_ceil(ranks)), if runs >= cores * ranks { 1 } else { cores })
}

/// Hands out runs until no other rank asks for one; `end` gets the run, the rank, and what it sent.
fn serve(
    group: &mut dyn Group,
    take: &dyn Fn() -> Option<usize>,
    end: impl Fn(usize, usize, &[u8]),
) -> Result<(), GroupError> {
    let mut others = group.size() - 1;
    while others > 0 {
        let Some((from, message)) = group.receive()? else {
            thread::sleep(NAP);
            continue;
        };
        match split(&message, from)? {
            (LEAVE, _) => {
                others -= 1;
                continue;
            }
            (FIRST, _) => {}
            (k, bytes) => end(k as usize, from, bytes),
        }
        group.send(from, &take().map_or(END, |k| k as u64).to_le_bytes())?;
    }
    Ok(())
}

/// Another rank: its threads compute, and this one asks rank 0 for runs.
fn follow<R: Send, E: Display + From<GroupError> + Send>(
    group: &mut dyn Group,
    Runs { done, run, encode, decode, .. }: &Runs<R, E>,
    progress: &dyn Progress,
) -> Result<Vec<Outcome<R, E>>, GroupError> {
    let (threads, share) = shared(done.len(), group.size());
    let (tasks, taken) = channel();
    let (ended, results) = channel();
    let taken = Mutex::new(taken);
    let take = || taken.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    let compute = |k: usize| {
        let outcome = catch_unwind(AssertUnwindSafe(|| run(k))).unwrap_or_else(|panic| {
            let _ = ended.send(None); // for the thread that waits for it
            resume_unwind(panic)
        });
        let _ = ended.send(Some((k, encoded(&outcome, *encode)))); // it is received, or that thread has ended
        progress.advance();
    };
    in_threads(threads, share, &take, &compute, || ask(group, threads, tasks, results))?;
    let all = group.gather(&[])?.swap_remove(0);
    let mut rest = &all[..];
    let outcome = |_| {
        let (length, after) = split(rest, 0)?;
        let (bytes, after) = after.split_at_checked(length as usize).ok_or_else(|| foreign(0))?;
        rest = after;
        Ok(decoded(bytes, 0, *decode))
    };
    (0..done.len()).map(outcome).collect()
}

/// Asks rank 0 for a run for each thread, and for another for each that has ended, until none is left.
fn ask(
    group: &mut dyn Group,
    threads: usize,
    tasks: Sender<usize>,
    results: Receiver<Option<(usize, Vec<u8>)>>,
) -> Result<(), GroupError> {
    (0..threads).try_for_each(|_| group.send(0, &FIRST.to_le_bytes()))?;
    let (mut asked, mut running) = (threads, 0);
    while asked + running > 0 {
        while let Some((from, message)) = group.receive()? {
            asked -= 1;
            if let (k, _) = split(&message, from)?
                && k != END
            {
                running += 1;
                let _ = tasks.send(k as usize); // the threads wait for it until all has ended
            }
        }
        match results.recv_timeout(NAP) {
            Ok(Some((k, result))) => {
                group.send(0, &[&(k as u64).to_le_bytes()[..], &result].concat())?;
                (running, asked) = (running - 1, asked + 1);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Ok(None) | Err(RecvTimeoutError::Disconnected) => {
                return Err(GroupError::Lost("a run has panicked".into()));
            }
        }
    }
    group.send(0, &LEAVE.to_le_bytes())
}

/// The number at the beginning of a message, and the rest.
fn split(message: &[u8], from: usize) -> Result<(u64, &[u8]), GroupError> {
    let (number, rest) = message.split_first_chunk().ok_or_else(|| foreign(from))?;
    Ok((u64::from_le_bytes(*number), rest))
}

fn foreign(from: usize) -> GroupError {
    GroupError::Message { from, expected: "the result of a run".into(), found: "something else".into() }
}

fn encoded<R, E: Display>(outcome: &Outcome<R, E>, encode: fn(&R) -> Value) -> Vec<u8> {
    match outcome {
        Ok(None) => vec![0],
        Ok(Some(result)) => [&[1], encode(result).to_string().as_bytes()].concat(),
        Err(error) => [&[2], error.to_string().as_bytes()].concat(),
    }
}

fn decoded<R, E: From<GroupError>>(
    bytes: &[u8],
    rank: usize,
    decode: fn(Value) -> Option<R>,
) -> Outcome<R, E> {
    match bytes.split_first() {
        Some((0, _)) => Ok(None),
        Some((1, json)) => {
            let result = serde_json::from_slice(json).ok().and_then(decode);
            Ok(Some(result.ok_or_else(|| foreign(rank))?))
        }
        Some((_, message)) => {
            Err(GroupError::Failed { rank, message: String::from_utf8_lossy(message).into() }.into())
        }
        None => Err(foreign(rank).into()),
    }
}
