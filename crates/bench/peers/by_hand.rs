//! The tasks written by hand: no tape, no allocation in a step, losses in one pass, loops that the compiler vectorizes. No peer, but a
//! measure of what a framework costs.
//!
//! Large products are those of the crate faer, in as many threads as were asked for; all else runs in one.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use surprisal_bench::{Bench, LOSS_KERNELS, Loss, Net, Update, labels, logits, print_once};

fn main() {
    let bench = Bench::new("by_hand", 1.5);
    if std::env::args().nth(1).as_deref() == Some("once") {
        print_once(Training::new(&Net::named("T2").expect("a task"), 1).step());
        return;
    }
    for net in bench.nets() {
        let mut training = Training::new(&net, bench.threads());
        let loss = [(); 5].map(|()| training.step())[4];
        bench.run(&net.task, loss, || training.step());
    }
    if bench.wants("T6") {
        let (mut w, mut b) = (0.6f32, 0.9f32);
        let mut step = |x: f32, y: f32| {
            let a = 1.0 / (1.0 + (-(w * x + b)).exp());
            let slope = 2.0 * (a - y) * a * (1.0 - a);
            w -= 0.15 * slope * x;
            b -= 0.15 * slope;
            (a - y) * (a - y)
        };
        let loss = [(); 5].map(|()| step(1.0, 0.0))[4];
        bench.run("T6", f64::from(loss), || step(std::hint::black_box(1.0), std::hint::black_box(0.0)));
    }
    for (task, rows, classes) in LOSS_KERNELS {
        if bench.wants(task) {
            let (z, mut d) = (logits(rows * classes), vec![0.0; rows * classes]);
            let labels = labels(4, rows, classes.max(2));
            let targets: Vec<f32> = labels.iter().map(|&y| y as f32).collect();
            let mut loss = || match classes {
                1 => binary_cross_entropy(&z, &targets, rows, &mut d),
                _ => softmax_cross_entropy(&z, classes, &labels, &mut d),
            };
            bench.run(task, loss(), loss);
        }
    }
    for (task, rows) in [("T8_b1", 1), ("T8_b64", 64)] {
        if bench.wants(task) {
            let mut training = Training::new(&Net::named("T3").expect("a task"), bench.threads());
            training.forward(rows);
            let sum: f32 = training.values[2][..rows * 10].iter().sum();
            bench.run(task, f64::from(sum), || training.forward(rows));
        }
    }
}

struct Layer {
    inputs: usize,
    outputs: usize,
    weight: Moved, // [inputs, outputs]
    bias: Moved,
}

/// Parameters, their gradient, and what the optimizer remembers.
struct Moved {
    theta: Vec<f32>,
    grad: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Moved {
    fn new(theta: Vec<f32>) -> Moved {
        let zeros = vec![0.0; theta.len()];
        Moved { theta, grad: zeros.clone(), mean: zeros.clone(), square: zeros }
    }

    fn step(&mut self, update: Update, t: i32) {
        let moved = self.theta.iter_mut().zip(&self.grad);
        match update {
            Update::Sgd(rate) => {
                let rate = rate as f32;
                moved.for_each(|(theta, &g)| *theta -= rate * g);
            }
            Update::Momentum(rate) => {
                let rate = rate as f32;
                for ((theta, &g), v) in moved.zip(&mut self.mean) {
                    *v = 0.9 * *v + g;
                    *theta -= rate * *v;
                }
            }
            Update::Adam(rate) => {
                let rate = (rate / (1.0 - 0.9f64.powi(t))) as f32;
                let correction = (1.0 / (1.0 - 0.999f64.powi(t))) as f32;
                for (((theta, &g), m), v) in moved.zip(&mut self.mean).zip(&mut self.square) {
                    *m = 0.9 * *m + 0.1 * g;
                    *v = 0.999 * *v + 0.001 * g * g;
                    *theta -= rate * *m / ((*v * correction).sqrt() + 1e-8);
                }
            }
        }
    }
}

struct Training {
    net: Net,
    threads: usize,
    x: Vec<f32>,
    labels: Vec<u32>,
    targets: Vec<f32>,
    layers: Vec<Layer>,
    values: Vec<Vec<f32>>, // of each layer, and ..
    grads: Vec<Vec<f32>>,  // .. their gradients
    t: i32,
}

impl Training {
    fn new(net: &Net, threads: usize) -> Training {
        let layers = net.layers().into_iter().map(|layer| Layer {
            inputs: layer.inputs,
            outputs: layer.outputs,
            weight: Moved::new(layer.weight),
            bias: Moved::new(layer.bias),
        });
        let values: Vec<_> = net.sizes[1..].iter().map(|outputs| vec![0.0; net.rows * outputs]).collect();
        Training {
            net: net.clone(),
            threads,
            x: net.inputs(),
            labels: net.labels(),
            targets: net.targets(),
            layers: layers.collect(),
            grads: values.clone(),
            values,
            t: 0,
        }
    }

