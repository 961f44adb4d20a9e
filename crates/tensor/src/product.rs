//! Products of matrices: one seam, behind which the way is chosen by machine and size.

use crate::sum::{SHORT, short_sum_by, sum_by};
use crate::{Buf, Scalar};

/// A matrix seen in a slice: a transpose is an exchange of strides.
///
/// The fields are private and there is one way to make a `Mat`, so that `data` has exactly `rows * cols` numbers, and element
/// `(i, j)`, for i < rows and j < cols, stands at `i * row_stride + j * col_stride < data.len()`. The register tiles of
/// products rely on it. One of the strides is 1.
#[derive(Clone, Copy)]
pub struct Mat<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Mat<'a, T> {
    /// `rows` x `cols` numbers, stored by rows.
    ///
    /// # Panics
    /// At the caller's line, if the slice does not have exactly as many numbers.
    #[inline]
    #[track_caller]
    pub fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert!(
            rows.checked_mul(cols) == Some(data.len()),
            "a matrix [{rows}, {cols}] cannot be seen in a slice of {} numbers: it takes rows times columns",
            data.len()
        );
        Mat { data, rows, cols, row_stride: cols, col_stride: 1 }
    }
    /// The transpose; nothing is moved.
    pub fn t(self) -> Self {
        Mat {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }
    /// `[rows, cols]`
    #[inline(always)]
    pub(crate) fn size(self) -> [usize; 2] {
        [self.rows, self.cols]
    }
    /// Where its first number stands, and how far the next row and the next column are.
    #[inline(always)]
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))] // where products are computed in register tiles
    pub(crate) fn place(self) -> (*const T, [usize; 2]) {
        (self.data.as_ptr(), [self.row_stride, self.col_stride])
    }
}

/// m, k and n of the product of `[m, k]` and `[k, n]` into `into` numbers.
///
/// # Panics
/// If the sizes do not fit.
#[inline]
#[track_caller]
pub(crate) fn sizes<T>(a: Mat<T>, b: Mat<T>, into: usize) -> [usize; 3] {
    let ([m, k], [rows, n]) = (a.size(), b.size());
    assert!(
        k == rows && m.checked_mul(n) == Some(into),
        "a product of [{m}, {k}] and [{rows}, {n}] does not fit into {into} numbers: columns of the left meet as many rows of \
         the right, and the result is [{m}, {n}]"
    );
    [m, k, n]
}

impl<T: Copy> Mat<'_, T> {
    #[inline(always)]
    fn at(&self, row: usize, col: usize) -> T {
        self.data[row * self.row_stride + col * self.col_stride]
    }
}

/// So few numbers are less work than the way to the tiles.
const FEW: usize = 16;

/// The product of a column and a row, with the bits that sums from 0 have.
#[inline]
#[track_caller]
fn outer<T: Scalar>(a: Mat<T>, b: Mat<T>, c: &mut [T], add: bool) {
    sizes(a, b, c.len());
    let mut c = c.iter_mut();
    for &a in a.data {
        for (&b, c) in b.data.iter().zip(&mut c) {
            let product = T::ZERO + a * b;
            *c = if add { *c + product } else { product };
        }
    }
}

/// The register tiles where the machine has an instruction set for them, else the plain loops.
macro_rules! by_machine {
    ($T:ident) => {
        #[inline]
        #[track_caller]
        pub(crate) fn $T(a: Mat<$T>, b: Mat<$T>, c: &mut [$T], add: bool, scratch: &mut Buf<$T>) {
            if a.cols == 1 && c.len() <= FEW {
                return outer(a, b, c, add);
            }
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            if crate::simd::tiles::$T(a, b, c, add, scratch) {
                return;
            }
            plain(a, b, c, add, scratch)
        }
    };
}
by_machine!(f32);
by_machine!(f64);

/// Any number type on any machine: loops over whatever is contiguous.
#[track_caller]
pub(crate) fn plain<T: Scalar>(a: Mat<T>, b: Mat<T>, c: &mut [T], add: bool, _: &mut Buf<T>) {
    sizes(a, b, c.len());
    if b.cols == 0 {
        return;
    }
    if a.cols == 0 || b.col_stride == 1 && b.cols > 1 {
        rows_of_b(a, b, c, add);
    } else {
        dot_products(a, b, c, add);
    }
}

crate::kernel! {
    /// Each row of C is a sum of rows of B.
    fn rows_of_b<T: Scalar>(a: Mat<'_, T>, b: Mat<'_, T>, c: &mut [T], add: bool) {
        for (i, row) in c.chunks_exact_mut(b.cols).enumerate() {
            if !add { row.fill(T::ZERO) }
            for k in 0..a.cols {
                let factor = a.at(i, k);
                let b = &b.data[k * b.row_stride..][..b.cols];
                for (c, &b) in row.iter_mut().zip(b) { *c = T::mul_add::<FMA>(factor, b, *c) }
            }
        }
    }
}

