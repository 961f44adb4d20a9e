//! Gradient checks: two independent derivatives, compared with the tape's in every entry.

use std::fmt;

use ndarray::ArrayD;

use crate::{Dual, Params, Scalar, Tape, Var, Workspace};

/// The result of [`check_gradient`]: the worst disagreements, as fractions of the tolerance.
///
/// ```
/// use surprisal_tensor::{check_gradient, ndarray::array};
/// let agreement = check_gradient(&[array![0.5, -1.0].into_dyn()], |_, x| x[0].tanh());
/// assert_eq!(agreement.entries, 2);
/// assert!(agreement.dual <= 1e-10 && agreement.difference <= 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Agreement {
    /// How many derivatives were compared.
    pub entries: usize,
    /// The worst difference from the dual numbers, relative to max(1, |derivative|); at most 1e-10.
    pub dual: f64,
    /// The worst difference from central differences, likewise; at most 1e-6.
    pub difference: f64,
}

/// One derivative on which the tape and an oracle disagree.
///
/// ```
/// use surprisal_tensor::{Params, gradient_agreement, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, 3.0]);
/// let wrong = gradient_agreement(&params, |tape| (tape.param(w) * tape.param(w).detach()).sum()).unwrap_err();
/// assert_eq!((wrong.input.as_str(), &wrong.index[..]), ("w", &[0][..]));
/// assert_eq!((wrong.backward, wrong.dual), (1.0, 2.0)); // half of the derivative was cut off
/// assert!(wrong.to_string().ends_with("the two oracles agree, so `backward` is wrong"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement {
    /// The input, "x0", or the parameter's name.
    pub input: String,
    /// The place in it.
    pub index: Vec<usize>,
    /// The derivative by `backward`.
    pub backward: f64,
    /// The derivative by dual numbers: only the forward formula, differentiated by arithmetic.
    pub dual: f64,
    /// The central difference: only the forward formula, twice.
    pub difference: f64,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Disagreement { input, index, backward, dual, difference } = self;
        writeln!(f, "the gradient is wrong at {input}{index:?}:")?;
        writeln!(f, "  backward            {backward:e}")?;
        writeln!(f, "  dual numbers        {dual:e}")?;
        writeln!(f, "  central difference  {difference:e}")?;
        let near = |a: f64, b: f64| (a - b).abs() <= DIFFERENCE * a.abs().max(1.0);
        f.write_str(if !backward.is_finite() && dual.is_finite() {
            "  hint: `backward` gives no number: does it read what it should write, such as `+=` on the slice of `add_filled`? \
             Write it with `=`, or add with `add_scattered`; or does it divide by 0?"
        } else if !dual.is_finite() || !difference.is_finite() {
            "  hint: the function gives no number: is it defined here, or does `forward` read `f.y` before it writes it?"
        } else if near(*dual, *difference) {
            "  hint: the two oracles agree, so `backward` is wrong"
        } else if near(*backward, *difference) {
            "  hint: `forward` does not carry the derivative of a dual number: does it go through `value()`, or is \
             there a kink exactly here?"
        } else {
            "  hint: the oracles disagree too: is there a kink or a pole here, or does the function draw random numbers?"
        })
    }
}
impl std::error::Error for Disagreement {}

const DUAL: f64 = 1e-10;
const DIFFERENCE: f64 = 1e-6;

/// Holds the gradient of a function against dual numbers (to 1e-10) and central differences (to 1e-6), in `f64`, in every
/// entry of every input.
///
/// The function gets its inputs as tape values of the number type `Dual`, whose value part computes exactly as `f64`
/// does. Both oracles look through [`detach`](Var::detach), so that a part of a gradient which is missing by mistake is found. If its result is not a single number, each of its numbers is weighed differently and they are summed.
///
/// ```
/// use surprisal_tensor::{check_gradient, ndarray::array};
/// let x = array![[0.5, -1.0], [2.0, 0.1]].into_dyn();
/// let w = array![[1.0], [-3.0]].into_dyn();
/// check_gradient(&[x, w], |_, x| x[0].matmul(x[1]).tanh());
/// ```
///
/// # Panics
/// At the caller's line, if they disagree: with the input, the place and all three numbers.
#[track_caller]
pub fn check_gradient(
    inputs: &[ArrayD<f64>],
    f: impl for<'t> Fn(&'t Tape<'t>, &[Var<'t>]) -> Var<'t>,
) -> Agreement {
    let mut params = Params::default();
    for (k, input) in inputs.iter().enumerate() {
        params.add(&format!("x{k}"), input);
    }
    match gradient_agreement(&params, |tape| {
        let inputs: Vec<_> = tape.ids().map(|id| tape.param(id)).collect();
        f(tape, &inputs)
    }) {
        Ok(agreement) => agreement,
        Err(disagreement) => panic!("{disagreement}"),
    }
}

