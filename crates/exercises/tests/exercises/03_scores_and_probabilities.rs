use crate::{all_near, near};

fn is_sigmoid(sigmoid: impl Fn(f64) -> f64) {
    for (z, p) in
        [(0.0, 0.5), (2.0, 0.880797077977882), (-2.0, 0.119202922022118), (800.0, 1.0), (-800.0, 0.0)]
    {
        near(format_args!("σ({z})"), sigmoid(z), p);
    }
}
exercise!(
    scores::sigmoid,
    is_sigmoid,
    wrong: [
        |z: f64| z.exp() / (1.0 + z.exp()), // infinity over infinity at 800
        |z: f64| 1.0 / (1.0 + z.exp()),
        |z: f64| z.tanh(),
        |z: f64| (1.0 + (-z).exp()).ln(),
    ]
);

fn is_logit(logit: impl Fn(f64) -> f64) {
    for (p, z) in [(0.5, 0.0), (0.9, 9f64.ln()), (0.1, -9f64.ln()), (0.2, -4f64.ln())] {
        near(format_args!("the log-odds of {p}"), logit(p), z);
    }
}
exercise!(
    scores::logit,
    is_logit,
    wrong: [|p: f64| p.ln(), |p: f64| p / (1.0 - p), |p: f64| ((1.0 - p) / p).ln(), |p: f64| (p / (1.0 - p)).log10()]
);

fn is_softmax(softmax: impl Fn(&[f64]) -> Vec<f64>) {
    let expected = [0.665240955774822, 0.244728471054798, 0.090030573170381];
    all_near("softmax of 2, 1, 0", &softmax(&[2.0, 1.0, 0.0]), &expected);
    all_near("softmax of 1002, 1001, 1000", &softmax(&[1002.0, 1001.0, 1000.0]), &expected);
    all_near("softmax of -1000, -1000", &softmax(&[-1000.0, -1000.0]), &[0.5, 0.5]);
}
exercise!(
    scores::softmax,
    is_softmax,
    wrong: [
        |z| {
            let sum: f64 = z.iter().map(|z| z.exp()).sum(); // overflows
            z.iter().map(|z| z.exp() / sum).collect()
        },
        |z| {
            let sum: f64 = z.iter().sum();
            z.iter().map(|z| z / sum).collect()
        },
        |z| {
            let least = z.iter().copied().fold(f64::INFINITY, f64::min);
            z.iter().map(|z| (z - least).exp()).collect()
        },
    ]
);

fn is_logistic_loss(loss: impl Fn(f64, f64) -> f64) {
    near("the loss of an undecided score", loss(0.0, 1.0), 2f64.ln());
    near("the loss of score 2, which is right", loss(2.0, 1.0), 0.126928011042973);
    near("the loss of score 2, which is wrong", loss(2.0, -1.0), 2.126928011042973);
    near("the loss of score -2, which is right", loss(-2.0, -1.0), 0.126928011042973);
}
exercise!(
    scores::logistic_loss,
    is_logistic_loss,
    wrong: [
        |z: f64, y: f64| (1.0 + (y * z).exp()).ln(),
        |z: f64, _: f64| (1.0 + (-z).exp()).ln(),
        |z: f64, y: f64| (1.0 - y * z).max(0.0), // that is the hinge
        |z: f64, y: f64| (1.0 + (-y * z).exp()).log2(),
    ]
);
