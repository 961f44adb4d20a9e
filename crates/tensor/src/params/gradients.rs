//! The gradient of a loss, in the layout of the parameters.

use std::fmt;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Arc;

use crate::{Buf, ParamId, Params, Scalar};

/// The gradient of a loss: a vector over the layout of the parameters, and which of them the loss reached.
///
/// Reads like [`Params`]: `grads[weight]`, `grads.view(weight)`, `grads.norm()`.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![3.0, 4.0]);
/// let unused = params.add("unused", &array![1.0]);
/// let mut workspace = Workspace::new();
/// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
/// assert_eq!((&grads[w], &grads[unused]), (&[6.0, 8.0][..], &[0.0][..]));
/// assert_eq!(grads.norm(), 10.0);
/// assert_eq!(Vec::from_iter(grads.unreached()), ["unused"]);
/// ```
#[derive(Clone)]
pub struct Gradients<T: Scalar = f32> {
    values: Params<T>,
    reached: Vec<bool>,
    updates: Vec<(ParamId, Range<usize>)>, // new values for buffers, and where they stand in ..
    updated: Buf<T>,
}

impl<T: Scalar> Gradients<T> {
    pub(crate) fn new() -> Self {
        Gradients {
            values: Params::default(),
            reached: Vec::new(),
            updates: Vec::new(),
            updated: Buf::new(0),
        }
    }

    /// Linear interpolation (lerp) toward `other` by a fraction: g + share (other - g). All of the way, 1, is a copy, also of another layout.
    ///
    /// Reached is what either loss reached. By shares of 1/1, 1/2, 1/3, .. this holds the mean of all that came:
    ///
    /// ```
    /// use surprisal_tensor::{Gradients, Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![3.0]);
    /// let (mut workspace, mut mean) = (Workspace::new(), Gradients::default());
    /// for (count, slope) in [(1.0, 2.0), (2.0, 4.0), (3.0, 9.0)] {
    ///     let (_, grads) = workspace.grad(&params, |tape| slope * tape.param(w).sum());
    ///     mean.mix(1.0 / count, grads);
    /// }
    /// assert_eq!(mean[w], [5.0]);
    /// ```
    ///
    /// # Panics
    /// If the layouts differ and the share is not 1.
    #[track_caller]
    pub fn mix(&mut self, share: f64, other: &Gradients<T>) {
        if share == 1.0 {
            self.prepare(other);
            self.values.values.copy_from_slice(&other.values.values);
            self.reached.copy_from_slice(&other.reached);
        } else {
            assert!(self.same_layout(other), "gradients are mixed with those of the same parameters only");
            lerp(share, other.as_slice(), &mut self.values.values);
            for (reached, &other) in self.reached.iter_mut().zip(&other.reached) {
                *reached |= other;
            }
        }
        self.clear_updates();
        for (id, range) in &other.updates {
            self.note_update(*id, &other.updated[range.clone()]);
        }
    }

    /// The new values that the tape noted for buffers, one after the other, in the order of recording.
    ///
    /// With the gradient itself and [`reached`](Self::reached) they are all that processes exchange that train together.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let count = params.add_buffer("count", &array![1.0]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// tape.update(count, tape.param(count) + 1.0);
    /// assert_eq!(workspace.grads().new_values(), [2.0]);
    /// workspace.grads_mut().new_values_mut()[0] = 7.0;
    /// workspace.grads().apply_updates(&mut params);
    /// assert_eq!(params[count], [7.0]);
    /// ```
    pub fn new_values(&self) -> &[T] {
        &self.updated
    }
    /// The same, to be changed.
    pub fn new_values_mut(&mut self) -> &mut [T] {
        &mut self.updated
    }
    /// Whether the loss reached each parameter, in layout order.
    ///
    /// See the example of [`is_reached`](Self::is_reached), for one of them.
    pub fn reached(&self) -> &[bool] {
        &self.reached
    }
    /// The same, to be changed.
    pub fn reached_mut(&mut self) -> &mut [bool] {
        &mut self.reached
    }

    /// Makes ready for the gradient of these parameters: nothing reached, memory kept where the layout is the same.
    pub(crate) fn prepare(&mut self, params: &Params<T>) {
        if !Arc::ptr_eq(&self.values.layout, &params.layout) {
            let mut values = Buf::new(3);
            values.resize(params.values.len());
            self.values = params.with_values(values);
        }
        self.values.frozen.clone_from(&params.frozen);
        self.reached.clear();
        self.reached.resize(params.layout.len(), false);
    }

    /// Forgets the new values that the last tape left for buffers.
    pub(crate) fn clear_updates(&mut self) {
        self.updates.clear();
        self.updated.resize(0);
    }

    /// Notes a new value for a buffer.
    pub(crate) fn note_update(&mut self, id: ParamId, values: &[T]) {
        let range = self.updated.len()..self.updated.len() + values.len();
        self.updated.resize(range.end);
        self.updated[range.clone()].copy_from_slice(values);
        self.updates.push((id, range));
    }

