//! The list of all losses, and a way to call each by its name: for the command, for training by a loss's name, and for tests.
//!
//! [`ALL`] lists the losses, and each [`Entry`] its inputs and options. A [`Loss`] is one of them with its options, read and checked; it is
//! called at every step of a training, and does not allocate there. [`Entry::call`] is for one call whose inputs have names.
//!
//! ```
//! use surprisal_loss::by_name::Loss;
//! use surprisal_tensor::{Params, Workspace, ndarray::array};
//! let loss = Loss::parse("softmax_focal_loss", [("gamma", "0"), ("alpha", "1, 3")])?;
//! assert_eq!(
//!     Loss::parse("softmax_focal_loss", [("gama", "1")]).unwrap_err().to_string(),
//!     "no option is named \"gama\" | known: reduction, gamma, alpha | did you mean \"gamma\"?"
//! );
//! assert_eq!(
//!     Loss::parse("huber_loss", [("delta", "-1")]).unwrap_err().to_string(),
//!     "delta is -1: it is a number above 0"
//! );
//! let params = Params::<f64>::default();
//! let mut workspace = Workspace::new();
//! let tape = workspace.tape(&params);
//! let logits = tape.input(&array![[0.0, 0.0], [0.0, 0.0]]);
//! let mean = loss.of_classes(logits, &[0, 1])?;
//! assert!((mean.item() - 2.0 * 2f64.ln()).abs() < 1e-15); // ln 2 (1 + 3) / 2
//! # Ok::<(), surprisal_loss::by_name::CallError>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use surprisal_suggest::nearest;

use surprisal_tensor::{Card, Var};

pub use crate::list::ALL;
use crate::list::Any;
use crate::{Label, LossError};

/// What a loss says of itself, beside its page.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name, formula and gradient.
    pub card: Card,
    /// What it takes.
    pub inputs: &'static [Input],
    /// How it can be varied.
    pub options: &'static [OptionCard],
    /// Against what it is drawn, if it is a function of one number.
    pub curve: Option<Curve>,
}

/// An input of a loss.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// "logits"
    pub name: &'static str,
    /// Whether it has a gradient.
    pub differentiable: bool,
    /// Whether it holds weights: the loss does without, and [`Loss`] takes them as an option.
    pub weights: bool,
    /// Which numbers it may hold; those that are usual, where other options take others.
    pub values: Values,
    /// Its shape and range.
    pub about: &'static str,
}

/// The numbers that an input of a loss may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Any numbers.
    Number,
    /// From 0 to 1.
    Unit,
    /// Rows from 0 to 1 that sum to 1.
    Distribution,
    /// 0 or 1.
    YesNo,
    /// +1 or -1.
    Sign,
    /// Class indices, one for each row.
    Classes,
    /// 0 or 1, one for each row.
    Pairs,
    /// 0 or more.
    NotNegative,
}

/// An option of a loss.
#[derive(Clone, Copy, Debug)]
pub struct OptionCard {
    /// "label_smoothing"
    pub name: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// Its value where none is given.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// Which values an option takes. Its text is the end of a sentence: "it is a number, 0 or more".
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Number(Range),
    /// A whole number.
    Whole(Range),
    /// A number, or a list of them.
    Numbers(Range),
    /// True or false.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// The numbers that an option takes; NaN is in no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Every finite number.
    Any,
    /// 0 or more, and finite.
    NotNegative,
    /// Above 0, and finite.
    Positive,
    /// Above 0; infinity too.
    PositiveOrInfinite,
    /// 0 to 1, with both.
    ZeroToOne,
    /// Between 0 and 1, without either.
    Inside,
    /// 1 or less.
    AtMostOne,
    /// 1 or more, and finite.
    AtLeastOne,
    /// 1 or 2.
    OneOrTwo,
}

/// The number that a loss of single numbers is drawn against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Curve {
    /// A logit, for the two labels: 0 and 1, or -1 and +1.
    Logit([f64; 2]),
    /// A probability, for the labels 0 and 1.
    Probability,
    /// The probability of what happened: there is no label.
    Outcome,
    /// The error, input - target.
    Error,
}

