//! Errors of folders of images.

use crate::images::MOST_NUMBERS;
use crate::words::sizes;
use std::fmt::{self, Display, Formatter};
use std::io;

/// An error in a folder of images, with the file or folder.
#[derive(Debug)]
pub struct ImageError {
    /// The path of the file or folder.
    pub path: String,
    /// The problem.
    pub problem: ImageProblem,
}

/// The problem of a file or folder of images. A shape is `[channels, height, width]`.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum ImageProblem {
    /// The file or folder cannot be opened or read.
    Unreadable(io::Error),
    /// There is no folder of this name.
    NoFolder,
    /// Fewer than two folders of classes; the number of images beside them.
    Classes { found: usize, images: usize },
    /// A folder contains no images.
    NoImages,
    /// A folder of images contains another file, or a folder.
    OtherFile,
    /// The file is not a PNG image, or it is damaged or truncated: what the decoder reports.
    NotPng { error: String },
    /// The header has a size that the file cannot contain.
    Size { shape: [usize; 3], bytes: u64 },
    /// The images of this shape have too many numbers in all.
    TooLarge { images: usize, shape: [usize; 3] },
    /// Images differ in shape.
    Shape { expected: [usize; 3], first: String, found: [usize; 3] },
    /// An image has no mask.
    NoMask { mask: String },
    /// A mask has no image.
    NoImage { image: String },
    /// A mask has another size than its image; height and width.
    MaskSize { expected: [usize; 2], image: String, found: [usize; 2] },
    /// The pixels of a mask are not class indices.
    MaskColor { found: String },
    /// The file of class names has too few or too many, or one twice.
    ClassNames { found: usize, different: usize },
    /// A pixel of a mask has a class too many; its row and column.
    MaskClass { row: usize, column: usize, found: u8, classes: usize },
}

impl Display for ImageError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

/// "3 x 32 x 32 (channels x height x width)"
struct Shape<'a>(&'a [usize; 3]);
impl Display for Shape<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} (channels x height x width)", sizes(self.0))
    }
}

impl Display for ImageProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error} | is the path right?"),
            Self::NoFolder => f.write_str("expected a folder, found none | is the path right?"),
            Self::Classes { found, images } => write!(
                f,
                "expected a folder for each of two classes or more, found {found} folders and {images} images beside them | \
                 put the images of each class into a folder with the name of the class"
            ),
            Self::NoImages => f.write_str(
                "expected images (.png), found none | put images into the folder, or remove the folder",
            ),
            Self::OtherFile => f.write_str(
                "expected only images (.png) in this folder, found another file or folder | convert it to PNG, or move it",
            ),
            Self::NotPng { error } => {
                write!(f, "expected a PNG image: {error} | is the file damaged, truncated, or of another format?")
            }
            Self::Size { shape, bytes } => write!(
                f,
                "expected an image of at least one pixel that fits in a file of {bytes} bytes, found a header of {} | \
                 is the file damaged or truncated?",
                Shape(shape)
            ),
            Self::TooLarge { images, shape } => write!(
                f,
                "expected at most {MOST_NUMBERS} numbers in all, found {images} images of {} | \
                 take fewer or smaller images",
                Shape(shape)
            ),
            Self::Shape { expected, first, found } => {
                write!(f, "expected {}, as in {first}, found {} | ", Shape(expected), sizes(found))?;
                f.write_str(match expected[1..] == found[1..] {
                    true => "convert all images to grayscale, or all to RGB",
                    false => "resize or crop all images to one size",
                })
            }
            Self::NoMask { mask } => {
                write!(f, "expected the mask {mask}, found none | add it, or remove the image")
            }
            Self::NoImage { image } => {
                write!(f, "expected the image {image}, found none | add it, or remove the mask")
            }
            Self::MaskSize { expected, image, found } => write!(
                f,
                "expected a mask of {} (height x width), as the image {image}, found {} | \
                 resize the mask without interpolation, so that it contains class indices only",
                sizes(expected),
                sizes(found)
            ),
            Self::MaskColor { found } => write!(
                f,
                "expected a mask of class indices, grayscale or palette with at most 8 bits, found {found} | \
                 save it as 8-bit grayscale, whose pixels are class indices"
            ),
            Self::ClassNames { found, different } => write!(
                f,
                "expected 2 to 256 different names of classes, one in each line, found {found}, {different} of them different | \
                 write one name for each class index, that of class 0 first"
            ),
            Self::MaskClass { row, column, found, classes } => write!(
                f,
                "row {row}, column {column}: expected a class index below {classes}{}, found {found} | \
                 correct the mask, or name the class in a line of classes.txt",
                if *classes == 2 { ", or 255 for class 1" } else { "" }
            ),
        }
    }
}
