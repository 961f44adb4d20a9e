//! [`Race`]: two nets on the same data, with the same batches.

use surprisal_data::{Batches, accuracy, argmax_rows};
use surprisal_explain::SATURATED;
use surprisal_layers::{Activation, Layer, Mlp, Rng, Sizes, rng};
use surprisal_optim::{Optimizer, OptimizerKind, OptimizerSettings, Penalty};
use surprisal_tensor::ndarray::{Array2, ArrayD};
use surprisal_tensor::{Params, Tape, Var, Workspace};

use crate::data::{Data, refused};
use crate::loss::{self, Loss};
use crate::start::mislead;
use crate::state::{Error, MOMENTUM, State};

/// Two nets, and where they are.
pub struct Race {
    /// The settings.
    pub state: State,
    /// The points.
    pub data: Data,
    /// The left net and the right one.
    pub sides: [Side; 2],
    /// The steps so far.
    pub step: usize,
    batches: Batches,
    rng: Rng,
}

/// A net and its training.
pub struct Side {
    /// Its parameters.
    pub params: Params<f64>,
    /// Its layers.
    pub model: Mlp,
    loss: &'static Loss,
    optimizer: Box<dyn Optimizer<f64>>,
    penalty: Penalty,
    workspace: Workspace<f64>,
    /// For pictures, whose sizes are others.
    view: Workspace<f64>,
}

/// What a net has reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reached {
    /// The mean loss of all rows.
    pub loss: f64,
    /// The fraction of rows that are right.
    pub accuracy: f64,
    /// The length of the gradient of the loss of all rows.
    pub gradient_norm: f64,
    /// The mean slope of the outputs, p (1 - p) of the sigmoid or softmax: near 0 where the net is sure.
    pub slope: f64,
}

/// A hidden unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its layer, from 0.
    pub layer: usize,
    /// Its place in the layer, from 0.
    pub unit: usize,
    /// How it passes gradients on.
    pub condition: Condition,
}

/// How a unit passes gradients on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Some.
    Ok,
    /// Less than a twentieth, for every row.
    Saturated,
    /// None, for every row.
    Dead,
}

impl Condition {
    /// Of a unit with these slopes, one for each row.
    pub fn of(slopes: impl Iterator<Item = f64> + Clone) -> Condition {
        match () {
            _ if slopes.clone().all(|slope| slope == 0.0) => Condition::Dead,
            _ if slopes.clone().all(|slope| slope.abs() < SATURATED) => Condition::Saturated,
            _ => Condition::Ok,
        }
    }
}

impl Race {
    /// Draws the points and the parameters.
    ///
    /// # Errors
    /// If the points are too few.
    pub fn new(state: State) -> Result<Race, Error> {
        let mut rng = rng(state.number("seed", 0) as u64);
        let data = Data::new(&state, &mut rng)?;
        let activation = state.word("activation", 0).parse().unwrap_or_default();
        let mut params = Params::default();
        let sizes = sizes(&state, &data);
        let init = state.init();
        let model =
            Mlp::with_init(&mut params, &sizes, activation, init, surprisal_layers::Init::Zeros, &mut rng);
        let mut misled = None;
        let sides = [0, 1].map(|side| {
            let params = match state.word("start", side) {
                "wrong" => misled.get_or_insert_with(|| {
                    let mut params = params.clone();
                    let sure = state.number("sure", 0);
                    mislead(&model, &mut params, &data.set.features, data.set.labels(), data.classes(), sure);
                    params
                }),
                _ => &params,
            };
            Side::new(&state, side, params.clone(), model.clone())
        });
        let rows = data.set.rows();
        let batch = match state.whole("batch") {
            0 => rows,
            batch => batch.min(rows),
        };
        let batches = Batches::new(rows, batch).map_err(refused)?;
        Ok(Race { state, data, sides, step: 0, batches, rng })
    }

