//! The one module with `unsafe`: the choice of an instruction set at run time, the register tiles of products, and a request for
//! large pages.
//!
//! A kernel is a plain loop that the compiler vectorizes. [`kernel!`](crate::kernel) compiles it for several instruction
//! sets; [`dispatch`] picks, once per process, the widest that this machine has. Products of matrices are the one loop
//! that the compiler does not keep in registers by itself; `tiles` writes it in intrinsics.
//!
//! # A narrower instruction set
//!
//! On x86-64 the environment variable `SURPRISAL_SIMD` sets the widest instruction set of kernels, products and convolutions, to measure
//! or to reproduce what a smaller processor computes:
//!
//! | value | instructions |
//! |---|---|
//! | `avx512` | AVX-512 F, BW, DQ and VL, AVX2 and FMA |
//! | `avx2` | AVX2 and FMA |
//! | `baseline` | those for which the program was compiled: SSE2 unless `target-cpu` or `target-feature` adds others |
//! | empty, not set | the widest that the processor has |
//!
//! It is read once, before the first kernel. A value that the processor lacks, or one that is not in this table, is an error of
//! [`instruction_set`]; a program that does not call it panics at its first kernel. Elementary functions have the same bits at each
//! level; products and sums may differ in the last digits.
#![allow(unsafe_code)]
#![deny(clippy::undocumented_unsafe_blocks)]

pub(crate) mod pages;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) mod tiles;

/// The body of a loop, to be compiled for several instruction sets. Made by [`kernel!`](crate::kernel).
pub trait Kernel {
    /// What the loop returns.
    type Out;
    /// The loop. `FMA`: whether `mul_add` is one instruction here.
    ///
    /// `LEVEL` tells the instruction sets apart. The body does not use it, but the closures in the body become different
    /// functions at different levels, each called from one place: only then are they inlined and vectorized.
    fn run<const LEVEL: u8, const FMA: bool>(self) -> Self::Out;
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod choice {
    use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

    use super::NoSuchInstructionSet;

    const BASELINE: u8 = 1;
    pub const AVX2: u8 = 2;
    pub const AVX512: u8 = 3;
    /// By level, from 1.
    const NAMES: [&str; 3] = ["baseline", "avx2", "avx512"];
    static LEVEL: AtomicU8 = AtomicU8::new(0);

    #[inline(always)]
    pub fn level() -> u8 {
        match LEVEL.load(Relaxed) {
            0 => first(),
            level => level,
        }
    }

    #[cold]
    fn first() -> u8 {
        let level = chosen().unwrap_or_else(|error| panic!("{error}"));
        LEVEL.store(level, Relaxed);
        level
    }

    /// The level that [`VARIABLE`](super::VARIABLE) sets, or else the widest.
    fn chosen() -> Result<u8, NoSuchInstructionSet> {
        macro_rules! has { ($($feature:tt)*) => { $(is_x86_feature_detected!($feature))&&* } }
        let avx2 = has!("avx2" "fma");
        let avx512 = avx2 && has!("avx512f" "avx512bw" "avx512dq" "avx512vl");
        let widest = if avx512 {
            AVX512
        } else if avx2 {
            AVX2
        } else {
            BASELINE
        };
        let found = std::env::var_os(super::VARIABLE).unwrap_or_default();
        named(&found.to_string_lossy(), widest)
    }

    fn named(found: &str, widest: u8) -> Result<u8, NoSuchInstructionSet> {
        let available = &NAMES[..usize::from(widest)];
        let level = (1..).zip(available).find(|(_, name)| **name == found);
        match level {
            Some((level, _)) => Ok(level),
            None if found.is_empty() => Ok(widest),
            None => Err(NoSuchInstructionSet { found: found.to_owned(), available }),
        }
    }

    pub fn name() -> Result<&'static str, NoSuchInstructionSet> {
        chosen().map(|level| NAMES[usize::from(level) - 1])
    }

    #[test]
    fn a_name_lowers_the_level_and_never_raises_it() {
        for (found, widest, level) in [
            ("", AVX512, Some(AVX512)),
            ("", BASELINE, Some(BASELINE)),
            ("avx512", AVX512, Some(AVX512)),
            ("avx2", AVX512, Some(AVX2)),
            ("baseline", AVX2, Some(BASELINE)),
            ("avx512", AVX2, None),
            ("avx2", BASELINE, None),
            ("AVX2", AVX512, None),
            ("sse2", AVX512, None),
        ] {
            assert_eq!(named(found, widest).ok(), level, "{found:?} where {widest} is the widest");
        }
    }
}

/// The environment variable that lowers the instruction set: `avx512`, `avx2` or `baseline`.
pub const VARIABLE: &str = "SURPRISAL_SIMD";

