//! [`Link`]: what a training sends to the other ranks of its group, and checks of what comes back.

use std::sync::atomic::{AtomicBool, Ordering};

use surprisal_data::Targets;
use surprisal_tensor::store::{bytes, bytes_mut};
use surprisal_tensor::{Gradients, Params, Scalar, Workspace, lerp};

use crate::shards::{Node, Shards};
use crate::{Batched, Group, GroupError};

/// What a message is about: checked by every rank that receives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Data and settings, before the first step.
    Start,
    /// The gradient of a batch of an epoch.
    Batch { epoch: usize, batch: usize },
    /// The loss of some rows after an epoch.
    Rows { epoch: usize, row: usize },
    /// The parameters after an epoch.
    Params { epoch: usize },
}

impl About {
    fn words(self) -> [u64; 3] {
        match self {
            About::Start => [1, 0, 0],
            About::Batch { epoch, batch } => [2, epoch as u64, batch as u64],
            About::Rows { epoch, row } => [3, epoch as u64, row as u64],
            About::Params { epoch } => [4, epoch as u64, 0],
        }
    }
    fn text([kind, epoch, at]: [u64; 3]) -> String {
        match kind {
            1 => "a message of the start".into(),
            2 => format!("the gradient of batch {at} of epoch {epoch}"),
            3 => format!("the losses from row {at} on, after epoch {epoch}"),
            4 => format!("the parameters after epoch {epoch}"),
            _ => "a message of another program".into(),
        }
    }
}

/// The rank, what it is about (three words), whether the training is to end.
const HEADER: usize = 5 * 8;

/// The link of a training to the other ranks, if there are any, and to who may interrupt it.
pub(crate) struct Link<'g, T> {
    group: Option<&'g mut dyn Group>,
    interrupt: Option<&'g AtomicBool>,
    wants_end: bool, // this rank
    ends: bool,      // all ranks: one of them wanted it in the last exchange
    message: Vec<u8>,
    messages: Vec<u8>,
    sent: Vec<T>,
    received: Vec<T>,
    roots: Vec<(Node, Vec<T>)>,
    free: Vec<Vec<T>>,  // memory for further ones
    losses: Vec<f64>,   // of the shards
    reached: Vec<bool>, // by one of them
}

impl<'g, T: Scalar> Link<'g, T> {
    pub fn new(group: Option<&'g mut dyn Group>, interrupt: Option<&'g AtomicBool>) -> Self {
        let group = group.filter(|group| group.size() > 1);
        Link {
            group,
            interrupt,
            wants_end: false,
            ends: false,
            message: Vec::new(),
            messages: Vec::new(),
            sent: Vec::new(),
            received: Vec::new(),
            roots: Vec::new(),
            free: Vec::new(),
            losses: Vec::new(),
            reached: Vec::new(),
        }
    }

    /// The number of this rank and of all.
    pub fn place(&self) -> (usize, usize) {
        self.group.as_ref().map_or((0, 1), |group| (group.rank(), group.size()))
    }

    fn interrupted(&self) -> bool {
        self.interrupt.is_some_and(|interrupt| interrupt.load(Ordering::Relaxed))
    }

    /// Whether the training is interrupted here: the same on all ranks, as of the last exchange.
    pub fn ends(&self) -> bool {
        if self.group.is_some() { self.ends } else { self.interrupted() }
    }

    /// A callback wants the training to end. Returns whether it ends now: alone at once, with other ranks after the next exchange.
    pub fn end(&mut self) -> bool {
        self.wants_end = true;
        self.group.is_none()
    }

    /// Begins a message with its header.
    fn header(&mut self, about: About) {
        let (rank, _) = self.place();
        let [kind, epoch, at] = about.words();
        let ends = u64::from(self.wants_end || self.interrupted());
        self.message.clear();
        self.message.extend([rank as u64, kind, epoch, at, ends].iter().flat_map(|word| word.to_le_bytes()));
    }

    /// Checks the header of a message; returns whether its rank wants to end.
    fn check(from: usize, message: &[u8], about: About) -> Result<bool, GroupError> {
        let word = |i: usize| message.as_chunks().0.get(i).map_or(0, |&word| u64::from_le_bytes(word));
        let (rank, found) = (word(0), [1, 2, 3].map(word));
        if rank != from as u64 || found != about.words() {
            let what = |rank: u64, words| format!("{} of rank {rank}", About::text(words));
            return Err(GroupError::Message {
                from,
                expected: what(from as u64, about.words()),
                found: what(rank, found),
            });
        }
        Ok(word(4) != 0)
    }

