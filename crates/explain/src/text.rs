//! An explanation as text: one line for each operation, or all details of each node.

use std::fmt::{self, Write as _};

use crate::numbers::{digits, list, norm};
use crate::{Explanation, Node, Units};

/// The colors of a terminal.
const NAME: &str = "1";
const GRADIENT: &str = "36";
const WARNING: &str = "33";
const QUIET: &str = "2";

impl Explanation {
    /// Returns the forward pass and, after `backward`, the backward pass: one line for each operation, and in the backward pass one for each input.
    ///
    /// See the example of [`explain`](crate::explain()).
    pub fn passes(&self) -> String {
        self.passes_in(false)
    }

    /// Returns [`passes`](Self::passes), with the color codes of a terminal if `color`.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// assert!(explain(loss).passes_in(true).starts_with("\x1b[1mforward\x1b[0m\n"));
    /// assert_eq!(explain(loss).passes_in(false), explain(loss).passes());
    /// ```
    pub fn passes_in(&self, color: bool) -> String {
        let all = (0..self.nodes.len()).filter(|&at| !self.nodes[at].is_constant());
        let forward = all.map(|at| {
            let node = &self.nodes[at];
            let formula = [Some(self.formula(at)).filter(|f| !f.is_empty()), self.worked(at)];
            let left = [Some(node.name.clone())]
                .into_iter()
                .chain(formula)
                .flatten()
                .collect::<Vec<_>>()
                .join(" = ");
            (
                left,
                list(&node.value, node.columns()),
                with_shape(node, node.units().and_then(|units| units.warning())),
            )
        });
        let mut text = paint(color, NAME, "forward") + "\n" + &table(forward.collect(), color);
        if !self.has_gradients {
            return text;
        }
        let mut lines = Vec::new();
        let arrivals = self.arrivals();
        if let Some(result) = self.nodes.last() {
            let start = result.gradient.as_deref().unwrap_or_default();
            lines.push((format!("∂{}", result.name), list(start, result.columns()), String::new()));
        }
        for (at, node) in self.nodes.iter().enumerate().rev() {
            for sent in &node.sends {
                let formula = [Some(self.derivative(at, sent)), self.derivative_worked(at, sent)];
                let left = format!("∂{} = ", self.nodes[sent.to].name)
                    + &formula.into_iter().flatten().collect::<Vec<_>>().join(" = ");
                let to = &self.nodes[sent.to];
                let meets = (arrivals[sent.to].len() > 1).then(|| format!("part of ∂{}", to.name));
                let why = meets.or_else(|| self.why_small(at, sent));
                lines.push((left, list(&sent.gradient, to.columns()), with_shape(to, why)));
            }
            // where gradients meet, the sum comes after the last part
            let mut met: Vec<usize> = node.sends.iter().map(|sent| sent.to).collect();
            met.dedup();
            for to in met {
                let parts = &arrivals[to];
                let earliest = parts.first().is_some_and(|&(from, _)| from == at);
                let (Some(sum), true) = (&self.nodes[to].gradient, earliest && parts.len() > 1) else {
                    continue;
                };
                let left = match sum.len() == 1 && parts.len() <= 4 {
                    true => parts
                        .iter()
                        .rev()
                        .map(|(_, part)| list(&part.gradient, 1))
                        .collect::<Vec<_>>()
                        .join(" + "),
                    false => format!("the sum of {} parts", parts.len()),
                };
                let to = &self.nodes[to];
                lines.push((format!("∂{} = {left}", to.name), list(sum, to.columns()), with_shape(to, None)));
            }
        }
        let result = self.nodes.last().map_or("", |node| &node.name);
        text += &paint(color, NAME, "backward");
        text += &format!(": ∂v is the derivative of {result} with respect to v\n");
        text += &table(lines, color);
        text
    }

    /// Returns the reason why a node passes on little of its gradient, or numbers that are not finite.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let a = tape.constant(4.0).requires_grad().sigmoid().named("a");
    /// a.backward();
    /// let explanation = explain(a);
    /// let why = explanation.why_small(1, &explanation.nodes[1].sends[0]);
    /// assert_eq!(why.as_deref(), Some("a passes on 1.8 % of its gradient"));
    /// ```
    pub fn why_small(&self, node: usize, sent: &crate::Sent) -> Option<String> {
        let gain = self.gain(node, sent);
        let name = &self.nodes[node].name;
        let finite = |numbers: &[f64]| numbers.iter().all(|x| x.is_finite());
        if !finite(&sent.gradient) && self.nodes[node].gradient.as_deref().is_some_and(finite) {
            return Some(format!("the slope of {name} is not finite here"));
        }
        (gain < crate::SATURATED && self.nodes[node].slopes.is_some())
            .then(|| format!("{name} passes on {} % of its gradient", digits(100.0 * gain, 2)))
    }

