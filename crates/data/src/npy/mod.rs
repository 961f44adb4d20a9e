//! NPY, the format in which NumPy stores one array: [`read_npy`], [`NpyArray`].

pub(crate) mod error;
pub(crate) mod npz;
pub(crate) mod zip;

use crate::error::{DataError, ErrorKind};
use crate::files::open_regular;
use crate::matrix::{Away, Stored};
use crate::npy::error::{NpyError, NpyProblem};
use crate::spill::Spill;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use std::fmt::{self, Display, Formatter};
use std::io::{ErrorKind as IoErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

/// The element types that are read, by their names in NumPy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say all")]
pub enum NpyType {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float16,
    Float32,
    Float64,
    /// Texts: str, or bytes in UTF-8.
    Text,
}

/// Each type with its code in the header, its name and its bytes.
const TYPES: [(NpyType, &str, &str, usize); 13] = [
    (NpyType::Bool, "b1", "bool", 1),
    (NpyType::Int8, "i1", "int8", 1),
    (NpyType::Int16, "i2", "int16", 2),
    (NpyType::Int32, "i4", "int32", 4),
    (NpyType::Int64, "i8", "int64", 8),
    (NpyType::UInt8, "u1", "uint8", 1),
    (NpyType::UInt16, "u2", "uint16", 2),
    (NpyType::UInt32, "u4", "uint32", 4),
    (NpyType::UInt64, "u8", "uint64", 8),
    (NpyType::Float16, "f2", "float16", 2),
    (NpyType::Float32, "f4", "float32", 4),
    (NpyType::Float64, "f8", "float64", 8),
    (NpyType::Text, "", "text", 1), // of a code with a length, such as "U5"
];

impl NpyType {
    /// The bytes of an element if they are floating-point numbers; otherwise they are whole, or false and true.
    pub fn float_bytes(self) -> Option<usize> {
        matches!(self, NpyType::Float16 | NpyType::Float32 | NpyType::Float64).then(|| self.size())
    }

    fn size(self) -> usize {
        TYPES[self as usize].3
    }
}

impl Display for NpyType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(TYPES[*self as usize].2)
    }
}

/// A number that an array can be made of: `f32`, `f64`, `i64` and `u8`.
pub trait NpyElement: Copy + sealed::Bytes {}

mod sealed {
    pub trait Bytes {
        const CODE: &'static str;
        fn append(self, bytes: &mut Vec<u8>);
    }
}

macro_rules! elements {
    ($($number:ty, $code:literal;)*) => { $(
        impl NpyElement for $number {}
        impl sealed::Bytes for $number {
            const CODE: &'static str = $code;
            fn append(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        }
    )* };
}
elements! { f32, "<f4"; f64, "<f8"; i64, "<i8"; u8, "|u1"; }

/// An array of any number of axes in the bytes of an NPY file, whose header has been checked against them.
///
/// ```
/// use surprisal_data::{NpyArray, NpyType};
///
/// let array = NpyArray::new(&[2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!((array.shape(), array.dtype()), (&[2, 3][..], NpyType::Float32));
/// assert_eq!(array.array_f64()?[[1, 0]], 4.0);
/// let read = NpyArray::from_bytes(array.as_bytes().to_vec(), "six.npy")?;
/// assert_eq!(read.array_f32()?, array.array_f32()?);
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NpyArray {
    /// Its name in messages.
    name: String,
    header: Header,
    bytes: Vec<u8>,
}

/// The header.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Header {
    element: Element,
    /// Whether the first axis runs fastest instead of the last.
    fortran_order: bool,
    shape: Vec<usize>,
    /// Where the elements begin.
    start: usize,
}

/// The byte order of elements.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Element {
    dtype: NpyType,
    big_endian: bool,
    /// The bytes of one.
    size: usize,
    /// The bytes of a character of a text: 4 of str, 1 of bytes.
    character: usize,
}

