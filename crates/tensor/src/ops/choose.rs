//! One of two values, by a condition.

use surprisal_formula_macro::math;

use super::by_name::{Input, Signature};
use crate::op::{Backward, Card, Forward, Grad, Op, Shapes};
use crate::sum::sum_by;
use crate::threads::{LIGHT, for_each};
use crate::{Scalar, Shape, ShapeError, Var};

/// One of two numbers, by a condition: the choice of each number on its own.
///
#[doc = math!("y = a where c ≠ 0, else b")]
///
/// The three have one shape; `a` or `b` may also be a single number, `[]`. Each of the two gets the gradient where it was
/// chosen, and 0 elsewhere, whatever stands there; the condition gets none.
#[derive(Clone, Copy, Debug)]
pub struct Where;

impl Where {
    pub(super) const CARD: Card = Card {
        name: "where",
        inputs: "c a b",
        forward: "a where c ≠ 0, else b",
        backward: "da = dy where c ≠ 0, else 0; db = dy where c = 0, else 0",
        story: "Takes each number from one of two; only the one that was taken gets its gradient.",
    };
    pub(super) const SIGNATURE: Signature = Signature {
        inputs: &[Input::constant("c"), Input::new("a"), Input::new("b")],
        settings: &[],
        run: |given| given.record(Where),
    };
}

impl Op for Where {
    fn card(&self) -> Card {
        Self::CARD
    }
    fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
        let condition = inputs.shape(0);
        for k in [1, 2] {
            let shape = inputs.shape(k);
            if shape != condition && shape.rank() > 0 {
                let error = ShapeError::new(format!("{shape} does not fit the condition {condition}"));
                return Err(error.hint("both values have the shape of the condition, or are a single number"));
            }
        }
        Ok(*condition)
    }
    fn forward<T: Scalar>(&self, f: &mut Forward<T>) {
        let [c, a, b] = [0, 1, 2].map(|k| f.inputs.x(k));
        match (each(a, c.len()), each(b, c.len())) {
            (Ok(a), Ok(b)) => for_each((&mut *f.y, c, a, b), LIGHT, |_, (y, c, a, b)| choose(c, a, b, y)),
            (Ok(a), Err(b)) => choose_or(c, a, b, f.y, |c| c != T::ZERO),
            (Err(a), Ok(b)) => choose_or(c, b, a, f.y, |c| c == T::ZERO),
            (Err(a), Err(b)) => {
                for (y, &c) in f.y.iter_mut().zip(c) {
                    *y = if c != T::ZERO { a } else { b };
                }
            }
        }
    }
    fn backward<T: Scalar>(&self, g: &mut Backward<T>) {
        let (c, dy) = (g.x(0), g.dy);
        let [_, a_single, b_single] = [0, 1, 2].map(|k| g.x(k).len() != c.len());
        if !a_single && !b_single {
            return g.add2_to_both(
                [1, 2],
                c,
                dy,
                |c, dy| {
                    if c != T::ZERO { [dy, T::ZERO] } else { [T::ZERO, dy] }
                },
            );
        }
        if let Some(da) = g.dx(1) {
            add_chosen(da, a_single, c, dy, |c| c != T::ZERO);
        }
        if let Some(db) = g.dx(2) {
            add_chosen(db, b_single, c, dy, |c| c == T::ZERO);
        }
    }
}

crate::kernel! {
    fn choose<T: Scalar>(c: &[T], a: &[T], b: &[T], y: &mut [T]) {
        for ((y, &c), (&a, &b)) in y.iter_mut().zip(c).zip(a.iter().zip(b)) { *y = if c != T::ZERO { a } else { b } }
    }
}
crate::kernel! {
    fn choose_or_in_one<T: Scalar, F: Fn(T) -> bool>(c: &[T], x: &[T], single: T, y: &mut [T], chosen: F) {
        for ((y, &c), &x) in y.iter_mut().zip(c).zip(x) { *y = if chosen(c) { x } else { single } }
    }
}

/// x where it is chosen, else the single number.
fn choose_or<T: Scalar>(c: &[T], x: &[T], single: T, y: &mut [T], chosen: impl Fn(T) -> bool + Copy + Sync) {
    for_each((y, c, x), LIGHT, |_, (y, c, x)| choose_or_in_one(c, x, single, y, chosen));
}

/// The numbers, if there are n, else the single one.
fn each<T: Scalar>(x: &[T], n: usize) -> Result<&[T], T> {
    if x.len() == n { Ok(x) } else { Err(x[0]) }
}

