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

pub fn accuracy(said: &[usize], labels: &[usize]) -> f64 {
    said.iter().zip(labels).filter(|(said, label)| said == label).count() as f64 / labels.len() as f64
}
