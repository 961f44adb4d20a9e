//! IDX, the format of MNIST: [`read_idx`] reads one file, [`Dataset::mnist`] a folder of four.

pub(crate) mod error;

use crate::dataset::Dataset;
use crate::error::{DataError, ErrorKind};
use crate::files::open_regular;
use crate::idx::error::{IdxError, IdxProblem};
use crate::matrix::{Away, Stored};
use crate::spill::Spill;
use crate::targets::Targets;
use flate2::read::MultiGzDecoder;
use ndarray::Array2;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// What an IDX file holds: an array of bytes of any number of dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// The size of each dimension, `[60000, 28, 28]` for instance.
    pub dims: Vec<usize>,
    /// The elements, the last dimension running fastest; as many as the product of [`dims`](Idx::dims).
    pub values: Vec<u8>,
}

/// The element type that is read, in the header's numbering.
const UNSIGNED_BYTE: u8 = 0x08;

/// The number of bytes that are read at a time.
const PART: u64 = 1 << 20;
/// A file may hold so many elements; 23 times MNIST's training images, and 8 GiB once they are `f64`.
pub(crate) const MOST_ELEMENTS: u64 = 1 << 30;

/// Reads an array of bytes in the IDX format, as it is or packed with gzip.
///
/// | bytes | hold |
/// |---|---|
/// | 0 and 1 | 0 |
/// | 2 | the type of the elements: 8 for unsigned bytes, which is the only one that is read |
/// | 3 | the number of dimensions, `d` |
/// | 4 to 3 + 4 d | the size of each dimension: 32 bits, the highest byte first |
/// | from 4 + 4 d | the elements, the last dimension running fastest |
///
/// Packed content is recognized by its first bytes, 1f 8b, whatever the name of the file. `name` is for the
/// messages. Memory grows with what arrives, not with what the header claims.
///
/// Errors if the header is not that of an IDX file, names another type of elements or claims more than 2^30
/// of them, if the content ends early or goes on after the last element, and if it cannot be unpacked.
///
/// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", section "File formats",
/// <http://yann.lecun.com/exdb/mnist/>.
///
/// ```
/// use surprisal_data::read_idx;
///
/// let file = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60];
/// let idx = read_idx(&file[..], "six bytes")?;
/// assert_eq!(idx.dims, [2, 3]);
/// assert_eq!(idx.values, [10, 20, 30, 40, 50, 60]);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn read_idx(reader: impl Read, name: &str) -> Result<Idx, DataError> {
    let mut values = Vec::new();
    let dims = read_in_parts(reader, name, &mut |part| values.extend_from_slice(part))?;
    Ok(Idx { dims, values })
}

/// Hands the elements to `each`, some at a time; returns the size of each dimension.
fn read_in_parts(
    mut reader: impl Read,
    name: &str,
    each: &mut dyn FnMut(&[u8]),
) -> Result<Vec<usize>, DataError> {
    let mut start = Vec::new();
    let outcome = reader.by_ref().take(2).read_to_end(&mut start);
    outcome.map_err(|error| fail(name, start.len() as u64, IdxProblem::Unreadable(error)))?;
    let whole = start.as_slice().chain(reader);
    match start[..] {
        [0x1f, 0x8b] => parse(
            Source { reader: MultiGzDecoder::new(whole), name, at: 0, broken: IdxProblem::Packed },
            each,
        ),
        _ => parse(Source { reader: whole, name, at: 0, broken: IdxProblem::Unreadable }, each),
    }
}

/// Content on its way in, and what an error needs to know of it.
struct Source<'a, R> {
    reader: R,
    name: &'a str,
    /// How many bytes have been read.
    at: u64,
    /// What it means when reading fails.
    broken: fn(io::Error) -> IdxProblem,
}

impl<R: Read> Source<'_, R> {
    /// The next `count` bytes, or what there is of them. Nothing is reserved for bytes that do not arrive.
    fn up_to(&mut self, count: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        self.read_up_to(count, &mut bytes)?;
        Ok(bytes)
    }

    /// The same in memory that is there already.
    fn read_up_to(&mut self, count: u64, bytes: &mut Vec<u8>) -> Result<(), DataError> {
        bytes.clear();
        let outcome = self.reader.by_ref().take(count).read_to_end(bytes);
        self.at += bytes.len() as u64;
        outcome.map_err(|error| self.fail(self.at, (self.broken)(error))).map(drop)
    }

    fn fail(&self, byte: u64, problem: IdxProblem) -> DataError {
        fail(self.name, byte, problem)
    }
}

