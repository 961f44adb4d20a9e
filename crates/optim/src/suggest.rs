//! "Did you mean ..?"

/// The name that was probably meant: at most one slip in three letters, and one in any case.
pub(crate) fn closest(found: &str, known: &[&'static str]) -> Option<&'static str> {
    let found = found.to_lowercase();
    let limit = (found.chars().count() / 3).max(1);
    known.iter().copied().min_by_key(|name| edits(&found, name)).filter(|name| edits(&found, name) <= limit)
}

/// How many letters must be put in, left out or replaced to make one word the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["step", "cosine", "plateau"];
        for (found, meant) in [
            ("cosin", Some("cosine")),
            ("Plateua", Some("plateau")),
            ("steps", Some("step")),
            ("linear", None),
            ("", None),
        ] {
            assert_eq!(closest(found, &known), meant, "{found}");
        }
    }
}
