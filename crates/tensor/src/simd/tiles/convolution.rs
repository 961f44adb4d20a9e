//! Convolutions in the register tiles of products: the factor that a product would copy into a matrix of patches is read from the image
//! itself, at a table of offsets; where rows of the result are narrow or strided, patches are gathered into a panel for one strip of
//! the result at a time.
//!
//! A result is summed over taps (channel, row, column of the kernel) in their order, a gradient of kernels over images, then rows and columns, in an
//! order that only the sizes decide: threads share images, or taps.

use super::*;
use crate::convolution::{Geometry, Pass};

/// The most taps of a block, whose offsets stand on the stack: a little more than the steps of a product's block, so that 3x3 windows of 32
/// channels are one.
const TAPS: usize = 320;
/// Outputs and taps of a tile that sums over places.
const OUTPUTS: usize = 4;

/// Where tap `p` of a patch stands in an image with its padding, of width `w`, from the patch's first number.
fn offset(g: &Geometry, [h, w]: [usize; 2], p: usize) -> usize {
    let [kh, kw] = g.kernel;
    let (c, u, v) = (p / (kh * kw), p / kw % kh, p % kw);
    (c * h + u * g.dilation[0]) * w + v * g.dilation[1]
}

/// A stretch of a strip: where it begins in the strip, where in the image, and how long it is.
type Run = [usize; 3];

/// The places `j .. j + n` of a plane of the result as runs along its rows; at most `n`.
fn runs(g: &Geometry, width: usize, j: usize, n: usize, runs: &mut [Run; TAPS]) -> usize {
    let (ow, mut at, mut count) = (g.out[1], j, 0);
    while at < j + n {
        let (row, col) = (at / ow, at % ow);
        let len = (ow - col).min(j + n - at);
        runs[count] = [at - j, row * g.stride[0] * width + col * g.stride[1], len];
        (at, count) = (at + len, count + 1);
    }
    count
}

/// Rows of two vectors: row q holds what stands at `from + offsets[q] +` each run.
///
/// # Safety
/// Every number of the runs, `stride` apart, may be read from each offset on; `to` has two vectors for each offset, and the runs end in them.
#[inline(always)]
unsafe fn gather<V: Lanes>(
    from: *const V::Number,
    offsets: &[usize],
    runs: &[Run],
    stride: usize,
    to: *mut V::Number,
) {
    let width = 2 * V::N;
    // SAFETY: as the caller promises; lanes beyond a run are masked.
    unsafe {
        for &[at, start, len] in runs {
            if stride == 1 {
                for t in (0..len).step_by(V::N) {
                    let mask = V::first(len - t);
                    for (q, offset) in offsets.iter().enumerate() {
                        V::load_some(from.add(offset + start + t), mask)
                            .store_some(to.add(q * width + at + t), mask);
                    }
                }
            } else {
                for (q, offset) in offsets.iter().enumerate() {
                    for t in 0..len {
                        *to.add(q * width + at + t) = *from.add(offset + start + t * stride);
                    }
                }
            }
        }
    }
}

/// The transpose: each place of the runs has a row of two vectors, of taps; what is left of them becomes 0.
///
/// # Safety
/// As [`gather`], of at most two vectors of offsets, and `to` has two vectors for each place. N is `V::N`.
#[inline(always)]
unsafe fn gather_taps<V: Lanes, const N: usize>(
    from: *const V::Number,
    offsets: &[usize],
    runs: &[Run],
    stride: usize,
    to: *mut V::Number,
) {
    // SAFETY: as the caller promises; lanes beyond a run are masked, and rows of `to` are written whole.
    unsafe {
        let (width, whole) = (2 * N, V::first(N));
        for j in (0..offsets.len()).step_by(N) {
            let offsets = &offsets[j..(j + N).min(offsets.len())];
            for &[at, start, len] in runs {
                if stride != 1 {
                    for t in 0..len {
                        let to = to.add((at + t) * width + j);
                        V::zero().store_some(to, whole);
                        for (q, offset) in offsets.iter().enumerate() {
                            *to.add(q) = *from.add(offset + start + t * stride);
                        }
                    }
                    continue;
                }
                for i in (0..len).step_by(N) {
                    let some = V::first(len - i);
                    let mut x = [V::zero(); N];
                    for (x, offset) in x.iter_mut().zip(offsets) {
                        *x = V::load_some(from.add(offset + start + i), some);
                    }
                    for (q, x) in transpose(x)[..N.min(len - i)].iter().enumerate() {
                        x.store_some(to.add((at + i + q) * width + j), whole);
                    }
                }
            }
        }
    }
}

