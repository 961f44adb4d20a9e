//! Folders of PNG images: [`Dataset::from_image_folder`], and [`ImageMasks`] for segmentation.

pub(crate) mod error;

use crate::dataset::Dataset;
use crate::error::{DataError, ErrorKind};
use crate::files::open_regular;
use crate::idx::MOST_ELEMENTS;
use crate::images::error::{ImageError, ImageProblem};
use crate::targets::Targets;
use ndarray::{Array2, Array3};
use png::{BitDepth, ColorType, Decoder, DecodingError, Transformations};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// The maximum of numbers in a folder, 8 GiB as `f64`.
pub(crate) const MOST_NUMBERS: u64 = MOST_ELEMENTS;
/// Deflate packs at most so many bytes into one.
const MOST_PACKED: u128 = 1032;

impl Dataset {
    /// Reads the images of a folder with a folder for each class, `FOLDER/CLASS/*.png`.
    ///
    /// Classes and the images of each are in the order of their names. A pixel is a number from 0 to 255; divide by 255 to
    /// bring it into 0..=1. The [`image_shape`](Dataset::image_shape) is `[1, height, width]` for grayscale and
    /// `[3, height, width]` for RGB.
    ///
    /// | PNG | becomes |
    /// |---|---|
    /// | grayscale, RGB | its samples; fewer than 8 bits are scaled to 0..=255, 16 bits too, with fractions |
    /// | palette | RGB |
    /// | alpha channel, transparent color | is dropped |
    ///
    /// Files whose names begin with a dot are ignored, and so are files beside the folders of the classes.
    ///
    /// # Errors
    /// If there are fewer than two classes, if a class has no images, if its folder contains other files, if a file is not a PNG image or is
    /// damaged, if images differ in size or number of channels, and if all have more than 2^30 numbers. The size in the header is
    /// compared with that of the file before an image is decoded.
    ///
    /// Source: W3C (2025), "Portable Network Graphics (PNG) Specification (Third Edition)", <https://www.w3.org/TR/png-3/>.
    ///
    /// ```no_run
    /// use surprisal_data::Dataset;
    ///
    /// let pets = Dataset::from_image_folder("path/to/pets")?; // with the folders cat and dog
    /// assert_eq!(pets.class_names(), ["cat", "dog"]);
    /// assert_eq!(pets.image_shape, Some([3, 32, 32]));
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_image_folder(folder: impl AsRef<Path>) -> Result<Dataset, DataError> {
        read_folder(folder.as_ref(), true)
    }
}

/// [`Dataset::from_image_folder`]; without targets, if none are `needed` and the images are in the folder itself.
pub(crate) fn read_folder(folder: &Path, needed: bool) -> Result<Dataset, DataError> {
    let entries = list(folder)?;
    let (classes, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
    let beside = files.iter().filter(|path| is_png(path)).count();
    if !needed && classes.is_empty() {
        let images = read(&pngs(folder)?)?;
        return Ok(images.into_dataset(folder, Targets::Values(Vec::new())));
    }
    if classes.len() < 2 {
        return Err(fail(folder, ImageProblem::Classes { found: classes.len(), images: beside }));
    }
    let (mut paths, mut labels) = (Vec::new(), Vec::new());
    for (label, class) in classes.iter().enumerate() {
        paths.extend(pngs(class)?);
        labels.resize(paths.len(), label);
    }
    let names = classes.iter().map(|class| name_of(class)).collect();
    Ok(read(&paths)?.into_dataset(folder, Targets::Classes { labels, names }))
}

/// The files of a source, as far as they can be listed.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = list(folder).unwrap_or_default();
    let inside = |path: PathBuf| match path.is_dir() {
        true => list(&path).unwrap_or_default(),
        false => vec![path],
    };
    entries.into_iter().flat_map(inside).collect()
}

/// Images and their masks, for segmentation: every pixel has a class.
///
/// ```no_run
/// use surprisal_data::ImageMasks;
///
/// let cells = ImageMasks::from_folder("path/to/cells", 2)?; // images/a.png and masks/a.png, ..
/// assert_eq!(cells.images.image_shape, Some([1, 64, 64]));
/// assert_eq!(cells.masks.dim(), (cells.images.rows(), 64, 64));
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ImageMasks {
    /// The images, without targets.
    pub images: Dataset,
    /// The class index of each pixel, `[rows, height, width]`.
    pub masks: Array3<u8>,
    /// The number of classes: every class index is below it.
    pub classes: usize,
}

