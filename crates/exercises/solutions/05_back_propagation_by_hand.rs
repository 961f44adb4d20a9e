pub fn output_errors(a: &[f64], y: &[f64]) -> Vec<f64> {
    a.iter().zip(y).map(|(a, y)| (a - y) * a * (1.0 - a)).collect()
}

pub fn hidden_errors(a: &[f64], w: &[Vec<f64>], delta: &[f64]) -> Vec<f64> {
    let blame = w.iter().map(|row| row.iter().zip(delta).map(|(w, delta)| w * delta).sum::<f64>());
    a.iter().zip(blame).map(|(a, blame)| blame * a * (1.0 - a)).collect()
}

pub fn weight_gradient(a: &[f64], delta: &[f64]) -> Vec<Vec<f64>> {
    a.iter().map(|a| delta.iter().map(|delta| a * delta).collect()).collect()
}
