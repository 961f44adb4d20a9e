//! The safetensors format.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | the length of the header, little-endian |
//! | 8.. | the header: JSON, `{"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..}`, and texts under `"__metadata__"` |
//! | then | the arrays by rows, little-endian, one after the other without gaps |

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use surprisal_data::f64_from_f16;
use surprisal_tensor::{ParamId, Params, Scalar};

use super::{Layout, Stored};

/// The format's types, their names elsewhere, their bytes, and whether they are read.
const TYPES: [(&str, &str, usize, bool); 17] = [
    ("F64", "float64", 8, true),
    ("F32", "float32", 4, true),
    ("F16", "float16", 2, true),
    ("BF16", "bfloat16", 2, true),
    ("F8_E4M3", "float8_e4m3", 1, false),
    ("F8_E5M2", "float8_e5m2", 1, false),
    ("I64", "int64", 8, false),
    ("I32", "int32", 4, false),
    ("I16", "int16", 2, false),
    ("I8", "int8", 1, false),
    ("U64", "uint64", 8, false),
    ("U32", "uint32", 4, false),
    ("U16", "uint16", 2, false),
    ("U8", "uint8", 1, false),
    ("BOOL", "bool", 1, false),
    ("C64", "complex64", 8, false),
    ("F8_E8M0", "float8_e8m0", 1, false),
];

/// The value of `"format"` in a file of this layout; PyTorch's is what its own library writes.
fn format(layout: Layout) -> &'static str {
    match layout {
        Layout::Surprisal => "surprisal",
        Layout::PyTorch => "pt",
    }
}

/// The bytes of a file.
pub(super) fn to_bytes<T: Scalar>(params: &Params<T>, ids: Vec<ParamId>, layout: Layout) -> Vec<u8> {
    let (size, dtype) = if Layout::float_bytes::<T>() == 4 { (4, "F32") } else { (8, "F64") };
    let mut header = format!("{{\"__metadata__\":{{\"format\":\"{}\"}}", format(layout));
    let mut data = Vec::with_capacity(size * params.as_slice().len());
    for (name, shape, values) in layout.arrays(params, ids) {
        let start = data.len();
        values.iter().for_each(|&value| match size {
            4 => data.extend((value as f32).to_le_bytes()),
            _ => data.extend(value.to_le_bytes()),
        });
        let (name, end) = (Value::from(name), data.len());
        header += &format!(
            ",{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}"
        );
    }
    header.push('}');
    let header = format!("{header:width$}", width = header.len().next_multiple_of(8)); // so that the numbers are aligned
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

/// One array of a file.
pub(super) struct Tensor<'a> {
    name: String,
    dtype: &'static (&'static str, &'static str, usize, bool),
    shape: Vec<usize>,
    data: &'a [u8],
}

/// What the header says of an array.
#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// The entries of an object in the order of the file, also those whose name is there twice.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Entries;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = object.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// The layout that a file says it has, and its arrays in the order of their numbers; or the byte at which something is wrong, and what.
pub(super) fn parse(bytes: &[u8]) -> Result<(Option<Layout>, Vec<Tensor<'_>>), (usize, String)> {
    let cut = |expected: String, found: usize| {
        Err((
            0,
            format!(
                "expected {expected}, found {found} in all: is this a safetensors file, or is it truncated?"
            ),
        ))
    };
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return cut("8 bytes with the length of the header".into(), bytes.len());
    };
    let length = u64::from_le_bytes(*length);
    let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let Some((header, data)) = split else {
        return cut(format!("8 bytes and a header of {length}"), bytes.len());
    };
    let Entries(mut entries) = serde_json::from_slice(header)
        .map_err(|error| (8, format!("the header cannot be read: {error}: is this a safetensors file?")))?;
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    if let Some(twice) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err((8, format!("{:?}: expected it once, found it twice: is the file damaged?", twice[0].0)));
    }
    let metadata = entries.iter().position(|(name, _)| name == "__metadata__");
    let metadata = metadata.map_or(Value::Null, |place| entries.remove(place).1);
    let stated =
        [Layout::Surprisal, Layout::PyTorch].into_iter().find(|&layout| metadata["format"] == format(layout));

    let mut tensors = Vec::new();
    for (name, entry) in entries {
        let wrong = |problem: String| (8, format!("{name:?}: {problem}: is the file damaged?"));
        let info: Info = serde_json::from_value(entry)
            .map_err(|error| wrong(format!("the header cannot be read: {error}")))?;
        let Some(dtype) = TYPES.iter().find(|dtype| dtype.0 == info.dtype) else {
            return Err((8, format!("{name:?}: expected a known type such as F32, found {:?}", info.dtype)));
        };
        let [start, end] = info.data_offsets;
        let Some(array) = data.get(start..end) else {
            let found = data.len();
            return Err(wrong(format!(
                "expected its numbers at {start}..{end} of the data, found {found} bytes of data"
            )));
        };
        let size = info.shape.iter().try_fold(dtype.2, |size, &n| size.checked_mul(n));
        if size != Some(array.len()) {
            let shape = &info.shape;
            return Err(wrong(format!(
                "expected the bytes of {} {shape:?}, found {}",
                info.dtype,
                array.len()
            )));
        }
        tensors.push((start, end, Tensor { name, dtype, shape: info.shape, data: array }));
    }
    // the format has neither gaps nor arrays that share bytes
    tensors.sort_by_key(|&(start, end, _)| (start, end));
    let mut next = 0;
    for &(start, end, ref tensor) in &tensors {
        if start != next {
            let message =
                format!("{:?}: expected its numbers at {next} of the data, found {start}", tensor.name);
            return Err((8, message + ": is the file damaged?"));
        }
        next = end;
    }
    if next != data.len() {
        let message = format!("expected {next} bytes of data, found {}: has data been appended?", data.len());
        return Err((8 + header.len() + next, message));
    }
    Ok((stated, tensors.into_iter().map(|(_, _, tensor)| tensor).collect()))
}

impl Tensor<'_> {
    /// Name, type and shape, as in the header.
    pub(super) fn header(&self) -> (String, String, Vec<usize>) {
        (self.name.clone(), self.dtype.0.into(), self.shape.clone())
    }

    pub(super) fn stored(&self) -> Stored {
        let &(_, dtype, bytes, read) = self.dtype;
        let (name, shape) = (self.name.clone(), self.shape.clone());
        Stored { name, dtype: dtype.into(), float_bytes: read.then_some(bytes), shape }
    }

    /// The numbers, exactly, of the types that are read.
    pub(super) fn values(&self) -> Vec<f64> {
        fn numbers<const SIZE: usize>(bytes: &[u8], of: impl Fn([u8; SIZE]) -> f64) -> Vec<f64> {
            bytes.as_chunks().0.iter().map(|&number| of(number)).collect()
        }
        match self.dtype.0 {
            "F64" => numbers(self.data, f64::from_le_bytes),
            "F32" => numbers(self.data, |bytes| f32::from_le_bytes(bytes).into()),
            "F16" => numbers(self.data, |bytes| f64_from_f16(u16::from_le_bytes(bytes))),
            // the upper half of an f32
            "BF16" => numbers(self.data, |[low, high]| f32::from_le_bytes([0, 0, low, high]).into()),
            other => unreachable!("{other} does not fit any parameter"),
        }
    }
}