    /// The part of the plane that is drawn.
    pub fn window(&self) -> [f64; 4] {
        self.data.window(self.state.word("data", 0) == "own")
    }

    /// The rows of a batch; the last one of an epoch may have fewer.
    pub fn batch(&self) -> usize {
        self.batches.iter().next().map_or(0, <[usize]>::len)
    }

    /// The steps of an epoch.
    pub fn per_epoch(&self) -> usize {
        self.batches.per_epoch()
    }

    /// One step of both nets, on the same batch.
    pub fn step(&mut self) {
        let at = self.step % self.per_epoch();
        if at == 0 {
            self.batches.shuffle(&mut self.rng);
        }
        let rows = self.batches.iter().nth(at).expect("a batch of the epoch");
        let labels: Vec<usize> = rows.iter().map(|&row| self.data.set.labels()[row]).collect();
        for side in &mut self.sides {
            side.step(&self.data, rows, &labels);
        }
        self.step += 1;
    }

    /// What both nets have reached.
    pub fn reached(&mut self) -> [Reached; 2] {
        let data = &self.data;
        self.sides.each_mut().map(|side| side.reached(data))
    }
}

/// The sizes of the layers: one logit for two classes.
pub fn sizes(state: &State, data: &Data) -> Sizes {
    let outputs = if data.classes() == 2 { 1 } else { data.classes() };
    let sizes = [&[2], state.sizes("hidden"), &[outputs]].concat();
    Sizes::new(&sizes).unwrap_or_else(|_| unreachable!("sizes are read as at least 1"))
}

impl Side {
    fn new(state: &State, side: usize, params: Params<f64>, model: Mlp) -> Side {
        let name = state.word("loss", side);
        let loss = loss::ALL.iter().find(|loss| loss.name == name).expect("a loss of the list");
        let (kind, momentum) = optimizer(state, side);
        let rate = Some(state.number("lr", side));
        let settings = OptimizerSettings { learning_rate: rate, momentum, ..Default::default() };
        Side {
            optimizer: kind.build(&settings).unwrap_or_else(|_| unreachable!("rates are read as above 0")),
            penalty: Penalty::new(0.0, state.number("l2", 0)),
            workspace: Workspace::new(),
            view: Workspace::new(),
            params,
            model,
            loss,
        }
    }

    fn step(&mut self, data: &Data, rows: &[usize], labels: &[usize]) {
        let tape = self.workspace.tape(&self.params);
        let z = self.model.forward(tape.rows(&data.set.features, rows));
        self.loss.of(data.classes(), z, tape.rows(&data.targets, rows), labels).backward();
        self.penalty.add_to(self.workspace.grads_mut(), &self.params);
        self.optimizer.step(&mut self.params, self.workspace.grads());
    }

    /// The loss of all rows on a tape, with the logits and the outputs of each hidden layer.
    pub fn record<'t>(&self, tape: &'t Tape<'t>, data: &Data) -> Recorded<'t> {
        let (z, hidden) = hidden_layers(&self.model, tape.input(&data.set.features));
        let loss = self.loss.of(data.classes(), z, tape.input(&data.targets), data.set.labels());
        Recorded { z, hidden, loss }
    }

    /// The loss of one row on a tape.
    pub fn record_row<'t>(&self, tape: &'t Tape<'t>, data: &Data, row: usize) -> Var<'t> {
        let z = self.model.forward(tape.rows(&data.set.features, &[row]).named("x"));
        let y = tape.rows(&data.targets, &[row]).named("y");
        self.loss.of(data.classes(), z, y, &data.set.labels()[row..=row])
    }

