//! The four equations of back-propagation, with a network's own numbers.

use crate::numbers::{digits, list};
use crate::{Explanation, Node};

/// One of the four equations at one layer.
///
/// See the example of [`Explanation::equations`].
#[derive(Clone, Debug, PartialEq)]
pub struct Equation {
    /// "error of the output"
    pub what: &'static str,
    /// The layer: "out".
    pub layer: String,
    /// The equation in symbols: "δ_j = Σ_k w_jk δ_k · f'(z_j)".
    pub formula: String,
    /// The complete result.
    pub result: String,
    /// One entry of the result, with numbers in place of the symbols.
    pub worked: String,
}

/// The most terms of a sum that are written.
const TERMS: usize = 3;

impl Explanation {
    /// Returns the equations of every fully connected layer, from the output back: the error δ of the output, the error of a hidden layer, and
    /// the gradients of weights and biases (Nielsen, Neural Networks and Deep Learning, chapter 2). Each is worked out for its entry of
    /// largest magnitude.
    ///
    /// The list is empty before `backward`, and for more than one row, since each row has its own errors.
    ///
    /// ```
    /// use surprisal_explain::explain;
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let (w, b) = (params.add("w", &array![[0.5], [-1.0]]), params.add("b", &array![0.0]));
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let z = tape.input(&array![[2.0, 1.0]]).affine(tape.param(w), tape.param(b));
    /// let loss = (z.sigmoid() - 1.0).square().sum();
    /// loss.backward();
    /// let equations = explain(loss).equations();
    /// assert_eq!(equations[0].worked, "δ[0] = ∂a[0] · f'(z[0]) = (-1) · 0.25 = -0.25");
    /// assert_eq!(equations[1].worked, "∂w[0,0] = a[0] · δ[0] = 2 · (-0.25) = -0.5");
    /// assert_eq!(equations[2].worked, "∂b[0] = δ[0] = -0.25");
    /// ```
    pub fn equations(&self) -> Vec<Equation> {
        let mut equations = Vec::new();
        for (at, z) in self.nodes.iter().enumerate().rev() {
            let (Some(delta), [input, weight, bias]) = (z.gradient.as_deref(), &z.inputs[..]) else {
                continue;
            };
            if z.card.name != "affine" || z.value.len() != z.columns() {
                continue;
            }
            let [input, weight, bias] = [input, weight, bias].map(|&at| &self.nodes[at]);
            let layer = if z.scope.is_empty() { z.name.clone() } else { z.scope.clone() };
            let result = format!("δ = {}", list(delta, delta.len()));
            equations.push(self.error(at, z, delta, layer.clone(), result));
            if let Some(gradient) = &weight.gradient {
                let best = largest(gradient);
                let (j, k) = (best / z.columns(), best % z.columns());
                equations.push(Equation {
                    what: "gradient of the weights",
                    layer: layer.clone(),
                    formula: "∂w_jk = a_j δ_k where a is the input".into(),
                    result: format!("∂{} = {}", weight.name, list(gradient, z.columns())),
                    worked: format!(
                        "∂w[{j},{k}] = a[{j}] · δ[{k}] = {} · {} = {}",
                        factor(input.value[j]),
                        factor(delta[k]),
                        digits(gradient[best], 6)
                    ),
                });
            }
            if let Some(gradient) = &bias.gradient {
                let k = largest(gradient);
                equations.push(Equation {
                    what: "gradient of the biases",
                    layer,
                    formula: "∂b_k = δ_k".into(),
                    result: format!("∂{} = {}", bias.name, list(gradient, gradient.len())),
                    worked: format!("∂b[{k}] = δ[{k}] = {}", digits(gradient[k], 6)),
                });
            }
        }
        equations
    }