/// Adds dy where it was chosen; a single number gets the sum of it.
fn add_chosen<T: Scalar>(
    d: Grad<T>,
    single: bool,
    c: &[T],
    dy: &[T],
    chosen: impl Fn(T) -> bool + Copy + Sync,
) {
    let part = |c: T, dy: T| if chosen(c) { dy } else { T::ZERO };
    if single {
        d.add_filled(|d, _| d[0] = sum_by(c.len(), |i| part(c[i], dy[i])));
    } else {
        d.add2(c, dy, part);
    }
}

impl<'t> Var<'t> {
    /// Of this condition, which is 1 or 0 everywhere: `a` where it is not 0, else `b`. No gradient flows into the condition.
    ///
    /// Unlike c a + (1 - c) b it is right where the value that is not chosen is infinite or NaN. Its gradient of 0 goes on
    /// through the operation that made that value: if its slope there is infinite, as of `x.sqrt()` at 0, their product is NaN, as in
    /// PyTorch and JAX. Choose the input of that operation too: `c.where_(c.where_(x, one).sqrt(), zero)`.
    ///
    /// ```
    /// use surprisal_tensor::{Params, Workspace, ndarray::array};
    /// let params = Params::new();
    /// let mut workspace = Workspace::new();
    /// let tape = workspace.tape(&params);
    /// let (mask, x) = (tape.input(&array![1.0, 0.0]), tape.input(&array![3.0, f32::NAN]));
    /// let masked = mask.where_(x, tape.constant(f64::NEG_INFINITY));
    /// assert_eq!(masked.value(), array![3.0, f64::NEG_INFINITY].into_dyn());
    /// ```
    ///
    /// # Panics
    /// At the caller's line, unless both values have the shape of the condition, or are a single number.
    #[track_caller]
    pub fn where_(self, a: Var<'t>, b: Var<'t>) -> Var<'t> {
        self.tape().apply(Where, [self, a, b])
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, array};

    use crate::ops::{at, complaint};
    use crate::{Params, Workspace, check_gradient};

    #[test]
    fn what_was_not_chosen_does_no_harm() {
        let (y, dx) = at(&array![f64::NAN, 2.0, f64::INFINITY], |x| {
            x.tape().input(&array![0.0, 1.0, 0.0]).where_(x * x, x.tape().constant(7.0))
        });
        assert_eq!(y, array![7.0, 4.0, 7.0].into_dyn());
        assert_eq!(dx[1], 4.0);
        let (_, dx) = at(&array![f64::NAN, 2.0], |x| x.tape().input(&array![0.0, 1.0]).where_(x, -x));
        assert_eq!(dx, array![-1.0, 1.0].into_dyn());
    }

    #[test]
    fn both_values_get_their_gradients_wherever_they_stand() {
        let (mut params, mut workspace) = (Params::new(), Workspace::new());
        let [a, b] = ["a", "b"].map(|name| params.add(name, &array![1.0f32, 2.0, 3.0]));
        let tape = workspace.tape(&params);
        let (c, dy) = (tape.input(&array![0.0, 1.0, 1.0]), tape.input(&array![5.0, 7.0, 9.0]));
        let [a_now, b_now] = [a, b].map(|id| tape.param(id));
        let input = tape.constant(4.0) + dy;
        for (x, y, da, db) in [
            (a_now, b_now, [0.0, 7.0, 9.0], [5.0, 0.0, 0.0]), // two parameters
            (-a_now, -b_now, [0.0, -7.0, -9.0], [-5.0, 0.0, 0.0]), // two nodes
            (a_now, -b_now, [0.0, 7.0, 9.0], [-5.0, 0.0, 0.0]), // one of each
            (a_now, a_now, [5.0, 7.0, 9.0], [0.0; 3]),        // one twice
            (input, b_now, [0.0; 3], [5.0, 0.0, 0.0]),        // one that needs none
        ] {
            c.where_(x, y).backward_by(dy);
            let grads = [a_now, b_now].map(|x| x.grad().unwrap());
            assert_eq!(grads, [da, db].map(|d| Array1::from(d.to_vec()).into_dyn()));
        }
    }

    #[test]
    fn a_single_number_gets_the_sum_of_its_gradients() {
        check_gradient(
            &[array![0.3, 0.5, 0.7].into_dyn(), array![2.0].sum_axis(ndarray::Axis(0)).into_dyn()],
            |tape, x| {
                let condition = tape.one_hot(&[1], 3).reshape([3]);
                condition.where_(x[0], x[1]) * condition.where_(x[1], x[0])
            },
        );
        let message = complaint(|| at(&array![1.0, 2.0], |x| x.where_(x, x.reshape([1, 2]))));
        expect_test::expect![[r#"
            where: [1, 2] does not fit the condition [2]
              first:  input [2]
              second: input [2]
              third:  reshape [1, 2]
              hint: both values have the shape of the condition, or are a single number"#]]
        .assert_eq(&message);
    }
}
