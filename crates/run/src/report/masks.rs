//! Pictures and numbers of segmentation.

use std::fmt;

use surprisal_data::metrics::{Overlap, best_f1_threshold, overlap};
use surprisal_data::{Encoding, gray_to_png, rgb_to_png};
use surprisal_report::chart::ImageGrid;
use surprisal_tensor::ndarray::{Array2, Axis};

use super::Picture;
use crate::diagnosis::{answers, short};
use crate::job::{DataPart, labels};
use crate::{Job, Outputs, RunError};

/// So many images are shown.
const SHOWN: usize = 6;
/// Colors of a prediction: found, found where it is not, missed. They can be told apart by color-blind readers.
const FOUND: [u8; 3] = [255, 255, 255];
const WRONG: [u8; 3] = [230, 130, 0];
const MISSED: [u8; 3] = [60, 150, 255];

/// The threshold for the probability of the foreground with the best Dice on the validation images, and what it gives on the test images.
///
/// ```
/// use surprisal_run::{Job, Settings, chosen_threshold};
/// let settings = "data = \"cells:n=12\"\nmodel = \"unet(2,2)\"\nepochs = 1\nvalidation = 0.3\n";
/// let job = Job::new(&Settings::from_toml(settings, "cells.toml")?)?;
/// let chosen = chosen_threshold(&job, &job.outputs())?.expect("two classes, validation and test images");
/// assert!((0.0..=1.0).contains(&chosen.threshold));
/// assert!(chosen.to_string().starts_with("test dice at the threshold "));
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChosenThreshold {
    /// The threshold: the foreground is where the probability is at least as large.
    pub threshold: f64,
    /// Dice on the validation images there.
    pub validation: f64,
    /// Dice on the test images there.
    pub test: f64,
}

impl fmt::Display for ChosenThreshold {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "test dice at the threshold {:.3}, the best of the validation images: {:.4}",
            self.threshold, self.test
        )
    }
}

/// The threshold chosen on the validation images; `None` if the task is not segmentation with two classes, if there are no validation or
/// test images, or no foreground in the validation images.
///
/// See the example of [`ChosenThreshold`].
///
/// # Errors
/// If the predictions are not finite.
pub fn chosen_threshold(job: &Job, outputs: &Outputs) -> Result<Option<ChosenThreshold>, RunError> {
    let (Some(validation), test) = (&job.parts.validation, &job.parts.test) else { return Ok(None) };
    let of_two = validation.targets.is_segmentation() && validation.targets.classes() == 2;
    if !of_two || test.rows() == 0 || validation.targets.class_counts().contains(&0) {
        return Ok(None);
    }
    let scores = |part: &str| answers(job, outputs.of(part)).column(1).to_vec();
    let (threshold, dice) = best_f1_threshold(&labels(&validation.targets), &scores("validation"))?;
    let said = Vec::from_iter(scores("test").iter().map(|&p| usize::from(p >= threshold)));
    let test = overlap(&labels(&test.targets), &said, 2)?[1].dice;
    Ok(Some(ChosenThreshold { threshold, validation: dice, test }))
}

/// Dice and intersection over union of each class, as a table.
///
/// ```
/// let names = ["background".to_string(), "disc".to_string()];
/// let table = surprisal_run::overlap_table(&[0, 0, 1, 1], &[0, 1, 1, 1], &names)?;
/// assert!(table.ends_with("disc        0.8000  0.6667       2\n"), "{table}");
/// # Ok::<(), surprisal_run::RunError>(())
/// ```
///
/// # Errors
/// If labels and predictions do not fit.
pub fn overlap_table(labels: &[usize], predicted: &[usize], names: &[String]) -> Result<String, RunError> {
    let widest = names.iter().map(|name| name.chars().count()).fold(5, usize::max);
    let mut table = format!("{:<widest$}  {:>6}  {:>6}  {:>6}\n", "class", "dice", "iou", "pixels");
    for (class, (name, Overlap { dice, iou })) in
        names.iter().zip(overlap(labels, predicted, names.len())?).enumerate()
    {
        let pixels = labels.iter().filter(|&&label| label == class).count();
        table += &format!("{name:<widest$}  {dice:>6.4}  {iou:>6.4}  {pixels:>6}\n");
    }
    Ok(table)
}