    /// Sends some bytes to every rank, and calls `each` with those of every rank, in their order.
    pub fn gather<E: From<GroupError>>(
        &mut self,
        about: About,
        own: &[u8],
        mut each: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (_, size) = self.place();
        if size == 1 {
            return each(0, own);
        }
        self.header(about);
        self.message.extend_from_slice(own);
        self.ends = false;
        let group = self.group.as_mut().expect("there are several ranks");
        let messages = group.gather(&self.message)?;
        for (rank, message) in messages.iter().enumerate() {
            self.ends |= Self::check(rank, message, about)?;
            each(rank, &message[HEADER..])?;
        }
        Ok(())
    }

    /// Checks that all ranks have the same checksums: `differs` makes the error from the rank and the place of the checksum.
    pub fn agree(
        &mut self,
        about: About,
        checksums: &[u32],
        differs: impl Fn(usize, usize) -> GroupError,
    ) -> Result<(), GroupError> {
        let own = Vec::from_iter(checksums.iter().flat_map(|checksum| checksum.to_le_bytes()));
        let mut first = Vec::new();
        self.gather(about, &own, |rank, bytes| {
            if rank == 0 {
                first.extend_from_slice(bytes);
            }
            match first.chunks(4).zip(bytes.chunks(4)).position(|(first, this)| first != this) {
                Some(at) => Err(differs(rank, at)),
                None => Ok(()),
            }
        })
    }

    /// Begins a batch.
    pub fn begin(&mut self) {
        self.losses.clear();
        self.reached.clear();
        self.free.extend(self.roots.drain(..).map(|(_, numbers)| numbers));
    }

    /// Adds the gradient and the loss of the next shard that this rank computes.
    pub fn add(&mut self, shards: Shards, shard: usize, loss: f64, grads: &Gradients<T>) {
        self.losses.push(loss);
        self.reached.resize(grads.reached().len(), false);
        self.reached.iter_mut().zip(grads.reached()).for_each(|(any, &reached)| *any |= reached);
        // copied only if it cannot be merged at once; until then, nothing stands for it
        let (gradient, new) = (grads.as_slice(), grads.new_values());
        shards.push(&mut self.roots, Node::leaf(shard), Vec::new(), |share, mut left, right| {
            if right.is_empty() {
                let (of_gradient, of_new) = left.split_at_mut(gradient.len());
                lerp(share, gradient, of_gradient);
                lerp(share, new, of_new);
            } else {
                lerp(share, &right, &mut left);
                self.free.push(right);
            }
            left
        });
        if let Some((_, numbers)) = self.roots.last_mut().filter(|(_, numbers)| numbers.is_empty()) {
            *numbers = self.free.pop().unwrap_or_default();
            numbers.clear();
            numbers.extend_from_slice(gradient);
            numbers.extend_from_slice(new);
        }
    }

    /// The mean over all shards of a batch, instead of the gradient of one; gives the loss of each shard.
    pub fn mean(
        &mut self,
        shards: Shards,
        about: About,
        grads: &mut Gradients<T>,
    ) -> Result<&[f64], GroupError> {
        match self.group.is_some() {
            true => self.exchange(shards, about, grads)?,
            false => write(&self.roots[0].1, grads), // the root of the whole tree
        }
        grads.reached_mut().copy_from_slice(&self.reached);
        Ok(&self.losses)
    }

