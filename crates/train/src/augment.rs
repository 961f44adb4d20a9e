//! [`Augment`]: random changes of training images.

use std::fmt;
use std::str::FromStr;

use rand::{RngExt, SeedableRng};
use surprisal_layers::{Rng, normal};
use surprisal_settings::{Kind, Problem, Range, Setting, SettingError, Value, read};
use surprisal_tensor::Var;

use crate::TrainError;

/// Random changes of the images of training batches, so that a model sees other images in every epoch; for
/// [`Fit::augment`](crate::Fit::augment). As text: `shift:2,flip`.
///
/// The random numbers of an image are those of a generator whose seed is that of the training, the epoch and the row. So they do not depend on
/// batches, threads, or on whether the training was resumed.
///
/// ```
/// use surprisal_train::Augment;
/// let augment: Augment = "shift:2,flip".parse()?;
/// assert_eq!(augment, Augment { shift: 2, flip: true, ..Augment::default() });
///
/// let mut image = [1.0, 2.0, 3.0]; // one channel, 1 x 3
/// let flip = Augment { flip: true, ..Augment::default() };
/// flip.apply(7, 0, &[0], [1, 1, 3], &mut image, &mut []);
/// assert!(image == [1.0, 2.0, 3.0] || image == [3.0, 2.0, 1.0]);
/// # Ok::<(), surprisal_settings::SettingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augment {
    /// The maximum shift in pixels, vertically and horizontally; every whole number up to it in both directions is equally likely. Pixels shifted
    /// in are 0.
    pub shift: usize,
    /// Whether half of the images are flipped horizontally.
    pub flip: bool,
    /// The minimum side of a random part of the image, as a fraction of the image's side, which is cropped and resized to the size of the image
    /// (bilinear interpolation); above 0, at most 1, which means none.
    pub crop: f64,
    /// The standard deviation of the normal noise added to every number, in the units of the scaled image; 0 or above.
    pub noise: f64,
}

/// Every change as a setting, with its range.
const TABLE: [Setting; 4] = [
    Setting {
        name: "shift",
        kind: Kind::Whole(Range::NOT_NEGATIVE),
        default: "0",
        help: "the maximum shift in pixels",
    },
    Setting {
        name: "flip",
        kind: Kind::Flag,
        default: "false",
        help: "whether half of the images are flipped",
    },
    Setting {
        name: "crop",
        kind: Kind::Number(Range::FACTOR),
        default: "1",
        help: "the minimum side of a random part, as a fraction of the image's",
    },
    Setting {
        name: "noise",
        kind: Kind::Number(Range::NOT_NEGATIVE),
        default: "0",
        help: "the standard deviation of noise",
    },
];

/// No change.
impl Default for Augment {
    fn default() -> Self {
        Augment { shift: 0, flip: false, crop: 1.0, noise: 0.0 }
    }
}

impl FromStr for Augment {
    type Err = SettingError;

    /// Reads changes separated by commas, each with its number: `shift:2,flip,crop:0.8,noise:0.1`; or `none`.
    fn from_str(text: &str) -> Result<Self, SettingError> {
        if text.trim() == "none" {
            return Ok(Augment::default());
        }
        let assignment = |part: &str| match part.split_once([':', '=']) {
            Some((name, value)) => format!("{}={}", name.trim(), value.trim()),
            None if part.trim() == "flip" => "flip=true".into(),
            None => part.into(),
        };
        let list = Vec::from_iter(text.split(',').map(assignment)).join(",");
        let values = read("augment", "change", &TABLE, Some(&list))?;
        let number = |at: usize| values[at].number().unwrap_or_default();
        let (shift, flip) = (number(0) as usize, values[1] == Value::Flag(true));
        Ok(Augment { shift, flip, crop: number(2), noise: number(3) })
    }
}

