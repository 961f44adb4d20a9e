use surprisal_exercises::experiments::Verdict;

pub fn verdict(low: f64, high: f64, border: f64) -> Verdict {
    if low > border {
        Verdict::Supported
    } else if high < border {
        Verdict::NotSupported
    } else {
        Verdict::Inconclusive
    }
}

pub fn times_as_long(slow: &[f64], fast: &[f64]) -> f64 {
    let logarithms = slow.iter().zip(fast).map(|(slow, fast)| (slow / fast).ln());
    (logarithms.sum::<f64>() / slow.len() as f64).exp()
}