fn fail(source_name: &str, byte: u64, problem: IdxProblem) -> DataError {
    ErrorKind::Idx(IdxError { source_name: source_name.to_owned(), byte, problem }).into()
}

fn parse(mut source: Source<impl Read>, each: &mut dyn FnMut(&[u8])) -> Result<Vec<usize>, DataError> {
    let magic = source.up_to(4)?;
    if magic.is_empty() {
        return Err(source.fail(0, IdxProblem::Empty));
    }
    if magic.iter().take(2).any(|&byte| byte != 0) {
        return Err(source.fail(0, IdxProblem::NotIdx { found: magic }));
    }
    let [_, _, element, dimensions] = magic[..] else {
        return Err(source.fail(source.at, IdxProblem::HeaderCut { expected: 4, found: source.at }));
    };
    if element != UNSIGNED_BYTE {
        return Err(source.fail(2, IdxProblem::ElementType { found: element }));
    }
    if dimensions == 0 {
        return Err(source.fail(3, IdxProblem::NoDimensions));
    }

    let header = 4 + 4 * u64::from(dimensions);
    let sizes = source.up_to(header - 4)?;
    if source.at < header {
        return Err(source.fail(source.at, IdxProblem::HeaderCut { expected: header, found: source.at }));
    }
    let dims: Vec<usize> = sizes
        .chunks_exact(4)
        .map(|size| size.iter().fold(0, |number, &byte| number << 8 | usize::from(byte)))
        .collect();
    let product = dims.iter().try_fold(1u64, |product, &size| product.checked_mul(size as u64));
    let Some(count) = product.filter(|&count| count <= MOST_ELEMENTS) else {
        return Err(source.fail(4, IdxProblem::TooLarge { dims, product }));
    };

    let mut part = Vec::new();
    while source.at < header + count {
        source.read_up_to((header + count - source.at).min(PART), &mut part)?;
        if part.is_empty() {
            break;
        }
        each(&part);
    }
    if source.at < header + count {
        let problem = IdxProblem::Cut { expected: count, found: source.at - header };
        return Err(source.fail(source.at, problem));
    }
    if !source.up_to(1)?.is_empty() {
        return Err(source.fail(header + count, IdxProblem::Trailing { elements: count }));
    }
    Ok(dims)
}

impl Dataset {
    /// The handwritten digits of MNIST, `(train, test)`, from the folder that holds its four files.
    ///
    /// The files are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    /// `t10k-labels-idx1-ubyte`; each may be packed (`.gz` at the end), and each may have a dot before `idx`.
    /// Of MNIST itself, `[60000, 784]` and `[10000, 784]`: pixels 0..=255, row by row from the top left; the
    /// label is the digit. Divide by 255 to bring the pixels into 0..=1. The image shape is `[1, 28, 28]`.
    ///
    /// Other sets in these files are read as well (Fashion-MNIST, for instance), with images of any size.
    /// Classes are named by their number, from "0" to the largest label, but at least two. The training part
    /// of MNIST takes 376 MB, since features are `f64`.
    ///
    /// Errors if a file is missing or fails [`read_idx`], if there is not one label per image, if there are no
    /// images, and if the images of the two parts differ in size.
    ///
    /// Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), "Gradient-based learning applied to document
    /// recognition", Proceedings of the IEEE 86 (11), 2278-2324.
    ///
    /// ```no_run
    /// use surprisal_data::Dataset;
    ///
    /// let (train, test) = Dataset::mnist("path/to/mnist")?;
    /// assert_eq!(train.features.dim(), (60_000, 784));
    /// assert_eq!(test.class_names()[test.labels()[0]], "7");
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn mnist(folder: impl AsRef<Path>) -> Result<(Dataset, Dataset), DataError> {
        let [train, test] = read_mnist(folder.as_ref(), None)?;
        Ok((train.into_dataset(), test.into_dataset()))
    }
}

