//! Inspection of a tape: its nodes, and the backward pass step by step, for explanations and pictures.

use std::borrow::Cow;
use std::panic::Location;

use ndarray::ArrayD;

use crate::params::view;
use crate::store::typed;
use crate::tape::Recording;
use crate::workspace::{LayerNote, Scope};
use crate::{Card, ParamId, Tape, Var};

/// One step of the backward pass: a node, the incoming gradient, and the gradients that the node's operation passes on.
///
/// See the example of [`Var::backward_steps`].
pub struct Step<'t> {
    /// The node whose operation is undone.
    pub node: Var<'t>,
    /// The gradient of the loss with respect to it: all that the later nodes have sent.
    pub gradient: ArrayD<f64>,
    /// The gradients passed on to its inputs, in their order; inputs that need no gradient are left out.
    pub sends: Vec<Sent<'t>>,
}

/// The gradient that an operation passes on to one of its inputs.
///
/// See the example of [`Var::backward_steps`].
pub struct Sent<'t> {
    /// Which of the operation's inputs this is.
    pub input: usize,
    /// The node.
    pub to: Var<'t>,
    /// This operation's part of the gradient with respect to that node.
    pub gradient: ArrayD<f64>,
}

impl<'t> Tape<'t> {
    /// Every node, in the order of recording, in which inputs come before what is computed from them.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let _ = tape.input(&array![1.0, 2.0]).exp().sum();
    /// let names: Vec<_> = tape.nodes().map(|node| node.op_name()).collect();
    /// assert_eq!(names, ["input", "exp", "sum"]);
    /// ```
    pub fn nodes(&'t self) -> impl DoubleEndedIterator<Item = Var<'t>> + ExactSizeIterator {
        (0..self.len()).map(|id| Var { tape: self, id: id as u32 })
    }

    /// Records a part of the computation under a name, for explanations and pictures. Scopes may stand in scopes.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let x = tape.constant(2.0);
    /// let y = tape.scope("encoder", || tape.scope("squash", || x.tanh()) * 3.0);
    /// assert_eq!(y.scope(), "encoder");
    /// assert_eq!(y.inputs()[0].scope(), "encoder.squash");
    /// assert_eq!(x.scope(), "");
    /// ```
    pub fn scope<R>(&'t self, name: impl Into<Cow<'static, str>>, record: impl FnOnce() -> R) -> R {
        let outer = {
            let graph = &mut *self.write().graph;
            let outer = graph.scope;
            graph.scopes.push(Scope { name: name.into(), outer });
            graph.scope = graph.scopes.len() as u32;
            outer
        };
        let result = record();
        self.write().graph.scope = outer;
        result
    }

    /// Notes that training needs at least `n` rows in a batch here, as batch normalization does: a training that has run its model once
    /// can then refuse smaller batches before the first step.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::new(), Workspace::new());
    /// let tape = workspace.no_grad(&params);
    /// assert_eq!(tape.least_rows(), 1);
    /// tape.require_rows(2);
    /// assert_eq!(tape.least_rows(), 2);
    /// ```
    pub fn require_rows(&self, n: usize) {
        let graph = &mut *self.write().graph;
        graph.least_rows = graph.least_rows.max(n);
    }

    /// How many rows a batch must have in training: the largest number that was [required](Self::require_rows) on this tape, or 1.
    pub fn least_rows(&self) -> usize {
        self.read().graph.least_rows
    }

    /// Notes which layer records what, from here on: for a summary of a model.
    ///
    /// See the example of [`layer`](Self::layer).
    pub fn noting_layers(mut self) -> Self {
        self.notes_layers = true;
        self
    }

    /// Notes that a layer records until the guard that this returns is dropped, if the tape is
    /// [`noting_layers`](Self::noting_layers); otherwise does nothing, and `kind` is not called.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params).noting_layers();
    /// let x = tape.constant(2.0);
    /// let layer = tape.layer(|| "Squash".to_string());
    /// let _ = x.tanh() * 3.0;
    /// drop(layer);
    /// assert_eq!((tape.layers()[0].kind.as_str(), tape.layers()[0].nodes.clone()), ("Squash", 1..4));
    /// ```
    #[inline]
    pub fn layer(&'t self, kind: impl FnOnce() -> String) -> Option<LayerGuard<'t>> {
        if self.notes_layers { self.begin_layer(kind()) } else { None }
    }

    #[cold]
    fn begin_layer(&'t self, kind: String) -> Option<LayerGuard<'t>> {
        let graph = &mut *self.write().graph;
        let (outer, start) = (graph.layer, graph.nodes.len());
        graph.layer = Some(graph.layers.len());
        graph.layers.push(LayerNote { kind, outer, nodes: start..start, ended: 0 });
        Some(LayerGuard(self))
    }

    /// The layers that were noted, in the order in which they began.
    ///
    /// See the example of [`layer`](Self::layer).
    pub fn layers(&self) -> Vec<LayerNote> {
        self.read().graph.layers.clone()
    }
}

/// The end of a layer's part of the tape, where it is dropped: see [`Tape::layer`].
pub struct LayerGuard<'t>(&'t Tape<'t>);

impl Drop for LayerGuard<'_> {
    fn drop(&mut self) {
        let graph = &mut *self.0.write().graph;
        let end = graph.nodes.len();
        if let Some(layer) = graph.layer.and_then(|k| graph.layers.get_mut(k)) {
            (layer.nodes.end, layer.ended) = (end, graph.layers_ended);
            graph.layers_ended += 1;
            graph.layer = layer.outer;
        }
    }
}

impl<'t> Var<'t> {
    /// The node's place on its tape.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.constant(1.0);
    /// let y = x.exp();
    /// assert_eq!((x.index(), y.index()), (0, 1)); // inputs come before what is computed from them
    /// ```
    pub fn index(self) -> usize {
        self.id as usize
    }

    /// The nodes that it was computed from.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let (a, b) = (tape.constant(1.0), tape.constant(2.0));
    /// let places: Vec<_> = (b - a).inputs().iter().map(|input| input.index()).collect();
    /// assert_eq!(places, [b.index(), a.index()]); // in the operation's order
    /// assert!(a.inputs().is_empty());
    /// ```
    pub fn inputs(self) -> Vec<Var<'t>> {
        let w = self.tape.read();
        let ids = &w.graph.edges[w.graph.nodes[self.index()].inputs()];
        ids.iter().map(|&id| Var { tape: self.tape, id }).collect()
    }

    /// The card of the operation that made this value.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(0.5).tanh();
    /// assert_eq!((y.card().forward, y.card().backward), ("tanh x", "(1 - y²) dy"));
    /// ```
    pub fn card(self) -> Card {
        self.tape.read().graph.op(self.index()).card()
    }

    /// The numbers that the operation is set to, by the names that its card has for them.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(2.0).powf(3.0);
    /// assert_eq!((y.card().forward, y.settings()), ("x^exponent", vec![("exponent", 3.0)]));
    /// ```
    pub fn settings(self) -> Vec<(&'static str, f64)> {
        self.tape.read().graph.op(self.index()).settings()
    }

    /// The name that it was given with [`named`](Self::named).
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let z = tape.constant(1.0).named("z");
    /// assert_eq!((z.name().as_deref(), z.exp().name()), (Some("z"), None));
    /// ```
    pub fn name(self) -> Option<String> {
        self.tape.read().graph.name(self.id).map(str::to_string)
    }

    /// The names of the [scopes](Tape::scope) that it was recorded in, from the outermost: "encoder.squash"; empty if there are none.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.constant(1.0);
    /// let y = tape.scope("encoder", || tape.scope("squash", || x.tanh()));
    /// assert_eq!((x.scope(), y.scope()), (String::new(), "encoder.squash".to_string()));
    /// ```
    pub fn scope(self) -> String {
        let w = self.tape.read();
        let mut names = Vec::new();
        let mut scope = w.graph.nodes[self.index()].scope;
        while let Some(place) = (scope as usize).checked_sub(1) {
            names.push(&*w.graph.scopes[place].name);
            scope = w.graph.scopes[place].outer;
        }
        names.reverse();
        names.join(".")
    }

    /// The line of the program that recorded it.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.constant(1.0);
    /// let y = x.exp();
    /// assert_eq!(y.recorded_at().line(), x.recorded_at().line() + 1);
    /// ```
    pub fn recorded_at(self) -> &'static Location<'static> {
        self.tape.read().graph.nodes[self.index()].at
    }

    /// The parameter that this is a use of.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let mut params = Params::<f64>::default();
    /// # let w = params.add("w", &array![1.0]);
    /// # let mut workspace = Workspace::new();
    /// # let tape = workspace.tape(&params);
    /// let used = tape.param(w);
    /// assert_eq!((used.param(), used.exp().param()), (Some(w), None));
    /// ```
    pub fn param(self) -> Option<ParamId> {
        self.tape.read().graph.nodes[self.index()].param
    }

    /// The derivative of each number with respect to the number of the input at the same place, if the operation is
    /// one number in, one number out; before `backward` as well as after.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let a = tape.input(&array![0.0, -3.0, 5.0]).relu();
    /// assert_eq!(a.slopes(), Some(array![0.0, 0.0, 1.0].into_dyn()));
    /// assert_eq!(a.sum().slopes(), None);
    /// ```
    pub fn slopes(self) -> Option<ArrayD<f64>> {
        let Recording { graph, store } = &mut *self.tape.write();
        let node = graph.nodes[self.index()];
        if !graph.op(self.index()).is_elementwise() {
            return None;
        }
        let ones = vec![1.0; node.len];
        let slopes = typed!(store, on => on.sends(graph, self.index(), &ones, true)).pop()??;
        Some(view(&node.shape, &slopes).to_owned())
    }

    /// Walks back from this number as [`backward`](Self::backward) does, and returns a step-by-step record: every node that was
    /// reached, the incoming gradient, and the gradients that its operation passed on.
    ///
    /// What the steps send to a node adds up to the gradient that comes in at its own step.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![3.0]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let w = tape.param(w);
    /// let loss = (w * w).sum();
    /// let steps: Vec<_> = loss.backward_steps().collect();
    /// assert_eq!(steps[0].node.op_name(), "sum");
    /// assert_eq!(steps[1].gradient[0], 1.0); // what the sum has sent to the product
    /// let [left, right] = &steps[1].sends[..] else { panic!("a product has two sides") };
    /// assert_eq!((left.gradient[0], right.gradient[0]), (3.0, 3.0)); // and the product to each of its sides, which are both w
    /// assert_eq!(w.grad().unwrap()[0], 6.0);
    /// ```
    ///
    /// # Panics
    /// As [`backward`](Self::backward) does.
    #[track_caller]
    pub fn backward_steps(self) -> impl Iterator<Item = Step<'t>> {
        self.backward();
        self.steps()
    }

