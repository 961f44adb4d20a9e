//! Triplet margin loss of a labeled batch, which chooses its own triplets.
//!
#![doc = surprisal_formula_macro::math!("l = max(0, D(a, p) - D(a, n) + margin)")]
#![doc = surprisal_formula_macro::math!("D(x, y) = ‖x - y‖")]
//!
//! [`triplet_margin_loss`](mod@crate::triplet_margin_loss) compares an anchor a with a positive p, of the same label, and a negative n, of
//! another. A batch of 100 rows has tens of thousands of such triplets, and soon most of them have the loss 0: what a
//! network learns depends on the choice. [`Mining`] has the three usual ones:
//!
//! | choice | triplets | mean over |
//! |---|---|---|
//! | [`BatchHard`](Mining::BatchHard) | for each anchor its farthest positive and its nearest negative | all of them |
//! | [`SemiHard`](Mining::SemiHard) | for each anchor and each of its positives the nearest negative that is farther than the positive; if there is none, the farthest negative | all of them |
//! | [`BatchAll`](Mining::BatchAll) | all | those whose loss is above 0 |
//!
//! The hardest triplets of a batch teach the most, and are also those with wrong labels; at the start of a training they
//! can draw all rows into one point, where every distance and every gradient is 0. Semi-hard triplets avoid that: their
//! negatives are farther than the positive, but within the margin. A nearest farther negative beyond the margin has the
//! loss 0. The mean of all triplets over those above 0 keeps its size when most triplets are right already.
//!
//! The choice has no gradient. Distances for it are computed in `f64`; where they are equal, the row with the smallest index
//! is chosen. A distance that is NaN counts as the hardest, so that the loss is NaN too.
//!
//! # The gradient
//!
//! That of [`triplet_margin_loss`](mod@crate::triplet_margin_loss) with ε = 0, summed over the triplets of a row. Each distance is computed
//! once, however many triplets contain it.
//!
//! # Source
//!
//! Schroff, Kalenichenko and Philbin 2015, "FaceNet" (semi-hard; the farthest negative if there is none, as in TensorFlow
//! Addons); Hermans, Beyer and Leibe 2017, "In defense of the triplet loss for person re-identification" (batch hard, and
//! batch all with the mean over what is not 0).

use surprisal_tensor::ndarray::Ix2;
use surprisal_tensor::{Read, Scalar, Var};

use crate::kinds::data::check_not_negative;
use crate::kinds::labels::{LabelList, Labeled};
use crate::kinds::pointwise::not_empty;
use crate::supcon_loss::UnitRows;
use crate::{Label, LossError};

const NAME: &str = "batch_triplet_loss";

/// Which triplets of a batch are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mining {
    /// For each anchor that has a positive, its farthest positive and its nearest negative.
    #[default]
    BatchHard,
    /// For each anchor and each of its positives, the nearest negative that is farther than the positive, or, if none is,
    /// the farthest negative.
    SemiHard,
    /// Every anchor with each of its positives and each of its negatives.
    BatchAll,
}

/// Rows of a batch, by their indices: the k-th triplet is the k-th of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Triplets {
    /// The rows that are compared with two others.
    pub anchors: Vec<usize>,
    /// For each, another row of its label.
    pub positives: Vec<usize>,
    /// For each, a row of another label.
    pub negatives: Vec<usize>,
}

impl Triplets {
    fn push(&mut self, anchor: usize, positive: usize, negative: usize) {
        self.anchors.push(anchor);
        self.positives.push(positive);
        self.negatives.push(negative);
    }
    /// Returns the number of triplets.
    pub fn len(&self) -> usize {
        self.anchors.len()
    }
    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }
}

