//! Cases as JSON: read, evaluated by name, and held against exact results. Of losses here; of other operations by
//! [`Case::outcome`] and [`check_cases`].
//!
//! A case holds inputs and options, and may hold what is expected: the exact value, the exact gradients, and for each number a
//! budget, the roundings that a careful evaluation cannot avoid, in units of u (2^-24 in `f32`, 2^-53 in `f64`). A computed x
//! holds if |x - exact| <= 4 u budget + tiny, with tiny = 2^-140 or 2^-1064.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use surprisal_settings::edits;
use surprisal_tensor::ndarray::{ArrayD, IxDyn};
use surprisal_tensor::{Params, Scalar, Shape, Tape, Var, Workspace};

use crate::by_name::{self, Call, CallError, Entry, quoted};
use crate::kinds::pointwise::agree;

mod judge;
pub use judge::{
    Accuracy, F32, F64, Fault, Judged, Precision, Report, check_cases, check_document, judge, pair,
};

/// The name of the input that the outputs are multiplied by before the backward pass.
pub const GRAD_OUTPUT: &str = "grad_output";

/// The inputs and options of one case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the file calls it, or its place: "case 3".
    pub name: String,
    /// Arrays by name.
    pub inputs: Vec<(String, ArrayD<f64>)>,
    /// Options by name.
    pub options: BTreeMap<String, by_name::Value>,
    /// Its inputs or its results fit no `f32`.
    pub f64_only: bool,
    /// The inputs and the options that are null: not given, but their names have to be known.
    pub nulls: [Vec<String>; 2],
}

/// What a loss or another operation made of a case.
#[derive(Clone, Debug)]
pub struct Outcome<T> {
    /// One number, or one for each row or element.
    pub value: ArrayD<T>,
    /// Of the sum of all outputs, or of `sum(grad_output * output)` where the inputs hold `grad_output`.
    pub grads: Vec<(&'static str, ArrayD<T>)>,
    /// What else there is after it, such as a running mean.
    pub buffers: Vec<(&'static str, ArrayD<T>)>,
}

/// Why a case could not be read or evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseError(pub String);

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for CaseError {}

/// An error in a JSON text, with its position.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonError {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong there.
    pub told: String,
}

/// Reads JSON. A byte order mark before it is left out.
///
/// # Errors
/// If it is not JSON, or if a key occurs twice in one object: `serde_json` alone would take the last.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice::<Unique>(text).map(|Unique(value)| value).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let told = error.to_string().replace(&format!(" at line {line} column {column}"), "");
        let told = if error.is_data() { told } else { format!("this is not JSON: {told}") };
        JsonError { line, column, told }
    })
}

