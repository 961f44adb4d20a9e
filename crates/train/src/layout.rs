//! Are these the parameters that are wanted?

/// A name and its axes.
pub type Named<'a> = (&'a str, Vec<usize>);

/// How many differences are told.
const MOST: usize = 10;

/// How the parameters that were found differ from those that were expected, in name, shape or order; `None` if they do not.
///
/// ```
/// use surprisal_train::layout_differences;
/// let expected = [("layer1.weight", vec![64, 32]), ("layer1.bias", vec![32])];
/// assert_eq!(layout_differences(&expected, &expected), None);
/// let found = [("layer1.weight", vec![32, 64]), ("layer1.scale", vec![32])];
/// assert_eq!(
///     layout_differences(&expected, &found).unwrap(),
///     "the parameters are others:\n  \
///      \"layer1.weight\": expected [64, 32], found [32, 64]: is it transposed?\n  \
///      \"layer1.bias\" [32]: missing\n  \
///      \"layer1.scale\" [32]: not expected"
/// );
/// ```
pub fn layout_differences(expected: &[Named], found: &[Named]) -> Option<String> {
    if expected == found {
        return None;
    }
    let of = |list: &[Named], name: &str| {
        list.iter().find(|(other, _)| *other == name).map(|(_, shape)| shape.clone())
    };
    let mut differences = Vec::new();
    for (name, shape) in expected {
        match of(found, name) {
            None => differences.push(format!("\"{name}\" {shape:?}: missing")),
            Some(other) if other != *shape => {
                let transposed = other.iter().rev().eq(shape.iter()) && shape.len() == 2;
                let hint = if transposed { ": is it transposed?" } else { "" };
                differences.push(format!("\"{name}\": expected {shape:?}, found {other:?}{hint}"));
            }
            Some(_) => {}
        }
    }
    let unexpected = found.iter().filter(|(name, _)| of(expected, name).is_none());
    differences.extend(unexpected.map(|(name, shape)| format!("\"{name}\" {shape:?}: not expected")));
    if differences.is_empty() {
        differences.push("they stand in another order, or one stands twice".into());
    }
    let more = differences.len().saturating_sub(MOST);
    differences.truncate(MOST);
    if more > 0 {
        differences.push(format!("and {more} more"));
    }
    Some(format!("the parameters are others:\n  {}", differences.join("\n  ")))
}
