//! A net whose sizes are known only at run time.

use std::fmt;
use std::str::FromStr;

use surprisal_tensor::{Params, Scalar, Var};

use crate::layer::step;
use crate::{Activation, Init, Layer, Linear, Rng};

/// The sizes of a net's layers, from the inputs to the outputs: "64-32-10".
///
/// ```
/// use surprisal_layers::Sizes;
/// let sizes: Sizes = "64-32-10".parse().unwrap();
/// assert_eq!((sizes.inputs(), sizes.outputs()), (64, 10));
/// assert_eq!(sizes.to_string(), "64-32-10");
/// assert_eq!(
///     "64-0-10".parse::<Sizes>().unwrap_err().to_string(),
///     "\"64-0-10\" is not a list of layer sizes: \"0\" is not a whole number above 0 | for example 64-32-10"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizes(Vec<usize>);

/// More layers than this are a mistake: without skip connections, no gradient arrives through a hundred.
const MOST_LAYERS: usize = 1000;

impl Sizes {
    /// The sizes from the inputs to the outputs.
    ///
    /// ```
    /// use surprisal_layers::Sizes;
    /// assert_eq!(Sizes::new(&[64, 32, 10]), "64-32-10".parse());
    /// assert_eq!(
    ///     Sizes::new(&[64]).unwrap_err().to_string(),
    ///     "\"64\" is not a list of layer sizes: a net has at least inputs and outputs | for example 64-32-10"
    /// );
    /// ```
    ///
    /// # Errors
    /// If there are fewer than two sizes, or more than 1001, or one is 0.
    pub fn new(sizes: &[usize]) -> Result<Sizes, SizesError> {
        let text = || sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
        if let Some(size) = sizes.iter().find(|&&size| size == 0) {
            return Err(SizesError::not_a_size(&text(), &size.to_string()));
        }
        if sizes.len() < 2 {
            return Err(SizesError { text: text(), problem: "a net has at least inputs and outputs".into() });
        }
        if sizes.len() > MOST_LAYERS + 1 {
            let problem = format!("a net has at most {MOST_LAYERS} layers, found {}", sizes.len() - 1);
            return Err(SizesError { text: text(), problem });
        }
        Ok(Sizes(sizes.to_vec()))
    }
    /// How many numbers go in.
    pub fn inputs(&self) -> usize {
        self.0[0]
    }
    /// How many come out.
    pub fn outputs(&self) -> usize {
        self.0[self.0.len() - 1]
    }
    /// All of them.
    pub fn as_slice(&self) -> &[usize] {
        &self.0
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sizes: Vec<_> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&sizes.join("-"))
    }
}

impl FromStr for Sizes {
    type Err = SizesError;
    fn from_str(text: &str) -> Result<Sizes, SizesError> {
        let parse = |part: &str| part.trim().parse().map_err(|_| SizesError::not_a_size(text, part));
        Sizes::new(&text.split('-').map(parse).collect::<Result<Vec<_>, _>>()?)
    }
}

/// Text that is not a list of layer sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizesError {
    text: String,
    problem: String,
}

impl SizesError {
    fn not_a_size(text: &str, part: &str) -> Self {
        SizesError {
            text: text.into(),
            problem: format!(
                "\"{}\" is not a whole number above 0",
                part.chars().take(20).collect::<String>()
            ),
        }
    }
}
impl fmt::Display for SizesError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const SHOWN: usize = 60;
        let (text, cut) = match self.text.char_indices().nth(SHOWN) {
            Some((at, _)) => (&self.text[..at], "…"),
            None => (&*self.text, ""),
        };
        write!(f, "\"{text}{cut}\" is not a list of layer sizes: {} | for example 64-32-10", self.problem)
    }
}
impl std::error::Error for SizesError {}

/// A multilayer perceptron: linear layers with one activation between them, none after the last.
///
/// The layers are named `layer1`, `layer2`, .. in the parameters.
///
/// ```
/// use surprisal_layers::{Activation, Layer, Mlp, rng};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array2};
/// let mut params = Params::new();
/// let model = Mlp::new(&mut params, &"4-8-3".parse()?, Activation::Tanh, &mut rng(1));
/// let y = Workspace::new().eval(&params, |tape| model.forward(tape.input(&Array2::<f32>::zeros((5, 4)))));
/// assert_eq!(y.shape(), [5, 3]);
/// # Ok::<(), surprisal_layers::SizesError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
    activation: Activation,
}

impl Mlp {
    /// Adds the parameters of a net, each layer initialized as in PyTorch's `Linear`.
    ///
    /// ```
    /// use surprisal_layers::{Activation, Mlp, Sizes, rng};
    /// use surprisal_tensor::Params;
    /// let mut params = Params::new();
    /// let model = Mlp::new(&mut params, &Sizes::new(&[4, 8, 3])?, Activation::Relu, &mut rng(7));
    /// let names: Vec<_> = params.entries().iter().map(|entry| entry.name.as_str()).collect();
    /// assert_eq!(names, ["layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias"]);
    /// assert_eq!(params[model.layers()[0].weight].len(), 32);
    /// # Ok::<(), surprisal_layers::SizesError>(())
    /// ```
    ///
    /// # Panics
    /// If a name is taken.
    #[track_caller]
    pub fn new<T: Scalar>(
        params: &mut Params<T>,
        sizes: &Sizes,
        activation: Activation,
        rng: &mut Rng,
    ) -> Mlp {
        Mlp::with_init(params, sizes, activation, Init::Linear, Init::Linear, rng)
    }

    /// Adds the parameters of a net with given initializers.
    ///
    /// ```
    /// use surprisal_layers::{Activation, Init, Layer, Mlp, rng};
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let (mut params, start) = (Params::<f64>::default(), Init::Constant(1.0));
    /// let model = Mlp::with_init(&mut params, &"2-2-1".parse()?, Activation::Relu, start, Init::Zeros, &mut rng(7));
    /// let y = Workspace::new().eval(&params, |tape| model.forward(tape.input(&array![[1.0, 2.0]])));
    /// assert_eq!(y, array![[6.0]].into_dyn()); // two equal units: such a start never tells them apart
    /// # Ok::<(), surprisal_layers::SizesError>(())
    /// ```
    ///
    /// # Panics
    /// If a name is taken.
    #[track_caller]
    pub fn with_init<T: Scalar>(
        params: &mut Params<T>,
        sizes: &Sizes,
        activation: Activation,
        weight: Init,
        bias: Init,
        rng: &mut Rng,
    ) -> Mlp {
        let mut layers = Vec::new();
        for (i, pair) in sizes.as_slice().windows(2).enumerate() {
            let name = format!("layer{}", i + 1);
            layers.push(Linear::with_init(params, &name, pair[0], pair[1], weight, bias, rng));
        }
        Mlp { layers, activation }
    }

    /// The linear layers, from the inputs on.
    pub fn layers(&self) -> &[Linear] {
        &self.layers
    }
    /// The activation between them.
    pub fn activation(&self) -> Activation {
        self.activation
    }
}

impl Layer for Mlp {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let mut x = x;
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                x = step(&self.activation, x);
            }
            x = step(layer, x);
        }
        x
    }
    fn kind(&self) -> String {
        String::new()
    }
}
