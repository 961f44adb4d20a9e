use surprisal::data::metrics::overlap;
use surprisal::loss::DiceLoss;
use surprisal::ndarray::Array1;
use surprisal::prelude::*;

use crate::near;
use crate::solutions::every_pixel as right;

fn is_dice(dice: impl Fn(&[bool], &[bool]) -> f64) {
    for (mask, prediction) in [
        ([true, true, false, false, false], [false, true, true, true, false]),
        ([true, true, false, false, true], [true, true, false, false, true]),
        ([true, false, false, false, false], [false; 5]),
        ([false; 5], [false, false, true, false, false]),
        ([false; 5], [false; 5]),
    ] {
        let [labels, predicted] = [mask, prediction].map(|pixels| pixels.map(usize::from));
        let expected = overlap(&labels, &predicted, 2).unwrap()[1].dice;
        near(format_args!("Dice of {labels:?} and {predicted:?}"), dice(&mask, &prediction), expected);
    }
}
exercise!(
    every_pixel::dice,
    is_dice,
    wrong: [
        |mask, prediction| mask.iter().zip(prediction).filter(|(a, b)| a == b).count() as f64 / mask.len() as f64, // accuracy
        |mask, prediction| {
            let dice = right::dice(mask, prediction);
            dice / (2.0 - dice) // intersection over union
        },
        |mask, prediction| if mask.contains(&true) { right::dice(mask, prediction) } else { 0.0 },
        |mask, prediction| if mask.contains(&true) { right::dice(mask, prediction) } else { 1.0 },
    ]
);

fn is_dice_slope(slope: impl Fn(&[f64], &[f64], usize) -> f64) {
    let (p, t) = ([0.9, 0.2, 0.4, 0.05], [1.0, 0.0, 1.0, 0.0]);
    let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    let tape = workspace.tape(&params);
    let z = tape.input(&Array1::from_iter(p.map(|p: f64| (p / (1.0 - p)).ln()))).requires_grad();
    DiceLoss { smooth: 0.0, ..Default::default() }.loss(z, tape.input(&Array1::from_iter(t))).backward();
    let along_logits = z.grad().unwrap();
    for i in 0..p.len() {
        let expected = along_logits[i] / (p[i] * (1.0 - p[i])); // the sigmoid's slope taken out
        near(format_args!("the slope along pixel {i} of p = {p:?}, t = {t:?}"), slope(&p, &t, i), expected);
    }
}
exercise!(
    every_pixel::dice_slope,
    is_dice_slope,
    wrong: [
        |p, t, i| -right::dice_slope(p, t, i),
        |p, t, i| -2.0 * t[i] / p.iter().chain(t).sum::<f64>(), // the sum below the line depends on p too
        |p, t, i| right::dice_slope(p, t, i) * p[i] * (1.0 - p[i]),
    ]
);

fn is_best_threshold(best: impl Fn(&[bool], &[f64], &[f64]) -> f64) {
    let mask = [true, true, false, false, false, true];
    for (probabilities, thresholds, expected) in [
        ([0.3, 0.25, 0.1, 0.05, 0.2, 0.25], [0.5, 0.25, 0.15], 0.25), // at one half, nothing is found
        ([0.9, 0.8, 0.7, 0.6, 0.1, 0.75], [0.5, 0.72, 0.85], 0.72),
        ([0.9, 0.9, 0.1, 0.1, 0.1, 0.9], [0.3, 0.5, 0.7], 0.3),
    ] {
        let found = best(&mask, &probabilities, &thresholds);
        near(format_args!("the best of {thresholds:?} for {probabilities:?}"), found, expected);
    }
}
exercise!(
    every_pixel::best_threshold,
    is_best_threshold,
    wrong: [
        |_, _, _| 0.5,
        |_, _, thresholds| thresholds.iter().copied().fold(f64::INFINITY, f64::min),
        |mask, p, thresholds| { // above the threshold, and not from it on
            let at = |threshold: f64| right::dice(mask, &Vec::from_iter(p.iter().map(|&p| p > threshold)));
            thresholds.iter().fold(thresholds[0], |best, &next| if at(next) > at(best) { next } else { best })
        },
        |mask, p, thresholds| { // the last of equals
            let backwards = Vec::from_iter(thresholds.iter().rev().copied());
            right::best_threshold(mask, p, &backwards)
        },
    ]
);
