//! The memory of the tape: nodes, values and gradients, kept from step to step; recording into it and walking it back.

use std::any::Any;
use std::borrow::Cow;
use std::panic::Location;

use ndarray::{ArcArray1, ArrayD};

use crate::node::{Home, Leaf, Memory, Node};
use crate::op::{Backward, Card, Forward, Inputs, Op, Recorded, Room, Shapes};
use crate::store::Numbers;
use crate::{Buf, Entry, Gradients, ParamId, Params, Scalar, Shape, ShapeError, Tape, Var};

/// A named part of a computation.
pub struct Scope {
    pub name: Cow<'static, str>,
    pub outer: u32,
}

/// What one layer recorded, on a tape that notes it: see [`Tape::noting_layers`].
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNote {
    /// "Linear"
    pub kind: String,
    /// The layer in which it stands, as a place in [`Tape::layers`].
    pub outer: Option<usize>,
    /// The nodes that were recorded from its start to its end.
    pub nodes: std::ops::Range<usize>,
    /// How many layers had ended when it did.
    pub ended: usize,
}

impl Leaf {
    const ALL: [&'static LeafCard; 3] = [
        &LeafCard(Card {
            name: "input",
            inputs: "",
            forward: "x",
            backward: "",
            story: "Data that the user gave.",
        }),
        &LeafCard(Card {
            name: "param",
            inputs: "",
            forward: "θ",
            backward: "",
            story: "A parameter of the model.",
        }),
        &LeafCard(Card {
            name: "detach",
            inputs: "x",
            forward: "x",
            backward: "0",
            story: "A value cut off from what made it.",
        }),
    ];
}

/// What stands in the place of a leaf's operation, which is never run.
#[derive(Clone, Copy)]
pub struct LeafCard(Card);

impl Op for LeafCard {
    fn card(&self) -> Card {
        self.0
    }
    fn shape(&self, _: Shapes) -> Result<Shape, ShapeError> {
        unreachable!("a leaf is placed with its shape")
    }
    fn forward<T: Scalar>(&self, _: &mut Forward<T>) {}
    fn backward<T: Scalar>(&self, _: &mut Backward<T>) {}
}

/// The memory of tapes: nodes, values and gradients, kept from one step to the next.
///
/// Keep one for as long as you train: starting a tape rewinds it, so that a steady step allocates nothing. A new
/// one for every step gives the same numbers, only slower.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
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
    pub(crate) graph: Graph,
    pub(crate) arena: Arena<T>,
}

/// What was computed from what: all of a tape but its numbers.
pub struct Graph {
    pub nodes: Vec<Node>,
    pub ops: Vec<Box<dyn Recorded>>, // one for each node; behind them those of longer tapes, whose boxes are used again
    pub edges: Vec<u32>,
    pub names: Vec<Cow<'static, str>>,
    pub scopes: Vec<Scope>,
    pub layers: Vec<LayerNote>,
    pub layer: Option<usize>, // that records now
    pub layers_ended: usize,
    pub least_rows: usize, // see `Tape::require_rows`
    pub scope: u32,        // of what is recorded now: its place in `scopes` plus one, or 0
    pub reached: Vec<bool>,
    pub walked_from: Option<u32>, // where the last `backward` started
    pub given: Option<u32>,       // the node whose value is the gradient there, if that was `backward_by`
    pub record: bool,
    pub tangents_pass_detach: bool, // for the gradient checks, which look for what was detached by mistake
    values_used: usize,
    node_grads_used: usize,
}

/// The numbers of a tape.
pub struct Arena<T: Scalar> {
    shared: Vec<ArcArray1<T>>,
    values: Buf<T>,
    pub node_grads: Buf<T>,
    pub grads: Gradients<T>,
    room: Room<T>,
}

/// The gradient from which a backward pass starts.
pub enum Given<'a> {
    /// Numbers, which are copied.
    Numbers(Numbers<'a>),
    /// The value of a node, which is not.
    Node(u32),
}

