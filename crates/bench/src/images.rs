//! The work on images, T9 to T11: nets, data and first weights.

use crate::labels;
use crate::task::{from_0_to_1, from_minus_1_to_1};

/// First weights and bias of layer `l`, uniform in ±1/√fan in: of `shape` `[O, I, KH, KW]`, or, of a transposed convolution,
/// `[I, O, KH, KW]`; of a linear layer `[O, I]`.
pub fn weights(l: u64, shape: &[usize], transposed: bool) -> (Vec<f32>, Vec<f32>) {
    let kernel: usize = shape[2..].iter().product();
    let (fan_in, outputs) =
        if transposed { (shape[0] * kernel, shape[1]) } else { (shape[1] * kernel, shape[0]) };
    let bound = (1.0 / (fan_in as f64).sqrt()) as f32;
    let scaled = |seed, n| from_minus_1_to_1(seed, n).into_iter().map(|v| v * bound).collect();
    (scaled(10 + 2 * l, shape.iter().product()), scaled(11 + 2 * l, outputs))
}

/// T9: images `[64, 1, 28, 28]` and their labels.
pub fn digits() -> (Vec<f32>, Vec<u32>) {
    (from_0_to_1(1, 64 * 28 * 28), labels(2, 64, 10))
}

/// T10: images `[8, 1, 64, 64]` with a disc each, and the pixels of the discs.
pub fn discs() -> (Vec<f32>, Vec<f32>) {
    let [rows, columns, radii] = [labels(2, 8, 40), labels(3, 8, 40), labels(4, 8, 5)];
    let mut masks = Vec::new();
    for i in 0..8 {
        let [row, column, radius] = [rows[i] + 12, columns[i] + 12, radii[i] + 4].map(i64::from);
        let inside = |y: i64, x: i64| (y - row).pow(2) + (x - column).pow(2) <= radius * radius;
        masks.extend((0..64).flat_map(|y| (0..64).map(move |x| f32::from(inside(y, x)))));
    }
    let images = from_0_to_1(1, masks.len()).into_iter().zip(&masks).map(|(u, t)| 0.5 * u + 0.5 * t);
    (images.collect(), masks)
}

/// T11: images, and the gradient of the result, both `[64, 32, 32, 32]`.
pub fn maps() -> [Vec<f32>; 2] {
    [1, 5].map(|seed| from_minus_1_to_1(seed, 64 * 32 * 32 * 32))
}
