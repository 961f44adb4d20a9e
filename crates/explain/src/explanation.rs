//! [`Explanation`]: every node that a result depends on.

use std::collections::{HashMap, HashSet};
use std::panic::Location;

use surprisal_tensor::{Card, Shape, Var};

use crate::formula::{Put, clause, put, symbols};
use crate::numbers::{digits, norm};

/// Every node that a result depends on, with its numbers on the tape.
///
/// Printed, it shows all details of each node. [`passes`](Self::passes) has one line for each operation;
/// [`to_svg`](Self::to_svg), [`to_dot`](Self::to_dot) and [`to_html`](Self::to_html) draw the graph.
///
/// ```
/// use surprisal_explain::explain;
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let (w, b) = (params.add("w", &array![[2.0]]), params.add("b", &array![2.0]));
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let z = tape.input(&array![[1.0]]).named("x").affine(tape.param(w), tape.param(b)).named("z");
/// let loss = z.sigmoid().named("a").square().sum();
/// loss.backward();
/// let explanation = explain(loss);
///
/// let a = explanation.nodes.iter().position(|node| node.name == "a").unwrap();
/// assert_eq!(explanation.formula(a), "1 / (1 + e^-z)");
/// assert_eq!(explanation.worked(a).unwrap(), "1 / (1 + e^-4)");
/// let to_z = &explanation.nodes[a].sends[0];
/// assert_eq!(explanation.derivative(a, to_z), "σ(z) · σ(-z) · ∂a");
/// assert_eq!(explanation.why_small(a, to_z).unwrap(), "a passes on 1.8 % of its gradient");
///
/// assert!(explanation.to_string().contains("units      saturated")); // all details of each node
/// assert!(explanation.to_svg("neuron").starts_with("<svg"));
/// assert!(explanation.to_dot().starts_with("digraph"));
/// assert!(explanation.to_html("One neuron").starts_with("<!DOCTYPE html>"));
/// ```
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The nodes in the order of computation: inputs come before the nodes computed from them, and the result is the last.
    pub nodes: Vec<Node>,
    /// Whether `backward` has run from the result, so that there are gradients.
    pub has_gradients: bool,
}

/// One node.
///
/// ```
/// # use surprisal_explain::explain;
/// # use surprisal_tensor::{Params, Workspace};
/// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
/// # let tape = workspace.tape(&params);
/// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
/// let loss = 2.0 * y;
/// loss.backward();
/// let node = &explain(loss).nodes[1];
/// assert_eq!((node.name.as_str(), node.card.name, &node.value[..]), ("y", "square", &[9.0][..]));
/// assert_eq!((node.gradient.as_deref(), node.slopes.as_deref()), (Some(&[2.0][..]), Some(&[6.0][..])));
/// assert_eq!((node.sends[0].to, &node.sends[0].gradient[..]), (0, &[12.0][..])); // the slope times the gradient
/// ```
#[derive(Clone, Debug)]
pub struct Node {
    /// Its index on the tape.
    pub index: usize,
    /// Its name: given by the user, the name of its parameter, the number of a constant, "loss" for the result, "layer1.z" for the weighted sum of a
    /// layer and "layer1.a" for its activation, "target" for the target of a loss, or "v7" from its index on the tape.
    pub name: String,
    /// Its scope: the scopes in which it was recorded, or else the layer whose parameters it uses; may be empty.
    pub scope: String,
    /// The card of its operation.
    pub card: Card,
    /// The settings of its operation, by the names in the card.
    pub settings: Vec<(&'static str, f64)>,
    /// Whether it is a parameter of the model.
    pub is_parameter: bool,
    /// Whether it has a gradient: it is differentiable, or computed from a node that is.
    pub is_variable: bool,
    /// The lengths of the axes.
    pub shape: Shape,
    /// The nodes that it was computed from, by their indices in [`Explanation::nodes`].
    pub inputs: Vec<usize>,
    /// Its numbers, by rows.
    pub value: Vec<f64>,
    /// The gradient of the result with respect to it; `None` before `backward`, and for nodes without a gradient.
    pub gradient: Option<Vec<f64>>,
    /// The gradients that it passes on to its inputs in `backward`.
    pub sends: Vec<Sent>,
    /// The slope at each number, if the operation is elementwise with one input.
    pub slopes: Option<Vec<f64>>,
    /// The line that recorded it.
    pub recorded_at: &'static Location<'static>,
}

/// The gradient that a node passes on to one of its inputs.
///
/// See the example of [`Node`].
#[derive(Clone, Debug)]
pub struct Sent {
    /// The index of the input.
    pub input: usize,
    /// The node of the input, by its index in [`Explanation::nodes`].
    pub to: usize,
    /// Its part of the gradient of that node.
    pub gradient: Vec<f64>,
}

/// The slope below which a unit counts as saturated: it passes on less than a twentieth of its gradient.
pub const SATURATED: f64 = 0.05;

/// The numbers of units of a node that pass on no gradient, or little.
///
/// See the example of [`Node::units`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// The number of units, the length of the last axis; of `[N, C, ..]`, of the channels.
    pub count: usize,
    /// The number of units with slope 0 in every row; a channel, everywhere in it.
    pub dead: usize,
    /// The number of units with a slope between -[`SATURATED`] and [`SATURATED`] in every row that are not dead.
    pub saturated: usize,
    /// The number of rows.
    pub rows: usize,
}