    /// Returns all details of each node, with the color codes of a terminal if `color`.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// let text = explain(loss).text(false);
    /// assert!(text.contains("y = x²  square []"), "{text}");
    /// assert!(text.contains("passes on  ∂x = 2 · x · ∂y = 2 · 3 · 2 = 12"), "{text}");
    /// ```
    pub fn text(&self, color: bool) -> String {
        let paint = |code: &str, text: &str| paint(color, code, text);
        let mut out = String::new();
        let arrivals = self.arrivals();
        for (at, node) in self.nodes.iter().enumerate().filter(|(_, node)| !node.is_constant()) {
            if !out.is_empty() {
                out.push('\n');
            }
            let title = match self.formula(at) {
                formula if formula.is_empty() => node.name.clone(),
                formula => format!("{} = {formula}", node.name),
            };
            let scope = if node.scope.is_empty() { String::new() } else { format!(", in {}", node.scope) };
            let kind = format!("{} {}{scope}, node {}", node.card.name, node.shape, node.index);
            let _ = writeln!(out, "{}  {}", paint(NAME, &title), paint(QUIET, &kind));
            let mut line = |label: &str, text: &str| {
                let _ = writeln!(out, "  {} {text}", paint(QUIET, &format!("{label:10}")));
            };
            line("what", node.story());
            let worked = self.worked(at).map_or(String::new(), |worked| format!("{worked} = "));
            line("value", &format!("{worked}{}", list(&node.value, node.columns())));
            if let Some(gradient) = &node.gradient {
                let text =
                    format!("∂{} = {}{}", node.name, list(gradient, node.columns()), norm_of(gradient));
                line("gradient", &paint(GRADIENT, &text));
            }
            let received = &arrivals[at];
            if received.len() > 1 {
                for &(from, sent) in received {
                    let part = list(&sent.gradient, node.columns());
                    line("from", &format!("{}: {part}{}", self.nodes[from].name, norm_of(&sent.gradient)));
                }
            }
            for sent in &node.sends {
                let worked =
                    self.derivative_worked(at, sent).map_or(String::new(), |worked| format!(" = {worked}"));
                let why =
                    self.why_small(at, sent).map_or(String::new(), |why| paint(WARNING, &format!("; {why}")));
                let to = &self.nodes[sent.to].name;
                let formula = format!("∂{to} = {}{worked}", self.derivative(at, sent));
                line(
                    "passes on",
                    &format!(
                        "{formula} = {}{}{why}",
                        list(&sent.gradient, self.nodes[sent.to].columns()),
                        norm_of(&sent.gradient)
                    ),
                );
            }
            if let Some(warning) = node.units().and_then(|units| units.warning()) {
                line("units", &paint(WARNING, &warning));
            }
            line("recorded", &node.recorded_at.to_string());
        }
        out
    }
}

/// All details of each node, without colors.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text(false))
    }
}

impl Units {
    /// Returns a warning about dead or saturated units, if there are any.
    ///
    /// See the example of [`Node::units`].
    pub fn warning(self) -> Option<String> {
        let Units { count, dead, saturated, rows } = self;
        let part = |n: usize, what: &str| {
            (n > 0).then(|| if count == 1 { what.into() } else { format!("{n} of {count} {what}") })
        };
        let off = if rows > 1 { "dead" } else { "off" };
        let parts: Vec<String> =
            [part(dead, off), part(saturated, "saturated")].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// The norm, of more than one number.
fn norm_of(numbers: &[f64]) -> String {
    if numbers.len() > 1 { format!(", length {}", digits(norm(numbers), 4)) } else { String::new() }
}

fn with_shape(node: &Node, more: Option<String>) -> String {
    let shape = (node.value.len() != 1).then(|| node.shape.to_string());
    shape.into_iter().chain(more).collect::<Vec<_>>().join("  ")
}

/// The text, in a color if there are colors.
fn paint(color: bool, code: &str, text: &str) -> String {
    if color && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
}

/// Three columns, the last of which is a warning. A long first column moves the others.
fn table(rows: Vec<(String, String, String)>, color: bool) -> String {
    const WIDEST: usize = 48;
    let wide = |pick: fn(&(String, String, String)) -> &String, widest: usize| {
        rows.iter().map(|row| pick(row).chars().count()).filter(|&n| n <= widest).max().unwrap_or(0)
    };
    let (first, second) = (wide(|row| &row.0, WIDEST + 12), wide(|row| &row.1, WIDEST));
    let line = |(a, b, c): &(String, String, String)| {
        let line = format!("  {a:first$}  {b:second$}  {}", paint(color, WARNING, c));
        line.trim_end().to_string() + "\n"
    };
    rows.iter().map(line).collect()
}
