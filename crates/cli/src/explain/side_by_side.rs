//! Squared error beside cross-entropy at the same neuron: where the slope of the activation enters, and where it cancels.

use surprisal_explain::{Explanation, Node, digits};

/// A table of the last operation before the loss in both explanations; empty if that does not squash a single number.
pub fn table(squared: &Explanation, entropy: &Explanation) -> String {
    let columns = [squared, entropy].map(Column::of);
    let [Some(squared), Some(entropy)] = &columns else { return String::new() };
    let (a, z) = (&squared.a, &squared.z);
    let row = |what: String, pick: fn(&Column) -> f64| {
        format!("  {what:26}  {:>14}  {:>14}\n", digits(pick(squared), 6), digits(pick(entropy), 6))
    };
    let mut text = format!(
        "The same neuron under both losses\n\n  {:26}  {:>14}  {:>14}\n",
        "", "squared error", "cross-entropy"
    );
    text += &row("loss".into(), |c| c.loss);
    text += &row(format!("∂{a}, what the loss sends"), |c| c.incoming);
    text += &row(format!("slope of {a} at {z}"), |c| c.slope);
    text += &row(format!("∂{z} = ∂{a} · slope"), |c| c.passed);
    let [slope, error, quotient] = [squared.slope, squared.incoming, entropy.incoming].map(|x| digits(x, 6));
    text += &format!(
        "\nUnder squared error ∂{a} is the error {a} - y = {error}, and ∂{z} keeps the slope {slope} as a factor.\n"
    );
    // the slope of a sigmoid is a (1 - a), which is what the cross-entropy divides by
    let cancels = (entropy.passed - squared.incoming).abs() <= 1e-6 * squared.incoming.abs();
    text += &match (cancels, entropy.incoming.is_finite()) {
        (true, _) => format!(
            "Under cross-entropy ∂{a} is ({a} - y) / ({a} (1 - {a})) = {quotient}: the slope in the denominator cancels, ∂{z} = {a} - y.\n"
        ),
        (false, true) => format!(
            "Under cross-entropy ∂{a} is ({a} - y) / ({a} (1 - {a})) = {quotient}: that cancels only the slope of a sigmoid.\n"
        ),
        (false, false) => format!(
            "Here {a} has rounded to 0 or 1, and the cross-entropy of {a} is not finite; that of {z} itself is: \
             bce_with_logits({z}, y).\n"
        ),
    };
    text
}

struct Column {
    a: String,
    z: String,
    loss: f64,
    incoming: f64,
    slope: f64,
    passed: f64,
}

impl Column {
    fn of(explanation: &Explanation) -> Option<Column> {
        let single = |numbers: &Option<Vec<f64>>| numbers.as_deref().filter(|n| n.len() == 1).map(|n| n[0]);
        let loss: &Node = explanation.nodes.last()?;
        let a = &explanation.nodes[*loss.inputs.first()?];
        let z = &explanation.nodes[*a.inputs.first()?];
        Some(Column {
            a: a.name.clone(),
            z: z.name.clone(),
            loss: *loss.value.first()?,
            incoming: single(&a.gradient)?,
            slope: single(&a.slopes)?,
            passed: a.sends.first()?.gradient.first().copied()?,
        })
    }
}
