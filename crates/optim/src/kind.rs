//! [`OptimizerKind`]: every optimizer by its name, to be built from settings.

use std::fmt;
use std::str::FromStr;

use surprisal_settings::Problem;
use surprisal_tensor::Scalar;

use crate::Hyperparameter::{self, *};
use crate::{OptimError, Optimizer, Rule};

/// What is set of an optimizer; `None` is its own usual number.
///
/// See the example of [`OptimizerKind`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OptimizerSettings {
    /// How far a step goes: above 0. `None` is [`OptimizerKind::usual_rate`].
    pub learning_rate: Option<f64>,
    /// Of sgd and rmsprop: 0 to below 1.
    pub momentum: Option<f64>,
    /// Of sgd with momentum.
    pub nesterov: bool,
    /// Of rmsprop: 0 to below 1.
    pub alpha: Option<f64>,
    /// Of adam and adamw: 0 to below 1.
    pub beta1: Option<f64>,
    /// Of adam and adamw: 0 to below 1.
    pub beta2: Option<f64>,
    /// Of all but sgd: above 0.
    pub eps: Option<f64>,
    /// Of all: 0 or above.
    pub weight_decay: Option<f64>,
}

impl OptimizerSettings {
    /// What is set, besides the learning rate.
    pub(crate) fn given(&self) -> impl Iterator<Item = (Hyperparameter, f64)> {
        let OptimizerSettings { momentum, nesterov, alpha, beta1, beta2, eps, weight_decay, .. } = *self;
        let numbers = [
            (Momentum, momentum),
            (Alpha, alpha),
            (Beta1, beta1),
            (Beta2, beta2),
            (Eps, eps),
            (WeightDecay, weight_decay),
            (Nesterov, nesterov.then_some(1.0)), // the last: it needs a momentum
        ];
        numbers.into_iter().filter_map(|(setting, number)| Some((setting, number?)))
    }
}

macro_rules! optimizers {
    ($($module:ident::$Name:ident: $Rule:ident),+ $(,)?) => {
        /// Every optimizer, as a type: for `use`.
        pub mod optimizers {
            $(pub use crate::$module::$Name;)+
        }

        /// The rules of the optimizers, by which their types differ.
        pub mod rules {
            $(pub use crate::$module::$Rule;)+
        }

        /// An optimizer by its name, `sgd` or `adam`. For a command line, or a file of settings.
        ///
        /// Momentum is a setting of `sgd`, as in PyTorch, whose names these are in small letters.
        ///
        /// ```
        /// use surprisal_optim::{Optimizer, OptimizerKind, OptimizerSettings};
        ///
        /// let settings = OptimizerSettings { momentum: Some(0.9), nesterov: true, ..Default::default() };
        /// let sgd = "sgd".parse::<OptimizerKind>()?.build::<f32>(&settings)?;
        /// assert_eq!(sgd.learning_rate(), OptimizerKind::Sgd.usual_rate());
        ///
        /// assert!(OptimizerKind::Adam.build::<f32>(&settings).is_err()); // it has no momentum
        /// # Ok::<(), surprisal_optim::OptimError>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum OptimizerKind {
            $(#[doc = concat!("[`", stringify!($Name), "`](crate::", stringify!($Name), ")")] $Name,)+
        }

        impl OptimizerKind {
            const NAMES: &[&'static str] = &[$(rules::$Rule::NAME),+];

            /// Every one of them.
            pub const ALL: [OptimizerKind; Self::NAMES.len()] = [$(OptimizerKind::$Name),+];

            /// A learning rate to start from, for nets of a few layers: 0.1 for sgd, 0.01 for adam.
            ///
            /// On average over 26 real tables, with 50 epochs and a cosine schedule, sgd, adagrad, rmsprop, adam and adamw are then as good as
            /// each other (`docs/tables.md`). PyTorch's own defaults are 0.001 for sgd, adam and adamw, 0.01 for adagrad and rmsprop.
            ///
            /// ```
            /// assert_eq!(surprisal_optim::OptimizerKind::AdamW.usual_rate(), 0.01);
            /// ```
            pub fn usual_rate(self) -> f64 {
                match self { $(Self::$Name => rules::$Rule::USUAL_RATE,)+ }
            }

            /// What it does, in words for a report.
            ///
            /// ```
            /// let words = surprisal_optim::OptimizerKind::Sgd.about();
            /// assert_eq!(words, "SGD: each step follows the negative gradient of one batch");
            /// ```
            pub fn about(self) -> &'static str {
                match self { $(Self::$Name => rules::$Rule::ABOUT,)+ }
            }

            /// The type of it: "AdamW".
            pub fn type_name(self) -> &'static str {
                match self { $(Self::$Name => stringify!($Name),)+ }
            }

            /// Its settings and their defaults, with learning rate and weight decay, which all have.
            ///
            /// ```
            /// use surprisal_optim::{Hyperparameter::*, OptimizerKind};
            /// let settings = OptimizerKind::Adagrad.settings();
            /// assert_eq!(settings, [(LearningRate, 0.05), (WeightDecay, 0.0), (Eps, 1e-10)]);
            /// ```
            pub fn settings(self) -> Vec<(Hyperparameter, f64)> {
                let (decay, own) = match self {
                    $(Self::$Name => (rules::$Rule::WEIGHT_DECAY, rules::$Rule::SETTINGS),)+
                };
                [&[(LearningRate, self.usual_rate()), (WeightDecay, decay)], own].concat()
            }

            /// The optimizer itself.
            ///
            /// See the example of [`OptimizerKind`].
            ///
            /// # Errors
            /// If a number is out of its range, or is a setting of other optimizers only; if there is `nesterov` without momentum.
            pub fn build<T: Scalar>(self, settings: &OptimizerSettings) -> Result<Box<dyn Optimizer<T>>, OptimError> {
                Ok(match self { $(Self::$Name => Box::new(optimizers::$Name::of_settings(settings)?),)+ })
            }
        }
    };
}

