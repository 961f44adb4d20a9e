//! `surprisal convert`

use std::path::{Path, PathBuf};

use clap::Args;
use surprisal_layers::{Sequential, Step};
use surprisal_report::files::{folder_of, remove_stale};
use surprisal_tensor::{Params, Scalar};
use surprisal_train::{
    InterchangeError, Layout, OnnxOutput, Predictions, SavedModel, load_npz, load_onnx, load_safetensors,
    save_npz, save_onnx, save_safetensors,
};

use crate::Failure;

#[derive(Args)]
#[command(
    after_help = "The extension of a file determines its format: .surprisal, .safetensors, .npz or .onnx.

  surprisal convert runs/train-1/model.surprisal net.safetensors
  surprisal convert net.safetensors tuned.surprisal --like runs/train-1/model.surprisal
  surprisal convert runs/train-1/model.surprisal net.onnx --probabilities
  surprisal convert net.onnx model.surprisal

In PyTorch, net.safetensors is the state_dict of a Sequential: of Linear layers with activations between them, or of the same parts as
a net such as conv(8,3)-relu-flatten-10. Its inputs are the encoded columns: surprisal inspect prints how each column is encoded.

net.onnx is the whole net, for onnxruntime and other programs: raw columns come in, the class or the number comes out. Its input is x,
[N, columns] or [N, C, H, W]; if a column has categories that are texts, there is an input [N, 1] for each column, by its name.

An ONNX file of another program, such as PyTorch, is read if it is a chain of layers that --model has. Without names in the file, its columns are
x0, x1, .. and its classes 0, 1, ..; with --like, they are those of a model file of the same net."
)]
pub struct Options {
    /// The file to read
    from: PathBuf,
    /// The file to write; it must not exist
    to: PathBuf,
    /// Names and order of axes in the other file: pytorch (weight [out, in]) or surprisal ([in, out])
    #[arg(long, default_value = "pytorch")]
    layout: Layout,
    /// A model file of the same net, needed to import parameters; its columns and classes are kept
    #[arg(long, value_name = "FILE.surprisal")]
    like: Option<PathBuf>,
    /// Round float64 numbers to the float32 of a model
    #[arg(long, requires = "like")]
    round: bool,
    /// In an ONNX file, put out the probability of each class instead of logits
    #[arg(long)]
    probabilities: bool,
}

#[derive(PartialEq)]
enum Kind {
    Model,
    Safetensors,
    Npz,
    Onnx,
}

fn kind(path: &Path) -> Result<Kind, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("surprisal") => Ok(Kind::Model),
        Some("safetensors") => Ok(Kind::Safetensors),
        Some("npz") => Ok(Kind::Npz),
        Some("onnx") => Ok(Kind::Onnx),
        _ => Err(Failure::usage(format!(
            "{}: unknown file type | expected .surprisal, .safetensors, .npz or .onnx",
            path.display()
        ))),
    }
}

