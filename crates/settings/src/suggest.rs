//! "Did you mean ..?": the known name that a misspelled one probably means.

/// The candidate nearest to a mistyped name, if it is near enough to be worth asking about.
///
/// Near enough: at most one edit in three letters (and one edit in any case), but not a new name
/// altogether. Upper and lower case are alike. A name of more than 100 letters is near nothing.
///
/// ```
/// use surprisal_settings::closest;
/// assert_eq!(closest("wieght", ["height", "weight"]), Some("weight"));
/// assert_eq!(closest("age", ["height", "weight"]), None);
/// assert_eq!(closest(&"x".repeat(1 << 24), ["height", "weight"]), None);
/// ```
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 100; // anything longer is no typing error, and comparing it would take long
    let name = name.to_lowercase();
    let letters = name.chars().count();
    if letters > LONGEST {
        return None;
    }
    let limit = (letters / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (edits(&name, &candidate.to_lowercase()), candidate))
        .filter(|&(distance, _)| distance <= limit && distance < letters)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// The known names that may be meant, the nearest first, at most three: parts of a name and its initials count too.
///
/// ```
/// use surprisal_settings::nearest;
/// assert_eq!(nearest("label_smothing", ["reduction", "label_smoothing"]), ["label_smoothing"]);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    const LONGEST: usize = 100; // anything longer is no typing error
    if name.len() > LONGEST {
        return vec![];
    }
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', ' '], "");
    let given = plain(name);
    let rank = |known: &str| {
        let initials: String = known.split('_').filter_map(|word| word.chars().next()).collect();
        let plain = plain(known);
        let edits = edits(&plain, &given);
        if given.len() > 2 && plain.contains(&given) {
            Some((0, plain.len()))
        } else if given.len() > 1 && initials.contains(&given) {
            Some((1, initials.len()))
        } else if edits <= 2.max(plain.len() / 4) {
            Some((2, edits))
        } else {
            given.contains(&plain).then(|| (3, given.len() - plain.len()))
        }
    };
    let mut near: Vec<_> = known.into_iter().filter_map(|name| Some((rank(name)?, name))).collect();
    near.sort();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

/// The number of letters to insert, delete, replace or swap with their neighbor to make `b` out of `a`.
///
/// Optimal string alignment: Damerau (1964), "A technique for computer detection and correction of spelling
/// errors". Swaps count one because they are the commonest slip of the fingers: "irsi".
pub fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // table[i][j]: from the first i letters of a to the first j letters of b
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replace = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let swap = if swapped { table[i - 2][j - 2] + 1 } else { usize::MAX };
                replace.min(swap).min(table[i - 1][j] + 1).min(table[i][j - 1] + 1)
            };
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_counts_each_kind_of_slip_once() {
        for (a, b, distance) in [
            ("iris", "iris", 0),
            ("iris", "iis", 1),
            ("iris", "irris", 1),
            ("iris", "iros", 1),
            ("iris", "irsi", 1),
            ("", "iris", 4),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(a, b), distance, "{a} to {b}");
            assert_eq!(edits(b, a), distance, "{b} to {a}");
        }
    }

    #[test]
    fn closest_asks_only_about_near_names_and_takes_the_nearest() {
        let names = ["iris", "breast_cancer", "digits"];
        assert_eq!(closest("Breast-Cancer", names), Some("breast_cancer"));
        assert_eq!(closest("digit", names), Some("digits"));
        assert_eq!(closest("mnist", names), None);
        assert_eq!(closest("", names), None);
        assert_eq!(closest("x", ["y"]), None);
        assert_eq!(closest("xs", ["x"]), Some("x"));
        assert_eq!(closest("abc", ["abd", "abc"]), Some("abc"));
    }
}
