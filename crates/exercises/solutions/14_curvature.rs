pub fn product((a, b): (f64, f64), (c, d): (f64, f64)) -> (f64, f64) {
    (a * c, a * d + b * c)
}

pub fn eigenvalues(a: f64, b: f64, c: f64) -> (f64, f64) {
    let (middle, radius) = ((a + c) / 2.0, ((a - c) / 2.0).hypot(b));
    (middle - radius, middle + radius)
}

pub fn largest_rate(curvatures: &[f64]) -> f64 {
    2.0 / curvatures.iter().copied().fold(0.0, f64::max)
}