/// Returns the name of the instruction set in which kernels run: `avx512`, `avx2` or `baseline`, by the processor and [`VARIABLE`]; on
/// ARM `neon`, elsewhere `baseline`.
///
/// # Errors
/// If [`VARIABLE`] is not an instruction set of this processor. A program that does not ask panics at its first kernel.
pub fn instruction_set() -> Result<&'static str, NoSuchInstructionSet> {
    #[cfg(target_arch = "x86_64")]
    return choice::name();
    #[cfg(not(target_arch = "x86_64"))]
    Ok(if cfg!(target_arch = "aarch64") { "neon" } else { "baseline" })
}

/// A value of [`VARIABLE`] that is not an instruction set of this processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchInstructionSet {
    found: String,
    available: &'static [&'static str],
}

impl std::fmt::Display for NoSuchInstructionSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let available = self.available.join(", ");
        write!(
            f,
            "{VARIABLE}: expected an instruction set of this processor ({available}), found {:?} | unset it to use the widest",
            self.found
        )
    }
}

impl std::error::Error for NoSuchInstructionSet {}

/// Runs a kernel in the widest instruction set of this machine, or that of [`VARIABLE`].
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Out {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    fn avx512<K: Kernel>(kernel: K) -> K::Out {
        kernel.run::<{ choice::AVX512 }, true>()
    }
    #[target_feature(enable = "avx2,fma")]
    fn avx2<K: Kernel>(kernel: K) -> K::Out {
        kernel.run::<{ choice::AVX2 }, true>()
    }
    match choice::level() {
        // SAFETY: `level` has found these features on this machine.
        choice::AVX512 => unsafe { avx512(kernel) },
        // SAFETY: as above.
        choice::AVX2 => unsafe { avx2(kernel) },
        _ => plain(kernel),
    }
}

/// Runs a kernel in the one instruction set of this kind of machine; every aarch64 multiplies and adds in one instruction.
#[cfg(not(target_arch = "x86_64"))]
#[inline(never)]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<1, { cfg!(target_arch = "aarch64") }>()
}

/// Runs a kernel in the instruction set that every machine has. A function of its own, or small work and a piece of large work
/// would each have a copy of the loop.
#[inline(never)]
pub fn plain<K: Kernel>(kernel: K) -> K::Out {
    kernel.run::<0, false>()
}

/// A function whose loops are compiled for several instruction sets and chosen at run time. Safe to use from any crate.
///
/// The first type parameter is the type of numbers. `FMA` may be used in the body: `T::mul_add::<FMA>(a, b, c)`.
///
/// ```
/// surprisal_tensor::kernel! {
///     /// y += a x
///     fn axpy<T: surprisal_tensor::Scalar>(a: T, x: &[T], y: &mut [T]) {
///         for (y, &x) in y.iter_mut().zip(x) {
///             *y += a * x;
///         }
///     }
/// }
/// let mut y = [1.0, 2.0];
/// axpy(2.0, &[10.0, 20.0], &mut y);
/// assert_eq!(y, [21.0, 42.0]);
/// ```
#[macro_export]
macro_rules! kernel {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$T:ident: $scalar:path $(, $g:ident: $bound:path)*>($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $crate::kernel! { $(#[$meta])* $vis fn $name<$T: $scalar $(, $g: $bound)*>($($arg: $type),*) -> () $body }
    };
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$T:ident: $scalar:path $(, $g:ident: $bound:path)*>($($arg:ident: $type:ty),* $(,)?) -> $out:ty $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)] // a kernel takes its slices one by one
        #[inline]
        $vis fn $name<$T: $scalar $(, $g: $bound)*>($($arg: $type),*) -> $out {
            struct Arguments<A>(A);
            impl<$T: $scalar $(, $g: $bound)*> $crate::simd::Kernel for Arguments<($($type,)*)> {
                type Out = $out;
                #[inline(always)]
                fn run<const LEVEL: u8, const FMA: bool>(self) -> $out {
                    let ($($arg,)*) = self.0;
                    $body
                }
            }
            let arguments = Arguments(($($arg,)*));
            // only what is trained on has twins: f64, for comparisons, and dual numbers, for checks, have one body
            if <$T as $crate::Scalar>::IS_F32 {
                $crate::simd::dispatch(arguments)
            } else {
                $crate::simd::plain(arguments)
            }
        }
    };
}

/// A part of kernels: in f32 it is inlined into every twin of a kernel, and so has its instructions; in f64 and dual numbers, where a
/// kernel has one body, all kernels call the same one.
#[doc(hidden)]
#[macro_export]
macro_rules! in_kernels {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$T:ident: $scalar:path>($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$meta])*
        #[inline(always)]
        $vis fn $name<$T: $scalar>($($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn here<$T: $scalar>($($arg: $type),*) $(-> $out)? $body
            #[inline(never)]
            fn once<$T: $scalar>($($arg: $type),*) $(-> $out)? {
                here($($arg),*)
            }
            if <$T as $crate::Scalar>::IS_F32 { here($($arg),*) } else { once($($arg),*) }
        }
    };
}