impl Range {
    /// Whether x lies in it.
    pub fn holds(self, x: f64) -> bool {
        match self {
            Range::Any => x.is_finite(),
            Range::NotNegative => x >= 0.0 && x.is_finite(),
            Range::Positive => x > 0.0 && x.is_finite(),
            Range::PositiveOrInfinite => x > 0.0,
            Range::ZeroToOne => (0.0..=1.0).contains(&x),
            Range::Inside => x > 0.0 && x < 1.0,
            Range::AtMostOne => x <= 1.0,
            Range::AtLeastOne => x >= 1.0 && x.is_finite(),
            Range::OneOrTwo => x == 1.0 || x == 2.0,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Range::Any => "",
            Range::NotNegative => ", 0 or more",
            Range::Positive | Range::PositiveOrInfinite => " above 0",
            Range::ZeroToOne => " from 0 to 1",
            Range::Inside => " between 0 and 1",
            Range::AtMostOne => ", at most 1",
            Range::AtLeastOne => ", 1 or more",
            Range::OneOrTwo => ", 1 or 2",
        })
    }
}

impl Kind {
    /// The value that a text stands for, if it is one of this kind and within its range: `"0.5"`, `"true"`, `"sum"`; lists of numbers
    /// have commas or blanks between them.
    pub fn parse(self, text: &str) -> Option<Setting> {
        let text = text.trim();
        let setting = match self {
            Kind::Number(_) | Kind::Whole(_) => Setting::Number(text.parse().ok()?),
            Kind::Numbers(_) => Setting::Numbers(numbers(text)?),
            Kind::Flag => Setting::Flag(text.parse().ok()?),
            Kind::Word(_) => Setting::Text(text.into()),
        };
        self.holds(&setting).then_some(setting)
    }

    /// Whether a value is of this kind and within its range.
    pub fn holds(self, setting: &Setting) -> bool {
        match (self, setting) {
            (Kind::Number(range) | Kind::Numbers(range), Setting::Number(x)) => range.holds(*x),
            (Kind::Whole(range), Setting::Number(x)) => {
                range.holds(*x) && x.fract() == 0.0 && x.abs() < 2f64.powi(53)
            }
            (Kind::Numbers(range), Setting::Numbers(x)) => !x.is_empty() && x.iter().all(|&x| range.holds(x)),
            (Kind::Flag, Setting::Flag(_)) => true,
            (Kind::Word(words), Setting::Text(text)) => words.contains(&text.as_str()),
            (Kind::Word(words), Setting::Number(x)) => words.contains(&x.to_string().as_str()), // base = 2
            _ => false,
        }
    }
}

fn numbers(text: &str) -> Option<Vec<f64>> {
    let parts = text.split([',', ' ']).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().ok()).collect()
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Kind::Number(range) => write!(f, "a number{range}"),
            Kind::Whole(range) => write!(f, "a whole number{range}"),
            Kind::Numbers(range) => write!(f, "a number{range}, or a list of such numbers"),
            Kind::Flag => f.write_str("true or false"),
            Kind::Word([first @ .., last]) => write!(f, "{} or {last}", first.join(", ")),
            Kind::Word([]) => f.write_str("nothing"),
        }
    }
}

pub(crate) const fn gradient(name: &'static str, values: Values, about: &'static str) -> Input {
    Input { name, differentiable: true, weights: false, values, about }
}
pub(crate) const fn constant(name: &'static str, values: Values, about: &'static str) -> Input {
    Input { name, differentiable: false, weights: false, values, about }
}
pub(crate) const fn weights_input(name: &'static str, about: &'static str) -> Input {
    Input { name, differentiable: false, weights: true, values: Values::NotNegative, about }
}
/// The inputs and options of one call, by their names.
///
/// ```
/// use surprisal_loss::by_name::{self, Call, Setting};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::default();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let call = Call {
///     inputs: vec![("input".into(), tape.input(&array![3.0])), ("target".into(), tape.input(&array![0.0]))],
///     options: [("delta".into(), Setting::Number(1.0))].into(),
/// };
/// let entry = by_name::find("huber_loss").unwrap();
/// assert_eq!(entry.call(&call)?.item(), 2.5); // delta (|e| - delta / 2)
/// # Ok::<(), surprisal_loss::by_name::CallError>(())
/// ```
pub struct Call<'t> {
    /// Arrays on a tape; labels and weights too, as numbers.
    pub inputs: Vec<(String, Var<'t>)>,
    /// What differs from the defaults.
    pub options: BTreeMap<String, Setting>,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// `"delta": 1.5`
    Number(f64),
    /// `"reduction": "sum"`
    Text(String),
    /// `"swap": true`
    Flag(bool),
    /// `"q": [0.1, 0.5, 0.9]`
    Numbers(Vec<f64>),
}