/// Explains every node that `result` depends on: its operation, its computation, and, once `backward` has run from `result`, the gradient that
/// reached it and the gradients that it passed on.
///
/// ```
/// use surprisal_explain::explain;
/// use surprisal_tensor::{Params, Workspace};
/// let params = Params::<f64>::default();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let x = tape.constant(3.0).requires_grad().named("x");
/// let y = x.square().named("y");
/// assert_eq!(explain(y).nodes[1].name, "y");
/// y.backward();
/// assert_eq!(
///     explain(y).passes(),
///     "\
/// forward
///   x            3
///   y = x² = 3²  9
/// backward: ∂v is the derivative of y with respect to v
///   ∂y                           1
///   ∂x = 2 · x · ∂y = 2 · 3 · 1  6
/// "
/// );
/// ```
pub fn explain(result: Var) -> Explanation {
    let tape = result.tape();
    let mut needed = vec![false; result.index() + 1];
    needed[result.index()] = true;
    let vars: Vec<Var> = tape.nodes().take(result.index() + 1).collect();
    let inputs: Vec<Vec<usize>> =
        vars.iter().map(|v| v.inputs().iter().map(|i| i.index()).collect()).collect();
    for at in (0..vars.len()).rev() {
        if needed[at] {
            inputs[at].iter().for_each(|&input| needed[input] = true);
        }
    }
    let places: HashMap<usize, usize> =
        (0..vars.len()).filter(|&at| needed[at]).enumerate().map(|(place, at)| (at, place)).collect();

    let targets: HashSet<usize> = vars
        .iter()
        .filter(|var| needed[var.index()])
        .flat_map(|var| var.card().inputs.split_whitespace().zip(var.inputs()).collect::<Vec<_>>())
        .filter(|(symbol, _)| ["y", "t"].contains(symbol))
        .map(|(_, input)| input.index())
        .collect();
    let is_target = |var: Var| targets.contains(&var.index()) && !var.needs_grad();

    let mut nodes: Vec<Node> = Vec::new();
    for var in vars.iter().filter(|var| needed[var.index()]) {
        let value: Vec<f64> = var.value().into_iter().collect();
        let inputs: Vec<usize> = inputs[var.index()].iter().map(|input| places[input]).collect();
        let param = var.param().map(|id| tape.entry(id).name.clone());
        let constant = inputs.is_empty() && value.len() == 1 && !var.needs_grad();
        let slopes = var.slopes().map(|slopes| slopes.into_iter().collect::<Vec<f64>>());
        let layer = |name: &str| name.rsplit_once('.').map(|(layer, _)| layer.to_string());
        let scope = match (var.scope(), &param, &inputs[..]) {
            (scope, ..) if !scope.is_empty() => scope,
            (_, Some(param), _) => layer(param).unwrap_or_default(),
            // an activation belongs to the layer that it follows, an operation to the layer whose parameters it uses
            (_, _, &[input]) if slopes.is_some() => nodes[input].scope.clone(),
            (_, _, inputs) => inputs
                .iter()
                .find(|&&i| nodes[i].is_parameter)
                .map_or(String::new(), |&i| nodes[i].scope.clone()),
        };
        let name = match (var.name(), &param) {
            (Some(name), _) => name.to_string(),
            (None, Some(name)) => name.clone(),
            (None, None) if constant => digits(value[0], 6),
            (None, None) if var.index() == result.index() => "loss".to_string(),
            (None, None) => {
                // what a layer adds up, and what its activation makes of it, are called as in the textbooks
                let part = match &inputs[..] {
                    [_, weight, ..] if is_layer(var.op_name()) && nodes[*weight].is_parameter => "z",
                    [z] if slopes.is_some() && is_layer(nodes[*z].card.name) => "a",
                    [] if is_target(*var) => "target",
                    _ => "",
                };
                let full =
                    [&*scope, part].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(".");
                let free = !part.is_empty() && nodes.iter().all(|node| node.name != full);
                if free { full } else { format!("v{}", var.index()) }
            }
        };
        nodes.push(Node {
            index: var.index(),
            name,
            scope,
            card: var.card(),
            settings: var.settings(),
            is_parameter: param.is_some(),
            is_variable: var.needs_grad(),
            shape: var.shape(),
            inputs,
            value,
            gradient: None,
            sends: Vec::new(),
            slopes,
            recorded_at: var.recorded_at(),
        });
    }

    let mut has_gradients = false;
    for step in result.steps() {
        has_gradients = true;
        let sends = step.sends.iter().map(|sent| Sent {
            input: sent.input,
            to: places[&sent.to.index()],
            gradient: sent.gradient.iter().copied().collect(),
        });
        nodes[places[&step.node.index()]].sends = sends.collect();
    }
    if has_gradients {
        for var in &vars {
            if let (Some(&place), Some(gradient)) = (places.get(&var.index()), var.grad()) {
                nodes[place].gradient = Some(gradient.into_iter().collect());
            }
        }
    }
    Explanation { nodes, has_gradients }
}

