//! What makes a file a page of the playground. The build script of this crate uses it too.

/// How far into a page its first lines may reach.
const HEAD: usize = 2048;
/// The longest page that is read, more than three times the largest one that `crates/playground/build` makes.
pub const LONGEST: usize = 4 << 20;

/// The Content-Security-Policy of a page of the playground; `None` if it is not one.
///
/// Among its first lines, a page has `<meta http-equiv="Content-Security-Policy" content="..">` and
/// `<meta name="generator" content="surprisal VERSION playground">`.
pub fn policy(page: &[u8]) -> Option<&str> {
    let head = &page[..page.len().min(HEAD)];
    // text that is cut in the middle of a character is valid up to there
    let head = head.utf8_chunks().next()?.valid();
    let generator = content(head, "<meta name=\"generator\" content=\"")?;
    let ours = generator.starts_with("surprisal ") && generator.ends_with(" playground");
    let policy = content(head, "<meta http-equiv=\"Content-Security-Policy\" content=\"")?;
    let printable = policy.bytes().all(|byte| matches!(byte, b' '..=b'~')); // it becomes a line of a header
    (ours && printable && page.len() <= LONGEST).then_some(policy)
}

fn content<'a>(head: &'a str, tag: &str) -> Option<&'a str> {
    Some(head.split_once(tag)?.1.split_once('"')?.0)
}
