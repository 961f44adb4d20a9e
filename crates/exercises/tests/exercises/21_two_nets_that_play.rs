use crate::near;
use crate::solutions::two_nets as right;

fn is_best_discriminator(best_discriminator: impl Fn(f64, f64) -> f64) {
    for (p, q, expected) in [(1.0, 1.0, 0.5), (0.5, 0.0, 1.0), (0.0, 0.5, 0.0), (3.0, 1.0, 0.75)] {
        near(format_args!("D where p is {p} and q is {q}"), best_discriminator(p, q), expected);
    }
}
exercise!(
    two_nets::best_discriminator,
    is_best_discriminator,
    wrong: [
        |p, q| q / (p + q), // the probability of "fake"
        |p, q| p / (p + q) / 2.0,
        |p, q| f64::from(u8::from(p > q)), // the more likely of the two, but not how likely
    ]
);

fn is_lowest_loss(lowest_loss: impl Fn(&[f64], &[f64]) -> f64) {
    let ln_2 = 2f64.ln();
    for (p, q, expected) in [
        ([0.5, 0.5, 0.0], [0.5, 0.5, 0.0], 2.0 * ln_2),
        ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5], ln_2),
        ([1.0, 0.0, 0.0], [0.0, 0.5, 0.5], 0.0),
        ([0.2, 0.3, 0.5], [0.2, 0.3, 0.5], 2.0 * ln_2),
        ([0.5, 0.25, 0.25], [0.25, 0.75, 0.0], 1.5 * ln_2),
    ] {
        near(format_args!("the loss for {p:?} and {q:?}"), lowest_loss(&p, &q), expected);
    }
}
exercise!(
    two_nets::lowest_loss,
    is_lowest_loss,
    wrong: [
        |p, q| right::lowest_loss(p, q) / 2.0, // the mean of both halves, not their sum
        |p, q| right::lowest_loss(p, q) / 2f64.ln(), // in bits
        |p, q| p.iter().zip(q).map(|(p, q)| -p * (p / (p + q)).ln() - q * (q / (p + q)).ln()).sum(), // 0 ln 0 is not a number
        |p, q| p.iter().zip(q).filter(|(p, _)| **p > 0.0).map(|(p, q)| -p * (p / (p + q)).ln()).sum(), // real points only
    ]
);

fn are_slopes(slopes: impl Fn(f64) -> (f64, f64)) {
    for (logit, saturating, other) in
        [(0.0, -0.5, -0.5), (3f64.ln(), -0.75, -0.25), (-(9f64.ln()), -0.1, -0.9)]
    {
        let found = slopes(logit);
        near(format_args!("the slope of the saturating loss at {logit}"), found.0, saturating);
        near(format_args!("the slope of the other loss at {logit}"), found.1, other);
    }
}
exercise!(
    two_nets::slopes,
    are_slopes,
    wrong: [
        |logit| { let (a, b) = right::slopes(logit); (b, a) },
        |logit| { let (a, b) = right::slopes(logit); (-a, -b) }, // up instead of down
        |logit| (-logit, logit - 1.0), // of the logit, not of its sigmoid
    ]
);
