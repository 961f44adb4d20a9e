//! [`Layout`]: names and axis order of parameters in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use surprisal_tensor::{Entry, ParamId, Params, Scalar, name_matches};

use super::{InterchangeError, Misfit, pattern_ids};
use crate::NameError;

/// Names and order of axes in a file of parameters.
///
/// | layer | parameter | [`Surprisal`](Layout::Surprisal) | [`PyTorch`](Layout::PyTorch) |
/// |---|---|---|---|
/// | `Linear` | `NAME.weight` | `[inputs, outputs]` | `[outputs, inputs]` |
/// | `Linear` | `NAME.bias` | `[outputs]` | the same |
/// | `Embedding` | `NAME.weight` | `[count, dim]` | the same |
/// | `LayerNorm`, `GroupNorm`, `BatchNorm1d` | `NAME.weight`, `NAME.bias` | `[features]` | the same |
/// | `BatchNorm1d` | `NAME.running_mean`, `NAME.running_var` | `[features]` | the same; `NAME.num_batches_tracked` is ignored |
/// | `Conv1d` | `NAME.weight` | `[outputs, channels / groups, length]` | the same |
/// | `Conv2d` | `NAME.weight` | `[outputs, channels / groups, height, width]` | the same |
/// | `ConvTranspose2d` | `NAME.weight` | `[channels, outputs / groups, height, width]` | the same |
/// | `Mlp` | `layer1.weight`, `layer2.weight`, .. | as they are called | `0.weight`, `2.weight`, .., as a `Sequential` with activations between counts |
/// | `Sequential` of parts | `layer1.weight`, `layer5.weight`, .. | as they are called | `0.weight`, `4.weight`, .., as a `Sequential` of the same parts counts |
///
/// A `NAME.weight` with two axes is a linear layer's if there is a `NAME.bias` as long as its second. The layers of an
/// [`Mlp`](surprisal_layers::Mlp) or a [`Sequential`](surprisal_layers::Sequential) may have any ascending numbers in a file that is read (with dropout between: `0`, `3`), behind any
/// common name (`net.0.weight`), or the names that they have here.
///
/// ```
/// use surprisal_train::Layout;
/// assert_eq!("pytorch".parse(), Ok(Layout::PyTorch));
/// assert_eq!(
///     "torch".parse::<Layout>().unwrap_err().to_string(),
///     "there is no layout \"torch\": choose surprisal or pytorch"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Layout {
    /// As [`Params`] holds them.
    #[default]
    Surprisal,
    /// As PyTorch's `state_dict` holds them.
    PyTorch,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Layout::Surprisal => "surprisal",
            Layout::PyTorch => "pytorch",
        })
    }
}

impl FromStr for Layout {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Layout, NameError> {
        let layouts = [Layout::Surprisal, Layout::PyTorch];
        let named = layouts.into_iter().find(|layout| layout.to_string() == text);
        named.ok_or_else(|| NameError::UnknownLayout { found: text.into() })
    }
}

/// What a file says of one array.
#[derive(Clone)]
pub(crate) struct Stored {
    pub name: String,
    /// "float32"
    pub dtype: String,
    /// The size of a number, if it is a floating-point number.
    pub float_bytes: Option<usize>,
    pub shape: Vec<usize>,
}

impl Layout {
    /// The bytes of the floating-point number that holds a `T`, or the value of a dual number.
    pub(crate) fn float_bytes<T: Scalar>() -> usize {
        if T::EPSILON == f64::from(f32::EPSILON) { 4 } else { 8 }
    }

    fn other(self) -> Layout {
        match self {
            Layout::Surprisal => Layout::PyTorch,
            Layout::PyTorch => Layout::Surprisal,
        }
    }

