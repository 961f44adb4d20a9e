//! Folders of PNG images: [`Dataset::from_image_folder`], and [`Dataset::from_image_masks`] for segmentation.

pub(crate) mod error;

use crate::csv::options::Task;
use crate::dataset::Dataset;
use crate::error::{DataError, ErrorKind};
use crate::files::open_regular;
use crate::idx::MOST_ELEMENTS;
use crate::images::error::{ImageError, ImageProblem};
use crate::targets::Targets;
use ndarray::{Array2, Array3, ArrayView2};
use png::{BitDepth, ColorType, Decoder, DecodingError, Transformations};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::{Path, PathBuf};

/// The maximum of numbers in a folder, 8 GiB as `f64`.
pub(crate) const MOST_NUMBERS: u64 = MOST_ELEMENTS;
/// The most bytes that deflate packs into one.
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
        read_folder(folder.as_ref(), Task::Classification, true)
    }
}

/// [`Dataset::from_image_folder`], or with masks; without targets, if none are `needed` and there are only images.
pub(crate) fn read_folder(folder: &Path, task: Task, needed: bool) -> Result<Dataset, DataError> {
    let entries = list(folder)?;
    let (classes, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|path| path.is_dir());
    let is_pair = classes.len() == 2 && name_of(&classes[0]) == IMAGES && name_of(&classes[1]) == MASKS;
    if task == Task::Segmentation || task == Task::Auto && is_pair {
        let alone = !needed && !folder.join(MASKS).is_dir();
        return match alone {
            false => Dataset::from_image_masks(folder),
            true if folder.join(IMAGES).is_dir() => read_alone(&folder.join(IMAGES)),
            true => read_alone(folder),
        };
    }
    let beside = files.iter().filter(|path| is_png(path)).count();
    if !needed && classes.is_empty() {
        return read_alone(folder);
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

fn read_alone(folder: &Path) -> Result<Dataset, DataError> {
    Ok(read(&pngs(folder)?)?.into_dataset(folder, Targets::Values(Vec::new())))
}

/// The images of a folder in the order in which its rows are read: of images alone, or of `images`.
///
/// For the names of what is made for each of them, such as predicted masks.
///
/// # Errors
/// As [`Dataset::from_image_masks`] does.
pub fn image_paths(folder: impl AsRef<Path>) -> Result<Vec<PathBuf>, DataError> {
    let folder = folder.as_ref();
    let images = folder.join(IMAGES);
    pngs(if images.is_dir() { &images } else { folder })
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

/// The folders of a data set for segmentation, and the names of its classes.
const IMAGES: &str = "images";
const MASKS: &str = "masks";
const CLASSES: &str = "classes.txt";
/// Class indices are bytes.
const MOST_CLASSES: usize = 256;

impl Dataset {
    /// Reads images with a mask for each, for segmentation: pairs of `FOLDER/images/NAME.png` and `FOLDER/masks/NAME.png`, in the order of
    /// their names.
    ///
    /// Images are read as by [`from_image_folder`](Dataset::from_image_folder). The samples of a mask, grayscale or palette with at most 8
    /// bits, are class indices, not scaled; with two classes, 255 is class 1 too. `FOLDER/classes.txt` has the name of each class in a line,
    /// that of class 0 first; without this file there are two, "background" and "foreground".
    ///
    /// # Errors
    /// As there; if an image or a mask is alone, if a mask has another size than its image or is of another color type, if a class index
    /// has no name, and if `classes.txt` does not have 2 to 256 different names.
    ///
    /// ```no_run
    /// use surprisal_data::{Dataset, Targets};
    ///
    /// let cells = Dataset::from_image_masks("path/to/cells")?; // images/a.png and masks/a.png, ..
    /// assert_eq!(cells.image_shape, Some([1, 64, 64]));
    /// assert_eq!(cells.targets.masks().dim(), (cells.rows(), 64, 64));
    /// assert_eq!(cells.class_names(), ["background", "foreground"]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn from_image_masks(folder: impl AsRef<Path>) -> Result<Dataset, DataError> {
        let folder = folder.as_ref();
        let names = class_names(&folder.join(CLASSES))?;
        let (images, masks) = (folder.join(IMAGES), folder.join(MASKS));
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
            read_mask(path, image, [height, width], names.len(), &mut pixels)?;
        }
        let masks = Array3::from_shape_vec((paths.len(), height, width), pixels)
            .expect("every mask has the size of its image");
        Ok(images.into_dataset(folder, Targets::Masks { masks, names }))
    }
}

/// The names of the classes of masks.
fn class_names(path: &Path) -> Result<Vec<String>, DataError> {
    if !path.exists() {
        return Ok(["background", "foreground"].map(str::to_owned).to_vec());
    }
    let text = crate::files::read_file(path).map_err(|error| fail(path, ImageProblem::Unreadable(error)))?;
    let text = String::from_utf8_lossy(&text);
    let names =
        Vec::from_iter(text.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned));
    let different = names.iter().collect::<HashSet<_>>().len();
    if !(2..=MOST_CLASSES).contains(&names.len()) || different < names.len() {
        return Err(fail(path, ImageProblem::ClassNames { found: names.len(), different }));
    }
    Ok(names)
}

