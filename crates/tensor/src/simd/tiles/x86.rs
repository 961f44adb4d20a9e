//! AVX-512 and AVX2.

use std::arch::x86_64::*;

use super::Lanes;
use crate::simd::choice;

lanes!(__m512, f32, 16, true, __mmask16, |n| if n >= 16 { !0 } else { (1 << n) - 1 },
|p, mask| _mm512_maskz_loadu_ps(mask, p), |p, mask, v| _mm512_mask_storeu_ps(p, mask, v),
_mm512_setzero_ps _mm512_set1_ps _mm512_loadu_ps _mm512_add_ps _mm512_fmadd_ps,
|low, high| _mm512_insertf32x8::<1>(_mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high)),
|x, y| {
    let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
    [_mm512_permutex2var_ps(x, low, y), _mm512_permutex2var_ps(x, high, y)]
});
lanes!(__m512d, f64, 8, true, __mmask8, |n| if n >= 8 { !0 } else { (1 << n) - 1 },
|p, mask| _mm512_maskz_loadu_pd(mask, p), |p, mask, v| _mm512_mask_storeu_pd(p, mask, v),
_mm512_setzero_pd _mm512_set1_pd _mm512_loadu_pd _mm512_add_pd _mm512_fmadd_pd,
|low, high| _mm512_insertf64x4::<1>(_mm512_castpd256_pd512(_mm256_loadu_pd(low)), _mm256_loadu_pd(high)),
|x, y| {
    let low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    let high = _mm512_add_epi64(low, _mm512_set1_epi64(4));
    [_mm512_permutex2var_pd(x, low, y), _mm512_permutex2var_pd(x, high, y)]
});
lanes!(__m256, f32, 8, true, __m256i, |n|
// SAFETY: the instruction set is there.
unsafe {
    _mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(8) as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
},
|p, mask| _mm256_maskload_ps(p, mask), |p, mask, v| _mm256_maskstore_ps(p, mask, v),
_mm256_setzero_ps _mm256_set1_ps _mm256_loadu_ps _mm256_add_ps _mm256_fmadd_ps,
|low, high| _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high)),
|x, y| {
    let (even, odd) = (_mm256_unpacklo_ps(x, y), _mm256_unpackhi_ps(x, y)); // of each half
    [_mm256_permute2f128_ps::<0x20>(even, odd), _mm256_permute2f128_ps::<0x31>(even, odd)]
});
lanes!(__m256d, f64, 4, true, __m256i, |n|
// SAFETY: the instruction set is there.
unsafe {
    _mm256_cmpgt_epi64(_mm256_set1_epi64x(n.min(4) as i64), _mm256_setr_epi64x(0, 1, 2, 3))
},
|p, mask| _mm256_maskload_pd(p, mask), |p, mask, v| _mm256_maskstore_pd(p, mask, v),
_mm256_setzero_pd _mm256_set1_pd _mm256_loadu_pd _mm256_add_pd _mm256_fmadd_pd,
|low, high| _mm256_insertf128_pd::<1>(_mm256_castpd128_pd256(_mm_loadu_pd(low)), _mm_loadu_pd(high)),
|x, y| {
    let (even, odd) = (_mm256_unpacklo_pd(x, y), _mm256_unpackhi_pd(x, y));
    [_mm256_permute2f128_pd::<0x20>(even, odd), _mm256_permute2f128_pd::<0x31>(even, odd)]
});

/// Features, vector, number, lanes, rows of a tile of two vectors, and of one, taps of a tile that sums over places.
macro_rules! instruction_sets {
    ($each:ident) => {
        $each!("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", std::arch::x86_64::__m512, f32, 16, 12, 16, 4);
        $each!("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", std::arch::x86_64::__m512d, f64, 8, 12, 16, 4);
        $each!("avx2,fma", std::arch::x86_64::__m256, f32, 8, 6, 12, 2);
        $each!("avx2,fma", std::arch::x86_64::__m256d, f64, 4, 6, 12, 2);
    };
}
pub(super) use instruction_sets;

/// Whether this machine has one of them.
#[inline(always)]
pub(super) fn is_there() -> bool {
    choice::level() >= choice::AVX2
}

/// Runs something with the widest vector of this machine, where [`is_there`].
macro_rules! widest {
    (f32, $V:ident => $run:expr) => {
        widest!($run, $V, __m512, __m256)
    };
    (f64, $V:ident => $run:expr) => {
        widest!($run, $V, __m512d, __m256d)
    };
    ($run:expr, $V:ident, $wide:ident, $narrow:ident) => {
        match crate::simd::choice::level() {
            crate::simd::choice::AVX512 => {
                type $V = std::arch::x86_64::$wide;
                $run
            }
            _ => {
                type $V = std::arch::x86_64::$narrow;
                $run
            }
        }
    };
}
pub(super) use widest;

/// Asks for a cache line that will be needed; any address may be asked for.
#[inline(always)]
pub(super) fn fetch<T>(line: *const T) {
    // SAFETY: a hint reads nothing that the program could see.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) }
}
