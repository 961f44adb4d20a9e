//! Theta: every parameter of a model in one contiguous vector, and its gradient in another of the same layout.

mod entry;
mod freezing;
mod gradients;
mod maps;

use std::fmt;
use std::ops::{Deref, DerefMut, Index, IndexMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use ndarray::{ArrayBase, ArrayViewD, ArrayViewMutD, Data, Dimension, IxDyn};

pub use entry::{Entry, NoSuchParameter, name_matches};
pub use gradients::{Gradients, Unreached, lerp};

use crate::{Buf, Scalar, Shape};

/// Names one parameter of a [`Params`]; layers hold it, so that the same model runs on any number type.
///
/// ```
/// use surprisal_tensor::{Params, ndarray::array};
/// let mut params = Params::new();
/// let w = params.add("w", &array![1.0, 2.0]);
/// let doubles = params.cast::<f64>();
/// assert_eq!((&params[w], &doubles[w]), (&[1.0f32, 2.0][..], &[1.0f64, 2.0][..])); // one id, both sets
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParamId(pub(crate) u32);

impl ParamId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All parameters of a model: one aligned vector with a layout of named, shaped ranges.
///
/// Gradients, momentum and tangents are vectors over the same layout, so an optimizer is arithmetic on slices and a
/// checkpoint is one blob.
///
/// ```
/// use surprisal_tensor::{Params, ndarray::array};
/// let mut params = Params::new();
/// let w = params.add("w", &array![[0.6], [0.9]]);
/// assert_eq!(params.view(w).shape(), [2, 1]);
/// assert_eq!(params.find("w"), Some(w));
/// assert_eq!(params.as_slice(), [0.6, 0.9]);
/// ```
///
/// Several nets in one set of parameters have a [`scope`](Self::scope) each.
pub struct Params<T: Scalar = f32> {
    layout: Arc<Vec<Entry>>,
    values: Buf<T>,
    frozen: Vec<bool>, // buffers always
    prefix: String,    // of the names that are added: "critic." in a scope
    buffers: AtomicU8, // how they keep up with the parameters: one of the next
}

/// Nothing is known against the buffers.
const WRITTEN: u8 = 0;
/// A tape has noted new values, and they are not written yet.
const NOTED: u8 = 1;
/// Parameters were moved after that, and the values are still not written.
const LEFT_BEHIND: u8 = 2;

impl<T: Scalar> Clone for Params<T> {
    /// A copy, outside of all scopes.
    fn clone(&self) -> Self {
        self.with_values(self.values.clone())
    }
}

/// Parameters in which what is added has a name in front: see [`Params::scope`]. In all else it is those [`Params`].
pub struct Scope<'a, T: Scalar = f32> {
    params: &'a mut Params<T>,
    outer: usize, // the length of the prefix outside
}

impl<T: Scalar> Deref for Scope<'_, T> {
    type Target = Params<T>;
    fn deref(&self) -> &Params<T> {
        self.params
    }
}
impl<T: Scalar> DerefMut for Scope<'_, T> {
    fn deref_mut(&mut self) -> &mut Params<T> {
        self.params
    }
}
impl<T: Scalar> Drop for Scope<'_, T> {
    fn drop(&mut self) {
        self.params.prefix.truncate(self.outer);
    }
}
impl<T: Scalar> fmt::Debug for Scope<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Scope").field("prefix", &self.params.prefix).field("params", &**self).finish()
    }
}

/// Brings a buffer to this length in the end, also where a closure that fills it panics.
struct Undo<'a, T: Scalar> {
    values: &'a mut Buf<T>,
    len: usize,
}
impl<T: Scalar> Drop for Undo<'_, T> {
    fn drop(&mut self) {
        self.values.resize(self.len);
    }
}

impl Params {
    /// No parameters yet, of `f32`; those of `f64` are `Params::<f64>::default()`.
    pub fn new() -> Self {
        Params::default()
    }
}

impl<T: Scalar> Params<T> {
    fn with_values<U: Scalar>(&self, values: Buf<U>) -> Params<U> {
        Params {
            layout: self.layout.clone(),
            values,
            frozen: self.frozen.clone(),
            prefix: String::new(),
            buffers: AtomicU8::new(self.buffers.load(Relaxed)),
        }
    }

