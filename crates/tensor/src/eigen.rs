//! Eigenvalues and eigenvectors of symmetric matrices.

use ndarray::{Array2, Axis};

/// Sweeps after which the method stops at the latest; it converges quadratically, and no matrix is known to need 20.
const MOST_SWEEPS: usize = 60;

/// The eigenvalues λ of a symmetric matrix, ascending, and its eigenvectors as the columns of V: `A = V diag(λ) Vᵀ`.
///
/// V is orthonormal; the entry of largest size in each column is positive, so that signs do not depend on rounding. Every
/// λ is right to a few n ε max|λ|: of a very small one among large ones few digits may be left. Only the upper triangle of
/// A is read.
///
/// The cyclic Jacobi method: one entry above the diagonal after the other is turned to 0 by a rotation, until a whole sweep
/// finds nothing left to turn. It takes about 40 n³ operations, fine up to some hundred rows, and is as accurate as can be.
///
/// # Panics
/// If the matrix is not square, or if an entry is not finite.
///
/// # Source
/// Jacobi 1846; Golub and Van Loan, *Matrix Computations* (2013), algorithm 8.5.3.
///
/// ```
/// use surprisal_tensor::{ndarray::array, symmetric_eigen};
///
/// let (values, vectors) = symmetric_eigen(&array![[2.0, 1.0], [1.0, 2.0]]);
/// assert!((values[0] - 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
/// assert!((vectors[[0, 1]] - 0.5f64.sqrt()).abs() < 1e-15); // 3 belongs to (1, 1) / √2
/// ```
#[track_caller]
pub fn symmetric_eigen(matrix: &Array2<f64>) -> (Vec<f64>, Array2<f64>) {
    let n = matrix.nrows();
    assert!(matrix.is_square(), "symmetric_eigen: [{n}, {}] is not square", matrix.ncols());
    assert!(matrix.iter().all(|x| x.is_finite()), "symmetric_eigen: an entry is not finite");
    let mut a = Array2::from_shape_fn((n, n), |(i, j)| matrix[[i.min(j), i.max(j)]]);
    let mut vectors = Array2::eye(n);
    let negligible = f64::EPSILON / n as f64 * a.iter().fold(0.0, |most, x| x.abs().max(most));
    for _ in 0..MOST_SWEEPS {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                if a[[p, q]].abs() > negligible {
                    turned = true;
                    rotate(&mut a, &mut vectors, p, q);
                }
            }
        }
        if !turned {
            break;
        }
    }

    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[[i, i]].total_cmp(&a[[j, j]]));
    let mut vectors = vectors.select(Axis(1), &order);
    for mut vector in vectors.columns_mut() {
        let largest = vector.iter().fold(0.0, |most: f64, &x| if x.abs() > most.abs() { x } else { most });
        if largest < 0.0 {
            vector.mapv_inplace(|x| -x);
        }
    }
    (order.iter().map(|&i| a[[i, i]]).collect(), vectors)
}

/// Turns the entry (p, q) to 0: `A <- JᵀAJ` and `V <- VJ`, where J is a rotation by at most 45° in the plane of p and q.
fn rotate(a: &mut Array2<f64>, vectors: &mut Array2<f64>, p: usize, q: usize) {
    let apq = a[[p, q]];
    let cot = (a[[q, q]] - a[[p, p]]) / 2.0 / apq; // of twice the angle
    let tan = 1.0f64.copysign(cot) / (cot.abs() + cot.hypot(1.0));
    let cos = 1.0 / tan.hypot(1.0);
    let sin = tan * cos;
    a[[p, p]] -= tan * apq;
    a[[q, q]] += tan * apq;
    (a[[p, q]], a[[q, p]]) = (0.0, 0.0);
    for k in 0..a.nrows() {
        if k != p && k != q {
            let (x, y) = (a[[k, p]], a[[k, q]]);
            let (x, y) = (cos * x - sin * y, sin * x + cos * y);
            (a[[k, p]], a[[p, k]]) = (x, x);
            (a[[k, q]], a[[q, k]]) = (y, y);
        }
        let (x, y) = (vectors[[k, p]], vectors[[k, q]]);
        (vectors[[k, p]], vectors[[k, q]]) = (cos * x - sin * y, sin * x + cos * y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    /// A V = V diag(λ) and VᵀV = 1 to rounding, λ ascending; gives λ.
    #[track_caller]
    fn check(a: &Array2<f64>) -> Vec<f64> {
        let (n, (values, vectors)) = (a.nrows() as f64, symmetric_eigen(a));
        let largest = values.iter().fold(0.0, |most: f64, x| x.abs().max(most));
        let off = a.dot(&vectors) - vectors.dot(&Array2::from_diag(&Array1::from(values.clone())));
        assert!(off.iter().all(|x| x.abs() <= 8.0 * n * f64::EPSILON * largest), "{off}");
        let off = vectors.t().dot(&vectors) - Array2::<f64>::eye(a.nrows());
        assert!(off.iter().all(|x| x.abs() <= 8.0 * n * f64::EPSILON), "{off}");
        assert!(values.is_sorted());
        values
    }

    /// The second difference on a line of n: λ_k = 2 - 2 cos(πk / (n + 1)).
    #[test]
    fn eigenvalues_that_are_known_in_closed_form() {
        let n = 40;
        let a = Array2::from_shape_fn((n, n), |(i, j)| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        });
        for (k, value) in check(&a).into_iter().enumerate() {
            let angle = std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64;
            assert!((value - (2.0 - 2.0 * angle.cos())).abs() < 1e-14, "{k}: {value}");
        }
    }

    #[test]
    fn eigenvalues_that_are_equal_zero_negative_or_far_apart() {
        assert_eq!(check(&Array2::eye(3)), [1.0; 3]);
        assert_eq!(check(&Array2::zeros((2, 2))), [0.0; 2]);
        assert_eq!(check(&array![[-7.0]]), [-7.0]);
        assert!(symmetric_eigen(&Array2::zeros((0, 0))).0.is_empty());
        let ones = check(&Array2::ones((5, 5))); // rank 1: 0, four times, and 5
        assert!(ones[..4].iter().all(|x| x.abs() < 1e-15) && (ones[4] - 5.0).abs() < 1e-14);
        for scale in [1e-300, 1.0, 1e300] {
            let values = check(&array![[0.0, scale], [scale, 0.0]]);
            assert!((values[0] / scale + 1.0).abs() < 1e-15 && (values[1] / scale - 1.0).abs() < 1e-15);
        }
        let values = check(&array![[1e8, 1.0], [1.0, 1e-8]]); // det = 0
        assert!(values[0].abs() < 1e-8 && (values[1] - (1e8 + 1e-8)).abs() < 1e-7);
    }

    #[test]
    fn only_the_upper_triangle_is_read_and_signs_are_fixed() {
        let (values, vectors) = symmetric_eigen(&array![[1.0, -2.0], [99.0, 1.0]]);
        assert!((values[0] + 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
        assert!(vectors[[0, 0]] > 0.0 && vectors[[1, 0]] > 0.0 && vectors[[0, 1]] * vectors[[1, 1]] < 0.0);
    }

    #[test]
    fn what_is_not_square_or_not_finite() {
        let inputs = [Array2::zeros((2, 3)), array![[f64::NAN]]];
        let messages = inputs.map(|x| crate::ops::complaint(|| symmetric_eigen(&x)));
        expect_test::expect![[r#"
            symmetric_eigen: [2, 3] is not square
            symmetric_eigen: an entry is not finite"#]]
        .assert_eq(&messages.join("\n"));
    }
}
