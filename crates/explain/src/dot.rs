//! An explanation for Graphviz.

use std::fmt::Write as _;

use crate::Explanation;
use crate::numbers::{digits, list, norm};

impl Explanation {
    /// Returns the graph in the language of Graphviz, for `dot -Tsvg tape.dot -o tape.svg`. Boxes and clusters are those of
    /// [`to_svg`](Self::to_svg); each edge has the gradient norm as its label.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// let dot = explain(loss).to_dot();
    /// assert!(dot.contains("n0 -> n1 [label=\"12\"];"), "{dot}"); // the gradient that flows back from y to x
    /// ```
    pub fn to_dot(&self) -> String {
        let mut out = String::from("digraph tape {\n  node [shape=box, fontname=\"sans-serif\"];\n");
        let mut scopes: Vec<&str> = self.nodes.iter().map(|node| node.scope.as_str()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        for (cluster, scope) in scopes.into_iter().enumerate() {
            let inside = |out: &mut String, indent: &str| {
                for (at, node) in self.nodes.iter().enumerate() {
                    if node.scope == scope && !node.is_constant() {
                        let value = list(&node.value, node.columns());
                        let label = format!("{}\n{} {}\n{value}", node.name, node.card.name, node.shape);
                        let _ = writeln!(out, "{indent}n{at} [label={}];", quoted(&label));
                    }
                }
            };
            if scope.is_empty() {
                inside(&mut out, "  ");
            } else {
                let _ = writeln!(out, "  subgraph cluster_{cluster} {{\n    label={};", quoted(scope));
                inside(&mut out, "    ");
                out += "  }\n";
            }
        }
        for (at, node) in self.nodes.iter().enumerate() {
            for (k, &input) in
                node.inputs.iter().enumerate().filter(|&(_, &input)| !self.nodes[input].is_constant())
            {
                let sent = node.sends.iter().find(|sent| sent.input == k);
                let label = sent.map_or("style=dotted".to_string(), |sent| {
                    format!("label={}", quoted(&digits(norm(&sent.gradient), 3)))
                });
                let _ = writeln!(out, "  n{input} -> n{at} [{label}];");
            }
        }
        out + "}\n"
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