    /// A scope: the parameters that are added in it have `name` and a dot in front of their names. Any layer can be made in it.
    ///
    /// The scope's name then means all of them, wherever a pattern is taken: by an optimizer that steps them alone, by
    /// [`freeze_named`](Self::freeze_named), [`norm_named`](Self::norm_named), by saving and loading. Whatever takes or gives a name
    /// has it in full, also in a scope.
    ///
    /// ```
    /// use surprisal_tensor::{ParamId, Params, ndarray::array};
    /// fn layer(params: &mut Params) -> ParamId {
    ///     params.add("layer1.weight", &array![0.5])
    /// }
    /// let mut params = Params::new();
    /// let generator = layer(&mut params.scope("generator"));
    /// let first = layer(&mut params.scope("critic").scope("first")); // scopes in scopes
    /// let second = layer(&mut params.scope("critic.second")); // the same
    /// let names = [generator, first, second].map(|id| params.entry(id).name.as_str());
    /// assert_eq!(
    ///     names,
    ///     ["generator.layer1.weight", "critic.first.layer1.weight", "critic.second.layer1.weight"]
    /// );
    /// assert_eq!(params.matching("critic")?, [first, second]);
    /// # Ok::<(), surprisal_tensor::NoSuchParameter>(())
    /// ```
    ///
    /// # Panics
    /// If the name is empty.
    #[track_caller]
    pub fn scope(&mut self, name: &str) -> Scope<'_, T> {
        assert!(!name.is_empty(), "scope: expected a name, such as \"critic\", found none");
        let outer = self.prefix.len();
        self.prefix.push_str(name);
        self.prefix.push('.');
        Scope { params: self, outer }
    }

    /// Adds a parameter with the values of an array.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let w = params.add("out.weight", &array![[0.6], [0.9]]);
    /// let b = params.add("out.bias", &array![0.1]);
    /// assert_eq!(params.as_slice(), [0.6, 0.9, 0.1]); // one vector
    /// assert_eq!((&params[w], &params[b]), (&[0.6, 0.9][..], &[0.1][..]));
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn add<S: Data<Elem = T>, D: Dimension>(&mut self, name: &str, values: &ArrayBase<S, D>) -> ParamId {
        self.add_with(name, values.shape(), |slots| {
            for (slot, value) in slots.iter_mut().zip(values) {
                *slot = *value;
            }
        })
    }

    /// Adds a parameter whose values `fill` writes in place, by rows.
    ///
    /// ```
    /// use surprisal_tensor::Params;
    /// let mut params = Params::new();
    /// let b = params.add_with("b", [3], |b| b.fill(0.5));
    /// assert_eq!(params[b], [0.5, 0.5, 0.5]);
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn add_with(&mut self, name: &str, shape: impl Into<Shape>, fill: impl FnOnce(&mut [T])) -> ParamId {
        self.put(name, shape.into(), false, fill)
    }

    /// Adds a buffer with the values of an array: numbers that belong to a model and are saved and loaded with it, but are never trained,
    /// such as a running mean. Its new values are noted on a tape of training with [`Tape::update`](crate::Tape::update). As PyTorch's
    /// `register_buffer`.
    ///
    /// Freezing and unfreezing by name leave it as it is.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::<f32>::new();
    /// let weight = params.add("norm.weight", &array![1.0]);
    /// let mean = params.add_buffer("norm.running_mean", &array![0.0]);
    /// params.freeze_named("norm")?;
    /// params.unfreeze_named("norm")?;
    /// assert!(params.is_trainable(weight) && !params.is_trainable(mean));
    /// assert!(params.entry(mean).is_buffer);
    /// # Ok::<(), surprisal_tensor::NoSuchParameter>(())
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn add_buffer<S: Data<Elem = T>, D: Dimension>(
        &mut self,
        name: &str,
        values: &ArrayBase<S, D>,
    ) -> ParamId {
        self.put(name, values.shape().into(), true, |slots| {
            for (slot, value) in slots.iter_mut().zip(values) {
                *slot = *value;
            }
        })
    }

    /// Adds a buffer whose values `fill` writes in place, by rows: see [`add_buffer`](Self::add_buffer).
    ///
    /// ```
    /// use surprisal_tensor::Params;
    /// let mut params = Params::<f32>::new();
    /// let variance = params.add_buffer_with("running_var", [3], |v| v.fill(1.0));
    /// assert_eq!(params[variance], [1.0, 1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// If the name is taken.
    #[track_caller]
    pub fn add_buffer_with(
        &mut self,
        name: &str,
        shape: impl Into<Shape>,
        fill: impl FnOnce(&mut [T]),
    ) -> ParamId {
        self.put(name, shape.into(), true, fill)
    }

    #[track_caller]
    fn put(&mut self, name: &str, shape: Shape, is_buffer: bool, fill: impl FnOnce(&mut [T])) -> ParamId {
        let name = self.prefix.clone() + name;
        assert!(
            self.find(&name).is_none(),
            "there is already a parameter \"{name}\": give each layer a name of its own, or each net a scope: \
             `&mut params.scope(\"critic\")` instead of `&mut params`"
        );
        let start = self.values.len();
        let range = start..start.saturating_add(shape.len()); // which no memory holds, if it saturates
        self.values.resize(range.end);
        let mut undo = Undo { values: &mut self.values, len: start };
        let slots = &mut undo.values[range.clone()];
        slots.fill(T::ZERO);
        fill(slots);
        undo.len = range.end;
        drop(undo);
        let entries = Arc::make_mut(&mut self.layout);
        entries.push(Entry { name, shape, range, is_buffer });
        self.frozen.push(is_buffer);
        ParamId(entries.len() as u32 - 1)
    }

    /// The parameters in the order in which they were added.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// params.add("w", &array![[0.6], [0.9]]);
    /// let b = params.add("b", &array![0.1]);
    /// let names: Vec<_> = params.entries().iter().map(|entry| format!("{} {}", entry.name, entry.shape)).collect();
    /// assert_eq!(names, ["w [2, 1]", "b [1]"]);
    /// assert_eq!(params.entry(b).range, 2..3);
    /// ```
    #[inline]
    pub fn entries(&self) -> &[Entry] {
        &self.layout
    }
    /// The ids in the order of [`entries`](Self::entries).
    pub fn ids(&self) -> impl Iterator<Item = ParamId> + use<T> {
        (0..self.layout.len() as u32).map(ParamId)
    }
    /// Name, shape and place of a parameter.
    #[track_caller]
    pub fn entry(&self, id: ParamId) -> &Entry {
        entry(&self.layout, id)
    }
    /// Which of them no optimizer may move, in the order of [`entries`](Self::entries).
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let w = params.add("w", &array![1.0]);
    /// params.add("b", &array![0.0]);
    /// params.freeze(w);
    /// assert_eq!(params.frozen(), [true, false]);
    /// ```
    #[inline]
    pub fn frozen(&self) -> &[bool] {
        &self.frozen
    }
    /// The parameter with this name.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let b = params.add("out.bias", &array![0.1]);
    /// assert_eq!(params.find("out.bias"), Some(b));
    /// assert_eq!(params.find("bias"), None);
    /// ```
    pub fn find(&self, name: &str) -> Option<ParamId> {
        self.ids().find(|id| self.layout[id.index()].name == name)
    }

    /// Every number of every parameter.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        &self.values
    }
    /// Every number of every parameter, to change.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let mut params = Params::<f64>::default();
    /// let w = params.add("w", &array![1.0, 2.0]);
    /// let mut workspace = Workspace::new();
    /// let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
    /// params.as_mut_slice().iter_mut().zip(grads.as_slice()).for_each(|(w, g)| *w -= 0.25 * g); // gradient descent
    /// assert_eq!(params[w], [0.5, 1.0]);
    /// ```
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.moved();
        &mut self.values
    }
    /// One parameter as an array; `params[id]` is the same as a slice.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let w = params.add("w", &array![[1.0, 2.0], [3.0, 4.0]]);
    /// params.view_mut(w)[[1, 0]] = 0.0;
    /// assert_eq!(params.view(w), array![[1.0, 2.0], [0.0, 4.0]].into_dyn());
    /// assert_eq!(params[w], [1.0, 2.0, 0.0, 4.0]);
    /// assert_eq!(params.norm(), 21f64.sqrt());
    /// ```
    #[track_caller]
    pub fn view(&self, id: ParamId) -> ArrayViewD<'_, T> {
        view(&self.entry(id).shape, &self[id])
    }
    /// One parameter as an array, to change.
    ///
    /// See the example of [`view`](Self::view).
    #[track_caller]
    pub fn view_mut(&mut self, id: ParamId) -> ArrayViewMutD<'_, T> {
        let shape = IxDyn(self.entry(id).shape.dims());
        ArrayViewMutD::from_shape(shape, &mut self[id]).expect("a range is as long as its shape says")
    }

    /// A tape has noted a new value of a buffer.
    pub(crate) fn note_buffer(&self) {
        if self.buffers.load(Relaxed) == WRITTEN {
            self.buffers.store(NOTED, Relaxed);
        }
    }
    /// Parameters are moved.
    fn moved(&mut self) {
        let buffers = self.buffers.get_mut();
        *buffers = if *buffers == NOTED { LEFT_BEHIND } else { *buffers };
    }
    /// For a use of a buffer in evaluation: its values must not be those of the start because nobody writes those that training notes.
    #[track_caller]
    pub(crate) fn expect_buffer_written(&self, id: ParamId) {
        let Entry { name, is_buffer, .. } = self.entry(id);
        assert!(
            !is_buffer || self.buffers.load(Relaxed) != LEFT_BEHIND,
            "evaluation: \"{name}\" is not up to date: steps of training noted new values, the parameters have moved since, and the \
             values were never written: write them in each step, with `workspace.grads().apply_updates(&mut params)`, or step with an \
             optimizer, which does so"
        );
    }

    /// Whether both have the same names and shapes in the same order.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let (mut a, mut b) = (Params::new(), Params::<f64>::default());
    /// a.add("w", &array![1.0]);
    /// b.add("w", &array![2.0]);
    /// assert!(a.same_layout(&b)); // neither the numbers nor their type matter
    /// b.add("b", &array![0.0]);
    /// assert!(!a.same_layout(&b));
    /// ```
    #[inline]
    pub fn same_layout<U: Scalar>(&self, other: &Params<U>) -> bool {
        Arc::ptr_eq(&self.layout, &other.layout) || self.layout == other.layout
    }
}

