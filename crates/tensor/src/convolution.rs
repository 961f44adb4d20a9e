//! Convolutions of images: one seam, behind which the way is chosen by machine and size.

use std::ops::Range;

use crate::{Buf, Scalar};

/// The sizes of a convolution: images `[n, groups c, h, w]`, kernels `[groups o, c, kh, kw]`, results `[n, groups o, oh, ow]`. What has
/// two lengths has that along h first.
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(hidden)]
pub struct Geometry {
    pub n: usize,
    pub groups: usize,
    pub c: usize,
    pub o: usize,
    pub image: [usize; 2],
    pub kernel: [usize; 2],
    pub out: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
}

impl Geometry {
    /// Numbers of one group of an image, of its result, and of a kernel.
    pub fn sizes(&self) -> [usize; 3] {
        let [image, out, kernel] = [self.image, self.out, self.kernel].map(|[h, w]| h * w);
        [self.c * image, self.o * out, self.c * kernel]
    }

    /// Multiplications of a pass.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pub fn work(&self) -> usize {
        let [_, out, taps] = self.sizes();
        self.n.saturating_mul(self.groups).saturating_mul(out).saturating_mul(taps)
    }

    /// The places along an axis of the result at which tap `k` meets the image, not its padding.
    fn meets(&self, axis: usize, k: usize) -> Range<usize> {
        let (stride, at) = (self.stride[axis], k * self.dilation[axis]);
        let first = self.padding[axis].saturating_sub(at).div_ceil(stride);
        let behind = (self.image[axis] + self.padding[axis]).saturating_sub(at).div_ceil(stride);
        first..behind.min(self.out[axis]).max(first)
    }

    /// The row or column of the image that tap `k` meets at place `i` of the result, one of [`meets`](Self::meets).
    fn place(&self, axis: usize, i: usize, k: usize) -> usize {
        i * self.stride[axis] + k * self.dilation[axis] - self.padding[axis]
    }

    /// Calls `each` with every stretch of a row of the result of one image and group, for every tap: the tap (c, kh, kw), where the
    /// stretch begins in a plane of the result, where in the image, and how long it is. Places of the image are a stride apart.
    pub fn stretches(&self, mut each: impl FnMut(usize, usize, usize, usize)) {
        let ([kh, kw], [h, w]) = (self.kernel, self.image);
        for (c, u, v) in (0..self.c).flat_map(|c| (0..kh * kw).map(move |k| (c, k / kw, k % kw))) {
            let columns = self.meets(1, v);
            if columns.is_empty() {
                continue;
            }
            for i in self.meets(0, u) {
                let x = (c * h + self.place(0, i, u)) * w + self.place(1, columns.start, v);
                each((c * kh + u) * kw + v, i * self.out[1] + columns.start, x, columns.len());
            }
        }
    }

    /// The convolution of which the gradient of the image is the result: of dY, padded, with the kernels turned by 180 degrees. None
    /// where there are strides, or more padding than a kernel reaches.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    pub fn turned(&self) -> Option<Geometry> {
        let reach = [0, 1].map(|axis| (self.kernel[axis] - 1) * self.dilation[axis]);
        let padding = [reach[0].checked_sub(self.padding[0])?, reach[1].checked_sub(self.padding[1])?];
        (self.stride == [1, 1]).then_some(Geometry {
            c: self.o,
            o: self.c,
            image: self.out,
            out: self.image,
            padding,
            ..*self
        })
    }
}

/// y = the bias of each output, or 0, and x convolved with the kernels w: what a convolution computes, and the gradient of a transposed one.
/// `y` holds any numbers before.
pub(crate) fn forward<T: Scalar>(
    g: &Geometry,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
    scratch: &mut Buf<T>,
) {
    let [image, out, taps] = g.sizes();
    assert_eq!(
        [x.len(), y.len(), w.len()],
        [g.n * g.groups * image, g.n * g.groups * out, g.groups * g.o * taps],
        "the sizes of {g:?}"
    );
    if !g.work_is_none() && T::convolution(Pass::Forward, g, [x, w, bias.unwrap_or(&[])], y, scratch) {
        return;
    }
    match bias {
        None => y.fill(T::ZERO),
        Some(bias) => {
            let maps = y.chunks_exact_mut((g.out[0] * g.out[1]).max(1));
            maps.zip(bias.iter().cycle()).for_each(|(map, &b)| map.fill(b));
        }
    }
    if g.work_is_none() {
        return;
    }
    for at in 0..g.n * g.groups {
        let (x, y) = (&x[at * image..][..image], &mut y[at * out..][..out]);
        let w = &w[at % g.groups * g.o * taps..][..g.o * taps];
        for (y, w) in y.chunks_exact_mut(out / g.o).zip(w.chunks_exact(taps)) {
            g.stretches(|tap, to, from, len| {
                let (y, x, w) = (&mut y[to..to + len], &x[from..], w[tap]);
                match g.stride[1] {
                    1 => y.iter_mut().zip(x).for_each(|(y, &x)| *y += w * x),
                    stride => y.iter_mut().zip(x.iter().step_by(stride)).for_each(|(y, &x)| *y += w * x),
                }
            });
        }
    }
}