/// As JSON would have it; long ones are cut.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Setting::Number(x) => write!(f, "{x}"),
            Setting::Text(text) => f.write_str(&quoted(text)),
            Setting::Flag(flag) => write!(f, "{flag}"),
            Setting::Numbers(x) if x.len() > 8 => write!(f, "a list of {} numbers", x.len()),
            Setting::Numbers(x) => write!(f, "{x:?}"),
        }
    }
}

/// A text of a user's in quotes, as messages show it: cut where it is long, with escapes for what is not printed.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}..", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Why a loss could not be called by its name.
#[derive(Clone, Debug, PartialEq)]
pub enum CallError {
    /// An input is missing or unknown, or an option is not what it must be.
    Names(String),
    /// The loss does not take the inputs.
    Loss(LossError),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            CallError::Names(message) => f.write_str(message),
            CallError::Loss(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CallError::Names(_) => None,
            CallError::Loss(error) => error.source(),
        }
    }
}

impl From<LossError> for CallError {
    fn from(error: LossError) -> Self {
        CallError::Loss(error)
    }
}

impl Entry {
    /// Whether it has an "input" or an "option" of this name; an error that suggests the nearest, if not.
    pub(crate) fn expect_known(&self, what: &str, name: &str) -> Result<(), CallError> {
        let names: Vec<_> = match what {
            "input" => self.inputs.iter().map(|input| input.name).collect(),
            _ => self.options.iter().map(|option| option.name).collect(),
        };
        if names.contains(&name) { Ok(()) } else { Err(unknown(what, name, names.into_iter())) }
    }
}

/// "no option is named .. | known: .. | did you mean ..?"
fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> CallError {
    let listed = known.clone().collect::<Vec<_>>().join(", ");
    let listed = if listed.is_empty() { "there are none".into() } else { format!("known: {listed}") };
    let meant =
        nearest(name, known).first().map_or(String::new(), |near| format!(" | did you mean \"{near}\"?"));
    CallError::Names(format!("no {what} is named {} | {listed}{meant}", quoted(name)))
}

/// The options of a loss, each known to be of its kind.
pub(crate) struct Options<'a> {
    pub entry: &'static Entry,
    given: &'a BTreeMap<String, Setting>,
}

impl Options<'_> {
    fn get(&self, name: &str) -> Option<Setting> {
        self.given.get(name).cloned().or_else(|| {
            let card = self.entry.options.iter().find(|card| card.name == name)?;
            card.kind.parse(card.default)
        })
    }

    pub fn number(&self, name: &str) -> f64 {
        match self.get(name) {
            Some(Setting::Number(x)) => x,
            other => unreachable!("{}: {name} is {other:?}", self.entry.card.name),
        }
    }

    pub fn numbers(&self, name: &str) -> Vec<f64> {
        match self.get(name) {
            Some(Setting::Numbers(x)) => x,
            _ => vec![self.number(name)],
        }
    }

    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(Setting::Flag(true))
    }

    /// The one of the option's words that was chosen.
    pub fn word(&self, name: &str) -> &'static str {
        let card = self.entry.options.iter().find(|card| card.name == name);
        let Some(OptionCard { kind: Kind::Word(words), .. }) = card else {
            unreachable!("{}: {name} is no word", self.entry.card.name)
        };
        let chosen = |word: &&str| match self.get(name) {
            Some(Setting::Text(text)) => text == *word,
            Some(Setting::Number(x)) => x.to_string() == *word,
            _ => false,
        };
        words.iter().copied().find(chosen).unwrap_or(words[0])
    }

    /// Weights, if there are any.
    pub fn weights(&self, name: &str) -> Option<Vec<f64>> {
        match self.given.get(name)? {
            Setting::Number(x) => Some(vec![*x]),
            Setting::Numbers(x) => Some(x.clone()),
            _ => None,
        }
    }
}

