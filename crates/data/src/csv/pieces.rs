//! [`Pieces`]: the text of a table in pieces of whole rows; [`in_order`] reads them in several threads.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The usual size of a piece in bytes; a row may have more.
pub(crate) const PIECE: usize = 1 << 20;

/// A text in pieces, each of which ends behind a line break between rows, or with the text.
pub(crate) struct Pieces<'a> {
    reader: Box<dyn Read + Send + 'a>,
    size: usize,
    read: Vec<u8>,
    begun: bool,
    ended: bool,
}

impl<'a> Pieces<'a> {
    /// Reads the first bytes; pieces have at least `size`.
    pub fn new(reader: Box<dyn Read + Send + 'a>, size: usize) -> io::Result<Self> {
        let mut pieces = Pieces { reader, size, read: Vec::new(), begun: false, ended: false };
        pieces.fill()?;
        Ok(pieces)
    }

    /// What has been read and not been returned: whole lines, if there is one.
    pub fn begin(&self) -> &[u8] {
        let lines = self.read.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
        &self.read[..lines.filter(|_| !self.ended).unwrap_or(self.read.len())]
    }

    /// The next piece of a table with this delimiter; `None` at the end.
    pub fn next(&mut self, delimiter: u8) -> io::Result<Option<Vec<u8>>> {
        if !self.ended && self.read.len() < self.size {
            self.fill()?;
        }
        loop {
            if self.ended {
                return Ok(Some(std::mem::take(&mut self.read)).filter(|read| !read.is_empty()));
            }
            let end = whole_rows(&self.read, delimiter);
            if end > 0 {
                let rest = self.read[end..].to_vec();
                self.read.truncate(end);
                return Ok(Some(std::mem::replace(&mut self.read, rest)));
            }
            self.fill()?; // twice as much each time
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let room = self.size.max(self.read.len());
        if self.begun {
            self.read.reserve_exact(room); // a file may be smaller than its first piece
        }
        self.begun = true;
        let count = self.reader.by_ref().take(room as u64).read_to_end(&mut self.read)?;
        self.ended |= count < room;
        Ok(())
    }
}

/// The end of the last row that is whole.
fn whole_rows(bytes: &[u8], delimiter: u8) -> usize {
    if !bytes.contains(&b'"') {
        return bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    }
    let (mut end, mut at, mut begins) = (0, 0, true);
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' if begins => loop {
                let Some(length) = bytes[at..].iter().position(|&byte| byte == b'"') else { return end };
                at += length + 1;
                match bytes.get(at) {
                    Some(b'"') => at += 1,
                    Some(_) => break,
                    None => return end, // another quote may follow
                }
            },
            b'\n' => (end, begins) = (at, true),
            b'\r' => begins = true,
            _ if byte == delimiter => begins = true,
            b' ' | b'\t' => continue,
            _ => {}
        }
        begins &= matches!(byte, b'\n' | b'\r') || byte == delimiter;
    }
    end
}

/// Hands what `read` makes of each piece to `merge`, in the order of the text. Several threads read, the calling one merges.
///
/// Errors with the first error of `merge`; the rest is not read.
pub(crate) fn in_order<R: Send, E>(
    pieces: Pieces,
    delimiter: u8,
    read: impl Fn(io::Result<Vec<u8>>) -> R + Sync,
    mut merge: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let threads = match pieces.ended || cfg!(target_family = "wasm") {
        true => 1,
        false => thread::available_parallelism().map_or(1, |n| n.get()),
    };
    let pieces = Mutex::new((0, Some(pieces)));
    let next = || {
        let (count, left) = &mut *pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = left.as_mut()?.next(delimiter).transpose();
        if !matches!(piece, Some(Ok(_))) {
            *left = None;
        }
        *count += 1;
        Some((*count, piece?))
    };
    if threads == 1 {
        while let Some((_, piece)) = next() {
            merge(read(piece))?;
        }
        return Ok(());
    }
    thread::scope(|scope| {
        let (sender, results) = sync_channel(threads);
        for _ in 0..threads {
            let (sender, next, read) = (sender.clone(), &next, &read);
            scope.spawn(move || {
                while let Some((at, piece)) = next() {
                    if sender.send((at, read(piece))).is_err() {
                        break; // an error in an earlier piece
                    }
                }
            });
        }
        drop(sender);
        let (mut early, mut due) = (BTreeMap::new(), 1);
        for (at, result) in results {
            early.insert(at, result);
            while let Some(result) = early.remove(&due) {
                merge(result)?;
                due += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_between_rows() {
        for (text, end) in [
            ("a,b\nc,d", 4),
            ("a,b", 0),
            ("a\n\"b\nc\"\nd", 8),
            ("a\n\"b\nc\"", 2),
            ("a\n\"b\n", 2),
            ("a,\"b\"\"\n\",c\nd", 11),
            ("5\" pipe\nb\"\nc", 11),
            (" \"a\nb\" ,c\n \"d\n", 10),
            ("a,b\rc\r\nd", 7),
            ("\"a\n\";\"b\n\"\n", 10),
        ] {
            let delimiter = if text.contains(';') { b';' } else { b',' };
            assert_eq!(whole_rows(text.as_bytes(), delimiter), end, "{text:?}");
        }
    }

    #[test]
    fn pieces_are_the_text_and_results_keep_their_order() {
        let rows = |n: usize| (0..n).map(|row| format!("{row},\"x\n{}\"\n", "y".repeat(row % 100)));
        let text: String = rows(50_000).chain([format!("\"{}\"", "z".repeat(3 * PIECE))]).collect();
        let pieces = Pieces::new(Box::new(text.as_bytes()), PIECE).unwrap();
        let (mut all, mut sizes) = (Vec::new(), Vec::new());
        in_order(
            pieces,
            b',',
            |piece| piece.unwrap(),
            |piece| {
                sizes.push(piece.len());
                all.extend(piece);
                Ok::<_, ()>(())
            },
        )
        .unwrap();
        assert!(all == text.as_bytes() && sizes.len() > 2, "{sizes:?}");
        let pieces = Pieces::new(Box::new(text.as_bytes()), PIECE).unwrap();
        let mut merged = 0;
        let refused = in_order(
            pieces,
            b',',
            |_| (),
            |()| {
                merged += 1;
                Err(())
            },
        );
        assert_eq!((refused, merged), (Err(()), 1));
    }
}