pub fn run(Options { from, to, layout, like, round, probabilities }: Options) -> Result<(), Failure> {
    let (source, goal) = (kind(&from)?, kind(&to)?);
    if probabilities && goal != Kind::Onnx {
        return Err(Failure::usage(format!(
            "--probabilities: {} is not an ONNX file | leave it out, or write an .onnx file",
            to.display()
        )));
    }
    let described = match (&source, &like) {
        (Kind::Model, None) => &from,
        (Kind::Model, Some(_)) => {
            return Err(Failure::usage(format!(
                "--like: {} is a model file itself | leave --like out",
                from.display()
            )));
        }
        (_, Some(like)) => like,
        (Kind::Onnx, None) => &from,
        (_, None) => {
            return Err(Failure::usage(format!(
                "{}: contains parameters only | name a model of the same net with --like FILE.surprisal",
                from.display()
            )));
        }
    };
    if to.symlink_metadata().is_ok() {
        return Err(Failure::run(format!("{}: the file exists and is not overwritten", to.display())));
    }
    let onnx = if source == Kind::Onnx { Some(load_onnx(&from).map_err(Failure::run)?) } else { None };
    let model = match &onnx {
        Some(net) if like.is_none() => net.clone(),
        _ => SavedModel::read(described).map_err(Failure::run)?,
    };
    let (net, mut params) = loaded(&model, described)?;
    let mut told = String::new();
    if let Some(read) = onnx {
        if like.is_none() {
            told = format!("{}: {}\n", from.display(), contents(&read));
        }
        let (other, theirs) = loaded(&read, &from)?;
        let shapes = |params: &Params<f32>| {
            Vec::from_iter(params.entries().iter().map(|entry| entry.shape.dims().to_vec()))
        };
        if layers(&net) != layers(&other) || shapes(&params) != shapes(&theirs) {
            return Err(Failure::run(format!(
                "{}: expected the net of {}, {}, found {}",
                from.display(),
                described.display(),
                named(&model),
                named(&read)
            )));
        }
        params.as_mut_slice().copy_from_slice(theirs.as_slice());
    } else if round {
        let mut wide = params.cast::<f64>();
        load(&source, &from, &mut wide, layout)?;
        params = wide.cast();
    } else {
        load(&source, &from, &mut params, layout)?;
    }
    for id in params.ids() {
        if let Some(k) = params[id].iter().position(|number| !number.is_finite()) {
            let (name, number) = (&params.entry(id).name, params[id][k]);
            return Err(Failure::run(format!(
                "{}: \"{name}\", number {k}: expected a finite number, found {number}: did the training diverge?",
                from.display()
            )));
        }
    }
    remove_stale(folder_of(&to));
    let output = if probabilities { OnnxOutput::Probabilities } else { OnnxOutput::Logits };
    write(&to, goal, model, &params, layout, output)?;
    crate::tell(&format!("{told}{}: {} numbers\n", to.display(), params.as_slice().len()))
}

fn loaded(model: &SavedModel, path: &Path) -> Result<(Sequential, Params<f32>), Failure> {
    model.load().map_err(|message| Failure::run(format!("{}: {message}", path.display())))
}

/// The layers that an evaluation has, with all their settings.
fn layers(net: &Sequential) -> Vec<String> {
    let counts = |step: &&Step| match step {
        Step::Dropout(_) | Step::Dropout2d(_) => false,
        Step::Flatten(_) => net.image().is_some(),
        _ => true,
    };
    net.steps().iter().filter(counts).map(|step| format!("{step:?}")).collect()
}

/// The net as text.
fn named(model: &SavedModel) -> String {
    if model.activation.is_empty() {
        model.sizes.clone()
    } else {
        format!("{}, activation {}", model.sizes, model.activation)
    }
}

/// What a file was read as.
fn contents(model: &SavedModel) -> String {
    let range = |names: Vec<&str>, what: &str| match names[..] {
        [first, .., last] => format!("{} {what}, {first} to {last}", names.len()),
        _ => format!("the column {}", names.concat()),
    };
    let columns = model.encoder.columns.iter().map(|column| column.name.as_str()).collect();
    let predicted = match &model.predictions {
        Predictions::Number { name, .. } => format!("the number {name}"),
        classes => range(classes.class_names().iter().map(String::as_str).collect(), "classes"),
    };
    format!("a net {}; {}; {predicted}", named(model), range(columns, "columns"))
}

fn misfit(error: InterchangeError) -> Failure {
    Failure::run(&error).with_options(error.settings())
}

/// Reads the parameters, if the file is not a model.
fn load<T: Scalar>(
    source: &Kind,
    from: &Path,
    params: &mut Params<T>,
    layout: Layout,
) -> Result<(), Failure> {
    match source {
        Kind::Model | Kind::Onnx => Ok(()), // the second was read before
        Kind::Safetensors => load_safetensors(from, params, layout).map_err(misfit),
        Kind::Npz => load_npz(from, params, layout).map_err(misfit),
    }
}

fn write(
    to: &Path,
    goal: Kind,
    model: SavedModel,
    params: &Params<f32>,
    layout: Layout,
    output: OnnxOutput,
) -> Result<(), Failure> {
    // trained elsewhere: how it was trained here no longer holds
    let written = || SavedModel { parameters: SavedModel::of(params).parameters, checkpoint: None, ..model };
    match goal {
        Kind::Model => written().write(to).map_err(Failure::run),
        Kind::Onnx => save_onnx(to, &written(), output).map_err(Failure::run),
        Kind::Safetensors => save_safetensors(to, params, layout).map_err(Failure::run),
        Kind::Npz => save_npz(to, params, layout).map_err(Failure::run),
    }
}
