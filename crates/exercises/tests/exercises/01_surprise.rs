use crate::near;

fn is_surprise_in_nats(nats: impl Fn(f64) -> f64) {
    for (p, surprise) in [(1.0, 0.0), (0.5, 0.5f64.recip().ln()), (0.9, 0.105360515657826), (0.1, 10f64.ln())]
    {
        near(format_args!("the surprise at {p}"), nats(p), surprise);
    }
}
exercise!(surprise::nats, is_surprise_in_nats, wrong: [|p| -p.log10(), |p| p.ln(), |p| -p.log2(), |p| 1.0 - p]);

fn is_surprise_in_bits(bits: impl Fn(f64) -> f64) {
    for k in 0..=8 {
        near(format_args!("the surprise in bits at 1/{}", 1 << k), bits(0.5f64.powi(k)), f64::from(k));
    }
}
exercise!(surprise::bits, is_surprise_in_bits, wrong: [|p| -p.ln(), |p| p.log2(), |p| -p.log10()]);

fn is_entropy(entropy: impl Fn(&[f64]) -> f64) {
    near("the entropy of a fair coin", entropy(&[0.5, 0.5]), 1.0);
    near("the entropy of a coin that always shows heads", entropy(&[1.0, 0.0]), 0.0);
    near("the entropy of 8 equal sides", entropy(&[0.125; 8]), 3.0);
    near("the entropy of 1/2, 1/4, 1/4", entropy(&[0.5, 0.25, 0.25]), 1.5);
}
exercise!(
    surprise::entropy,
    is_entropy,
    wrong: [
        |p| p.iter().map(|p| -p * p.log2()).sum(), // 0 times infinity is no number
        |p| p.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln()).sum(),
        |p| p.iter().filter(|&&p| p > 0.0).map(|p| -p.log2()).sum(),
        |p| p.iter().filter(|&&p| p > 0.0).map(|p| -p * p.log2()).sum::<f64>() / p.len() as f64,
    ]
);