/// [`check_gradient`] for a function of parameters, such as a model with its loss, as a `Result`.
///
/// ```
/// use surprisal_tensor::{Params, gradient_agreement, ndarray::array};
/// let mut params = Params::new();
/// let (w, b) = (params.add("w", &array![[0.5], [-1.0]]), params.add("b", &array![0.1]));
/// let agreement = gradient_agreement(&params, |tape| {
///     let x = tape.input(&array![[1.0, 2.0]]);
///     x.affine(tape.param(w), tape.param(b)).sigmoid().sum()
/// })?;
/// assert_eq!(agreement.entries, 3);
/// # Ok::<(), surprisal_tensor::Disagreement>(())
/// ```
pub fn gradient_agreement<T: Scalar>(
    params: &Params<T>,
    f: impl for<'t> Fn(&'t Tape<'t>) -> Var<'t>,
) -> Result<Agreement, Disagreement> {
    gradient_agreement_in(true, params, f)
}

/// [`gradient_agreement`] with layers such as dropout and batch normalization in training or in evaluation.
///
/// Frozen parameters are left out; layers that draw random numbers draw the same ones each time.
///
/// ```
/// use surprisal_tensor::{Params, gradient_agreement_in, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0, 3.0]);
/// let agreement = gradient_agreement_in(true, &params, |tape| {
///     assert!(tape.is_training());
///     tape.param(w).dropout(0.5, tape.next_seed()).square().sum() // the same mask in every evaluation
/// })?;
/// assert_eq!(agreement.entries, 2);
/// # Ok::<(), surprisal_tensor::Disagreement>(())
/// ```
pub fn gradient_agreement_in<T: Scalar>(
    training: bool,
    params: &Params<T>,
    f: impl for<'t> Fn(&'t Tape<'t>) -> Var<'t>,
) -> Result<Agreement, Disagreement> {
    agreement(training, &params.cast(), &f)
}

/// A function of parameters.
type Function<'a> = dyn for<'t> Fn(&'t Tape<'t>) -> Var<'t> + 'a;

fn agreement(training: bool, params: &Params<f64>, f: &Function) -> Result<Agreement, Disagreement> {
    let trainable = params.trainable_spans().flatten();
    let mut agreement = Agreement::default();
    for derivative in derivatives(training, params, trainable, f) {
        agreement.entries += 1;
        agreement.dual = agreement.dual.max(derivative.dual_error());
        agreement.difference = agreement.difference.max(derivative.difference_error());
        if !derivative.agrees_with_dual() || !derivative.agrees_with_difference() {
            return Err(derivative.disagreement(params));
        }
    }
    Ok(agreement)
}

/// One derivative of a function of parameters, found in three ways.
///
/// See the example of [`derivatives`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Derivative {
    /// The place of the number in [`Params::as_slice`].
    pub place: usize,
    /// The derivative by `backward`.
    pub backward: f64,
    /// The derivative by dual numbers: only the forward formula, differentiated by arithmetic.
    pub dual: f64,
    /// The central difference: only the forward formula, twice.
    pub difference: f64,
}

impl Derivative {
    /// How far `backward` is from the dual numbers, relative to max(1, |derivative|).
    pub fn dual_error(&self) -> f64 {
        error(self.backward, self.dual)
    }
    /// How far `backward` is from the central difference, likewise.
    pub fn difference_error(&self) -> f64 {
        error(self.backward, self.difference)
    }
    /// Whether the first is at most 1e-10.
    ///
    /// See the example of [`agrees_with_difference`](Self::agrees_with_difference).
    pub fn agrees_with_dual(&self) -> bool {
        self.dual_error() <= DUAL
    }
    /// Whether the second is at most 1e-6. Where it is not and the dual numbers agree, the function has a kink closer than
    /// the difference reaches, such as a relu near 0: the derivative is right for this side of it.
    ///
    /// ```
    /// use surprisal_tensor::{Params, derivatives, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![0.0]);
    /// let at_the_kink = derivatives(true, &params, 0..1, |tape| tape.param(w).relu().sum()).next().unwrap();
    /// assert!(at_the_kink.agrees_with_dual() && !at_the_kink.agrees_with_difference()); // 0, 0 and 1/2
    /// ```
    pub fn agrees_with_difference(&self) -> bool {
        self.difference_error() <= DIFFERENCE
    }
    /// The same, with the parameter's name and the place in it.
    ///
    /// ```
    /// use surprisal_tensor::{Params, derivatives, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![[1.0, 2.0], [3.0, 4.0]]);
    /// let third = derivatives(true, &params, [2], |tape| tape.param(w).square().sum()).next().unwrap();
    /// let told = third.disagreement(&params);
    /// assert_eq!((told.input.as_str(), &told.index[..], told.backward), ("w", &[1, 0][..], 6.0));
    /// ```
    ///
    /// # Panics
    /// If these are not the parameters it was found with.
    #[track_caller]
    pub fn disagreement(&self, params: &Params<f64>) -> Disagreement {
        let &Derivative { place, backward, dual, difference } = self;
        let Some(entry) = params.entries().iter().find(|entry| entry.range.contains(&place)) else {
            panic!("disagreement: no parameter stands at place {place} of {}", params.as_slice().len());
        };
        let index = unravel(place - entry.range.start, entry.shape.dims());
        Disagreement { input: entry.name.clone(), index, backward, dual, difference }
    }
}

