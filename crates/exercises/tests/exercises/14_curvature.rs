use surprisal::prelude::*;

use crate::near;
use crate::solutions::curvature as right;

fn is_product(product: impl Fn((f64, f64), (f64, f64)) -> (f64, f64)) {
    for (x, y) in [((3.0, 1.0), (3.0, 1.0)), ((2.0, 0.0), (5.0, 1.0)), ((-1.0, 4.0), (0.5, -2.0))] {
        let dual = |(value, tangent)| Dual { value, tangent };
        let expected = dual(x) * dual(y);
        let (value, tangent) = product(x, y);
        near(format_args!("the value of {x:?} times {y:?}"), value, expected.value);
        near(format_args!("the tangent of {x:?} times {y:?}"), tangent, expected.tangent);
    }
}
exercise!(
    curvature::product,
    is_product,
    wrong: [
        |(a, b), (c, d)| (a * c, b * d),
        |(a, b), (c, d)| (a * c + b * d, a * d + b * c), // ε² is 0, not 1
        |(a, b), (c, d)| (a * c - b * d, a * d + b * c), // nor -1: those are complex numbers
    ]
);

fn are_eigenvalues(eigenvalues: impl Fn(f64, f64, f64) -> (f64, f64)) {
    for (a, b, c, low, high) in [
        (2.0, 1.0, 2.0, 1.0, 3.0),
        (28.0, 16.0, 52.0, 20.0, 60.0),
        (0.0, 1.0, 0.0, -1.0, 1.0),
        (5.0, 0.0, -1.0, -1.0, 5.0),
    ] {
        let (found_low, found_high) = eigenvalues(a, b, c);
        near(format_args!("the smaller of [[{a}, {b}], [{b}, {c}]]"), found_low, low);
        near(format_args!("the larger of [[{a}, {b}], [{b}, {c}]]"), found_high, high);
    }
}
exercise!(
    curvature::eigenvalues,
    are_eigenvalues,
    wrong: [
        |a, _, c| (a.min(c), a.max(c)),
        |a, b, c| {
            let (low, high) = right::eigenvalues(a, b, c);
            (high, low)
        },
        |a, b, c| right::eigenvalues(a, b.sqrt(), c),
    ]
);

fn is_largest_rate(largest_rate: impl Fn(&[f64]) -> f64) {
    for (curvatures, expected) in [(&[4.0][..], 0.5), (&[1.0, 100.0, 3.0], 0.02)] {
        near(format_args!("the largest rate for {curvatures:?}"), largest_rate(curvatures), expected);
    }
}
exercise!(
    curvature::largest_rate,
    is_largest_rate,
    wrong: [
        |curvatures| 1.0 / curvatures.iter().copied().fold(0.0, f64::max), // arrives fastest along that one; it may be twice as large
        |curvatures| 2.0 / curvatures.iter().copied().fold(f64::INFINITY, f64::min),
        |curvatures| 2.0 * curvatures.len() as f64 / curvatures.iter().sum::<f64>(),
    ]
);
