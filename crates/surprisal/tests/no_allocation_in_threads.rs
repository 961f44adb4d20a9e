//! A steady step whose work several threads share makes no heap allocation in any of them. Its own binary, with one test: all threads
//! are counted.

mod counting;

use std::sync::atomic::Ordering::Relaxed;

use counting::{COUNT, TOTAL};
use surprisal::ndarray::Array2;
use surprisal::prelude::*;

/// Trains a net whose every part is shared; how many allocations the steps after the tenth made, in all threads.
fn allocations(steps: usize) -> usize {
    let (mut params, mut rng) = (Params::new(), rng(1));
    let hidden = Linear::new(&mut params, "hidden", 60, 256, &mut rng);
    let model = (hidden, Tanh, Linear::new(&mut params, "out", 256, 10, &mut rng));
    let x = Array2::from_shape_fn((1100, 60), |(i, j)| ((i * 5 + j) as f32).cos());
    let labels: Vec<usize> = (0..1100).map(|i| i % 10).collect();
    let (mut workspace, mut adam, mut after_ten) = (Workspace::new(), Adam::new(0.001), 0);
    for step in 0..steps {
        let tape = workspace.tape(&params);
        softmax_cross_entropy(model.forward(tape.input(&x)), &labels).backward();
        adam.step(&mut params, workspace.grads());
        if step == 9 {
            after_ten = TOTAL.load(Relaxed);
        }
    }
    TOTAL.load(Relaxed) - after_ten
}

#[test]
fn no_thread_allocates_in_a_steady_step() {
    for n in [1, 2, 3] {
        assert_eq!(threads::with(n, || threads::within(|| allocations(25))), 0, "{n} threads");
    }
    assert!(COUNT.get() > 0); // the counter counts

    // outside, the queue through which work comes in takes new memory for every 31 of them or so
    let outside = threads::with(2, || allocations(25));
    assert!(outside <= 15 * 6, "{outside} allocations in 15 steps of a few shared operations each");
}