    /// "error of a hidden layer" if another layer with weights comes after the node.
    fn what(&self, at: usize) -> &'static str {
        let mut depends = vec![false; self.nodes.len()];
        depends[at] = true;
        for (place, node) in self.nodes.iter().enumerate().skip(at + 1) {
            depends[place] = node.inputs.iter().any(|&input| depends[input]);
            let has_weights =
                |&input: &usize| self.nodes[input].is_parameter && self.nodes[input].shape.rank() > 1;
            if depends[place] && node.inputs.iter().any(has_weights) {
                return "error of a hidden layer";
            }
        }
        "error of the output"
    }

    /// The error of a layer, from the nodes after it.
    fn error(&self, at: usize, z: &Node, delta: &[f64], layer: String, result: String) -> Equation {
        let (what, k) = (self.what(at), largest(delta));
        let total = digits(delta[k], 6);
        let after: Vec<&Node> = self.nodes.iter().filter(|node| node.inputs.contains(&at)).collect();
        let next = |node: &Node| {
            let place = self.nodes.iter().position(|other| std::ptr::eq(other, node));
            self.nodes.iter().find(|n| n.card.name == "affine" && n.inputs.first().copied() == place)
        };
        match after[..] {
            // z, then f(z), then perhaps another layer
            [a] if a.slopes.is_some() && a.gradient.is_some() => {
                let (slopes, incoming) =
                    (a.slopes.as_deref().unwrap_or_default(), a.gradient.as_deref().unwrap_or_default());
                let slope = factor(slopes[k]);
                let last = format!("{} · {slope} = {total}", factor(incoming[k]));
                match next(a).filter(|next| next.gradient.is_some()) {
                    Some(next) => {
                        let (weight, errors) =
                            (&self.nodes[next.inputs[1]], next.gradient.as_deref().unwrap_or_default());
                        let row = &weight.value[k * errors.len()..(k + 1) * errors.len()];
                        let mut terms: Vec<String> = row
                            .iter()
                            .zip(errors)
                            .map(|(&w, &d)| format!("{} · {}", factor(w), factor(d)))
                            .collect();
                        if terms.len() > TERMS {
                            terms.truncate(TERMS);
                            terms.push(format!("… {} more", errors.len() - TERMS));
                        }
                        Equation {
                            what,
                            layer,
                            formula: format!(
                                "δ_j = (Σ_k w_jk δ_k) f'(z_j), with w and δ_k of the next layer, f = {}",
                                a.card.name
                            ),
                            result,
                            worked: format!("δ[{k}] = ({}) · f'(z[{k}]) = {last}", terms.join(" + ")),
                        }
                    }
                    None => Equation {
                        what,
                        layer,
                        formula: format!("δ_k = ∂a_k f'(z_k), with f = {}", a.card.name),
                        result,
                        worked: format!("δ[{k}] = ∂a[{k}] · f'(z[{k}]) = {last}"),
                    },
                }
            }
            // z straight into the next layer: nothing squashes
            [other] if other.card.name == "affine" => Equation {
                what,
                layer,
                formula: "δ_j = Σ_k w_jk δ_k: no activation in between".into(),
                result,
                worked: format!("δ[{k}] = {total}"),
            },
            _ => {
                let users = after.iter().map(|node| node.card).filter(|card| !card.backward.is_empty());
                let formula = users
                    .map(|card| format!("{}: {}", card.name, card.backward))
                    .collect::<Vec<_>>()
                    .join("; ");
                Equation {
                    what,
                    layer,
                    formula: format!("δ as {formula}"),
                    result,
                    worked: self.fused(&after, z, k).unwrap_or_else(|| format!("δ[{k}] = {total}")),
                }
            }
        }
    }

    /// The error before a fused cross-entropy: p - y, in which the slope of the squashing has canceled.
    fn fused(&self, after: &[&Node], z: &Node, k: usize) -> Option<String> {
        let [loss] = after else { return None };
        let (p, y) = match loss.card.name {
            "softmax_cross_entropy" => {
                let top = z.value.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = z.value.iter().map(|z| (z - top).exp()).sum();
                let targets = &self.nodes[*loss.inputs.get(1)?].value;
                // one label for the row, or a probability for each class
                let y = if targets.len() == z.value.len() {
                    targets[k]
                } else {
                    f64::from(targets[0] == k as f64)
                };
                ((z.value[k] - top).exp() / sum, y)
            }
            "binary_cross_entropy_with_logits" => {
                (1.0 / (1.0 + (-z.value[k]).exp()), *self.nodes[*loss.inputs.get(1)?].value.get(k)?)
            }
            _ => return None,
        };
        // only where that is all there is: not with weights, smoothing or a mean over several outputs
        let error = p - y;
        let delta = z.gradient.as_ref()?[k];
        ((error - delta).abs() <= 1e-5 * error.abs().max(1e-3)).then(|| {
            format!("δ[{k}] = p[{k}] - y[{k}] = {} - {} = {}", digits(p, 6), digits(y, 6), digits(delta, 6))
        })
    }
}

/// The index of the number of largest magnitude.
fn largest(numbers: &[f64]) -> usize {
    (0..numbers.len()).fold(0, |best, k| if numbers[k].abs() > numbers[best].abs() { k } else { best })
}

/// A number as a factor: negative numbers in brackets.
fn factor(x: f64) -> String {
    let text = digits(x, 6);
    if text.starts_with('-') { format!("({text})") } else { text }
}