    fn forward(&mut self, rows: usize) {
        let last = self.layers.len() - 1;
        for (l, layer) in self.layers.iter().enumerate() {
            let (below, here) = self.values.split_at_mut(l);
            let x = if l == 0 { &self.x } else { &below[l - 1] };
            let y = &mut here[0][..rows * layer.outputs];
            let w = Matrix::new(&layer.weight.theta, layer.inputs, layer.outputs);
            product(Matrix::new(x, rows, layer.inputs), w, y, self.threads);
            let bias = &layer.bias.theta;
            match self.net.loss {
                Loss::Binary | Loss::Classes if l < last => {
                    activate(y, bias, |z| if z > 0.0 { z } else { 0.0 })
                }
                Loss::SquaredError => activate(y, bias, sigmoid),
                Loss::EachOutput if l < last => activate(y, bias, sigmoid),
                _ => activate(y, bias, |z| z),
            }
        }
    }

    fn step(&mut self) -> f64 {
        let rows = self.net.rows;
        self.forward(rows);
        self.t += 1;
        let last = self.layers.len() - 1;
        let (out, d) = (&self.values[last], &mut self.grads[last]);
        let loss = match self.net.loss {
            Loss::Classes => softmax_cross_entropy(out, 10, &self.labels, d),
            Loss::Binary | Loss::EachOutput => binary_cross_entropy(out, &self.targets, rows, d),
            Loss::SquaredError => squared_error(out, &self.targets, rows, d),
        };
        for l in (0..=last).rev() {
            let layer = &mut self.layers[l];
            let x = if l == 0 { &self.x } else { &self.values[l - 1] };
            let (below, here) = self.grads.split_at_mut(l);
            let d = Matrix::new(&here[0], rows, layer.outputs);
            product(Matrix::new(x, rows, layer.inputs).t(), d, &mut layer.weight.grad, self.threads);
            sum_rows(&here[0], &mut layer.bias.grad);
            if l > 0 {
                let w = Matrix::new(&layer.weight.theta, layer.inputs, layer.outputs);
                product(d, w.t(), &mut below[l - 1], self.threads);
                if self.net.sigmoid_hidden() {
                    below[l - 1].iter_mut().zip(x).for_each(|(d, &a)| *d *= a * (1.0 - a));
                } else {
                    below[l - 1].iter_mut().zip(x).for_each(|(d, &a)| *d = if a > 0.0 { *d } else { 0.0 });
                }
            }
            layer.weight.step(self.net.update, self.t);
            layer.bias.step(self.net.update, self.t);
        }
        loss
    }
}

// ---- products

/// Rows and columns as they are multiplied; a transposed matrix is stored by columns.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Matrix { data: &data[..rows * cols], rows, cols, transposed: false }
    }
    fn t(self) -> Self {
        Matrix { rows: self.cols, cols: self.rows, transposed: !self.transposed, ..self }
    }
    fn faer(self) -> MatRef<'a, f32> {
        if self.transposed {
            MatRef::from_column_major_slice(self.data, self.rows, self.cols)
        } else {
            MatRef::from_row_major_slice(self.data, self.rows, self.cols)
        }
    }
}

