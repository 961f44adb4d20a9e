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
//!     "delta: expected a number above 0, found -1"
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

use surprisal_tensor::Var;

mod entry;
mod options;

pub use crate::list::ALL;
pub use entry::{Curve, Entry, Input, Target, Training, Values};
pub(crate) use entry::{constant, gradient, weights_input};
pub(crate) use options::{ByName, Given, Options};
use options::{Source, labels};
pub use surprisal_settings::{Kind, Problem, Range, Setting, SettingError, Value, quoted};

use crate::list::Any;
use crate::{Label, LossError, Reduction};

/// The inputs and options of one call, by their names.
///
/// ```
/// use surprisal_loss::by_name::{self, Call, Value};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::default();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let call = Call {
///     inputs: vec![("input".into(), tape.input(&array![3.0])), ("target".into(), tape.input(&array![0.0]))],
///     options: [("delta".into(), Value::Number(1.0))].into(),
/// };
/// let entry = by_name::find("huber_loss").unwrap();
/// assert_eq!(entry.call(&call)?.item(), 2.5); // delta (|e| - delta / 2)
/// # Ok::<(), surprisal_loss::by_name::CallError>(())
/// ```
pub struct Call<'t> {
    /// Arrays on a tape; labels and weights too, as numbers.
    pub inputs: Vec<(String, Var<'t>)>,
    /// What differs from the defaults.
    pub options: BTreeMap<String, Value>,
}

/// Why a loss could not be called by its name.
#[derive(Clone, Debug, PartialEq)]
pub enum CallError {
    /// An input is missing, or is not what it must be.
    Input(String),
    /// There is no such loss, input or option, or an option is not what it must be.
    Setting(SettingError),
    /// The loss does not take the inputs.
    Loss(LossError),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            CallError::Input(message) => f.write_str(message),
            CallError::Setting(error) => error.fmt(f),
            CallError::Loss(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CallError::Input(_) => None,
            CallError::Setting(error) => Some(error),
            CallError::Loss(error) => error.source(),
        }
    }
}

impl From<Problem> for CallError {
    fn from(problem: Problem) -> Self {
        CallError::Setting(problem.of(""))
    }
}

impl From<LossError> for CallError {
    fn from(error: LossError) -> Self {
        CallError::Loss(error)
    }
}

impl Entry {
    /// Whether it has an "input" or an "option" of this name; an error that suggests the nearest, if not.
    pub(crate) fn expect_known(&self, what: &'static str, name: &str) -> Result<(), CallError> {
        let known: Vec<_> = match what {
            "input" => self.inputs.iter().map(|input| input.name).collect(),
            _ => self.options.iter().map(|option| option.name).collect(),
        };
        if known.contains(&name) { Ok(()) } else { Err(unknown(what, name, known)) }
    }
}

fn unknown(what: &'static str, name: &str, known: Vec<&'static str>) -> CallError {
    Problem::Unknown { what, found: name.into(), known }.into()
}

/// A loss with its options, read and checked: what a program keeps, and calls at every step.
///
/// Weights (`weight`, `pos_weight`, `alpha` of the focal loss of classes) are options here.
#[derive(Clone, Debug)]
pub struct Loss {
    step: Step,
    options: BTreeMap<String, Value>,
}

/// Of the same name with the same options.
impl PartialEq for Loss {
    fn eq(&self, other: &Self) -> bool {
        self.entry().card.name == other.entry().card.name && self.options == other.options
    }
}

impl Loss {
    /// The loss of that name with options given as values.
    ///
    /// # Errors
    /// If there is no such loss or option, or if a value is not of the option's kind or out of its range.
    pub fn new(name: &str, options: BTreeMap<String, Value>) -> Result<Loss, CallError> {
        let entry = find(name)
            .ok_or_else(|| unknown("loss", name, ALL.iter().map(|entry| entry.card.name).collect()))?;
        for (name, setting) in &options {
            let kind = entry.kind(name)?;
            if !kind.holds(setting) {
                let found = match setting {
                    Value::Text(text) => text.clone(),
                    other => other.to_string(),
                };
                let name = name.clone();
                return Err(Problem::Value { name, expected: kind.into(), found }.into());
            }
        }
        let any = Any::read(&Options { entry, given: Source::Values(&options) });
        Ok(Loss { step: Step { entry, any }, options })
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
                let wrong =
                    || Problem::Value { name: name.into(), expected: kind.into(), found: text.into() };
                if read.insert(name.to_owned(), kind.parse(text).ok_or_else(wrong)?).is_some() {
                    return Err(Problem::Twice { name: name.into() }.into());
                }
            }
        }
        Loss::new(name, read)
    }

    /// The description of the loss.
    pub fn entry(&self) -> &'static Entry {
        self.step.entry
    }

    /// The options that were given; the others have their defaults.
    pub fn options(&self) -> &BTreeMap<String, Value> {
        &self.options
    }

    /// Records the loss of a model's output against class indices, one for each row.
    ///
    /// # Errors
    /// If it takes no class indices, or not these: as `try_loss` of the loss itself.
    #[track_caller]
    pub fn of_classes<'t>(&self, output: Var<'t>, labels: &[impl Label]) -> Result<Var<'t>, CallError> {
        self.step.of_classes(output, labels)
    }

    /// Records the loss of a model's output against targets: numbers, probabilities, or 0 and 1, -1 and +1, as the loss takes them.
    ///
    /// # Errors
    /// If it takes class indices alone, no target, or more inputs than these; or as `try_loss` of the loss itself.
    #[track_caller]
    pub fn of_targets<'t>(&self, output: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, CallError> {
        self.step.of_targets(output, targets)
    }
}

