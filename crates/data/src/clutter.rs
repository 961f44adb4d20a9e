//! [`Dataset::clutter`]: images of digits among pieces of other digits, for segmentation with several classes.

use crate::dataset::Dataset;
use crate::error::{DataError, ErrorKind};
use crate::synthetic::Shape;
use crate::targets::Targets;
use ndarray::{Array2, Array3, ArrayView2, Slice};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A mask has a byte for each pixel, and class 0 is the background.
const MOST_CLASSES: usize = 255;

impl Dataset {
    /// Images with one of these images among pieces of others, and a mask of its strokes: segmentation with a class for each class of these.
    ///
    /// Each of the `n` images has `side` x `side` pixels from 0 to 1. One of the given images, drawn uniformly, stands at a random place.
    /// Around and behind it lie 4 to 8 squares, a third of its height wide, that are cut out of other images; where things overlap, the
    /// brighter pixel is seen. The class of a pixel of the image above half of the maximum is 1 + its class, every other pixel is background,
    /// class 0. So a net must tell whole digits from pieces of digits, which are as bright. All is drawn from `seed` alone.
    ///
    /// In text: `clutter`, which is `clutter:n=200,side=48,seed=0`, with the embedded digits at twice their size (16 x 16); and
    /// `mnist-clutter:DIR`, 2,000 images of 64 x 64 pixels with MNIST's digits, of which 2 to 3 % are foreground.
    ///
    /// # Errors
    /// If this set is not of grayscale images with classes, if `side` (16 to 256) is below their height or width, if `n` is below 4, and if
    /// the images have more than 2^26 pixels in all.
    ///
    /// ```
    /// use surprisal_data::Dataset;
    ///
    /// let clutter = Dataset::digits().clutter(20, 24, 7)?;
    /// assert_eq!((clutter.rows(), clutter.image_shape), (20, Some([1, 24, 24])));
    /// assert_eq!(clutter.class_names()[..3], ["background", "0", "1"]);
    /// assert_eq!(clutter.targets.masks().dim(), (20, 24, 24));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn clutter(&self, n: usize, side: usize, seed: u64) -> Result<Dataset, DataError> {
        Shape::Clutter.check(&[n as f64, side as f64, seed as f64])?;
        let unfit = |problem: String| ErrorKind::Inconsistent { dataset: self.name.clone(), problem };
        let (Targets::Classes { labels, names }, Some([1, height, width])) =
            (&self.targets, self.image_shape)
        else {
            return Err(
                unfit("clutter needs grayscale images with classes, found other rows".to_owned()).into()
            );
        };
        self.check()?;
        if names.len() > MOST_CLASSES || side < height.max(width) {
            return Err(unfit(format!(
                "expected at most {MOST_CLASSES} classes and images that fit into {side}x{side} pixels, found {} classes and \
                 images of {height}x{width} | increase side",
                names.len()
            ))
            .into());
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let brightest = self.features.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let image = |row: usize| {
            let pixels = self.features.row(row).to_shape([height, width]).expect("its shape").to_owned();
            pixels / brightest
        };
        let piece = height.min(width).div_ceil(3);
        let mut images = Array3::<f64>::zeros((n, side, side));
        let mut masks = Array3::<u8>::zeros((n, side, side));
        for (mut canvas, mut mask) in images.outer_iter_mut().zip(masks.outer_iter_mut()) {
            let mut paste = |part: ArrayView2<f64>, rng: &mut ChaCha8Rng| {
                let [y, x] = [part.nrows(), part.ncols()].map(|size| rng.random_range(0..=side - size));
                let mut place = canvas.slice_each_axis_mut(|at| rectangle([y, x], part.shape(), at.axis.0));
                place.zip_mut_with(&part, |pixel, &new| *pixel = pixel.max(new));
                [y, x]
            };
            for _piece in 0..rng.random_range(4..=8) {
                let other = image(rng.random_range(0..labels.len()));
                let [y, x] = [height, width].map(|size| rng.random_range(0..=size - piece));
                paste(other.slice_each_axis(|at| rectangle([y, x], &[piece; 2], at.axis.0)), &mut rng);
            }
            let row = rng.random_range(0..labels.len());
            let digit = image(row);
            let [y, x] = paste(digit.view(), &mut rng);
            let class = 1 + labels[row] as u8;
            let mut place = mask.slice_each_axis_mut(|at| rectangle([y, x], digit.shape(), at.axis.0));
            place.zip_mut_with(&digit, |found, &pixel| *found = if pixel > 0.5 { class } else { 0 });
        }
        let images = images.into_shape_with_order((n, side * side)).expect("as many pixels");
        let names = ["background".to_owned()].into_iter().chain(names.iter().cloned()).collect();
        Ok(Dataset::of_square_images("clutter", images, side, Targets::Masks { masks, names }))
    }
}

/// One axis of a rectangle.
fn rectangle(from: [usize; 2], size: &[usize], axis: usize) -> Slice {
    Slice::from(from[axis]..from[axis] + size[axis])
}

/// The embedded digits, each pixel as 2 x 2 pixels.
pub(crate) fn digits_doubled() -> Dataset {
    let digits = Dataset::digits();
    let doubled = |(row, pixel): (usize, usize)| digits.features[[row, pixel / 32 * 8 + pixel % 16 / 2]];
    let images = Array2::from_shape_fn((digits.rows(), 256), doubled);
    Dataset::of_square_images("digits", images, 16, digits.targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_the_digit_and_not_its_pieces() {
        let clutter = digits_doubled().clutter(300, 48, 3).unwrap();
        let masks = clutter.targets.masks();
        let mut foreground = 0;
        let mut bright_background = 0;
        for (image, mask) in clutter.features.rows().into_iter().zip(masks.outer_iter()) {
            let classes: std::collections::BTreeSet<u8> = mask.iter().copied().collect();
            assert_eq!(classes.len(), 2, "one digit: {classes:?}");
            for (&pixel, &class) in image.iter().zip(mask) {
                assert!((0.0..=1.0).contains(&pixel) && (class == 0 || pixel > 0.5));
                foreground += usize::from(class > 0);
                bright_background += usize::from(class == 0 && pixel > 0.5);
            }
        }
        let share = |count: usize| count as f64 / masks.len() as f64;
        assert!((0.02..0.06).contains(&share(foreground)), "{}", share(foreground));
        assert!(share(bright_background) > 0.02, "brightness tells them apart: {}", share(bright_background));
        assert!(clutter.class_counts().iter().all(|&count| count > 0));
    }

    #[test]
    fn the_seed_alone_decides() {
        let digits = Dataset::digits();
        assert_eq!(digits.clutter(5, 20, 1).unwrap(), digits.clutter(5, 20, 1).unwrap());
        assert_ne!(digits.clutter(5, 20, 1).unwrap(), digits.clutter(5, 20, 2).unwrap());
    }

    #[test]
    fn sets_without_images_or_with_larger_ones_are_refused() {
        let say = |set: Dataset, side| set.clutter(5, side, 1).unwrap_err().to_string();
        assert!(say(Dataset::iris(), 48).contains("clutter needs grayscale images with classes"));
        assert!(say(Dataset::cells(4, 0.0, 16, 0).unwrap(), 48).contains("clutter needs grayscale images"));
        let large = Dataset { image_shape: Some([1, 4, 16]), ..Dataset::digits() };
        assert!(large.clutter(5, 16, 1).is_ok());
        let large = Dataset { image_shape: Some([1, 2, 32]), ..Dataset::digits() };
        assert!(say(large, 16).contains("images of 2x32 | increase side"));
        assert!(say(Dataset::digits(), 4).contains("side"));
    }
}