/// The inputs of one call of a loss; class labels may stand beside the arrays.
pub(crate) struct Given<'a, 't, L> {
    arrays: &'a [(&'a str, Var<'t>)],
    labels: Option<&'a [L]>,
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
            CallError::Names(format!("the input \"{name}\" is missing; {given}"))
        })
    }

    pub fn labels(&self, name: &str) -> Result<&'a [L], CallError> {
        match self.labels {
            Some(labels) => Ok(labels),
            None => Err(labels(name, self.input(name)?).err().unwrap_or_else(|| {
                CallError::Names(format!("\"{name}\" are class indices, not an array of numbers"))
            })),
        }
    }
}

/// Class labels that stand among the inputs as numbers.
fn labels(name: &str, var: Var) -> Result<Vec<i64>, CallError> {
    let label = |(i, &x): (usize, &f64)| {
        let whole = x.fract() == 0.0 && x.abs() < 2f64.powi(53); // NaN is not
        whole
            .then_some(x as i64)
            .ok_or_else(|| CallError::Names(format!("{name} {i} is {x}: a class is a whole number")))
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

/// A loss with its options, read and checked: what a program keeps, and calls at every step.
///
/// Weights (`weight`, `pos_weight`, `alpha` of the focal loss of classes) are options here.
#[derive(Clone, Debug)]
pub struct Loss {
    entry: &'static Entry,
    options: BTreeMap<String, Setting>,
    any: Any,
}

/// Of the same name with the same options.
impl PartialEq for Loss {
    fn eq(&self, other: &Self) -> bool {
        self.entry.card.name == other.entry.card.name && self.options == other.options
    }
}

impl Loss {
    /// The loss of that name with options given as values.
    ///
    /// # Errors
    /// If there is no such loss or option, or if a value is not of the option's kind or out of its range.
    pub fn new(name: &str, options: BTreeMap<String, Setting>) -> Result<Loss, CallError> {
        let entry =
            find(name).ok_or_else(|| unknown("loss", name, ALL.iter().map(|entry| entry.card.name)))?;
        for (name, setting) in &options {
            let kind = entry.kind(name)?;
            if !kind.holds(setting) {
                return Err(CallError::Names(format!("{name} is {setting}: it is {kind}")));
            }
        }
        let any = Any::read(&Options { entry, given: &options });
        Ok(Loss { entry, options, any })
    }

    /// The loss of that name with options given as texts: `Loss::parse("huber_loss", [("delta", "2")])`.
    ///
    /// # Errors
    /// As [`new`](Self::new), and if an option comes twice.
    pub fn parse<'a>(
        name: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Loss, CallError> {
        let mut read = BTreeMap::new();
        if let Some(entry) = find(name) {
            for (name, text) in options {
                let kind = entry.kind(name)?;
                let setting = kind
                    .parse(text)
                    .ok_or_else(|| CallError::Names(format!("{name} is {}: it is {kind}", shown(text))))?;
                if read.insert(name.to_owned(), setting).is_some() {
                    return Err(CallError::Names(format!("{name} is given twice")));
                }
            }
        }
        Loss::new(name, read)
    }

    /// What the loss says of itself.
    pub fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// The options that were given; the others have their defaults.
    pub fn options(&self) -> &BTreeMap<String, Setting> {
        &self.options
    }

    /// Records the loss of a model's output against class indices, one for each row.
    ///
    /// # Errors
    /// If it takes no class indices, or not these: as `try_loss` of the loss itself.
    #[track_caller]
    pub fn of_classes<'t>(&self, output: Var<'t>, labels: &[impl Label]) -> Result<Var<'t>, CallError> {
        self.any.call(&Given { arrays: &[(self.entry.inputs[0].name, output)], labels: Some(labels) })
    }

    /// Records the loss of a model's output against targets: numbers, probabilities, or 0 and 1, -1 and +1, as the loss takes them.
    ///
    /// # Errors
    /// If it takes class indices alone, no target, or more inputs than these; or as `try_loss` of the loss itself.
    #[track_caller]
    pub fn of_targets<'t>(&self, output: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, CallError> {
        let name = self.entry.card.name;
        let arrays = self.entry.inputs.iter().filter(|input| !input.weights);
        match arrays.skip(1).last() {
            Some(input) => {
                let arrays = [(self.entry.inputs[0].name, output), (input.name, targets)];
                self.any.call(&Given::<i64> { arrays: &arrays, labels: None })
            }
            None => Err(CallError::Names(format!("{name} takes no targets"))),
        }
    }
}