/// A loss with some of its options as numbers, not checked: [`Loss`] for one step, made without an allocation.
#[derive(Clone, Debug)]
pub struct Step {
    entry: &'static Entry,
    any: Any,
}

impl Step {
    /// The loss with this reduction, if it has one, and these options; 1 and 0 are true and false, weights one number.
    pub fn new(entry: &'static Entry, reduction: Reduction, options: &[(&str, f64)]) -> Step {
        Step { entry, any: Any::read(&Options { entry, given: Source::Numbers(options, reduction) }) }
    }

    /// As [`Loss::of_classes`].
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn of_classes<'t>(&self, output: Var<'t>, labels: &[impl Label]) -> Result<Var<'t>, CallError> {
        self.any.call(&Given { arrays: &[(self.entry.inputs[0].name, output)], labels: Some(labels) })
    }

    /// As [`Loss::of_targets`].
    ///
    /// # Errors
    /// As there.
    #[track_caller]
    pub fn of_targets<'t>(&self, output: Var<'t>, targets: Var<'t>) -> Result<Var<'t>, CallError> {
        let Step { entry, any } = self;
        let arrays = entry.inputs.iter().filter(|input| !input.weights);
        match arrays.skip(1).last() {
            Some(input) => {
                let arrays = [(entry.inputs[0].name, output), (input.name, targets)];
                any.call(&Given::<i64> { arrays: &arrays, labels: None })
            }
            None => Err(CallError::Input(format!("{} takes no targets", entry.card.name))),
        }
    }
}

impl Entry {
    /// What an option takes; weights are options too.
    fn kind(&self, name: &str) -> Result<Kind, CallError> {
        let weights = || self.inputs.iter().filter(|input| input.weights).map(|input| input.name);
        match self.options.iter().find(|option| option.name == name) {
            Some(option) => Ok(option.kind),
            None if weights().any(|weights| weights == name) => Ok(Kind::Numbers(Range::NOT_NEGATIVE)),
            None => {
                let options = self.options.iter().map(|option| option.name);
                Err(unknown("option", name, options.chain(weights()).collect()))
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
                return Err(unknown("input", name, self.inputs.iter().map(|input| input.name).collect()));
            };
            if call.inputs.iter().filter(|(other, _)| other == name).count() > 1 {
                return Err(CallError::Input(format!("the input \"{name}\" is given twice")));
            }
            if input.weights {
                let weights = var.value().into_iter().collect();
                options.insert(name.clone(), Value::Numbers(weights));
                continue;
            }
            if matches!(input.name, "targets" | "labels") {
                labels = self::labels(name, *var).ok();
            }
            arrays.push((input.name, *var));
        }
        let loss = Loss::new(self.card.name, options)?;
        loss.step.any.call(&Given { arrays: &arrays, labels: labels.as_deref() })
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
        surprisal_settings::nearest(name, ALL.iter().map(|entry| entry.card.name))
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
            for Setting { name, kind, default, .. } in entry.options {
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
        assert_eq!(options("quantile_loss", &[("q", "0.1, 0.9")]), one("q", Value::Numbers(vec![0.1, 0.9])));
        assert_eq!(options("entropy", &[("base", "2")]), one("base", Value::Text("2".into())));
        assert_eq!(options("triplet_margin_loss", &[("swap", "true")]), one("swap", Value::Flag(true)));
        let messages = [
            ("huber", &[][..]),
            ("mse_loss", &[("delta", "3")]),
            ("huber_loss", &[("delta", "two")]),
            ("huber_loss", &[("delta", "1"), ("delta", "1")]),
            ("multi_margin_loss", &[("p", "3")]),
            ("multi_margin_loss", &[("p", "1.5")]),
            ("quantile_loss", &[("q", "0.5 1")]),
            ("quantile_loss", &[("q", "")]),
            ("softmax", &[("axis", "0")]),
            ("kl_div", &[("reduction", "max")]),
            ("softmax_cross_entropy", &[("weight", "1 -2")]),
        ]
        .map(|(name, given)| options(name, given).unwrap_err());
        expect_test::expect![[r#"
            no loss is named "huber" | known: softmax_cross_entropy, softmax_focal_loss, topk_cross_entropy, nll_loss, binary_cross_entropy_with_logits, sigmoid_focal_loss, soft_margin_loss, binary_cross_entropy, hinge_loss, squared_hinge_loss, multi_margin_loss, mse_loss, half_squared_error, l1_loss, smooth_l1_loss, huber_loss, log_cosh_loss, quantile_loss, poisson_nll_loss, gaussian_nll_loss, dice_loss, ce_dice_loss, triplet_margin_loss, contrastive_loss, supcon_loss, self_information, entropy, cross_entropy_probs, kl_div, kl_div_logits, entropy_from_logits, softmax, log_softmax, logsumexp, sigmoid, log_sigmoid, softplus, tanh | did you mean "huber_loss"?
            no option is named "delta" | known: reduction
            delta: expected a number above 0, found "two"
            delta is given twice | keep one of them
            p: expected a whole number from 1 to 2, found 3
            p: expected a whole number from 1 to 2, found 1.5
            q: expected a number between 0 and 1, both excluded, or several, separated by commas, found "0.5 1"
            q: expected a number between 0 and 1, both excluded, or several, separated by commas, found ""
            no option is named "axis" | there are none
            reduction: expected mean, batchmean, sum or none, found "max"
            weight: expected a finite number, 0 or above, or several, separated by commas, found "1 -2""#]].assert_eq(&messages.join("\n"));
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
                    let setting = Value::Number(x);
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
                        let any = Any::read(&Options { entry, given: Source::Values(&options) });
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