/// The text that is read as these changes.
impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let parts = [
            (self.shift > 0).then(|| format!("shift:{}", self.shift)),
            self.flip.then(|| "flip".into()),
            (self.crop != 1.0).then(|| format!("crop:{}", self.crop)),
            (self.noise != 0.0).then(|| format!("noise:{}", self.noise)),
        ];
        let parts = Vec::from_iter(parts.into_iter().flatten());
        f.write_str(if parts.is_empty() { "none" } else { "" })?;
        f.write_str(&parts.join(","))
    }
}

impl Augment {
    /// Changes a batch of images, `[rows, channels, height, width]` one after the other, in place; `rows` has the index of each in the data
    /// set, and `image_shape` is `[channels, height, width]`. `masks` are class indices, `[rows, height, width]`, which are moved as their
    /// images are, to the nearest pixel; pixels shifted in are of class 0. It is empty if there are none.
    ///
    /// # Panics
    /// If the lengths do not fit.
    #[track_caller]
    pub fn apply(
        &self,
        seed: u64,
        epoch: usize,
        rows: &[usize],
        image_shape: [usize; 3],
        images: &mut [f64],
        masks: &mut [usize],
    ) {
        let [channels, height, width] = image_shape;
        let pixels = height * width;
        let expected = rows.len() * channels * pixels;
        assert_eq!(images.len(), expected, "augment: expected {} images of {image_shape:?}", rows.len());
        let masked = !masks.is_empty();
        assert!(!masked || masks.len() == rows.len() * pixels, "augment: expected a class for each pixel");
        let (mut before, mut mask_before) = (Vec::new(), Vec::new());
        for (k, &row) in rows.iter().enumerate() {
            let rng = &mut generator(seed, epoch, row);
            let moved = Move::draw(self, [height, width], rng);
            for channel in images[k * channels * pixels..][..channels * pixels].chunks_mut(pixels) {
                before.clear();
                before.extend_from_slice(channel);
                let at = |y: usize, x: usize| before[y * width + x];
                for (pixel, number) in channel.iter_mut().enumerate() {
                    *number = match moved.source(pixel / width, pixel % width) {
                        None => 0.0,
                        Some([(y, next_y, v), (x, next_x, u)]) => {
                            let upper = at(y, x) * (1.0 - u) + at(y, next_x) * u;
                            let lower = at(next_y, x) * (1.0 - u) + at(next_y, next_x) * u;
                            upper * (1.0 - v) + lower * v
                        }
                    };
                    if self.noise > 0.0 {
                        *number += self.noise * normal(rng);
                    }
                }
            }
            if masked {
                let mask = &mut masks[k * pixels..][..pixels];
                mask_before.clear();
                mask_before.extend_from_slice(mask);
                for (pixel, class) in mask.iter_mut().enumerate() {
                    let nearest =
                        |(at, next, share): (usize, usize, f64)| if share < 0.5 { at } else { next };
                    *class = moved
                        .source(pixel / width, pixel % width)
                        .map_or(0, |[y, x]| mask_before[nearest(y) * width + nearest(x)]);
                }
            }
        }
    }

    /// Records the changed images in place of `x`.
    #[track_caller]
    pub(crate) fn record<'t>(
        &self,
        x: Var<'t>,
        (seed, epoch): (u64, usize),
        rows: &[usize],
        image_shape: [usize; 3],
        masks: &mut [usize],
    ) -> Var<'t> {
        let mut images = Vec::from_iter(x.value());
        self.apply(seed, epoch, rows, image_shape, &mut images, masks);
        x.tape().input_with(x.shape(), |k| images[k])
    }

    /// Whether the changes are in range, and rows of this many numbers are images of this shape.
    pub(crate) fn check(&self, image_shape: [usize; 3], numbers: usize) -> Result<(), TrainError> {
        let [channels, height, width] = image_shape;
        let values = [self.shift as f64, f64::from(u8::from(self.flip)), self.crop, self.noise];
        for (setting, value) in TABLE.iter().zip(values).filter(|(setting, _)| setting.kind != Kind::Flag) {
            if !setting.kind.holds(&Value::Number(value)) {
                let (expected, found) = (setting.kind.into(), value.to_string());
                let problem = Problem::Value { name: setting.name.into(), expected, found };
                return Err(TrainError::Setting(problem.of("augment").to_string()));
            }
        }
        if channels * height * width != numbers {
            return Err(TrainError::Misfit(format!(
                "augment: expected rows of images {image_shape:?}, found {numbers} numbers in a row | give the image shape of the data"
            )));
        }
        if self.shift >= height.min(width) {
            return Err(TrainError::Setting(format!(
                "augment: shift: expected less than the side of the image, {}, found {} | a tenth of the side is usual",
                height.min(width),
                self.shift
            )));
        }
        Ok(())
    }
}

