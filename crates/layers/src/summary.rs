//! The summary of a model, as a table.

use std::fmt::{self, Display};

use surprisal_tensor::{ParamId, Params, Scalar, Shape, Workspace};

use crate::Layer;
use crate::layer::step;

/// Runs a model once, on zeros of this shape and without gradients, and lists its layers: names, kinds, the shapes of
/// what they put out, numbers of parameters.
///
/// ```
/// use surprisal_layers::{BatchNorm1d, Dropout, Linear, Relu, rng, summary};
/// use surprisal_tensor::Params;
///
/// let mut rng = rng(7);
/// let mut params = Params::new();
/// let model = (
///     Linear::new(&mut params, "hidden", 64, 32, &mut rng),
///     BatchNorm1d::new(&mut params, "norm", 32),
///     Relu,
///     Dropout::new(0.2),
///     Linear::new(&mut params, "out", 32, 10, &mut rng),
/// );
/// assert_eq!(
///     summary(&params, &model, [1, 64]).to_string(),
///     "\
/// layer   kind                output   parameters  trainable  buffers
/// input                       [1, 64]
/// hidden  Linear              [1, 32]       2,080      2,080        0
/// norm    BatchNorm1d         [1, 32]          64         64       64
///         Relu                [1, 32]           0          0        0
///         Dropout { p: 0.2 }  [1, 32]           0          0        0
/// out     Linear              [1, 10]         330        330        0
/// total                                     2,474      2,474       64
/// "
/// );
/// ```
///
/// # Panics
/// At the caller's line, if the shape does not fit the model.
#[track_caller]
pub fn summary<T: Scalar>(params: &Params<T>, model: &dyn Layer, input: impl Into<Shape>) -> Summary {
    let input = input.into();
    let mut summary =
        Summary { input, rows: Vec::new(), seen: Vec::new(), parameters: 0, trainable: 0, buffers: 0 };
    let mut workspace = Workspace::new();
    let tape = workspace.no_grad(params).noting_layers();
    step(model, tape.input_with(input, |_| 0.0));
    let (nodes, mut layers): (Vec<_>, Vec<_>) =
        (tape.nodes().collect(), tape.layers().into_iter().enumerate().collect());
    layers.sort_by_key(|(_, layer)| layer.ended);
    for (k, layer) in &layers {
        let inner: Vec<_> = layers.iter().filter(|(_, other)| other.outer == Some(*k)).collect();
        let own =
            || layer.nodes.clone().filter(|node| !inner.iter().any(|(_, inner)| inner.nodes.contains(node)));
        if layer.kind.is_empty() || !inner.is_empty() && own().next().is_none() {
            continue; // its layers have lines of their own
        }
        let mut ids: Vec<ParamId> = Vec::new();
        for id in own().filter_map(|node| nodes[node].param()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids.sort_by_key(|&id| params.entry(id).range.start);
        summary.row(&layer.kind, &ids, Some(nodes[layer.nodes.end - 1].shape()), params);
    }
    let left: Vec<_> = params.ids().filter(|id| !summary.seen.contains(id)).collect();
    for of_one_layer in left.chunk_by(|&a, &b| layer_of(params, a) == layer_of(params, b)) {
        summary.row("not used", of_one_layer, None, params);
    }
    summary
}

/// "hidden" of "hidden.weight"
fn layer_of<T: Scalar>(params: &Params<T>, id: ParamId) -> &str {
    let name = params.entry(id).name.as_str();
    name.rsplit_once('.').map_or(name, |(layer, _)| layer)
}

/// The layers of a model, as [`summary`] found them. Printed, it is a table.
///
/// A layer of your own needs nothing but `forward` to be listed. Parameters that the model did not use are at the end, as
/// "not used"; what two layers share is counted once.
///
/// ```
/// use surprisal_layers::{Linear, Relu, rng, summary};
/// use surprisal_tensor::Params;
/// let mut params = Params::new();
/// let hidden = Linear::new(&mut params, "hidden", 64, 32, &mut rng(7));
/// params.freeze(hidden.bias);
/// let summary = summary(&params, &(hidden, Relu), [8, 64]);
/// assert_eq!((summary.parameters(), summary.trainable()), (64 * 32 + 32, 64 * 32));
/// let kinds: Vec<_> = summary.rows().iter().map(|row| row.kind.as_str()).collect();
/// assert_eq!(kinds, ["Linear", "Relu"]);
/// assert_eq!(summary.rows()[1].output, Some([8, 32].into()));
/// ```
#[derive(Clone, Debug)]
pub struct Summary {
    input: Shape,
    rows: Vec<SummaryRow>,
    seen: Vec<ParamId>,
    parameters: usize,
    trainable: usize,
    buffers: usize,
}

/// One layer of a [`Summary`].
///
/// See the example of [`Summary`].
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryRow {
    /// The name it has in the parameters: "hidden" of "hidden.weight"; empty if it has none.
    pub name: String,
    /// "Linear"
    pub kind: String,
    /// The shape of its output; `None` of parameters that were not used.
    pub output: Option<Shape>,
    /// How many numbers it adds to the parameters ..
    pub parameters: usize,
    /// .. and how many of them are not frozen.
    pub trainable: usize,
    /// How many numbers its buffers have, which are never trained.
    pub buffers: usize,
}

impl Summary {
    fn row<T: Scalar>(
        &mut self,
        kind: impl Display,
        ids: &[ParamId],
        output: Option<Shape>,
        params: &Params<T>,
    ) {
        let name = ids.first().map_or("", |&id| layer_of(params, id)).to_string();
        let mut kind = kind.to_string();
        let mut shared = false;
        let (mut parameters, mut trainable, mut buffers) = (0, 0, 0);
        for &id in ids {
            if self.seen.contains(&id) {
                shared = true;
                continue;
            }
            self.seen.push(id);
            if params.entry(id).is_buffer {
                buffers += params[id].len();
                continue;
            }
            parameters += params[id].len();
            trainable += if params.is_trainable(id) { params[id].len() } else { 0 };
        }
        if shared {
            kind += " (shared)";
        }
        self.parameters += parameters;
        self.trainable += trainable;
        self.buffers += buffers;
        self.rows.push(SummaryRow { name, kind, output, parameters, trainable, buffers });
    }

    /// The layers, in the order of computation.
    pub fn rows(&self) -> &[SummaryRow] {
        &self.rows
    }
    /// How many numbers all parameters have.
    pub fn parameters(&self) -> usize {
        self.parameters
    }
    /// How many of them are not frozen.
    pub fn trainable(&self) -> usize {
        self.trainable
    }
    /// How many numbers all buffers have, which are no parameters: see [`Params::add_buffer`].
    pub fn buffers(&self) -> usize {
        self.buffers
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = |words: [&str; 6]| words.map(str::to_string);
        let mut table = vec![
            text(["layer", "kind", "output", "parameters", "trainable", "buffers"]),
            text(["input", "", &self.input.to_string(), "", "", ""]),
        ];
        for row in &self.rows {
            let output = row.output.map_or(String::new(), |shape| shape.to_string());
            let [parameters, trainable, buffers] =
                [row.parameters, row.trainable, row.buffers].map(thousands);
            table.push([row.name.clone(), row.kind.clone(), output, parameters, trainable, buffers]);
        }
        let [parameters, trainable, buffers] = [self.parameters, self.trainable, self.buffers].map(thousands);
        table.push(text(["total", "", "", &parameters, &trainable, &buffers]));
        let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [a, b, c, d, e, g] = [0, 1, 2, 3, 4, 5].map(width);
        for [name, kind, output, parameters, trainable, buffers] in &table {
            let mut line = format!("{name:a$}  {kind:b$}  {output:c$}  {parameters:>d$}  {trainable:>e$}");
            if self.buffers > 0 {
                line += &format!("  {buffers:>g$}"); // most models have none
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// 1234567 as "1,234,567".
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