impl Mining {
    /// Chooses triplets by the distances of rows of `features`, `[rows, numbers]`, as they are; `labels` are integers of any type, one for
    /// each row.
    ///
    /// For each anchor in the order of the rows, its positives and then its negatives are in this order too.
    ///
    /// ```
    /// use surprisal_loss::{Mining, triplet_margin_loss};
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::<f64>::default();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let features = tape.input(&array![[0.0], [1.0], [3.0], [2.5]]);
    /// let triplets = Mining::SemiHard.triplets(features, &[7, 7, 7, 4])?;
    /// assert_eq!(triplets.anchors, [0, 0, 1, 1, 2, 2]);
    /// assert_eq!(triplets.positives, [1, 2, 0, 2, 0, 1]); // row 3 is the only negative
    /// let of = |rows: &[usize]| features.index_select(0, rows);
    /// let loss =
    ///     triplet_margin_loss(of(&triplets.anchors), of(&triplets.positives), of(&triplets.negatives));
    /// assert!((loss.item() - (0.0 + 1.5 + 0.5 + 1.5 + 3.5 + 2.5) / 6.0).abs() < 1e-5); // a margin of 1
    /// # Ok::<(), surprisal_loss::LossError>(())
    /// ```
    ///
    /// # Errors
    /// If the features are not `[rows, numbers]` or are empty, if the labels are not as many as the rows, if no two labels are equal, or
    /// if all are.
    #[track_caller]
    pub fn triplets(self, features: Var, labels: &[impl Label]) -> Result<Triplets, LossError> {
        self.chosen(features, &labels)
    }

    #[track_caller]
    fn chosen(self, features: Var, labels: &dyn LabelList) -> Result<Triplets, LossError> {
        let shape = features.shape();
        let &[rows, _] = shape.dims() else {
            let message = format!("the features are {shape}: they must be [rows, numbers]");
            return Err(LossError::shape(NAME, message));
        };
        Labeled { loss: NAME, input: "features" }.check_count(labels.len(), rows, &shape)?;
        not_empty(&shape).map_err(|message| LossError::shape(NAME, message))?;
        let labels = Vec::from_iter((0..rows).map(|row| labels.at(row)));
        let same = |i: usize, j: usize| labels[i] == labels[j];
        if rows == 1 {
            let message = format!("the batch {shape} is one row: it has no other to be compared with");
            return Err(LossError::shape(NAME, message));
        }
        if !(0..rows).any(|i| (0..i).any(|j| same(i, j))) {
            let message = format!("all {rows} labels differ, so no row has a positive");
            return Err(LossError::data(NAME, message + ": larger batches have some"));
        }
        if (1..rows).all(|i| same(0, i)) {
            let message = format!("all {rows} labels are equal, so no row has a negative");
            return Err(LossError::data(NAME, message + ": are the rows sorted by label? Shuffle them"));
        }

        let squares = squared_distances(features);
        let mut triplets = Triplets::default();
        for anchor in 0..rows {
            let to = |row: usize| squares[anchor * rows + row];
            let positives = || (0..rows).filter(|&row| row != anchor && same(anchor, row));
            let negatives = || (0..rows).filter(|&row| !same(anchor, row));
            match self {
                Mining::BatchHard => {
                    let near = first_lowest(negatives(), |row| low_if_nan(to(row)));
                    let far = first_lowest(positives(), |row| low_if_nan(-to(row)));
                    if let (Some(positive), Some(negative)) = (far, near) {
                        triplets.push(anchor, positive, negative);
                    }
                }
                Mining::SemiHard => {
                    for positive in positives() {
                        let is_farther = |&row: &usize| to(row) > to(positive) || to(row).is_nan();
                        let near = first_lowest(negatives().filter(is_farther), |row| low_if_nan(to(row)));
                        if let Some(negative) = near.or_else(|| first_lowest(negatives(), |row| -to(row))) {
                            triplets.push(anchor, positive, negative);
                        }
                    }
                }
                Mining::BatchAll => {
                    for positive in positives() {
                        negatives().for_each(|negative| triplets.push(anchor, positive, negative));
                    }
                }
            }
        }
        Ok(triplets)
    }
}

/// The first row with the lowest key.
fn first_lowest(rows: impl Iterator<Item = usize>, key: impl Fn(usize) -> f64) -> Option<usize> {
    rows.min_by(|&a, &b| key(a).total_cmp(&key(b)))
}

fn low_if_nan(x: f64) -> f64 {
    if x.is_nan() { f64::NEG_INFINITY } else { x + 0.0 } // -0 is 0
}

