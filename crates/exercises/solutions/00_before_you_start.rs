use std::num::ParseFloatError;

pub fn mean(numbers: &[f64]) -> Option<f64> {
    if numbers.is_empty() { None } else { Some(numbers.iter().sum::<f64>() / numbers.len() as f64) }
}

pub fn repeated(f: impl Fn(f64) -> f64, times: usize, x: f64) -> f64 {
    (0..times).fold(x, |x, _| f(x))
}

pub fn read_numbers(text: &str) -> Result<Vec<f64>, ParseFloatError> {
    text.split(',').map(|part| part.trim().parse()).collect()
}