/// Writes `channels` of an image with zeros around each.
///
/// # Safety
/// They may be read from x, and written, with their padding, to `to`.
#[inline(always)]
unsafe fn pad<V: Lanes>(g: &Geometry, channels: usize, x: *const V::Number, to: *mut V::Number) {
    let ([h, w], [ph, pw]) = (g.image, g.padding);
    let wide = w + 2 * pw;
    // SAFETY: as the caller promises; a channel is written from its first zero to its last, in order.
    unsafe {
        let zeros = |to: *mut V::Number, n: usize| {
            let vectors = n / V::N * V::N;
            (0..vectors).step_by(V::N).for_each(|t| V::zero().store_some(to.add(t), V::first(V::N)));
            (vectors..n).for_each(|t| *to.add(t) = V::Number::default());
        };
        for c in 0..channels {
            let to = to.add(c * (h + 2 * ph) * wide);
            zeros(to, ph * wide + pw);
            for i in 0..h {
                let (x, to) = (x.add((c * h + i) * w), to.add((ph + i) * wide + pw));
                for t in (0..w / V::N * V::N).step_by(V::N) {
                    V::load(x.add(t)).store_some(to.add(t), V::first(V::N));
                }
                let rest = V::first(w % V::N);
                V::load_some(x.add(w / V::N * V::N), rest).store_some(to.add(w / V::N * V::N), rest);
                zeros(to.add(w), if i + 1 < h { 2 * pw } else { pw + ph * wide });
            }
        }
    }
}

/// How rows of a result become vectors of `tap_sums`.
mod rows_as {
    /// The last vector of a row may be cut.
    pub const MASKED: u8 = 0;
    /// A row is whole vectors.
    pub const WHOLE: u8 = 1;
    /// Two rows are a vector.
    pub const HALVES: u8 = 2;
}

/// Images, with their padding, and the gradients of their results, one behind the other.
#[derive(Clone, Copy)]
struct Images<T> {
    count: usize,
    x: *const T,
    x_apart: usize,
    width: usize,
    dy: *const T,
    dy_apart: usize,
}

/// The gradient of R kernels at C taps of an image: products of planes of dY with what the taps meet, lane by lane, added up at the end.
///
/// # Safety
/// Each image has every place that the taps meet, and its dY R planes of the result, whose rows are as [`rows_as`] says, of HALVES an even
/// number; dw has R rows of `dw_row` numbers with C of them.
#[inline(always)]
unsafe fn tap_sums<
    V: Lanes<Number: std::ops::AddAssign>,
    const N: usize,
    const R: usize,
    const C: usize,
    const ROWS: u8,
>(
    g: &Geometry,
    images: Images<V::Number>,
    offsets: [usize; C],
    dw: *mut V::Number,
    dw_row: usize,
) {
    let [oh, ow] = g.out;
    // SAFETY: as the caller promises; columns beyond a row of dY are masked.
    unsafe {
        let mut sums = [[V::zero(); C]; R];
        let down = g.stride[0] * images.width;
        let step = if ROWS == rows_as::HALVES { 2 } else { 1 };
        for n in 0..images.count {
            let (x, dy) = (images.x.add(n * images.x_apart), images.dy.add(n * images.dy_apart));
            for i in (0..oh).step_by(step) {
                for j in (0..ow).step_by(V::N) {
                    let mask = V::first(ow - j);
                    let (dy, x) = (dy.add(i * ow + j), x.add(i * down + j));
                    let mut a = [V::zero(); R];
                    for (r, a) in a.iter_mut().enumerate() {
                        let from = dy.add(r * oh * ow);
                        *a = if ROWS == rows_as::MASKED { V::load_some(from, mask) } else { V::load(from) };
                    }
                    for (c, offset) in offsets.iter().enumerate() {
                        let from = x.add(*offset);
                        let b = match ROWS {
                            rows_as::WHOLE => V::load(from),
                            rows_as::HALVES => V::load_halves(from, from.add(down)),
                            _ => V::load_some(from, mask),
                        };
                        for (sums, a) in sums.iter_mut().zip(a) {
                            sums[c] = sums[c].plus_product(a, b);
                        }
                    }
                }
            }
        }
        if let Ok(sums) = <[V; N]>::try_from(sums.as_flattened()) {
            let mut each = [V::Number::default(); N];
            added_up(sums).store_some(each.as_mut_ptr(), V::first(N));
            for (i, &sum) in each.iter().enumerate() {
                *dw.add(i / C * dw_row + i % C) += sum;
            }
            return;
        }
        for (r, sums) in sums.iter().enumerate() {
            for (c, sum) in sums.iter().enumerate() {
                sum.add_up(dw.add(r * dw_row + c));
            }
        }
    }
}

