//! Errors of MNIST files.

use crate::idx::MOST_ELEMENTS;
use crate::words::sizes;
use std::fmt::{self, Display, Formatter};
use std::io;

/// An error in a file in the IDX format, with its position.
#[derive(Debug)]
pub struct IdxError {
    /// The file's path, or the name given to the reader's content.
    pub source_name: String,
    /// The byte of the content, counted from 0; of a packed file, the content is what it unpacks to.
    pub byte: u64,
    /// The problem.
    pub problem: IdxProblem,
}

/// The problem of a file in the IDX format.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum IdxProblem {
    /// The file cannot be opened or read.
    Unreadable(io::Error),
    /// Packed content is damaged, or ends early.
    Packed(io::Error),
    /// There is no byte at all.
    Empty,
    /// The first two bytes are not 0; up to four that were found.
    NotIdx { found: Vec<u8> },
    /// The content ends before the header does; sizes in bytes.
    HeaderCut { expected: u64, found: u64 },
    /// The elements are not unsigned bytes.
    ElementType { found: u8 },
    /// The array has no dimensions.
    NoDimensions,
    /// The header claims more elements than are read; `product` is `None` from 2^64 on.
    TooLarge { dims: Vec<usize>, product: Option<u64> },
    /// The content ends before the last element.
    Cut { expected: u64, found: u64 },
    /// The content goes on after the last element.
    Trailing { elements: u64 },
    /// Images have three dimensions, labels one.
    Dimensions { expected: usize, found: usize },
    /// There are no images, or no pixels in them.
    NoImages { dims: Vec<usize> },
    /// There is not one label per image.
    LabelCount { images: usize, images_name: String, labels: usize },
    /// The images of the test part have other rows and columns than those of the training part.
    ImageSize { train: [usize; 2], test: [usize; 2] },
}

impl Display for IdxError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, byte {}: {}", self.source_name, self.byte, self.problem)
    }
}

impl Display for IdxProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error} | is the path right?"),
            Self::Packed(error) => write!(
                f,
                "the content cannot be decompressed from here on: {error} | is the file damaged or truncated?"
            ),
            Self::Empty => {
                f.write_str("expected the header of an IDX file, found nothing | is the file empty?")
            }
            Self::NotIdx { found } => {
                f.write_str("expected the bytes 00 00 08 of an IDX file, found")?;
                found.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
                f.write_str(" | is this a file of MNIST?")
            }
            Self::HeaderCut { expected, found } => write!(
                f,
                "expected a header of {expected} bytes, found {found} bytes in all | is the file truncated?"
            ),
            Self::ElementType { found } => {
                let name = match found {
                    0x09 => " (signed bytes)",
                    0x0b => " (16-bit integers)",
                    0x0c => " (32-bit integers)",
                    0x0d => " (32-bit floats)",
                    0x0e => " (64-bit floats)",
                    _ => "",
                };
                write!(
                    f,
                    "expected elements of type 0x08 (unsigned bytes), found type 0x{found:02x}{name} | \
                     other types are not read"
                )
            }
            Self::NoDimensions => {
                f.write_str("expected one dimension or more, found none | is the file damaged?")
            }
            Self::TooLarge { dims, product } => {
                write!(f, "expected at most {MOST_ELEMENTS} elements, found a header that claims ")?;
                match product {
                    Some(product) => write!(f, "{product}")?,
                    None => f.write_str("2^64 or more")?,
                }
                write!(f, ", {} | is the file damaged?", sizes(dims))
            }
            Self::Cut { expected, found } => write!(
                f,
                "expected {expected} elements, as the header says, found {found} | is the file truncated?"
            ),
            Self::Trailing { elements } => write!(
                f,
                "expected the end after {elements} elements, as the header says, found more bytes | \
                 is the file damaged?"
            ),
            Self::Dimensions { expected, found } => write!(
                f,
                "expected the number of dimensions to be {expected}, found {found} | \
                 images have 3, labels 1: are the names of the two files swapped?"
            ),
            Self::NoImages { dims } => write!(
                f,
                "expected one image or more, of one pixel or more, found {} | is this a file of images?",
                sizes(dims)
            ),
            Self::LabelCount { images, images_name, labels } => write!(
                f,
                "expected {images} labels, one per image of {images_name}, found {labels} | \
                 are the two files of the same set?"
            ),
            Self::ImageSize { train, test } => write!(
                f,
                "expected images of {}, as in the training set, found {} | do the files belong to the same data set?",
                sizes(train),
                sizes(test)
            ),
        }
    }
}