/// dx = the gradient of the images: what a transposed convolution computes of dy. `dx` holds any numbers before.
pub(crate) fn of_images<T: Scalar>(g: &Geometry, w: &[T], dy: &[T], dx: &mut [T], scratch: &mut Buf<T>) {
    let [image, out, taps] = g.sizes();
    assert_eq!(
        [dx.len(), dy.len(), w.len()],
        [g.n * g.groups * image, g.n * g.groups * out, g.groups * g.o * taps],
        "the sizes of {g:?}"
    );
    if !g.work_is_none() && T::convolution(Pass::OfImages, g, [w, dy, &[]], dx, scratch) {
        return;
    }
    dx.fill(T::ZERO);
    if g.work_is_none() {
        return;
    }
    for at in 0..g.n * g.groups {
        let (dx, dy) = (&mut dx[at * image..][..image], &dy[at * out..][..out]);
        let w = &w[at % g.groups * g.o * taps..][..g.o * taps];
        for (dy, w) in dy.chunks_exact(out / g.o).zip(w.chunks_exact(taps)) {
            g.stretches(|tap, from, to, len| {
                let (dy, dx, w) = (&dy[from..from + len], &mut dx[to..], w[tap]);
                match g.stride[1] {
                    1 => dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += w * dy),
                    stride => dx.iter_mut().step_by(stride).zip(dy).for_each(|(dx, &dy)| *dx += w * dy),
                }
            });
        }
    }
}

/// dw = the gradient of the kernels. `dw` holds any numbers before.
pub(crate) fn of_kernels<T: Scalar>(g: &Geometry, x: &[T], dy: &[T], dw: &mut [T], scratch: &mut Buf<T>) {
    let [image, out, taps] = g.sizes();
    assert_eq!(
        [x.len(), dy.len(), dw.len()],
        [g.n * g.groups * image, g.n * g.groups * out, g.groups * g.o * taps],
        "the sizes of {g:?}"
    );
    dw.fill(T::ZERO);
    if g.work_is_none() || T::convolution(Pass::OfKernels, g, [x, dy, &[]], dw, scratch) {
        return;
    }
    for at in 0..g.n * g.groups {
        let (x, dy) = (&x[at * image..][..image], &dy[at * out..][..out]);
        let dw = &mut dw[at % g.groups * g.o * taps..][..g.o * taps];
        for (dy, dw) in dy.chunks_exact(out / g.o).zip(dw.chunks_exact_mut(taps)) {
            g.stretches(|tap, of_dy, of_x, len| {
                let (dy, x) = (&dy[of_dy..of_dy + len], x[of_x..].iter().step_by(g.stride[1]));
                let mut sum = T::ZERO;
                dy.iter().zip(x).for_each(|(&dy, &x)| sum += dy * x);
                dw[tap] += sum;
            });
        }
    }
}

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(hidden)]
pub enum Pass {
    /// y from x, w and the bias, which may be empty.
    Forward,
    /// dx from w and dy.
    OfImages,
    /// dw from x and dy; it is added.
    OfKernels,
}

