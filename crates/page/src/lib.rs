//! Self-contained HTML pages, and what pages and pictures share: colours, and the measure of words.
//!
//! | module | what it holds |
//! |---|---|
//! | `page` | [`Page`]: text, verdicts, figures, tables and code, without any external file |
//! | [`theme`] | the colours, in light and dark |
//! | [`text`] | measuring, wrapping and escaping text, and printing numbers |

#![forbid(unsafe_code)]

mod page;
pub mod text;
pub mod theme;

pub use page::{Align, Page, Table, Verdict};
