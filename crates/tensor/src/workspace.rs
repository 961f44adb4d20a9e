//! The memory of the tape: nodes, values and gradients, kept from step to step; recording into it and walking it back.

use std::any::Any;
use std::panic::Location;

use ndarray::{ArcArray1, ArrayD};

use crate::op::{Backward, Card, Forward, Inputs, Op};
use crate::{Buf, Gradients, ParamId, Params, Scalar, Shape, ShapeError, Tape, Var};

/// One value: from which earlier nodes it was computed, and where its numbers stand. By which operation, says the workspace's `ops`.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    pub shape: Shape,
    pub len: usize,
    pub param: Option<ParamId>, // that this is a use of
    pub home: Home,
    pub start: usize, // where its numbers start there
    pub memo: usize,  // how many numbers behind the value `forward` keeps
    pub tracked: bool,
    pub grad: usize, // where its gradient stands, if tracked and no parameter
    pub inputs: (u32, u32),
    pub at: &'static Location<'static>,
    pub name: Option<&'static str>,
    pub scope: u32,
}

impl Node {
    pub fn inputs(&self) -> std::ops::Range<usize> {
        self.inputs.0 as usize..self.inputs.1 as usize
    }
}

/// Where the numbers of a node stand.
#[derive(Clone, Copy)]
pub(crate) enum Home {
    /// In the workspace's arena.
    Arena,
    /// In theta.
    Theta,
    /// In an array that the user shares.
    Shared(u32),
}

/// A named part of a computation.
pub(crate) struct Scope {
    pub name: &'static str,
    pub outer: u32,
}

/// All that nodes may stand in, up to some node.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'a, T: Scalar> {
    pub values: &'a [T],
    pub theta: &'a [T],
    pub shared: &'a [ArcArray1<T>],
}

impl<'a, T: Scalar> Memory<'a, T> {
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

/// A value that no operation made: data, a constant, a parameter.
pub(crate) struct Leaf(pub Card);

pub(crate) const INPUT: Card =
    Card { name: "input", inputs: "", forward: "x", backward: "", story: "Data that the user gave." };
pub(crate) const PARAM: Card =
    Card { name: "param", inputs: "", forward: "θ", backward: "", story: "A parameter of the model." };
pub(crate) const DETACH: Card = Card {
    name: "detach",
    inputs: "x",
    forward: "x",
    backward: "0",
    story: "A value cut off from what made it.",
};

impl<T: Scalar> Op<T> for Leaf {
    fn card(&self) -> Card {
        self.0
    }
    fn shape(&self, _: Inputs<T>) -> Result<Shape, ShapeError> {
        unreachable!("a leaf is placed with its shape")
    }
    fn forward(&self, _: &mut Forward<T>) {}
    fn backward(&self, _: &mut Backward<T>) {}
}

/// The memory of tapes: nodes, values and gradients, kept from one step to the next.
///
/// Keep one for as long as you train: starting a tape rewinds it, so that a steady step allocates nothing. A new
/// one for every step gives the same numbers, only slower.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::new();
/// let w = params.add("w", &array![1.0, -2.0]);
///
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let loss = (3.0 * tape.param(w)).square().sum();
/// loss.backward();
/// assert_eq!(loss.item(), 45.0); // 9 (1 + 4)
/// assert_eq!(workspace.grads()[w], [18.0, -36.0]); // 18 w
/// ```
pub struct Workspace<T: Scalar = f32> {
    pub(crate) nodes: Vec<Node>,
    pub(crate) ops: Vec<Box<dyn Op<T>>>, // one for each node; behind them those of longer tapes, whose boxes are used again
    pub(crate) edges: Vec<u32>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) scope: u32, // of what is recorded now: its place in `scopes` plus one, or 0
    pub(crate) shared: Vec<ArcArray1<T>>,
    pub(crate) values: Buf<T>,
    values_used: usize,
    pub(crate) node_grads: Buf<T>,
    node_grads_used: usize,
    pub(crate) reached: Vec<bool>,
    pub(crate) walked_from: Option<u32>, // where the last `backward` started
    pub(crate) record: bool,
    pub(crate) tangents_pass_detach: bool, // for the gradient checks, which look for what was detached by mistake
    pub(crate) grads: Gradients<T>,
    part: Buf<T>,
    scratch: Buf<T>,
}