/// Whether an operation is what a layer with weights does to its input.
fn is_layer(operation: &str) -> bool {
    ["affine", "conv2d", "conv_transpose2d"].contains(&operation)
}

impl Explanation {
    /// Returns the formula of a node with the names of its inputs: "x · out.weight + out.bias"; empty for data and parameters.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// assert_eq!(explain(loss).formula(1), "x²");
    /// assert_eq!(explain(loss).formula(0), "");
    /// ```
    pub fn formula(&self, node: usize) -> String {
        let node = &self.nodes[node];
        if node.inputs.is_empty() {
            return String::new();
        }
        let formula = put(node.card.forward, &self.named(node));
        // the formula of a loss is that of one element or one row
        let several =
            node.value.len() == 1 && node.inputs.iter().any(|&input| self.nodes[input].shape.len() > 1);
        let is_summed = formula.contains(['Σ', 'Π']) || !node.card.backward.contains(" dl");
        if several && !is_summed { format!("{formula}, of all together") } else { formula }
    }

    /// Returns the formula with numbers instead of names, if all are single numbers: "1 / (1 + e^-4)".
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// assert_eq!(explain(loss).worked(1).as_deref(), Some("3²"));
    /// ```
    pub fn worked(&self, node: usize) -> Option<String> {
        let node = &self.nodes[node];
        let single = !node.inputs.is_empty() && self.is_of_single_numbers(node);
        single.then(|| put(node.card.forward, &self.numbered(node)))
    }

