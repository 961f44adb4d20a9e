pub fn cross_entropy(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).filter(|(p, _)| **p > 0.0).map(|(p, q)| -p * q.ln()).sum()
}

pub fn divergence(p: &[f64], q: &[f64]) -> f64 {
    cross_entropy(p, q) - cross_entropy(p, p)
}

pub fn best_expectation(p: &[f64], expectations: &[Vec<f64>]) -> usize {
    let surprise = |i: &usize| cross_entropy(p, &expectations[*i]);
    (0..expectations.len()).min_by(|a, b| surprise(a).total_cmp(&surprise(b))).expect("there is one")
}
