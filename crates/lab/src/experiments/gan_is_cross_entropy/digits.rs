//! Images of digits, whose density nobody knows.

use rand_distr::{Distribution, Uniform};
use surprisal_data::{Dataset, gray_to_png};
use surprisal_layers::Rng;
use surprisal_tensor::Var;
use surprisal_tensor::ndarray::{Array1, Array2, Axis};

use super::data::Data;

/// A sample is good if it is as near to a real image as this fraction of the real images is to another one.
const USUAL: f64 = 0.95;
/// The largest value of a pixel.
const INK: f64 = 16.0;
/// The images in a row of a picture, and the rows.
pub(super) const SHEET: usize = 5;

/// The handwritten digits; pixels from 0 to 1.
pub(super) struct Digits {
    images: Array2<f32>,
    /// The squared norm of each image.
    norms: Array1<f32>,
    labels: Vec<usize>,
    classes: usize,
    /// The squared distance within which a sample is good.
    near: f32,
}

impl Digits {
    pub(super) fn new() -> Digits {
        let digits = Dataset::digits();
        let images = digits.features.mapv(|pixel| (pixel / INK) as f32);
        let norms = images.map_axis(Axis(1), |image| image.dot(&image));
        let (labels, classes) = (digits.labels().to_vec(), digits.classes());
        let mut digits = Digits { images, norms, labels, classes, near: 0.0 };
        let nearest = digits.nearest(&digits.images, true);
        let mut distances = Vec::from_iter(nearest.into_iter().map(|(_, distance)| distance));
        distances.sort_by(f32::total_cmp);
        digits.near = distances[(USUAL * distances.len() as f64) as usize];
        digits
    }

    /// The nearest image of each point and its squared distance; `other` than itself, if the points are the images.
    fn nearest(&self, points: &Array2<f32>, other: bool) -> Vec<(usize, f32)> {
        let products = points.dot(&self.images.t());
        let nearest = |row: usize| {
            let mut nearest = (0, f32::INFINITY);
            for (image, (norm, product)) in self.norms.iter().zip(products.row(row)).enumerate() {
                let distance = norm - 2.0 * product;
                if distance < nearest.1 && !(other && image == row) {
                    nearest = (image, distance);
                }
            }
            (nearest.0, nearest.1 + points.row(row).dot(&points.row(row)))
        };
        (0..points.nrows()).map(nearest).collect()
    }
}

impl Data for Digits {
    fn noise(&self) -> usize {
        16
    }
    fn modes(&self) -> usize {
        self.classes
    }
    fn features(&self) -> usize {
        self.images.ncols()
    }
    fn draw(&self, rows: usize, rng: &mut Rng) -> Array2<f32> {
        let images = Uniform::new(0, self.images.nrows()).expect("there are images");
        let rows: Vec<usize> = (0..rows).map(|_| images.sample(rng)).collect();
        self.images.select(Axis(0), &rows)
    }
    fn samples<'t>(&self, outputs: Var<'t>) -> Var<'t> {
        outputs.sigmoid()
    }
    fn good(&self, samples: &Array2<f32>) -> Vec<usize> {
        let mut good = vec![0; self.classes];
        for (image, distance) in self.nearest(samples, false) {
            good[self.labels[image]] += usize::from(distance <= self.near);
        }
        good
    }

    /// Images in rows, dark on light.
    fn sheet(&self, points: &[Vec<f64>]) -> ([usize; 2], Vec<u8>) {
        const PIXELS: usize = 8;
        let size = [SHEET * (PIXELS + 1) - 1; 2];
        let mut sheet = vec![255; size[0] * size[1]];
        for (k, image) in points.iter().take(SHEET * SHEET).enumerate() {
            let [top, left] = [k / SHEET, k % SHEET].map(|place| place * (PIXELS + 1));
            for (i, &ink) in image.iter().enumerate() {
                sheet[(top + i / PIXELS) * size[1] + left + i % PIXELS] = (255.0 * (1.0 - ink)).round() as u8;
            }
        }
        (size, gray_to_png(size, &sheet))
    }
}

#[cfg(test)]
mod tests {
    use super::super::data::quality;
    use super::*;
    use surprisal_layers::rng;

    #[test]
    fn real_digits_are_good_and_their_mean_is_not() {
        let digits = Digits::new();
        assert_eq!(quality(&digits, &digits.draw(500, &mut rng(1))), [10.0, 1.0]);
        let apart = digits.nearest(&digits.images, true);
        let near = apart.iter().filter(|(_, distance)| *distance <= digits.near).count();
        assert!((1700..1720).contains(&near), "{near} of 1797 are as near to another one");
        let mean = digits.images.mean_axis(Axis(0)).expect("there are images").insert_axis(Axis(0));
        assert_eq!(quality(&digits, &mean), [0.0, 0.0]);
        let zeros = Array2::from_shape_fn((20, 64), |(_, pixel)| digits.images[[0, pixel]]);
        assert_eq!(quality(&digits, &zeros), [1.0, 1.0]);
    }
}
