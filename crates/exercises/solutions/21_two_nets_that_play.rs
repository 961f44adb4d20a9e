pub fn best_discriminator(p: f64, q: f64) -> f64 {
    p / (p + q)
}

pub fn lowest_loss(p: &[f64], q: &[f64]) -> f64 {
    let surprise = |weight: f64, d: f64| if weight > 0.0 { -weight * d.ln() } else { 0.0 };
    p.iter().zip(q).map(|(p, q)| surprise(*p, p / (p + q)) + surprise(*q, q / (p + q))).sum()
}

pub fn slopes(logit: f64) -> (f64, f64) {
    (-1.0 / (1.0 + (-logit).exp()), -1.0 / (1.0 + logit.exp()))
}