    /// Returns the gradient that a node passes on to one of its inputs, as a formula with names: "out.weightᵀ · ∂v5", where ∂v5 is the
    /// derivative of the result with respect to v5. If the card does not distinguish the inputs, it is the text of the card.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// let explanation = explain(loss);
    /// assert_eq!(explanation.derivative(1, &explanation.nodes[1].sends[0]), "2 · x · ∂y");
    /// ```
    pub fn derivative(&self, node: usize, sent: &Sent) -> String {
        let node = &self.nodes[node];
        let formula =
            clause(node.card.backward, &symbols_of(&node.card), sent.input).unwrap_or(node.card.backward);
        put(formula, &self.named(node))
    }

    /// The same with numbers, where all are single numbers.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// let explanation = explain(loss);
    /// assert_eq!(explanation.derivative_worked(1, &explanation.nodes[1].sends[0]).as_deref(), Some("2 · 3 · 2"));
    /// ```
    pub fn derivative_worked(&self, node: usize, sent: &Sent) -> Option<String> {
        let node = &self.nodes[node];
        let formula = clause(node.card.backward, &symbols_of(&node.card), sent.input)?;
        let is_told = formula.split_whitespace().any(|word| word == "of"); // "column sums of dY": nothing to put in
        let single = !is_told && self.is_of_single_numbers(node) && node.gradient.is_some();
        single.then(|| put(formula, &self.numbered(node)).replace('ᵀ', ""))
    }

    /// What each node receives: the places of the senders, and which of their `sends` it is.
    pub(crate) fn arrivals(&self) -> Vec<Vec<(usize, &Sent)>> {
        let mut arrivals = vec![Vec::new(); self.nodes.len()];
        for (from, node) in self.nodes.iter().enumerate() {
            node.sends.iter().for_each(|sent| arrivals[sent.to].push((from, sent)));
        }
        arrivals
    }

    /// What the later nodes send to this one, by their places; more than one where gradients meet.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.constant(3.0).requires_grad().named("x");
    /// let loss = x.square() + 5.0 * x;
    /// loss.backward();
    /// let explanation = explain(loss);
    /// let parts: Vec<f64> = explanation.received(0).map(|(_, sent)| sent.gradient[0]).collect();
    /// assert_eq!(parts, [6.0, 5.0]); // from the square and from the product ..
    /// assert_eq!(explanation.nodes[0].gradient, Some(vec![11.0])); // .. which add up
    /// ```
    pub fn received(&self, node: usize) -> impl Iterator<Item = (usize, &Sent)> {
        let senders = self.nodes.iter().enumerate();
        senders
            .flat_map(move |(from, n)| n.sends.iter().filter(move |s| s.to == node).map(move |s| (from, s)))
    }

    /// How much of the gradient that came in a node passes on to one input: the ratio of the lengths. NaN if nothing came in;
    /// infinite or NaN where the slope is.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let loss = tape.constant(0.0).requires_grad().sigmoid();
    /// loss.backward();
    /// let explanation = explain(loss);
    /// assert_eq!(explanation.gain(1, &explanation.nodes[1].sends[0]), 0.25); // a sigmoid at its best
    /// ```
    pub fn gain(&self, node: usize, sent: &Sent) -> f64 {
        norm(&sent.gradient) / norm(self.nodes[node].gradient.as_deref().unwrap_or_default())
    }

    fn is_of_single_numbers(&self, node: &Node) -> bool {
        let named = symbols_of(&node.card).len(); // what the formulas do not name needs no number
        node.value.len() == 1
            && node.inputs.iter().take(named).all(|&input| self.nodes[input].value.len() == 1)
    }

    fn named(&self, node: &Node) -> Vec<(String, String)> {
        let names: Vec<String> = node.inputs.iter().map(|&input| self.nodes[input].name.clone()).collect();
        let gradients: Vec<String> = names.iter().map(|name| format!("∂{name}")).collect();
        let own = format!("∂{}", node.name);
        with_settings(node, symbols(&symbols_of(&node.card), &names, &node.name, &gradients, &own))
    }

