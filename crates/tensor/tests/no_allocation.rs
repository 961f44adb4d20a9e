//! A steady training step makes no heap allocation. Its own binary: the counter replaces the allocator.
#![allow(unsafe_code)] // an allocator cannot be written without; it only counts and passes on

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use surprisal_tensor::ndarray::Array2;
use surprisal_tensor::{Params, Workspace};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A two-layer net in plain operations, and a plain gradient step.
fn train(steps: usize, params: &mut Params<f32>, workspace: &mut Workspace<f32>, x: &Array2<f32>) {
    let [w1, b1, w2, b2] = ["w1", "b1", "w2", "b2"].map(|name| params.find(name).unwrap());
    for _ in 0..steps {
        let tape = workspace.tape(params);
        let hidden = tape.input(x).affine(tape.param(w1), tape.param(b1)).relu();
        let y = hidden.affine(tape.param(w2), tape.param(b2)).softmax(-1);
        let loss = (y - 0.5).square().mean() + 0.1 * y.sum_axis(0).tanh().sum();
        loss.backward();
        for (theta, g) in params.as_mut_slice().iter_mut().zip(workspace.grads().as_slice()) {
            *theta -= 0.1 * g;
        }
    }
}

fn two_layers() -> (Params<f32>, Array2<f32>) {
    let mut params = Params::new();
    for (name, rows, cols) in [("w1", 20, 32), ("w2", 32, 10)] {
        params.add(name, &Array2::from_shape_fn((rows, cols), |(i, j)| ((i * 7 + j * 3) as f32).sin() * 0.3));
    }
    params.add_with("b1", [32], |b| b.fill(0.0));
    params.add_with("b2", [10], |b| b.fill(0.0));
    (params, Array2::from_shape_fn((64, 20), |(i, j)| ((i * 5 + j) as f32).cos()))
}

#[test]
fn a_steady_step_allocates_nothing() {
    let (mut params, x) = two_layers();
    let mut workspace = Workspace::new();
    train(2, &mut params, &mut workspace, &x);
    let before = COUNT.get();
    train(100, &mut params, &mut workspace, &x);
    // the four names that `train` looks up take no memory
    assert_eq!(COUNT.get() - before, 0);
}

#[test]
fn memory_is_flat_over_ten_thousand_steps() {
    let (mut params, x) = two_layers();
    let x = x.slice_move(surprisal_tensor::ndarray::s![..2, ..]);
    let mut workspace = Workspace::new();
    train(2, &mut params, &mut workspace, &x);
    let (bytes, count) = (workspace.bytes(), COUNT.get());
    train(10_000, &mut params, &mut workspace, &x);
    assert_eq!((workspace.bytes(), COUNT.get()), (bytes, count));
    assert!(params.as_slice().iter().all(|v| v.is_finite()));
}
