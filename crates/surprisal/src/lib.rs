//! A small deep-learning framework: automatic differentiation on a tape, layers, losses, optimizers, data, training.
//!
//! This crate re-exports the others under one name:
//!
//! | module | contents |
//! |---|---|
//! | [`tensor`] | numbers, parameters, operations, the tape |
//! | [`layers`] | linear, convolution, pooling, activations, normalization, dropout, embedding; initializers of weights |
//! | [`loss`] | loss functions that are exact where others return 0, inf or NaN |
//! | [`optim`] | SGD, Adagrad, RMSprop, Adam, AdamW, Lion; schedules, penalties, gradient clipping, parameter groups |
//! | [`data`] | data sets: reading, scaling, splitting, batches; metrics of predictions |
//! | [`explain`] | explanations of a tape: every value, gradient and vanishing gradient, as text, as a picture, as a page |
//! | [`train`] | the training loop, with metrics, early stopping and checkpoints; model files |
//! | [`prelude`] | the items that most programs need, in one `use` |
//!
//! ```
//! use surprisal::prelude::*;
//!
//! let mut rng = rng(7);
//! let mut digits = Dataset::digits();
//! digits.features /= 16.0; // pixels 0 to 16
//! let (train, test) = stratified_split(&digits, 0.25, &mut rng)?;
//!
//! let mut params = Params::new();
//! let hidden = Linear::new(&mut params, "hidden", 64, 32, &mut rng);
//! let model = (hidden, Relu, Linear::new(&mut params, "out", 32, 10, &mut rng));
//! let mut adam = Adam::new(0.01);
//! let mut workspace = Workspace::new();
//! let mut batches = Batches::new(train.rows(), 64)?;
//! for _ in 0..5 {
//!     batches.shuffle(&mut rng);
//!     for rows in &batches {
//!         let tape = workspace.tape(&params);
//!         let batch = train.batch(&tape, rows);
//!         let loss = softmax_cross_entropy(model.forward(batch.x), batch.labels());
//!         loss.backward();
//!         adam.step(&mut params, workspace.grads());
//!     }
//! }
//! let logits = workspace.eval(&params, |tape| model.forward(tape.input(&test.features)));
//! println!("{}", accuracy(test.labels(), &argmax_rows(&logits))?);
//! # assert!(accuracy(test.labels(), &argmax_rows(&logits))? > 0.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub use surprisal_data as data;
pub use surprisal_explain as explain;
pub use surprisal_layers as layers;
pub use surprisal_loss as loss;
pub use surprisal_optim as optim;
pub use surprisal_tensor as tensor;
pub use surprisal_train as train;

/// The random number crate of [`rng`], re-exported so that versions cannot clash. The prelude contains its traits. In a training with
/// dropout, each step gets a seed of its own:
///
/// ```
/// use surprisal::{ndarray::Array2, prelude::*};
/// let (params, mut workspace) = (Params::new(), Workspace::new());
/// let mut rng = rng(7);
/// for _ in 0..3 {
///     let tape = workspace.tape(&params).seeded(rng.next_u64());
///     let y = Dropout::new(0.5).forward(tape.input(&Array2::<f32>::ones((2, 3))));
///     assert!(y.value().iter().all(|&y| y == 0.0 || y == 2.0));
/// }
/// let noise: f64 = rng.random(); // from 0 to 1
/// assert!((0.0..1.0).contains(&noise));
/// ```
pub use surprisal_layers::rand;
pub use surprisal_layers::rng;
/// The array crate of inputs and outputs, re-exported so that versions cannot clash.
pub use surprisal_tensor::ndarray;

/// The items that most programs need.
pub mod prelude {
    pub use surprisal_data::{
        Batches, DataSource, Dataset, Standardize, Targets, accuracy, argmax_rows, stratified_split,
    };
    pub use surprisal_explain::explain;
    pub use surprisal_layers::rand::{Rng as _, RngExt as _};
    pub use surprisal_layers::{
        Activation, Architecture, Elu, Gelu, Init, Interpolation, Layer, LeakyRelu, LogSigmoid,
        Normalization, Relu, Rng, Sigmoid, Silu, Sizes, Softplus, Tanh, UNetOptions, layers::*, normal, rng,
        summary,
    };
    pub use surprisal_loss::{
        BinaryCrossEntropyWithLogits, Reduction, SoftmaxCrossEntropy, binary_cross_entropy,
        binary_cross_entropy_with_logits, half_squared_error, mse_loss, nll_loss, softmax_cross_entropy,
    };
    pub use surprisal_optim::{
        GradientMean, Optimizer, ParamGroup, Penalty, Schedule, Scheduler, clip_grad_norm,
        clip_grad_norm_named, clip_grad_value, clip_grad_value_named, optimizers::*,
    };
    pub use surprisal_tensor::{
        Dual, Gradients, ParamId, Params, Scalar, Shape, Tape, Var, Workspace, check_gradient,
        curvature_along, hessian, hessian_vector_product, symmetric_eigen, threads,
    };
    pub use surprisal_train::{
        Batch, Batched, Callback, EarlyStopping, Examples, Objective, SavedModel, Trainer,
    };
}
