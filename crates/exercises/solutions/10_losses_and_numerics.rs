fn largest(z: &[f32]) -> f32 {
    z.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

pub fn logsumexp(z: &[f32]) -> f32 {
    let most = largest(z);
    most + z.iter().map(|z| (z - most).exp()).sum::<f32>().ln()
}

pub fn softplus(z: f32) -> f32 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

pub fn bce_with_logits(z: f32, t: f32) -> f32 {
    t * softplus(-z) + (1.0 - t) * softplus(z)
}

pub fn slope(z: &[f32], y: usize) -> Vec<f32> {
    let most = largest(z);
    let sum: f32 = z.iter().map(|z| (z - most).exp()).sum();
    z.iter().enumerate().map(|(j, z)| (z - most).exp() / sum - f32::from(u8::from(j == y))).collect()
}
