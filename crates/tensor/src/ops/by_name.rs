//! Operations by their names: the inputs and the options of each, and one way to call all of them.
//!
//! ```
//! use surprisal_tensor::{Params, Workspace, ndarray::array, ops};
//! use surprisal_settings::Value;
//! let params = Params::<f64>::default();
//! let mut workspace = Workspace::new();
//! let tape = workspace.tape(&params);
//! let x = [("x", tape.input(&array![-1.0, 2.0]))];
//! let leaky_relu = ops::all().find(|entry| entry.card.name == "leaky_relu").unwrap().signature;
//! let y = leaky_relu.call(&x, &[("slope".into(), Value::Number(0.5))].into())?;
//! assert_eq!(y.value(), array![-0.5, 2.0].into_dyn());
//! assert_eq!(
//!     leaky_relu.call(&x, &[("slop".into(), Value::Number(0.5))].into()).unwrap_err().to_string(),
//!     "no option is named \"slop\" | known: slope | did you mean \"slope\"?"
//! );
//! # Ok::<(), surprisal_tensor::ops::by_name::CallError>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use surprisal_settings::{Kind, Problem, Range, Setting, SettingError, Value};

use crate::op::Recorded;
use crate::{Op, ShapeError, Var};

/// The most numbers that a result of a call by name may have: such a call often comes from a file, whose sizes may be wrong.
pub const MAX_NUMBERS: usize = 1 << 24;

/// An input of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// "weight"
    pub name: &'static str,
    /// Whether the operation works without it.
    pub optional: bool,
    /// Whether it has a gradient.
    pub differentiable: bool,
}

impl Input {
    /// An input that is needed and has a gradient.
    pub const fn new(name: &'static str) -> Input {
        Input { name, optional: false, differentiable: true }
    }
    /// One that may be left out.
    pub const fn optional(name: &'static str) -> Input {
        Input { optional: true, ..Input::new(name) }
    }
    /// One without a gradient, such as indices.
    pub const fn constant(name: &'static str) -> Input {
        Input { differentiable: false, ..Input::new(name) }
    }
}

/// What an operation takes, and how it is recorded.
#[derive(Clone, Copy)]
pub struct Signature {
    /// In the order of the operation; those that are optional come last.
    pub inputs: &'static [Input],
    /// The options. An option with an empty default has none: its help explains what that means.
    pub settings: &'static [Setting],
    /// Records the operation.
    pub run: for<'a, 't> fn(&Given<'a, 't>) -> Result<Var<'t>, CallError>,
}

/// Why an operation could not be called.
#[derive(Clone, Debug, PartialEq)]
pub enum CallError {
    /// An input or an option is missing, unknown, or given twice.
    Argument(String),
    /// An option is unknown, or not what it must be.
    Setting(SettingError),
    /// The operation does not take these shapes.
    Shape(ShapeError),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            CallError::Argument(message) => f.write_str(message),
            CallError::Setting(error) => error.fmt(f),
            CallError::Shape(error) => error.fmt(f),
        }
    }
}
impl std::error::Error for CallError {}

impl From<ShapeError> for CallError {
    fn from(error: ShapeError) -> Self {
        CallError::Shape(error)
    }
}
impl From<Problem> for CallError {
    fn from(problem: Problem) -> Self {
        CallError::Setting(problem.of(""))
    }
}

/// The values of all options of a table, in its order: those given, checked, or their defaults; none where there is no default.
///
/// # Errors
/// If an option is unknown, or not of its kind.
pub fn read_options(
    table: &[Setting],
    given: &BTreeMap<String, Value>,
) -> Result<Vec<Option<Value>>, CallError> {
    for (name, value) in given {
        let setting = surprisal_settings::find("option", table, name)?;
        if !setting.kind.holds(value) {
            let found = match value {
                Value::Text(text) => text.clone(),
                other => other.to_string(),
            };
            return Err(Problem::Value { name: name.clone(), expected: setting.kind.into(), found }.into());
        }
    }
    let value =
        |setting: &Setting| given.get(setting.name).cloned().or_else(|| setting.kind.parse(setting.default));
    Ok(table.iter().map(value).collect())
}

