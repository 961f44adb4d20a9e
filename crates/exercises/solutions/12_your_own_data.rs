pub fn measure(column: &[f64]) -> (f64, f64) {
    let n = column.len() as f64;
    let mean = column.iter().sum::<f64>() / n;
    (mean, (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
}

pub fn standardized(train: &[f64], test: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mean, deviation) = measure(train);
    let apply = |part: &[f64]| part.iter().map(|x| (x - mean) / deviation).collect();
    (apply(train), apply(test))
}

pub fn accuracy(labels: &[usize], said: &[usize]) -> f64 {
    labels.iter().zip(said).filter(|(label, said)| label == said).count() as f64 / labels.len() as f64
}