/// A text as an error shows it: a short number as it is, anything else in quotes.
fn shown(text: &str) -> String {
    if text.parse::<f64>().is_ok() && text.len() < 30 { text.into() } else { quoted(text) }
}

impl Entry {
    /// What an option takes; weights are options too.
    fn kind(&self, name: &str) -> Result<Kind, CallError> {
        let weights = || self.inputs.iter().filter(|input| input.weights).map(|input| input.name);
        match self.options.iter().find(|option| option.name == name) {
            Some(option) => Ok(option.kind),
            None if weights().any(|weights| weights == name) => Ok(Kind::Numbers(Range::NotNegative)),
            None => {
                Err(unknown("option", name, self.options.iter().map(|option| option.name).chain(weights())))
            }
        }
    }

    /// Records this loss on the tape of its inputs.
    ///
    /// # Errors
    /// If an input is missing, unknown, given twice or contradicts another; if an option is unknown or not what it must be; or as
    /// `try_loss` of the loss itself.
    #[track_caller]
    pub fn call<'t>(&self, call: &Call<'t>) -> Result<Var<'t>, CallError> {
        let mut options = call.options.clone();
        options.keys().try_for_each(|name| self.expect_known("option", name))?;
        let (mut arrays, mut labels) = (vec![], None);
        for (name, var) in &call.inputs {
            let Some(input) = self.inputs.iter().find(|input| input.name == name) else {
                return Err(unknown("input", name, self.inputs.iter().map(|input| input.name)));
            };
            if call.inputs.iter().filter(|(other, _)| other == name).count() > 1 {
                return Err(CallError::Names(format!("the input \"{name}\" is given twice")));
            }
            if input.weights {
                let weights = var.value().into_iter().collect();
                options.insert(name.clone(), Setting::Numbers(weights));
                continue;
            }
            if matches!(input.name, "targets" | "labels") {
                labels = self::labels(name, *var).ok();
            }
            arrays.push((input.name, *var));
        }
        let loss = Loss::new(self.card.name, options)?;
        loss.any.call(&Given { arrays: &arrays, labels: labels.as_deref() })
    }
}