    /// Names, shapes and numbers of these parameters as they go to a file.
    pub(crate) fn arrays<T: Scalar>(
        self,
        params: &Params<T>,
        ids: Vec<ParamId>,
    ) -> impl Iterator<Item = (String, Vec<usize>, Vec<f64>)> {
        let sequential = self == Layout::PyTorch && layers_of(params).is_some();
        let between = if is_mlp(params) { 2 } else { 1 }; // an Mlp does not count its activations
        ids.into_iter().map(move |id| {
            let entry = params.entry(id);
            let name = match net_layer(&entry.name).filter(|_| sequential) {
                Some((layer, part)) => format!("{}.{part}", between * (layer - 1)),
                None => entry.name.clone(),
            };
            let values: Vec<f64> = params[id].iter().map(|value| value.value()).collect();
            let values = match entry.shape.dims() {
                &[rows, columns] if self.turns(params, id) => transposed(&values, rows, columns),
                _ => values,
            };
            (name, self.shape(params, id), values)
        })
    }

    /// Writes what a file holds of the parameters that a pattern means, all of them or none; `values(k)` are the numbers of the k-th array.
    pub(crate) fn load<T: Scalar>(
        self,
        path: &Path,
        params: &mut Params<T>,
        pattern: &str,
        stored: Vec<Stored>,
        values: impl Fn(usize) -> Result<Vec<f64>, InterchangeError>,
    ) -> Result<(), InterchangeError> {
        let ids = pattern_ids(params, pattern)?;
        let places = self.fit(params, pattern, &stored).map_err(|misfits| {
            let fits_other = self.other().fit(params, pattern, &stored).is_ok().then_some(self.other());
            InterchangeError::Misfit { path: path.into(), misfits, fits_other }
        })?;
        let mut all = params.clone();
        for (id, place) in ids.into_iter().zip(places) {
            let mut values = values(place)?;
            if let (true, &[rows, columns]) = (self.turns(params, id), params.entry(id).shape.dims()) {
                values = transposed(&values, columns, rows);
            }
            all[id].iter_mut().zip(values).for_each(|(slot, value)| *slot = T::of(value));
        }
        *params = all;
        Ok(())
    }

    /// Which array each parameter that a pattern means is in, in order; or everything that does not fit. Other parameters, and arrays of
    /// other names, do not matter.
    pub(crate) fn fit<T: Scalar>(
        self,
        params: &Params<T>,
        pattern: &str,
        stored: &[Stored],
    ) -> Result<Vec<usize>, Vec<Misfit>> {
        let names = self.names_here(params, stored);
        let (mut places, mut misfits) = (Vec::new(), Vec::new());
        for id in params.ids().filter(|&id| params.entry(id).matches(pattern)) {
            let (name, expected) = (&params.entry(id).name, self.shape(params, id));
            let mut misfit = |expected: String, found: Option<String>| {
                misfits.push(Misfit { name: name.clone(), expected: Some(expected), found });
            };
            let Some(place) = names.iter().position(|known| known == name) else {
                misfit(format!("{expected:?}"), None);
                continue;
            };
            let Stored { shape, float_bytes, dtype, .. } = &stored[place];
            if *shape != expected {
                misfit(format!("{expected:?}"), Some(format!("{shape:?}")));
            } else if float_bytes.is_none_or(|bytes| bytes > Self::float_bytes::<T>()) {
                let all = ["float16", "bfloat16", "float32", "float64"];
                let read = &all[..if Self::float_bytes::<T>() == 4 { 3 } else { 4 }];
                misfit(read.join(", "), Some(dtype.clone()));
            }
            places.push(place);
        }
        for (name, stored) in names.iter().zip(stored) {
            let counter = self == Layout::PyTorch && name.ends_with(".num_batches_tracked");
            if name_matches(name, pattern) && params.find(name).is_none() && !counter {
                let found = Some(format!("{:?}", stored.shape));
                misfits.push(Misfit { name: stored.name.clone(), expected: None, found });
            }
        }
        if misfits.is_empty() { Ok(places) } else { Err(misfits) }
    }