/// The parameters and the arena of a tape on one type of numbers.
pub struct On<'p, T: Scalar> {
    pub params: &'p Params<T>,
    pub arena: &'p mut Arena<T>,
}

impl<T: Scalar> Workspace<T> {
    /// No memory yet; the first tape takes what it needs.
    pub fn new() -> Self {
        Workspace {
            graph: Graph {
                nodes: Vec::new(),
                ops: Vec::new(),
                edges: Vec::new(),
                names: Vec::new(),
                scopes: Vec::new(),
                layers: Vec::new(),
                layer: None,
                layers_ended: 0,
                least_rows: 1,
                scope: 0,
                reached: Vec::new(),
                walked_from: None,
                given: None,
                record: true,
                tangents_pass_detach: false,
                values_used: 0,
                node_grads_used: 0,
            },
            arena: Arena {
                shared: Vec::new(),
                values: Buf::new(1),
                node_grads: Buf::new(2),
                grads: Gradients::new(),
                room: Room::new(),
            },
        }
    }

    /// Starts a tape: what is computed on it is recorded for `backward`.
    ///
    /// It borrows the parameters, so no value computed from them can outlive an update of theirs:
    ///
    /// ```compile_fail,E0502
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![1.0]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let loss = tape.param(w).square().sum();
    /// params.as_mut_slice()[0] = 2.0; // error[E0502]: cannot borrow `params` as mutable ..
    /// println!("{}", loss.item()); // .. because it is also borrowed as immutable here
    /// ```
    #[inline]
    pub fn tape<'p>(&'p mut self, params: &'p Params<T>) -> Tape<'p> {
        self.start(params, true)
    }

    /// Starts a tape that records no gradients: for evaluation. `backward` on it is an error.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![2.0]);
    /// # let mut workspace = Workspace::new();
    /// let tape = workspace.no_grad(&params);
    /// let y = tape.param(w).square();
    /// assert_eq!(y.value()[0], 4.0);
    /// assert!(!y.needs_grad() && !tape.is_training());
    /// ```
    #[inline]
    pub fn no_grad<'p>(&'p mut self, params: &'p Params<T>) -> Tape<'p> {
        self.start(params, false)
    }

    fn start<'p>(&'p mut self, params: &'p Params<T>, record: bool) -> Tape<'p> {
        let (graph, arena) = (&mut self.graph, &mut self.arena);
        graph.clear(record);
        arena.shared.clear();
        if record {
            arena.grads.clear_updates();
            arena.grads.prepare(params); // of the last step nothing is left that an optimizer could take for this one's
        }
        Tape::new(params.entries(), params.frozen(), graph, T::store(On { params, arena }), record)
    }

    /// The value of a scalar function of the parameters, and its gradient.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![0.5, 2.0]);
    /// let mut workspace = Workspace::new();
    /// let (value, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
    /// assert_eq!((value, &grads[w]), (4.25, &[1.0, 4.0][..]));
    /// ```
    #[track_caller]
    pub fn grad(
        &mut self,
        params: &Params<T>,
        f: impl for<'t> FnOnce(&'t Tape<'t>) -> Var<'t>,
    ) -> (T, &Gradients<T>) {
        let tape = self.tape(params);
        let loss = f(&tape);
        loss.backward();
        let value = loss.number::<T>();
        (value, &self.arena.grads)
    }

    /// The value of a function of the parameters, without its gradient.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![2.0, 3.0]);
    /// let y = Workspace::new().eval(&params, |tape| tape.param(w).square());
    /// assert_eq!(y, array![4.0, 9.0].into_dyn());
    /// ```
    pub fn eval(&mut self, params: &Params<T>, f: impl for<'t> FnOnce(&'t Tape<'t>) -> Var<'t>) -> ArrayD<T> {
        let tape = self.no_grad(params);
        f(&tape).to_array()
    }

    /// The gradient that the last `backward` left: of the loss with respect to every parameter.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![2.0, 3.0]);
    /// # let mut workspace = Workspace::new();
    /// for _ in 0..2 {
    ///     workspace.tape(&params).param(w).square().sum().backward();
    /// }
    /// assert_eq!(workspace.grads()[w], [4.0, 6.0]); // of the last walk alone: nothing accumulates
    /// ```
    pub fn grads(&self) -> &Gradients<T> {
        &self.arena.grads
    }