/// The training and the test part of the four files in a folder, with as many classes.
pub(crate) fn read_mnist(folder: &Path, spill: Option<&Arc<Spill>>) -> Result<[Part; 2], DataError> {
    if !folder.is_dir() {
        return Err(ErrorKind::NoFolder { path: folder.display().to_string() }.into());
    }
    let mut parts = [Part::read(folder, "train", spill)?, Part::read(folder, "t10k", spill)?];
    let [train, test] = &mut parts;
    if train.size != test.size {
        let problem = IdxProblem::ImageSize { train: train.size, test: test.size };
        return Err(fail(&test.images_name, 8, problem));
    }
    let largest = train.labels.iter().chain(&test.labels).max();
    train.classes = largest.map_or(0, |&label| usize::from(label) + 1).max(2);
    test.classes = train.classes;
    Ok(parts)
}

/// The images and labels of one part of MNIST.
pub(crate) struct Part {
    images_name: String,
    /// Rows and columns of every image.
    pub size: [usize; 2],
    pub pixels: Stored,
    pub labels: Vec<u8>,
    classes: usize,
}

impl Part {
    fn read(folder: &Path, part: &str, spill: Option<&Arc<Spill>>) -> Result<Part, DataError> {
        let (images_name, dims, pixels) = read_file(folder, part, ("images", 3), spill)?;
        let [images, size @ ..] = [dims[0], dims[1], dims[2]];
        if pixels.len() == 0 {
            return Err(fail(&images_name, 4, IdxProblem::NoImages { dims }));
        }
        let (labels_name, _, labels) = read_file(folder, part, ("labels", 1), None)?;
        let Stored::Bytes(labels) = labels else { unreachable!("they are in memory") };
        if labels.len() != images {
            let problem = IdxProblem::LabelCount { images, images_name, labels: labels.len() };
            return Err(fail(&labels_name, 4, problem));
        }
        Ok(Part { images_name, size, pixels, labels, classes: 0 })
    }

    fn into_dataset(self) -> Dataset {
        let shape = (self.labels.len(), self.size.iter().product());
        let numbers = (0..self.pixels.len()).map(|at| self.pixels.get(at)).collect();
        let features = Array2::from_shape_vec(shape, numbers)
            .expect("there are as many values as the header said, and as many images as labels");
        Dataset { features, ..self.without_pixels() }
    }

    /// The data set, but for its features.
    pub fn without_pixels(&self) -> Dataset {
        let [rows, columns] = self.size;
        Dataset {
            name: "mnist".to_owned(),
            features: Array2::zeros((0, 0)),
            targets: Targets::Classes {
                labels: self.labels.iter().copied().map(usize::from).collect(),
                names: (0..self.classes).map(|class| class.to_string()).collect(),
            },
            feature_names: (0..rows)
                .flat_map(|row| (0..columns).map(move |column| format!("p{row}_{column}")))
                .collect(),
            image_shape: Some([1, rows, columns]),
        }
    }
}

/// Finds and reads one of the four files; returns its path too.
fn read_file(
    folder: &Path,
    part: &str,
    (content, dimensions): (&str, usize),
    spill: Option<&Arc<Spill>>,
) -> Result<(String, Vec<usize>, Stored), DataError> {
    let names = ['-', '.']
        .map(|dot| ["", ".gz"].map(|end| format!("{part}-{content}{dot}idx{dimensions}-ubyte{end}")));
    let names = names.concat();
    // unpacking programs leave folders of these names
    let Some(path) = names.iter().map(|name| folder.join(name)).find(|path| path.is_file()) else {
        return Err(ErrorKind::NoFile { folder: folder.display().to_string(), names }.into());
    };
    let name = path.display().to_string();
    let (file, _) =
        open_regular(path.as_ref()).map_err(|error| fail(&name, 0, IdxProblem::Unreadable(error)))?;
    let mut values = Vec::new();
    let at = spill.map_or(0, |spill| spill.reserve(0));
    let dims = read_in_parts(file, &name, &mut |part| match spill {
        Some(spill) => drop(spill.append(part)),
        None => values.extend_from_slice(part),
    })?;
    if dims.len() != dimensions {
        return Err(fail(&name, 3, IdxProblem::Dimensions { expected: dimensions, found: dims.len() }));
    }
    let count = dims.iter().product();
    let stored = match spill {
        Some(spill) => Stored::File(Away { spill: spill.clone(), at, count, size: 1 }),
        None => Stored::Bytes(values),
    };
    Ok((name, dims, stored))
}