/// Whether a table of inputs has that name.
///
/// # Errors
/// If not: with the nearest name.
pub fn expect_input(table: &[Input], name: &str) -> Result<(), CallError> {
    let known: Vec<_> = table.iter().map(|input| input.name).collect();
    if known.contains(&name) {
        return Ok(());
    }
    Err(Problem::Unknown { what: "input", found: name.into(), known }.into())
}

impl Signature {
    /// Records the operation on the tape of its inputs.
    ///
    /// # Errors
    /// If an input or an option is missing, unknown, given twice, or not what it must be; if the shapes do not fit; or if the result
    /// would have more than [`MAX_NUMBERS`] numbers.
    #[track_caller]
    pub fn call<'t>(
        &self,
        inputs: &[(&str, Var<'t>)],
        options: &BTreeMap<String, Value>,
    ) -> Result<Var<'t>, CallError> {
        inputs.iter().try_for_each(|(name, _)| expect_input(self.inputs, name))?;
        let mut vars = vec![];
        for input in self.inputs {
            let mut given = inputs.iter().filter(|(name, _)| *name == input.name);
            match given.next() {
                Some((_, var)) => vars.push(*var),
                None if input.optional => {}
                None => return Err(CallError::Argument(format!("the input \"{}\" is missing", input.name))),
            }
            if given.next().is_some() {
                return Err(CallError::Argument(format!("the input \"{}\" is given twice", input.name)));
            }
        }
        let values = read_options(self.settings, options)?;
        (self.run)(&Given { inputs: &vars, settings: self.settings, values: &values })
    }
}

/// What [`Signature::run`] gets: the inputs that are there, in order, and the options, checked.
pub struct Given<'a, 't> {
    inputs: &'a [Var<'t>],
    settings: &'static [Setting],
    values: &'a [Option<Value>],
}

impl<'t> Given<'_, 't> {
    /// Records an operation of all inputs.
    ///
    /// # Errors
    /// If the shapes do not fit, or the result would be too large.
    #[track_caller]
    pub fn record<O: Op>(&self, op: O) -> Result<Var<'t>, CallError> {
        self.record_boxed(Box::new(op))
    }

    #[track_caller]
    fn record_boxed(&self, op: Box<dyn Recorded>) -> Result<Var<'t>, CallError> {
        let tape = self.inputs[0].tape();
        let shape = tape.shape_of(&*op, self.inputs)?;
        if shape.len() > MAX_NUMBERS {
            return Err(CallError::Argument(format!(
                "the result {shape} would have {} numbers: expected at most {MAX_NUMBERS}",
                shape.len()
            )));
        }
        Ok(tape.try_apply_boxed(op, self.inputs)?)
    }

    /// The inputs that are there.
    pub(super) fn inputs(&self) -> &[Var<'t>] {
        self.inputs
    }
    /// The same options with other inputs.
    pub(super) fn with<'a>(&'a self, inputs: &'a [Var<'t>]) -> Given<'a, 't> {
        Given { inputs, ..*self }
    }

    fn find(&self, name: &str) -> Option<&Value> {
        let place = self.settings.iter().position(|setting| setting.name == name)?;
        self.values[place].as_ref()
    }
    fn get(&self, name: &str) -> Result<&Value, CallError> {
        self.find(name).ok_or_else(|| {
            let kind = self.settings.iter().find(|setting| setting.name == name).map(|setting| setting.kind);
            let expected = kind.map_or(String::new(), |kind| format!(": {kind}"));
            CallError::Argument(format!("the option \"{name}\" is missing{expected}"))
        })
    }
    /// A number, or 1 and 0 of a flag.
    ///
    /// # Errors
    /// If it is not given and has no default, as all of these.
    pub fn number(&self, name: &str) -> Result<f64, CallError> {
        Ok(self.get(name)?.number().unwrap_or(f64::NAN))
    }
    /// A whole number, not negative.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn whole(&self, name: &str) -> Result<usize, CallError> {
        Ok(self.number(name)? as usize)
    }
    /// The same, or `otherwise` if it is not given.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn whole_or(&self, name: &str, otherwise: usize) -> Result<usize, CallError> {
        self.find(name).map_or(Ok(otherwise), |_| self.whole(name))
    }
    /// A flag.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn flag(&self, name: &str) -> Result<bool, CallError> {
        Ok(self.get(name)? == &Value::Flag(true))
    }
    /// One of the words of the option.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn word(&self, name: &str) -> Result<&str, CallError> {
        Ok(match self.get(name)? {
            Value::Text(word) => word,
            _ => "",
        })
    }
    /// Whole numbers, not negative.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn wholes(&self, name: &str) -> Result<Vec<usize>, CallError> {
        Ok(self.get(name)?.numbers().iter().map(|&x| x as usize).collect())
    }
    /// Exactly N of them.
    ///
    /// # Errors
    /// As [`number`](Self::number), and if there are more or fewer.
    pub fn list<const N: usize>(&self, name: &str) -> Result<[usize; N], CallError> {
        let wholes = self.wholes(name)?;
        wholes.as_slice().try_into().map_err(|_| {
            CallError::Argument(format!("the option \"{name}\" has {} numbers: expected {N}", wholes.len()))
        })
    }
    /// Two of them, along H and along W; a single one is for both.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn pair(&self, name: &str) -> Result<[usize; 2], CallError> {
        match self.wholes(name)?[..] {
            [both] => Ok([both; 2]),
            _ => self.list(name),
        }
    }
    /// The same, or `otherwise` if it is not given.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn pair_or(&self, name: &str, otherwise: [usize; 2]) -> Result<[usize; 2], CallError> {
        self.find(name).map_or(Ok(otherwise), |_| self.pair(name))
    }
    /// An axis, from the front or the back; `None` if it is not given.
    pub fn find_axis(&self) -> Option<isize> {
        self.find("axis").and_then(Value::number).map(|axis| axis as isize)
    }
    /// An axis that is needed.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn axis(&self) -> Result<isize, CallError> {
        Ok(self.number("axis")? as isize)
    }
}

