use crate::near;
use crate::solutions::features as right;

fn is_the_surprise_at_partners(contrast: impl Fn(&[f64], &[bool], f64) -> f64) {
    let e = |x: f64| x.exp();
    let cosines = [0.8, 0.0, -0.6];
    let total = e(0.8) + e(0.0) + e(-0.6);
    for (same, temperature, expected) in [
        ([true, false, false], 1.0, total.ln() - 0.8),
        ([false, false, true], 1.0, total.ln() + 0.6),
        ([true, true, false], 1.0, total.ln() - 0.4),
        ([true, false, false], 0.1, (1.0 + e(-8.0) + e(-14.0)).ln()),
    ] {
        let what =
            format_args!("cosines {cosines:?}, of its class {same:?}, temperature {temperature}: the loss");
        near(what, contrast(&cosines, &same, temperature), expected);
    }
}
exercise!(
    features::contrast,
    is_the_surprise_at_partners,
    wrong: [
        |cosines, same, _| right::contrast(cosines, same, 1.0),
        |cosines, same, t| right::contrast(cosines, same, t) * same.iter().filter(|s| **s).count() as f64, // a sum
        |cosines, same, t| right::contrast(cosines, same, 1.0 / t),
        |cosines, same, t| {
            let total: f64 = cosines.iter().map(|c| (c / t).exp()).sum();
            let ours: f64 = cosines.iter().zip(same).filter(|(_, s)| **s).map(|(c, _)| (c / t).exp()).sum();
            (total / ours).ln() // the surprise that any of them comes
        },
    ]
);

fn is_the_hardest(hardest: impl Fn(&[f64], &[bool]) -> (usize, usize)) {
    let distances = [0.5, 2.0, 1.0, 0.1, 3.0, 0.7];
    for (same, expected) in [
        ([true, true, false, false, false, true], (1, 3)),
        ([true, false, true, false, true, false], (4, 3)),
        ([false, false, false, true, false, false], (3, 0)),
    ] {
        assert_eq!(hardest(&distances, &same), expected, "distances {distances:?}, of its class {same:?}");
    }
}
exercise!(
    features::hardest,
    is_the_hardest,
    wrong: [
        |distances, same| { let (p, n) = right::hardest(distances, same); (n, p) },
        |distances, same| right::hardest(&distances.iter().map(|d| -d).collect::<Vec<_>>(), same), // the easiest
        |distances, same| (right::hardest(distances, same).0, 3), // the nearest of all
    ]
);

fn is_of_the_nearest(nearest: impl Fn(&[Vec<f64>], &[usize], &[f64]) -> usize) {
    let features = [vec![10.0, 10.0], vec![0.1, 0.0], vec![0.0, -3.0]];
    for (new, expected) in [([1.0, 0.1], 8), ([0.5, 0.4], 3), ([0.3, -9.0], 5), ([-0.1, -0.1], 5)] {
        assert_eq!(nearest(&features, &[3, 8, 5], &new), expected, "{new:?} among {features:?}");
    }
}
exercise!(
    features::nearest,
    is_of_the_nearest,
    wrong: [
        |features, labels, new| {
            let dot = |row: &[f64]| row.iter().zip(new).map(|(a, b)| a * b).sum::<f64>();
            let best = (0..features.len()).max_by(|&a, &b| dot(&features[a]).total_cmp(&dot(&features[b])));
            labels[best.unwrap()] // long rows win
        },
        |features, labels, new| {
            let d = |row: &[f64]| row.iter().zip(new).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
            let best = (0..features.len()).min_by(|&a, &b| d(&features[a]).total_cmp(&d(&features[b])));
            labels[best.unwrap()] // the nearest point, not the nearest direction
        },
        |features, labels, new| right::nearest(features, labels, &new.iter().map(|x| -x).collect::<Vec<_>>()),
    ]
);
