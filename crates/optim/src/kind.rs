//! [`OptimizerKind`]: every optimizer by its name, to be built from settings.

use std::fmt;
use std::str::FromStr;

use surprisal_tensor::Scalar;

use crate::{Adagrad, Adam, AdamW, Hyperparameter, OptimError, Optimizer, RmsProp, Sgd};

/// An optimizer by its name: `sgd`, `adagrad`, `rmsprop`, `adam`, `adamw`. For a command line, or a file of settings.
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
/// let error = OptimizerKind::Adam.build::<f32>(&settings).err().unwrap();
/// assert_eq!(
///     error.to_string(),
///     "adam: expected no momentum, found one | leave it out, or take one that has it: sgd, rmsprop"
/// );
/// # Ok::<(), surprisal_optim::OptimError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptimizerKind {
    /// [`Sgd`], with or without momentum.
    Sgd,
    /// [`Adagrad`]
    Adagrad,
    /// [`RmsProp`]
    RmsProp,
    /// [`Adam`]
    Adam,
    /// [`AdamW`]
    AdamW,
}

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

impl OptimizerKind {
    /// Every one of them.
    pub const ALL: [OptimizerKind; 5] = [
        OptimizerKind::Sgd,
        OptimizerKind::Adagrad,
        OptimizerKind::RmsProp,
        OptimizerKind::Adam,
        OptimizerKind::AdamW,
    ];
    const NAMES: [&'static str; 5] = ["sgd", "adagrad", "rmsprop", "adam", "adamw"];

    /// A learning rate to start from, for nets of a few layers: 0.1 for sgd, 0.05 for adagrad, 0.003 for rmsprop, 0.01 for adam and adamw.
    ///
    /// On average over 26 real tables each of them, with 50 epochs and a cosine schedule, is as good as the others (`docs/tables.md`).
    /// PyTorch's own defaults are 0.001, 0.01, 0.01, 0.001 and 0.001.
    ///
    /// ```
    /// assert_eq!(surprisal_optim::OptimizerKind::AdamW.usual_rate(), 0.01);
    /// ```
    pub fn usual_rate(self) -> f64 {
        match self {
            Self::Sgd => 0.1,
            Self::Adagrad => 0.05,
            Self::RmsProp => 0.003,
            Self::Adam | Self::AdamW => 0.01,
        }
    }

    /// Whether it is among its settings.
    fn has(self, setting: Hyperparameter) -> bool {
        use Hyperparameter::*;
        match setting {
            LearningRate | WeightDecay => true,
            Momentum => matches!(self, Self::Sgd | Self::RmsProp),
            Alpha => self == Self::RmsProp,
            Beta1 | Beta2 => matches!(self, Self::Adam | Self::AdamW),
            Eps => self != Self::Sgd,
            _ => false,
        }
    }

    /// Refuses a setting that others have.
    fn expect(self, setting: impl ToString, has: impl Fn(Self) -> bool) -> Result<(), OptimError> {
        if has(self) {
            return Ok(());
        }
        let having = Self::ALL.into_iter().filter(|&kind| has(kind)).collect();
        Err(OptimError::NoSuchSetting { optimizer: self, setting: setting.to_string(), having })
    }

    /// The optimizer itself.
    ///
    /// See the example of [`OptimizerKind`].
    ///
    /// # Errors
    /// If a number is out of its range, or is a setting of other optimizers only; if there is `nesterov` without momentum.
    pub fn build<T: Scalar>(self, settings: &OptimizerSettings) -> Result<Box<dyn Optimizer<T>>, OptimError> {
        use Hyperparameter::*;
        let OptimizerSettings { learning_rate, momentum, nesterov, alpha, beta1, beta2, eps, weight_decay } =
            *settings;
        let numbers = [
            (LearningRate, learning_rate),
            (Momentum, momentum),
            (Alpha, alpha),
            (Beta1, beta1),
            (Beta2, beta2),
            (Eps, eps),
            (WeightDecay, weight_decay),
        ];
        for (setting, number) in numbers {
            if let Some(number) = number {
                self.expect(setting, |kind| kind.has(setting))?;
                if setting == Eps {
                    setting.check_in::<T>(number)?
                } else {
                    setting.check(number)?
                };
            }
        }
        if nesterov {
            self.expect("nesterov", |kind| kind == Self::Sgd)?;
        }

        let rate = learning_rate.unwrap_or(self.usual_rate());
        let (beta1, beta2) = (beta1.unwrap_or(0.9), beta2.unwrap_or(0.999)); // one of the two may be left as it is
        Ok(match self {
            Self::Sgd => {
                let sgd = set(Sgd::try_new(rate)?, momentum, Sgd::momentum);
                let sgd = set(sgd, weight_decay, Sgd::weight_decay);
                Box::new(if nesterov { sgd.try_nesterov()? } else { sgd })
            }
            Self::Adagrad => {
                let adagrad = set(Adagrad::try_new(rate)?, eps, Adagrad::eps);
                Box::new(set(adagrad, weight_decay, Adagrad::weight_decay))
            }
            Self::RmsProp => {
                let rms_prop = set(RmsProp::try_new(rate)?, alpha, RmsProp::alpha);
                let rms_prop = set(set(rms_prop, eps, RmsProp::eps), momentum, RmsProp::momentum);
                Box::new(set(rms_prop, weight_decay, RmsProp::weight_decay))
            }
            Self::Adam => {
                let adam = set(Adam::try_new(rate)?.betas(beta1, beta2), eps, Adam::eps);
                Box::new(set(adam, weight_decay, Adam::weight_decay))
            }
            Self::AdamW => {
                let adam_w = set(AdamW::try_new(rate)?.betas(beta1, beta2), eps, AdamW::eps);
                Box::new(set(adam_w, weight_decay, AdamW::weight_decay))
            }
        })
    }
}

/// The optimizer with a setting, if there is one.
fn set<O>(optimizer: O, number: Option<f64>, setter: fn(O, f64) -> O) -> O {
    match number {
        Some(number) => setter(optimizer, number),
        None => optimizer,
    }
}

impl fmt::Display for OptimizerKind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(Self::NAMES[*self as usize])
    }
}

impl FromStr for OptimizerKind {
    type Err = OptimError;
    fn from_str(text: &str) -> Result<Self, OptimError> {
        let known = &Self::NAMES;
        let named = Self::ALL.into_iter().find(|kind| kind.to_string() == text);
        named.ok_or_else(|| OptimError::UnknownName { what: "optimizer", found: text.to_string(), known })
    }
}