/// The generator of one image in one epoch.
fn generator(seed: u64, epoch: usize, row: usize) -> Rng {
    const AUGMENT: u64 = u64::from_be_bytes(*b"augment\0");
    let parts = [seed, epoch as u64, row as u64, AUGMENT];
    let mut key = [0; 32];
    key.chunks_exact_mut(8).zip(parts).for_each(|(bytes, part)| bytes.copy_from_slice(&part.to_le_bytes()));
    Rng::from_seed(key)
}

/// Where the pixels of one image come from.
struct Move {
    size: [usize; 2],
    shift: [i64; 2],
    flip: bool,
    /// The side of the part, as a fraction, and its first row and column.
    side: f64,
    first: [f64; 2],
}

/// A pixel, the next one, and the share of the next.
type Between = (usize, usize, f64);

impl Move {
    fn draw(augment: &Augment, size: [usize; 2], rng: &mut Rng) -> Move {
        let most = augment.shift as i64;
        let shift = if most > 0 { [0; 2].map(|_: i64| rng.random_range(-most..=most)) } else { [0; 2] };
        let flip = augment.flip && rng.random::<bool>();
        let (mut side, mut first) = (1.0, [0.0; 2]);
        if augment.crop < 1.0 {
            side = augment.crop + (1.0 - augment.crop) * rng.random::<f64>();
            first = size.map(|size| size as f64 * (1.0 - side) * rng.random::<f64>());
        }
        Move { size, shift, flip, side, first }
    }

