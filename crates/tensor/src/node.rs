//! One value on a tape, and where its numbers are stored.

use std::panic::Location;

use ndarray::ArcArray1;

use crate::{ParamId, Shape};

/// One value: from which earlier nodes it was computed, and where its numbers are. Its operation is in the graph's `ops`.
#[derive(Clone, Copy)]
pub struct Node {
    pub shape: Shape,
    pub len: usize,
    pub leaf: Option<Leaf>,
    pub param: Option<ParamId>, // that this is a use of
    pub home: Home,
    pub start: usize, // where its numbers start there
    pub memo: usize,  // how many numbers behind the value `forward` keeps
    pub tracked: bool,
    pub grad: usize, // where its gradient stands, if tracked and no parameter
    pub inputs: (u32, u32),
    pub at: &'static Location<'static>,
    pub name: u32, // its place in `names` plus one, or 0
    pub scope: u32,
}

impl Node {
    /// A node of `len` numbers without an operation, not in the graph yet.
    #[inline(always)]
    pub fn leaf(shape: Shape, len: usize, at: &'static Location<'static>) -> Node {
        Node {
            shape,
            len,
            leaf: Some(Leaf::Input),
            param: None,
            home: Home::Arena,
            start: 0,
            memo: 0,
            tracked: false,
            grad: 0,
            inputs: (0, 0),
            at,
            name: 0,
            scope: 0,
        }
    }
    pub fn inputs(&self) -> std::ops::Range<usize> {
        self.inputs.0 as usize..self.inputs.1 as usize
    }
}

/// Where the numbers of a node stand.
#[derive(Clone, Copy)]
pub enum Home {
    /// In the workspace's arena.
    Arena,
    /// In theta.
    Theta,
    /// In an array that the user shares.
    Shared(u32),
}

/// What made a value, if no operation did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leaf {
    Input,
    Param,
    Detached,
}

/// All that nodes may stand in, up to some node.
#[derive(Clone, Copy)]
pub struct Memory<'a, T> {
    pub values: &'a [T],
    pub theta: &'a [T],
    pub shared: &'a [ArcArray1<T>],
}

impl<'a, T> Memory<'a, T> {
    #[inline]
    pub fn value(&self, node: &Node) -> &'a [T] {
        let from = match node.home {
            Home::Arena => self.values,
            Home::Theta => self.theta,
            Home::Shared(k) => self.shared(k),
        };
        &from[node.start..node.start + node.len]
    }
    #[inline(never)]
    fn shared(&self, k: u32) -> &'a [T] {
        self.shared[k as usize].as_slice().expect("only what is stored by rows is shared")
    }
}
