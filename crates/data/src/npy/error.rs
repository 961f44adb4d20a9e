//! Errors of NumPy files.

use crate::npy::zip::MOST_PACKED;
use crate::npy::{LONGEST_HEADER, MOST_AXES, NpyType};
use crate::words::{did_you_mean, listed, quoted, sizes};
use std::fmt::{self, Display, Formatter};
use std::io;
use surprisal_settings::closest;

/// An error in a NumPy file, with its position.
#[derive(Debug)]
pub struct NpyError {
    /// The file's path or the name given to its content, and the array in it if it holds several.
    pub source_name: String,
    /// The byte, counted from 0, if the problem sits in one place; of an array in an archive, the byte of what it
    /// unpacks to.
    pub byte: Option<u64>,
    /// The problem.
    pub problem: NpyProblem,
}

/// The problem of a NumPy file.
#[derive(Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named for what they hold, and shown in the message")]
pub enum NpyProblem {
    /// The file cannot be opened or read.
    Unreadable(io::Error),
    /// The file cannot be written.
    Unwritable(io::Error),
    /// The first bytes are not those of an NPY file; up to six that were found.
    NotNpy { found: Vec<u8> },
    /// The content ends before the header does.
    HeaderCut { expected: usize },
    /// A version of the format that is not known.
    Version { major: u8, minor: u8 },
    /// The header is longer than any that describes numbers.
    HeaderTooLong { found: usize },
    /// The header is no dictionary of the three fields.
    Header { expected: &'static str, found: String },
    /// The elements are not numbers.
    ElementType { found: String },
    /// The header claims more elements than memory can hold, or more axes than NumPy has.
    TooLarge { shape: Vec<usize> },
    /// There are not as many bytes after the header as it says.
    Length { shape: Vec<usize>, dtype: NpyType, expected: u64, found: u64 },
    /// Numbers of 64 bits were requested as `f32`.
    Narrowing,
    /// The first axis runs fastest, in an array that is not to be read as a whole.
    FortranOrder,
    /// Whole numbers were expected.
    NotWhole { found: NpyType },
    /// A whole number does not fit the requested type.
    NotExact { found: i128, wanted: &'static str },
    /// The first bytes are not those of an archive; up to four that were found.
    NotNpz { found: Vec<u8> },
    /// The end of the archive, which locates its directory, is missing.
    NoDirectory,
    /// The directory of the archive is invalid.
    Directory { part: &'static str },
    /// The compression method of an entry is not one that NumPy uses.
    Packing { name: String, encrypted: bool, method: u16 },
    /// An entry claims to unpack to more bytes than it can, or to others than it is stored as.
    Ratio { name: String, packed: u64, size: u64 },
    /// Packed content is damaged.
    Packed(io::Error),
    /// Content has another size than the directory says.
    ContentSize { expected: u64, found: u64 },
    /// Content has another checksum than the directory says.
    Checksum { expected: u32, found: u32 },
    /// Two arrays have the same name.
    ArrayTwice { array: String },
    /// No array has this name, or one of these.
    NoArray { array: Vec<String>, known: Vec<String> },
    /// The arrays do not fit in an archive of the plain kind.
    ArchiveTooLarge,
    /// Features are not `[rows, columns]`, or there are none.
    Features { shape: Vec<usize> },
    /// There is not one label per row; `features` is what the array of features is called.
    Labels { shape: Vec<usize>, rows: usize, features: String },
    /// A feature is NaN or infinite.
    NotFinite { row: usize, column: usize, value: f64 },
    /// All rows have the same label.
    OneClass { class: String, rows: usize },
    /// The elements are texts, not numbers.
    Text,
    /// The elements are numbers, not texts.
    NotText { found: NpyType },
    /// The bytes of a text are not valid UTF-8, or UTF-32.
    NoCharacters,
    /// A label of a class has a fraction or is not finite.
    FractionAsClass { row: usize, value: f64 },
    /// An array of features comes without one of labels.
    NoLabels,
}

impl Display for NpyError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source_name)?;
        if let Some(byte) = self.byte {
            write!(f, ", byte {byte}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Display for NpyProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error} | is the path right?"),
            Self::Unwritable(error) => write!(f, "cannot be written: {error} | is there such a folder?"),
            Self::NotNpy { found } => {
                f.write_str("expected the bytes 93 4e 55 4d 50 59 of an NPY file, found")?;
                hexadecimal(f, found)?;
                f.write_str(match found.starts_with(b"PK") {
                    true => " | this is an archive of arrays, NPZ",
                    false => " | np.save writes such files",
                })
            }
            Self::HeaderCut { expected } => {
                write!(f, "expected a header of {expected} bytes, found the end | is the file truncated?")
            }
            Self::Version { major, minor } => write!(
                f,
                "expected version 1.0, 2.0 or 3.0 of the format, found {major}.{minor} | is the file damaged?"
            ),
            Self::HeaderTooLong { found } => write!(
                f,
                "expected a header of at most {LONGEST_HEADER} bytes, found a claim of {found} | \
                 is the file damaged?"
            ),
            Self::Header { expected, found } => {
                write!(f, "expected {expected} in the header, found {} | is the file damaged?", quoted(found))
            }
            Self::ElementType { found } => write!(
                f,
                "expected elements that are numbers of 8 to 64 bits, such as '<f8', or texts, such as '<U5', found {} | \
                 array.astype(\"float64\") makes numbers, array.astype(str) texts",
                quoted(found)
            ),
            Self::TooLarge { shape } => write!(
                f,
                "expected at most {MOST_AXES} axes, and elements that a memory can hold, found a header that claims \
                 {} | is the file damaged?",
                sizes(shape)
            ),
            Self::Length { shape, dtype, expected, found } => {
                let elements = if shape.is_empty() { "one element".to_owned() } else { sizes(shape) };
                write!(f, "expected {expected} bytes ({elements} of {dtype}), found {found} | ")?;
                f.write_str(match found < expected {
                    true => "is the file truncated?",
                    false => "has data been appended?",
                })
            }
            Self::FortranOrder => f.write_str(
                "the features are in the order of Fortran, in which no row is known before the end | \
                 save np.ascontiguousarray(x), or leave out memory",
            ),
            Self::Narrowing => f.write_str(
                "expected float32 or smaller, found float64, which f32 would round | \
                 read it as f64, or save array.astype(\"float32\")",
            ),
            Self::NotWhole { found } => write!(
                f,
                "expected whole numbers, found elements of type {found} | labels are the numbers of classes: \
                 array.astype(\"int64\")"
            ),
            Self::NotExact { found, wanted } => {
                write!(f, "expected numbers that {wanted} holds exactly, found {found} | ")?;
                f.write_str(match *wanted {
                    "f32" => "read it as f64 or i64",
                    "f64" => "read it as i64",
                    _ => "is this the right array?",
                })
            }
            Self::NotNpz { found } => {
                f.write_str("expected the bytes 50 4b 03 04 of an NPZ file, found")?;
                hexadecimal(f, found)?;
                f.write_str(match found.starts_with(b"\x93NUM") {
                    true => " | this is a single array, NPY: np.savez(file, x=..., y=...) writes several",
                    false => " | np.savez writes such files",
                })
            }
            Self::NoDirectory => f.write_str(
                "expected the directory of the archive before the end, found none | is the file truncated?",
            ),
            Self::Directory { part } => write!(
                f,
                "expected {part} in the directory of the archive, found something else | is the file damaged?"
            ),
            Self::Packing { name, encrypted, method } => {
                write!(f, "expected {} to be stored or deflated, found it ", quoted(name))?;
                match encrypted {
                    true => f.write_str("encrypted")?,
                    false => write!(f, "packed by method {method}")?,
                }
                f.write_str(" | use np.savez or np.savez_compressed")
            }
            Self::Ratio { name, packed, size } => write!(
                f,
                "expected {} to unpack to at most {MOST_PACKED} times its {packed} bytes, or to just them if it is \
                 stored, found a claim of {size} bytes | is the file damaged?",
                quoted(name)
            ),
            Self::Packed(error) => {
                write!(f, "the content cannot be decompressed from here on: {error} | was the file damaged?")
            }
            Self::ContentSize { expected, found } => write!(
                f,
                "expected the content from here on to unpack to {expected} bytes, found {} | was the file damaged?",
                if found > expected { "more".to_owned() } else { found.to_string() }
            ),
            Self::Checksum { expected, found } => write!(
                f,
                "expected content with the checksum {expected:08x}, found {found:08x} | was the file damaged?"
            ),
            Self::ArrayTwice { array } => write!(
                f,
                "expected one array of each name, found two named {} | rename one of them",
                quoted(array)
            ),
            Self::NoArray { array, known } => {
                let wanted: Vec<String> = array.iter().map(|name| quoted(name)).collect();
                let found = if known.is_empty() { "none".to_owned() } else { listed(known) };
                write!(f, "expected an array named {}, found {found}", wanted.join(" or "))?;
                match array.as_slice() {
                    [one] => did_you_mean(f, closest(one, known.iter().map(String::as_str))),
                    _ => f.write_str(" | give the array one of these names"),
                }
            }
            Self::ArchiveTooLarge => f.write_str(
                "expected arrays of less than 4 GiB together, and less than 65536 of them, found more | \
                 write them to several files",
            ),
            Self::Features { shape } => write!(
                f,
                "expected features of shape [rows, columns], with one or more of each, found {shape:?} | \
                 array.reshape(rows, -1) makes columns of what is in a row"
            ),
            Self::Labels { shape, rows, features } => write!(
                f,
                "expected one label for each of the {rows} rows of {features}, that is, the shape [{rows}], \
                 found {shape:?} | labels are the numbers of classes, not one-hot rows"
            ),
            Self::NotFinite { row, column, value } => write!(
                f,
                "expected finite numbers, found {value} in row {row}, column {column} | \
                 fill the value in, or leave the row out"
            ),
            Self::Text => f.write_str(
                "expected numbers, found texts | np.unique(array, return_inverse=True)[1] makes numbers of them; a CSV table \
                 may have columns of texts",
            ),
            Self::NotText { found } => write!(f, "expected texts, found elements of type {found} | array.astype(str)"),
            Self::NoCharacters => {
                f.write_str("expected a text, found invalid bytes | bytes must be UTF-8: array.astype(str)")
            }
            Self::FractionAsClass { row, value } => write!(
                f,
                "expected labels that are whole numbers, found {value:?} in row {row} | for classes: array.astype(\"int64\") or \
                 texts; a number to predict is a regression"
            ),
            Self::NoLabels => f.write_str(
                "expected labels for these features, found none | name their file behind a comma: x.npy,y.npy",
            ),
            Self::OneClass { class, rows } => write!(
                f,
                "expected two classes or more, found {class} in all {rows} rows | are these the labels?"
            ),
        }
    }
}

fn hexadecimal(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    if bytes.is_empty() {
        return f.write_str(" nothing");
    }
    bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
}
