//! [`Entry`]: the name and the place of one parameter, and the patterns that names match.

use std::fmt;
use std::ops::Range;

use crate::{Params, Scalar, Shape};

/// The position of one named parameter in the vector.
///
/// See the example of [`Params::entries`].
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// "hidden.weight"
    pub name: String,
    /// Its axes, stored by rows.
    pub shape: Shape,
    /// Its range in [`Params::as_slice`].
    pub range: Range<usize>,
    /// Whether it is a buffer, which is never trained: see [`Params::add_buffer`].
    pub is_buffer: bool,
}

impl Entry {
    /// Whether a pattern matches this parameter: its name, or that of a layer above it; `*` matches any letters, also none.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// params.add("encoder.layer1.bias", &array![0.1]);
    /// let matches = |pattern| params.entries()[0].matches(pattern);
    /// assert!(["encoder", "encoder.layer1", "*.bias", "*.layer*", "*"].into_iter().all(matches));
    /// assert!(!["enc", "layer1", "bias", "*.weight", ""].into_iter().any(matches));
    /// ```
    pub fn matches(&self, pattern: &str) -> bool {
        name_matches(&self.name, pattern)
    }
}

/// Whether a pattern means a parameter of this name: see [`Entry::matches`].
///
/// ```
/// use surprisal_tensor::name_matches;
/// assert!(name_matches("encoder.layer1.bias", "encoder") && !name_matches("encoder.layer1.bias", "layer1"));
/// ```
pub fn name_matches(name: &str, pattern: &str) -> bool {
    let above = name.match_indices('.').map(|(dot, _)| &name[..dot]);
    above.chain([name]).any(|name| stands_for(pattern, name))
}

/// Whether the parts between the stars of a pattern are found in a name one after the other, the outer two at its ends.
fn stands_for(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(inner) = name.strip_prefix(first).and_then(|name| name.strip_suffix(last)) else { return false };
    middle
        .split('*')
        .try_fold(inner, |rest, part| rest.find(part).map(|at| &rest[at + part.len()..]))
        .is_some()
}

/// A pattern that matches none of the parameters.
///
/// See the example of [`Params::matching`].
#[derive(Clone, Debug, PartialEq)]
pub struct NoSuchParameter {
    /// As it was given.
    pub pattern: String,
    /// What there is, in layout order.
    pub names: Vec<String>,
}

impl NoSuchParameter {
    /// This pattern matches none of these.
    ///
    /// See the example of [`Params::matching`].
    pub fn new<T: Scalar>(pattern: &str, params: &Params<T>) -> Self {
        let names = params.entries().iter().map(|entry| entry.name.clone()).collect();
        NoSuchParameter { pattern: pattern.to_string(), names }
    }
}

impl fmt::Display for NoSuchParameter {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const SHOWN: usize = 40; // more a message cannot bear
        write!(f, "no parameter matches {:?} | ", self.pattern)?;
        if self.names.is_empty() {
            return f.write_str("there are no parameters yet: make the layers first");
        }
        let shown: Vec<_> = self.names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect();
        write!(f, "there are {}", shown.join(", "))?;
        match self.names.len() - shown.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
impl std::error::Error for NoSuchParameter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_letters_and_parts_do_not_overlap() {
        for (pattern, name) in [
            ("a*", "a"),
            ("*", ""),
            ("a*b*c", "abc"),
            ("a*b*c", "a1b2b3c"),
            ("**", "x"),
            ("a*b*b", "abb"),
            ("*é", "né"),
        ] {
            assert!(stands_for(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("ab*ba", "aba"), ("a*b*b", "ab"), ("a*b*c", "acb"), ("*b*a*", "ab"), ("a", "ab")]
        {
            assert!(!stands_for(pattern, name), "{pattern} {name}");
        }
    }
}
