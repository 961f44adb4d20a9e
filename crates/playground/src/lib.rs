//! The playground: two nets that differ in one thing, a loss, an optimizer or a start, race in the browser.
//!
//! The crate is compiled to WebAssembly together with the library, as it is. What the page shows, the library has computed: the page
//! (`page/`) draws numbers and has no arithmetic of its own. Both talk in [`calls`]: a request and its reply, in JSON.
//!
//! | file | contents |
//! |---|---|
//! | `exports` | the functions that WebAssembly exports |
//! | [`calls`] | every request and its reply |
//! | [`json`] | replies as text |
//! | [`state`] | the settings: what the address of the page says after `#` |
//! | [`loss`] | the losses, each written once, for the race and for the program that is copied |
//! | [`data`] | the points |
//! | [`race`] | two nets, the same data, the same batches |
//! | `start` | a start that is sure and wrong |
//! | [`weights`] | the gradient of each weight, and why it is small |
//! | [`tape`] | one row through a net, explained |
//! | [`neuron`] | one neuron under two losses |
//! | [`program`] | the race as a program and as commands |

#[allow(unsafe_code)] // the names of exports; nothing else in it is unsafe
mod exports;

pub mod calls;
pub mod data;
pub mod json;
pub mod loss;
pub mod neuron;
pub mod program;
pub mod race;
mod start;
pub mod state;
pub mod tape;
pub mod weights;