fn error(found: f64, oracle: f64) -> f64 {
    let error = (found - oracle).abs() / oracle.abs().max(1.0);
    if error.is_nan() { f64::INFINITY } else { error }
}

/// The derivatives of a function with respect to some numbers of its parameters, by their places in [`Params::as_slice`], each in
/// three ways: the values that [`gradient_agreement_in`] compares, to look at them or to check a few of many.
///
/// They come one by one, each for three evaluations.
///
/// ```
/// use surprisal_tensor::{Params, derivatives, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![3.0, 0.0]);
/// let found: Vec<_> = derivatives(true, &params, 0..2, |tape| tape.param(w).relu().square().sum()).collect();
/// assert_eq!((found[0].backward, found[0].dual), (6.0, 6.0));
/// assert!((found[0].difference - 6.0).abs() < 1e-6);
/// ```
///
/// # Panics
/// If a place is not one of the parameters'.
pub fn derivatives<'a>(
    training: bool,
    params: &'a Params<f64>,
    places: impl IntoIterator<Item = usize>,
    f: impl for<'t> Fn(&'t Tape<'t>) -> Var<'t> + 'a,
) -> impl Iterator<Item = Derivative> {
    let mut each = Differentiated::new(training, params, Box::new(f));
    places.into_iter().map(move |place| each.at(place))
}

/// A function at a point, with its gradient there.
struct Differentiated<'a> {
    training: bool,
    workspace: Workspace<Dual>,
    point: Params<Dual>,
    gradient: Params<f64>,
    f: Box<Function<'a>>,
}

impl<'a> Differentiated<'a> {
    fn new(training: bool, params: &Params<f64>, f: Box<Function<'a>>) -> Self {
        let mut workspace = Workspace::new();
        workspace.graph.tangents_pass_detach = true; // what is detached by mistake shows in the dual numbers
        let mut all =
            Differentiated { training, workspace, point: params.cast(), gradient: Params::default(), f };
        all.value(true); // takes the memory
        all.value(true); // the same, poisoned
        all
    }

    fn value(&mut self, gradient: bool) -> Dual {
        self.workspace.poison(); // an operation that reads before it writes must not find zeros, or its own last result
        let tape = self.workspace.tape(&self.point).seeded(0); // the same masks each time, so that it stays one function
        let tape = if self.training { tape } else { tape.evaluating() };
        let value = weigh((self.f)(&tape));
        let number = value.number();
        if gradient {
            value.backward();
            self.gradient = self.workspace.grads().primals();
        }
        number
    }

    fn at(&mut self, place: usize) -> Derivative {
        let numbers = self.point.as_slice().len();
        assert!(place < numbers, "derivatives: no parameter stands at place {place} of {numbers}");
        let x = self.point.as_slice()[place];
        let mut at = |x: Dual| {
            self.point.as_mut_slice()[place] = x;
            self.value(false)
        };
        let h = 6e-6 * x.value.abs().max(1.0); // the cube root of the precision balances the two errors
        let (above, below) = (x.value + h, x.value - h);
        let difference = (at(Dual::of(above)).value - at(Dual::of(below)).value) / (above - below);
        let dual = at(Dual { value: x.value, tangent: 1.0 }).tangent;
        self.point.as_mut_slice()[place] = x;
        Derivative { place, backward: self.gradient.as_slice()[place], dual, difference }
    }
}

/// A single number from any result: its numbers, each with a weight of its own, so that errors cannot cancel.
#[track_caller]
fn weigh<'t>(y: Var<'t>) -> Var<'t> {
    let shape = y.shape();
    if shape.rank() == 0 {
        return y;
    }
    let weights = y.tape().input_with([shape.len()], |i| (1.0 + i as f64).sin() + 1.5);
    (y.reshape([shape.len()]) * weights).sum()
}

fn unravel(mut place: usize, dims: &[usize]) -> Vec<usize> {
    let mut index = vec![0; dims.len()];
    for (index, &len) in index.iter_mut().zip(dims).rev() {
        (place, *index) = (place / len, place % len);
    }
    index
}
