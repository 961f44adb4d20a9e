pub fn nats(p: f64) -> f64 {
    -p.ln()
}

pub fn bits(p: f64) -> f64 {
    -p.log2()
}

pub fn entropy(p: &[f64]) -> f64 {
    p.iter().filter(|&&p| p > 0.0).map(|p| p * bits(*p)).sum()
}