// parts of the tables of several operations

pub(super) const X: &[Input] = &[Input::new("x")];
pub(super) const A_B: &[Input] = &[Input::new("a"), Input::new("b")];
pub(super) const X_WEIGHT_BIAS: &[Input] = &[Input::new("x"), Input::new("weight"), Input::optional("bias")];
pub(super) const X_INDICES: &[Input] = &[Input::new("x"), Input::constant("indices")];
/// The tensors to join, in order.
pub(super) const JOINED: &[Input] = &[
    Input::new("a"),
    Input::optional("b"),
    Input::optional("c"),
    Input::optional("d"),
    Input::optional("e"),
    Input::optional("f"),
    Input::optional("g"),
    Input::optional("h"),
];

/// What lengths of windows and their distances may be.
const LENGTH: Range = Range::at_least(1.0).at_most(65536.0);

/// One or two whole numbers, along H and along W, from 1 on.
pub(super) const fn lengths(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, kind: Kind::Wholes(LENGTH), default, help }
}
/// The same, from 0 on.
pub(super) const fn borders(name: &'static str, help: &'static str) -> Setting {
    Setting { name, kind: Kind::Wholes(Range::at_least(0.0).at_most(1024.0)), default: "0", help }
}
/// A whole number, not negative.
pub(super) const fn whole(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    Setting { name, kind: Kind::Whole(Range::NOT_NEGATIVE), default, help }
}
/// Several of them.
pub(super) const fn wholes(name: &'static str, help: &'static str) -> Setting {
    Setting { name, kind: Kind::Wholes(Range::NOT_NEGATIVE), default: "", help }
}
/// A number, of which infinities are some.
pub(super) const fn number(name: &'static str, default: &'static str, help: &'static str) -> Setting {
    let range = Range::at_least(f64::NEG_INFINITY).at_most(f64::INFINITY);
    Setting { name, kind: Kind::Number(range), default, help }
}
const fn axis(default: &'static str, help: &'static str) -> Setting {
    Setting { name: "axis", kind: Kind::Whole(Range::ANY), default, help }
}
pub(super) const AXIS: Setting = axis("", "Axis, from the front (0, 1, ..) or the back (-1, ..)");
pub(super) const LAST_AXIS: Setting = axis("-1", "Axis, from the front (0, 1, ..) or the back (-1, ..)");
pub(super) const FIRST_AXIS: Setting = axis("0", "Axis, from the front (0, 1, ..) or the back (-1, ..)");
/// Of a reduction.
pub(super) const ANY_AXIS: Setting = axis("", "Axis that disappears; without it everything is reduced");
pub(super) const GROUPS: Setting = Setting {
    name: "groups",
    kind: Kind::Whole(Range::AT_LEAST_ONE),
    default: "1",
    help: "Groups of channels and outputs",
};
