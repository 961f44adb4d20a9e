//! The settings of a job that are not given, and the objects made of settings: the sizes of the net, the trainer, the optimizer.

use super::*;
use crate::settings::{Balance, ClassWeight, Hidden, OPTIMIZER};
use crate::{RunError, Settings};
use surprisal_data::{Loaded, Targets, oversampled, undersampled};
use surprisal_layers::{Architecture, ArchitectureError, Init, Plan, Rng, Sizes};
use surprisal_optim::{Optimizer, OptimizerKind, OptimizerSettings, ParamGroup, Penalty, Schedule};
use surprisal_tensor::Params;
use surprisal_train::{Clip, EarlyStopping, Monitor, Objective, Predictions, Trainer};

/// The loss of these settings.
pub(crate) fn objective(settings: &Settings, regression: bool) -> Objective {
    let usual = if regression { Objective::SquaredError } else { Objective::CrossEntropy };
    settings.loss.unwrap_or(usual)
}

/// How the net's output becomes a number: by the mean and the standard deviation of the training rows, or, where it is the logarithm of a
/// rate, by their mean.
pub(super) fn number(
    settings: &Settings,
    objective: Objective,
    values: &[f64],
    train: &[usize],
    data: &str,
) -> Result<Predictions, RunError> {
    let name = settings.target.clone().unwrap_or_else(|| "value".into());
    check_target(values, &name, data)?;
    let of_train = || train.iter().map(|&row| values[row]);
    let n = train.len().max(1) as f64;
    let mean = of_train().sum::<f64>() / n;
    // by a power of two, which changes no digit, so that no square overflows or vanishes
    let largest = of_train().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    let unit = if largest > 0.0 { 2f64.powi(largest.log2() as i32) } else { 1.0 };
    let squares = of_train().map(|value| (value - mean) / unit * ((value - mean) / unit));
    let deviation = (squares.sum::<f64>() / n).sqrt() * unit;
    let constant = of_train().next().filter(|&first| of_train().all(|value| value == first));
    let (offset, scale) = match constant {
        _ if objective.is_rate() => (0.0, if mean > 0.0 { mean } else { 1.0 }),
        Some(value) => (value, 1.0),
        None => (mean, deviation),
    };
    match values.iter().position(|value| ((value - offset) / scale).abs() > f64::from(f32::MAX)) {
        Some(row) => Err(RunError::run(format!(
            "{data}: row {row}, target \"{name}\": {:?} is too far from the training rows, {offset:?} with a standard deviation of \
             {scale:?} | correct the value, or leave the row out",
            values[row]
        ))),
        None => Ok(Predictions::Number { name, offset, scale }),
    }
}

/// The net of the settings, for these inputs.
pub(super) fn net(
    settings: &Settings,
    encoder: &Encoder,
    outputs: usize,
    loaded: &Loaded,
) -> Result<Plan, RunError> {
    let (inputs, data) = (encoder.width(), loaded.name());
    let run = |error: ArchitectureError| RunError::run(format!("model: {error}"));
    if loaded.targets().is_segmentation() {
        return net_of_pixels(settings, outputs, loaded);
    }
    let dense = |sizes: Sizes| Architecture::from(sizes).plan(&[inputs]).map_err(run);
    let Some(net) = &settings.model else {
        let hidden = settings.hidden.clone().unwrap_or(Hidden(vec![32]));
        let all = [&[inputs], &hidden.0[..], &[outputs]].concat();
        return dense(Sizes::new(&all).map_err(|error| RunError::run(error.to_string()))?);
    };
    if let Some(sizes) = net.sizes() {
        return match &settings.hidden {
            Some(given) if hidden(sizes) != *given => Err(RunError::usage(format!(
                "model {sizes} and hidden {given}: the hidden layers differ | give only one of them: model has all sizes, hidden those of the hidden layers"
            ))),
            _ if sizes.inputs() != inputs => Err(RunError::run(format!(
                "model {sizes}: expected {inputs} inputs, the features of {data}, found {} | begin with {inputs}, or set hidden instead",
                sizes.inputs(),
            ))
            .with(&["hidden"])),
            _ => dense(sizes.clone()),
        };
    }
    for (key, given) in [("hidden", settings.hidden.is_some()), ("activation", settings.activation.is_some())]
    {
        if given {
            return Err(RunError::usage(format!(
                "{key}: the model names all of its layers, {net} | leave {key} out"
            )));
        }
    }
    let image = match (net.image(), loaded.image_shape()) {
        (Some(image), _) if image.iter().product::<usize>() != inputs => {
            return Err(RunError::run(format!(
                "model: images {}x{}x{} do not have the {inputs} features of {data} | begin with the channels, height and width of its images",
                image[0], image[1], image[2]
            )));
        }
        (Some(image), _) => Some(image),
        (None, Some(image)) if net.takes_images() => Some(image),
        (None, None) if net.takes_images() => {
            return Err(RunError::run(format!(
                "model: {net} takes images, but {data} has {inputs} features without the shape of an image | if they are pixels, begin with \
                 their shape, such as 1x28x28-{net}; otherwise use a net of dense layers"
            )));
        }
        _ => None,
    };
    net.plan(image.as_ref().map_or(&[inputs][..], |image| image)).map_err(run)
}