    /// Writes the new values that the tape noted with [`Tape::update`](crate::Tape::update); optimizers do this with every step.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let count = params.add_buffer("count", &array![1.0]);
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// tape.update(count, tape.param(count) + 1.0);
    /// workspace.grads().apply_updates(&mut params);
    /// assert_eq!(params[count], [2.0]);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there are such values and the parameters are not those that the tape was started with.
    #[track_caller]
    pub fn apply_updates(&self, params: &mut Params<T>) {
        assert!(
            self.updates.is_empty() || self.same_layout(params),
            "apply_updates: these are new values for other parameters: was the tape started with these?"
        );
        for (id, range) in &self.updates {
            params[*id].copy_from_slice(&self.updated[range.clone()]);
        }
    }

    /// Where the gradient of a parameter is added up, and whether anything has been added yet.
    #[inline]
    pub(crate) fn slot(&mut self, id: ParamId, start: usize, len: usize) -> (&mut [T], &mut bool) {
        (&mut self.values.values[start..start + len], &mut self.reached[id.index()])
    }

    /// Where the gradients of two parameters are to be stored, if they are two and neither was reached yet.
    pub(crate) fn first_slots(&mut self, ids: [ParamId; 2]) -> Option<[&mut [T]; 2]> {
        if ids.iter().any(|id| self.reached[id.index()]) {
            return None;
        }
        let ranges = ids.map(|id| self.values.layout[id.index()].range.clone());
        let slots = self.values.values.get_disjoint_mut(ranges).ok()?;
        ids.iter().for_each(|id| self.reached[id.index()] = true);
        Some(slots)
    }

    /// A parameter that was never reached or is frozen has gradient 0.
    pub(crate) fn finish(&mut self) {
        if self.reached.iter().all(|&reached| reached) {
            return;
        }
        for (entry, reached) in self.values.layout.iter().zip(&self.reached) {
            if !reached {
                self.values.values[entry.range.clone()].fill(T::ZERO);
            }
        }
    }

    /// The trainable parameters that the loss does not depend on: usually a layer left out of the model.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let [w, _forgotten, frozen] = ["w", "forgotten", "frozen"].map(|name| params.add(name, &array![1.0]));
    /// params.freeze(frozen);
    /// let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());
    /// assert_eq!(Vec::from_iter(grads.unreached()), ["forgotten"]);
    /// ```
    pub fn unreached(&self) -> impl Iterator<Item = &str> {
        let parts = self.values.layout.iter().zip(&self.reached).zip(&self.values.frozen);
        parts
            .filter(|((_, reached), frozen)| !**reached && !**frozen)
            .map(|((entry, _), _)| entry.name.as_str())
    }

    /// Whether the loss depends on this parameter, as far as it is known: it is not tracked for a frozen one.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let [w, forgotten] = ["w", "forgotten"].map(|name| params.add(name, &array![1.0]));
    /// let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).sum());
    /// assert!(grads.is_reached(w) && !grads.is_reached(forgotten));
    /// ```
    #[track_caller]
    pub fn is_reached(&self, id: ParamId) -> bool {
        self.entry(id);
        self.reached[id.index()]
    }

    /// An error that names every trainable parameter the loss never reached.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![1.0]);
    /// let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).detach().sum());
    /// let error = grads.all_reached().unwrap_err();
    /// assert!(error.to_string().starts_with("the loss never reached the trainable parameter \"w\""));
    /// ```
    pub fn all_reached(&self) -> Result<(), Unreached> {
        let names: Vec<_> = self.unreached().map(str::to_string).collect(); // empty: no allocation
        if names.is_empty() { Ok(()) } else { Err(Unreached { names }) }
    }
}

crate::shared_kernel! {
    /// Linear interpolation, x + share (other - x) for every element.
    ///
    /// ```
    /// let mut x = [1.0, 2.0];
    /// surprisal_tensor::lerp(0.25, &[5.0, 2.0], &mut x);
    /// assert_eq!(x, [2.0, 2.0]);
    /// ```
    pub fn lerp<T>(share: f64 | other | x) {
        let share = T::of(share);
        for (x, &other) in x.iter_mut().zip(other) {
            *x += share * (other - *x);
        }
    }
}

impl<T: Scalar> Default for Gradients<T> {
    /// Of no parameters.
    fn default() -> Self {
        Gradients::new()
    }
}
impl<T: Scalar> Deref for Gradients<T> {
    type Target = Params<T>;
    fn deref(&self) -> &Params<T> {
        &self.values
    }
}
impl<T: Scalar> DerefMut for Gradients<T> {
    fn deref_mut(&mut self) -> &mut Params<T> {
        &mut self.values
    }
}
impl<T: Scalar> fmt::Debug for Gradients<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.values.fmt(f)
    }
}

/// Trainable parameters that the loss does not depend on.
///
/// See the example of [`Gradients::all_reached`].
#[derive(Clone, Debug, PartialEq)]
pub struct Unreached {
    /// Their names, in layout order.
    pub names: Vec<String>,
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (what, them) = if self.names.len() == 1 { ("parameter", "it") } else { ("parameters", "them") };
        write!(
            f,
            "the loss never reached the trainable {what} \"{}\": is a layer left out of the model, is its output \
             detached, or was `backward` not called? Freeze {them} if that is what you want, or name what the optimizer is to \
             step: `.only(\"hidden\")`",
            self.names.join("\", \"")
        )
    }
}
impl std::error::Error for Unreached {}
