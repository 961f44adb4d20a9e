//! Settings given as text: what each is called, which values it takes, its default, its help; and the errors of all of them.
//!
//! A loss, an optimizer, a schedule, a synthetic data set and an experiment each have a table of [`Setting`]s. A text such as
//! `step:every=5,factor=0.1` is split by [`named`] and read against the table by [`read`].
//!
//! ```
//! use surprisal_settings::{Kind, Range, Setting, named, read};
//! const STEP: &[Setting] = &[
//!     Setting { name: "every", kind: Kind::Whole(Range::AT_LEAST_ONE), default: "10", help: "Epochs at one rate" },
//!     Setting { name: "factor", kind: Kind::Number(Range::FACTOR), default: "0.5", help: "Factor between two rates" },
//! ];
//! let (name, list) = named("step:every=5");
//! let values = read(name, "parameter", STEP, list)?;
//! assert_eq!((values[0].number(), values[1].number()), (Some(5.0), Some(0.5)));
//! assert_eq!(
//!     read("step", "parameter", STEP, Some("evry=5")).unwrap_err().to_string(),
//!     "step: no parameter is named \"evry\" | known: every, factor | did you mean \"every\"?"
//! );
//! assert_eq!(
//!     read("step", "parameter", STEP, Some("factor=2")).unwrap_err().to_string(),
//!     "step: factor: expected a number above 0, at most 1, found 2"
//! );
//! # Ok::<(), surprisal_settings::SettingError>(())
//! ```

#![forbid(unsafe_code)]

mod error;
mod range;
mod setting;
mod suggest;

pub use error::{Problem, SettingError, quoted};
pub use range::Range;
pub use setting::{Kind, Setting, Value, find, named, read};
pub use suggest::{closest, edits, nearest};
