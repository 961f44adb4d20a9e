//! An allocator that counts what it gives out.
#![allow(unsafe_code)] // an allocator cannot be written without; it only counts and passes on

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

thread_local! {
    /// In this thread.
    pub static COUNT: Cell<usize> = const { Cell::new(0) };
}
/// In all threads.
pub static TOTAL: AtomicUsize = AtomicUsize::new(0);

fn count() {
    COUNT.set(COUNT.get() + 1);
    TOTAL.fetch_add(1, Relaxed);
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
