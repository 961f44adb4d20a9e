//! [`Link`]: what a training sends to the other ranks of its group, and checks of what comes back.

use std::sync::atomic::{AtomicBool, Ordering};

use surprisal_data::Targets;
use surprisal_tensor::store::{from_bytes, to_bytes};
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
    sent: Vec<u8>,
    received: Vec<u8>,
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

    /// Appends the header of a message.
    fn header(&mut self, about: About) {
        let (rank, _) = self.place();
        let [kind, epoch, at] = about.words();
        let ends = u64::from(self.wants_end || self.interrupted());
        self.sent.extend([rank as u64, kind, epoch, at, ends].iter().flat_map(|word| word.to_le_bytes()));
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
        self.sent.clear();
        self.header(about);
        self.sent.extend_from_slice(own);
        self.ends = false;
        let group = self.group.as_mut().expect("there are several ranks");
        let messages = group.gather(&self.sent)?;
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
        let mut numbers = self.free.pop().unwrap_or_default();
        numbers.clear();
        numbers.extend_from_slice(grads.as_slice());
        numbers.extend_from_slice(grads.new_values());
        self.losses.push(loss);
        self.reached.resize(grads.reached().len(), false);
        self.reached.iter_mut().zip(grads.reached()).for_each(|(any, &reached)| *any |= reached);
        push(shards, &mut self.roots, Node::leaf(shard), numbers, &mut self.free);
    }

    /// The mean over all shards of a batch, instead of the gradient of one; gives the loss of each shard.
    pub fn mean(
        &mut self,
        shards: Shards,
        about: About,
        grads: &mut Gradients<T>,
    ) -> Result<&[f64], GroupError> {
        if self.group.is_some() {
            self.exchange(shards, about, grads)?;
        }
        let mut roots = self.roots.drain(..);
        let (Some((_, mean)), None) = (roots.next(), roots.next()) else {
            unreachable!("a tree has one root")
        };
        drop(roots);
        let (gradient, new) = mean.split_at(grads.as_slice().len());
        grads.as_mut_slice().copy_from_slice(gradient);
        grads.new_values_mut().copy_from_slice(new);
        grads.reached_mut().copy_from_slice(&self.reached);
        self.free.push(mean);
        Ok(&self.losses)
    }

    /// Every rank adds up its share of the numbers of all roots, and gets the sums of the others: each number is sent twice, whatever
    /// the number of ranks.
    fn exchange(&mut self, shards: Shards, about: About, grads: &Gradients<T>) -> Result<(), GroupError> {
        let (rank, size) = self.place();
        let (numbers, width) = (grads.as_slice().len() + grads.new_values().len(), size_of::<T>());
        let share = |rank: usize| rank * numbers / size..(rank + 1) * numbers / size;
        let reached = grads.reached().len();
        let length = |from: usize, to: usize| {
            let of_rank = shards.of_rank(from, size);
            HEADER + 8 * of_rank.len() + reached + shards.roots(of_rank) * share(to).len() * width
        };
        self.sent.clear();
        self.reached.resize(reached, false); // of a rank without a shard, none is
        for to in 0..size {
            self.header(about);
            self.sent.extend(self.losses.iter().flat_map(|loss| loss.to_le_bytes()));
            self.sent.extend(self.reached.iter().map(|&reached| u8::from(reached)));
            for (_, root) in &self.roots {
                append(&root[share(to)], &mut self.sent);
            }
        }
        let lengths = |of: &dyn Fn(usize) -> usize| Vec::from_iter((0..size).map(of));
        let (sent, received) = (lengths(&|to| length(rank, to)), lengths(&|from| length(from, rank)));
        self.received.resize(received.iter().sum(), 0);
        let group = self.group.as_mut().expect("there are several ranks");
        group.all_to_all(&self.sent, &sent, &mut self.received, &received)?;

        self.begin();
        self.reached.resize(reached, false);
        self.ends = false;
        let mut start = 0;
        for (from, length) in received.into_iter().enumerate() {
            self.ends |= Self::check(from, &self.received[start..start + length], about)?;
            let rest = &self.received[start + HEADER..start + length];
            let of_rank = shards.of_rank(from, size);
            let (losses, rest) = rest.split_at(8 * of_rank.len());
            let (of_parameters, mut rest) = rest.split_at(reached);
            self.losses.extend(losses.as_chunks().0.iter().map(|&loss| f64::from_le_bytes(loss)));
            self.reached.iter_mut().zip(of_parameters).for_each(|(any, &reached)| *any |= reached != 0);
            let mut nodes = Vec::new(); // of this rank
            of_rank.for_each(|shard| shards.push(&mut nodes, Node::leaf(shard), (), |_, (), ()| ()));
            for (node, ()) in nodes {
                let root;
                (root, rest) = rest.split_at(share(rank).len() * width);
                let mut numbers = self.free.pop().unwrap_or_default();
                numbers.resize(share(rank).len(), T::ZERO);
                from_bytes(root, T::numbers_mut(&mut numbers));
                push(shards, &mut self.roots, node, numbers, &mut self.free);
            }
            start += length;
        }
        // the sums of the others
        self.sent.clear();
        let mut mean = self.roots.pop().expect("a tree has a root");
        append(&mean.1, &mut self.sent);
        let lengths = lengths(&|from| share(from).len() * width);
        self.received.resize(numbers * width, 0);
        let group = self.group.as_mut().expect("there are several ranks");
        group.all_gather(&self.sent, &mut self.received, &lengths)?;
        mean.1.resize(numbers, T::ZERO);
        from_bytes(&self.received, T::numbers_mut(&mut mean.1));
        self.roots.push(mean);
        Ok(())
    }
}

