//! One row through a net, explained: every step of both passes, with the words of `surprisal_explain`.

use crate::json::{Json, json};
use surprisal_explain::{Explanation, Sent, digits, explain};
use surprisal_tensor::Workspace;

use crate::data::Data;
use crate::race::Side;

/// The passes of one row: the picture of the tape, and its steps.
pub fn tape(side: &Side, data: &Data, row: usize) -> Json {
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&side.params);
    let loss = side.record_row(&tape, data, row);
    loss.backward();
    let explanation = explain(loss);
    let forward = (0..explanation.nodes.len()).map(|at| forward(&explanation, at));
    let sending = (0..explanation.nodes.len()).rev().filter(|&at| !explanation.nodes[at].sends.is_empty());
    let backward = sending.map(|at| backward(&explanation, at));
    json!({"svg": explanation.to_svg("tape"), "steps": forward.chain(backward).collect::<Vec<_>>()})
}

fn forward(explanation: &Explanation, at: usize) -> Json {
    let node = &explanation.nodes[at];
    let units = node
        .units()
        .map(|units| json!({"count": units.count, "dead": units.dead, "saturated": units.saturated}));
    json!({
        "pass": "forward", "node": at, "name": node.name.as_str(), "operation": node.card.name, "story": node.story(),
        "formula": explanation.formula(at), "worked": explanation.worked(at), "value": numbers(&node.value), "units": units,
    })
}

fn backward(explanation: &Explanation, at: usize) -> Json {
    let node = &explanation.nodes[at];
    let sent = |sent: &Sent| {
        let share = explanation.gain(at, sent);
        json!({
            "to": explanation.nodes[sent.to].name.as_str(), "derivative": explanation.derivative(at, sent),
            "worked": explanation.derivative_worked(at, sent), "value": numbers(&sent.gradient),
            // what the words of the library call little
            "share": explanation.why_small(at, sent).map(|_| share), "why": explanation.why_small(at, sent),
        })
    };
    json!({
        "pass": "backward", "node": at, "name": node.name.as_str(), "operation": node.card.name, "story": node.card.story,
        "gradient": numbers(node.gradient.as_deref().unwrap_or_default()),
        "sends": node.sends.iter().map(sent).collect::<Vec<_>>(),
    })
}

/// At most this many numbers are written.
const SHOWN: usize = 16;

fn numbers(numbers: &[f64]) -> String {
    let mut texts: Vec<String> = numbers.iter().take(SHOWN).map(|&x| digits(x, 5)).collect();
    if numbers.len() > SHOWN {
        texts.push("…".into());
    }
    texts.join("  ")
}