/// Whether two rows of the result are a vector, which the taps meet in two rows of the image.
fn in_halves<V: Lanes>(g: &Geometry) -> bool {
    g.stride[1] == 1 && 2 * g.out[1] == V::N && g.out[0].is_multiple_of(2)
}

/// R rows by one vector, of which the halves of row p of B stand at `b + offsets[p]` and `apart` behind it.
///
/// # Safety
/// The task fits R rows and a vector of C, and both halves may be read at every offset.
#[inline(always)]
unsafe fn halves<V: Lanes, const R: usize>(t: Task<V::Number>, offsets: &[usize], apart: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut sums = [V::zero(); R];
        if let Start::Column(at) = t.start {
            sums.iter_mut().enumerate().for_each(|(r, sum)| *sum = V::splat(*at.add(r)));
        }
        for (p, offset) in offsets.iter().enumerate() {
            let from = t.b.at.add(*offset);
            let b = V::load_halves(from, from.add(apart));
            for (r, sum) in sums.iter_mut().enumerate() {
                *sum = sum.plus_product(V::splat(*t.a.at.add(r * t.a.row + p)), b);
            }
        }
        for (r, sum) in sums.iter().enumerate() {
            let to = t.c.add(r * t.c_row);
            let sum = if matches!(t.start, Start::C) { sum.plus(V::load(to)) } else { *sum };
            sum.store_some(to, V::first(V::N));
        }
    }
}

/// The loops of this file, each compiled for an instruction set.
///
/// # Safety
/// Each as the function of its name.
trait Convolutions: Loops {
    unsafe fn at_offsets(m: usize, n: usize, t: Task<Self::Number>, offsets: &[usize]);
    unsafe fn halves(m: usize, t: Task<Self::Number>, offsets: &[usize], apart: usize);
    unsafe fn spread(g: &Geometry, patches: &[Self::Number], dx: &mut [Self::Number]);
    unsafe fn pad(g: &Geometry, channels: usize, x: *const Self::Number, to: *mut Self::Number);
    unsafe fn gather(
        from: *const Self::Number,
        offsets: &[usize],
        runs: &[Run],
        stride: usize,
        to: *mut Self::Number,
    );
    unsafe fn gather_taps(
        from: *const Self::Number,
        offsets: &[usize],
        runs: &[Run],
        stride: usize,
        to: *mut Self::Number,
    );
    unsafe fn tap_sums(
        g: &Geometry,
        images: Images<Self::Number>,
        offsets: &[usize],
        dw: *mut Self::Number,
        dw_row: usize,
    );
}

