use crate::solutions::numerics as right;

/// Panics unless two numbers of `f32` are the same but for their last two digits.
#[track_caller]
fn close(what: impl std::fmt::Display, found: f32, expected: f32) {
    let same = found == expected || (found - expected).abs() <= 1e-5 * expected.abs();
    assert!(same, "{what} is {expected:e}, and yours gives {found:e}");
}

fn is_logsumexp(logsumexp: impl Fn(&[f32]) -> f32) {
    close("ln(e^0 + e^0)", logsumexp(&[0.0, 0.0]), 2f32.ln());
    close("ln(e^1000 + e^1000)", logsumexp(&[1000.0, 1000.0]), 1_000.693_1);
    close("ln(e^-1000 + e^-2000)", logsumexp(&[-1000.0, -2000.0]), -1000.0);
    close("ln(e^1 + e^2 + e^3)", logsumexp(&[1.0, 2.0, 3.0]), 3.407_606);
}
exercise!(
    numerics::logsumexp,
    is_logsumexp,
    wrong: [
        |z| z.iter().map(|z| z.exp()).sum::<f32>().ln(),
        |z| z.iter().map(|z| (z - 1000.0).exp()).sum::<f32>().ln() + 1000.0,
        |z| z.iter().copied().fold(f32::NEG_INFINITY, f32::max),
    ]
);

fn is_softplus(softplus: impl Fn(f32) -> f32) {
    for (z, expected) in
        [(0.0, 2f32.ln()), (2.0, 2.126_928), (-2.0, 0.126_928), (500.0, 500.0), (-20.0, 2.061_153_6e-9)]
    {
        close(format_args!("ln(1 + e^{z})"), softplus(z), expected);
    }
}
exercise!(
    numerics::softplus,
    is_softplus,
    wrong: [
        |z: f32| z.exp().ln_1p(), // infinite at 500
        |z: f32| z.max(0.0) + (1.0 + (-z.abs()).exp()).ln(), // 0 at -20
        |z: f32| z.max(0.0),
    ]
);

fn is_bce(bce: impl Fn(f32, f32) -> f32) {
    for (z, t, expected) in [
        (0.0, 1.0, 2f32.ln()),
        (2.0, 1.0, 0.126_928),
        (2.0, 0.0, 2.126_928),
        (200.0, 0.0, 200.0),
        (-200.0, 1.0, 200.0),
        (20.0, 1.0, 2.061_153_6e-9),
    ] {
        close(format_args!("the loss of logit {z}, truth {t},"), bce(z, t), expected);
    }
}
exercise!(
    numerics::bce_with_logits,
    is_bce,
    wrong: [
        |z: f32, t: f32| {
            let a = 1.0 / (1.0 + (-z).exp());
            -(t * a.ln() + (1.0 - t) * (1.0 - a).ln())
        },
        |z: f32, t: f32| t * right::softplus(z) + (1.0 - t) * right::softplus(-z),
        |z: f32, t: f32| {
            let a = (1.0 / (1.0 + (-z).exp())).clamp(1e-7, 1.0 - 1e-7); // cut off
            -(t * a.ln() + (1.0 - t) * (1.0 - a).ln())
        },
    ]
);

fn is_slope(slope: impl Fn(&[f32], usize) -> Vec<f32>) {
    for (z, y, expected) in [
        ([0.0, 0.0], 0, [-0.5, 0.5]),
        ([1.0, 0.0], 0, [-0.268_941_43, 0.268_941_43]),
        ([1.0, 0.0], 1, [0.731_058_6, -0.731_058_6]),
        ([0.0, 500.0], 0, [-1.0, 1.0]),
    ] {
        let found = slope(&z, y);
        assert_eq!(found.len(), 2, "as many slopes as logits");
        for j in 0..2 {
            close(format_args!("logits {z:?}, class {y}: slope {j}"), found[j], expected[j]);
        }
    }
}
exercise!(
    numerics::slope,
    is_slope,
    wrong: [
        |z, y| right::slope(z, y).into_iter().map(|slope| -slope).collect(),
        |z, _| right::slope(z, usize::MAX), // softmax alone
        |z, y| {
            let e: Vec<f32> = z.iter().map(|z| z.exp()).collect();
            let sum: f32 = e.iter().sum();
            e.iter().enumerate().map(|(j, e)| e / sum - f32::from(u8::from(j == y))).collect()
        },
    ]
);