/// A value of JSON in whose objects every key is there once.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Unique)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }
    fn visit_i64<E>(self, x: i64) -> Result<Value, E> {
        Ok(x.into())
    }
    fn visit_u64<E>(self, x: u64) -> Result<Value, E> {
        Ok(x.into())
    }
    fn visit_f64<E>(self, x: f64) -> Result<Value, E> {
        Ok(x.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = vec![];
        while let Some(Unique(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            if values.contains_key(&key) {
                return Err(A::Error::custom(format!("the key {} comes twice in one object", quoted(&key))));
            }
            let Unique(value) = object.next_value()?;
            values.insert(key, value);
        }
        Ok(values.into())
    }
}

/// The keys that change the computation.
const KEYS: [&str; 5] = ["inputs", "options", GRAD_OUTPUT, "cases", "f64_only"];

/// Other keys than these are notes, and not looked at; but not one that is nearly one of these.
fn check_keys(object: &Map<String, Value>) -> Result<(), CaseError> {
    let letters = |name: &str| {
        let mut letters: Vec<char> = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        letters.sort_unstable();
        letters
    };
    for key in object.keys().filter(|key| key.len() < 20 && !KEYS.contains(&key.as_str())) {
        let is_near = |known: &str| {
            letters(key) == letters(known) || edits(&key.to_lowercase(), known) <= key.chars().count() / 3
        };
        if is_near("dtype") {
            return Err(CaseError(format!(
                "the key {} is not read from a file | choose the type, f32 or f64, where the cases are evaluated",
                quoted(key)
            )));
        }
        if let Some(known) = KEYS.into_iter().find(|known| is_near(known)) {
            return Err(CaseError(format!(
                "the key {} is not known | did you mean \"{known}\"?",
                quoted(key)
            )));
        }
    }
    Ok(())
}

/// What a case is called, and the case if it can be read.
pub type NamedCase = (String, Result<Case, CaseError>);

/// The cases of a document: `{"cases": [..]}`, or one case alone; each on its own, so that one that is malformed does not
/// hide the others.
pub fn cases(document: &Value) -> Result<Vec<NamedCase>, CaseError> {
    let name = |value: &Value, i: usize| match value["name"].as_str() {
        Some(name) => name.to_owned(),
        None => format!("case {i}"),
    };
    if let (Some(object), Some(_)) = (document.as_object(), document.get("cases")) {
        check_keys(object)?;
        if let Some(key) =
            ["inputs", "options", GRAD_OUTPUT].into_iter().find(|key| object.contains_key(*key))
        {
            return Err(CaseError(format!("\"{key}\" stands beside \"cases\": it belongs into each case")));
        }
    }
    match document.get("cases") {
        Some(Value::Array(cases)) => Ok(cases
            .iter()
            .enumerate()
            .map(|(i, case)| (name(case, i), Case::read(case, name(case, i))))
            .collect()),
        Some(other) => Err(CaseError(format!("\"cases\" is {}: it is a list of cases", kind(other)))),
        None if document.is_object() => {
            Ok(vec![(name(document, 0), Case::read(document, name(document, 0)))])
        }
        None => Err(CaseError(format!(
            "this is {}: give an object with \"cases\", or one case, an object with \"inputs\"",
            kind(document)
        ))),
    }
}

impl Case {
    fn read(value: &Value, name: String) -> Result<Case, CaseError> {
        let Some(object) = value.as_object() else {
            return Err(CaseError(format!("a case is an object with \"inputs\", not {}", kind(value))));
        };
        check_keys(object)?;
        if object.contains_key("cases") {
            return Err(CaseError("\"cases\" stands inside a case".into()));
        }
        let inputs = match object.get("inputs") {
            Some(Value::Object(inputs)) => inputs,
            Some(other) => {
                return Err(CaseError(format!(
                    "\"inputs\" is {}: it is an object of arrays by name",
                    kind(other)
                )));
            }
            None => return Err(CaseError("\"inputs\" is missing: an object of arrays by name".into())),
        };
        let nulls = |object: &Map<String, Value>| {
            object.iter().filter(|(_, x)| x.is_null()).map(|(name, _)| name.clone()).collect()
        };
        let null_inputs = nulls(inputs);
        let beside = object.get_key_value(GRAD_OUTPUT);
        if beside.is_some() && inputs.contains_key(GRAD_OUTPUT) {
            return Err(CaseError(format!("\"{GRAD_OUTPUT}\" stands inside \"inputs\" and beside them")));
        }
        let inputs = inputs.iter().chain(beside).filter(|(_, x)| !x.is_null());
        let inputs =
            inputs.map(|(name, x)| Ok((name.clone(), array(&shown(name), x)?))).collect::<Result<_, _>>()?;
        let none = Map::new();
        let options = match object.get("options") {
            None | Some(Value::Null) => &none,
            Some(Value::Object(options)) => options,
            Some(other) => return Err(CaseError(format!("\"options\" is {}: it is an object", kind(other)))),
        };
        let nulls = [null_inputs, nulls(options)];
        let options = options.iter().filter(|(_, x)| !x.is_null());
        let options = options
            .map(|(name, x)| Ok((name.clone(), setting(&shown(name), x)?)))
            .collect::<Result<_, _>>()?;
        Ok(Case {
            name,
            inputs,
            options,
            f64_only: object.get("f64_only") == Some(&Value::Bool(true)),
            nulls,
        })
    }

    /// Value and gradients of the loss, computed in `T` throughout.
    ///
    /// # Errors
    /// What the loss says to inputs that it cannot take.
    pub fn evaluate<T: Scalar>(&self, loss: &Entry) -> Result<Outcome<T>, CaseError> {
        let wrong = |error: CallError| match error {
            CallError::Input(message) => CaseError(format!("{}: {message}", loss.card.name)),
            CallError::Setting(error) => CaseError(error.problem.of(loss.card.name).to_string()),
            CallError::Loss(error) => in_file(error),
        };
        let [inputs, options] = &self.nulls;
        let inputs = inputs.iter().filter(|name| *name != GRAD_OUTPUT);
        inputs
            .map(|name| ("input", name))
            .chain(options.iter().map(|name| ("option", name)))
            .try_for_each(|(what, name)| loss.expect_known(what, name))
            .map_err(wrong)?;
        let differentiable = loss.inputs.iter().filter(|input| input.differentiable);
        let differentiable = Vec::from_iter(differentiable.map(|input| input.name));
        let (params, mut workspace) = (Params::<T>::default(), Workspace::new());
        self.outcome(&workspace.tape(&params), &differentiable, |inputs| {
            let inputs = inputs.iter().map(|&(name, var)| (name.into(), var)).collect();
            loss.call(&Call { inputs, options: self.options.clone() }).map_err(wrong)
        })
    }

    /// Records the inputs, calls `record` with them, and goes back from the sum of what it gives, or from `sum(grad_output * output)`
    /// where the case has `grad_output`. The gradients are those of the inputs with these names.
    ///
    /// # Errors
    /// Those of `record`; and if an input has too many axes, or `grad_output` another shape than the output.
    pub fn outcome<'t, T: Scalar>(
        &self,
        tape: &'t Tape<'t>,
        differentiable: &[&'static str],
        record: impl FnOnce(&[(&str, Var<'t>)]) -> Result<Var<'t>, CaseError>,
    ) -> Result<Outcome<T>, CaseError> {
        let recorded: Vec<_> = self
            .inputs
            .iter()
            .map(|(name, x)| {
                let name = name.as_str();
                Shape::try_new(x.shape()).map_err(in_file)?;
                let var = tape.input(x);
                Ok((name, if differentiable.contains(&name) { var.requires_grad() } else { var }))
            })
            .collect::<Result<_, _>>()?;
        let (factor, inputs): (Vec<_>, Vec<_>) =
            recorded.into_iter().partition(|(name, _)| *name == GRAD_OUTPUT);
        let output = record(&inputs)?;
        let total = match factor.first() {
            Some((_, factor)) => {
                agree((GRAD_OUTPUT, &factor.shape()), ("the output", &output.shape())).map_err(in_file)?;
                (output * *factor).sum()
            }
            None => output.sum(),
        };
        total.backward();
        let gradient = |&name: &&'static str| {
            let (_, var) = inputs.iter().find(|(given, _)| *given == name)?;
            Some((name, var.grad()?.mapv(T::of)))
        };
        let grads = differentiable.iter().filter_map(gradient).collect();
        Ok(Outcome { value: output.to_array(), grads, buffers: vec![] })
    }
}

/// What is wrong with the inputs of a case, without the lines about what recorded them.
pub fn in_file(error: impl fmt::Display) -> CaseError {
    let message = error.to_string();
    let recorded = |line: &&str| {
        line.contains(", recorded at ") || line.starts_with("  ") && line.contains(" parameter \"")
    };
    let lines = Vec::from_iter(message.lines().filter(|line| !recorded(line)));
    CaseError(lines.join(" "))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A name of a user's as messages show it: as it is, where it is a short word.
fn shown(name: &str) -> String {
    let word = name.len() < 40 && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if word { name.into() } else { quoted(name) }
}

/// A number; infinities and NaN are texts, as JSON has none.
fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        Some("nan") => Some(f64::NAN),
        _ => value.as_f64(),
    }
}

/// Nested lists as an array: every list at one depth is as long as the first.
fn array(name: &str, value: &Value) -> Result<ArrayD<f64>, CaseError> {
    let (mut shape, mut inner) = (vec![], value);
    while let Value::Array(values) = inner {
        shape.push(values.len());
        match values.first() {
            Some(first) => inner = first,
            None => break,
        }
    }
    let mut numbers = vec![];
    collect(name, value, &shape, &mut numbers)?;
    ArrayD::from_shape_vec(IxDyn(&shape), numbers).map_err(|error| CaseError(format!("{name}: {error}")))
}

fn collect(name: &str, value: &Value, shape: &[usize], numbers: &mut Vec<f64>) -> Result<(), CaseError> {
    match (value, shape) {
        (Value::Array(values), [length, inner @ ..]) if values.len() == *length => {
            values.iter().try_for_each(|value| collect(name, value, inner, numbers))
        }
        (Value::Array(values), [length, ..]) => Err(CaseError(format!(
            "{name}: one list holds {} entries, the first at its depth {length}: all are of one length",
            values.len()
        ))),
        (_, [_, ..]) | (Value::Array(_), []) => Err(CaseError(format!(
            "{name}: lists and numbers are mixed: an array is nested lists of one depth"
        ))),
        (value, []) => match number(value) {
            Some(x) => {
                numbers.push(x);
                Ok(())
            }
            None => Err(CaseError(format!(
                "{name}: {} is not a number; infinities and NaN are \"inf\", \"-inf\" and \"nan\"",
                value.as_str().map_or_else(|| kind(value).into(), quoted)
            ))),
        },
    }
}

fn setting(name: &str, value: &Value) -> Result<by_name::Value, CaseError> {
    if let Some(x) = number(value) {
        return Ok(by_name::Value::Number(x));
    }
    match value {
        Value::Bool(flag) => Ok(by_name::Value::Flag(*flag)),
        Value::String(text) => Ok(by_name::Value::Text(text.clone())),
        Value::Array(values) => match values.iter().map(number).collect() {
            Some(numbers) => Ok(by_name::Value::Numbers(numbers)),
            None => Err(CaseError(format!("the option {name} is a list of something else than numbers"))),
        },
        other => Err(CaseError(format!("the option {name} is {}", kind(other)))),
    }
}

/// An outcome as one line of JSON: `{"name": .., "value": .., "grad": {..}}`. The numbers read back in `T` give the same bits.
pub fn to_json<T: Scalar>(name: &str, outcome: &Outcome<T>) -> String {
    let mut grads = String::new();
    for (i, (name, grad)) in outcome.grads.iter().enumerate() {
        let comma = if i > 0 { ", " } else { "" };
        grads += &format!("{comma}{}: {}", Value::from(*name), nested(grad));
    }
    let (name, value) = (Value::from(name), nested(&outcome.value));
    let buffer = |(name, x): &(&str, ArrayD<T>)| format!(", \"{name}\": {}", nested(x));
    let buffers = String::from_iter(outcome.buffers.iter().map(buffer));
    format!("{{\"name\": {name}, \"value\": {value}, \"grad\": {{{grads}}}{buffers}}}")
}

fn nested<T: Scalar>(x: &ArrayD<T>) -> String {
    fn write<T: Scalar>(shape: &[usize], numbers: &mut impl Iterator<Item = T>, out: &mut String) {
        match shape {
            [] => {
                if let Some(x) = numbers.next() {
                    *out += &number_text(x);
                }
            }
            [length, inner @ ..] => {
                out.push('[');
                for i in 0..*length {
                    if i > 0 {
                        *out += ", ";
                    }
                    write(inner, numbers, out);
                }
                out.push(']');
            }
        }
    }
    let mut out = String::new();
    write(x.shape(), &mut x.iter().copied(), &mut out);
    out
}

/// The shortest digits that read back in `T` as the same number.
fn number_text<T: Scalar>(x: T) -> String {
    let wide = x.value();
    if wide.is_nan() {
        "\"nan\"".into()
    } else if wide.is_infinite() {
        if wide > 0.0 { "\"inf\"".into() } else { "\"-inf\"".into() }
    } else if TypeId::of::<T>() == TypeId::of::<f32>() {
        format!("{:?}", wide as f32) // exact: it was an f32
    } else {
        format!("{wide:?}")
    }
}