/// The net of the settings for segmentation, by default a small U-Net.
fn net_of_pixels(settings: &Settings, outputs: usize, loaded: &Loaded) -> Result<Plan, RunError> {
    for (key, given) in [("hidden", settings.hidden.is_some()), ("activation", settings.activation.is_some())]
    {
        if given {
            return Err(RunError::usage(format!(
                "{key}: segmentation needs a net that ends with images | leave {key} out, and set model to {UNET} or another net of parts"
            )));
        }
    }
    let net = settings.model.clone().map_or_else(|| UNET.parse(), Ok);
    let image = loaded.image_shape().unwrap_or_default();
    net.and_then(|net| net.with_outputs(outputs).plan_images(&image))
        .map_err(|error| RunError::run(format!("model: {error}")))
}

/// The sizes of the hidden layers.
pub(super) fn hidden(sizes: &Sizes) -> Hidden {
    let sizes = sizes.as_slice();
    Hidden(sizes[1..sizes.len() - 1].to_vec())
}

pub(super) fn balanced(
    settings: &Settings,
    loaded: &Loaded,
    rows: Vec<usize>,
    rng: &mut Rng,
) -> Result<Vec<usize>, RunError> {
    let balance = settings.balance.unwrap_or(Balance::None);
    let labels = match (balance, loaded.targets()) {
        (Balance::None, _) => return Ok(rows),
        (_, Targets::Classes { labels, .. }) => Vec::from_iter(rows.iter().map(|&row| labels[row])),
        (_, Targets::Values(_)) => {
            return Err(RunError::usage("balance: does not support regression | leave it out"));
        }
        (_, Targets::Masks { .. }) => {
            return Err(RunError::usage(
                "balance: does not support segmentation | leave it out; loss = ce_dice or class_weight = balanced helps rare classes",
            ));
        }
    };
    let chosen = match balance {
        Balance::Oversample => oversampled(&labels, rng),
        _ => undersampled(&labels, rng),
    };
    Ok(chosen.into_iter().map(|i| rows[i]).collect())
}

/// The settings, with the default optimizer and the defaults that depend on the optimizer.
pub(super) fn with_usual(settings: &Settings) -> Settings {
    let opt = settings.opt.unwrap_or(OPTIMIZER);
    let free = opt == OptimizerKind::Sgd && settings.lr.is_none() && settings.clip_value.is_none();
    Settings {
        opt: Some(opt),
        lr: settings.lr.or(Some(opt.usual_rate())),
        clip_norm: settings.clip_norm.or(free.then_some(CLIP_NORM)),
        schedule: settings.schedule.or(Some(Schedule::Cosine { warmup: 0, floor: 0.0 })),
        ..settings.clone()
    }
}

/// The default batch size.
pub(super) fn usual_batch(rows: usize) -> usize {
    rows.div_ceil(LEAST_STEPS).clamp(LEAST_BATCH, BATCH).min(rows)
}

/// The default number of epochs, by the steps in each.
pub(super) fn usual_epochs(steps_per_epoch: usize) -> usize {
    MOST_STEPS.div_ceil(steps_per_epoch).clamp(FEWEST_EPOCHS, EPOCHS)
}

pub(super) fn trainer(
    settings: &Settings,
    objective: Objective,
    train: &Targets,
    validated: bool,
) -> Result<Trainer, RunError> {
    let rows = train.len();
    let clip = match (settings.clip_norm, settings.clip_value) {
        (Some(most), _) => Clip::Norm(most),
        (None, Some(most)) => Clip::Value(most),
        (None, None) => Clip::None,
    };
    let min_delta = settings.min_delta.unwrap_or(0.0);
    let batch_size = settings.batch.unwrap_or(usual_batch(rows));
    let accumulate = settings.accumulate.unwrap_or(1);
    let steps_per_epoch = rows.div_ceil(batch_size).div_ceil(accumulate);
    Ok(Trainer {
        objective,
        class_weight: class_weight(settings, train)?,
        epochs: settings.epochs.unwrap_or_else(|| usual_epochs(steps_per_epoch)),
        batch_size,
        drop_last: settings.drop_last.unwrap_or(false),
        seed: settings.seed.unwrap_or(SEED),
        accumulate,
        shards: settings.shards.unwrap_or(1),
        schedule: settings.schedule.unwrap_or_default(),
        penalty: Penalty::new(settings.l1.unwrap_or(0.0), settings.l2.unwrap_or(0.0)),
        clip,
        monitor: settings.monitor.unwrap_or(Monitor::Loss),
        stop: settings.patience.map(|patience| EarlyStopping { patience, min_delta }),
        block: settings.block,
        keep_best: settings.keep_best.unwrap_or(validated),
        measure_train: true,
        measure_gradient: false,
    })
}