    /// What the arrays of a file are called here: the numbered layers of a `Sequential` are those of the net, in ascending order.
    fn names_here<T: Scalar>(self, params: &Params<T>, stored: &[Stored]) -> Vec<String> {
        let as_they_are = || stored.iter().map(|stored| stored.name.clone()).collect();
        let Some(here) = layers_of(params).filter(|_| self == Layout::PyTorch) else { return as_they_are() };
        if stored.iter().any(|stored| net_layer(&stored.name).is_some()) {
            return as_they_are();
        }
        // the layers have one name in common; what has another is none of them
        let mut stems = BTreeMap::<&str, BTreeSet<u32>>::new();
        for (stem, number, _) in stored.iter().filter_map(|stored| numbered(&stored.name)) {
            stems.entry(stem).or_default().insert(number);
        }
        let Some((common, numbers)) = stems.into_iter().rev().max_by_key(|(_, numbers)| numbers.len()) else {
            return as_they_are();
        };
        let more = here.last().map_or(1, |last| last + 1)..;
        let layers: BTreeMap<u32, usize> = numbers.into_iter().zip(here.into_iter().chain(more)).collect();
        let name = |stored: &Stored| match numbered(&stored.name) {
            Some((stem, number, part)) if stem == common => format!("layer{}.{part}", layers[&number]),
            _ => stored.name.clone(),
        };
        stored.iter().map(name).collect()
    }

    /// The shape that a parameter has in a file.
    fn shape<T: Scalar>(self, params: &Params<T>, id: ParamId) -> Vec<usize> {
        let mut shape = params.entry(id).shape.dims().to_vec();
        if self.turns(params, id) {
            shape.reverse();
        }
        shape
    }

    /// Whether a parameter is the weight of a linear layer, which PyTorch holds transposed.
    fn turns<T: Scalar>(self, params: &Params<T>, id: ParamId) -> bool {
        let Entry { name, shape, .. } = params.entry(id);
        let (Some(layer), &[_, outputs]) = (name.strip_suffix(".weight"), shape.dims()) else { return false };
        let bias = params.find(&format!("{layer}.bias"));
        self == Layout::PyTorch && bias.is_some_and(|bias| params.entry(bias).shape.dims() == [outputs])
    }
}

const PARTS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

/// "net.2.weight", a parameter of a numbered layer, as "net", 2 and "weight".
fn numbered(name: &str) -> Option<(&str, u32, &str)> {
    let (layer, part) = name.rsplit_once('.')?;
    let (stem, number) = layer.rsplit_once('.').unwrap_or(("", layer));
    let number = number.parse().ok()?;
    PARTS.contains(&part).then_some((stem, number, part))
}

/// "layer2.weight", a name that an `Mlp` or a `Sequential` gives, as 2 and "weight".
fn net_layer(name: &str) -> Option<(usize, &str)> {
    let (number, part) = name.strip_prefix("layer")?.split_once('.')?;
    let layer = number.parse().ok().filter(|&layer| layer > 0)?;
    PARTS.contains(&part).then_some((layer, part))
}

/// The numbers of the layers, if all parameters are those of an `Mlp` or a `Sequential`.
fn layers_of<T: Scalar>(params: &Params<T>) -> Option<BTreeSet<usize>> {
    params.entries().iter().map(|entry| net_layer(&entry.name).map(|(layer, _)| layer)).collect()
}

/// Whether all parameters are those of an `Mlp`: two for each layer, of which the weight is a matrix.
fn is_mlp<T: Scalar>(params: &Params<T>) -> bool {
    let layer = |(k, entry): (usize, &Entry)| {
        net_layer(&entry.name).is_some_and(|(layer, _)| layer == k / 2 + 1) && entry.shape.rank() == 2 - k % 2
    };
    params.entries().iter().enumerate().all(layer)
}

/// The transpose of a matrix of so many rows and columns.
pub(crate) fn transposed<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}
