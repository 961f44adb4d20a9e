//! [`local`]: ranks in the threads of one process.

use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use surprisal_train::{Group, GroupError};

/// A rank in a thread of its own. For tests, and to see in one process how ranks train together: see the example of the crate.
pub struct Local {
    rank: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Receiver<Vec<u8>>>,
    others: Vec<Option<Sender<Letter>>>, // none to itself
    inbox: Receiver<Letter>,
}

/// A message to one rank, and who sent it.
type Letter = (usize, Vec<u8>);

/// The ranks of a group, each for a thread of its own.
///
/// See the example of the crate.
pub fn local(size: usize) -> Vec<Local> {
    let (letters, inboxes): (Vec<_>, Vec<_>) = (0..size).map(|_| channel()).unzip();
    let rank = |(rank, inbox)| {
        let others = letters.iter().enumerate().map(|(to, sender)| (to != rank).then(|| sender.clone()));
        Local { rank, to: Vec::new(), from: Vec::new(), others: others.collect(), inbox }
    };
    let mut ranks = Vec::from_iter(inboxes.into_iter().enumerate().map(rank));
    for from in 0..size {
        for to in 0..size {
            let (sender, receiver) = channel();
            ranks[from].to.push(sender); // in the order of receivers
            ranks[to].from.push(receiver); // and of senders
        }
    }
    ranks
}

impl Local {
    fn pass(&self, to: usize, message: &[u8]) -> Result<(), GroupError> {
        self.to[to].send(message.to_vec()).map_err(|_| ended(to))
    }
    fn take(&self, received: &mut [u8], lengths: &[usize]) -> Result<(), GroupError> {
        let mut rest = received;
        for (from, &length) in lengths.iter().enumerate() {
            let message = self.from[from].recv().map_err(|_| ended(from))?;
            if message.len() != length {
                return Err(GroupError::Lost(format!(
                    "rank {from} sent {} bytes, expected {length}",
                    message.len()
                )));
            }
            let (part, after) = std::mem::take(&mut rest).split_at_mut(length);
            part.copy_from_slice(&message);
            rest = after;
        }
        Ok(())
    }
}

fn ended(rank: usize) -> GroupError {
    GroupError::Lost(format!("rank {rank} has ended"))
}

impl Group for Local {
    fn rank(&self) -> usize {
        self.rank
    }
    fn size(&self) -> usize {
        self.to.len()
    }
    fn all_gather(&mut self, sent: &[u8], received: &mut [u8], lengths: &[usize]) -> Result<(), GroupError> {
        (0..self.size()).try_for_each(|to| self.pass(to, sent))?;
        self.take(received, lengths)
    }
    fn all_to_all(
        &mut self,
        sent: &[u8],
        sent_lengths: &[usize],
        received: &mut [u8],
        lengths: &[usize],
    ) -> Result<(), GroupError> {
        let mut start = 0;
        for (to, length) in sent_lengths.iter().enumerate() {
            self.pass(to, &sent[start..start + length])?;
            start += length;
        }
        self.take(received, lengths)
    }
    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), GroupError> {
        let sender = self.others[to].as_ref().ok_or_else(|| ended(to))?;
        sender.send((self.rank, message.to_vec())).map_err(|_| ended(to))
    }
    fn receive(&mut self) -> Result<Option<(usize, Vec<u8>)>, GroupError> {
        match self.inbox.try_recv() {
            Ok(message) => Ok(Some(message)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(GroupError::Lost("all other ranks have ended".into())),
        }
    }
}