/// `[rows, rows]`, in `f64`: equal for rows in either order.
fn squared_distances(features: Var) -> Vec<f64> {
    let x = features.value().into_dimensionality::<Ix2>().expect("the features are [rows, numbers]");
    let rows = x.nrows();
    let columns = Vec::from_iter(x.columns().into_iter().map(|column| column.to_vec()));
    let mut squares = vec![0.0; rows * rows];
    for i in 0..rows {
        let row = &mut squares[i * rows..][..i];
        for column in &columns {
            for (square, &y) in row.iter_mut().zip(column) {
                *square += (column[i] - y) * (column[i] - y);
            }
        }
        for j in 0..i {
            squares[j * rows + i] = squares[i * rows + j];
        }
    }
    squares
}

/// The triplet margin loss of a batch with labels.
///
/// ```
/// use surprisal_loss::{BatchTripletLoss, Mining};
/// use surprisal_tensor::{Params, Workspace, ndarray::array};
/// let params = Params::<f64>::default();
/// let mut workspace = Workspace::new();
/// let tape = workspace.tape(&params);
/// let features = tape.input(&array![[0.0], [1.0], [3.0], [2.5]]).requires_grad();
/// let loss = |mining| BatchTripletLoss { mining, margin: 1.0, normalize: false }.loss(features, &[7, 7, 7, 4]);
/// assert_eq!(loss(Mining::BatchHard).item(), (1.5 + 1.5 + 3.5) / 3.0); // from the rows 0, 1 and 2
/// assert_eq!(loss(Mining::BatchAll).item(), (1.5 + 0.5 + 1.5 + 3.5 + 2.5) / 5.0); // one of the six is 0
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BatchTripletLoss {
    /// Which triplets are chosen. The default is the hardest of each anchor.
    pub mining: Mining,
    /// How much nearer the positive must be than the negative: 0 or more. The default is 0.2, as in FaceNet, for rows of length 1.
    pub margin: f64,
    /// Whether rows are brought to length 1 first, as in [`SupconLoss`](crate::SupconLoss). By default they are: distances are then from
    /// 0 to 2.
    pub normalize: bool,
}

impl Default for BatchTripletLoss {
    fn default() -> Self {
        BatchTripletLoss { mining: Mining::default(), margin: 0.2, normalize: true }
    }
}

impl BatchTripletLoss {
    /// Records the loss: `features` are `[rows, numbers]`; `labels` are integers of any type, one for each row, and only compared with each
    /// other. Rows without a positive are no anchors.
    ///
    /// # Panics
    /// At the caller's line, where [`try_loss`](Self::try_loss) returns an error.
    #[track_caller]
    pub fn loss<'t>(&self, features: Var<'t>, labels: &[impl Label]) -> Var<'t> {
        crate::error::unwrap(self.try_loss(features, labels))
    }

    /// The same with a `Result`.
    ///
    /// # Errors
    /// As [`Mining::triplets`], and if the margin is negative or not finite.
    #[track_caller]
    pub fn try_loss<'t>(&self, features: Var<'t>, labels: &[impl Label]) -> Result<Var<'t>, LossError> {
        self.recorded(features, &labels)
    }

    #[track_caller]
    fn recorded<'t>(&self, features: Var<'t>, labels: &dyn LabelList) -> Result<Var<'t>, LossError> {
        check_not_negative(NAME, "margin", self.margin)?;
        let is_table = features.shape().rank() == 2 && !features.shape().dims().contains(&0);
        let x = match self.normalize && is_table {
            true => features.tape().apply(UnitRows, [features]),
            false => features, // which is refused below if it is no table
        };
        let triplets = self.mining.chosen(x, labels)?;
        let mut distances =
            Distances { rows: labels.len(), index: vec![None; labels.len().pow(2)], of: [vec![], vec![]] };
        let pairs = |others: &[usize], distances: &mut Distances| {
            let pairs = triplets.anchors.iter().zip(others);
            Vec::from_iter(pairs.map(|(&anchor, &other)| distances.index(anchor, other)))
        };
        let [near, far] =
            [&triplets.positives, &triplets.negatives].map(|others| pairs(others, &mut distances));
        let [first, second] = distances.of.map(|rows| x.index_select(0, &rows));
        let distance = (first - second).norm_axis(1);
        let losses = (distance.index_select(0, &near) - distance.index_select(0, &far) + self.margin).relu();
        Ok(match self.mining {
            Mining::BatchHard | Mining::SemiHard => losses.mean(),
            Mining::BatchAll => losses.sum() / losses.read(NotZero).max(1) as f64,
        })
    }
}