/// The longest header that is read; NumPy itself reads 10 000 bytes unless asked to trust the file.
pub(crate) const LONGEST_HEADER: usize = 0xffff;
/// NumPy's arrays have no more axes.
pub(crate) const MOST_AXES: usize = 64;
const MAGIC: &[u8] = b"\x93NUMPY";

impl Header {
    /// Reads the header at the start of a file of `length` bytes, of which `bytes` holds as many as a header can take.
    ///
    /// | bytes | hold |
    /// |---|---|
    /// | 0 to 5 | 93 and `NUMPY` |
    /// | 6 and 7 | the version: 1, 2 or 3, then 0 |
    /// | 8 and on | the length of what follows: 16 bits in version 1, 32 in the others, the lowest byte first |
    /// | then | the text of a dictionary: `{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }` |
    ///
    /// Errors with the byte.
    pub(crate) fn parse(bytes: &[u8], length: u64) -> Result<Header, (u64, NpyProblem)> {
        if !bytes.starts_with(MAGIC) {
            let found = bytes.iter().take(MAGIC.len()).copied().collect();
            return Err((0, NpyProblem::NotNpy { found }));
        }
        let cut = |expected: usize| (bytes.len() as u64, NpyProblem::HeaderCut { expected });
        let &[major, minor] = bytes.get(6..8).ok_or_else(|| cut(8))? else { return Err(cut(8)) };
        let text_start = match (major, minor) {
            (1, 0) => 10,
            (2 | 3, 0) => 12,
            _ => return Err((6, NpyProblem::Version { major, minor })),
        };
        let field = bytes.get(8..text_start).ok_or_else(|| cut(text_start))?;
        let text_length = field.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte));
        if text_length > LONGEST_HEADER {
            return Err((8, NpyProblem::HeaderTooLong { found: text_length }));
        }
        let start = text_start + text_length;
        let text = bytes.get(text_start..start).ok_or_else(|| cut(start))?;
        let (element, fortran_order, shape) =
            Literal { text, at: 0 }.header().map_err(|(at, problem)| ((text_start + at) as u64, problem))?;

        // axes of length 0 count as 1: the product bounds what ndarray has to multiply
        let elements = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size.max(1)));
        let most = elements.and_then(|n| n.checked_mul(element.size)).filter(|&n| n <= isize::MAX as usize);
        let (Some(most), false) = (most, shape.len() > MOST_AXES) else {
            return Err((text_start as u64, NpyProblem::TooLarge { shape }));
        };
        let expected = if shape.contains(&0) { 0 } else { most as u64 };
        let found = length.saturating_sub(start as u64);
        if expected != found {
            return Err((start as u64, NpyProblem::Length { shape, dtype: element.dtype, expected, found }));
        }
        Ok(Header { element, fortran_order, shape, start })
    }

    pub(crate) fn dtype(&self) -> NpyType {
        self.element.dtype
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }
}

/// The text of a header on its way through: as much of Python's literals as headers need.
struct Literal<'a> {
    text: &'a [u8],
    at: usize,
}

type Parsed<T> = Result<T, (usize, NpyProblem)>;