macro_rules! convolutions {
    ($features:literal, $V:ty, f64, $N:literal, $TWO:literal, $ONE:literal, $TAPS:literal) => {}; // of f32 only
    ($features:literal, $V:ty, $T:ty, $N:literal, $TWO:literal, $ONE:literal, $TAPS:literal) => {
        impl Convolutions for $V {
            #[target_feature(enable = $features)]
            unsafe fn at_offsets(m: usize, n: usize, t: Task<$T>, offsets: &[usize]) {
                // SAFETY: the caller promises what it needs, there is an offset for each step, and the attribute names the instruction set.
                unsafe {
                    strips::<$V, $TWO, $ONE>(
                        m,
                        n,
                        t,
                        |p| *offsets.get_unchecked(p),
                        |p, c| fetch_row::<$V>(p, c, t.c_row, $TWO),
                    )
                }
            }
            /// `m` rows, in tiles.
            #[target_feature(enable = $features)]
            unsafe fn halves(m: usize, t: Task<$T>, offsets: &[usize], apart: usize) {
                let mut i = 0;
                while i < m {
                    // SAFETY: the caller promises what it needs; a tile ends with the rows.
                    unsafe {
                        let t = t.down(i);
                        i += match m - i {
                            $ONE.. => {
                                halves::<$V, $ONE>(t, offsets, apart);
                                $ONE
                            }
                            8.. => {
                                halves::<$V, 8>(t, offsets, apart);
                                8
                            }
                            4.. => {
                                halves::<$V, 4>(t, offsets, apart);
                                4
                            }
                            _ => {
                                halves::<$V, 1>(t, offsets, apart);
                                1
                            }
                        };
                    }
                }
            }
            /// Adds patches, `[taps, places]`, to where the taps meet the image.
            #[target_feature(enable = $features)]
            unsafe fn spread(g: &Geometry, patches: &[$T], dx: &mut [$T]) {
                let places = g.out[0] * g.out[1];
                g.stretches(|tap, from, to, len| {
                    let (from, to) = (&patches[tap * places + from..][..len], &mut dx[to..]);
                    if g.stride[1] != 1 {
                        return to
                            .iter_mut()
                            .step_by(g.stride[1])
                            .zip(from)
                            .for_each(|(to, &from)| *to += from);
                    }
                    // eights are written out: rows are short
                    let ((from, few), (to, rest)) = (from.as_chunks::<8>(), to[..len].as_chunks_mut::<8>());
                    for (to, from) in to.iter_mut().zip(from) {
                        *to = std::array::from_fn(|i| to[i] + from[i]);
                    }
                    rest.iter_mut().zip(few).for_each(|(to, &from)| *to += from);
                });
            }
            #[target_feature(enable = $features)]
            unsafe fn pad(g: &Geometry, channels: usize, x: *const $T, to: *mut $T) {
                // SAFETY: the caller promises what it needs, and the attribute names the instruction set.
                unsafe { pad::<$V>(g, channels, x, to) }
            }
            #[target_feature(enable = $features)]
            unsafe fn gather(from: *const $T, offsets: &[usize], runs: &[Run], stride: usize, to: *mut $T) {
                // SAFETY: the caller promises what it needs, and the attribute names the instruction set.
                unsafe { gather::<$V>(from, offsets, runs, stride, to) }
            }
            #[target_feature(enable = $features)]
            unsafe fn gather_taps(
                from: *const $T,
                offsets: &[usize],
                runs: &[Run],
                stride: usize,
                to: *mut $T,
            ) {
                // SAFETY: the caller promises what it needs, and the attribute names the instruction set.
                unsafe { gather_taps::<$V, $N>(from, offsets, runs, stride, to) }
            }
            /// All outputs and taps of an image, in tiles.
            #[target_feature(enable = $features)]
            unsafe fn tap_sums(
                g: &Geometry,
                images: Images<$T>,
                offsets: &[usize],
                dw: *mut $T,
                dw_row: usize,
            ) {
                let plane = g.out[0] * g.out[1];
                for o in (0..g.o / OUTPUTS * OUTPUTS).step_by(OUTPUTS).chain(g.o / OUTPUTS * OUTPUTS..g.o) {
                    let four = o + OUTPUTS <= g.o && o % OUTPUTS == 0;
                    let (chunks, rest) = offsets.as_chunks::<$TAPS>();
                    // SAFETY: the caller promises what it needs; outputs o .. o + 4 are fewer than there are, and taps are those of `offsets`.
                    unsafe {
                        let (images, dw) =
                            (Images { dy: images.dy.add(o * plane), ..images }, dw.add(o * dw_row));
                        for (q, chunk) in chunks.iter().enumerate() {
                            let dw = dw.add(q * $TAPS);
                            if four && g.out[1] % $N == 0 {
                                tap_sums::<$V, $N, OUTPUTS, $TAPS, { rows_as::WHOLE }>(
                                    g, images, *chunk, dw, dw_row,
                                )
                            } else if four && in_halves::<$V>(g) {
                                tap_sums::<$V, $N, OUTPUTS, $TAPS, { rows_as::HALVES }>(
                                    g, images, *chunk, dw, dw_row,
                                )
                            } else if four {
                                tap_sums::<$V, $N, OUTPUTS, $TAPS, { rows_as::MASKED }>(
                                    g, images, *chunk, dw, dw_row,
                                )
                            } else {
                                tap_sums::<$V, $N, 1, $TAPS, { rows_as::MASKED }>(
                                    g, images, *chunk, dw, dw_row,
                                )
                            }
                        }
                        for (q, offset) in rest.iter().enumerate() {
                            let dw = dw.add(chunks.len() * $TAPS + q);
                            if four {
                                tap_sums::<$V, $N, OUTPUTS, 1, { rows_as::MASKED }>(
                                    g,
                                    images,
                                    [*offset],
                                    dw,
                                    dw_row,
                                )
                            } else {
                                tap_sums::<$V, $N, 1, 1, { rows_as::MASKED }>(
                                    g,
                                    images,
                                    [*offset],
                                    dw,
                                    dw_row,
                                )
                            }
                        }
                    }
                }
            }
        }
    };
}
instruction_sets!(convolutions);

