pub fn loss_of_guessing(classes: usize) -> f64 {
    (classes as f64).ln()
}

pub fn dead_units(z: &[Vec<f64>]) -> usize {
    let units = z.first().map_or(0, Vec::len);
    (0..units).filter(|&unit| z.iter().all(|row| row[unit] <= 0.0)).count()
}

pub fn contradiction(features: &[Vec<f64>], labels: &[usize]) -> Option<(usize, usize)> {
    let rows = features.len();
    let mut pairs = (0..rows).flat_map(|a| (a + 1..rows).map(move |b| (a, b)));
    pairs.find(|&(a, b)| features[a] == features[b] && labels[a] != labels[b])
}