    /// Every rank adds up its share of the numbers of all roots, and gets the sums of the others: each number is sent twice, whatever
    /// the number of ranks.
    fn exchange(&mut self, shards: Shards, about: About, grads: &mut Gradients<T>) -> Result<(), GroupError> {
        let (rank, size) = self.place();
        let numbers = grads.as_slice().len() + grads.new_values().len();
        let share = |rank: usize| rank * numbers / size..(rank + 1) * numbers / size;
        let reached = grads.reached().len();
        let lengths = |of: &dyn Fn(usize) -> usize| Vec::from_iter((0..size).map(of));

        self.header(about);
        self.message.extend(self.losses.iter().flat_map(|loss| loss.to_le_bytes()));
        self.reached.resize(reached, false); // of a rank without a shard, none is
        self.message.extend(self.reached.iter().map(|&reached| u8::from(reached)));
        let of_messages = lengths(&|from| HEADER + 8 * shards.of_rank(from, size).len() + reached);
        self.messages.resize(of_messages.iter().sum(), 0);
        let group = self.group.as_mut().expect("there are several ranks");
        group.all_gather(&self.message, &mut self.messages, &of_messages)?;
        self.ends = false;
        self.losses.clear();
        let mut rest = &self.messages[..];
        for (from, length) in of_messages.into_iter().enumerate() {
            let message;
            (message, rest) = rest.split_at(length);
            self.ends |= Self::check(from, message, about)?;
            let (losses, of_parameters) = message[HEADER..].split_at(length - HEADER - reached);
            self.losses.extend(losses.as_chunks().0.iter().map(|&loss| f64::from_le_bytes(loss)));
            self.reached.iter_mut().zip(of_parameters).for_each(|(any, &reached)| *any |= reached != 0);
        }

        let sent = match &self.roots[..] {
            [(_, root)] => root,
            roots => {
                self.sent.clear();
                (0..size).for_each(|to| {
                    roots.iter().for_each(|(_, root)| self.sent.extend_from_slice(&root[share(to)]))
                });
                &self.sent
            }
        };
        let width = size_of::<T>();
        let of_sent = lengths(&|to| self.roots.len() * share(to).len() * width);
        let of_received =
            lengths(&|from| shards.roots(shards.of_rank(from, size)).count() * share(rank).len() * width);
        self.received.resize(of_received.iter().sum::<usize>() / width, T::ZERO);
        group.all_to_all(
            bytes(T::numbers(sent)),
            &of_sent,
            bytes_mut(T::numbers_mut(&mut self.received)),
            &of_received,
        )?;

        // a root is where its numbers begin
        let (mut roots, received, own) = (Vec::new(), &mut self.received, share(rank).len());
        let nodes = (0..size).flat_map(|from| shards.roots(shards.of_rank(from, size)));
        for (place, node) in nodes.enumerate() {
            shards.push(&mut roots, node, place * own, |share, left, right| {
                let (before, after) = received.split_at_mut(right);
                lerp(share, &after[..own], &mut before[left..left + own]);
                left
            });
        }
        let mean = &self.received[..own]; // the leftmost
        let of_means = lengths(&|from| share(from).len() * width);
        let direct = grads.new_values().is_empty();
        let all = if direct {
            grads.as_mut_slice()
        } else {
            self.sent.resize(numbers, T::ZERO);
            &mut self.sent
        };
        group.all_gather(bytes(T::numbers(mean)), bytes_mut(T::numbers_mut(all)), &of_means)?;
        if !direct {
            write(&self.sent, grads);
        }
        Ok(())
    }
}

/// Writes the gradient and the new values that follow it.
fn write<T: Scalar>(numbers: &[T], grads: &mut Gradients<T>) {
    let (gradient, new) = numbers.split_at(grads.as_slice().len());
    grads.as_mut_slice().copy_from_slice(gradient);
    grads.new_values_mut().copy_from_slice(new);
}

/// The CRC-32 of the names, shapes and numbers of parameters.
pub(crate) fn checksum_of_params<T: Scalar>(params: &Params<T>) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    for entry in params.entries() {
        crc.update(format!("{} {}\n", entry.name, entry.shape).as_bytes());
    }
    crc.update(bytes(T::numbers(params.as_slice())));
    crc.finalize()
}

/// The CRC-32 of features, some rows at a time, and of targets.
pub(crate) fn checksum_of_data<T: Scalar>(
    data: &dyn Batched,
    block: usize,
    params: &Params<T>,
    workspace: &mut Workspace<T>,
) -> u32 {
    let (mut crc, mut labels) = (crc32fast::Hasher::new(), Vec::new());
    let rows = Vec::from_iter(0..data.rows());
    for rows in rows.chunks(block) {
        let tape = workspace.no_grad(params);
        data.features(&tape, rows).with_value(|features: &[T]| crc.update(bytes(T::numbers(features))));
        data.class_indices(rows, &mut labels);
        labels.iter().for_each(|&label| crc.update(&(label as u64).to_le_bytes()));
        if let Targets::Values(values) = data.targets()
            && !values.is_empty()
        {
            rows.iter().for_each(|&row| crc.update(&values[row].to_le_bytes()));
        }
    }
    crc.finalize()
}
