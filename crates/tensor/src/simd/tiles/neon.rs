//! NEON, which every aarch64 has.
//!
//! It has no loads and stores under a mask: the last vector of a row goes through an array, lane by lane.
#![allow(unused_unsafe)] // what needs an instruction set on other machines needs none here

use std::arch::aarch64::*;
use std::arch::asm;

use super::Lanes;

macro_rules! neon {
    ($V:ident, $T:ident, $N:literal, $load:ident $store:ident $splat:ident $add:ident $fma:ident $zip1:ident $zip2:ident $some:ident,
     |$low:ident, $high:ident| $halves:expr) => {
        lanes!($V, $T, $N, false, usize, |n| n.min($N),
        |p, mask| if mask == $N { $load(p) } else { $some(p, mask) },
        |p, mask, v| if mask == $N { $store(p, v) } else { $T::store(p, mask, v) },
        (|| $splat(0.0)) $splat $load $add (|a, b, sum| $fma(sum, a, b)),
        |$low, $high| $halves,
        |x, y| [$zip1(x, y), $zip2(x, y)]);

        /// Some lanes of a vector; functions of their own, so that the loops around them keep their sums in registers.
        mod $T {
            use super::*;

            /// # Safety
            /// `n` numbers, at most a vector, may be written.
            #[inline(never)]
            pub unsafe fn store(p: *mut $T, n: usize, v: $V) {
                let mut lanes = [0.0; $N];
                // SAFETY: as the caller promises.
                unsafe {
                    $store(lanes.as_mut_ptr(), v);
                    (0..n).for_each(|i| *p.add(i) = lanes[i]);
                }
            }
        }
    };
}
/// # Safety
/// There are `n` numbers, fewer than 4.
#[inline(always)]
unsafe fn some_f32(p: *const f32, n: usize) -> float32x4_t {
    // SAFETY: as the caller promises.
    unsafe {
        let zero = vdupq_n_f32(0.0);
        match n {
            0 => zero,
            1 => vld1q_lane_f32::<0>(p, zero),
            2 => vcombine_f32(vld1_f32(p), vget_low_f32(zero)),
            _ => vld1q_lane_f32::<2>(p.add(2), vcombine_f32(vld1_f32(p), vget_low_f32(zero))),
        }
    }
}

/// # Safety
/// There are `n` numbers, fewer than 2.
#[inline(always)]
unsafe fn some_f64(p: *const f64, n: usize) -> float64x2_t {
    // SAFETY: as the caller promises.
    unsafe { if n == 0 { vdupq_n_f64(0.0) } else { vld1q_lane_f64::<0>(p, vdupq_n_f64(0.0)) } }
}

neon!(float32x4_t, f32, 4, vld1q_f32 vst1q_f32 vdupq_n_f32 vaddq_f32 vfmaq_f32 vzip1q_f32 vzip2q_f32 some_f32,
|low, high| vcombine_f32(vld1_f32(low), vld1_f32(high)));
neon!(float64x2_t, f64, 2, vld1q_f64 vst1q_f64 vdupq_n_f64 vaddq_f64 vfmaq_f64 vzip1q_f64 vzip2q_f64 some_f64,
|low, high| vcombine_f64(vld1_f64(low), vld1_f64(high)));

/// Features, vector, number, lanes, rows of a tile of two vectors, and of one, taps of a tile that sums over places. Of the 32 registers a
/// tile of 12 x 2 has 24 sums, two vectors of B and the number of A.
macro_rules! instruction_sets {
    ($each:ident) => {
        $each!("neon", std::arch::aarch64::float32x4_t, f32, 4, 12, 12, 4);
        $each!("neon", std::arch::aarch64::float64x2_t, f64, 2, 12, 12, 4);
    };
}
pub(super) use instruction_sets;

/// Whether this machine has it.
#[inline(always)]
pub(super) fn is_there() -> bool {
    true
}

/// Runs something with the vector of these numbers.
macro_rules! widest {
    (f32, $V:ident => $run:expr) => {{
        type $V = std::arch::aarch64::float32x4_t;
        $run
    }};
    (f64, $V:ident => $run:expr) => {{
        type $V = std::arch::aarch64::float64x2_t;
        $run
    }};
}
pub(super) use widest;

/// Asks for a cache line that will be needed; any address may be asked for.
#[inline(always)]
pub(super) fn fetch<T>(line: *const T) {
    // SAFETY: a hint reads nothing that the program could see.
    unsafe { asm!("prfm pldl1keep, [{}]", in(reg) line, options(nostack, readonly, preserves_flags)) }
}