impl Literal<'_> {
    fn header(mut self) -> Parsed<(Element, bool, Vec<usize>)> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect("{")?;
        while !self.eat("}") {
            let key = self.string("the name of a field")?;
            self.expect(":")?;
            match key.as_str() {
                "descr" => descr = Some(self.element_type()?),
                "fortran_order" => {
                    fortran_order = Some(self.eat("True"));
                    if fortran_order == Some(false) && !self.eat("False") {
                        return Err(self.wrong("True or False"));
                    }
                }
                "shape" => shape = Some(self.shape()?),
                _ => return Err(self.wrong("one of the fields descr, fortran_order, shape")),
            }
            if !self.eat(",") {
                self.expect("}")?;
                break;
            }
        }
        self.spaces();
        match (descr, fortran_order, shape) {
            (Some(element), Some(fortran_order), Some(shape)) if self.at == self.text.len() => {
                Ok((element, fortran_order, shape))
            }
            (Some(_), Some(_), Some(_)) => Err(self.wrong("the end of the header")),
            _ => Err(self.wrong("the fields descr, fortran_order and shape")),
        }
    }

    /// '<f8' and the like. What is a list describes a record of several fields.
    fn element_type(&mut self) -> Parsed<Element> {
        self.spaces();
        let start = self.at;
        if self.text[start..].starts_with(b"[") {
            return Err((start, NpyProblem::ElementType { found: "a record of fields".to_owned() }));
        }
        let code = self.string("the type of the elements, such as '<f8'")?;
        let known = |order: &str| {
            let (big_endian, code) = (order == ">", code.strip_prefix(order)?);
            if let Some(length) = code.strip_prefix(['U', 'S', 'a']) {
                let character = if code.starts_with('U') { 4 } else { 1 };
                let size = length.parse::<usize>().ok()?.checked_mul(character)?;
                return Some(Element { dtype: NpyType::Text, big_endian, size, character });
            }
            let &(dtype, ..) = TYPES.iter().find(|entry| entry.1 == code)?;
            let element = Element { dtype, big_endian, size: dtype.size(), character: 1 };
            (order != "|" || dtype.size() == 1).then_some(element)
        };
        let found = ["<", ">", "|"].into_iter().find_map(known);
        found.ok_or((start, NpyProblem::ElementType { found: code }))
    }

    fn shape(&mut self) -> Parsed<Vec<usize>> {
        let mut shape = Vec::new();
        self.expect("(")?;
        while !self.eat(")") {
            self.spaces();
            let digits = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let text = String::from_utf8_lossy(&self.text[self.at..self.at + digits]);
            let Ok(size) = text.parse() else { return Err(self.wrong("the length of an axis, below 2^64")) };
            shape.push(size);
            self.at += digits;
            self.eat("L"); // as Python 2 writes it
            if !self.eat(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(shape)
    }

    fn string(&mut self, what: &'static str) -> Parsed<String> {
        self.spaces();
        let rest = &self.text[self.at..];
        let quote = rest.first().filter(|&byte| b"'\"".contains(byte));
        let end = quote.and_then(|quote| rest[1..].iter().position(|byte| byte == quote));
        let Some(end) = end else { return Err(self.wrong(what)) };
        self.at += end + 2;
        Ok(String::from_utf8_lossy(&rest[1..=end]).into_owned())
    }

    fn spaces(&mut self) {
        self.at += self.text[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.spaces();
        let found = self.text[self.at..].starts_with(token.as_bytes());
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &'static str) -> Parsed<()> {
        if self.eat(token) { Ok(()) } else { Err(self.wrong(token)) }
    }

    fn wrong(&self, expected: &'static str) -> (usize, NpyProblem) {
        let rest = &self.text[self.at..];
        let found = String::from_utf8_lossy(&rest[..rest.len().min(20)]).into_owned();
        (self.at, NpyProblem::Header { expected, found })
    }
}

/// One element, exactly.
enum Number {
    Float(f64),
    Whole(i128),
}

impl NpyArray {
    /// An array of this shape, whose last axis runs fastest.
    ///
    /// Panics if there are not as many values as the shape says.
    #[track_caller]
    pub fn new<T: NpyElement>(shape: &[usize], values: &[T]) -> NpyArray {
        let elements = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        assert!(
            elements == Some(values.len()) && shape.len() <= MOST_AXES,
            "NpyArray::new: the shape {shape:?} meets {} values",
            values.len()
        );
        let axes: String = shape.iter().map(|size| format!("{size}, ")).collect();
        let text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({axes}), }}", T::CODE);
        // the elements begin at a multiple of 64, as NumPy has it
        let start = (10 + text.len() + 1).next_multiple_of(64);
        let mut bytes = [MAGIC, &[1, 0], &((start - 10) as u16).to_le_bytes()].concat();
        bytes.extend(format!("{text:width$}\n", width = start - 11).into_bytes());
        values.iter().for_each(|value| value.append(&mut bytes));
        match NpyArray::from_bytes(bytes, "array") {
            Ok(array) => array,
            Err(error) => panic!("NpyArray::new: {error}"), // the shape of an empty array may be beyond measure
        }
    }

    /// Checks the bytes of an NPY file; `name` is for the messages.
    ///
    /// Versions 1, 2 and 3, numbers or texts of either byte order, in the order of C or of Fortran. No memory is
    /// taken beside the bytes.
    ///
    /// Errors if it is not an NPY file, of types that are neither numbers nor texts (records, Python's objects), or not
    /// exactly as long as its header specifies.
    ///
    /// Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
    pub fn from_bytes(bytes: Vec<u8>, name: &str) -> Result<NpyArray, DataError> {
        match Header::parse(&bytes, bytes.len() as u64) {
            Ok(header) => Ok(NpyArray { name: name.to_owned(), header, bytes }),
            Err((byte, problem)) => Err(fail(name, Some(byte), problem)),
        }
    }

    /// The bytes of the file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// The type of the elements.
    pub fn dtype(&self) -> NpyType {
        self.header.element.dtype
    }

    /// The texts.
    ///
    /// Errors if the elements are numbers, or the bytes of one are no text.
    ///
    /// ```
    /// use surprisal_data::NpyArray;
    ///
    /// let header = "{'descr': '|S3', 'fortran_order': False, 'shape': (2,), }                                             \n";
    /// let bytes = [&b"\x93NUMPY\x01\0"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes(), b"catdog"].concat();
    /// assert_eq!(NpyArray::from_bytes(bytes, "pets.npy")?.array_text()?.into_raw_vec_and_offset().0, ["cat", "dog"]);
    /// # Ok::<(), surprisal_data::DataError>(())
    /// ```
    pub fn array_text(&self) -> Result<ArrayD<String>, DataError> {
        let Element { dtype, big_endian, character, .. } = self.header.element;
        if dtype != NpyType::Text {
            return Err(self.fail(NpyProblem::NotText { found: dtype }));
        }
        self.elements(|bytes| {
            let text = match character {
                4 => bytes
                    .chunks_exact(4)
                    .map(|bytes| {
                        let bytes = <[u8; 4]>::try_from(bytes).ok()?;
                        char::from_u32(if big_endian {
                            u32::from_be_bytes(bytes)
                        } else {
                            u32::from_le_bytes(bytes)
                        })
                    })
                    .collect(),
                _ => String::from_utf8(bytes.to_vec()).ok(),
            };
            // what is shorter than the longest is filled up with zeros
            text.map(|text: String| text.trim_end_matches('\0').to_owned()).ok_or(NpyProblem::NoCharacters)
        })
    }

    /// The numbers as `f64`.
    ///
    /// Errors if a whole number is none of `f64`'s, as 2^53 + 1 is.
    pub fn array_f64(&self) -> Result<ArrayD<f64>, DataError> {
        self.array(|number| match number {
            Number::Float(x) => Ok(x),
            Number::Whole(n) if n as f64 as i128 == n => Ok(n as f64),
            Number::Whole(n) => Err(NpyProblem::NotExact { found: n, wanted: "f64" }),
        })
    }

    /// The numbers as `f32`.
    ///
    /// Errors if the elements are of type float64, which `f32` would round, and if a whole number is none of
    /// `f32`'s, as 2^24 + 1 is.
    pub fn array_f32(&self) -> Result<ArrayD<f32>, DataError> {
        if self.dtype() == NpyType::Float64 {
            return Err(self.fail(NpyProblem::Narrowing));
        }
        self.array(|number| match number {
            Number::Float(x) => Ok(x as f32),
            Number::Whole(n) if n as f32 as i128 == n => Ok(n as f32),
            Number::Whole(n) => Err(NpyProblem::NotExact { found: n, wanted: "f32" }),
        })
    }

    /// The numbers as `i64`; false is 0, true is 1.
    ///
    /// Errors if the elements are floating-point numbers, or one is 2^63 or more.
    pub fn array_i64(&self) -> Result<ArrayD<i64>, DataError> {
        if self.dtype().float_bytes().is_some() {
            return Err(self.fail(NpyProblem::NotWhole { found: self.dtype() }));
        }
        self.array(|number| match number {
            Number::Float(_) => unreachable!("the type has been looked at"),
            Number::Whole(n) => {
                i64::try_from(n).map_err(|_| NpyProblem::NotExact { found: n, wanted: "i64" })
            }
        })
    }

    /// The numbers, each exactly, in the order of C.
    ///
    /// Errors as [`array_f64`](Self::array_f64).
    pub(crate) fn stored(&self) -> Result<Stored, DataError> {
        let all = |array: ArrayD<_>| array.into_raw_vec_and_offset().0;
        match self.dtype() {
            NpyType::Bool | NpyType::UInt8 => {
                let bytes = self.array(|number| match number {
                    Number::Whole(n) => Ok(n as u8),
                    Number::Float(_) => unreachable!("the type has been looked at"),
                })?;
                Ok(Stored::Bytes(bytes.into_raw_vec_and_offset().0))
            }
            NpyType::Float16 | NpyType::Float32 => {
                Ok(Stored::Floats(self.array_f32()?.into_raw_vec_and_offset().0))
            }
            _ => self.array_f64().map(all).map(Stored::Doubles),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn fail(&self, problem: NpyProblem) -> DataError {
        fail(&self.name, None, problem)
    }

    fn array<T: Clone>(&self, of: impl Fn(Number) -> Result<T, NpyProblem>) -> Result<ArrayD<T>, DataError> {
        let Element { dtype, big_endian, .. } = self.header.element;
        if dtype == NpyType::Text {
            return Err(self.fail(NpyProblem::Text));
        }
        self.elements(|bytes| of(number(dtype, big_endian, bytes)))
    }

    fn elements<T: Clone>(
        &self,
        of: impl Fn(&[u8]) -> Result<T, NpyProblem>,
    ) -> Result<ArrayD<T>, DataError> {
        let Header { start, element: Element { size, .. }, fortran_order, ref shape } = self.header;
        let element = |k: usize| {
            let at = start + k * size;
            of(&self.bytes[at..at + size]).map_err(|problem| fail(&self.name, Some(at as u64), problem))
        };
        // texts of length 0 take no bytes, so that their number is the header's claim alone
        let count: usize = shape.iter().product();
        if size == 0 && count > self.bytes.len() {
            return Err(self.fail(NpyProblem::TooLarge { shape: shape.clone() }));
        }
        let values: Result<Vec<T>, _> = (0..count).map(element).collect();
        let array = ArrayD::from_shape_vec(IxDyn(shape).set_f(fortran_order), values?)
            .expect("the header has been checked against the length");
        Ok(if fortran_order { array.as_standard_layout().into_owned() } else { array })
    }
}

fn number(dtype: NpyType, big_endian: bool, bytes: &[u8]) -> Number {
    let mut low_first = [0; 8];
    for (k, &byte) in bytes.iter().enumerate() {
        low_first[if big_endian { bytes.len() - 1 - k } else { k }] = byte;
    }
    let bits = u64::from_le_bytes(low_first);
    match dtype {
        NpyType::Bool => Number::Whole((bits != 0).into()),
        NpyType::Int8 => Number::Whole((bits as i8).into()),
        NpyType::Int16 => Number::Whole((bits as i16).into()),
        NpyType::Int32 => Number::Whole((bits as i32).into()),
        NpyType::Int64 => Number::Whole((bits as i64).into()),
        NpyType::UInt8 | NpyType::UInt16 | NpyType::UInt32 | NpyType::UInt64 => Number::Whole(bits.into()),
        NpyType::Float16 => Number::Float(f64_from_f16(bits as u16)),
        NpyType::Float32 => Number::Float(f32::from_bits(bits as u32).into()),
        NpyType::Float64 => Number::Float(f64::from_bits(bits)),
        NpyType::Text => unreachable!("texts are no numbers"),
    }
}

/// The value of IEEE's half precision, exactly: 1 bit of sign, 5 of exponent, 10 of fraction.
///
/// ```
/// use surprisal_data::f64_from_f16;
///
/// assert_eq!(f64_from_f16(0x3c00), 1.0);
/// assert_eq!(f64_from_f16(0xfbff), -65504.0); // the smallest
/// assert_eq!(f64_from_f16(0x0001), 2f64.powi(-24)); // subnormal
/// assert_eq!(f64_from_f16(0x7c00), f64::INFINITY);
/// ```
pub fn f64_from_f16(bits: u16) -> f64 {
    let magnitude = u64::from(bits & 0x7fff);
    let value = match magnitude {
        0x7c00 => f64::INFINITY,
        0x7c01.. => f64::NAN,
        // read as an f64, exponent and fraction are those of a number 2^1008 times smaller, subnormal or not
        _ => f64::from_bits(magnitude << 42) * 2f64.powi(1008),
    };
    if bits >> 15 == 1 { -value } else { value }
}

pub(crate) fn fail(source_name: &str, byte: Option<u64>, problem: NpyProblem) -> DataError {
    ErrorKind::Npy(NpyError { source_name: source_name.to_owned(), byte, problem }).into()
}

/// Reads one array from a file of NumPy's `np.save`.
///
/// Errors if the file cannot be read, and as [`NpyArray::from_bytes`].
///
/// ```no_run
/// let x = surprisal_data::read_npy("features.npy")?.array_f64()?;
/// # Ok::<(), surprisal_data::DataError>(())
/// ```
pub fn read_npy(path: impl AsRef<Path>) -> Result<NpyArray, DataError> {
    let (bytes, name) = read_file(path.as_ref(), |start, length| {
        Header::parse(start, length).map(drop).map_err(|(byte, problem)| (Some(byte), problem))
    })?;
    NpyArray::from_bytes(bytes, &name)
}

/// The columns of an array of features, whose first axis has the rows; there must be numbers.
pub(crate) fn columns(name: &str, shape: &[usize]) -> Result<usize, DataError> {
    match shape {
        [_, sizes @ ..] if !sizes.is_empty() && !shape.contains(&0) => Ok(sizes.iter().product()),
        _ => Err(fail(name, None, NpyProblem::Features { shape: shape.to_vec() })),
    }
}

/// The numbers of an array of features on their way to a temporary file, each exactly, as [`NpyArray::stored`] has them.
pub(crate) struct Spilling<'a> {
    header: &'a Header,
    name: &'a str,
    spill: &'a Arc<Spill>,
    columns: usize,
    at: u64,
    size: usize,
    /// Bytes of the header that have not come yet.
    skip: usize,
    /// Those of a number that is not whole yet.
    rest: Vec<u8>,
    count: usize,
}

impl<'a> Spilling<'a> {
    /// Errors if they are no numbers, `[rows, ..]`, or the first axis runs fastest: then no row is known before the end.
    pub fn new(header: &'a Header, name: &'a str, spill: &'a Arc<Spill>) -> Result<Self, DataError> {
        let columns = columns(name, &header.shape)?;
        let size = match header.element.dtype {
            NpyType::Text => return Err(fail(name, None, NpyProblem::Text)),
            NpyType::Bool | NpyType::UInt8 => 1,
            NpyType::Float16 | NpyType::Float32 => 4,
            _ => 8,
        };
        if header.fortran_order {
            return Err(fail(name, None, NpyProblem::FortranOrder));
        }
        let (at, skip, rest) = (spill.reserve(0), header.start, Vec::new());
        Ok(Spilling { header, name, spill, columns, at, size, skip, rest, count: 0 })
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.rest.extend_from_slice(&bytes[skipped..]);
        let Element { dtype, big_endian, size, .. } = self.header.element;
        let (mut numbers, whole) = (Vec::new(), self.rest.len() / size * size);
        for element in self.rest[..whole].chunks_exact(size) {
            let failed = |problem| {
                let byte = (self.header.start + self.count * size) as u64;
                Err(fail(self.name, Some(byte), problem))
            };
            let value = match number(dtype, big_endian, element) {
                Number::Float(x) => x,
                Number::Whole(n) if n as f64 as i128 == n => n as f64,
                Number::Whole(n) => return failed(NpyProblem::NotExact { found: n, wanted: "f64" }),
            };
            if !value.is_finite() {
                let (row, column) = (self.count / self.columns, self.count % self.columns);
                return Err(fail(self.name, None, NpyProblem::NotFinite { row, column, value }));
            }
            match self.size {
                1 => numbers.push(value as u8),
                4 => numbers.extend((value as f32).to_le_bytes()),
                _ => numbers.extend(value.to_le_bytes()),
            }
            self.count += 1;
        }
        self.rest.drain(..whole);
        self.spill.append(&numbers);
        Ok(())
    }

    /// All numbers.
    pub fn end(self) -> Stored {
        Stored::File(Away { spill: self.spill.clone(), at: self.at, count: self.count, size: self.size })
    }
}

/// Name, shape and numbers of the array in a file, which go to a temporary file.
pub(crate) fn spill_npy(path: &Path, spill: &Arc<Spill>) -> Result<(String, Vec<usize>, Stored), DataError> {
    let name = path.display().to_string();
    let unreadable = |error| fail(&name, None, NpyProblem::Unreadable(error));
    let (mut file, length) = open_regular(path).map_err(unreadable)?;
    let mut first = Vec::new();
    file.by_ref().take(12 + LONGEST_HEADER as u64).read_to_end(&mut first).map_err(unreadable)?;
    let header = Header::parse(&first, length).map_err(|(byte, problem)| fail(&name, Some(byte), problem))?;
    let mut numbers = Spilling::new(&header, &name, spill)?;
    numbers.push(&first)?;
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece).map_err(unreadable)? {
            0 => break,
            count => numbers.push(&piece[..count])?,
        }
    }
    if numbers.count != header.shape.iter().product() {
        return Err(unreadable(IoErrorKind::UnexpectedEof.into())); // it has become shorter meanwhile
    }
    let numbers = numbers.end();
    Ok((name, header.shape, numbers))
}