/// C = A B, by rows. faer pays from some 64,000 multiplications on; below, and for one row, loops over what is contiguous.
fn product(a: Matrix, b: Matrix, c: &mut [f32], threads: usize) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    if m > 1 && m * k * n > 64 * 1024 {
        let parallel = if threads > 1 && m * k * n > 2_000_000 { Par::rayon(threads) } else { Par::Seq };
        matmul(MatMut::from_row_major_slice_mut(c, m, n), Accum::Replace, a.faer(), b.faer(), 1.0, parallel);
    } else if n == 1 && a.transposed {
        c.fill(0.0);
        for (&b, a) in b.data.iter().zip(a.data.chunks_exact(m)) {
            c.iter_mut().zip(a).for_each(|(c, a)| *c = a.mul_add(b, *c));
        }
    } else if n == 1 || b.transposed {
        for (c, a) in c.chunks_exact_mut(n).zip(a.data.chunks_exact(k)) {
            c.iter_mut().zip(b.data.chunks_exact(k)).for_each(|(c, b)| *c = dot(a, b));
        }
    } else if n == 16 {
        rows_of_16(a, b.data.as_chunks().0, c.as_chunks_mut().0);
    } else {
        let (row, col) = if a.transposed { (1, m) } else { (k, 1) };
        for (i, c) in c.chunks_exact_mut(n).enumerate() {
            c.fill(0.0);
            for (p, b) in b.data.chunks_exact(n).enumerate() {
                let a = a.data[i * row + p * col];
                c.iter_mut().zip(b).for_each(|(c, b)| *c = a.mul_add(*b, *c));
            }
        }
    }
}