impl<T: Scalar> Default for Params<T> {
    fn default() -> Self {
        Params {
            layout: Arc::default(),
            values: Buf::new(0),
            frozen: Vec::new(),
            prefix: String::new(),
            buffers: AtomicU8::new(WRITTEN),
        }
    }
}
impl<T: Scalar> fmt::Debug for Params<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_map().entries(self.ids().map(|id| (&self.entry(id).name, self.view(id)))).finish()
    }
}
impl<T: Scalar> Index<ParamId> for Params<T> {
    type Output = [T];
    #[track_caller]
    fn index(&self, id: ParamId) -> &[T] {
        &self.values[self.entry(id).range.clone()]
    }
}
impl<T: Scalar> IndexMut<ParamId> for Params<T> {
    #[track_caller]
    fn index_mut(&mut self, id: ParamId) -> &mut [T] {
        let Entry { range, is_buffer, .. } = self.entry(id);
        let (range, is_buffer) = (range.clone(), *is_buffer);
        if is_buffer {
            *self.buffers.get_mut() = WRITTEN;
        } else {
            self.moved();
        }
        &mut self.values[range]
    }
}

/// One of a list of parameters.
#[inline]
#[track_caller]
pub(crate) fn entry(entries: &[Entry], id: ParamId) -> &Entry {
    match entries.get(id.index()) {
        Some(entry) => entry,
        None => panic!(
            "parameter {} of {}: was this layer made with another set of parameters?",
            id.0,
            entries.len()
        ),
    }
}

/// A slice seen with a shape.
pub(crate) fn view<'a, T>(shape: &Shape, values: &'a [T]) -> ArrayViewD<'a, T> {
    ArrayViewD::from_shape(IxDyn(shape.dims()), values).expect("a value is as long as its shape says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_ends_where_it_is_dropped_also_by_a_panic() {
        let mut params = Params::<f32>::new();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut scope = params.scope("a");
            scope.scope("b").add_with("w", [1], |_| panic!("while it is filled"));
        }));
        assert!(panicked.is_err());
        let mut scope = params.scope("c");
        let mut copy = scope.clone();
        copy.add_with("outside", [1], |_| ());
        scope.add_with("inside", [1], |_| ());
        drop(scope);
        params.add_with("outside", [1], |_| ());
        let names = |params: &Params| Vec::from_iter(params.entries().iter().map(|entry| entry.name.clone()));
        assert_eq!(
            (names(&params), names(&copy)),
            (vec!["c.inside".into(), "outside".into()], vec!["outside".into()])
        );
    }
}