impl ImageMasks {
    /// Reads pairs of `FOLDER/images/NAME.png` and `FOLDER/masks/NAME.png`, in the order of their names.
    ///
    /// Images are read as by [`Dataset::from_image_folder`]; their data set has no targets. The samples of a mask, grayscale or palette with at most 8 bits, are class
    /// indices from 0 to `classes - 1`, not scaled; with two classes, 255 is class 1 too.
    ///
    /// # Errors
    /// As there; if an image or a mask is alone, if a mask has another size than its image or is of another color type, and if a class index
    /// is not below `classes`.
    pub fn from_folder(folder: impl AsRef<Path>, classes: usize) -> Result<ImageMasks, DataError> {
        let (images, masks) = (folder.as_ref().join("images"), folder.as_ref().join("masks"));
        let (paths, of_masks) = (pngs(&images)?, pngs(&masks)?);
        if let Some((path, mask)) = alone(&paths, &of_masks, &masks) {
            return Err(fail(path, ImageProblem::NoMask { mask }));
        }
        if let Some((path, image)) = alone(&of_masks, &paths, &images) {
            return Err(fail(path, ImageProblem::NoImage { image }));
        }
        let images = read(&paths)?;
        let [_, height, width] = images.shape;
        let mut pixels = Vec::with_capacity(paths.len() * height * width);
        for (path, image) in of_masks.iter().zip(&paths) {
            read_mask(path, image, [height, width], classes, &mut pixels)?;
        }
        Ok(ImageMasks {
            images: images.into_dataset(folder.as_ref(), Targets::Values(Vec::new())),
            masks: Array3::from_shape_vec((paths.len(), height, width), pixels)
                .expect("every mask has the size of its image"),
            classes,
        })
    }

    /// The number of images.
    pub fn rows(&self) -> usize {
        self.images.rows()
    }

    /// The chosen rows, in the order given.
    ///
    /// # Panics
    /// If a row is not below [`rows`](ImageMasks::rows).
    #[track_caller]
    pub fn select(&self, rows: &[usize]) -> ImageMasks {
        ImageMasks {
            images: self.images.select(rows),
            masks: self.masks.select(ndarray::Axis(0), rows),
            classes: self.classes,
        }
    }
}

/// The first file without one of the same name among the others, and where that was expected.
fn alone<'a>(paths: &'a [PathBuf], others: &[PathBuf], folder: &Path) -> Option<(&'a Path, String)> {
    let others: HashSet<_> = others.iter().filter_map(|path| path.file_name()).collect();
    let names = paths.iter().filter_map(|path| Some((path, path.file_name()?)));
    let mut alone = names.filter(|(_, name)| !others.contains(name));
    alone.next().map(|(path, name)| (path.as_path(), folder.join(name).display().to_string()))
}

/// Decoded images, one after the other.
struct Images {
    shape: [usize; 3],
    numbers: Vec<f64>,
}

impl Images {
    fn into_dataset(self, folder: &Path, targets: Targets) -> Dataset {
        let [channels, height, width] = self.shape;
        let letters = if channels == 1 { ["p", "", ""] } else { ["r", "g", "b"] };
        let pixels = |letter: &'static str| {
            (0..height).flat_map(move |row| (0..width).map(move |column| format!("{letter}{row}_{column}")))
        };
        let columns = channels * height * width;
        Dataset {
            name: name_of(folder),
            features: Array2::from_shape_vec((self.numbers.len() / columns, columns), self.numbers)
                .expect("every image has as many numbers"),
            targets,
            feature_names: letters[..channels].iter().flat_map(|letter| pixels(letter)).collect(),
            image_shape: Some(self.shape),
        }
    }
}

/// Images of one shape, that of the first.
fn read(paths: &[PathBuf]) -> Result<Images, DataError> {
    let mut images = Images { shape: [0; 3], numbers: Vec::new() };
    for path in paths {
        let (mut decoder, found) = open(path)?;
        if path == &paths[0] {
            images.shape = found;
            let numbers = found.iter().map(|&size| size as u128).product::<u128>() * paths.len() as u128;
            if numbers > u128::from(MOST_NUMBERS) {
                return Err(fail(path, ImageProblem::TooLarge { images: paths.len(), shape: found }));
            }
            images.numbers.reserve_exact(numbers as usize);
        } else if found != images.shape {
            let (expected, first) = (images.shape, paths[0].display().to_string());
            return Err(fail(path, ImageProblem::Shape { expected, first, found }));
        }
        decoder.set_transformations(Transformations::EXPAND);
        let (bytes, info) = decode(decoder, path)?;
        let (samples, [channels, ..]) = (info.color_type.samples(), found);
        for channel in 0..channels {
            match info.bit_depth {
                BitDepth::Sixteen => images.numbers.extend(
                    bytes[2 * channel..]
                        .chunks(2 * samples)
                        .map(|pixel| f64::from(u16::from_be_bytes([pixel[0], pixel[1]])) / 257.0),
                ),
                _ => images.numbers.extend(bytes[channel..].iter().step_by(samples).map(|&x| f64::from(x))),
            }
        }
    }
    Ok(images)
}