fn push<T: Scalar>(
    shards: Shards,
    roots: &mut Vec<(Node, Vec<T>)>,
    node: Node,
    numbers: Vec<T>,
    free: &mut Vec<Vec<T>>,
) {
    shards.push(roots, node, numbers, |share, mut left, right| {
        lerp(share, &right, &mut left);
        free.push(right);
        left
    });
}

/// Appends the bytes of numbers.
pub(crate) fn append<T: Scalar>(numbers: &[T], bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.resize(start + size_of_val(numbers), 0);
    to_bytes(T::numbers(numbers), &mut bytes[start..]);
}

/// The CRC-32 of the names, shapes and numbers of parameters.
pub(crate) fn checksum_of_params<T: Scalar>(params: &Params<T>) -> u32 {
    let names = params.entries().iter().map(|entry| format!("{} {}\n", entry.name, entry.shape));
    let mut bytes = names.collect::<String>().into_bytes();
    append(params.as_slice(), &mut bytes);
    crc32fast::hash(&bytes)
}

/// The CRC-32 of features, some rows at a time, and of targets.
pub(crate) fn checksum_of_data<T: Scalar>(
    data: &dyn Batched,
    block: usize,
    params: &Params<T>,
    workspace: &mut Workspace<T>,
) -> u32 {
    let (mut crc, mut bytes, mut labels) = (crc32fast::Hasher::new(), Vec::new(), Vec::new());
    let rows = Vec::from_iter(0..data.rows());
    for rows in rows.chunks(block) {
        bytes.clear();
        let tape = workspace.no_grad(params);
        data.features(&tape, rows).with_value(|features: &[T]| append(features, &mut bytes));
        data.class_indices(rows, &mut labels);
        bytes.extend(labels.iter().flat_map(|&label| (label as u64).to_le_bytes()));
        if let Targets::Values(values) = data.targets()
            && !values.is_empty()
        {
            bytes.extend(rows.iter().flat_map(|&row| values[row].to_le_bytes()));
        }
        crc.update(&bytes);
    }
    crc.finalize()
}
