//! Output for people: charts, pages, tables, run folders, and files that are written completely or not at all.
//!
//! | module | contents |
//! |---|---|
//! | `page` | [`Page`]: text, verdicts, figures, tables and code, without any external file |
//! | [`chart`] | line charts, points, bands, heat maps and forest plots as SVG |
//! | [`csv`](mod@csv) | tables for programs |
//! | [`theme`] | the colors, in light and dark |
//! | [`text`] | measuring, wrapping and escaping text, and formatting numbers |
//! | [`statistics`] | means with their confidence intervals |
//! | [`files`] | files that are written completely or not at all |
//! | [`folder`] | run folders: a free name, no incomplete contents |
//! | [`journal`] | results so far, in lines with checksums |
//! | [`parts`] | runs that are spread over several processes, and merged |

#![forbid(unsafe_code)]

pub mod chart;
pub mod csv;
pub mod files;
pub mod folder;
pub mod journal;
mod page;
pub mod parts;
pub mod statistics;
pub mod text;
pub mod theme;

pub use page::{Align, Page, Table, Verdict};
