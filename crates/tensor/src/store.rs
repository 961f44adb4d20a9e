//! Numbers behind one type, whichever they are: where the one `match` on the type of numbers stands.

use crate::node::Memory;
use crate::op::{Backward, Forward, Recorded};
use crate::threads::{LIGHT, for_each};
use crate::workspace::On;
use crate::{Dual, Scalar};

/// Whether there is code for `f64` alone. `--cfg surprisal_only_f64` says so, for the page of the playground, which has to be small: what
/// would compute in `f32` or in dual numbers is left out, and panics.
pub const ONLY_F64: bool = cfg!(surprisal_only_f64);

#[cold]
pub(crate) fn only_f64() -> ! {
    panic!("this program computes in f64 alone: it was compiled with --cfg surprisal_only_f64")
}

/// One of three number types: `f32`, `f64` or [`Dual`].
pub enum Typed<A, B, C> {
    F32(A),
    F64(B),
    Dual(C),
}

/// Parameters and arena of a tape.
pub type Store<'p> = Typed<On<'p, f32>, On<'p, f64>, On<'p, Dual>>;
/// All that nodes may stand in, up to some node.
pub type AnyMemory<'a> = Typed<&'a Memory<'a, f32>, &'a Memory<'a, f64>, &'a Memory<'a, Dual>>;
/// Some numbers, to be written.
pub type NumbersMut<'a> = Typed<&'a mut [f32], &'a mut [f64], &'a mut [Dual]>;
/// Some numbers.
pub type Numbers<'a> = Typed<&'a [f32], &'a [f64], &'a [Dual]>;

/// Evaluates an expression with what a [`Typed`] holds.
macro_rules! typed {
    ($of:expr, $x:pat => $body:expr) => {
        match $of {
            $crate::store::Typed::F32(_) | $crate::store::Typed::Dual(_) if $crate::store::ONLY_F64 => {
                $crate::store::only_f64()
            }
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
    pub fn value(&self, node: &crate::node::Node) -> Numbers<'a> {
        match self {
            Typed::F32(memory) => Typed::F32(memory.value(node)),
            Typed::F64(memory) => Typed::F64(memory.value(node)),
            Typed::Dual(memory) => Typed::Dual(memory.value(node)),
        }
    }
}

impl<'a> Numbers<'a> {
    #[allow(clippy::len_without_is_empty)] // a count of numbers, not a container
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
            Some(same) => for_each((slots, same), LIGHT, |_, (slots, same)| slots.copy_from_slice(same)),
            None => typed!(self, x => slots.iter_mut().zip(x).for_each(|(slot, x)| *slot = T::of(x.value()))),
        }
    }
}

/// The bytes of numbers, as they are in memory.
///
/// # Panics
/// If they are dual numbers.
pub fn bytes(x: Numbers<'_>) -> &[u8] {
    match x {
        Typed::F32(x) => bytemuck::cast_slice(x),
        Typed::F64(x) => bytemuck::cast_slice(x),
        Typed::Dual(_) => no_dual(),
    }
}

/// The same, to be written.
pub fn bytes_mut(x: NumbersMut<'_>) -> &mut [u8] {
    match x {
        Typed::F32(x) => bytemuck::cast_slice_mut(x),
        Typed::F64(x) => bytemuck::cast_slice_mut(x),
        Typed::Dual(_) => no_dual(),
    }
}

#[cold]
fn no_dual() -> ! {
    panic!("dual numbers are not exchanged between processes: train in f32 or f64")
}

/// What [`Scalar`] asks of a type so that the tape can store it; sealed, because there is a variant of [`Typed`] for each.
pub trait Stored: Sized {
    fn store<'p>(on: On<'p, Self>) -> Store<'p>
    where
        Self: Scalar;
    fn memory<'a>(memory: &'a Memory<'a, Self>) -> AnyMemory<'a>
    where
        Self: Scalar;
    fn numbers(x: &[Self]) -> Numbers<'_>;
    fn numbers_mut(x: &mut [Self]) -> NumbersMut<'_>;
    /// The slice itself, if it is of this type.
    fn own<'a>(x: Numbers<'a>) -> Option<&'a [Self]>;
    fn forward<R: Recorded + ?Sized>(op: &R, f: &mut Forward<Self>)
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
            #[inline]
            fn memory<'a>(memory: &'a Memory<'a, Self>) -> AnyMemory<'a> {
                Typed::$Variant(memory)
            }
            fn numbers(x: &[Self]) -> Numbers<'_> {
                Typed::$Variant(x)
            }
            fn numbers_mut(x: &mut [Self]) -> NumbersMut<'_> {
                Typed::$Variant(x)
            }
            fn own<'a>(x: Numbers<'a>) -> Option<&'a [Self]> {
                if let Typed::$Variant(x) = x { Some(x) } else { None }
            }
            #[inline]
            fn forward<R: Recorded + ?Sized>(op: &R, f: &mut Forward<Self>) {
                op.$forward(f);
            }
            #[inline]
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

/// A [`kernel!`](crate::kernel) that is compiled for each type of numbers in the crate that defines it: for generic functions of a public
/// interface, whose callers would otherwise compile the loops again. Between the bars stand the slices that it reads, behind them
/// those that it writes.
///
/// ```
/// surprisal_tensor::shared_kernel! {
///     /// y += a x
///     fn axpy<T>(a: f64 | x | y) {
///         let a = T::of(a);
///         for (y, &x) in y.iter_mut().zip(x) {
///             *y += a * x;
///         }
///     }
/// }
/// let mut y = [1.0f32, 2.0];
/// axpy(2.0, &[10.0, 20.0], &mut y);
/// assert_eq!(y, [21.0, 42.0]);
/// ```
#[macro_export]
macro_rules! shared_kernel {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$T:ident>($($arg:ident: $type:ty),* | $($read:ident),* | $($write:ident),*) $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)] // a kernel takes its slices one by one
        $vis fn $name<$T: $crate::Scalar>($($arg: $type,)* $($read: &[$T],)* $($write: &mut [$T]),*) {
            use $crate::store::{Numbers, NumbersMut, ONLY_F64, Typed};
            $crate::kernel! {
                fn of_type<$T: $crate::Scalar>($($arg: $type,)* $($read: &[$T],)* $($write: &mut [$T]),*) $body
            }
            #[allow(clippy::too_many_arguments)]
            #[inline(never)]
            fn of_any($($arg: $type,)* $($read: Numbers,)* $($write: NumbersMut),*) {
                match ($($read,)* $($write,)*) {
                    ($(Typed::F32($read),)* $(Typed::F32($write),)*) if !ONLY_F64 => of_type($($arg,)* $($read,)* $($write),*),
                    ($(Typed::F64($read),)* $(Typed::F64($write),)*) => of_type($($arg,)* $($read,)* $($write),*),
                    ($(Typed::Dual($read),)* $(Typed::Dual($write),)*) if !ONLY_F64 => of_type($($arg,)* $($read,)* $($write),*),
                    _ => unreachable!("all slices of a kernel are of one type"),
                }
            }
            of_any($($arg,)* $($T::numbers($read),)* $($T::numbers_mut($write)),*);
        }
    };
}