/// Rows of a whole vector register, four at a time.
fn rows_of_16(a: Matrix, b: &[[f32; 16]], c: &mut [[f32; 16]]) {
    let (row, col) = if a.transposed { (1, a.rows) } else { (a.cols, 1) };
    for (i, c) in c.chunks_mut(4).enumerate() {
        let mut sums = [[0.0; 16]; 4];
        for (p, b) in b.iter().enumerate() {
            for (r, sums) in sums[..c.len()].iter_mut().enumerate() {
                let a = a.data[(4 * i + r) * row + p * col];
                sums.iter_mut().zip(b).for_each(|(s, b)| *s = a.mul_add(*b, *s));
            }
        }
        c.copy_from_slice(&sums[..c.len()]);
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        (0..8).for_each(|i| sums[i] = a[i].mul_add(b[i], sums[i]));
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// y = f(y + bias), row by row.
fn activate(y: &mut [f32], bias: &[f32], f: impl Fn(f32) -> f32) {
    for row in y.chunks_exact_mut(bias.len()) {
        row.iter_mut().zip(bias).for_each(|(y, b)| *y = f(*y + b));
    }
}

fn sum_rows(d: &[f32], sum: &mut [f32]) {
    sum.fill(0.0);
    for row in d.chunks_exact(sum.len()) {
        sum.iter_mut().zip(row).for_each(|(sum, d)| *sum += d);
    }
}

// ---- losses: the mean over the rows, and its gradient

fn squared_error(a: &[f32], y: &[f32], rows: usize, d: &mut [f32]) -> f64 {
    let (mut sum, scale) = (0.0, 1.0 / rows as f32);
    for ((d, &a), &y) in d.iter_mut().zip(a).zip(y) {
        sum += 0.5 * (a - y) * (a - y);
        *d = (a - y) * a * (1.0 - a) * scale;
    }
    f64::from(sum * scale)
}

fn binary_cross_entropy(z: &[f32], y: &[f32], rows: usize, d: &mut [f32]) -> f64 {
    let (mut total, scale) = (0.0, 1.0 / rows as f32);
    for ((z, y), d) in z.chunks(1024).zip(y.chunks(1024)).zip(d.chunks_mut(1024)) {
        let mut losses = [0.0f32; 1024];
        for (((loss, &z), &y), d) in losses.iter_mut().zip(z).zip(y).zip(d) {
            let e = exp(-z.abs());
            let positive = 1.0 / (1.0 + e);
            *loss = if z > 0.0 { z } else { 0.0 } - z * y + ln_1p(e);
            *d = (if z >= 0.0 { positive } else { e * positive } - y) * scale;
        }
        total += f64::from(sum(&losses));
    }
    total / rows as f64
}

/// Short rows 128 at a time, so that the exponentials are one long loop.
fn softmax_cross_entropy(z: &[f32], classes: usize, labels: &[u32], d: &mut [f32]) -> f64 {
    let (mut total, scale) = (0.0, 1.0 / labels.len() as f32);
    let rows = if classes < 64 { 128 } else { 1 };
    let blocks = z.chunks(rows * classes).zip(d.chunks_mut(rows * classes));
    for ((z, d), labels) in blocks.zip(labels.chunks(rows)) {
        let mut tops = [0.0; 128];
        for ((top, z), d) in tops.iter_mut().zip(z.chunks_exact(classes)).zip(d.chunks_exact_mut(classes)) {
            *top = max(z);
            d.iter_mut().zip(z).for_each(|(d, z)| *d = z - *top);
        }
        d.iter_mut().for_each(|d| *d = exp(*d));
        let rows = z.chunks_exact(classes).zip(d.chunks_exact_mut(classes));
        for (((z, d), &y), top) in rows.zip(labels).zip(tops) {
            let sum = sum(d);
            total += f64::from(sum.ln() + top - z[y as usize]);
            d.iter_mut().for_each(|d| *d *= scale / sum);
            d[y as usize] -= scale;
        }
    }
    total / labels.len() as f64
}

/// In 16 lanes, so that it vectorizes.
fn sum(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<16>();
    let mut lanes = [0.0; 16];
    for chunk in chunks {
        (0..16).for_each(|i| lanes[i] += chunk[i]);
    }
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

fn max(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<16>();
    let mut lanes = [f32::NEG_INFINITY; 16];
    for chunk in chunks {
        (0..16).for_each(|i| lanes[i] = if chunk[i] > lanes[i] { chunk[i] } else { lanes[i] });
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, &x| if x > max { x } else { max })
}

// ---- elementary functions without branches (Cephes' polynomials), as the standard library's do not vectorize

fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    coefficients.into_iter().reduce(|y, c| y.mul_add(x, c)).unwrap_or(0.0)
}

fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x));
    let p = polynomial(r, [1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5]);
    let n = rounded.to_bits() as i32 - ROUND.to_bits() as i32;
    let power = |n: i32| f32::from_bits(((n + 127) as u32) << 23);
    (p.mul_add(r * r, r) + 1.0) * power(n >> 1) * power(n - (n >> 1)) // one factor could overflow
}

/// ln(1 + x) for x from 0 to 1.
fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    let lost = (x - (u - 1.0)) / u;
    let bits = u.to_bits() as i32;
    let e = (bits - 0x3f35_04f3) >> 23; // the mantissa is taken from √½ to √2
    let (f, e) = (f32::from_bits((bits - (e << 23)) as u32) - 1.0, e as f32);
    let p = polynomial(
        f,
        [
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_9e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ],
    );
    let y = e.mul_add(-2.121_944_4e-4, p * f * f * f);
    e.mul_add(0.693_359_4, f + (f * f).mul_add(-0.5, y)) + lost
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}