/// One group of images with what surrounds them: channels `from .. to`, as a pointer and its height and width.
struct Padded<T> {
    at: *const T,
    size: [usize; 2],
}

/// The image with its padding: itself where there is none, else a copy in `room`.
///
/// # Safety
/// The instruction set of V is there, and x has whole channels, for which `room` has room.
unsafe fn padded<V: Convolutions>(
    g: &Geometry,
    x: &[V::Number],
    room: &mut [V::Number],
) -> Padded<V::Number> {
    let ([h, w], [ph, pw]) = (g.image, g.padding);
    if [ph, pw] == [0, 0] {
        return Padded { at: x.as_ptr(), size: [h, w] };
    }
    let channels = x.len() / (h * w);
    assert!(channels * (h + 2 * ph) * (w + 2 * pw) <= room.len(), "the room of {g:?}");
    // SAFETY: as the caller promises, and the room is there.
    unsafe { V::pad(g, channels, x.as_ptr(), room.as_mut_ptr()) };
    Padded { at: room.as_ptr(), size: [h + 2 * ph, w + 2 * pw] }
}

/// Room for a padded image of `c` channels.
fn room_of_image(g: &Geometry, c: usize) -> usize {
    match g.padding {
        [0, 0] => 0,
        [ph, pw] => c * (g.image[0] + 2 * ph) * (g.image[1] + 2 * pw),
    }
}

/// y = the bias of each output, if there is one, and x convolved with w, of one image and group. `panel` has room for [`TAPS`] rows of two vectors.
///
/// # Safety
/// The instruction set of V is there; x is a padded image of the geometry, w has its kernels and y its result.
unsafe fn image<V: Convolutions>(
    g: &Geometry,
    x: Padded<V::Number>,
    w: *const V::Number,
    bias: &[V::Number],
    y: *mut V::Number,
    panel: &mut [V::Number],
) {
    let ([oh, ow], taps) = (g.out, g.c * g.kernel[0] * g.kernel[1]);
    let (places, length) = (oh * ow, block(taps, TAPS));
    let mut offsets = [0; TAPS];
    let direct = g.stride[1] == 1 && ow >= V::N;
    for p in cuts(taps, length) {
        let k = length.min(taps - p);
        let offsets = &mut offsets[..k];
        offsets.iter_mut().enumerate().for_each(|(q, to)| *to = offset(g, x.size, p + q));
        let a = View { at: w.wrapping_add(p), row: taps, col: 1 };
        let t = Task {
            k,
            a,
            b: View { at: x.at, row: 0, col: 1 },
            c: y,
            c_row: places,
            start: match (p, bias) {
                (0, []) => Start::Nothing,
                (0, _) => Start::Column(bias.as_ptr()),
                _ => Start::C,
            },
        };
        if direct {
            for i in 0..oh {
                let b = View { at: x.at.wrapping_add(i * g.stride[0] * x.size[1]), ..t.b };
                // SAFETY: row i of the result meets rows of the image that are there, ow columns from each offset on.
                unsafe { V::at_offsets(g.o, ow, Task { b, c: y.wrapping_add(i * ow), ..t }, offsets) }
            }
            continue;
        }
        if in_halves::<V>(g) {
            let down = g.stride[0] * x.size[1];
            for i in (0..oh).step_by(2) {
                let b = View { at: x.at.wrapping_add(i * down), ..t.b };
                // SAFETY: rows i and i + 1 of the result meet rows of the image that are there, and are a vector.
                unsafe { V::halves(g.o, Task { b, c: y.wrapping_add(i * ow), ..t }, offsets, down) }
            }
            continue;
        }
        let mut stretches = [[0; 3]; TAPS];
        for j in (0..places).step_by(2 * V::N) {
            let n = (2 * V::N).min(places - j);
            let count = runs(g, x.size[1], j, n, &mut stretches);
            // SAFETY: the runs are places of the result, which meet the image at each offset; the panel has two vectors for each tap.
            unsafe {
                V::gather(x.at, offsets, &stretches[..count], g.stride[1], panel.as_mut_ptr());
                let b = View { at: panel.as_ptr(), row: 2 * V::N, col: 1 };
                V::strips(g.o, n, Task { b, c: y.wrapping_add(j), ..t });
            }
        }
    }
}

