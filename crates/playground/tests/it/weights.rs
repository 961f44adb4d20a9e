//! The gradient of each weight is that of the tape, and the reasons are those that the numbers have.

use surprisal_playground::weights::{Why, weights};
use surprisal_tensor::Workspace;

use crate::race;

#[test]
fn gradients_are_those_of_the_loss() {
    for state in
        ["hidden=5-3&activation=gelu", "data=three&hidden=4&loss=mse,focal", "hidden=none&loss=hinge,ce"]
    {
        let mut race = race(state);
        (0..30).for_each(|_| race.step());
        for side in &race.sides {
            let mut workspace = Workspace::new();
            {
                let tape = workspace.tape(&side.params);
                side.record(&tape, &race.data).loss.backward();
            }
            let expected: Vec<f64> = workspace.grads().as_slice().to_vec();
            let layers = weights(side, &race.data);
            let found = layers.iter().flat_map(|layer| layer.weights.iter().flatten().chain(&layer.biases));
            let found: Vec<f64> = found.map(|weight| weight.gradient).collect();
            let far = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(found.len() == expected.len() && far < 1e-12, "{state}: {far}");
        }
    }
}

#[test]
fn reasons_are_what_the_numbers_say() {
    // sure and wrong: squared error passes next to nothing through the output, cross-entropy everything
    let race = race("hidden=none&data=lines");
    let why = |side: usize| weights(&race.sides[side], &race.data)[0].weights[1][0].why;
    assert_eq!((why(0), why(1)), (Why::Slope, Why::None));
    // zeros: nothing arrives at the first layer
    let race = crate::race("init=zeros&start=random");
    assert_eq!(weights(&race.sides[0], &race.data)[0].weights[0][0].why, Why::Arrives);
    // huge weights: the units are dead under relu or saturated under tanh
    let race = crate::race("init=normal:3&start=random&hidden=16&data=circles");
    let reasons: Vec<Why> =
        weights(&race.sides[1], &race.data)[0].weights.iter().flatten().map(|w| w.why).collect();
    assert!(reasons.contains(&Why::Slope) || reasons.contains(&Why::Cancel), "{reasons:?}");
}