    fn reached(&mut self, data: &Data) -> Reached {
        let mut workspace = std::mem::take(&mut self.workspace);
        let (loss, accuracy, slope) = {
            let tape = workspace.tape(&self.params);
            let Recorded { z, loss, .. } = self.record(&tape, data);
            loss.backward();
            let accuracy = accuracy(data.set.labels(), &classes_of(&z.value()));
            let slopes = match data.classes() {
                2 => z.sigmoid().slopes().expect("the sigmoid is elementwise"),
                _ => z.softmax(-1).value().mapv(|p| p * (1.0 - p)),
            };
            (loss.item(), accuracy.unwrap_or(f64::NAN), slopes.sum() / slopes.len() as f64)
        };
        let gradient_norm = workspace.grads().norm();
        self.workspace = workspace;
        Reached { loss, accuracy, gradient_norm, slope }
    }

    /// The condition of each hidden unit, on all rows.
    pub fn units(&mut self, data: &Data) -> Vec<Unit> {
        let tape = self.view.no_grad(&self.params);
        let mut units = Vec::new();
        for (layer, a) in hidden_layers(&self.model, tape.input(&data.set.features)).1.into_iter().enumerate()
        {
            let slopes = a.slopes().expect("activations are elementwise");
            let count = slopes.shape()[1];
            let slopes: Vec<f64> = slopes.into_iter().collect();
            units.extend((0..count).map(|unit| {
                let condition = Condition::of(slopes.iter().copied().skip(unit).step_by(count));
                Unit { layer, unit, condition }
            }));
        }
        units
    }

    /// The probabilities on a grid over the window, row by row from the top: one number for two classes, else one for each class.
    pub fn picture(&mut self, window: [f64; 4], size: usize) -> ArrayD<f64> {
        let model = &self.model;
        self.view.eval(&self.params, |tape| {
            let z = model.forward(grid(tape, window, size));
            if z.shape().dims()[1] == 1 { z.sigmoid() } else { z.softmax(-1) }
        })
    }

    /// The outputs of each hidden layer on such a grid.
    pub fn unit_pictures(&mut self, window: [f64; 4], size: usize) -> Vec<ArrayD<f64>> {
        let tape = self.view.no_grad(&self.params);
        hidden_layers(&self.model, grid(&tape, window, size)).1.into_iter().map(Var::value).collect()
    }
}

/// What a net records.
pub struct Recorded<'t> {
    /// The logits.
    pub z: Var<'t>,
    /// The outputs of each hidden layer.
    pub hidden: Vec<Var<'t>>,
    /// The loss.
    pub loss: Var<'t>,
}

/// The forward pass of a net, keeping the outputs of its hidden layers.
fn hidden_layers<'t>(model: &Mlp, x: Var<'t>) -> (Var<'t>, Vec<Var<'t>>) {
    let (mut x, mut hidden) = (x, Vec::new());
    for (at, layer) in model.layers().iter().enumerate() {
        if at > 0 {
            let activation: Activation = model.activation();
            x = activation.forward(x);
            hidden.push(x);
        }
        x = layer.forward(x);
    }
    (x, hidden)
}

fn grid<'t>(tape: &'t Tape<'t>, [x0, x1, y0, y1]: [f64; 4], size: usize) -> Var<'t> {
    let middle = |low: f64, high: f64, at: usize| low + (high - low) * (at as f64 + 0.5) / size as f64;
    tape.input(&Array2::from_shape_fn((size * size, 2), |(at, column)| match column {
        0 => middle(x0, x1, at % size),
        _ => middle(y1, y0, at / size),
    }))
}

/// The class of each row of logits.
fn classes_of(z: &ArrayD<f64>) -> Vec<usize> {
    match z.shape()[1] {
        1 => z.iter().map(|&z| usize::from(z > 0.0)).collect(),
        _ => argmax_rows(z),
    }
}

/// The optimizer of a side, and its momentum if it is not the default.
pub fn optimizer(state: &State, side: usize) -> (OptimizerKind, Option<f64>) {
    match state.word("opt", side) {
        MOMENTUM => (OptimizerKind::Sgd, Some(0.9)),
        name => (name.parse().unwrap_or(OptimizerKind::Sgd), None),
    }
}
