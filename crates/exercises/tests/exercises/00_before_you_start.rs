use std::num::ParseFloatError;

fn is_mean(mean: impl Fn(&[f64]) -> Option<f64>) {
    assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0), "the mean of 1, 2, 6");
    assert_eq!(mean(&[-4.0]), Some(-4.0), "the mean of -4 alone");
    assert_eq!(mean(&[]), None, "the mean of nothing");
}
exercise!(
    before_you_start::mean,
    is_mean,
    wrong: [
        |x| Some(x.iter().sum::<f64>() / x.len() as f64), // 0 / 0
        |x| x.iter().copied().reduce(|a, b| a + b),
        |x| x.iter().copied().reduce(|a, b| (a + b) / 2.0),
    ]
);

fn is_repeated(repeated: impl Fn(fn(f64) -> f64, usize, f64) -> f64) {
    let halve_and_add: fn(f64) -> f64 = |x| x / 2.0 + 1.0;
    for (times, expected) in [(0, 10.0), (1, 6.0), (3, 3.0)] {
        assert_eq!(repeated(halve_and_add, times, 10.0), expected, "x / 2 + 1, {times} times, from 10");
    }
}
exercise!(
    before_you_start::repeated,
    is_repeated,
    wrong: [|f, _, x| f(x), |f, times, x| f(x) * times as f64, |f, times, x| (0..=times).fold(x, |x, _| f(x))]
);

fn reads_numbers(read: impl Fn(&str) -> Result<Vec<f64>, ParseFloatError>) {
    assert_eq!(read("1, 2.5,-3"), Ok(vec![1.0, 2.5, -3.0]));
    assert_eq!(read(" 7 "), Ok(vec![7.0]));
    assert!(read("1, two, 3").is_err(), "\"two\" is not a number");
}
exercise!(
    before_you_start::read_numbers,
    reads_numbers,
    wrong: [
        |text| Ok(text.split(',').filter_map(|part| part.trim().parse().ok()).collect()), // hides the mistake
        |text| text.split(',').map(str::parse).collect(),
        |text| text.split_whitespace().map(str::parse).collect(),
    ]
);
