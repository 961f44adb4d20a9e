//! [`Group`]: processes that train one model together, or share independent runs.

use std::fmt;

/// Processes (ranks) that train one model together: how they exchange bytes. For [`Fit::group`](crate::Fit::group).
///
/// The exchanges `all_gather`, `all_to_all` and `gather` are collective: every rank calls the same ones in the same order, and waits for
/// the others. All ranks know the lengths of all messages. [`send`](Group::send) and [`receive`](Group::receive) are between two ranks,
/// for [`Team`](crate::Team). One thread of a rank calls all of them.
pub trait Group: Send {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// The number of processes.
    fn size(&self) -> usize;

    /// Sends `sent` to every rank, and receives `lengths[r]` bytes from each rank r: `received` has them one after the other.
    ///
    /// # Errors
    /// If the ranks cannot communicate.
    fn all_gather(&mut self, sent: &[u8], received: &mut [u8], lengths: &[usize]) -> Result<(), GroupError>;

    /// Sends `sent_lengths[r]` bytes to each rank r, which stand in `sent` one after the other, and receives `lengths[r]` bytes from it.
    ///
    /// # Errors
    /// If the ranks cannot communicate.
    fn all_to_all(
        &mut self,
        sent: &[u8],
        sent_lengths: &[usize],
        received: &mut [u8],
        lengths: &[usize],
    ) -> Result<(), GroupError>;

    /// Sends a message to another rank, which takes it with [`receive`](Group::receive).
    ///
    /// # Errors
    /// If the ranks cannot communicate.
    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), GroupError>;

    /// Returns the next message that was sent to this rank, and who sent it; `None` if there is none yet. Messages of one rank keep their
    /// order.
    ///
    /// # Errors
    /// If the ranks cannot communicate.
    fn receive(&mut self) -> Result<Option<(usize, Vec<u8>)>, GroupError>;

    /// Sends some bytes to every rank, and returns those of every rank, in their order; their lengths may differ.
    ///
    /// # Errors
    /// If the ranks cannot communicate.
    fn gather(&mut self, sent: &[u8]) -> Result<Vec<Vec<u8>>, GroupError> {
        let size = self.size();
        let mut lengths = vec![0; 8 * size];
        self.all_gather(&(sent.len() as u64).to_le_bytes(), &mut lengths, &vec![8; size])?;
        let lengths =
            Vec::from_iter(lengths.as_chunks().0.iter().map(|&length| u64::from_le_bytes(length) as usize));
        let mut received = vec![0; lengths.iter().sum()];
        self.all_gather(sent, &mut received, &lengths)?;
        let mut rest = &received[..];
        Ok(lengths.iter().map(|&length| rest.split_off(..length).unwrap_or_default().to_vec()).collect())
    }
}

/// Why ranks cannot work together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupError {
    /// A rank began with something else than rank 0.
    Differs {
        /// The rank.
        rank: usize,
        /// What is different, in the plural.
        what: &'static str,
    },
    /// The parameters of a rank are no longer those of rank 0.
    Drifted {
        /// The rank.
        rank: usize,
        /// The epoch after which this was found.
        epoch: usize,
    },
    /// A message is not the one that was expected.
    Message {
        /// The rank from which it came.
        from: usize,
        /// The message that was expected.
        expected: String,
        /// The message that came.
        found: String,
    },
    /// Another rank failed.
    Failed {
        /// The rank.
        rank: usize,
        /// Its error.
        message: String,
    },
    /// The ranks cannot communicate.
    Lost(String),
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            GroupError::Differs { rank, what } => write!(
                f,
                "the {what} of rank {rank} differ from those of rank 0 | start all ranks with the same program, options and files"
            ),
            GroupError::Drifted { rank, epoch } => write!(
                f,
                "after epoch {epoch}, the parameters of rank {rank} differ from those of rank 0, where they must have the same bits | \
                 use machines with the same kind of processor, and resume from the last checkpoint"
            ),
            GroupError::Message { from, expected, found } => write!(
                f,
                "rank {from} sent {found}, expected {expected}: the ranks do not run the same training | start all ranks with the same program and options"
            ),
            GroupError::Failed { rank, message } => write!(f, "rank {rank}: {message}"),
            GroupError::Lost(why) => write!(f, "the ranks cannot communicate: {why}"),
        }
    }
}

impl std::error::Error for GroupError {}