/// Appends the class indices of a mask.
fn read_mask(
    path: &Path,
    image: &Path,
    expected: [usize; 2],
    classes: usize,
    pixels: &mut Vec<u8>,
) -> Result<(), DataError> {
    let (mut decoder, [_, height, width]) = open(path)?;
    if [height, width] != expected {
        let (image, found) = (image.display().to_string(), [height, width]);
        return Err(fail(path, ImageProblem::MaskSize { expected, image, found }));
    }
    let (bytes, info) = {
        let header = decoder.read_header_info().map_err(|error| not_png(path, error))?;
        let (color, bits) = (header.color_type, header.bit_depth);
        if !matches!(color, ColorType::Grayscale | ColorType::Indexed) || bits == BitDepth::Sixteen {
            let found = format!("{color:?}, {} bits", bits as u8);
            return Err(fail(path, ImageProblem::MaskColor { found }));
        }
        decode(decoder, path)? // as it is: neither scaled nor converted to colors
    };
    let bits = info.bit_depth as usize;
    for (row, line) in bytes.chunks(info.line_size).enumerate() {
        for column in 0..width {
            let at = column * bits;
            let found = (line[at / 8] >> (8 - bits - at % 8)) & (255 >> (8 - bits));
            let class = if classes == 2 && found == 255 { 1 } else { found };
            if usize::from(class) >= classes {
                return Err(fail(path, ImageProblem::MaskClass { row, column, found, classes }));
            }
            pixels.push(class);
        }
    }
    Ok(())
}

/// A file whose header has been read, and its shape without alpha.
fn open(path: &Path) -> Result<(Decoder<BufReader<File>>, [usize; 3]), DataError> {
    let (file, bytes) = open_regular(path).map_err(|error| fail(path, ImageProblem::Unreadable(error)))?;
    let mut decoder = Decoder::new(BufReader::new(file));
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(|error| not_png(path, error))?;
    let channels = match header.color_type {
        ColorType::Grayscale | ColorType::GrayscaleAlpha => 1,
        ColorType::Rgb | ColorType::Rgba | ColorType::Indexed => 3,
    };
    let shape = [channels, header.height as usize, header.width as usize];
    let bits_of_pixel = header.color_type.samples() * header.bit_depth as usize;
    let line = u128::from(header.width) * bits_of_pixel as u128 / 8;
    let needed = (line + 1) * u128::from(header.height);
    if shape.contains(&0) || needed > MOST_PACKED * u128::from(bytes) {
        return Err(fail(path, ImageProblem::Size { shape, bytes }));
    }
    Ok((decoder, shape))
}

/// The samples of the first frame; the file is read to its end.
fn decode(decoder: Decoder<BufReader<File>>, path: &Path) -> Result<(Vec<u8>, png::OutputInfo), DataError> {
    let decoded = || {
        let mut reader = decoder.read_info()?;
        let mut bytes = vec![0; reader.output_buffer_size().ok_or(DecodingError::LimitsExceeded)?];
        let info = reader.next_frame(&mut bytes)?;
        reader.finish()?;
        Ok((bytes, info))
    };
    decoded().map_err(|error| not_png(path, error))
}

/// The visible entries of a folder, in the order of their names.
fn list(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    if !folder.is_dir() {
        return Err(fail(folder, ImageProblem::NoFolder));
    }
    let entries =
        || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut paths = entries().map_err(|error| fail(folder, ImageProblem::Unreadable(error)))?;
    paths.retain(|path| !name_of(path).starts_with('.'));
    paths.sort_unstable();
    Ok(paths)
}

/// The images of a folder, in the order of their names.
fn pngs(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let paths = list(folder)?;
    match paths.iter().find(|path| !is_png(path)) {
        Some(other) => Err(fail(other, ImageProblem::OtherFile)),
        None if paths.is_empty() => Err(fail(folder, ImageProblem::NoImages)),
        None => Ok(paths),
    }
}

fn is_png(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"))
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn fail(path: &Path, problem: ImageProblem) -> DataError {
    ErrorKind::Image(ImageError { path: path.display().to_string(), problem }).into()
}

fn not_png(path: &Path, error: DecodingError) -> DataError {
    match error {
        DecodingError::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            fail(path, ImageProblem::Unreadable(error))
        }
        error => fail(path, ImageProblem::NotPng { error: error.to_string() }),
    }
}
