//! What WebAssembly exports: a request is written into a buffer, and its reply read from another.
//!
//! `input(length)` makes room for a request and returns where; `call()` answers it; `output` and `output_len` are its reply, `bytes` and
//! `bytes_len` the pixels of a picture. A buffer stays where it is until the next call.

use std::cell::RefCell;

use crate::calls::Playground;

#[derive(Default)]
struct Exchange {
    request: Vec<u8>,
    reply: Vec<u8>,
    playground: Playground,
}

thread_local! {
    static EXCHANGE: RefCell<Exchange> = RefCell::default();
}

fn with<R>(f: impl FnOnce(&mut Exchange) -> R) -> R {
    EXCHANGE.with_borrow_mut(f)
}

#[unsafe(no_mangle)]
extern "C" fn input(length: usize) -> *mut u8 {
    with(|exchange| {
        exchange.request = vec![0; length];
        exchange.request.as_mut_ptr()
    })
}

#[unsafe(no_mangle)]
extern "C" fn call() {
    with(|Exchange { request, reply, playground }| *reply = playground.answer(request).into_bytes());
}

#[unsafe(no_mangle)]
extern "C" fn output() -> *const u8 {
    with(|exchange| exchange.reply.as_ptr())
}

#[unsafe(no_mangle)]
extern "C" fn output_len() -> usize {
    with(|exchange| exchange.reply.len())
}

#[unsafe(no_mangle)]
extern "C" fn bytes() -> *const u8 {
    with(|exchange| exchange.playground.bytes().as_ptr())
}

#[unsafe(no_mangle)]
extern "C" fn bytes_len() -> usize {
    with(|exchange| exchange.playground.bytes().len())
}