    fn numbered(&self, node: &Node) -> Vec<(String, String)> {
        let number = |x: &[f64]| x.first().map_or(String::new(), |&x| digits(x, 6));
        let values: Vec<String> = node.inputs.iter().map(|&input| number(&self.nodes[input].value)).collect();
        let sent = |k| {
            node.sends
                .iter()
                .find(|sent| sent.input == k)
                .map_or(String::new(), |sent| number(&sent.gradient))
        };
        let gradients: Vec<String> = (0..values.len()).map(sent).collect();
        let own = number(node.gradient.as_deref().unwrap_or_default());
        with_settings(node, symbols(&symbols_of(&node.card), &values, &number(&node.value), &gradients, &own))
    }
}

/// Puts the settings of the operation into its formulas as numbers.
fn with_settings(node: &Node, mut symbols: Vec<Put>) -> Vec<Put> {
    symbols.extend(node.settings.iter().map(|&(name, x)| (name.to_string(), digits(x, 6))));
    symbols
}

fn symbols_of(card: &Card) -> Vec<&'static str> {
    card.inputs.split_whitespace().collect()
}

impl Node {
    /// Whether it is a number of the formula itself, such as the 2 of `2.0 * x`.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = 2.0 * tape.constant(3.0).named("x");
    /// let constants: Vec<_> = explain(y).nodes.iter().map(|node| (node.name.clone(), node.is_constant())).collect();
    /// assert!(constants.contains(&("2".into(), true)) && constants.contains(&("x".into(), false)));
    /// ```
    pub fn is_constant(&self) -> bool {
        self.inputs.is_empty()
            && !self.is_parameter
            && self.value.len() == 1
            && self.name == digits(self.value[0], 6)
    }

    /// What it is, in a sentence: that of its card, or of a number that the result is differentiated by.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let w = tape.constant(3.0).requires_grad().named("w");
    /// w.square().backward();
    /// assert_eq!(explain(w.square()).nodes[0].story(), "A variable: the result can be differentiated by it.");
    /// ```
    pub fn story(&self) -> &'static str {
        match self.inputs.is_empty() && !self.is_parameter && self.is_variable {
            true => "A variable: the result can be differentiated by it.",
            false => self.card.story,
        }
    }

    /// The length of the last axis.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let x = tape.input_with([4, 3], |_| 1.0);
    /// assert_eq!((explain(x).nodes[0].columns(), explain(x.sum()).nodes[1].columns()), (3, 1));
    /// ```
    pub fn columns(&self) -> usize {
        self.shape.dims().last().copied().unwrap_or(1)
    }

    /// How its units pass gradients on, if the operation is one number in, one number out.
    ///
    /// ```
    /// use surprisal_tensor::ndarray::array;
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let a = tape.input(&array![[-1.0, 2.0, -3.0], [-2.0, -1.0, 4.0]]).relu();
    /// let units = explain(a).nodes[1].units().unwrap();
    /// assert_eq!((units.count, units.dead), (3, 1)); // the first is off in both rows
    /// assert_eq!(units.warning().as_deref(), Some("1 of 3 dead"));
    /// ```
    pub fn units(&self) -> Option<Units> {
        let slopes = self.slopes.as_ref()?;
        let (count, each) = match *self.shape.dims() {
            [_, channels, ref inner @ ..] if !inner.is_empty() => (channels, inner.iter().product()),
            _ => (self.columns(), 1),
        };
        let all = |unit: usize, is: &dyn Fn(f64) -> bool| {
            slopes.chunks(each).skip(unit).step_by(count).flatten().all(|&s| is(s))
        };
        let number = |is: &dyn Fn(f64) -> bool| (0..count).filter(|&unit| all(unit, is)).count();
        let dead = number(&|slope| slope == 0.0);
        let saturated = number(&|slope| slope.abs() < SATURATED) - dead;
        Some(Units { count, dead, saturated, rows: slopes.len() / (count * each).max(1) })
    }
}
