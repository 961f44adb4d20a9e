//! Which parameters are trained.

use std::ops::Range;

use super::{Entry, NoSuchParameter, ParamId, Params};
use crate::Scalar;

impl<T: Scalar> Params<T> {
    /// Stops training this parameter: no gradient is computed for it and no optimizer moves it.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let w = params.add("w", &array![1.0, 2.0]);
    /// let b = params.add("b", &array![0.0]);
    /// params.freeze(w);
    /// assert!(!params.is_trainable(w) && params.is_trainable(b));
    /// assert_eq!(params.trainable_spans().collect::<Vec<_>>(), [2..3]);
    /// ```
    #[track_caller]
    pub fn freeze(&mut self, id: ParamId) {
        self.entry(id);
        self.frozen[id.index()] = true;
    }
    /// Undoes [`freeze`](Self::freeze); a buffer is never trained.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let w = params.add("w", &array![1.0]);
    /// params.freeze(w);
    /// assert!(!params.is_trainable(w));
    /// params.unfreeze(w);
    /// assert!(params.is_trainable(w));
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if it is a buffer.
    #[track_caller]
    pub fn unfreeze(&mut self, id: ParamId) {
        let Entry { name, is_buffer, .. } = self.entry(id);
        assert!(
            !is_buffer,
            "unfreeze: \"{name}\" is a buffer, which is never trained: its values come from `tape.update`; add what gradients are to \
             move with `params.add`"
        );
        self.frozen[id.index()] = false;
    }
    /// Every parameter that a pattern means, buffers too: see [`Entry::matches`].
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let [_, b, c] = ["hidden.weight", "hidden.bias", "out.bias"].map(|name| params.add(name, &array![0.0]));
    /// assert_eq!(params.matching("*.bias")?, [b, c]);
    /// assert_eq!(
    ///     params.matching("hiden").unwrap_err().to_string(),
    ///     "no parameter matches \"hiden\" | there are \"hidden.weight\", \"hidden.bias\", \"out.bias\""
    /// );
    /// # Ok::<(), surprisal_tensor::NoSuchParameter>(())
    /// ```
    ///
    /// # Errors
    /// If it matches none.
    pub fn matching(&self, pattern: &str) -> Result<Vec<ParamId>, NoSuchParameter> {
        let ids: Vec<_> = self.ids().filter(|&id| self.entry(id).matches(pattern)).collect();
        if ids.is_empty() { Err(NoSuchParameter::new(pattern, self)) } else { Ok(ids) }
    }
    /// [`freeze`](Self::freeze) of every parameter that a pattern means: a layer's name, or `"*.bias"`.
    ///
    /// ```
    /// use surprisal_tensor::{Params, ndarray::array};
    /// let mut params = Params::new();
    /// let [w, b, out] = ["hidden.weight", "hidden.bias", "out.weight"].map(|name| params.add(name, &array![0.0]));
    /// params.freeze_named("hidden")?;
    /// assert_eq!([w, b, out].map(|id| params.is_trainable(id)), [false, false, true]);
    /// params.unfreeze_named("*.bias")?;
    /// assert_eq!([w, b, out].map(|id| params.is_trainable(id)), [false, true, true]);
    /// # Ok::<(), surprisal_tensor::NoSuchParameter>(())
    /// ```
    ///
    /// # Errors
    /// If it matches none, or buffers only, which are never trained.
    pub fn freeze_named(&mut self, pattern: &str) -> Result<(), NoSuchParameter> {
        self.matching_parameters(pattern)?.into_iter().for_each(|id| self.freeze(id));
        Ok(())
    }
    /// [`unfreeze`](Self::unfreeze) of every parameter that a pattern means. Buffers, such as a layer's running means, stay as they are.
    ///
    /// See the example of [`freeze_named`](Self::freeze_named).
    ///
    /// # Errors
    /// If it matches none, or buffers only.
    pub fn unfreeze_named(&mut self, pattern: &str) -> Result<(), NoSuchParameter> {
        self.matching_parameters(pattern)?.into_iter().for_each(|id| self.unfreeze(id));
        Ok(())
    }
    /// Those that a pattern means and that are no buffers.
    fn matching_parameters(&self, pattern: &str) -> Result<Vec<ParamId>, NoSuchParameter> {
        let is_parameter = |id: &ParamId| !self.entry(*id).is_buffer;
        let ids: Vec<_> = self.matching(pattern)?.into_iter().filter(is_parameter).collect();
        if !ids.is_empty() {
            return Ok(ids);
        }
        let names = self.ids().filter(is_parameter).map(|id| self.entry(id).name.clone()).collect();
        Err(NoSuchParameter { pattern: pattern.to_string(), names })
    }
    /// Whether an optimizer may move this parameter.
    #[inline]
    #[track_caller]
    pub fn is_trainable(&self, id: ParamId) -> bool {
        self.entry(id);
        !self.frozen[id.index()]
    }
    /// The parts of [`as_slice`](Self::as_slice) that an optimizer may move: one, unless something is frozen.
    ///
    /// See the example of [`freeze`](Self::freeze).
    pub fn trainable_spans(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let mut next = 0;
        std::iter::from_fn(move || {
            let first = (next..self.frozen.len()).find(|&i| !self.frozen[i])?;
            let end = (first..self.frozen.len()).find(|&i| self.frozen[i]).unwrap_or(self.frozen.len());
            next = end;
            Some(self.layout[first].range.start..self.layout[end - 1].range.end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_never_trained_and_patterns_of_freezing_pass_them_over() {
        let mut params = Params::<f64>::default();
        let w = params.add_with("norm.weight", [2], |w| w.fill(1.0));
        let mean = params.scope("norm").add_buffer_with("running_mean", [2], |_| ());
        let b = params.add_with("out.bias", [1], |_| ());
        assert_eq!(params.trainable_spans().collect::<Vec<_>>(), [0..2, 4..5]);
        params.unfreeze_named("*").unwrap();
        assert!(!params.is_trainable(mean) && params.is_trainable(w) && params.is_trainable(b));
        params.freeze_named("norm").unwrap();
        params.freeze(mean);
        let spans: Vec<_> = params.trainable_spans().collect();
        assert_eq!((spans.len(), spans[0].clone()), (1, 4..5));
        let error = params.unfreeze_named("*.running_mean").unwrap_err();
        assert_eq!(error.names, ["norm.weight", "out.bias"]); // a buffer is no parameter
        for other in [params.clone(), params.map(|v| v)] {
            assert!(other.entry(mean).is_buffer && !other.is_trainable(mean));
        }
        let mut parameters = Params::<f64>::default();
        parameters.add_with("norm.weight", [2], |_| ());
        parameters.add_with("norm.running_mean", [2], |_| ());
        parameters.add_with("out.bias", [1], |_| ());
        assert!(!params.same_layout(&parameters));
    }
}