    /// Where this pixel comes from; `None` if from outside.
    fn source(&self, row: usize, column: usize) -> Option<[Between; 2]> {
        let inside = |at: usize, axis: usize| {
            let from = at as i64 - self.shift[axis];
            (0..self.size[axis] as i64).contains(&from).then_some(from as usize)
        };
        let (row, column) = (inside(row, 0)?, inside(column, 1)?);
        let column = if self.flip { self.size[1] - 1 - column } else { column };
        let between = |at: usize, axis: usize| {
            let last = self.size[axis] - 1;
            // the middle of a pixel is half a pixel from its edge; without cropping, this is `at`
            let exact = self.first[axis] + (at as f64 + 0.5) * self.side - 0.5;
            let exact = exact.clamp(0.0, last as f64);
            let whole = exact.floor();
            (whole as usize, (whole as usize + 1).min(last), exact - whole)
        };
        Some([between(row, 0), between(column, 1)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, seed: u64, epoch: usize, row: usize) -> Vec<f64> {
        let mut image = Vec::from_iter((1..=12).map(f64::from)); // 3 x 4
        text.parse::<Augment>().unwrap().apply(seed, epoch, &[row], [1, 3, 4], &mut image, &mut []);
        image
    }

    #[test]
    fn texts_are_read_and_written_and_errors_name_the_change() {
        for text in ["none", "shift:2,flip", "crop:0.8,noise:0.1", "shift:1,flip,crop:0.5,noise:2"] {
            assert_eq!(text.parse::<Augment>().unwrap().to_string(), text);
        }
        let told =
            ["shfit:2", "crop:0", "shift:1.5"].map(|text| text.parse::<Augment>().unwrap_err().to_string());
        expect_test::expect![[r#"
            augment: no change is named "shfit" | known: shift, flip, crop, noise | did you mean "shift"?
            augment: crop: expected a number above 0, at most 1, found 0
            augment: shift: expected a whole number, 0 or above, found 1.5"#]]
        .assert_eq(&told.join("\n"));
        assert!("".parse::<Augment>().is_err() && "flip,flip".parse::<Augment>().is_err());
    }

    #[test]
    fn what_is_drawn_depends_on_seed_epoch_and_row_alone() {
        let text = "shift:1,flip,crop:0.7,noise:0.1";
        assert_eq!(changed(text, 1, 2, 3), changed(text, 1, 2, 3));
        for other in [changed(text, 2, 2, 3), changed(text, 1, 3, 3), changed(text, 1, 2, 4)] {
            assert_ne!(changed(text, 1, 2, 3), other);
        }
        // in another batch
        let mut both =
            [(1..=12).map(f64::from), (1..=12).map(f64::from)].into_iter().flatten().collect::<Vec<_>>();
        text.parse::<Augment>().unwrap().apply(1, 2, &[9, 3], [1, 3, 4], &mut both, &mut []);
        assert_eq!(both[12..], changed(text, 1, 2, 3));
    }

    #[test]
    fn shifts_and_flips_move_pixels_every_way_and_change_none() {
        let mut seen = std::collections::BTreeSet::new();
        for row in 0..300 {
            let image = changed("shift:1", 0, 0, row);
            // the pixel in the middle, 6 or 7 of 1 to 12, tells the shift
            let (dy, dx) = (1 - (image[5] as i64 - 1) / 4, 1 - (image[5] as i64 - 1) % 4);
            for y in 0..3 {
                for x in 0..4 {
                    let (from_y, from_x) = (y - dy, x - dx);
                    let inside = (0..3).contains(&from_y) && (0..4).contains(&from_x);
                    let expected = if inside { (from_y * 4 + from_x + 1) as f64 } else { 0.0 };
                    assert_eq!(image[(y * 4 + x) as usize], expected);
                }
            }
            seen.insert((dy, dx));
        }
        assert_eq!(seen.len(), 9);
        let flips = (0..1000).filter(|&row| {
            let image = changed("flip", 0, 0, row);
            assert!(image[..4] == [1.0, 2.0, 3.0, 4.0] || image[..4] == [4.0, 3.0, 2.0, 1.0]);
            image[0] == 4.0
        });
        let flips = flips.count();
        assert!((420..580).contains(&flips), "{flips} of 1000"); // standard deviation 16
    }

    #[test]
    fn crops_stay_inside_and_noise_has_its_standard_deviation() {
        for row in 0..200 {
            let image = changed("crop:0.5", 0, 0, row);
            assert!(image.iter().all(|number| (1.0..=12.0).contains(number)));
            // an image that rises along both axes still does
            assert!(
                image.windows(2).enumerate().all(|(k, pair)| k % 4 == 3 || pair[0] <= pair[1]),
                "{image:?}"
            );
            assert!((0..8).all(|k| image[k] <= image[k + 4]));
        }
        let noise = (0..500).flat_map(|row| {
            changed("noise:0.5", 0, 0, row).into_iter().zip(1..).map(|(noisy, k)| noisy - f64::from(k))
        });
        let noise = Vec::from_iter(noise);
        let mean = noise.iter().sum::<f64>() / noise.len() as f64;
        let deviation = (noise.iter().map(|x| x * x).sum::<f64>() / noise.len() as f64).sqrt();
        assert!(mean.abs() < 0.03 && (deviation - 0.5).abs() < 0.03, "{mean} {deviation}");
    }

    #[test]
    fn masks_move_with_their_images() {
        for row in 0..100 {
            let (mut image, mut mask) = (Vec::from_iter((1..=12).map(f64::from)), Vec::from_iter(1..=12));
            let augment: Augment = "shift:2,flip".parse().unwrap();
            augment.apply(0, 0, &[row], [1, 3, 4], &mut image, &mut mask);
            assert_eq!(image, Vec::from_iter(mask.iter().map(|&class| class as f64)));
        }
    }
}
