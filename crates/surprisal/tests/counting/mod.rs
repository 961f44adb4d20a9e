//! An allocator that counts what it gives out.
#![allow(unsafe_code)] // an allocator cannot be written without; it only counts and passes on

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

thread_local! {
    /// How often it has, in this thread.
    pub static COUNT: Cell<usize> = const { Cell::new(0) };
    /// The bytes that this thread holds ..
    pub static HELD: Cell<usize> = const { Cell::new(0) };
    /// .. and the most that it held.
    pub static MOST: Cell<usize> = const { Cell::new(0) };
}
/// How often it has, in all threads.
pub static TOTAL: AtomicUsize = AtomicUsize::new(0);

fn count(more: usize, less: usize) {
    COUNT.set(COUNT.get() + 1);
    TOTAL.fetch_add(1, Relaxed);
    hold(more, less);
}

fn hold(more: usize, less: usize) {
    let held = (HELD.get() + more).saturating_sub(less); // another thread may have taken what is given back here
    HELD.set(held);
    MOST.set(MOST.get().max(held));
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(0, layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