impl OptimizerKind {
    /// The default of a setting, if it has it.
    fn default_of(self, setting: Hyperparameter) -> Option<f64> {
        self.settings().into_iter().find(|(own, _)| *own == setting).map(|(_, default)| default)
    }

    /// Whose a setting is, its range and its defaults, behind a sentence of help: ", for sgd and rmsprop: a number from 0 to below 1
    /// \[default: 0\]".
    ///
    /// ```
    /// use surprisal_optim::{Hyperparameter, OptimizerKind};
    /// assert_eq!(
    ///     OptimizerKind::help(Hyperparameter::Alpha),
    ///     ", for rmsprop: a number from 0 to below 1 [default: 0.99]"
    /// );
    /// ```
    pub fn help(setting: Hyperparameter) -> String {
        if having(setting).is_empty() {
            return String::new(); // it is not an optimizer's
        }
        let mut defaults: Vec<(f64, Vec<&str>)> = Vec::new();
        for kind in Self::ALL {
            let Some(default) = kind.default_of(setting) else { continue };
            match defaults.iter_mut().find(|(other, _)| *other == default) {
                Some((_, kinds)) => kinds.push(kind.name()),
                None => defaults.push((default, vec![kind.name()])),
            }
        }
        let having = having(setting);
        let whose = match having.len() == Self::ALL.len() {
            true => String::new(),
            false => format!(", for {}", and(&having)),
        };
        let defaults = match &defaults[..] {
            [(default, _)] => setting.written(*default),
            _ => Vec::from_iter(
                defaults
                    .iter()
                    .map(|(default, kinds)| format!("{} for {}", setting.written(*default), and(kinds))),
            )
            .join("; "),
        };
        format!("{whose}: {} [default: {defaults}]", setting.kind())
    }

    /// What settings and files call it: "adamw".
    ///
    /// ```
    /// assert_eq!(surprisal_optim::OptimizerKind::AdamW.name(), "adamw");
    /// ```
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// The names of the optimizers that have a setting.
pub(crate) fn having(setting: Hyperparameter) -> Vec<&'static str> {
    let has = |kind: &OptimizerKind| kind.default_of(setting).is_some();
    OptimizerKind::ALL.into_iter().filter(has).map(OptimizerKind::name).collect()
}

/// "adam", "adam and adamw", "adagrad, adam and adamw".
fn and(names: &[&str]) -> String {
    match names {
        [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        _ => names.concat(),
    }
}

impl fmt::Display for OptimizerKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OptimizerKind {
    type Err = OptimError;
    fn from_str(text: &str) -> Result<Self, OptimError> {
        let unknown =
            || Problem::Unknown { what: "optimizer", found: text.into(), known: Self::NAMES.to_vec() };
        let named = Self::ALL.into_iter().find(|kind| kind.name() == text);
        named.ok_or_else(|| unknown().of("").into())
    }
}

// The one list: from it come the names, the settings, the help of the command, the pages of the docs and what the tests go through.
optimizers! {
    sgd::Sgd: SgdRule,
    adagrad::Adagrad: AdagradRule,
    rms_prop::RmsProp: RmsPropRule,
    adam::Adam: AdamRule,
    adam_w::AdamW: AdamWRule,
    lion::Lion: LionRule,
}
