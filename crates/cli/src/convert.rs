//! `surprisal convert`

use std::path::{Path, PathBuf};

use clap::Args;
use surprisal_tensor::Params;
use surprisal_train::{Layout, SavedModel, load_npz, load_safetensors, save_npz, save_safetensors};

use crate::Failure;

#[derive(Args)]
#[command(after_help = "The endings say what a file is: .surprisal, .safetensors or .npz.

  surprisal convert runs/train-1/model.surprisal net.safetensors
  surprisal convert net.safetensors tuned.surprisal --like runs/train-1/model.surprisal

In PyTorch, the first is the state_dict of a Sequential of Linear layers with activations between. Its inputs are scaled columns:
surprisal inspect says how.")]
pub struct Options {
    /// The file to read
    from: PathBuf,
    /// The file to write; it must not be there
    to: PathBuf,
    /// Whose names and order of axes the parameters have outside: pytorch (weight [out, in]) or surprisal ([in, out])
    #[arg(long, default_value = "pytorch")]
    layout: Layout,
    /// The model file that says what the net is, where the parameters come from outside
    #[arg(long, value_name = "FILE.surprisal")]
    like: Option<PathBuf>,
}

#[derive(PartialEq)]
enum Kind {
    Model,
    Safetensors,
    Npz,
}

fn kind(path: &Path) -> Result<Kind, Failure> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("surprisal") => Ok(Kind::Model),
        Some("safetensors") => Ok(Kind::Safetensors),
        Some("npz") => Ok(Kind::Npz),
        _ => Err(Failure::usage(format!(
            "{}: what is it? The ending says: .surprisal, .safetensors or .npz",
            path.display()
        ))),
    }
}

pub fn run(Options { from, to, layout, like }: Options) -> Result<(), Failure> {
    let (source, goal) = (kind(&from)?, kind(&to)?);
    let described = match (&source, &like) {
        (Kind::Model, None) => &from,
        (Kind::Model, Some(_)) => {
            return Err(Failure::usage(format!("--like: {} says itself what its net is", from.display())));
        }
        (_, Some(like)) => like,
        (_, None) => {
            return Err(Failure::usage(format!(
                "{}: holds numbers, and not what they are for: name a model of the same net with --like FILE.surprisal",
                from.display()
            )));
        }
    };
    if to.exists() {
        return Err(Failure::run(format!(
            "{}: it is already there, and nothing is overwritten",
            to.display()
        )));
    }
    let model = SavedModel::read(described).map_err(Failure::run)?;
    let (_, mut params) =
        model.load().map_err(|message| Failure::run(format!("{}: {message}", described.display())))?;
    match source {
        Kind::Model => {}
        Kind::Safetensors => load_safetensors(&from, &mut params, layout).map_err(Failure::run)?,
        Kind::Npz => load_npz(&from, &mut params, layout).map_err(Failure::run)?,
    }
    write(&to, goal, model, &params, layout)?;
    crate::tell(&format!("{}: {} numbers\n", to.display(), params.as_slice().len()))
}

fn write(
    to: &Path,
    goal: Kind,
    model: SavedModel,
    params: &Params<f32>,
    layout: Layout,
) -> Result<(), Failure> {
    match goal {
        // trained elsewhere: how it was trained here no longer holds
        Kind::Model => {
            let parameters = SavedModel::of(params).parameters;
            SavedModel { parameters, checkpoint: None, ..model }.write(to).map_err(Failure::run)
        }
        Kind::Safetensors => save_safetensors(to, params, layout).map_err(Failure::run),
        Kind::Npz => save_npz(to, params, layout).map_err(Failure::run),
    }
}
