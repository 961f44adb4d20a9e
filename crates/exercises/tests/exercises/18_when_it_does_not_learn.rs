use crate::near;
use crate::solutions::does_not_learn as right;

fn is_loss_of_guessing(loss: impl Fn(usize) -> f64) {
    for (classes, expected) in [(1, 0.0), (2, 2f64.ln()), (10, 10f64.ln())] {
        near(format_args!("of {classes} classes"), loss(classes), expected);
    }
}
exercise!(
    does_not_learn::loss_of_guessing,
    is_loss_of_guessing,
    wrong: [
        |classes| (classes as f64).log2(), // in bits
        |classes| 1.0 / classes as f64,
        |classes| -(classes as f64).ln(),
    ]
);

fn counts_dead(dead_units: impl Fn(&[Vec<f64>]) -> usize) {
    let rows = [vec![1.0, -1.0, -2.0, 0.0], vec![-3.0, -0.5, 4.0, 0.0], vec![2.0, -7.0, -1.0, -1.0]];
    assert_eq!(dead_units(&rows), 2, "of {rows:?}");
    assert_eq!(dead_units(&rows[..2]), 2, "of {:?}", &rows[..2]);
    assert_eq!(dead_units(&rows[1..2]), 3, "of {:?}", &rows[1..2]);
}
exercise!(
    does_not_learn::dead_units,
    counts_dead,
    wrong: [
        |z| z.iter().filter(|row| row.iter().all(|&z| z <= 0.0)).count(), // dead rows
        |z| (0..z[0].len()).filter(|&unit| z.iter().any(|row| row[unit] <= 0.0)).count(),
        |z| (0..z[0].len()).filter(|&unit| z.iter().map(|row| row[unit]).sum::<f64>() <= 0.0).count(),
    ]
);

fn finds_contradictions(contradiction: impl Fn(&[Vec<f64>], &[usize]) -> Option<(usize, usize)>) {
    let features = [vec![1.0, 2.0], vec![1.0, 3.0], vec![1.0, 2.0], vec![1.0, 2.0]];
    for (labels, expected) in
        [([0, 1, 0, 0], None), ([0, 1, 1, 0], Some((0, 2))), ([1, 1, 1, 0], Some((0, 3)))]
    {
        assert_eq!(
            contradiction(&features, &labels),
            expected,
            "rows {features:?} with the labels {labels:?}"
        );
    }
}
exercise!(
    does_not_learn::contradiction,
    finds_contradictions,
    wrong: [
        |features, _| right::contradiction(features, &(0..features.len()).collect::<Vec<_>>()), // twice the same row is no contradiction
        |features, labels| right::contradiction(&vec![vec![]; features.len()], labels),
        |features, labels| right::contradiction(features, labels).map(|(a, b)| (b, a)),
    ]
);