crate::kernel! {
    /// Each number of C is a row of A times a column of B.
    fn dot_products<T: Scalar>(a: Mat<'_, T>, b: Mat<'_, T>, c: &mut [T], add: bool) {
        for (i, row) in c.chunks_exact_mut(b.cols).enumerate() {
            for (j, c) in row.iter_mut().enumerate() {
                let column = &b.data[j * b.col_stride..][..a.cols]; // its row stride is 1
                let dot = if a.cols < SHORT {
                    short_sum_by(a.cols, |k| a.at(i, k) * column[k])
                } else {
                    sum_by(a.cols, |k| a.at(i, k) * column[k])
                };
                *c = if add { *c + dot } else { dot };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dual;

    /// Numbers that are exact in every type and sum without rounding, so that every way must agree to the last bit.
    fn integers<T: Scalar>(n: usize, salt: usize) -> Vec<T> {
        (0..n).map(|i| T::of(((i * 7 + salt * 13) % 11) as f64 - 5.0)).collect()
    }

    type Way<T> = fn(Mat<T>, Mat<T>, &mut [T], bool, &mut Buf<T>);

    fn agrees<T: Scalar>(way: Way<T>) {
        let mut scratch = Buf::new(0);
        for m in [1, 2, 3, 7, 8, 17, 33] {
            for k in [0, 1, 2, 5, 16, 30, 100] {
                for n in [1, 2, 10, 16, 17, 32, 50] {
                    let (a, b): (Vec<T>, Vec<T>) = (integers(m * k, 1), integers(k * n, 2));
                    for transposed in 0..4 {
                        let a = if transposed & 1 == 0 { Mat::new(&a, m, k) } else { Mat::new(&a, k, m).t() };
                        let b = if transposed & 2 == 0 { Mat::new(&b, k, n) } else { Mat::new(&b, n, k).t() };
                        for add in [false, true] {
                            let mut c = vec![T::of(0.5); m * n];
                            way(a, b, &mut c, add, &mut scratch);
                            for i in 0..m {
                                for j in 0..n {
                                    let start = if add { 0.5 } else { 0.0 };
                                    let dot: f64 =
                                        (0..k).map(|p| a.at(i, p).value() * b.at(p, j).value()).sum();
                                    let at = (m, k, n, transposed, add, i, j);
                                    assert_eq!(c[i * n + j].value(), start + dot, "{at:?}");
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn every_shape_and_stride_agrees_with_the_definition() {
        agrees::<f32>(f32::product);
        agrees::<f64>(f64::product);
        agrees::<Dual>(Dual::product);
        agrees::<f32>(plain);
    }

    /// Calls `check` with the factors of a product, each stored by rows and by columns.
    fn with_and_without_transposes<T: Scalar>([m, k, n]: [usize; 3], mut check: impl FnMut(Mat<T>, Mat<T>)) {
        let (a, b): (Vec<T>, Vec<T>) = (integers(m * k, 1), integers(k * n, 2));
        for a in [Mat::new(&a, m, k), Mat::new(&a, k, m).t()] {
            for b in [Mat::new(&b, k, n), Mat::new(&b, n, k).t()] {
                check(a, b);
            }
        }
    }

    fn agrees_with_the_plain_loops<T: Scalar + PartialEq>(size: [usize; 3]) {
        with_and_without_transposes::<T>(size, |a, b| {
            for add in [false, true] {
                let mut c = [(); 2].map(|()| vec![T::of(0.5); a.rows * b.cols]);
                let mut scratch = Buf::new(0);
                T::product(a, b, &mut c[0], add, &mut scratch);
                plain(a, b, &mut c[1], add, &mut scratch);
                assert!(c[0] == c[1], "{size:?}, add {add}");
            }
        });
    }

    #[test]
    fn a_large_product_agrees_with_the_plain_loops() {
        // of several blocks along every side, with edges everywhere: packed; the transpose alone packed; unpacked
        for size in [[530, 300, 530], [251, 530, 170], [530, 1100, 20]] {
            agrees_with_the_plain_loops::<f32>(size);
            agrees_with_the_plain_loops::<f64>(size);
        }
    }

    #[test]
    fn an_outer_product_of_few_numbers_has_the_bits_of_one_of_many() {
        let (a, b) = ([0.1f32, -0.0, -3.7], [0.3f32, 0.0, -1.1, 7.3e-30, -0.0, 2.5]);
        let many: Vec<f32> = b.iter().cycle().take(5 * b.len()).copied().collect();
        for add in [false, true] {
            let (mut few, mut wide) = (vec![-0.0; a.len() * b.len()], vec![-0.0; a.len() * many.len()]);
            for (row, &a) in few.chunks_exact_mut(b.len()).zip(&a) {
                f32::product(Mat::new(&[a], 1, 1), Mat::new(&b, 1, b.len()), row, add, &mut Buf::new(0));
            }
            f32::product(
                Mat::new(&a, 3, 1),
                Mat::new(&many, 1, many.len()),
                &mut wide,
                add,
                &mut Buf::new(0),
            );
            for (few, wide) in few.chunks_exact(b.len()).zip(wide.chunks_exact(many.len())) {
                assert!(
                    few.iter().zip(wide).all(|(few, wide)| few.to_bits() == wide.to_bits()),
                    "{few:?} {wide:?}"
                );
            }
        }
    }

    /// Then a part of C may be computed apart, by another thread for instance, with the same bits.
    #[test]
    fn a_number_of_the_product_is_summed_alike_wherever_it_lies() {
        for [m, k, n] in
            [[1, 77, 50], [50, 77, 1], [17, 100, 10], [33, 50, 50], [530, 300, 530], [251, 530, 170]]
        {
            let row: Vec<f32> = (0..k).map(|i| (i as f32 * 0.618_034).fract() - 0.4).collect();
            let rows = |count: usize| row.repeat(count);
            let columns = |count: usize| row.iter().flat_map(|&x| vec![x; count]).collect::<Vec<_>>();
            let (a, b) = ([rows(m), columns(m)], [columns(n), rows(n)]);
            for a in [Mat::new(&a[0], m, k), Mat::new(&a[1], k, m).t()] {
                for b in [Mat::new(&b[0], k, n), Mat::new(&b[1], n, k).t()] {
                    let mut c = vec![0.0; m * n];
                    f32::product(a, b, &mut c, false, &mut Buf::new(0));
                    assert!(c.iter().all(|x| x.to_bits() == c[0].to_bits()), "[{m}, {k}] x [{k}, {n}]");
                }
            }
        }
    }
}