impl<T: Scalar> Workspace<T> {
    /// No memory yet; the first tape takes what it needs.
    pub fn new() -> Self {
        Workspace {
            nodes: Vec::new(),
            ops: Vec::new(),
            edges: Vec::new(),
            scopes: Vec::new(),
            scope: 0,
            shared: Vec::new(),
            values: Buf::new(1),
            values_used: 0,
            node_grads: Buf::new(2),
            node_grads_used: 0,
            reached: Vec::new(),
            walked_from: None,
            record: true,
            tangents_pass_detach: false,
            grads: Gradients::new(),
            part: Buf::new(4),
            scratch: Buf::new(5),
        }
    }

    /// Starts a tape: what is computed on it is recorded for `backward`.
    ///
    /// It borrows the parameters, so no value computed from them can outlive an update of theirs:
    ///
    /// ```compile_fail,E0502
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::new();
    /// let w = params.add("w", &array![1.0]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let loss = tape.param(w).square().sum();
    /// params.as_mut_slice()[0] = 2.0; // error[E0502]: cannot borrow `params` as mutable ..
    /// println!("{}", loss.item()); // .. because it is also borrowed as immutable here
    /// ```
    #[inline]
    pub fn tape<'p>(&'p mut self, params: &'p Params<T>) -> Tape<'p, T> {
        self.start(params, true)
    }

    /// Starts a tape that records no gradients: for evaluation. `backward` on it is an error.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::new();
    /// # let w = params.add("w", &array![2.0]);
    /// # let mut workspace = Workspace::new();
    /// let tape = workspace.no_grad(&params);
    /// let y = tape.param(w).square();
    /// assert_eq!(y.value()[0], 4.0);
    /// assert!(!y.needs_grad() && !tape.is_training());
    /// ```
    #[inline]
    pub fn no_grad<'p>(&'p mut self, params: &'p Params<T>) -> Tape<'p, T> {
        self.start(params, false)
    }

    fn start<'p>(&'p mut self, params: &'p Params<T>, record: bool) -> Tape<'p, T> {
        self.nodes.clear();
        self.shared.clear();
        self.values_used = 0;
        self.node_grads_used = 0;
        self.edges.clear();
        self.scopes.clear();
        self.scope = 0;
        self.walked_from = None;
        self.record = record;
        if record {
            self.grads.clear_updates();
            self.grads.prepare(params); // of the last step nothing is left that an optimizer could take for this one's
        }
        Tape::new(params, self, record)
    }

    /// The value of a scalar function of the parameters, and its gradient.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::new();
    /// let w = params.add("w", &array![0.5, 2.0]);
    /// let mut workspace = Workspace::new();
    /// let (value, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
    /// assert_eq!((value, &grads[w]), (4.25, &[1.0, 4.0][..]));
    /// ```
    #[track_caller]
    pub fn grad(
        &mut self,
        params: &Params<T>,
        f: impl for<'t> FnOnce(&'t Tape<'t, T>) -> Var<'t, T>,
    ) -> (T, &Gradients<T>) {
        let tape = self.tape(params);
        let loss = f(&tape);
        loss.backward();
        let value = loss.item();
        (value, &self.grads)
    }

    /// The value of a function of the parameters, without its gradient.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::new();
    /// # let w = params.add("w", &array![2.0, 3.0]);
    /// let y = Workspace::new().eval(&params, |tape| tape.param(w).square());
    /// assert_eq!(y, array![4.0, 9.0].into_dyn());
    /// ```
    pub fn eval(
        &mut self,
        params: &Params<T>,
        f: impl for<'t> FnOnce(&'t Tape<'t, T>) -> Var<'t, T>,
    ) -> ArrayD<T> {
        let tape = self.no_grad(params);
        f(&tape).value()
    }

    /// The gradient that the last `backward` left: of the loss with respect to every parameter.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::new();
    /// # let w = params.add("w", &array![2.0, 3.0]);
    /// # let mut workspace = Workspace::new();
    /// for _ in 0..2 {
    ///     workspace.tape(&params).param(w).square().sum().backward();
    /// }
    /// assert_eq!(workspace.grads()[w], [4.0, 6.0]); // of the last walk alone: nothing accumulates
    /// ```
    pub fn grads(&self) -> &Gradients<T> {
        &self.grads
    }