/// Some images of a part, from the worst to the best: image, mask, probability, prediction.
pub(super) fn pictures(job: &Job, (part, data, outputs): (&str, &DataPart, &Array2<f32>)) -> Option<Picture> {
    let [channels, height, width] = data.image_shape?;
    let (pixels, classes) = (height * width, data.targets.classes());
    let (truth, probabilities) = (labels(&data.targets), answers(job, outputs));
    let said = surprisal_data::argmax_rows(&probabilities);
    let image = |row: usize| row * pixels..(row + 1) * pixels;
    let dice = |row: usize| {
        let (truth, said) = (&truth[image(row)], &said[image(row)]);
        let right = truth.iter().zip(said).filter(|(t, s)| t == s && **t > 0).count();
        let all = truth.iter().chain(said).filter(|class| **class > 0).count();
        (all > 0).then(|| 2.0 * right as f64 / all as f64)
    };
    let mut order = Vec::from_iter((0..data.rows()).filter_map(|row| Some((dice(row)?, row))));
    order.sort_by(|(a, i), (b, k)| a.total_cmp(b).then(i.cmp(k)));
    let shown = order.len().min(SHOWN);
    let chosen = (0..shown).map(|k| order[k * (order.len() - 1) / (shown - 1).max(1)]);
    let caption = format!(
        "Images of the {part} set, from the worst prediction to the best{}. The probability is that of all classes but \"{}\", from black, 0, to \
         white, 1. In the prediction, white is right, *orange* is predicted but not there, or another class, and *blue* is missed.",
        if order.len() > shown { ", at equal steps of their order by Dice" } else { "" },
        data.targets.class_names()[0]
    );
    let mut grid = ImageGrid::new("Predicted masks", ["image", "true mask", "probability", "prediction"]);
    for (dice, row) in chosen {
        let numbers = raw(job, data, row);
        let (low, high) = numbers
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
        let byte = |x: f64| (255.0 * (x - low) / (high - low).max(f64::MIN_POSITIVE)).round() as u8;
        let color = |pixel: usize| {
            let of =
                |channel: usize| byte(numbers[if channels == 3 { channel * pixels + pixel } else { pixel }]);
            [of(0), of(1), of(2)]
        };
        let shade = |class: usize| (255 * class / (classes - 1).max(1)) as u8;
        let foreground = probabilities.slice_axis(Axis(0), image(row).into());
        let foreground =
            foreground.rows().into_iter().map(|p| (255.0 * (1.0 - p[0]).clamp(0.0, 1.0)).round() as u8);
        let marked = (0..pixels).flat_map(|pixel| {
            match (truth[row * pixels + pixel], said[row * pixels + pixel]) {
                (0, 0) => color(pixel).map(|x| x / 2), // so that marks stand out
                (_, 0) => MISSED,
                (t, s) if t == s => FOUND,
                _ => WRONG,
            }
        });
        let size = [height, width];
        let image_png = rgb_to_png(size, &Vec::from_iter((0..pixels).flat_map(color)));
        let mask = gray_to_png(size, &Vec::from_iter(truth[image(row)].iter().map(|&class| shade(class))));
        let probability = gray_to_png(size, &Vec::from_iter(foreground));
        let prediction = rgb_to_png(size, &Vec::from_iter(marked));
        grid = grid.row(
            format!("Dice {}", short(dice)),
            size,
            [&image_png[..], &mask, &probability, &prediction],
        );
    }
    (shown > 0).then(|| Picture { name: "masks.svg".into(), svg: grid.alt(&caption).to_svg(), caption })
}

/// The numbers of an image before they were scaled.
fn raw(job: &Job, data: &DataPart, row: usize) -> Vec<f64> {
    let number = |(&x, encoding): (&f64, &Encoding)| match encoding {
        Encoding::Number { offset, scale, .. } | Encoding::Date { offset, scale, .. } => x * scale + offset,
        Encoding::OneHot { .. } => x,
    };
    let encodings = job.encoder.columns.iter().map(|column| &column.encoding);
    data.row(row).iter().zip(encodings).map(number).collect()
}
