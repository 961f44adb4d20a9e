pub fn dice(mask: &[bool], prediction: &[bool]) -> f64 {
    let both = mask.iter().zip(prediction).filter(|&(&a, &b)| a && b).count();
    let each = mask.iter().chain(prediction).filter(|&&foreground| foreground).count();
    if each == 0 { 1.0 } else { 2.0 * both as f64 / each as f64 }
}

pub fn dice_slope(p: &[f64], t: &[f64], i: usize) -> f64 {
    let both: f64 = p.iter().zip(t).map(|(p, t)| p * t).sum();
    let sum = p.iter().chain(t).sum::<f64>();
    (2.0 * both / sum - 2.0 * t[i]) / sum
}

pub fn best_threshold(mask: &[bool], probabilities: &[f64], thresholds: &[f64]) -> f64 {
    let at = |threshold: f64| dice(mask, &Vec::from_iter(probabilities.iter().map(|&p| p >= threshold)));
    let better = |best: f64, &next: &f64| if at(next) > at(best) { next } else { best };
    thresholds.iter().fold(thresholds[0], better)
}
