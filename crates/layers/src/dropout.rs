//! Dropout: randomly zeroes activations during training.

use surprisal_formula_macro::math;
use surprisal_tensor::{MAX_RANK, Var};

use crate::Layer;
use crate::layer::note;

/// In training sets each number to 0 with probability p and divides the others by 1 - p; in evaluation does nothing.
///
#[doc = math!("y = m x / (1 - p), m = 0 or 1")]
///
/// m is drawn anew in every step from a seed of the tape, so that one seed repeats a step; the
/// mean of y is x. What a unit computes has to be of use without the units beside it (Srivastava et al. 2014).
///
/// ```
/// use surprisal_layers::{Dropout, Layer};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array1};
/// let (params, x) = (Params::new(), Array1::ones(1000));
/// let mut workspace = Workspace::new();
///
/// let tape = workspace.tape(&params).seeded(7);
/// let y = Dropout::new(0.5).forward(tape.input(&x)).value();
/// assert!(y.iter().all(|&y| y == 0.0 || y == 2.0));
/// assert!((y.mean().unwrap() - 1.0).abs() < 0.1);
///
/// let y = workspace.eval(&params, |tape| Dropout::new(0.5).forward(tape.input(&x)));
/// assert_eq!(y, x.into_dyn());
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if a tape in training has no seed.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    p: f64,
}

/// [`Dropout`] of whole channels: in training sets each channel of each sample to 0 with probability p and divides the others by 1 - p; in
/// evaluation does nothing. `[N, C, ..]` to the same.
///
#[doc = math!("y = m_nc x / (1 - p), m = 0 or 1")]
///
/// Neighboring pixels hold nearly the same, so that dropping single ones would hide nothing (Tompson et al. 2015).
///
/// ```
/// use surprisal_layers::{Dropout2d, Layer};
/// use surprisal_tensor::{Params, Workspace, ndarray::Array4};
/// let (params, mut workspace) = (Params::new(), Workspace::new());
/// let tape = workspace.tape(&params).seeded(7);
/// let y = Dropout2d::new(0.5).forward(tape.input(&Array4::<f32>::ones((4, 3, 2, 2)))).value();
/// assert!(y.as_slice().unwrap().chunks(4).all(|map| map.iter().all(|y| *y == map[0])));
/// ```
///
/// # Panics
/// [`forward`](Layer::forward) at the caller's line, if the input has no channels, or a tape in training has no seed.
#[derive(Clone, Copy, Debug)]
pub struct Dropout2d(Dropout);

impl Dropout2d {
    /// A layer that drops each channel with probability p.
    ///
    /// # Panics
    /// If p is not in [0, 1).
    #[track_caller]
    pub fn new(p: f64) -> Dropout2d {
        Dropout2d(Dropout::new(p))
    }
}

impl Layer for Dropout2d {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, tape, shape) = (note(self, x), x.tape(), x.shape());
        if !tape.is_training() || self.0.p == 0.0 {
            return x;
        }
        assert!(shape.rank() >= 2, "dropout2d: {shape} has no channels: [N, C, ..] was expected");
        let mut each = [1; MAX_RANK];
        each[..2].copy_from_slice(&shape.dims()[..2]);
        x * tape.input_with(&each[..shape.rank()], |_| 1.0).dropout(self.0.p, tape.next_seed())
    }
    fn kind(&self) -> String {
        format!("Dropout2d {{ p: {} }}", self.0.p)
    }
}

impl Dropout {
    /// A layer that drops each number with probability p.
    ///
    /// ```
    /// use surprisal_layers::Dropout;
    /// assert_eq!(Dropout::new(0.2).p(), 0.2); // a fifth is dropped
    /// assert!(std::panic::catch_unwind(|| Dropout::new(1.0)).is_err()); // nothing would be left
    /// ```
    ///
    /// # Panics
    /// If p is not in [0, 1).
    #[track_caller]
    pub fn new(p: f64) -> Dropout {
        assert!((0.0..1.0).contains(&p), "dropout: p = {p} is not in [0, 1): it is the part that is dropped");
        Dropout { p }
    }
    /// The part that is dropped.
    pub fn p(&self) -> f64 {
        self.p
    }
}

impl Layer for Dropout {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let (_layer, tape) = (note(self, x), x.tape());
        if tape.is_training() && self.p > 0.0 { x.dropout(self.p, tape.next_seed()) } else { x }
    }
    fn kind(&self) -> String {
        format!("{self:?}")
    }
}