/// Pointers that several threads use, each for places of its own.
#[derive(Clone, Copy)]
struct Shared<T>(*mut T);
// SAFETY: no place is written by two threads; see where it is used.
unsafe impl<T: Send> Sync for Shared<T> {}
impl<T> Shared<T> {
    fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

/// In how many parts `count` units are computed.
fn parts_of(count: usize, work: usize) -> usize {
    let parts = threads::number_of_parts((work / PIECE).min(count)).min(count).max(1);
    count.div_ceil(count.div_ceil(parts).max(1))
}

/// Calls `each` with every number below `count`, in `parts`, each with `room` numbers of `scratch` to work in.
fn in_parts<T: Send>(
    parts: usize,
    count: usize,
    room: usize,
    scratch: &mut [T],
    each: impl Fn(usize, &mut [T]) + Sync,
) {
    let length = count.div_ceil(parts);
    threads::for_each_part(parts, scratch, room, |part, room| {
        (part * length..((part + 1) * length).min(count)).for_each(|i| each(i, room));
    });
}

/// y = the bias, which may be empty, and x convolved with w.
///
/// # Safety
/// The instruction set of V is there, and the slices have the sizes of the geometry.
unsafe fn forward<V: Convolutions>(
    g: &Geometry,
    x: &[V::Number],
    w: &[V::Number],
    bias: &[V::Number],
    y: &mut [V::Number],
    scratch: &mut Buf<V::Number>,
) {
    let ([size, out, taps], of_image) = (g.sizes(), room_of_image(g, g.c));
    let y = Shared(y.as_mut_ptr());
    let (count, room) = (g.n * g.groups, of_image + TAPS * 2 * V::N);
    let parts = parts_of(count, g.work());
    in_parts(parts, count, room, scratch.at_least(parts * room), |at, room| {
        let (room, panel) = room.split_at_mut(of_image);
        let w = &w[at % g.groups * g.o * taps..][..g.o * taps];
        // SAFETY: image and kernels are those of this group; its result is written here alone.
        unsafe {
            let x = padded::<V>(g, &x[at * size..][..size], room);
            let bias = if bias.is_empty() { bias } else { &bias[at % g.groups * g.o..][..g.o] };
            image::<V>(g, x, w.as_ptr(), bias, y.at(at * out), panel)
        }
    });
}

/// dx = the gradient of the images.
///
/// # Safety
/// As [`forward`].
unsafe fn of_images<V: Convolutions>(
    g: &Geometry,
    w: &[V::Number],
    dy: &[V::Number],
    dx: &mut [V::Number],
    scratch: &mut Buf<V::Number>,
) {
    let [size, out, taps] = g.sizes();
    let (places, kernel) = (g.out[0] * g.out[1], g.kernel[0] * g.kernel[1]);
    let count = g.n * g.groups;
    let parts = parts_of(count, g.work());
    let extra = |turned: &Geometry| turned.out[0] * turned.out[1] * 10 <= places * 13;
    if let Some(turned) = g.turned().filter(extra) {
        let (of_image, kernels) = (room_of_image(&turned, turned.c), g.groups * g.o * taps);
        let room = of_image + TAPS * 2 * V::N;
        let (turned_w, scratch) = scratch.at_least(kernels + parts * room).split_at_mut(kernels);
        for (group, w) in w.chunks_exact(g.o * taps).enumerate() {
            for (i, &w) in w.iter().enumerate() {
                let (o, c, k) = (i / taps, i / kernel % g.c, i % kernel);
                turned_w[group * g.o * taps + (c * g.o + o) * kernel + kernel - 1 - k] = w;
            }
        }
        let (turned_w, dx) = (&*turned_w, Shared(dx.as_mut_ptr()));
        in_parts(parts, count, room, scratch, |at, room| {
            let (room, panel) = room.split_at_mut(of_image);
            let w = &turned_w[at % g.groups * g.o * taps..][..g.o * taps];
            // SAFETY: the result of the turned convolution is the gradient of this image, which is written here alone.
            unsafe {
                let dy = padded::<V>(&turned, &dy[at * out..][..out], room);
                image::<V>(&turned, dy, w.as_ptr(), &[], dx.at(at * size), panel)
            }
        });
        return;
    }
    let dx = Shared(dx.as_mut_ptr());
    let room = taps * places;
    in_parts(parts, count, room, scratch.at_least(parts * room), |at, patches| {
        let w = &w[at % g.groups * g.o * taps..][..g.o * taps];
        // SAFETY: the gradient of this image is written here alone.
        let dx = unsafe { std::slice::from_raw_parts_mut(dx.at(at * size), size) };
        for p in cuts(g.o, block(g.o, 4 * K)) {
            let k = block(g.o, 4 * K).min(g.o - p);
            let a = View { at: w[p * taps..].as_ptr(), row: 1, col: taps };
            let b = View { at: dy[at * out + p * places..].as_ptr(), row: places, col: 1 };
            let t = Task {
                k,
                a,
                b,
                c: patches.as_mut_ptr(),
                c_row: places,
                start: if p > 0 { Start::C } else { Start::Nothing },
            };
            // SAFETY: kernels p .. p + k and as many planes of dY are there, and the patches have taps by places.
            unsafe { V::strips(taps, places, t) }
        }
        dx.fill(V::Number::default());
        // SAFETY: the instruction set is there.
        unsafe { V::spread(g, patches, dx) }
    });
}

/// dw += the gradient of the kernels.
///
/// # Safety
/// As [`forward`].
unsafe fn of_kernels<V: Convolutions>(
    g: &Geometry,
    x: &[V::Number],
    dy: &[V::Number],
    dw: &mut [V::Number],
    scratch: &mut Buf<V::Number>,
) {
    let [size, out, taps] = g.sizes();
    let (places, kernel, plane) = (g.out[0] * g.out[1], g.kernel[0] * g.kernel[1], g.image[0] * g.image[1]);
    let wide = g.out[1] >= 2 * V::N || g.out[1].is_multiple_of(V::N) || in_halves::<V>(g);
    let direct = g.stride[1] == 1 && (wide || g.c == 1);
    // taps are shared, in strips of two vectors, or of one where that is no less work; a part has only the channels that its taps meet
    let strip = if direct { V::N } else { 2 * V::N };
    let strips = taps.div_ceil(strip);
    let channels = |strips: usize| g.c.min((strips * strip).div_ceil(kernel) + 1);
    let parts = threads::number_of_parts(g.work() / PIECE).min(g.groups * strips);
    let length = (g.groups * strips).div_ceil(parts);
    let parts = (g.groups * strips).div_ceil(length);
    // of small images several at once, so that sums of lanes are added up once for all of them
    let together = if direct { (2048 / places).clamp(1, 8).min(g.n) } else { 1 };
    let (of_image, block) = (room_of_image(g, channels(length.min(strips))), block(places, TAPS));
    let of_outputs = if direct { 0 } else { block * (g.o.next_multiple_of(V::ROWS) + 2 * V::N) };
    let room = together * of_image + of_outputs;
    let dw = Shared(dw.as_mut_ptr());
    threads::for_each_part(parts, scratch.at_least(parts * room), room, |part, room| {
        let (room, outputs) = room.split_at_mut(together * of_image);
        let (outputs, panel) = outputs.split_at_mut(of_outputs.saturating_sub(block * 2 * V::N));
        let (mut offsets, mut stretches) = ([0; 2 * 16], [[0; 3]; TAPS]);
        for group in 0..g.groups {
            let mine = (part * length).max(group * strips)..((part + 1) * length).min((group + 1) * strips);
            if mine.is_empty() {
                continue;
            }
            let [first, last] = [mine.start, mine.end].map(|at| ((at - group * strips) * strip).min(taps));
            let channels = first / kernel..last.div_ceil(kernel);
            for n in (0..g.n).step_by(together) {
                let count = together.min(g.n - n);
                let mut images = Images {
                    count,
                    x: std::ptr::null(),
                    x_apart: if of_image == 0 { g.groups * size } else { of_image },
                    width: 0,
                    dy: dy[(n * g.groups + group) * out..].as_ptr(),
                    dy_apart: g.groups * out,
                };
                let mut padded_size = [0; 2];
                for k in 0..count {
                    let at = (n + k) * g.groups + group;
                    let x = &x[at * size + channels.start * plane..at * size + channels.end * plane];
                    // SAFETY: the instruction set is there.
                    let x = unsafe { padded::<V>(g, x, &mut room[k * of_image..]) };
                    if k == 0 {
                        (images.x, images.width, padded_size) = (x.at, x.size[1], x.size);
                    }
                }
                let mut each_strip = |each: &mut dyn FnMut(&[usize], *mut V::Number)| {
                    for j in (first..last).step_by(strip) {
                        let offsets = &mut offsets[..strip.min(last - j)];
                        let from = channels.start * kernel;
                        let place = |(q, to): (usize, &mut usize)| *to = offset(g, padded_size, j + q - from);
                        offsets.iter_mut().enumerate().for_each(place);
                        each(offsets, dw.at(group * g.o * taps + j));
                    }
                };
                if direct {
                    // SAFETY: the taps meet channels of this part at every place; their columns of dw are written by this part alone.
                    each_strip(&mut |offsets, dw| unsafe { V::tap_sums(g, images, offsets, dw, taps) });
                    continue;
                }
                for i in cuts(places, block) {
                    let k = block.min(places - i);
                    let count = runs(g, images.width, i, k, &mut stretches);
                    for o in cuts(g.o, V::ROWS) {
                        let rows = View { at: images.dy.wrapping_add(o * places + i), row: places, col: 1 };
                        let to = outputs[o * k..].as_mut_ptr();
                        // SAFETY: the panels take all outputs, in whole tiles, times a block.
                        unsafe { V::copy(rows.t(), k, V::ROWS.min(g.o - o), to, V::ROWS) }
                    }
                    let (outputs, panel) = (outputs.as_ptr(), panel.as_mut_ptr());
                    each_strip(&mut |offsets, dw| {
                        let b = View { at: panel.cast_const(), row: 2 * V::N, col: 1 };
                        let t = Task {
                            k,
                            a: View { at: outputs, row: 0, col: 0 },
                            b,
                            c: dw,
                            c_row: taps,
                            start: Start::C,
                        };
                        // SAFETY: the runs are places of the result, and the panel has a block of two vectors; the rest as above.
                        unsafe {
                            V::gather_taps(images.x, offsets, &stretches[..count], g.stride[1], panel);
                            V::panels(g.o, offsets.len(), t, Next::after(b, 0, 2 * V::N, 1));
                        }
                    });
                }
            }
        }
    });
}

/// One pass of a convolution; `false` if this machine has no instruction set for it, and nothing was done. The slices have been checked.
pub(crate) fn f32(
    pass: Pass,
    g: &Geometry,
    [a, b, bias]: [&[f32]; 3],
    c: &mut [f32],
    scratch: &mut Buf<f32>,
) -> bool {
    /// # Safety
    /// The instruction set of V is there.
    unsafe fn run<V: Convolutions<Number = f32>>(
        pass: Pass,
        g: &Geometry,
        [a, b, bias]: [&[f32]; 3],
        c: &mut [f32],
        scratch: &mut Buf<f32>,
    ) {
        // SAFETY: as the caller promises; `crate::convolution` has checked the sizes.
        unsafe {
            match pass {
                Pass::Forward => forward::<V>(g, a, b, bias, c, scratch),
                Pass::OfImages => of_images::<V>(g, a, b, c, scratch),
                Pass::OfKernels => of_kernels::<V>(g, a, b, c, scratch),
            }
        }
    }
    if !is_there() {
        return false;
    }
    // SAFETY: the instruction set is there.
    unsafe { widest!(f32, V => run::<V>(pass, g, [a, b, bias], c, scratch)) }
    true
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::convolution::tests::agrees;
    use crate::simd::choice;
    use std::arch::x86_64::__m256;

    /// Runs the AVX2 twin on a machine that would choose AVX-512.
    #[test]
    fn the_narrow_tiles_agree_with_the_plain_loops() {
        if choice::level() == choice::AVX512 {
            // SAFETY: machines with AVX-512 have AVX2, and `agrees` gives slices of the sizes of the geometry.
            agrees(|pass, g, [a, b], c| unsafe {
                let scratch = &mut Buf::new(3);
                match pass {
                    Pass::Forward => forward::<__m256>(g, a, b, &vec![0.5; g.groups * g.o], c, scratch),
                    Pass::OfImages => of_images::<__m256>(g, a, b, c, scratch),
                    Pass::OfKernels => of_kernels::<__m256>(g, a, b, c, scratch),
                }
            });
        }
    }
}