/// Writes one array to a file that NumPy's `np.load` reads.
///
/// Errors if the file cannot be written.
///
/// ```
/// use surprisal_data::{NpyArray, read_npy, write_npy};
///
/// let path = std::env::temp_dir().join(format!("surprisal-example-{}.npy", std::process::id()));
/// write_npy(&path, &NpyArray::new(&[3], &[0.5, 1.5, 2.5]))?;
/// assert_eq!(read_npy(&path)?.array_f64()?.sum(), 4.5);
/// std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_npy(path: impl AsRef<Path>, array: &NpyArray) -> Result<(), DataError> {
    write_file(path.as_ref(), array.as_bytes())
}

/// The bytes of a file, and what the messages call it. Its first bytes, as many as a header can take, and its length are
/// looked at (`right`) before the rest is read.
pub(crate) fn read_file(
    path: &Path,
    right: impl FnOnce(&[u8], u64) -> Result<(), (Option<u64>, NpyProblem)>,
) -> Result<(Vec<u8>, String), DataError> {
    let name = path.display().to_string();
    let unreadable = |error| fail(&name, None, NpyProblem::Unreadable(error));
    let (mut file, length) = open_regular(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.by_ref().take(12 + LONGEST_HEADER as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    right(&bytes, length).map_err(|(byte, problem)| fail(&name, byte, problem))?;
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    Ok((bytes, name))
}

pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    std::fs::write(path, bytes)
        .map_err(|error| fail(&path.display().to_string(), None, NpyProblem::Unwritable(error)))
}