/// The weight of each class, if they differ.
pub(super) fn class_weight(settings: &Settings, train: &Targets) -> Result<Option<Vec<f64>>, RunError> {
    let of = match &settings.class_weight {
        None | Some(ClassWeight::None) => return Ok(None),
        Some(_) if train.is_regression() => {
            return Err(RunError::usage("class_weight: does not support regression | leave it out"));
        }
        Some(ClassWeight::Balanced) => {
            let counts = train.class_counts();
            let rows = counts.iter().sum::<usize>() as f64; // or pixels
            // a class without rows has no loss: any weight will do
            let weight = |&count: &usize| rows / (counts.len() * count.max(1)) as f64;
            return Ok(Some(counts.iter().map(weight).collect()));
        }
        Some(ClassWeight::Of(of)) => of,
    };
    let mut weights = vec![1.0; train.classes()];
    for (class, weight) in of {
        let Some(at) = train.class_names().iter().position(|name| name == class) else {
            let names = || train.class_names().iter().map(String::as_str);
            let advice = match surprisal_settings::closest(class, names()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("the classes are {}", Vec::from_iter(names().take(20)).join(", ")),
            };
            return Err(RunError::usage(format!("class_weight: there is no class \"{class}\" | {advice}")));
        };
        weights[at] = *weight;
    }
    Ok(Some(weights))
}

pub(super) fn optimizer(
    settings: &Settings,
    params: &Params<f32>,
) -> Result<Box<dyn Optimizer<f32>>, RunError> {
    if settings.clip_norm.is_some() && settings.clip_value.is_some() {
        return Err(RunError::usage(
            "clip_norm and clip_value: only one kind of gradient clipping is supported | give one of them",
        ));
    }
    if settings.min_delta.is_some() && settings.patience.is_none() {
        return Err(RunError::usage("min_delta: needs early stopping | set patience too"));
    }
    let Settings { momentum, alpha, beta1, beta2, eps, weight_decay, .. } = *settings;
    let nesterov = settings.nesterov.unwrap_or(false);
    if nesterov && momentum.unwrap_or(0.0) == 0.0 {
        return Err(RunError::usage("nesterov: needs momentum | set momentum too, 0.9 is usual"));
    }
    let given = OptimizerSettings {
        learning_rate: settings.lr,
        momentum,
        nesterov,
        alpha,
        beta1,
        beta2,
        eps,
        weight_decay,
    };
    let mut optimizer = settings.opt.unwrap_or(OPTIMIZER).build(&given)?;
    if let Some(groups) = &settings.groups {
        let group = |group: &crate::settings::Group| {
            let mut made = ParamGroup::named(&group.pattern);
            if let Some(lr) = group.lr {
                made = made.learning_rate(lr);
            }
            if let Some(decay) = group.weight_decay {
                made = made.weight_decay(decay);
            }
            made
        };
        for group in &groups.0 {
            params.matching(&group.pattern).map_err(|error| RunError::usage(format!("groups: {error}")))?;
        }
        optimizer.set_groups(groups.0.iter().map(group).collect());
    }
    Ok(optimizer)
}

/// The settings, with the defaults that the outcome depends on filled in.
pub(super) fn resolved(settings: &Settings, trainer: &Trainer, net: &Architecture, rate: f64) -> Settings {
    Settings {
        model: Some(net.clone()),
        hidden: net.sizes().map(hidden),
        activation: net.sizes().map(|_| settings.activation.unwrap_or_default()),
        init: Some(settings.init.unwrap_or(Init::Linear)),
        loss: Some(trainer.objective),
        lr: Some(rate),
        schedule: Some(trainer.schedule),
        epochs: Some(trainer.epochs),
        batch: Some(trainer.batch_size),
        seed: Some(trainer.seed),
        monitor: Some(trainer.monitor),
        keep_best: Some(trainer.keep_best),
        ..settings.clone()
    }
}