    /// The same, to change: for clipping, say.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::new();
    /// # let w = params.add("w", &array![30.0, 40.0]);
    /// # let mut workspace = Workspace::new();
    /// workspace.tape(&params).param(w).square().sum().backward();
    /// let norm = workspace.grads().norm();
    /// workspace.grads_mut().as_mut_slice().iter_mut().for_each(|g| *g /= norm); // to length 1
    /// assert_eq!(workspace.grads()[w], [0.6, 0.8]);
    /// ```
    pub fn grads_mut(&mut self) -> &mut Gradients<T> {
        &mut self.grads
    }

    /// Bytes that the values and the gradients of nodes take.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace};
    /// let params = Params::<f32>::new();
    /// let mut workspace = Workspace::new();
    /// workspace.tape(&params).input_with([1000], |x| x.fill(1.0)).exp();
    /// assert!(workspace.bytes() >= 2 * 1000 * 4); // the input and its exponential
    /// ```
    pub fn bytes(&self) -> usize {
        (self.values.len() + self.node_grads.len()) * size_of::<T>()
    }

    /// Fills all memory with NaN, so that whatever is read before it is written shows itself: for the gradient checks.
    pub(crate) fn poison(&mut self) {
        let nan = T::of(f64::NAN);
        for memory in [&mut self.values, &mut self.node_grads, &mut self.part, &mut self.scratch] {
            memory.fill(nan);
        }
        self.grads.as_mut_slice().fill(nan);
    }

    // ---- recording

    /// A node with room for its value, behind it for what `forward` keeps, and for its gradient.
    #[inline]
    #[track_caller]
    fn room(
        &mut self,
        shape: Shape,
        inputs: (u32, u32),
        memo: usize,
        tracked: bool,
        at: &'static Location<'static>,
    ) -> Node {
        let (len, home) = (shape.len(), Home::Arena);
        let room = len.checked_add(memo).expect("a value and what is kept beside it fit in memory");
        let start = reserve(&mut self.values, &mut self.values_used, room);
        let grad = if tracked { reserve(&mut self.node_grads, &mut self.node_grads_used, len) } else { 0 };
        Node { shape, len, param: None, home, start, memo, tracked, grad, inputs, at, name: None, scope: 0 }
    }

    /// Adds data of which only the numbers are still to be written: into this slice.
    #[inline]
    #[track_caller]
    pub(crate) fn input(&mut self, shape: Shape, at: &'static Location<'static>) -> (u32, &mut [T]) {
        let node = self.room(shape, (0, 0), 0, false, at);
        (self.put(Leaf(INPUT), node), &mut self.values[node.start..node.start + node.len])
    }

    /// Adds a node whose numbers stand in an array that the user shares.
    pub(crate) fn share(&mut self, x: ArcArray1<T>, shape: Shape, at: &'static Location<'static>) -> u32 {
        let (len, home) = (x.len(), Home::Shared(self.shared.len() as u32));
        self.shared.push(x);
        let node = Node {
            shape,
            len,
            param: None,
            home,
            start: 0,
            memo: 0,
            tracked: false,
            grad: 0,
            inputs: (0, 0),
            at,
            name: None,
            scope: 0,
        };
        self.put(Leaf(INPUT), node)
    }

    /// Adds the same numbers once more, as a value that does not depend on anything: of a dual number without its tangent.
    #[track_caller]
    pub(crate) fn detach(&mut self, params: &Params<T>, id: u32, at: &'static Location<'static>) -> u32 {
        let (edge, from) = (self.edges.len() as u32, self.nodes[id as usize]);
        self.edges.push(id);
        let inputs = (edge, edge + 1);
        if !T::HAS_TANGENT || self.tangents_pass_detach {
            let same = Node { param: None, tracked: false, inputs, at, name: None, ..from };
            return self.put(Leaf(DETACH), same);
        }
        let node = self.room(from.shape, inputs, 0, false, at);
        let (earlier, here) = self.values.split_at_mut(node.start);
        let memory = Memory { values: earlier, theta: params.as_slice(), shared: &self.shared };
        for (y, &x) in here.iter_mut().zip(memory.value(&from)) {
            *y = x.without_tangent();
        }
        self.put(Leaf(DETACH), node)
    }

