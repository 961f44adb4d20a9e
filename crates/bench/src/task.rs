//! The work: nets, data and first weights, the same numbers for everyone.

/// What is to be predicted, and the loss; the output layer and the hidden activation follow from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// One logit, yes or no: the mean binary cross-entropy. Hidden layers are relu.
    Binary,
    /// Logits of classes: the mean softmax cross-entropy. Hidden layers are relu.
    Classes,
    /// Sigmoid outputs against one-hot targets: half the squared error, summed over the outputs, the mean over the rows.
    /// Hidden layers are sigmoid.
    SquaredError,
    /// Logits against one-hot targets: the binary cross-entropy, summed over the outputs, the mean over the rows. Hidden layers
    /// are sigmoid.
    EachOutput,
}

/// The optimizer, and its learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Update {
    /// Plain gradient descent.
    Sgd(f64),
    /// Gradient descent with momentum 0.9.
    Momentum(f64),
    /// Adam with the usual constants.
    Adam(f64),
}

/// One training.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// "T3", or "T3/batch4" with four times the rows, "T3/width4" with hidden layers four times as wide.
    pub task: String,
    /// "T3" for all of these.
    pub base: &'static str,
    /// From the inputs to the outputs.
    pub sizes: Vec<usize>,
    /// How many rows a batch has.
    pub rows: usize,
    /// The loss.
    pub loss: Loss,
    /// The optimizer.
    pub update: Update,
}

/// T7: name, rows and classes; one class stands for binary cross-entropy.
pub const LOSS_KERNELS: [(&str, usize, usize); 3] =
    [("T7ce_1024x10", 1024, 10), ("T7ce_128x32000", 128, 32_000), ("T7bce_1M", 1_000_000, 1)];

/// First weights and biases of one linear layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// How many numbers go in.
    pub inputs: usize,
    /// How many come out.
    pub outputs: usize,
    /// `[inputs, outputs]`
    pub weight: Vec<f32>,
    /// `[outputs]`
    pub bias: Vec<f32>,
}

impl Layer {
    /// The weights as `[outputs, inputs]`, in which PyTorch and its kin keep them.
    pub fn weight_by_outputs(&self) -> Vec<f32> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        (0..outputs * inputs).map(|i| self.weight[i % inputs * outputs + i / inputs]).collect()
    }
}

impl Net {
    /// The trainings T1 to T5.
    pub fn all() -> Vec<Net> {
        use Loss::*;
        use Update::*;
        let net = |base: &'static str, sizes: &[usize], rows, loss, update| Net {
            task: base.to_string(),
            base,
            sizes: sizes.to_vec(),
            rows,
            loss,
            update,
        };
        vec![
            net("T1", &[30, 1], 569, Binary, Sgd(0.1)),
            // so slowly that all measure the beginning: later, gradients are denormal, and arithmetic with them slow
            net("T2", &[2, 16, 16, 1], 100, Binary, Sgd(0.01)),
            net("T3", &[784, 128, 64, 10], 64, Classes, Adam(0.001)),
            net("T4", &[784, 1024, 1024, 10], 256, Classes, Momentum(0.01)),
            net("T5q", &[784, 30, 10], 10, SquaredError, Sgd(3.0)),
            net("T5c", &[784, 30, 10], 10, EachOutput, Sgd(0.5)),
        ]
    }

    /// The training with this name, with the factor behind "/batch" or "/width".
    pub fn named(task: &str) -> Option<Net> {
        let (base, scale) = task.split_once('/').unwrap_or((task, "batch1"));
        let mut net = Net::all().into_iter().find(|net| net.base == base)?;
        net.task = task.to_string();
        if let Some(factor) = scale.strip_prefix("batch") {
            net.rows *= factor.parse::<usize>().ok()?;
        } else {
            let factor: usize = scale.strip_prefix("width")?.parse().ok()?;
            let hidden = 1..net.sizes.len() - 1;
            net.sizes[hidden].iter_mut().for_each(|size| *size *= factor);
        }
        Some(net)
    }

    /// The data, `[rows, inputs]`: in \[0, 1) where they stand for pixels, else in \[-1, 1).
    pub fn inputs(&self) -> Vec<f32> {
        let n = self.rows * self.sizes[0];
        if self.sizes[0] == 784 { from_0_to_1(1, n) } else { from_minus_1_to_1(1, n) }
    }

    /// The class of each row.
    pub fn labels(&self) -> Vec<u32> {
        labels(2, self.rows, if self.loss == Loss::Binary { 2 } else { 10 })
    }

    /// The same as numbers, `[rows, outputs]`: 0 or 1 for a single output, else one-hot.
    pub fn targets(&self) -> Vec<f32> {
        match self.loss {
            Loss::Binary => self.labels().into_iter().map(|label| label as f32).collect(),
            _ => one_hot(&self.labels(), 10),
        }
    }

    /// First weights and biases, uniform in ±1/√inputs.
    pub fn layers(&self) -> Vec<Layer> {
        let layer = |(l, pair): (usize, &[usize])| {
            let (inputs, outputs, seed) = (pair[0], pair[1], 10 + 2 * l as u64);
            let bound = (1.0 / (inputs as f64).sqrt()) as f32;
            let by_outputs = from_minus_1_to_1(seed, outputs * inputs);
            Layer {
                inputs,
                outputs,
                weight: (0..inputs * outputs)
                    .map(|i| bound * by_outputs[i % outputs * inputs + i / outputs])
                    .collect(),
                bias: from_minus_1_to_1(seed + 1, outputs).into_iter().map(|v| bound * v).collect(),
            }
        };
        self.sizes.windows(2).enumerate().map(layer).collect()
    }

    /// How many numbers training moves.
    pub fn parameters(&self) -> usize {
        self.sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
    }

    /// Additions and multiplications in the products of matrices: one product for each layer forward, and one for the gradient of its
    /// weights and one for that of its inputs, which the first layer does not need.
    pub fn flops(&self) -> usize {
        let product =
            |(l, pair): (usize, &[usize])| 2 * self.rows * pair[0] * pair[1] * if l == 0 { 2 } else { 3 };
        self.sizes.windows(2).enumerate().map(product).sum()
    }

    /// The same of inference, forward only.
    pub fn forward_flops(&self) -> usize {
        self.sizes.windows(2).map(|pair| 2 * self.rows * pair[0] * pair[1]).sum()
    }

    /// Bytes that a step reads and writes at least, if the values of hidden layers stay in the nearest cache: the inputs once; the
    /// parameters for the forward pass, and read and written by the update; their gradient written and read; what the optimizer
    /// remembers read and written.
    pub fn least_bytes(&self) -> usize {
        let remembered = match self.update {
            Update::Sgd(_) => 0,
            Update::Momentum(_) => 1,
            Update::Adam(_) => 2,
        };
        4 * (self.rows * self.sizes[0] + self.parameters() * (5 + 2 * remembered))
    }

    /// Whether hidden layers are sigmoid, not relu.
    pub fn sigmoid_hidden(&self) -> bool {
        matches!(self.loss, Loss::SquaredError | Loss::EachOutput)
    }
}

