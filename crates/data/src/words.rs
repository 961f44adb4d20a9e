//! Parts of messages: quoted text, shortened lists, suggestions of close names.

use std::fmt::{self, Write};

/// Names in quotes; not more than a message can bear.
pub(crate) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 40;
    let list: Vec<String> = names.iter().take(SHOWN).map(|name| quoted(name)).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => list.join(", "),
        more => format!("{} and {more} more", list.join(", ")),
    }
}

/// The sizes of an array, "60000 x 28 x 28"; not more than a message can bear.
pub(super) fn sizes(dims: &[usize]) -> String {
    const SHOWN: usize = 8;
    let list: Vec<String> = dims.iter().take(SHOWN).map(usize::to_string).collect();
    list.join(" x ") + if dims.len() > SHOWN { " x ..." } else { "" }
}

/// Text from outside, in quotes, on one line, and not longer than a message can bear.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

pub(super) fn did_you_mean(f: &mut impl Write, candidate: Option<&str>) -> fmt::Result {
    candidate.map_or(Ok(()), |candidate| write!(f, " | did you mean {candidate:?}?"))
}
