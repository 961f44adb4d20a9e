//! Operations on numbers from a file: every one of the tape by its name, and those of images that are made of several.
//!
//! A case is `{"name", "inputs", "options", "grad_output"}`, read by [`surprisal_loss::vectors`]; see [`Operation::evaluate`].

use serde_json::Value;
use surprisal_layers::{BatchNorm1d, GroupNorm, Layer};
use surprisal_loss::by_name::{self, Kind, Range, Setting};
use surprisal_loss::vectors::{
    Case, CaseError, F32, F64, GRAD_OUTPUT, Judged, Outcome, Precision, Report, check_cases, in_file, pair,
};
use surprisal_tensor::ndarray::{ArrayD, IxDyn};
use surprisal_tensor::ops::by_name::{CallError, Given, Input, expect_input, read_options};
use surprisal_tensor::ops::resample::{Interpolation, Resize};
use surprisal_tensor::ops::{self, Call, Signature, view::Reshape};
use surprisal_tensor::{ParamId, Params, Scalar, Shape, ShapeError, Var, Workspace};

/// An operation that a case can name.
#[derive(Clone, Copy)]
pub struct Operation {
    /// "conv2d"
    pub name: &'static str,
    /// The formula of the value.
    pub forward: &'static str,
    /// The formula of the gradient.
    pub backward: &'static str,
    /// What it takes.
    pub inputs: &'static [Input],
    /// Its options. One whose default is empty has none.
    pub options: &'static [Setting],
    pub(super) how: How,
}