impl Geometry {
    fn work_is_none(&self) -> bool {
        let [image, out, taps] = self.sizes();
        self.n == 0 || self.groups == 0 || image == 0 || out == 0 || taps == 0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Whole numbers, whose products add up without rounding in every order.
    fn whole<T: Scalar>(n: usize, salt: usize) -> Vec<T> {
        (0..n).map(|i| T::of(((i * 7 + salt * 13 + i / 11) % 11) as f64 - 5.0)).collect()
    }

    fn geometries() -> Vec<Geometry> {
        let mut all = vec![];
        let sizes: [([usize; 2], [usize; 2]); 7] = [
            ([5, 5], [3, 3]),
            ([28, 28], [5, 5]),
            ([12, 12], [5, 5]),
            ([9, 40], [3, 3]),
            ([1, 70], [1, 9]),
            ([4, 3], [1, 1]),
            ([17, 33], [2, 2]),
        ];
        for (image, kernel) in sizes {
            for (n, groups, c, o) in [(2, 1, 1, 4), (1, 1, 8, 7), (3, 2, 3, 5), (2, 1, 40, 13)] {
                if c * image[0] * image[1] * kernel[0] * kernel[1] > 130_000 {
                    continue; // long, and like the others
                }
                for (stride, padding, dilation) in [
                    ([1, 1], [0, 0], [1, 1]),
                    ([1, 1], [1, 1], [1, 1]),
                    ([2, 2], [0, 1], [1, 1]),
                    ([1, 1], [2, 2], [1, 2]),
                    ([2, 1], [1, 0], [1, 1]),
                ] {
                    let out = [0, 1].map(|axis| {
                        let reach: usize = dilation[axis] * (kernel[axis] - 1) + 1;
                        (image[axis] + 2 * padding[axis])
                            .checked_sub(reach)
                            .map(|left| left / stride[axis] + 1)
                    });
                    if let [Some(oh), Some(ow)] = out {
                        all.push(Geometry {
                            n,
                            groups,
                            c,
                            o,
                            image,
                            kernel,
                            out: [oh, ow],
                            stride,
                            padding,
                            dilation,
                        });
                    }
                }
            }
        }
        assert!(all.len() > 100);
        all
    }

    /// The definition, term by term: what each pass adds or writes.
    fn by_definition(pass: Pass, g: &Geometry, [a, b]: [&[f32]; 2], c: &mut [f32]) {
        let ([h, w], [kh, kw], [oh, ow]) = (g.image, g.kernel, g.out);
        if pass == Pass::OfImages {
            c.fill(0.0);
        }
        for n in 0..g.n {
            for (group, o, ch) in
                (0..g.groups).flat_map(|r| (0..g.o).flat_map(move |o| (0..g.c).map(move |c| (r, o, c))))
            {
                for (u, v, i, j) in (0..kh).flat_map(|u| {
                    (0..kw).flat_map(move |v| (0..oh).flat_map(move |i| (0..ow).map(move |j| (u, v, i, j))))
                }) {
                    let row = (i * g.stride[0] + u * g.dilation[0])
                        .checked_sub(g.padding[0])
                        .filter(|row| *row < h);
                    let col = (j * g.stride[1] + v * g.dilation[1])
                        .checked_sub(g.padding[1])
                        .filter(|col| *col < w);
                    let (Some(row), Some(col)) = (row, col) else { continue };
                    let x = (((n * g.groups + group) * g.c + ch) * h + row) * w + col;
                    let y = (((n * g.groups + group) * g.o + o) * oh + i) * ow + j;
                    let k = (((group * g.o + o) * g.c + ch) * kh + u) * kw + v;
                    match pass {
                        Pass::Forward => c[y] += a[x] * b[k],
                        Pass::OfImages => c[x] += a[k] * b[y],
                        Pass::OfKernels => c[k] += a[x] * b[y],
                    }
                }
            }
        }
    }

    /// Holds a way to compute the three passes against the definition.
    pub fn agrees(way: impl Fn(Pass, &Geometry, [&[f32]; 2], &mut [f32])) {
        for g in geometries() {
            let [image, out, taps] = g.sizes();
            let [x, y, w] =
                [(g.n * g.groups * image, 1), (g.n * g.groups * out, 2), (g.groups * g.o * taps, 3)]
                    .map(|(n, salt)| whole::<f32>(n, salt));
            for (pass, factors, size) in [
                (Pass::Forward, [&x[..], &w[..]], y.len()),
                (Pass::OfImages, [&w, &y], x.len()),
                (Pass::OfKernels, [&x, &y], w.len()),
            ] {
                let before = if pass == Pass::OfKernels { 0.0 } else { 0.5 };
                let [mut found, mut expected] = [(); 2].map(|()| vec![before; size]);
                way(pass, &g, factors, &mut found);
                by_definition(pass, &g, factors, &mut expected);
                assert!(found == expected, "{pass:?} of {g:?}");
            }
        }
    }

    #[test]
    fn every_geometry_agrees_with_the_definition_in_every_type() {
        fn seam<T: Scalar>(pass: Pass, g: &Geometry, [a, b]: [&[f32]; 2], c: &mut [f32]) {
            let [a, b] = [a, b].map(|x| Vec::from_iter(x.iter().map(|&x| T::of(x.into()))));
            let mut result = Vec::from_iter(c.iter().map(|&x| T::of(x.into())));
            let scratch = &mut Buf::new(3);
            match pass {
                Pass::Forward => {
                    forward(g, &a, &b, Some(&vec![T::of(0.5); g.groups * g.o]), &mut result, scratch)
                }
                Pass::OfImages => of_images(g, &a, &b, &mut result, scratch),
                Pass::OfKernels => of_kernels(g, &a, &b, &mut result, scratch),
            }
            c.iter_mut().zip(result).for_each(|(c, x)| *c = x.value() as f32);
        }
        agrees(seam::<f32>);
        agrees(seam::<f64>);
        agrees(seam::<crate::Dual>);
        crate::threads::with(3, || agrees(seam::<f32>));
        crate::threads::with(2, || crate::threads::within(|| agrees(seam::<f32>)));
    }
}
