//! A steady step makes no heap allocation. Its own binary: the counter replaces the allocator.
#![allow(unsafe_code)] // an allocator cannot be written without; it only counts and passes on

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use surprisal_optim::{Adam, Optimizer, Sgd};
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

#[test]
fn a_steady_step_allocates_nothing() {
    let optimizers: [Box<dyn Optimizer<f32>>; 4] = [
        Box::new(Sgd::new(0.01)),
        Box::new(Sgd::new(0.01).momentum(0.9)),
        Box::new(Sgd::new(0.01).momentum(0.9).nesterov().weight_decay(0.1)),
        Box::new(Adam::new(0.01)),
    ];
    for mut optimizer in optimizers {
        let mut params = Params::new();
        let ids = ["a", "frozen", "b"].map(|name| params.add_with(name, [1000], |slots| slots.fill(1.0)));
        params.freeze(ids[1]); // theta is walked in two parts
        let mut workspace = Workspace::new();
        let mut train = |steps: usize| {
            let before = COUNT.get();
            for _ in 0..steps {
                let tape = workspace.tape(&params);
                let [a, frozen, b] = ids.map(|id| tape.param(id));
                (a * frozen + b).square().mean().backward();
                optimizer.step(&mut params, workspace.grads());
            }
            COUNT.get() - before
        };
        assert!(train(1) > 0); // the counter counts
        assert_eq!(train(100), 0);
    }
}