#[derive(Clone, Copy)]
pub(super) enum How {
    Tape(Signature),
    Norm(Norm),
    Loss(&'static by_name::Entry),
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Norm {
    Batch,
    Group,
}

/// Operations of images that are made of others: name, formulas, how they are recorded.
const COMPOSED: &[(&str, [&str; 2], Signature)] = &[
    (
        "global_avg_pool2d",
        ["mean over H and W: [N, C, H, W] to [N, C]", "dy / n, for each of the n pixels"],
        Signature { inputs: X, settings: &[], run: |given| global_average(given) },
    ),
    (
        "upsample_nearest2d",
        ["x_(floor(i H / OH), floor(j W / OW))", "Σ dy over the places that show x"],
        Signature {
            inputs: X,
            settings: &[SIZE],
            run: |given| given.record(Resize { size: given.pair("size")?, mode: Interpolation::Nearest }),
        },
    ),
    (
        "upsample_bilinear2d",
        ["Σ r c x over the pixels around", "Σ r c dy over the pixels that x is part of"],
        Signature {
            inputs: X,
            settings: &[SIZE, ALIGN_CORNERS],
            run: |given| {
                let mode = if given.flag("align_corners")? {
                    Interpolation::BilinearAlignCorners
                } else {
                    Interpolation::Bilinear
                };
                given.record(Resize { size: given.pair("size")?, mode })
            },
        },
    ),
];

const X: &[Input] = &[Input::new("x")];
const SIZE: Setting = Setting {
    name: "size",
    kind: Kind::Wholes(Range::NOT_NEGATIVE),
    default: "",
    help: "Height and width of the result",
};
const ALIGN_CORNERS: Setting = Setting {
    name: "align_corners",
    kind: Kind::Flag,
    default: "false",
    help: "Whether the corners of the image stay corners",
};
const EPS: Setting = Setting {
    name: "eps",
    kind: Kind::Number(Range::NOT_NEGATIVE),
    default: "1e-5",
    help: "Added to the variance",
};

const NORM_FORMULAS: [&str; 2] = [
    "(x - mean) / √(var + eps) weight + bias",
    "through mean and variance; dweight = Σ dy (x - mean) / √(var + eps), dbias = Σ dy",
];

const LOGITS: &[Input] = &[
    Input::new("logits"),
    Input::constant("targets"),
    Input { optional: true, ..Input::constant("weight") },
];

const TRAINING: Setting = Setting {
    name: "training",
    kind: Kind::Flag,
    default: "true",
    help: "Whether mean and variance are those of the batch, and move the running ones",
};
const MOMENTUM: Setting = Setting {
    name: "momentum",
    kind: Kind::Number(Range::FRACTION),
    default: "0.1",
    help: "How far the running mean and variance move, from 0 to 1",
};
const GROUPS: Setting = Setting {
    name: "groups",
    kind: Kind::Whole(Range::AT_LEAST_ONE),
    default: "",
    help: "Groups of channels; they divide them",
};

const NORM_INPUTS: &[Input] = &[
    Input::new("x"),
    Input::optional("weight"),
    Input::optional("bias"),
    Input { differentiable: false, ..Input::optional("running_mean") },
    Input { differentiable: false, ..Input::optional("running_var") },
];

impl Norm {
    fn operation(self) -> Operation {
        let [forward, backward] = NORM_FORMULAS;
        let (name, inputs, options): (_, _, &[Setting]) = match self {
            Norm::Batch => ("batch_norm2d", NORM_INPUTS, &[TRAINING, MOMENTUM, EPS]),
            Norm::Group => ("group_norm", &NORM_INPUTS[..3], &[GROUPS, EPS]),
        };
        Operation { name, forward, backward, inputs, options, how: How::Norm(self) }
    }
}

/// Every operation: those of the tape, then those that are made of several.
pub fn operations() -> impl Iterator<Item = Operation> {
    let tape = |name, [forward, backward]: [_; 2], signature: Signature| Operation {
        name,
        forward,
        backward,
        inputs: signature.inputs,
        options: signature.settings,
        how: How::Tape(signature),
    };
    let losses = [("pixel_cross_entropy", "softmax_cross_entropy"), ("pixel_ce_dice", "ce_dice_loss")];
    let loss = |(name, loss): (&'static str, &str)| {
        let entry = by_name::find(loss)?;
        let given = |input: &&Input| entry.inputs.iter().any(|other| other.name == input.name);
        let inputs = &LOGITS[..LOGITS.iter().filter(given).count()];
        let (forward, backward) = (entry.card.forward, entry.card.backward);
        Some(Operation { name, forward, backward, inputs, options: entry.options, how: How::Loss(entry) })
    };
    ops::all()
        .map(move |entry| tape(entry.card.name, [entry.card.forward, entry.card.backward], entry.signature))
        .chain(COMPOSED.iter().map(move |&(name, formulas, signature)| tape(name, formulas, signature)))
        .chain([Norm::Batch, Norm::Group].map(Norm::operation))
        .chain(losses.into_iter().filter_map(loss))
}

/// The operation of that name; `max_axis` is `max`, as every reduction, which takes an axis.
///
/// ```
/// use surprisal_replay::find_operation;
/// assert_eq!(find_operation("max_axis").unwrap().name, "max");
/// assert!(find_operation("conv3d").is_none());
/// ```
pub fn find_operation(name: &str) -> Option<Operation> {
    let is_reduction = |name: &str| {
        ops::all().any(|entry| entry.card.name == name && matches!(entry.call, Call::Reduction(..)))
    };
    let name = name.strip_suffix("_axis").filter(|name| is_reduction(name)).unwrap_or(name);
    operations().find(|operation| operation.name == name)
}

fn global_average<'t>(given: &Given<'_, 't>) -> Result<Var<'t>, CallError> {
    let means = given.record(Resize { size: [1, 1], mode: Interpolation::Area })?;
    let shape = means.shape();
    Ok(means.tape().try_apply(Reshape { shape: Shape::try_new(&shape.dims()[..2])? }, [means])?)
}

impl Operation {
    /// Value and gradients, computed in `T` throughout.
    ///
    /// ```
    /// use surprisal_loss::vectors::{cases, to_json};
    /// use surprisal_replay::find_operation;
    /// let case = serde_json::json!({ "inputs": { "x": [3.0, 4.0] }, "grad_output": 10.0 });
    /// let (name, case) = cases(&case)?.remove(0);
    /// let outcome = find_operation("norm").unwrap().evaluate::<f64>(&case?)?;
    /// assert_eq!(to_json(&name, &outcome), r#"{"name": "case 0", "value": 5.0, "grad": {"x": [6.0, 8.0]}}"#);
    /// # Ok::<(), surprisal_loss::vectors::CaseError>(())
    /// ```
    ///
    /// # Errors
    /// If the operation does not support the inputs or the options.
    pub fn evaluate<T: Scalar>(&self, case: &Case) -> Result<Outcome<T>, CaseError> {
        let differentiable: Vec<_> =
            self.inputs.iter().filter(|input| input.differentiable).map(|input| input.name).collect();
        match self.how {
            How::Loss(entry) => case.evaluate(entry),
            How::Norm(norm) => self.evaluate_norm(norm, case),
            How::Tape(signature) => {
                self.check_names(case)?;
                let (params, mut workspace) = (Params::<T>::default(), Workspace::new());
                case.outcome(&workspace.tape(&params), &differentiable, |inputs| {
                    signature.call(inputs, &case.options).map_err(|error| self.wrong(error))
                })
            }
        }
    }

    /// An input or option that is null is not given, but its name must be known.
    fn check_names(&self, case: &Case) -> Result<(), CaseError> {
        let [inputs, options] = &case.nulls;
        let given = case.inputs.iter().map(|(name, _)| name).chain(inputs);
        given
            .filter(|name| *name != GRAD_OUTPUT)
            .try_for_each(|name| expect_input(self.inputs, name))
            .and_then(|()| {
                options.iter().try_for_each(|name| {
                    Ok(surprisal_settings::find("option", self.options, name).map(drop)?)
                })
            })
            .map_err(|error| self.wrong(error))
    }

    fn wrong(&self, error: CallError) -> CaseError {
        match error {
            CallError::Shape(error) => CaseError(of_shapes(error)),
            other => CaseError(format!("{}: {other}", self.name)),
        }
    }

    fn evaluate_norm<T: Scalar>(&self, norm: Norm, case: &Case) -> Result<Outcome<T>, CaseError> {
        self.check_names(case)?;
        let options = read_options(self.options, &case.options).map_err(|error| self.wrong(error))?;
        let of = |name: &str| {
            let place = self.options.iter().position(|option| option.name == name)?;
            options[place].as_ref()?.number()
        };
        let wrong = |message: String| CaseError(format!("{}: {message}", self.name));
        let given = |name: &str| case.inputs.iter().find(|(given, _)| given == name).map(|(_, x)| x);
        let Some(x) = given("x") else { return Err(wrong("the input \"x\" is missing".into())) };
        let (training, eps) = (of("training") != Some(0.0), of("eps").unwrap_or(1e-5));
        let groups = of("groups").map(|groups| groups as usize);

        let mut params = Params::<T>::default();
        let layer = NormLayer::new(
            norm,
            &mut params,
            "norm",
            x.shape(),
            groups,
            [eps, of("momentum").unwrap_or(0.1)],
        )
        .map_err(wrong)?;
        layer.check(x.shape(), training).map_err(wrong)?;
        for (name, id) in layer.parameters() {
            let Some(values) = given(name) else { continue };
            if values.shape() != [params[id].len()] {
                return Err(wrong(format!(
                    "the input \"{name}\" is {:?}, but x is {:?}: expected one number for each channel, {:?}",
                    values.shape(),
                    x.shape(),
                    [params[id].len()]
                )));
            }
            params[id].iter_mut().zip(values).for_each(|(slot, &x)| *slot = T::of(x));
        }
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let tape = if training { tape } else { tape.evaluating() };
        let mut outcome = case.outcome(&tape, &["x"], |inputs| {
            let x = inputs.iter().find(|(name, _)| *name == "x");
            x.map(|(_, x)| layer.forward(*x)).ok_or_else(|| CaseError("the input \"x\" is missing".into()))
        })?;
        let array = |values: &[T]| ArrayD::from_shape_vec(IxDyn(&[values.len()]), values.to_vec());
        let array = |values: &[T]| array(values).map_err(|error| CaseError(error.to_string()));
        for (name, id) in layer.parameters().into_iter().take(2) {
            if given(name).is_some() {
                outcome.grads.push((name, array(&workspace.grads()[id])?));
            }
        }
        if training {
            workspace.grads().apply_updates(&mut params);
        }
        for (name, id) in layer.parameters().into_iter().skip(2) {
            outcome.buffers.push((name, array(&params[id])?));
        }
        Ok(outcome)
    }

    /// Value, gradients and buffers of a case against its `expected`. The bound of f64 is 1e-11 scale, that of f32
    /// 2^-24 (terms + 8) scale, with `terms` and `scale` from its `size`; where that has none, as for a running mean, the terms of
    /// the value, and the largest number that is expected.
    fn judge<T: Scalar>(
        &self,
        case: &Case,
        document: &Value,
        precision: Precision,
    ) -> Result<Vec<Judged>, CaseError> {
        let (expected, size) = (&document["expected"], &document["size"]);
        if expected.is_null() {
            return Err(CaseError("\"expected\" is missing: there is nothing to compare with".into()));
        }
        let outcome = self.evaluate::<T>(case)?;
        let budget = |name: &str, size: &Value, exact: &Value, of_value: &Value, shape: &[usize]| {
            let terms = size["terms"].as_f64().or(of_value["terms"].as_f64());
            let scale = size["scale"].as_f64().or_else(|| size.is_null().then(|| largest(exact)));
            let (Some(terms), Some(scale)) = (terms, scale) else {
                return Err(CaseError(format!("\"size\" of {name} is missing: expected terms and scale")));
            };
            // of which `Precision::share` takes 4 units
            let allowed =
                if precision == F64 { 1e-11 * scale } else { precision.unit * (terms + 8.0) * scale };
            Ok(ArrayD::from_elem(IxDyn(shape), allowed / (4.0 * precision.unit)))
        };
        let of_value = &size["value"];
        let mut judged = vec![];
        let mut hold = |name: &str, gradient, computed: &ArrayD<T>, exact: &Value, size: &Value| {
            let budget = budget(name, size, exact, of_value, computed.shape())?;
            judged.extend(pair(name, gradient, computed, exact, &budget)?);
            Ok::<_, CaseError>(())
        };
        hold("value", false, &outcome.value, &expected["value"], of_value)?;
        let Some(grads) = expected["grad"].as_object() else {
            return Err(CaseError("\"expected\" has no \"grad\"".into()));
        };
        for (name, exact) in grads {
            let Some((_, grad)) = outcome.grads.iter().find(|(given, _)| given == name) else {
                return Err(CaseError(format!("there is no gradient of {name}")));
            };
            hold(name, true, grad, exact, &size["grad"][name])?;
        }
        for (name, exact) in expected.as_object().into_iter().flatten() {
            if matches!(name.as_str(), "value" | "grad") {
                continue;
            }
            let Some((_, buffer)) = outcome.buffers.iter().find(|(given, _)| given == name) else {
                return Err(CaseError(format!("there is no {name} to compare with \"expected\"")));
            };
            hold(name, false, buffer, exact, &size[name])?;
        }
        Ok(judged)
    }

    /// Compares all cases of a document with their expected results.
    ///
    /// # Errors
    /// If the document is not a list of cases. Errors of single cases are in the report.
    pub fn check_document(&self, document: &Value, precision: Precision) -> Result<Report, CaseError> {
        check_cases(document, precision, |case, document| {
            if precision == F32 {
                self.judge::<f32>(case, document, precision)
            } else {
                self.judge::<f64>(case, document, precision)
            }
        })
    }
}

/// The message of an operation, in one line.
pub(super) fn of_shapes(error: ShapeError) -> String {
    in_file(error).0.replace("   hint: ", " | ")
}

/// The largest size of the numbers of nested lists.
fn largest(value: &Value) -> f64 {
    match value {
        Value::Array(values) => values.iter().map(largest).fold(0.0, f64::max),
        number => number.as_f64().map_or(0.0, f64::abs),
    }
}

/// A layer of normalization, with its shapes checked before it is recorded.
#[derive(Clone, Copy)]
pub(super) enum NormLayer {
    Batch(BatchNorm1d),
    Group(GroupNorm),
}

impl NormLayer {
    /// Adds the parameters of a layer for inputs of this shape; eps and momentum.
    pub fn new<T: Scalar>(
        norm: Norm,
        params: &mut Params<T>,
        name: &str,
        shape: &[usize],
        groups: Option<usize>,
        [eps, momentum]: [f64; 2],
    ) -> Result<NormLayer, String> {
        let &[_, channels, ..] = shape else {
            return Err(format!("{shape:?} is not [N, C, ..]"));
        };
        if eps != 0.0 && T::of(eps).value() == 0.0 {
            return Err(format!(
                "eps {eps:?} is rounded to 0 in the type of the numbers: expected a larger one, or 0"
            ));
        }
        match (norm, groups) {
            (Norm::Batch, _) => {
                let layer = BatchNorm1d::new(params, name, channels);
                Ok(NormLayer::Batch(BatchNorm1d { eps, momentum, ..layer }))
            }
            (Norm::Group, None) => Err("the option \"groups\" is missing: a whole number, 1 or above".into()),
            (Norm::Group, Some(groups)) if groups == 0 || channels % groups != 0 => Err(format!(
                "{groups} groups do not divide the {channels} channels of {shape:?}: choose a number that does"
            )),
            (Norm::Group, Some(groups)) => {
                Ok(NormLayer::Group(GroupNorm { eps, ..GroupNorm::new(params, name, groups, channels) }))
            }
        }
    }

    /// Whether inputs of this shape, whose channels are those of the layer, have a value.
    pub fn check(&self, shape: &[usize], training: bool) -> Result<(), String> {
        let [n, _, places @ ..] = shape else {
            return Err(format!("{shape:?} is not [N, C, ..]"));
        };
        let rows = n * places.iter().product::<usize>();
        if training && rows < 2 && matches!(self, NormLayer::Batch(_)) {
            return Err(format!(
                "{shape:?} has {rows} numbers in each channel, and the variance of a batch in training needs 2: \
                 use more samples or larger images, or \"training\": false"
            ));
        }
        Ok(())
    }

    /// Weight and bias, then the buffers.
    pub fn parameters(&self) -> Vec<(&'static str, ParamId)> {
        match self {
            NormLayer::Batch(layer) => vec![
                ("weight", layer.weight),
                ("bias", layer.bias),
                ("running_mean", layer.running_mean),
                ("running_var", layer.running_var),
            ],
            NormLayer::Group(layer) => vec![("weight", layer.weight), ("bias", layer.bias)],
        }
    }

    #[track_caller]
    pub fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        match self {
            NormLayer::Batch(layer) => layer.forward(x),
            NormLayer::Group(layer) => layer.forward(x),
        }
    }
}
