//! What is trained: the data, the model, its start, the rates that are tried.

use std::fmt;
use std::str::FromStr;

use super::CompareError;
use surprisal_data::{DataError, Dataset, Standardize, stratified_split};
use surprisal_layers::{Activation, Init, Mlp, Sizes, rng};
use surprisal_optim::Sgd;
use surprisal_tensor::Params;
use surprisal_train::{Examples, History, Objective, TrainError, Trainer};

/// A data set that is compared on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataName {
    /// Is a tumor benign? 569 rows of 30 measurements.
    BreastCancer,
    /// Which digit is it? 1,797 pictures of 8x8 pixels.
    Digits,
}

impl DataName {
    /// All of them.
    pub const ALL: [DataName; 2] = [DataName::BreastCancer, DataName::Digits];

    /// The name it is chosen by.
    pub fn name(self) -> &'static str {
        match self {
            DataName::BreastCancer => "breast_cancer",
            DataName::Digits => "digits",
        }
    }
}
impl fmt::Display for DataName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}
impl FromStr for DataName {
    type Err = CompareError;
    fn from_str(name: &str) -> Result<Self, CompareError> {
        let found = DataName::ALL.into_iter().find(|data| data.name() == name);
        found.ok_or_else(|| CompareError::UnknownData { name: name.into() })
    }
}

/// Where the weights start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// All 0: the model says 50 % to everything.
    Zero,
    /// All 1: on these data the model is sure, and wrong about most rows.
    SaturatedWrong,
    /// Drawn, as PyTorch's `Linear` draws.
    Drawn,
}

/// One model on one data set from one start.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// A name for files: "breast_cancer-zero".
    pub id: &'static str,
    /// A name for people.
    pub title: &'static str,
    /// The data.
    pub data: DataName,
    /// The sizes of the model's layers; "30-1" is logistic regression.
    pub sizes: &'static str,
    /// Where the weights start.
    pub start: Start,
    /// Passes over the training data.
    pub epochs: usize,
    /// Rows in a step; `None` for all of them.
    pub batch_size: Option<usize>,
    /// The training accuracy whose epoch is compared.
    pub accuracy: f64,
    /// The learning rate that both losses share.
    pub same_rate: f64,
    /// The rates among which each loss finds its own best.
    pub grid: &'static [f64],
}

const ZERO: Scenario = Scenario {
    id: "breast_cancer-zero",
    title: "Logistic regression from zero",
    data: DataName::BreastCancer,
    sizes: "30-1",
    start: Start::Zero,
    epochs: 400,
    batch_size: None,
    accuracy: 0.97,
    same_rate: 0.1,
    grid: &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0],
};
const SATURATED: Scenario = Scenario {
    id: "breast_cancer-saturated",
    title: "Logistic regression from a start that is sure and wrong",
    start: Start::SaturatedWrong,
    ..ZERO
};
const DIGITS: Scenario = Scenario {
    id: "digits-mlp",
    title: "A small net on handwritten digits",
    data: DataName::Digits,
    sizes: "64-32-10",
    start: Start::Drawn,
    epochs: 60,
    batch_size: Some(32),
    accuracy: 0.97,
    same_rate: 0.1,
    grid: &[0.03, 0.1, 0.3, 1.0, 3.0],
};

/// The share of rows that the model never sees in training.
const TEST_SHARE: f64 = 0.25;

/// The data and the start of one seed: the same for both losses and every rate.
pub(super) struct Prepared {
    train: Examples<f64>,
    test: Examples<f64>,
    model: Mlp,
    params: Params<f64>,
    seed: u64,
}

impl Scenario {
    /// The scenarios on a data set.
    pub fn on(data: DataName) -> Vec<Scenario> {
        match data {
            DataName::BreastCancer => vec![SATURATED, ZERO],
            DataName::Digits => vec![DIGITS],
        }
    }

    /// Splits, scales and draws with one seed.
    pub(super) fn prepare(&self, seed: u64) -> Result<Prepared, DataError> {
        let mut rng = rng(seed);
        let (mut train, mut test) =
            stratified_split(&Dataset::named(self.data.name())?, TEST_SHARE, &mut rng)?;
        match self.data {
            DataName::BreastCancer => {
                let standardize = Standardize::fit(&train.features)?; // what test rows look like is not known in training
                train.features = standardize.apply(&train.features)?;
                test.features = standardize.apply(&test.features)?;
            }
            DataName::Digits => [&mut train, &mut test].into_iter().for_each(|part| part.features /= 16.0), // pixels 0 to 16
        }
        let sizes: Sizes = self.sizes.parse().expect("the sizes of a scenario are a list of sizes");
        let (weight, bias) = match self.start {
            Start::Zero => (Init::Zeros, Init::Zeros),
            Start::SaturatedWrong => (Init::Constant(1.0), Init::Zeros),
            Start::Drawn => (Init::Linear, Init::Linear),
        };
        let mut params = Params::default();
        let model = Mlp::with_init(&mut params, &sizes, Activation::Relu, weight, bias, &mut rng);
        Ok(Prepared { train: Examples::new(&train), test: Examples::new(&test), model, params, seed })
    }
}

impl Prepared {
    /// One run from this start.
    pub(super) fn train(
        &self,
        scenario: &Scenario,
        objective: Objective,
        rate: f64,
    ) -> Result<History, TrainError> {
        let batch_size = scenario.batch_size.unwrap_or(self.train.rows());
        let trainer = Trainer {
            objective,
            epochs: scenario.epochs,
            batch_size,
            seed: self.seed,
            measure_gradient: true,
            ..Trainer::default()
        };
        let mut params = self.params.clone();
        let training = trainer.on(&self.train).validate(&self.test);
        training.fit(&self.model, &mut params, &mut Sgd::new(rate))
    }
}
