//! [`World`]: the processes that `mpirun` started.

use mpi::Threading;
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::Universe;
use mpi::point_to_point::MatchedReceiveVec;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Destination, Source};
use surprisal_train::{Group, GroupError};

/// The processes that `mpirun` started, over MPI. A process that was not started by it is alone.
///
/// If a process of the group ends before the others, `mpirun` ends them.
///
/// All calls come from the thread that made it.
pub struct World {
    _universe: Universe, // ends MPI when it is dropped
}

impl World {
    /// Initializes MPI, once in a process.
    ///
    /// # Errors
    /// If it was initialized before.
    pub fn new() -> Result<Self, GroupError> {
        // only one thread communicates
        let initialized = mpi::initialize_with_threading(Threading::Funneled);
        let (universe, _) =
            initialized.ok_or_else(|| GroupError::Lost("MPI was initialized before".into()))?;
        Ok(World { _universe: universe })
    }
}

impl Drop for World {
    /// A rank that panics ends the others: to end MPI would wait for them, and they for it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            world().abort(101);
        }
    }
}

fn world() -> SimpleCommunicator {
    SimpleCommunicator::world()
}

/// Counts and displacements.
fn places(lengths: &[usize]) -> Result<(Vec<i32>, Vec<i32>), GroupError> {
    let mut start = 0;
    let mut places = (Vec::new(), Vec::new());
    for &length in lengths {
        let [count, place] = [length, start].map(i32::try_from);
        let (Ok(count), Ok(place)) = (count, place) else {
            return Err(GroupError::Lost(format!(
                "a message has more than {} bytes, the maximum of MPI | use a smaller model, or more ranks",
                i32::MAX
            )));
        };
        places.0.push(count);
        places.1.push(place);
        start += length;
    }
    Ok(places)
}

/// The same bytes, at an address that is not that of an empty `Vec`: 1, which means `MPI_IN_PLACE` to Open MPI.
fn addressed(bytes: &[u8]) -> &[u8] {
    if bytes.is_empty() { &[0][..0] } else { bytes }
}

impl Group for World {
    fn rank(&self) -> usize {
        world().rank() as usize
    }
    fn size(&self) -> usize {
        world().size() as usize
    }
    fn all_gather(&mut self, sent: &[u8], received: &mut [u8], lengths: &[usize]) -> Result<(), GroupError> {
        if lengths.iter().all(|&length| length == 0) {
            return Ok(());
        }
        let (counts, starts) = places(lengths)?;
        let mut received = PartitionMut::new(received, counts, starts);
        world().all_gather_varcount_into(addressed(sent), &mut received);
        Ok(())
    }
    fn all_to_all(
        &mut self,
        sent: &[u8],
        sent_lengths: &[usize],
        received: &mut [u8],
        lengths: &[usize],
    ) -> Result<(), GroupError> {
        let ((counts, starts), (sent_counts, sent_starts)) = (places(lengths)?, places(sent_lengths)?);
        let sent = Partition::new(addressed(sent), sent_counts, sent_starts);
        let mut received = PartitionMut::new(received, counts, starts);
        world().all_to_all_varcount_into(&sent, &mut received);
        Ok(())
    }
    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), GroupError> {
        places(&[message.len()])?;
        world().process_at_rank(to as i32).send(addressed(message));
        Ok(())
    }
    fn receive(&mut self) -> Result<Option<(usize, Vec<u8>)>, GroupError> {
        let found =
            world().any_process().immediate_matched_probe().map(MatchedReceiveVec::matched_receive_vec);
        Ok(found.map(|(message, status)| (status.source_rank() as usize, message)))
    }
}
