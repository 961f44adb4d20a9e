//! Explanations of a computation: the operation of every node of a tape, its derivative, the gradients that it passes on, and why they are small.
//!
//! | file | contents |
//! |---|---|
//! | `explanation` | [`explain`]: from a tape to an [`Explanation`]; its formulas with names and with numbers |
//! | `formula` | names and numbers in the formula of a card |
//! | `numbers` | [`digits`], [`Statistics`]: numbers as text |
//! | `heat_map` | the numbers of a node as colors; a picture of each channel and each kernel |
//! | `layout`, `svg` | the layout of the graph, and its drawing |
//! | `text` | text: one line for each operation, or all details of each node |
//! | `dot` | for Graphviz |
//! | `equations` | the four equations of back-propagation with numbers |
//! | `html` | a page to step through both passes |

#![forbid(unsafe_code)]

mod dot;
mod equations;
mod explanation;
mod formula;
mod heat_map;
mod html;
mod layout;
mod numbers;
mod svg;
mod text;

pub use equations::Equation;
pub use explanation::{Explanation, Node, SATURATED, Sent, Units, explain};
pub use numbers::{Statistics, digits};
