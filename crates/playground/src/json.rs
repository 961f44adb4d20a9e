//! [`Json`]: replies, to be written. Nothing is read but addresses, so a reader would only make the page larger.

use std::fmt::{self, Write};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// Nothing, and every number that is not finite.
    Null,
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Json>),
    /// Values by name.
    Object(Vec<(&'static str, Json)>),
}

/// `json!({"name": value, ..})`, `json!([value, ..])` or `json!(value)`.
macro_rules! json {
    ({$($name:literal: $value:expr),* $(,)?}) => { $crate::json::Json::Object(vec![$(($name, $crate::json::Json::from($value))),*]) };
    ([$($value:expr),* $(,)?]) => { $crate::json::Json::List(vec![$($crate::json::Json::from($value)),*]) };
    ($value:expr) => { $crate::json::Json::from($value) };
}
pub(crate) use json;

impl Json {
    /// Adds values to an object.
    pub fn with(mut self, more: Json) -> Json {
        if let (Json::Object(own), Json::Object(more)) = (&mut self, more) {
            own.extend(more);
        }
        self
    }
}

impl From<f64> for Json {
    fn from(x: f64) -> Json {
        if x.is_finite() { Json::Number(x) } else { Json::Null }
    }
}
impl From<usize> for Json {
    fn from(x: usize) -> Json {
        Json::Number(x as f64)
    }
}
impl From<bool> for Json {
    fn from(flag: bool) -> Json {
        Json::Flag(flag)
    }
}
impl From<&str> for Json {
    fn from(text: &str) -> Json {
        Json::Text(text.into())
    }
}
impl From<String> for Json {
    fn from(text: String) -> Json {
        Json::Text(text)
    }
}
impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Json {
        value.map_or(Json::Null, Into::into)
    }
}
impl<T: Into<Json>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Json {
        Json::List(values.into_iter().map(Into::into).collect())
    }
}
impl<T: Into<Json>, const N: usize> From<[T; N]> for Json {
    fn from(values: [T; N]) -> Json {
        Json::from(Vec::from(values))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Json::Null => f.write_str("null"),
            Json::Flag(flag) => write!(f, "{flag}"),
            Json::Number(x) if x.fract() == 0.0 && x.abs() < 1e15 => write!(f, "{x}"),
            Json::Number(x) => write!(f, "{x:?}"), // the shortest digits that are this number, with an exponent where that is short
            Json::Text(text) => quoted(f, text),
            Json::List(values) => {
                for (at, value) in values.iter().enumerate() {
                    f.write_char(if at == 0 { '[' } else { ',' })?;
                    value.fmt(f)?;
                }
                f.write_str(if values.is_empty() { "[]" } else { "]" })
            }
            Json::Object(values) => {
                for (at, (name, value)) in values.iter().enumerate() {
                    f.write_char(if at == 0 { '{' } else { ',' })?;
                    quoted(f, name)?;
                    f.write_char(':')?;
                    value.fmt(f)?;
                }
                f.write_str(if values.is_empty() { "{}" } else { "}" })
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c < ' ' => write!(f, "\\u{:04x}", c as u32)?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}