    /// The same, to change: for clipping, say.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![30.0, 40.0]);
    /// # let mut workspace = Workspace::new();
    /// workspace.tape(&params).param(w).square().sum().backward();
    /// let norm = workspace.grads().norm();
    /// workspace.grads_mut().as_mut_slice().iter_mut().for_each(|g| *g /= norm); // to length 1
    /// assert_eq!(workspace.grads()[w], [0.6, 0.8]);
    /// ```
    pub fn grads_mut(&mut self) -> &mut Gradients<T> {
        &mut self.arena.grads
    }

    /// Bytes that the values and the gradients of nodes take.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// workspace.tape(&params).input_with([1000], |_| 1.0).exp();
    /// assert!(workspace.bytes() >= 2 * 1000 * 4); // the input and its exponential
    /// ```
    pub fn bytes(&self) -> usize {
        (self.arena.values.len() + self.arena.node_grads.len()) * size_of::<T>()
    }

    /// Fills all memory with NaN, so that whatever is read before it is written shows itself: for the gradient checks.
    pub(crate) fn poison(&mut self) {
        let nan = T::of(f64::NAN);
        let Arena { values, node_grads, grads, room, .. } = &mut self.arena;
        for memory in [values, node_grads, &mut room.scratch, &mut room.packing, &mut room.part] {
            memory.fill(nan);
        }
        grads.as_mut_slice().fill(nan);
    }
}

impl Graph {
    fn clear(&mut self, record: bool) {
        self.nodes.clear();
        self.edges.clear();
        self.names.clear();
        self.scopes.clear();
        self.layers.clear();
        (self.layer, self.layers_ended, self.least_rows) = (None, 0, 1);
        self.scope = 0;
        (self.walked_from, self.given) = (None, None);
        self.record = record;
        self.values_used = 0;
        self.node_grads_used = 0;
    }

    /// Puts the operation of the last node in the box that the last tape left there, if it fits: a steady step allocates none.
    #[inline]
    pub fn put_op<O: Op>(&mut self, op: O) -> u32 {
        let id = self.nodes.len() - 1;
        match self.ops.get_mut(id) {
            None => self.ops.push(Box::new(op)),
            Some(old) => match (&mut **old as &mut dyn Any).downcast_mut::<O>() {
                Some(slot) => *slot = op,
                None => *old = Box::new(op),
            },
        }
        id as u32
    }

    /// Takes back the edges of an operation that does not take its inputs, and says where.
    #[cold]
    fn refuse(&mut self, entries: &[Entry], edges: usize, name: &str, error: ShapeError) -> ShapeError {
        let error = error.at(name, &self.describe_inputs(entries, &self.edges[edges..]));
        self.edges.truncate(edges);
        error
    }

    /// [`put_op`](Self::put_op) of an operation that comes in a box of its own.
    pub fn put_boxed(&mut self, op: Box<dyn Recorded>) -> u32 {
        let id = self.nodes.len() - 1;
        match self.ops.get_mut(id) {
            None => self.ops.push(op),
            Some(old) => *old = op,
        }
        id as u32
    }

    /// Puts a value behind the others that no operation made.
    #[inline(always)] // a node is large
    pub fn put_leaf(&mut self, node: Node) -> u32 {
        let id = self.nodes.len();
        self.nodes.push(Node { scope: self.scope, ..node });
        if id == self.ops.len() {
            self.ops.push(Box::new(*Leaf::ALL[0])); // a place; what a longer tape left there may stay
        }
        id as u32
    }

    /// The card of a node's operation, and its functions.
    pub fn op(&self, id: usize) -> &dyn Recorded {
        match self.nodes[id].leaf {
            None => &*self.ops[id],
            Some(leaf) => Leaf::ALL[leaf as usize],
        }
    }