/// A mask as PNG, grayscale with 8 bits, whose samples are class indices: `[height, width]`. With two classes, class 1 is 255, so that it is
/// seen. [`Dataset::from_image_masks`] reads it.
///
/// ```
/// use ndarray::array;
/// let png = surprisal_data::mask_to_png(array![[0, 1], [1, 0]].view(), 2);
/// assert_eq!(&png[1..4], b"PNG");
/// ```
pub fn mask_to_png(mask: ArrayView2<'_, u8>, classes: usize) -> Vec<u8> {
    let (height, width) = mask.dim();
    let samples = mask.iter().map(|&class| if classes == 2 && class == 1 { 255 } else { class });
    gray_to_png([height, width], &Vec::from_iter(samples))
}

/// A grayscale image as PNG, from its samples by rows.
///
/// # Panics
/// If there are not as many samples as pixels, or no pixels.
#[track_caller]
pub fn gray_to_png(size: [usize; 2], samples: &[u8]) -> Vec<u8> {
    to_png(size, ColorType::Grayscale, samples)
}

/// An RGB image as PNG, from the three samples of each pixel by rows.
///
/// # Panics
/// If there are not three samples for each pixel, or no pixels.
#[track_caller]
pub fn rgb_to_png(size: [usize; 2], samples: &[u8]) -> Vec<u8> {
    to_png(size, ColorType::Rgb, samples)
}

#[track_caller]
fn to_png([height, width]: [usize; 2], color: ColorType, samples: &[u8]) -> Vec<u8> {
    assert_eq!(samples.len(), height * width * color.samples(), "samples of an image of {height}x{width}");
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(samples));
    written.expect("a vector takes everything, and there are as many samples as pixels");
    bytes
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
        let (decoder, found) = open(path)?;
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
        read_samples(decoder, found, path, &mut images.numbers)?;
    }
    Ok(images)
}

/// The pixels of a PNG image, `[channels, height, width]`, as [`Dataset::from_image_folder`] reads it: from 0 to 255. `name` is its name in messages.
///
/// # Errors
/// If it is no PNG image or damaged, and if its header promises more pixels than so many bytes can hold.
///
/// ```
/// use surprisal_data::{gray_to_png, read_png};
/// let png = gray_to_png([1, 2], &[0, 255]);
/// assert_eq!(read_png(&png, "two.png")?, ndarray::array![[[0.0, 255.0]]]);
/// assert!(read_png(&png[..20], "half.png").is_err());
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn read_png(bytes: &[u8], name: &str) -> Result<Array3<f64>, DataError> {
    let path = Path::new(name);
    let (decoder, shape) = header(Cursor::new(bytes), bytes.len() as u64, path)?;
    if shape.iter().map(|&size| size as u128).product::<u128>() > u128::from(MOST_NUMBERS) {
        return Err(fail(path, ImageProblem::TooLarge { images: 1, shape }));
    }
    let mut numbers = Vec::new();
    read_samples(decoder, shape, path, &mut numbers)?;
    Ok(Array3::from_shape_vec(shape, numbers).expect("a number for each sample"))
}

/// Appends the samples of an image, channel by channel.
fn read_samples<R: BufRead + Seek>(
    mut decoder: Decoder<R>,
    [channels, ..]: [usize; 3],
    path: &Path,
    numbers: &mut Vec<f64>,
) -> Result<(), DataError> {
    decoder.set_transformations(Transformations::EXPAND);
    let (bytes, info) = decode(decoder, path)?;
    let samples = info.color_type.samples();
    for channel in 0..channels {
        match info.bit_depth {
            BitDepth::Sixteen => numbers.extend(
                bytes[2 * channel..]
                    .chunks(2 * samples)
                    .map(|pixel| f64::from(u16::from_be_bytes([pixel[0], pixel[1]])) / 257.0),
            ),
            _ => numbers.extend(bytes[channel..].iter().step_by(samples).map(|&x| f64::from(x))),
        }
    }
    Ok(())
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
    header(BufReader::new(file), bytes, path)
}

fn header<R: BufRead + Seek>(
    source: R,
    bytes: u64,
    path: &Path,
) -> Result<(Decoder<R>, [usize; 3]), DataError> {
    let mut decoder = Decoder::new(source);
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
fn decode<R: BufRead + Seek>(
    decoder: Decoder<R>,
    path: &Path,
) -> Result<(Vec<u8>, png::OutputInfo), DataError> {
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