    /// The steps of the [`backward`](Self::backward) that has last run, if it started here; none otherwise.
    ///
    /// ```
    /// # use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.constant(2.0).requires_grad();
    /// let loss = x.square().exp();
    /// assert_eq!(loss.steps().count(), 0); // nothing has run
    /// loss.backward();
    /// let walk: Vec<_> = loss.steps().map(|step| step.node.op_name()).collect();
    /// assert_eq!(walk, ["exp", "square"]);
    /// ```
    pub fn steps(self) -> impl Iterator<Item = Step<'t>> {
        let walked = self.tape.read().graph.walked_from == Some(self.id);
        let nodes = if walked { self.index() + 1 } else { 0 };
        self.tape.nodes().take(nodes).rev().filter_map(|node| node.step())
    }

    /// The step at this node; `None` for leaves and for what the walk did not reach.
    fn step(self) -> Option<Step<'t>> {
        let inputs = self.inputs();
        if inputs.is_empty() || !self.tape.read().graph.reached[self.index()] {
            return None;
        }
        let gradient = self.grad()?;
        let dy = gradient.as_slice().expect("a gradient is stored by rows");
        let sent = {
            let Recording { graph, store } = &mut *self.tape.write();
            typed!(store, on => on.sends(graph, self.index(), dy, false))
        };
        let sends = inputs.into_iter().zip(sent).enumerate();
        let sends = sends.filter_map(|(input, (to, sent))| {
            let gradient = view(&to.shape(), &sent?).to_owned();
            Some(Sent { input, to, gradient })
        });
        Some(Step { node: self, gradient, sends: sends.collect() })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, array};

    use crate::{Params, Var, Workspace};

    /// A net in which gradients meet: an input used twice by one operation, and by two, data that need none, and a detached value.
    #[test]
    fn what_the_steps_send_adds_up_to_every_gradient_and_nothing_else_changes() {
        let mut params = Params::<f64>::default();
        let w = params.add("w", &array![[0.3, -1.2], [0.7, 0.4]]);
        let b = params.add("b", &array![0.1, -0.2]);
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let x = tape.input(&array![[1.0, 2.0], [-0.5, 0.3], [0.2, 0.9]]);
        let h = x.affine(tape.param(w), tape.param(b)).tanh();
        let loss = ((h * h).matmul(tape.param(w)) + h + h.detach()).square().mean();
        loss.backward();
        let all: Vec<_> = tape.nodes().map(Var::grad).collect();

        let mut sums: Vec<Option<ArrayD<f64>>> = vec![None; tape.len()];
        let mut seen = Vec::new();
        for step in loss.backward_steps() {
            if let Some(sum) = &sums[step.node.index()] {
                let gap = (sum - &step.gradient).iter().fold(0.0, |gap: f64, d| gap.max(d.abs()));
                assert!(gap < 1e-15, "at {:?}: {gap}", step.node);
            }
            for sent in &step.sends {
                assert_eq!(sent.to.index(), step.node.inputs()[sent.input].index());
                match &mut sums[sent.to.index()] {
                    Some(sum) => *sum += &sent.gradient,
                    none => *none = Some(sent.gradient.clone()),
                }
            }
            seen.push(step.node.index());
        }
        assert!(seen.is_sorted_by(|a, b| a > b) && seen.contains(&h.index()), "{seen:?}");
        assert_eq!(all, tape.nodes().map(Var::grad).collect::<Vec<_>>());
        for leaf in [w, b] {
            let uses = tape.nodes().filter(|node| node.param() == Some(leaf));
            let sum = uses.map(|node| sums[node.index()].clone().unwrap()).reduce(|a, b| a + b).unwrap();
            let grad = tape.nodes().find(|node| node.param() == Some(leaf)).unwrap().grad().unwrap();
            assert!((sum - grad).iter().all(|d| d.abs() < 1e-15));
        }
        assert_eq!(h.tanh().steps().count(), 0); // the walk did not start there
    }

    #[test]
    fn slopes_are_reported_before_and_without_gradients() {
        let params = Params::<f64>::default();
        let mut workspace = Workspace::new();
        let tape = workspace.no_grad(&params);
        let a = tape.input(&array![0.0, 2.0]).sigmoid();
        let slopes = a.slopes().unwrap();
        assert_eq!(slopes[0], 0.25);
        assert!((slopes[1] - 0.104_993_585_403_506_5).abs() < 1e-16);
        assert_eq!((a * 2.0).slopes(), None);
    }
}