    /// What a node is called: the user's name for it, its parameter's, or the operation's with its line.
    pub fn describe(&self, entries: &[Entry], id: u32) -> String {
        let node = &self.nodes[id as usize];
        if let Some(param) = node.param {
            return format!("parameter \"{}\" {}", entries[param.index()].name, node.shape);
        }
        let operation = self.op(id as usize).card().name;
        // an operation on "hidden.weight" belongs to the layer "hidden"
        let layer = self.edges[node.inputs()].iter().find_map(|&input| {
            let param = self.nodes[input as usize].param?;
            entries[param.index()].name.rsplit_once('.').map(|(layer, _)| layer)
        });
        let what = match self.name(id).or(layer) {
            Some(name) => format!("\"{name}\" ({operation})"),
            None => operation.to_string(),
        };
        format!("{what} {}, recorded at {}", node.shape, node.at)
    }

    /// The name that the user gave a node.
    pub fn name(&self, id: u32) -> Option<&str> {
        let place = (self.nodes[id as usize].name as usize).checked_sub(1)?;
        Some(&self.names[place])
    }

    pub fn describe_inputs(&self, entries: &[Entry], ids: &[u32]) -> String {
        let places: &[&str] = match ids.len() {
            1 => &["input: "],
            2 => &["left:  ", "right: "],
            _ => &["first: ", "second:", "third: ", "fourth:", "fifth: "],
        };
        let lines = ids.iter().enumerate().map(|(k, &id)| {
            format!("\n  {} {}", places.get(k).unwrap_or(&"next:  "), self.describe(entries, id))
        });
        lines.collect()
    }
}

