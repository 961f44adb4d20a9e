//! The explanation of the net of the digits example: what stands on the page is what the library computed.

use surprisal::explain::{Explanation, digits, explain};
use surprisal::prelude::*;

/// The net of `examples/03_mlp_digits.rs` after some steps, explained at so many rows; and its gradients.
fn explained(rows: usize) -> (Explanation, Vec<(String, Vec<f32>)>) {
    let data = Dataset::digits();
    let x = data.features.mapv(|pixel| pixel as f32 / 16.0);
    let (mut params, mut rng) = (Params::new(), rng(7));
    let hidden = Linear::new(&mut params, "hidden", 64, 32, &mut rng);
    let model = (hidden, Relu, Linear::new(&mut params, "out", 32, 10, &mut rng));
    let (mut adam, mut workspace) = (Adam::new(0.01), Workspace::new());
    for _ in 0..5 {
        let tape = workspace.tape(&params);
        softmax_cross_entropy(model.forward(tape.input(&x)), data.labels()).backward();
        adam.step(&mut params, workspace.grads());
    }
    let tape = workspace.tape(&params);
    let batch = tape.rows(&x, &Vec::from_iter(0..rows));
    let loss = softmax_cross_entropy(model.forward(batch), &data.labels()[..rows]);
    loss.backward();
    let explanation = explain(loss);
    let grads = workspace.grads();
    let named = params.ids().map(|id| (params.entry(id).name.clone(), grads[id].to_vec())).collect();
    (explanation, named)
}

fn told(numbers: &[f32]) -> Vec<String> {
    numbers.iter().map(|&x| digits(x.into(), 6)).collect()
}

#[test]
fn every_gradient_of_the_page_is_the_optimizers() {
    for rows in [1, 8] {
        let (explanation, grads) = explained(rows);
        for (name, gradient) in &grads {
            let node = explanation.nodes.iter().find(|node| node.name == *name).unwrap();
            let shown: Vec<f32> = node.gradient.as_ref().unwrap().iter().map(|&g| g as f32).collect();
            assert_eq!(&shown, gradient, "{name}");
            // what was sent to it is all of it
            let at = explanation.nodes.iter().position(|node| node.name == *name).unwrap();
            let sent: Vec<f64> =
                explanation.received(at).flat_map(|(_, sent)| sent.gradient.clone()).collect();
            assert_eq!(&sent, node.gradient.as_ref().unwrap(), "{name}");
        }
    }
}

/// Read from the text of the equations, and computed anew from the library's arrays.
#[test]
fn the_four_equations_hold_with_the_numbers_that_are_printed() {
    let (explanation, grads) = explained(1);
    let gradient = |name: &str| &grads.iter().find(|(other, _)| other == name).unwrap().1;
    let equations = explanation.equations();
    let kinds: Vec<_> = equations.iter().map(|e| (e.layer.as_str(), e.what)).collect();
    assert_eq!(
        kinds,
        [
            ("out", "error of the output"),
            ("out", "gradient of the weights"),
            ("out", "gradient of the biases"),
            ("hidden", "error of a hidden layer"),
            ("hidden", "gradient of the weights"),
            ("hidden", "gradient of the biases"),
        ]
    );
    for equation in &equations {
        let numbers: Vec<&str> = equation.worked.split(" = ").collect();
        let result = *numbers.last().unwrap();
        let place = |text: &str| -> Vec<usize> {
            let inside = text.split(['[', ']']).nth(1).unwrap();
            inside.split(',').map(|k| k.parse().unwrap()).collect()
        };
        let (layer, at) = (&equation.layer, place(numbers[0]));
        let expected = match equation.what {
            "gradient of the weights" => {
                let columns = if layer == "out" { 10 } else { 32 };
                gradient(&format!("{layer}.weight"))[at[0] * columns + at[1]]
            }
            _ => gradient(&format!("{layer}.bias"))[at[0]], // δ of a single row
        };
        assert_eq!(result, digits(expected.into(), 6), "{equation:?}");
        // the factors that are written out multiply to the result
        let factors = |text: &str| -> f64 {
            text.split(" · ").map(|f| f.trim_matches(['(', ')']).parse::<f64>().unwrap()).product()
        };
        if let [.., product, _] = numbers[..]
            && product.contains(" · ")
        {
            let error = factors(product) - f64::from(expected);
            assert!(error.abs() <= 2e-5 * f64::from(expected).abs(), "{equation:?}");
        }
    }
}

#[test]
fn the_page_and_the_picture_hold_the_numbers_to_all_digits() {
    let (explanation, grads) = explained(1);
    let (page, picture) = (explanation.to_html("Digits"), explanation.to_svg("tape"));
    let loss = explanation.nodes.last().unwrap().value[0];
    assert!(page.contains(&digits(loss, 6)) && picture.contains(&digits(loss, 6)));
    for equation in explanation.equations() {
        assert!(page.contains(&equation.worked.replace('\'', "&#39;")), "{}", equation.worked);
    }
    // the formulas of the equations are drawn, not spelled
    assert_eq!(page.matches("<figure>\n<math").count(), explanation.equations().len());
    // where a layer's gradient is reported by where it lies, the ends are those of the library
    for (name, gradient) in grads {
        let all = told(&gradient);
        let ends =
            [f32::min, f32::max].map(|pick| digits(gradient.iter().copied().reduce(pick).unwrap().into(), 4));
        let line = page.lines().find(|line| line.contains(&format!("passes on ∂{name} = "))).unwrap();
        assert!(ends.iter().all(|end| line.contains(end)), "{name}: {ends:?} of {} in {line}", all.len());
    }
}

#[test]
fn sixty_nodes_stand_apart_and_each_has_its_box() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let mut x = tape.constant(0.3).requires_grad().named("x");
    for _ in 0..20 {
        x = x + x.sin_like();
    }
    let _ = x;
    let boxes = |picture: &str| picture.matches("class=\"node ").count();
    x.backward();
    let explanation = explain(x);
    assert!(explanation.nodes.len() > 40);
    assert_eq!(
        boxes(&explanation.to_svg("tape")),
        explanation.nodes.iter().filter(|n| !n.is_constant()).count()
    );
}

/// A function in a few operations, for a longer tape.
trait SinLike {
    fn sin_like(self) -> Self;
}
impl SinLike for Var<'_> {
    fn sin_like(self) -> Self {
        self.tanh() * (-self.square()).exp()
    }
}
