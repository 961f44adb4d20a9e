//! The numbers of a tape behind one type, whichever they are: where the one `match` on the type of numbers stands.

use crate::op::{Backward, Forward, Recorded};
use crate::workspace::{Memory, On};
use crate::{Dual, Scalar};

/// One of three: what is `f32`, `f64` or [`Dual`].
pub enum Typed<A, B, C> {
    F32(A),
    F64(B),
    Dual(C),
}

/// Parameters and arena of a tape.
pub type Store<'p> = Typed<On<'p, f32>, On<'p, f64>, On<'p, Dual>>;
/// All that nodes may stand in, up to some node.
pub type AnyMemory<'a> = Typed<Memory<'a, f32>, Memory<'a, f64>, Memory<'a, Dual>>;
/// Some numbers.
pub type Numbers<'a> = Typed<&'a [f32], &'a [f64], &'a [Dual]>;

/// Evaluates an expression with what a [`Typed`] holds.
macro_rules! typed {
    ($of:expr, $x:pat => $body:expr) => {
        match $of {
            $crate::store::Typed::F32($x) => $body,
            $crate::store::Typed::F64($x) => $body,
            $crate::store::Typed::Dual($x) => $body,
        }
    };
}
pub(crate) use typed;

impl<A: Copy, B: Copy, C: Copy> Clone for Typed<A, B, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<A: Copy, B: Copy, C: Copy> Copy for Typed<A, B, C> {}

impl<'a> AnyMemory<'a> {
    pub fn value(&self, node: &crate::workspace::Node) -> Numbers<'a> {
        match self {
            Typed::F32(memory) => Typed::F32(memory.value(node)),
            Typed::F64(memory) => Typed::F64(memory.value(node)),
            Typed::Dual(memory) => Typed::Dual(memory.value(node)),
        }
    }
}

impl<'a> Numbers<'a> {
    pub fn len(&self) -> usize {
        typed!(self, x => x.len())
    }
    pub fn get(&self, i: usize) -> f64 {
        typed!(self, x => x[i].value())
    }
    pub fn part(self, range: std::ops::Range<usize>) -> Numbers<'a> {
        match self {
            Typed::F32(x) => Typed::F32(&x[range]),
            Typed::F64(x) => Typed::F64(&x[range]),
            Typed::Dual(x) => Typed::Dual(&x[range]),
        }
    }
    /// The numbers, without the derivatives that they may carry.
    pub fn numbers(self) -> impl Iterator<Item = f64> + use<'a> {
        (0..self.len()).map(move |i| self.get(i))
    }
    /// Copies, to another type if need be: rounded to the nearest number of it.
    pub fn copy_to<T: Scalar>(self, slots: &mut [T]) {
        match T::own(self) {
            Some(same) => slots.copy_from_slice(same),
            None => typed!(self, x => slots.iter_mut().zip(x).for_each(|(slot, x)| *slot = T::of(x.value()))),
        }
    }
}

/// What [`Scalar`] asks of a type so that the tape can store it; sealed, because there is a variant of [`Typed`] for each.
pub trait Stored: Sized {
    fn store<'p>(on: On<'p, Self>) -> Store<'p>
    where
        Self: Scalar;
    fn memory<'a>(memory: Memory<'a, Self>) -> AnyMemory<'a>
    where
        Self: Scalar;
    fn numbers(x: &[Self]) -> Numbers<'_>;
    /// The slice itself, if it is of this type.
    fn own<'a>(x: Numbers<'a>) -> Option<&'a [Self]>;
    fn forward(op: &dyn Recorded, f: &mut Forward<Self>)
    where
        Self: Scalar;
    fn backward(op: &dyn Recorded, b: &mut Backward<Self>)
    where
        Self: Scalar;
}

macro_rules! stored {
    ($($T:ident $Variant:ident $forward:ident $backward:ident;)+) => { $(
        impl Stored for $T {
            fn store<'p>(on: On<'p, Self>) -> Store<'p> {
                Typed::$Variant(on)
            }
            fn memory<'a>(memory: Memory<'a, Self>) -> AnyMemory<'a> {
                Typed::$Variant(memory)
            }
            fn numbers(x: &[Self]) -> Numbers<'_> {
                Typed::$Variant(x)
            }
            fn own<'a>(x: Numbers<'a>) -> Option<&'a [Self]> {
                if let Typed::$Variant(x) = x { Some(x) } else { None }
            }
            fn forward(op: &dyn Recorded, f: &mut Forward<Self>) {
                op.$forward(f);
            }
            fn backward(op: &dyn Recorded, b: &mut Backward<Self>) {
                op.$backward(b);
            }
        }
    )+ };
}
stored! {
    f32 F32 forward_f32 backward_f32;
    f64 F64 forward_f64 backward_f64;
    Dual Dual forward_dual backward_dual;
}
