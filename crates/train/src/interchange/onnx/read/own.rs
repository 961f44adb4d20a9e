//! A file that [`save_onnx`](super::super::save_onnx) wrote: what its graph does not say, such as dropout and the digits that `f32` does not
//! have, is in its properties.

use std::collections::HashMap;

use surprisal_data::{EncodedColumn, Encoder, Encoding};
use surprisal_tensor::Params;

use super::super::schema::{self, element};
use super::super::{OnnxOutput, to_message};
use super::{lengths_of, names, property};
use crate::{Predictions, SavedModel, SavedParameter};

/// The model whose file this is: written again, it has the same graph. `None` if there is none.
pub(super) fn read(message: &schema::Model) -> Option<SavedModel> {
    let graph = message.graph.as_ref()?;
    let features = names(message, "features")?;
    let encodings: Vec<Encoding> = serde_json::from_str(property(message, "encoding")?).ok()?;
    let encodings = match &encodings[..] {
        [all @ Encoding::Number { .. }] => vec![all.clone(); features.len()],
        _ if encodings.len() == features.len() => encodings,
        _ => return None,
    };
    let column = |(name, encoding)| EncodedColumn { name, encoding };
    let scores = graph.output.first()?;
    let predictions = match property(message, "target") {
        Some(name) => {
            let (offset, scale) = serde_json::from_str(property(message, "target_scaling")?).ok()?;
            Predictions::Number { name: name.into(), offset, scale }
        }
        None if lengths_of(scores)?.len() == 4 => Predictions::Masks(names(message, "classes")?),
        None => Predictions::Classes(names(message, "classes")?),
    };
    let sizes = property(message, "architecture")?;
    let mut model = SavedModel {
        sizes: sizes.into(),
        activation: property(message, "activation").unwrap_or_default().into(),
        encoder: Encoder { columns: features.into_iter().zip(encodings).map(column).collect() },
        predictions,
        ..SavedModel::of(&Params::new())
    };
    // a name has underscores behind it if it was taken
    let floats = graph.initializer.iter().filter(|tensor| tensor.data_type == element::FLOAT);
    let numbers = |tensor: &schema::Tensor| tensor.raw_data.as_ref().map_or(0, |raw| raw.len() / 4);
    let constants: HashMap<&str, &schema::Tensor> =
        floats.map(|tensor| (tensor.name.trim_end_matches('_'), tensor)).collect();
    let plan = model.plan(&sizes.parse().ok()?).ok()?;
    // before memory is asked for
    if plan.parameters() > constants.values().map(|tensor| numbers(tensor)).sum() {
        return None;
    }
    let (_, params) = model.empty(&plan);
    for entry in params.entries() {
        let tensor = constants.get(entry.name.as_str())?;
        if numbers(tensor) != entry.shape.len() {
            return None;
        }
        let raw = tensor.raw_data.as_deref()?;
        model.parameters.push(SavedParameter {
            name: entry.name.clone(),
            shape: entry.shape.dims().iter().map(|&n| n as u64).collect(),
            values: raw.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
        });
    }
    let output =
        if scores.name.starts_with("probabilities") { OnnxOutput::Probabilities } else { OnnxOutput::Logits };
    let again = to_message(&model, output).ok()?;
    let same = again.graph == message.graph && again.opset_import == message.opset_import;
    same.then_some(model)
}
