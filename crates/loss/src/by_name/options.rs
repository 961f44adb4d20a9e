//! The options and inputs of a call, by their names.

use std::collections::BTreeMap;

use surprisal_settings::{Kind, Setting, Value};
use surprisal_tensor::Var;

use super::{CallError, Entry};
use crate::{Label, Reduction};

/// The options of a loss, each known to be of its kind.
pub(crate) struct Options<'a> {
    pub entry: &'static Entry,
    pub(super) given: Source<'a>,
}

pub(super) enum Source<'a> {
    Values(&'a BTreeMap<String, Value>),
    /// Numbers, 1 and 0 of flags, and the reduction: without an allocation.
    Numbers(&'a [(&'a str, f64)], Reduction),
}

impl Options<'_> {
    fn card(&self, name: &str) -> Option<&'static Setting> {
        self.entry.options.iter().find(|card| card.name == name)
    }

    fn given(&self, name: &str) -> Option<Value> {
        match self.given {
            Source::Values(values) => values.get(name).cloned(),
            Source::Numbers(numbers, _) => {
                let (_, number) = numbers.iter().find(|(given, _)| *given == name)?;
                let flag = self.card(name).is_some_and(|card| card.kind == Kind::Flag);
                Some(if flag { Value::Flag(*number != 0.0) } else { Value::Number(*number) })
            }
        }
    }

    fn get(&self, name: &str) -> Option<Value> {
        self.given(name).or_else(|| self.card(name).and_then(|card| card.kind.parse(card.default)))
    }

    pub fn number(&self, name: &str) -> f64 {
        match self.get(name) {
            Some(Value::Number(x)) => x,
            other => unreachable!("{}: {name} is {other:?}", self.entry.card.name),
        }
    }

    pub fn numbers(&self, name: &str) -> Vec<f64> {
        match self.get(name) {
            Some(Value::Numbers(x)) => x,
            _ => vec![self.number(name)],
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(Value::Flag(true))
    }

    /// The one of the option's words that was chosen.
    pub fn word(&self, name: &str) -> &'static str {
        let Some(Setting { kind: Kind::Word(words), .. }) = self.card(name) else {
            unreachable!("{}: {name} is no word", self.entry.card.name)
        };
        if let (Source::Numbers(_, reduction), "reduction") = (&self.given, name) {
            return reduction.word();
        }
        let given = self.given(name);
        let chosen = |word: &&str| match &given {
            Some(Value::Text(text)) => text == *word,
            Some(Value::Number(x)) => x.to_string() == *word,
            _ => false,
        };
        words.iter().copied().find(chosen).unwrap_or(words[0])
    }

    /// Weights, if there are any.
    pub fn weights(&self, name: &str) -> Option<Vec<f64>> {
        match self.given(name)? {
            Value::Number(x) => Some(vec![x]),
            Value::Numbers(x) => Some(x),
            _ => None,
        }
    }
}

/// The inputs of one call of a loss: arrays and class labels.
pub(crate) struct Given<'a, 't, L> {
    pub(super) arrays: &'a [(&'a str, Var<'t>)],
    pub(super) labels: Option<&'a [L]>,
}

impl<'a, 't, L> Given<'a, 't, L> {
    pub fn optional(&self, name: &str) -> Option<Var<'t>> {
        self.arrays.iter().find(|(given, _)| *given == name).map(|&(_, var)| var)
    }

    pub fn input(&self, name: &str) -> Result<Var<'t>, CallError> {
        self.optional(name).ok_or_else(|| {
            let given: Vec<_> = self.arrays.iter().map(|&(name, _)| name).collect();
            let given = if given.is_empty() {
                "there are none".into()
            } else {
                format!("there are: {}", given.join(", "))
            };
            CallError::Input(format!("the input \"{name}\" is missing; {given}"))
        })
    }

    pub fn labels(&self, name: &str) -> Result<&'a [L], CallError> {
        match self.labels {
            Some(labels) => Ok(labels),
            None => Err(labels(name, self.input(name)?).err().unwrap_or_else(|| {
                CallError::Input(format!("\"{name}\" are class indices, not an array of numbers"))
            })),
        }
    }
}

/// Class labels that are given as an array of numbers.
pub(super) fn labels(name: &str, var: Var) -> Result<Vec<i64>, CallError> {
    let label = |(i, &x): (usize, &f64)| {
        let whole = x.fract() == 0.0 && x.abs() < 2f64.powi(53); // NaN is not
        whole
            .then_some(x as i64)
            .ok_or_else(|| CallError::Input(format!("{name} {i} is {x}: a class is a whole number")))
    };
    var.value().iter().enumerate().map(label).collect()
}

/// A loss that can be called by its name.
pub(crate) trait ByName: Sized {
    /// The loss with these options.
    fn read(options: &Options) -> Self;
    /// Records it on the tape of its inputs.
    fn call<'t>(&self, inputs: &Given<'_, 't, impl Label>) -> Result<Var<'t>, CallError>;
}