/// The logits of T7, in \[-4, 4).
pub fn logits(n: usize) -> Vec<f32> {
    from_minus_1_to_1(3, n).into_iter().map(|v| 4.0 * v).collect()
}

/// `n` labels below `classes`.
pub fn labels(seed: u64, n: usize, classes: usize) -> Vec<u32> {
    (0..n as u64).map(|i| ((hash(seed, i) >> 33) % classes as u64) as u32).collect()
}

/// `[labels, classes]`: 1 at each row's label.
pub fn one_hot(labels: &[u32], classes: usize) -> Vec<f32> {
    let mut rows = vec![0.0; labels.len() * classes];
    for (row, &label) in rows.chunks_exact_mut(classes).zip(labels) {
        row[label as usize] = 1.0;
    }
    rows
}

pub(crate) fn from_0_to_1(seed: u64, n: usize) -> Vec<f32> {
    (0..n as u64).map(|i| (hash(seed, i) >> 40) as f32 / (1u32 << 24) as f32).collect()
}

/// `n` numbers in \[-1, 1).
pub fn from_minus_1_to_1(seed: u64, n: usize) -> Vec<f32> {
    from_0_to_1(seed, n).into_iter().map(|v| v * 2.0 - 1.0).collect()
}

/// The i-th number of a splitmix64 stream: a few lines in any language, so that everyone computes the same data.
fn hash(seed: u64, i: u64) -> u64 {
    let z = i.wrapping_add(seed.wrapping_mul(1_000_003)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_scale_the_batch_or_the_hidden_layers() {
        let sizes = |task| Net::named(task).map(|net| (net.rows, net.sizes));
        assert_eq!(sizes("T2"), Some((100, vec![2, 16, 16, 1])));
        assert_eq!(sizes("T2/batch4"), Some((400, vec![2, 16, 16, 1])));
        assert_eq!(sizes("T2/width2"), Some((100, vec![2, 32, 32, 1])));
        assert_eq!(sizes("T2/depth2"), None);
        assert_eq!(sizes("T9"), None);
    }

    #[test]
    fn the_work_of_a_small_step_counted_by_hand() {
        let net = Net { sizes: vec![3, 2, 1], rows: 5, ..Net::named("T2").expect("a task") };
        assert_eq!(net.parameters(), 6 + 2 + 2 + 1);
        assert_eq!(net.forward_flops(), 5 * (2 * 6 + 2 * 2)); // each weight: a multiplication and an addition
        assert_eq!(net.flops(), 2 * (5 * 12) + 3 * (5 * 4));
        assert_eq!(net.least_bytes(), 4 * (15 + 5 * 11));
    }

    #[test]
    fn both_layouts_hold_the_same_weights() {
        let layer = &Net::named("T2").expect("a task").layers()[0];
        let by_outputs = layer.weight_by_outputs();
        for (i, o) in [(0, 0), (1, 0), (0, 15), (1, 7)] {
            assert_eq!(by_outputs[o * 2 + i], layer.weight[i * 16 + o]);
        }
    }
}