    /// Makes room for the gradient of a node that had none.
    pub(crate) fn track(&mut self, id: usize) {
        let node = &mut self.nodes[id];
        if !node.tracked && self.record {
            node.tracked = true;
            node.grad = reserve(&mut self.node_grads, &mut self.node_grads_used, node.len);
        }
    }

    /// Puts a node behind the others; its operation in the box that the last tape left there, if it fits: a steady step allocates none.
    #[inline]
    pub(crate) fn put<O: Op<T>>(&mut self, op: O, node: Node) -> u32 {
        let id = self.nodes.len();
        self.nodes.push(Node { scope: self.scope, ..node });
        match self.ops.get_mut(id) {
            None => self.ops.push(Box::new(op)),
            Some(old) => match (&mut **old as &mut dyn Any).downcast_mut::<O>() {
                Some(slot) => *slot = op,
                None => *old = Box::new(op),
            },
        }
        id as u32
    }

    /// Everything that nodes stand in.
    pub(crate) fn memory<'a>(&'a self, params: &'a Params<T>) -> Memory<'a, T> {
        Memory { values: &self.values, theta: params.as_slice(), shared: &self.shared }
    }

    /// The numbers of a node.
    #[inline]
    pub(crate) fn value<'a>(&'a self, params: &'a Params<T>, id: u32) -> &'a [T] {
        self.memory(params).value(&self.nodes[id as usize])
    }

    #[inline]
    #[track_caller]
    pub(crate) fn apply<O: Op<T>>(
        &mut self,
        params: &Params<T>,
        op: O,
        ids: impl Iterator<Item = u32>,
        at: &'static Location<'static>,
    ) -> Result<u32, ShapeError> {
        let edges = self.edges.len();
        self.edges.extend(ids);
        let ids = &self.edges[edges..];
        let inputs = Inputs { nodes: &self.nodes, ids, memory: self.memory(params) };
        let shape = match op.shape(inputs) {
            Ok(shape) => shape,
            Err(error) => {
                let error = error.at(op.card().name, &self.describe_inputs(params, ids));
                self.edges.truncate(edges);
                return Err(error);
            }
        };
        let memo = op.memo(inputs);
        let tracked = self.record && ids.iter().any(|&id| self.nodes[id as usize].tracked);
        let node = self.room(shape, (edges as u32, self.edges.len() as u32), memo, tracked, at);
        let (earlier, here) = self.values.split_at_mut(node.start);
        let (y, memo) = here[..node.len + node.memo].split_at_mut(node.len);
        let memory = Memory { values: earlier, theta: params.as_slice(), shared: &self.shared };
        let inputs = Inputs { nodes: &self.nodes, ids: &self.edges[edges..], memory };
        op.forward(&mut Forward { inputs, y, memo, scratch: &mut self.scratch });
        Ok(self.put(op, node))
    }

    // ---- walking back

    pub(crate) fn backward(&mut self, params: &Params<T>, root: usize) {
        self.reached.clear();
        self.reached.resize(self.nodes.len(), false);
        if self.walked_from.replace(root as u32).is_some() {
            self.grads.prepare(params); // not the first walk on this tape, for which its start has done so
        }
        if self.nodes[root].tracked {
            match self.nodes[root].param {
                Some(param) => {
                    let (slot, reached) = self.grads.slot(param, self.nodes[root].start, 1);
                    (slot[0], *reached) = (T::ONE, true);
                }
                None => {
                    self.node_grads[self.nodes[root].grad] = T::ONE;
                    self.reached[root] = true;
                }
            }
        }
        // a node's inputs have smaller indices, so the order of recording is a topological order
        for id in (0..=root).rev() {
            let node = &self.nodes[id];
            // what stands elsewhere is a parameter or data, or one of these detached: nothing goes further back
            if !self.reached[id] || node.inputs.0 == node.inputs.1 || !matches!(node.home, Home::Arena) {
                continue;
            }
            let (earlier, here) = self.node_grads.split_at_mut(node.grad);
            let own = &self.values[node.start..node.start + node.len + node.memo];
            let memory =
                Memory { values: &self.values[..node.start], theta: params.as_slice(), shared: &self.shared };
            self.ops[id].backward(&mut Backward {
                inputs: Inputs { nodes: &self.nodes[..id], ids: &self.edges[node.inputs()], memory },
                y: &own[..node.len],
                dy: &here[..node.len],
                memo: &own[node.len..],
                before: earlier,
                reached: &mut self.reached,
                grads: &mut self.grads,
                part: &mut self.part,
                scratch: &mut self.scratch,
            });
        }
        self.grads.finish();
    }

