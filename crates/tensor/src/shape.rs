//! Shapes, and the messages if they do not fit.

use std::fmt;

/// The number of axes a tensor may have.
pub const MAX_RANK: usize = 5;

/// The lengths of a tensor's axes: `[]` for a single number, `[64]`, `[64, 784]`, up to five axes.
///
/// ```
/// use surprisal_tensor::Shape;
/// let shape = Shape::from([64, 784]);
/// assert_eq!(shape.dims(), [64, 784]);
/// assert_eq!(shape.len(), 50_176);
/// assert_eq!(shape.to_string(), "[64, 784]");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    rank: usize,
    dims: [usize; MAX_RANK], // beyond `rank`: 0, so that equality may look at all of it
}

impl Shape {
    /// The shape of a single number, `[]`.
    pub const SCALAR: Shape = Shape { rank: 0, dims: [0; MAX_RANK] };

    /// The shape with these lengths; an array of lengths is one too: `Shape::from([64, 784])`.
    ///
    /// ```
    /// use surprisal_tensor::Shape;
    /// let image = vec![28, 28]; // a length that is known when the program runs
    /// assert_eq!(Shape::new(&image), Shape::from([28, 28]));
    /// assert_eq!(Shape::new(&[]), Shape::SCALAR);
    /// ```
    ///
    /// # Panics
    /// At the caller's line, where [`try_new`](Self::try_new) is an error.
    #[inline]
    #[track_caller]
    pub fn new(dims: &[usize]) -> Shape {
        match Shape::try_new(dims) {
            Ok(shape) => shape,
            Err(error) => panic!("{error}"),
        }
    }

    /// [`new`](Self::new), with lengths that no tensor can have as an error.
    ///
    /// Axes of length 0 do not count in the number of elements: a shape without one of its axes is a shape too, and no product of
    /// some of its lengths overflows.
    ///
    /// ```
    /// use surprisal_tensor::Shape;
    /// assert_eq!(Shape::try_new(&[2, 3])?, Shape::from([2, 3]));
    /// let error = Shape::try_new(&[0, 3, usize::MAX]).unwrap_err().to_string();
    /// assert!(error.ends_with("has more elements than this machine can address"), "{error}");
    /// # Ok::<(), surprisal_tensor::ShapeError>(())
    /// ```
    ///
    /// # Errors
    /// If there are more than [`MAX_RANK`] axes, or the lengths that are not 0 multiply to more than `isize::MAX`.
    #[inline]
    pub fn try_new(dims: &[usize]) -> Result<Shape, ShapeError> {
        let (mut padded, mut elements, mut fits) = ([0; MAX_RANK], 1usize, dims.len() <= MAX_RANK);
        for (slot, &length) in padded.iter_mut().zip(dims) {
            *slot = length;
            let (product, overflows) = elements.overflowing_mul(length.max(1));
            (elements, fits) = (product, fits & !overflows);
        }
        if !fits || elements > isize::MAX as usize {
            return Err(ShapeError::of_no_tensor(dims));
        }
        Ok(Shape { rank: dims.len(), dims: padded })
    }

    /// The lengths of the axes.
    #[inline]
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The number of elements; 1 for `[]`.
    #[inline]
    #[allow(clippy::len_without_is_empty)] // a shape is not a container; zero rows are `len() == 0`
    pub fn len(&self) -> usize {
        self.dims().iter().product()
    }

    /// The place of an axis counted from the front (0, 1, ..) or from the back (-1, -2, ..).
    ///
    /// ```
    /// use surprisal_tensor::Shape;
    /// let shape = Shape::from([64, 784]);
    /// assert_eq!((shape.axis(1), shape.axis(-1)), (Ok(1), Ok(1)));
    /// assert_eq!(
    ///     shape.axis(2).unwrap_err().to_string(),
    ///     "there is no axis 2\n  hint: axes are 0 to 1 from the front, -1 to -2 from the back"
    /// );
    /// ```
    pub fn axis(&self, axis: isize) -> Result<usize, ShapeError> {
        let place = if axis < 0 { axis + self.rank as isize } else { axis };
        match usize::try_from(place) {
            Ok(place) if place < self.rank => Ok(place),
            _ if self.rank == 0 => Err(ShapeError::new(format!("a single number has no axis {axis}"))),
            _ => Err(ShapeError::new(format!("there is no axis {axis}")).hint(format!(
                "axes are 0 to {0} from the front, -1 to -{1} from the back",
                self.rank - 1,
                self.rank
            ))),
        }
    }

