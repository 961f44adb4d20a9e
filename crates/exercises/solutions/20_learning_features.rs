pub fn contrast(cosines: &[f64], same: &[bool], temperature: f64) -> f64 {
    let total: f64 = cosines.iter().map(|c| (c / temperature).exp()).sum();
    let partners = cosines.iter().zip(same).filter(|(_, same)| **same);
    let count = partners.clone().count() as f64;
    partners.map(|(c, _)| total.ln() - c / temperature).sum::<f64>() / count
}

pub fn hardest(distances: &[f64], same: &[bool]) -> (usize, usize) {
    let rows = |of_class: bool| (0..distances.len()).filter(move |&row| same[row] == of_class);
    let farther = |a: &usize, b: &usize| distances[*a].total_cmp(&distances[*b]);
    (rows(true).max_by(farther).unwrap(), rows(false).min_by(farther).unwrap())
}

pub fn nearest(features: &[Vec<f64>], labels: &[usize], new: &[f64]) -> usize {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let cosine = |row: &[f64]| dot(row, new) / dot(row, row).sqrt();
    let best = (0..features.len()).max_by(|&a, &b| cosine(&features[a]).total_cmp(&cosine(&features[b])));
    labels[best.unwrap()]
}
