//! NEON, which every aarch64 has.
//!
//! It has no loads and stores under a mask: the last vector of a row goes through an array, lane by lane.
#![allow(unused_unsafe)] // what needs an instruction set on other machines needs none here

use std::arch::aarch64::*;
use std::arch::asm;

use super::Lanes;

macro_rules! neon {
    ($V:ty, $T:ty, $N:literal, $load:ident $store:ident $splat:ident $add:ident $fma:ident $zip1:ident $zip2:ident,
     |$low:ident, $high:ident| $halves:expr) => {
        lanes!($V, $T, $N, usize, |n| n.min($N),
        |p, mask| if mask == $N {
            $load(p)
        } else {
            let mut lanes = [0.0; $N];
            (0..mask).for_each(|i| lanes[i] = *p.add(i));
            $load(lanes.as_ptr())
        },
        |p, mask, v| if mask == $N {
            $store(p, v)
        } else {
            let mut lanes = [0.0; $N];
            $store(lanes.as_mut_ptr(), v);
            (0..mask).for_each(|i| *p.add(i) = lanes[i]);
        },
        (|| $splat(0.0)) $splat $load $add (|a, b, sum| $fma(sum, a, b)),
        |$low, $high| $halves,
        |x, y| [$zip1(x, y), $zip2(x, y)]);
    };
}
neon!(float32x4_t, f32, 4, vld1q_f32 vst1q_f32 vdupq_n_f32 vaddq_f32 vfmaq_f32 vzip1q_f32 vzip2q_f32,
|low, high| vcombine_f32(vld1_f32(low), vld1_f32(high)));
neon!(float64x2_t, f64, 2, vld1q_f64 vst1q_f64 vdupq_n_f64 vaddq_f64 vfmaq_f64 vzip1q_f64 vzip2q_f64,
|low, high| vcombine_f64(vld1_f64(low), vld1_f64(high)));

/// Features, vector, number, lanes, rows of a tile of two vectors, and of one, taps of a tile that sums over places. Of the 32 registers a
/// tile of 12 x 2 has 24 sums, two vectors of B and the number of A.
macro_rules! instruction_sets {
    ($each:ident) => {
        $each!("neon", std::arch::aarch64::float32x4_t, f32, 4, 12, 16, 4);
        $each!("neon", std::arch::aarch64::float64x2_t, f64, 2, 12, 16, 4);
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