/// The loss of that name.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.card.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(name: &str) -> Vec<&'static str> {
        nearest(name, ALL.iter().map(|entry| entry.card.name))
    }

    #[test]
    fn a_slip_a_part_and_an_abbreviation_find_their_loss() {
        for (given, meant) in [
            ("mse", "mse_loss"),
            ("MSELoss", "mse_loss"),
            ("softmax_cross_entrpy", "softmax_cross_entropy"),
            ("sce", "softmax_cross_entropy"),
            ("bce", "binary_cross_entropy"),
            ("sigmiod", "sigmoid"),
            ("nll_loss_with_logits", "nll_loss"),
        ] {
            assert_eq!(near(given).first(), Some(&meant), "{given}");
        }
        assert_eq!(near("cosine"), [""; 0]);
        assert_eq!(near(""), [""; 0]);
    }

    #[test]
    fn every_default_is_of_its_kind() {
        for entry in ALL {
            for OptionCard { name, kind, default, .. } in entry.options {
                assert!(
                    kind.parse(default).is_some(),
                    "{}: {name} = {default} is not {kind}",
                    entry.card.name
                );
            }
            Loss::parse(entry.card.name, entry.options.iter().map(|option| (option.name, option.default)))
                .unwrap();
        }
    }

    #[test]
    fn options_are_read_from_texts_and_checked() {
        let options = |name: &str, given: &[(&str, &str)]| {
            Loss::parse(name, given.iter().copied())
                .map(|loss| loss.options().clone())
                .map_err(|error| error.to_string())
        };
        let one = |name: &str, setting| Ok([(name.to_owned(), setting)].into());
        assert_eq!(
            options("quantile_loss", &[("q", "0.1, 0.9")]),
            one("q", Setting::Numbers(vec![0.1, 0.9]))
        );
        assert_eq!(options("entropy", &[("base", "2")]), one("base", Setting::Text("2".into())));
        assert_eq!(options("triplet_margin_loss", &[("swap", "true")]), one("swap", Setting::Flag(true)));
        for (name, given, says) in [
            ("huber", vec![], "no loss is named \"huber\" | known: softmax_cross_entropy, "),
            ("mse_loss", vec![("delta", "3")], "no option is named \"delta\" | known: reduction"),
            ("huber_loss", vec![("delta", "two")], "delta is \"two\": it is a number above 0"),
            ("huber_loss", vec![("delta", "1"), ("delta", "1")], "delta is given twice"),
            ("multi_margin_loss", vec![("p", "3")], "p is 3: it is a whole number, 1 or 2"),
            ("multi_margin_loss", vec![("p", "1.5")], "p is 1.5: it is a whole number, 1 or 2"),
            (
                "quantile_loss",
                vec![("q", "0.5 1")],
                "q is \"0.5 1\": it is a number between 0 and 1, or a list",
            ),
            ("quantile_loss", vec![("q", "")], "q is \"\": it is a number between 0 and 1, or a list"),
            ("softmax", vec![("axis", "0")], "no option is named \"axis\" | there are none"),
            (
                "kl_div",
                vec![("reduction", "max")],
                "reduction is \"max\": it is mean, batchmean, sum or none",
            ),
            (
                "softmax_cross_entropy",
                vec![("weight", "1 -2")],
                "weight is \"1 -2\": it is a number, 0 or more, or a list",
            ),
        ] {
            let error = options(name, &given).unwrap_err();
            assert!(error.starts_with(says), "{error}");
        }
        let long = options("mse_loss", &[("reduction", &"x".repeat(100_000))]).unwrap_err();
        assert!(long.len() < 200, "{long}");
    }

    /// What passes [`Kind::holds`] is taken by the loss, and what does not is refused by it.
    #[test]
    fn ranges_are_those_of_the_losses() {
        use crate::vectors::Case;
        use surprisal_tensor::ndarray::{ArrayD, IxDyn};
        let array = |shape: &[usize], x: f64| ArrayD::from_elem(IxDyn(shape), x);
        for entry in ALL {
            let labels = entry.card.name == "supcon_loss"
                || entry.inputs.iter().any(|input| input.values == Values::Classes);
            let inputs: Vec<_> = entry
                .inputs
                .iter()
                .filter(|i| !i.weights && i.name != "target_probs")
                .map(|input| {
                    let of_rows = matches!(input.values, Values::Classes | Values::Pairs);
                    (
                        input.name.to_owned(),
                        array(if of_rows { &[2] } else { &[2, 2] }, if of_rows { 0.0 } else { 1.0 }),
                    )
                })
                .collect();
            for option in entry.options {
                let (Kind::Number(_) | Kind::Whole(_)) = option.kind else { continue };
                for x in [
                    f64::NAN,
                    f64::NEG_INFINITY,
                    -1.0,
                    -1e-9,
                    0.0,
                    1e-9,
                    0.5,
                    1.0,
                    1.5,
                    2.0,
                    3.0,
                    1e9,
                    f64::INFINITY,
                ] {
                    let setting = Setting::Number(x);
                    let holds = option.kind.holds(&setting);
                    if option.name == "k" && x > 2.0 || option.name == "ignore_index" && holds {
                        continue; // more than there are rows; the label of all rows
                    }
                    let options = BTreeMap::from([(option.name.to_owned(), setting)]);
                    let case = Case {
                        name: String::new(),
                        inputs: inputs.clone(),
                        options: options.clone(),
                        f64_only: true,
                        nulls: Default::default(),
                    };
                    let taken = case.evaluate::<f64>(entry);
                    assert_eq!(
                        taken.is_ok(),
                        holds,
                        "{}, {} = {x}: {:?}",
                        entry.card.name,
                        option.name,
                        taken.err()
                    );
                    // the loss itself, past the check of its kind
                    if !holds && matches!(option.kind, Kind::Number(_)) {
                        let any = Any::read(&Options { entry, given: &options });
                        let params = surprisal_tensor::Params::<f64>::default();
                        let mut workspace = surprisal_tensor::Workspace::new();
                        let tape = workspace.tape(&params);
                        let arrays: Vec<_> =
                            inputs.iter().map(|(name, x)| (name.as_str(), tape.input(x))).collect();
                        let zeros = [0i64; 2];
                        let given = Given { arrays: &arrays, labels: labels.then_some(&zeros[..]) };
                        let refused = any.call(&given).map(|_| ());
                        assert!(refused.is_err(), "{} itself takes {} = {x}", entry.card.name, option.name);
                    }
                }
            }
        }
    }
}
