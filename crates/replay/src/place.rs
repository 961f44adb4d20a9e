//! [`Place`]: a JSON value with its key path, which every error about it contains.

use serde_json::{Map, Value};
use surprisal_tensor::ndarray::Array2;

use super::ReplayError;

/// How many steps of gradient descent are taken at most: hours, if a net is large.
pub(super) const MOST_STEPS: usize = 100_000_000;

/// A value and its key path.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub path: String,
    pub value: &'a Value,
}

impl<'a> Place<'a> {
    /// Where all paths start.
    pub fn root(name: &str, value: &'a Value) -> Self {
        Place { path: name.to_string(), value }
    }

    /// The error that this value is not what was expected.
    pub fn wrong(&self, expected: impl Into<String>, hint: impl Into<String>) -> ReplayError {
        ReplayError::new(&*self.path, expected, describe(self.value), hint)
    }

    /// The same, where what was found is not the value itself.
    pub fn found(&self, found: String, expected: &str, hint: &str) -> ReplayError {
        ReplayError::new(&*self.path, expected, found, hint)
    }

    // ---- into objects

    /// The value of a key that may be left out, but not misspelled.
    pub fn find(&self, key: &str) -> Result<Option<Place<'a>>, ReplayError> {
        let object = self.object()?;
        let path = self.below(key);
        if let Some(value) = object.get(key) {
            return Ok(Some(Place { path, value }));
        }
        match object.keys().find(|other| near(key, other)) {
            None => Ok(None),
            Some(other) => {
                let hint = format!("is it misspelled? Rename it, or add {key:?}");
                Err(ReplayError::new(path, "this key", format!("{other:?}"), hint))
            }
        }
    }

    /// What stands under a key that must be there.
    pub fn get(&self, key: &str) -> Result<Place<'a>, ReplayError> {
        if let Some(place) = self.find(key)? {
            return Ok(place);
        }
        let keys: Vec<&str> = self.object()?.keys().map(String::as_str).collect();
        let found = if keys.is_empty() { "no keys".into() } else { format!("only {}", keys.join(", ")) };
        Err(ReplayError::new(self.below(key), "this key", found, "add it"))
    }

    /// What stands under every key.
    pub fn entries(&self) -> Result<impl Iterator<Item = (&'a str, Place<'a>)> + '_, ReplayError> {
        let entry =
            |(key, value): (&'a String, &'a Value)| (key.as_str(), Place { path: self.below(key), value });
        Ok(self.object()?.iter().map(entry))
    }

    fn below(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_string() } else { format!("{}.{key}", self.path) }
    }

    fn object(&self) -> Result<&'a Map<String, Value>, ReplayError> {
        self.value.as_object().ok_or_else(|| self.wrong("an object", "write {\"key\": value, ..}"))
    }

    /// This object, with what was computed from it.
    pub fn with(&self, result: Value) -> Result<Value, ReplayError> {
        let mut whole = self.object()?.clone();
        if let Value::Object(result) = result {
            whole.extend(result);
        }
        Ok(whole.into())
    }

    // ---- into lists

    fn array(&self) -> Result<&'a [Value], ReplayError> {
        let array = self.value.as_array().map(Vec::as_slice);
        array.ok_or_else(|| self.wrong("a list", "put it in brackets, even a single one"))
    }

    fn element(&self, i: usize) -> Place<'a> {
        Place { path: format!("{}[{i}]", self.path), value: &self.value[i] }
    }

    /// The elements of a list.
    pub fn list(&self) -> Result<impl Iterator<Item = Place<'a>> + '_, ReplayError> {
        Ok((0..self.array()?.len()).map(|i| self.element(i)))
    }

    /// A list of finite numbers.
    pub fn numbers(&self) -> Result<Vec<f64>, ReplayError> {
        let values = self.array()?.iter().enumerate();
        // the path is made only for an error: there may be a million numbers
        values.map(|(i, value)| value.as_f64().map_or_else(|| self.element(i).number(), Ok)).collect()
    }

    /// A list of finite numbers, each in a range.
    pub fn numbers_within(
        &self,
        within: impl Fn(f64) -> bool + Copy,
        expected: &str,
        hint: &str,
    ) -> Result<Vec<f64>, ReplayError> {
        self.list()?.map(|number| number.number_within(within, expected, hint)).collect()
    }

    /// A list of rows of numbers, all of one length: `[rows, columns]`, neither of them 0.
    pub fn matrix(&self) -> Result<Array2<f64>, ReplayError> {
        let (mut flat, mut columns) = (Vec::new(), None);
        for row in self.list()? {
            let numbers = row.numbers()?;
            let columns = *columns.get_or_insert(numbers.len());
            if numbers.len() != columns || columns == 0 {
                return Err(row.wrong(
                    format!("a list of {}", columns.max(1)),
                    "the rows of a matrix have one length: is a number missing?",
                ));
            }
            flat.extend(numbers);
        }
        let Some(columns) = columns else {
            return Err(self.wrong("rows of numbers", "write [[1, 2], [3, 4]]"));
        };
        let shape = (flat.len() / columns, columns);
        Ok(Array2::from_shape_vec(shape, flat).expect("every row has so many columns"))
    }

    /// A list of epochs, each after the one before.
    pub fn epochs(&self) -> Result<Vec<usize>, ReplayError> {
        let epochs = self.list()?.map(|epoch| epoch.count_to(MOST_STEPS)).collect::<Result<Vec<_>, _>>()?;
        match epochs.windows(2).position(|pair| pair[0] >= pair[1]) {
            None => Ok(epochs),
            Some(i) => {
                let expected = format!("an epoch after {}", epochs[i]);
                Err(self.element(i + 1).wrong(expected, "sort the list, and name each epoch once"))
            }
        }
    }

    // ---- single values

    /// A finite number; what is not finite has no place in JSON, and stands there as null or text.
    pub fn number(&self) -> Result<f64, ReplayError> {
        let finite = self.value.as_f64().filter(|number| number.is_finite());
        finite.ok_or_else(|| self.wrong("a finite number", "write a number such as 0.5, without quotes"))
    }

    /// A finite number in a range.
    pub fn number_within(
        &self,
        within: impl Fn(f64) -> bool,
        expected: &str,
        hint: &str,
    ) -> Result<f64, ReplayError> {
        let number = self.number()?;
        if within(number) { Ok(number) } else { Err(self.wrong(expected, hint)) }
    }

    /// 0, 1, 2, ..
    pub fn count(&self) -> Result<usize, ReplayError> {
        let count = self.value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| self.wrong("a count", "write 0 or a positive integer, without a decimal point"))
    }

    /// The same, where more would take too much time or memory.
    pub fn count_to(&self, most: usize) -> Result<usize, ReplayError> {
        let count = self.count()?;
        if count <= most {
            return Ok(count);
        }
        Err(self.wrong(format!("a count up to {most}"), "more would take too long, or too much memory"))
    }

    /// A string.
    pub fn text(&self) -> Result<&'a str, ReplayError> {
        self.value.as_str().ok_or_else(|| self.wrong("a string", "put it into quotes"))
    }

    /// What a string stands for.
    pub fn one_of<'t, T>(&self, table: &'t [(&str, T)]) -> Result<&'t T, ReplayError> {
        self.meant_by(self.text()?, table)
    }

    /// What a name stands for, be it this value or the key above it.
    pub fn meant_by<'t, T>(&self, text: &str, table: &'t [(&str, T)]) -> Result<&'t T, ReplayError> {
        let names = || table.iter().map(|(name, _)| *name);
        table.iter().find_map(|(name, meaning)| (*name == text).then_some(meaning)).ok_or_else(|| {
            let hint = match names().find(|name| near(name, text)) {
                Some(name) => format!("did you mean {name:?}?"),
                None => "choose one of them".into(),
            };
            let expected = format!("one of {}", names().collect::<Vec<_>>().join(", "));
            self.found(format!("{text:?}"), &expected, &hint)
        })
    }
}

/// A value in a few words.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => "an object".into(),
        plain => plain.to_string(), // null, true, 0.5, "text"
    }
}

/// Whether one name may be the other misspelled: letters exchanged, or up to two left out or doubled.
/// A letter replaced does not count: "atol" is no "rtol", and "beta1" no "beta2".
fn near(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let sorted = |name: &str| {
        let mut letters: Vec<char> = name.chars().collect();
        letters.sort_unstable();
        letters
    };
    let mut rest = long.chars();
    let left_out = long.len() - short.len();
    sorted(a) == sorted(b)
        || left_out <= 2
            && 2 * left_out <= short.len()
            && short.chars().all(|letter| rest.any(|other| other == letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_differ_by_a_slip_of_the_pen() {
        for (a, b) in [("eta", "etta"), ("caps", "cap"), ("loss", "lsos"), ("treshold", "thresholds")] {
            assert!(near(a, b) && near(b, a), "{a} {b}");
        }
        for (a, b) in
            [("w0", "b0"), ("x", "y"), ("x", "xy"), ("rtol", "atol"), ("mse", "half_mse"), ("", "ab")]
        {
            assert!(!near(a, b) && !near(b, a), "{a} {b}");
        }
    }
}
