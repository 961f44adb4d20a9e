use crate::{all_near, near};

fn descends(descend: impl Fn(f64, f64, usize) -> f64) {
    near("no step: w", descend(3.0, 0.1, 0), 0.0);
    near("one step toward 3: w", descend(3.0, 0.1, 1), 0.6);
    near("two steps: w", descend(3.0, 0.1, 2), 1.08);
    near("a hundred steps: w", descend(3.0, 0.1, 100), 3.0 - 3.0 * 0.8f64.powi(100));
}
exercise!(
    zeroed::descend,
    descends,
    wrong: [
        |goal, rate, steps| {
            let (mut w, mut kept) = (0.0, 0.0);
            for _ in 0..steps {
                kept += 2.0 * (w - goal); // never zeroed
                w -= rate * kept;
            }
            w
        },
        |goal, rate, steps| (0..steps).fold(0.0, |w, _| w + rate * 2.0 * (w - goal)), // up the slope
        |goal, rate, steps| (0..steps).fold(0.0, |w, _| w - rate * (w - goal)),
    ]
);

fn puts_parts_together(whole: impl Fn(&[(usize, Vec<f64>)]) -> Vec<f64>) {
    all_near("one part: the gradient", &whole(&[(5, vec![1.0, -2.0])]), &[1.0, -2.0]);
    let parts = [(2, vec![3.0, 0.0]), (6, vec![-1.0, 4.0])];
    all_near("2 rows and 6 rows: the gradient", &whole(&parts), &[0.0, 3.0]);
}
exercise!(
    zeroed::whole_gradient,
    puts_parts_together,
    wrong: [
        |parts| parts[0].1.iter().enumerate().map(|(i, _)| parts.iter().map(|(_, g)| g[i]).sum()).collect(),
        |parts| {
            let mean = |i: usize| parts.iter().map(|(_, g)| g[i]).sum::<f64>() / parts.len() as f64;
            (0..parts[0].1.len()).map(mean).collect()
        },
        |parts| parts[parts.len() - 1].1.clone(), // the last has overwritten the others
    ]
);
