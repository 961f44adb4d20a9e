pub fn descend(goal: f64, rate: f64, steps: usize) -> f64 {
    (0..steps).fold(0.0, |w, _| w - rate * 2.0 * (w - goal))
}

pub fn whole_gradient(parts: &[(usize, Vec<f64>)]) -> Vec<f64> {
    let rows: usize = parts.iter().map(|(rows, _)| rows).sum();
    let mut whole = vec![0.0; parts[0].1.len()];
    for (part, gradient) in parts {
        for (whole, g) in whole.iter_mut().zip(gradient) {
            *whole += g * *part as f64 / rows as f64;
        }
    }
    whole
}