    /// What operation `id` passes on to each of its inputs when `dy` comes in; nothing is added up anywhere. `None` for inputs
    /// that need no gradient, unless `all` are asked for.
    pub(crate) fn sends(
        &mut self,
        params: &Params<T>,
        id: usize,
        dy: &[T],
        all: bool,
    ) -> Vec<Option<Vec<T>>> {
        let node = self.nodes[id];
        // each input with a place of its own, so that one which is used twice shows what it gets from each use
        let mut places = 0;
        let inputs: Vec<Node> = self.edges[node.inputs()]
            .iter()
            .map(|&input| {
                let input = self.nodes[input as usize];
                let tracked = input.tracked || all;
                places += input.len;
                Node { param: None, tracked, grad: places - input.len, ..input }
            })
            .collect();
        if !matches!(node.home, Home::Arena) {
            return inputs.iter().map(|input| input.tracked.then(|| vec![T::ZERO; input.len])).collect();
        }
        let ids: Vec<u32> = (0..inputs.len() as u32).collect();
        let (mut sent, mut reached) = (vec![T::ZERO; places], vec![false; inputs.len()]);
        let own = &self.values[node.start..node.start + node.len + node.memo];
        let memory =
            Memory { values: &self.values[..node.start], theta: params.as_slice(), shared: &self.shared };
        self.ops[id].backward(&mut Backward {
            inputs: Inputs { nodes: &inputs, ids: &ids, memory },
            y: &own[..node.len],
            dy,
            memo: &own[node.len..],
            before: &mut sent,
            reached: &mut reached,
            grads: &mut self.grads,
            part: &mut self.part,
            scratch: &mut self.scratch,
        });
        inputs.iter().map(|input| input.tracked.then(|| sent[input.grad..][..input.len].to_vec())).collect()
    }

    // ---- telling

    /// What a node is called: the user's name for it, its parameter's, or the operation's with its line.
    pub(crate) fn describe(&self, params: &Params<T>, id: u32) -> String {
        let node = &self.nodes[id as usize];
        if let Some(param) = node.param {
            return format!("parameter \"{}\" {}", params.entry(param).name, node.shape);
        }
        let operation = self.ops[id as usize].card().name;
        // an operation on "hidden.weight" belongs to the layer "hidden"
        let layer = self.edges[node.inputs()].iter().find_map(|&input| {
            let param = self.nodes[input as usize].param?;
            params.entry(param).name.rsplit_once('.').map(|(layer, _)| layer)
        });
        let what = match node.name.or(layer) {
            Some(name) => format!("\"{name}\" ({operation})"),
            None => operation.to_string(),
        };
        format!("{what} {}, recorded at {}", node.shape, node.at)
    }

    fn describe_inputs(&self, params: &Params<T>, ids: &[u32]) -> String {
        let places: &[&str] = match ids.len() {
            1 => &["input: "],
            2 => &["left:  ", "right: "],
            _ => &["first: ", "second:", "third: ", "fourth:", "fifth: "],
        };
        let lines = ids.iter().enumerate().map(|(k, &id)| {
            format!("\n  {} {}", places.get(k).unwrap_or(&"next:  "), self.describe(params, id))
        });
        lines.collect()
    }
}

impl<T: Scalar> Default for Workspace<T> {
    fn default() -> Self {
        Workspace::new()
    }
}

/// Takes the next `len` numbers of an arena; what a vector register could read starts on a cache line.
#[inline]
#[track_caller]
fn reserve<T: Scalar>(arena: &mut Buf<T>, used: &mut usize, len: usize) -> usize {
    const LINE: usize = 16;
    let start = if len < LINE { *used } else { used.next_multiple_of(LINE) };
    let end = start.saturating_add(len); // then there is no memory for it
    if arena.len() < end {
        arena.resize(end);
    }
    *used = end;
    start
}
