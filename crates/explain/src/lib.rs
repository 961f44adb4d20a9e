//! Explanations: every node of a tape says what it is, what its derivative is, to whom it passes it on, and why that is so small.
//!
//! | file | what it holds |
//! |---|---|
//! | `explanation` | [`explain`]: from a tape to an [`Explanation`]; its formulas with names and with numbers |
//! | `formula` | how names and numbers are put into a card's formula |
//! | `numbers` | [`digits`], [`Statistics`]: numbers for readers |
//! | `layout`, `svg` | where the nodes of a graph stand; the picture |
//! | `text` | all of it as text, for each node or a line an operation |
//! | `dot` | for Graphviz |
//! | `equations` | the four equations of back-propagation with the numbers put in |
//! | `html` | a page to step through both passes |

#![forbid(unsafe_code)]

mod dot;
mod equations;
mod explanation;
mod formula;
mod html;
mod layout;
mod numbers;
mod svg;
mod text;

pub use equations::Equation;
pub use explanation::{Explanation, Node, SATURATED, Sent, Units, explain};
pub use numbers::{Statistics, digits};