/// The pairs of rows whose distance is needed, each once.
struct Distances {
    rows: usize,
    index: Vec<Option<usize>>,
    of: [Vec<usize>; 2],
}

impl Distances {
    fn index(&mut self, a: usize, b: usize) -> usize {
        let Distances { rows, index, of: [first, second] } = self;
        *index[a.min(b) * *rows + a.max(b)].get_or_insert_with(|| {
            first.push(a);
            second.push(b);
            first.len() - 1
        })
    }
}

/// How many numbers are not 0.
struct NotZero;
impl Read for NotZero {
    type Out = usize;
    fn read<T: Scalar>(self, losses: &[T]) -> usize {
        losses.iter().filter(|&&loss| loss != T::ZERO).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TripletMarginLoss;
    use surprisal_tensor::ndarray::{Array2, ArrayD, array};
    use surprisal_tensor::{Params, Workspace, check_gradient};

    const ALL: [Mining; 3] = [Mining::BatchHard, Mining::SemiHard, Mining::BatchAll];
    const LABELS: [u8; 9] = [3, 1, 3, 3, 0, 1, 3, 1, 8]; // 0 and 8 have no positive

    fn features() -> ArrayD<f64> {
        Array2::from_shape_fn((9, 3), |(i, j)| ((i * 3 + j) as f64 * 1.7).sin() * 2.0).into_dyn()
    }

    fn chosen(mining: Mining, x: &ArrayD<f64>, labels: &[u8]) -> Vec<[usize; 3]> {
        let params = Params::<f64>::default();
        let mut workspace = Workspace::new();
        let tape = workspace.tape(&params);
        let Triplets { anchors, positives, negatives } = mining.triplets(tape.input(x), labels).unwrap();
        (0..anchors.len()).map(|k| [anchors[k], positives[k], negatives[k]]).collect()
    }

    /// The definitions, over all triples of rows: a triplet is chosen if no other is better.
    fn defined(mining: Mining, x: &ArrayD<f64>, labels: &[u8]) -> Vec<[usize; 3]> {
        let rows = labels.len();
        let d = |i: usize, j: usize| (0..x.shape()[1]).map(|k| (x[[i, k]] - x[[j, k]]).powi(2)).sum::<f64>();
        let mut all = vec![];
        for a in 0..rows {
            for p in 0..rows {
                for n in 0..rows {
                    if a != p && labels[a] == labels[p] && labels[a] != labels[n] {
                        all.push([a, p, n]);
                    }
                }
            }
        }
        let others = all.clone();
        all.retain(|&[a, p, n]| {
            let mut of_anchor = others.iter().filter(|other| other[0] == a);
            let mut of_pair = others.iter().filter(|other| other[..2] == [a, p]);
            match mining {
                Mining::BatchAll => true,
                Mining::BatchHard => of_anchor.all(|&[_, q, m]| {
                    let farther = d(a, q) > d(a, p) || d(a, q) == d(a, p) && q < p;
                    let nearer = d(a, m) < d(a, n) || d(a, m) == d(a, n) && m < n;
                    !farther && !nearer
                }),
                Mining::SemiHard if of_pair.clone().any(|&[_, _, m]| d(a, m) > d(a, p)) => {
                    d(a, n) > d(a, p)
                        && of_pair.all(|&[_, _, m]| {
                            let between = d(a, m) > d(a, p) && d(a, m) < d(a, n);
                            !(between || d(a, m) == d(a, n) && m < n)
                        })
                }
                Mining::SemiHard => {
                    of_pair.all(|&[_, _, m]| d(a, m) < d(a, n) || d(a, m) == d(a, n) && m >= n)
                }
            }
        });
        all
    }

    #[test]
    fn triplets_are_those_of_the_definitions() {
        for mining in ALL {
            assert_eq!(
                chosen(mining, &features(), &LABELS),
                defined(mining, &features(), &LABELS),
                "{mining:?}"
            );
            for salt in 0..200 {
                let rows = 4 + salt % 9;
                let labels = Vec::from_iter((0..rows).map(|i| ((i * (salt + 3)) % 7 % 3) as u8));
                if labels.iter().all(|l| *l == labels[0]) {
                    continue;
                }
                // on a grid many distances are equal, and rows too
                let x =
                    Array2::from_shape_fn((rows, 2), |(i, j)| ((i * i * 5 + j * 7 + salt * i) % 4) as f64);
                let x = x.into_dyn();
                assert_eq!(chosen(mining, &x, &labels), defined(mining, &x, &labels), "{mining:?}, {salt}");
            }
        }
        assert_eq!(chosen(Mining::BatchAll, &features(), &LABELS).len(), 4 * 3 * 5 + 3 * 2 * 6);
        assert_eq!(chosen(Mining::SemiHard, &features(), &LABELS).len(), 4 * 3 + 3 * 2);
        assert_eq!(chosen(Mining::BatchHard, &features(), &LABELS).len(), 4 + 3);
    }

    #[test]
    fn a_pair_without_a_farther_negative_takes_the_farthest() {
        let x = array![[0.0], [5.0], [1.0], [3.0], [2.0]].into_dyn();
        let of_pair = |x: &ArrayD<f64>| {
            chosen(Mining::SemiHard, x, &[0, 0, 1, 1, 2]).into_iter().find(|t| t[..2] == [0, 1]).unwrap()
        };
        assert_eq!(of_pair(&x), [0, 1, 3]);
        let x = array![[0.0], [2.0], [1.0], [3.0], [2.0]].into_dyn(); // as far is not farther
        assert_eq!(of_pair(&x), [0, 1, 3]);
    }

    #[test]
    fn equals_the_triplet_margin_loss_of_its_triplets() {
        for mining in ALL {
            for (margin, normalize) in [(0.2, true), (1.5, false), (0.0, true)] {
                check_gradient(&[features()], |_, x| {
                    let x = x[0];
                    let z = if normalize { x / (x * x).sum_axis(-1).sqrt().unsqueeze(-1) } else { x };
                    let Triplets { anchors, positives, negatives } = mining.triplets(z, &LABELS).unwrap();
                    let [a, p, n] = [&anchors, &positives, &negatives].map(|rows| z.index_select(0, rows));
                    let plain = TripletMarginLoss { margin, eps: 0.0, ..Default::default() }.loss(a, p, n);
                    let each = (plain.item() * anchors.len() as f64, anchors.len());
                    let above = anchors.iter().zip(&positives).zip(&negatives).filter(|((a, p), n)| {
                        let d = |i: usize, j: usize| {
                            (0..3)
                                .map(|k| (z.value()[[i, k]] - z.value()[[j, k]]).powi(2))
                                .sum::<f64>()
                                .sqrt()
                        };
                        d(**a, **p) - d(**a, **n) + margin > 0.0
                    });
                    let above = above.count();
                    let plain = match mining {
                        Mining::BatchAll => plain * (each.1 as f64 / above as f64),
                        _ => plain,
                    };
                    assert!(above > 0 && above < each.1 || mining != Mining::BatchAll, "{above} of {each:?}");
                    crate::definition::same(
                        BatchTripletLoss { mining, margin, normalize }.loss(x, &LABELS),
                        plain,
                    )
                });
            }
        }
    }

    #[test]
    fn without_a_wrong_triplet_the_loss_is_zero_and_depends_on_the_features() {
        for mining in ALL {
            let params = Params::<f64>::default();
            let mut workspace = Workspace::new();
            let tape = workspace.tape(&params);
            let x = tape.input(&array![[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]).requires_grad();
            let loss = BatchTripletLoss { mining, ..Default::default() }.loss(x, &[0, 0, 1, 1]);
            loss.backward();
            assert_eq!((loss.item(), x.grad().unwrap().iter().all(|d| *d == 0.0)), (0.0, true));
        }
    }

    #[test]
    fn nan_is_seen() {
        for mining in ALL {
            for (row, labels) in [(0, [0, 0, 1, 1, 2]), (4, [0, 0, 1, 1, 2])] {
                let params = Params::new();
                let mut workspace = Workspace::new();
                let tape = workspace.tape(&params);
                let mut x =
                    array![[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0], [1.0, 0.5]].mapv(|x| x as f32);
                x[[row, 1]] = f32::NAN;
                let loss = BatchTripletLoss { mining, ..Default::default() }.loss(tape.input(&x), &labels);
                assert!(loss.item().is_nan(), "{mining:?}: {}", loss.item());
            }
        }
    }
}