impl<T: Scalar> On<'_, T> {
    /// Room for a value, behind it for what `forward` keeps, and for its gradient: where each starts.
    #[inline]
    #[track_caller]
    fn room(&mut self, graph: &mut Graph, len: usize, memo: usize, tracked: bool) -> (usize, usize) {
        let room = len.checked_add(memo).expect("a value and what is kept beside it fit in memory");
        let start = reserve(&mut self.arena.values, &mut graph.values_used, room);
        let grad =
            if tracked { reserve(&mut self.arena.node_grads, &mut graph.node_grads_used, len) } else { 0 };
        (start, grad)
    }

    /// A node for data of which only the numbers are still to be written: into this slice.
    #[inline(always)]
    #[track_caller]
    pub fn input(
        &mut self,
        graph: &mut Graph,
        shape: Shape,
        at: &'static Location<'static>,
    ) -> (u32, &mut [T]) {
        let len = shape.len();
        let (start, _) = self.room(graph, len, 0, false);
        let id = graph.put_leaf(Node { start, ..Node::leaf(shape, len, at) });
        (id, &mut self.arena.values[start..start + len])
    }

    /// Adds a node whose numbers stand in an array that the user shares, an `ArcArray1<T>`; `None` if it is one of other numbers.
    pub fn share(
        &mut self,
        graph: &mut Graph,
        x: &dyn Any,
        shape: Shape,
        at: &'static Location<'static>,
    ) -> Option<u32> {
        let x: &ArcArray1<T> = x.downcast_ref()?;
        let home = Home::Shared(self.arena.shared.len() as u32);
        self.arena.shared.push(x.clone());
        Some(graph.put_leaf(Node { home, ..Node::leaf(shape, x.len(), at) }))
    }

    /// Notes a new value for a buffer.
    pub fn note_update(&mut self, id: ParamId, node: &Node) {
        let Arena { values, shared, grads, .. } = &mut *self.arena;
        let memory = Memory { values, theta: self.params.as_slice(), shared };
        grads.note_update(id, memory.value(node));
        self.params.note_buffer();
    }

    /// Adds the same numbers once more, as a value that does not depend on anything: of a dual number without its tangent.
    #[track_caller]
    pub fn detach(&mut self, graph: &mut Graph, id: u32, at: &'static Location<'static>) -> u32 {
        let (edge, from) = (graph.edges.len() as u32, graph.nodes[id as usize]);
        graph.edges.push(id);
        let inputs = (edge, edge + 1);
        if !T::HAS_TANGENT || graph.tangents_pass_detach {
            let leaf = Some(Leaf::Detached);
            return graph.put_leaf(Node { leaf, param: None, tracked: false, inputs, at, name: 0, ..from });
        }
        let (start, _) = self.room(graph, from.len, 0, false);
        let (earlier, here) = self.arena.values.split_at_mut(start);
        let memory = Memory { values: earlier, theta: self.params.as_slice(), shared: &self.arena.shared };
        for (y, &x) in here.iter_mut().zip(memory.value(&from)) {
            *y = x.without_tangent();
        }
        graph.put_leaf(Node {
            leaf: Some(Leaf::Detached),
            start,
            inputs,
            ..Node::leaf(from.shape, from.len, at)
        })
    }

    /// Makes room for the gradient of a node that had none.
    pub fn track(&mut self, graph: &mut Graph, id: usize) {
        let node = &mut graph.nodes[id];
        if !node.tracked && graph.record {
            node.tracked = true;
            node.grad = reserve(&mut self.arena.node_grads, &mut graph.node_grads_used, node.len);
        }
    }

    /// Everything that nodes stand in.
    pub fn memory(&self) -> Memory<'_, T> {
        Memory { values: &self.arena.values, theta: self.params.as_slice(), shared: &self.arena.shared }
    }

    /// Computes the value of an operation whose inputs are the edges from `edges` on, and puts its node behind the others;
    /// [`Graph::put_op`] does the rest.
    #[inline]
    #[track_caller]
    pub fn apply<R: Recorded + ?Sized>(
        &mut self,
        graph: &mut Graph,
        entries: &[Entry],
        op: &R,
        edges: usize,
        at: &'static Location<'static>,
    ) -> Result<(), ShapeError> {
        let ids = &graph.edges[edges..];
        let memory = self.memory();
        let shapes = Shapes { nodes: &graph.nodes, ids, memory: T::memory(&memory) };
        let shape = match op.shape(shapes) {
            Ok(shape) => shape,
            Err(error) => return Err(graph.refuse(entries, edges, op.card().name, error)),
        };
        let memo = op.memo(shapes);
        let tracked = graph.record && ids.iter().any(|&id| graph.nodes[id as usize].tracked);
        let len = shape.len();
        let (start, grad) = self.room(graph, len, memo, tracked);
        let (earlier, here) = self.arena.values.split_at_mut(start);
        let (y, behind) = here.split_at_mut(len);
        let memory = Memory { values: earlier, theta: self.params.as_slice(), shared: &self.arena.shared };
        let inputs = Inputs { nodes: &graph.nodes, ids: &graph.edges[edges..], memory: &memory };
        T::forward(op, &mut Forward { inputs, y, memo: &mut behind[..memo], room: &mut self.arena.room });
        graph.nodes.push(Node {
            shape,
            len,
            leaf: None,
            param: None,
            home: Home::Arena,
            start,
            memo,
            tracked,
            grad,
            inputs: (edges as u32, graph.edges.len() as u32),
            at,
            name: 0,
            scope: graph.scope,
        });
        Ok(())
    }

    /// Walks back from a node, whose gradient is given.
    pub fn backward(&mut self, graph: &mut Graph, root: usize, gradient: Given) {
        let arena = &mut *self.arena;
        graph.reached.clear();
        graph.reached.resize(graph.nodes.len(), false);
        if graph.walked_from.replace(root as u32).is_some() {
            arena.grads.prepare(self.params); // not the first walk on this tape, for which its start has done so
        }
        let Arena { shared, values, node_grads, grads, room } = arena;
        let memory = Memory { values, theta: self.params.as_slice(), shared };
        let node_grads = &mut node_grads[..];
        graph.given = None;
        let (gradient, dy_of_root) = match gradient {
            Given::Numbers(numbers) => (numbers, None),
            Given::Node(id) => {
                graph.given = Some(id);
                let dy = memory.value(&graph.nodes[id as usize]);
                (T::numbers(dy), Some(dy))
            }
        };
        if graph.nodes[root].tracked {
            match graph.nodes[root].param {
                Some(param) => {
                    let (start, len) = (graph.nodes[root].start, graph.nodes[root].len);
                    let (slots, reached) = grads.slot(param, start, len);
                    gradient.copy_to(slots);
                    *reached = true;
                }
                None => {
                    let (at, len) = (graph.nodes[root].grad, graph.nodes[root].len);
                    if dy_of_root.is_none() {
                        gradient.copy_to(&mut node_grads[at..at + len]);
                    }
                    graph.reached[root] = true;
                }
            }
        }
        // a node's inputs have smaller indices, so the order of recording is a topological order
        for id in (0..=root).rev() {
            let node = &graph.nodes[id];
            // what stands elsewhere is a parameter or data, or one of these detached: nothing goes further back
            if !graph.reached[id] || node.leaf.is_some() {
                continue;
            }
            let (before, here) = node_grads.split_at_mut(node.grad);
            let (y, behind) = memory.values[node.start..].split_at(node.len);
            let dy = match dy_of_root {
                Some(dy) if id == root => dy,
                _ => &here[..node.len],
            };
            let b = &mut Backward {
                inputs: Inputs { nodes: &graph.nodes, ids: &graph.edges[node.inputs()], memory: &memory },
                y,
                dy,
                memo: &behind[..node.memo],
                before,
                reached: &mut graph.reached,
                grads,
                room,
            };
            T::backward(&*graph.ops[id], b);
        }
        grads.finish();
    }

    /// What operation `id` passes on to each of its inputs when `dy` comes in; nothing is added up anywhere. `None` for inputs
    /// that need no gradient, unless `all` are asked for.
    pub fn sends(&mut self, graph: &Graph, id: usize, dy: &[f64], all: bool) -> Vec<Option<Vec<f64>>> {
        let arena = &mut *self.arena;
        let node = graph.nodes[id];
        // each input with a place of its own, so that one which is used twice shows what it gets from each use
        let mut places = 0;
        let inputs: Vec<Node> = graph.edges[node.inputs()]
            .iter()
            .map(|&input| {
                let input = graph.nodes[input as usize];
                let tracked = input.tracked || all;
                places += input.len;
                Node { param: None, tracked, grad: places - input.len, ..input }
            })
            .collect();
        if node.leaf.is_some() {
            return inputs.iter().map(|input| input.tracked.then(|| vec![0.0; input.len])).collect();
        }
        let dy: Vec<T> = dy.iter().map(|&dy| T::of(dy)).collect();
        let ids: Vec<u32> = (0..inputs.len() as u32).collect();
        let (mut sent, mut reached) = (vec![T::ZERO; places], vec![false; inputs.len()]);
        let own = &arena.values[node.start..node.start + node.len + node.memo];
        let memory = Memory {
            values: &arena.values[..node.start],
            theta: self.params.as_slice(),
            shared: &arena.shared,
        };
        let b = &mut Backward {
            inputs: Inputs { nodes: &inputs, ids: &ids, memory: &memory },
            y: &own[..node.len],
            dy: &dy,
            memo: &own[node.len..],
            before: &mut sent,
            reached: &mut reached,
            grads: &mut arena.grads,
            room: &mut arena.room,
        };
        T::backward(graph.op(id), b);
        let of_input = |input: &Node| sent[input.grad..][..input.len].iter().map(|x| x.value()).collect();
        inputs.iter().map(|input| input.tracked.then(|| of_input(input))).collect()
    }

    /// The gradient of the last walk with respect to a node.
    pub fn grad(&self, graph: &Graph, id: u32) -> Option<&[T]> {
        let node = &graph.nodes[id as usize];
        match node.param {
            Some(param) => Some(&self.arena.grads[param]),
            None if !graph.reached[id as usize] => None,
            None => match graph.given {
                Some(given) if graph.walked_from == Some(id) => {
                    Some(self.memory().value(&graph.nodes[given as usize]))
                }
                _ => Some(&self.arena.node_grads[node.grad..node.grad + node.len]),
            },
        }
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