    /// `(outer, length, inner)`: element `(o, i, j)` stands at `(o * length + i) * inner + j`.
    ///
    /// ```
    /// use surprisal_tensor::Shape;
    /// let shape = Shape::from([2, 3, 4]);
    /// assert_eq!(shape.around(1), (2, 3, 4));
    /// assert_eq!(shape.around(0), (1, 2, 12)); // nothing stands outside
    /// assert_eq!(shape.around(2), (6, 4, 1)); // neighbors along the last axis are neighbors in memory
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis.
    #[track_caller]
    pub fn around(&self, axis: usize) -> (usize, usize, usize) {
        self.expect_axis(axis);
        let dims = self.dims();
        (dims[..axis].iter().product(), dims[axis], dims[axis + 1..].iter().product())
    }

    /// The shape without one axis.
    ///
    /// ```
    /// use surprisal_tensor::Shape;
    /// assert_eq!(Shape::from([64, 10]).without(1), Shape::from([64])); // of a sum over axis 1
    /// ```
    ///
    /// # Panics
    /// At the caller's line, if there is no such axis.
    #[track_caller]
    pub fn without(&self, axis: usize) -> Shape {
        self.expect_axis(axis);
        let mut shorter = *self;
        shorter.dims[axis..].rotate_left(1);
        shorter.dims[MAX_RANK - 1] = 0;
        shorter.rank -= 1;
        shorter
    }

    /// The shape with another length along an axis, which it has.
    #[inline]
    pub(crate) fn resized(&self, axis: usize, length: usize) -> Result<Shape, ShapeError> {
        let mut resized = *self;
        resized.dims[axis] = length;
        if length <= self.dims[axis] { Ok(resized) } else { Shape::try_new(resized.dims()) }
    }

    #[track_caller]
    fn expect_axis(&self, axis: usize) {
        assert!(
            axis < self.rank,
            "{self} has no axis {axis}: axes are counted from 0, and it has {}",
            self.rank
        );
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    #[inline]
    #[track_caller]
    fn from(dims: [usize; N]) -> Shape {
        Shape::new(&dims)
    }
}
impl From<&[usize]> for Shape {
    #[inline]
    #[track_caller]
    fn from(dims: &[usize]) -> Shape {
        Shape::new(dims)
    }
}
impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Debug::fmt(self.dims(), f)
    }
}
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Debug::fmt(self.dims(), f)
    }
}

/// Shapes that do not fit: the problem, where it was recorded, and a hint.
///
/// An [`Op`](crate::Op) says the first and the last; the tape adds the operation, the inputs' names and their lines.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array, ops::products::Matmul};
/// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
/// # let tape = workspace.tape(&params);
/// let x = tape.input(&array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).named("x");
/// let error = tape.try_apply(Matmul, [x, x]).unwrap_err().to_string();
/// assert!(error.starts_with("matmul: [2, 3] x [2, 3]: 3 columns meet 2 rows"), "{error}");
/// assert!(error.contains("\"x\" (input) [2, 3], recorded at"), "{error}");
/// assert!(error.ends_with("hint: the right side would fit transposed: b.t() is [3, 2]"), "{error}");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeError {
    message: String,
    hint: Option<String>,
    context: String,
}

impl ShapeError {
    /// The problem, in the reader's terms: "784 columns meet 128 rows".
    ///
    /// ```
    /// use surprisal_tensor::ShapeError;
    /// let error = ShapeError::new("784 columns meet 128 rows").hint("is a layer missing between them?");
    /// assert_eq!(error.to_string(), "784 columns meet 128 rows\n  hint: is a layer missing between them?");
    /// ```
    pub fn new(message: impl Into<String>) -> Self {
        ShapeError { message: message.into(), hint: None, context: String::new() }
    }
    /// Why no tensor has these axes.
    #[cold]
    fn of_no_tensor(dims: &[usize]) -> Self {
        ShapeError::new(if dims.len() > MAX_RANK {
            format!("a tensor has at most {MAX_RANK} axes, not {}", dims.len())
        } else {
            format!("{dims:?} has more elements than this machine can address")
        })
    }
    /// Adds a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// Puts the operation before the message and the inputs' lines after it.
    pub(crate) fn at(mut self, operation: &str, inputs: &str) -> Self {
        self.message = format!("{operation}: {}", self.message);
        self.context = inputs.to_string();
        self
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}{}", self.message, self.context)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}
impl std::error::Error for ShapeError {}
