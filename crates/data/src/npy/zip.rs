//! As much of ZIP as NPZ needs: entries as they are or deflated, without encryption, of any size.
//!
//! Source: PKWARE Inc., "APPNOTE.TXT - .ZIP File Format Specification", 4.3 and 4.5.3.

use crate::npy::error::NpyProblem;
use flate2::read::DeflateDecoder;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// An archive: in memory, or in a file of this length, of which only what is asked for is read.
#[derive(Debug, Clone)]
pub(crate) enum Archive {
    Memory(Vec<u8>),
    File(Arc<File>, u64),
}

impl Archive {
    fn len(&self) -> u64 {
        match self {
            Archive::Memory(bytes) => bytes.len() as u64,
            Archive::File(_, length) => *length,
        }
    }

    /// Some bytes, if the archive reaches so far.
    fn get(&self, at: usize, size: usize) -> Option<Cow<'_, [u8]>> {
        let end = at.checked_add(size).filter(|&end| end as u64 <= self.len())?;
        match self {
            Archive::Memory(bytes) => bytes.get(at..end).map(Cow::Borrowed),
            Archive::File(..) => {
                let mut bytes = vec![0; size];
                self.reader(at, size as u64).read_exact(&mut bytes).ok()?;
                Some(Cow::Owned(bytes))
            }
        }
    }

    fn reader(&self, at: usize, size: u64) -> Box<dyn Read + '_> {
        match self {
            Archive::Memory(bytes) => Box::new((&bytes[at.min(bytes.len())..]).take(size)),
            Archive::File(file, _) => Box::new(FilePart { file, at: at as u64 }.take(size)),
        }
    }

    /// A number of `size` bytes, the lowest first, if the archive reaches so far.
    fn number(&self, at: usize, size: usize) -> Option<u64> {
        self.get(at, size).map(|field| low_first(&field))
    }

    /// The place of a record if its first four bytes are the right ones.
    fn record(&self, at: u64, signature: u32) -> Option<usize> {
        let at = usize::try_from(at).ok()?;
        (self.number(at, 4) == Some(signature.into())).then_some(at)
    }
}

/// A file from a place on.
struct FilePart<'a> {
    file: &'a File,
    at: u64,
}

impl Read for FilePart<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.at))?;
        let count = self.file.read(bytes)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// An entry of the directory at the end of an archive.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub name: String,
    /// The size of its content.
    pub size: u64,
    packed: u64,
    deflated: bool,
    checksum: u32,
    /// Where its packed content begins; the archive holds all of it.
    start: usize,
}

/// What is wrong, and the byte of the archive.
type Outcome<T> = Result<T, (u64, NpyProblem)>;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const END_64_PLACE: u32 = 0x0706_4b50;
/// The bytes of the records, up to their names.
const LOCAL_SIZE: usize = 30;
const CENTRAL_SIZE: usize = 46;
const END_SIZE: usize = 22;
/// Deflate packs at most 258 bytes in 2 bits.
pub(crate) const MOST_PACKED: u64 = 4 * 258;

fn low_first(field: &[u8]) -> u64 {
    field.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// A number of a field in memory.
fn number(bytes: &[u8], at: usize, size: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(size)?).map(low_first)
}

/// Whether an archive can begin with these bytes.
pub(crate) fn begins(bytes: &[u8]) -> Outcome<()> {
    match [LOCAL, END].iter().any(|&signature| number(bytes, 0, 4) == Some(signature.into())) {
        true => Ok(()),
        false => Err((0, NpyProblem::NotNpz { found: bytes.iter().take(4).copied().collect() })),
    }
}

/// The entries of an archive. Entries do not share bytes, so that all of them together are bounded by its length.
pub(crate) fn directory(archive: &Archive) -> Outcome<Vec<Entry>> {
    begins(&archive.get(0, archive.len().min(4) as usize).unwrap_or_default())?;
    // a comment of up to 65 535 bytes may follow the last record
    let length = archive.len() as usize; // at most 16 GiB
    let last = length.saturating_sub(END_SIZE);
    let end = (last.saturating_sub(0xffff)..=last).rev().find(|&at| archive.record(at as u64, END).is_some());
    let cut = || (archive.len(), NpyProblem::NoDirectory);
    let mut end = end.ok_or_else(cut)?;
    let (mut count, mut place) = (archive.number(end + 10, 2), archive.number(end + 16, 4));
    if let Some(place_64) = end.checked_sub(20).and_then(|at| archive.record(at as u64, END_64_PLACE)) {
        end = archive.number(place_64 + 8, 8).and_then(|at| archive.record(at, END_64)).ok_or_else(cut)?;
        (count, place) = (archive.number(end + 32, 8), archive.number(end + 48, 8));
    }
    let (Some(count), Some(mut place)) = (count, place) else { return Err(cut()) };

    let mut entries = Vec::new();
    let mut taken = 0;
    for _ in 0..count {
        let damaged = |part| (place, NpyProblem::Directory { part });
        let at = archive.record(place, CENTRAL).ok_or(damaged("an entry"))?;
        let (entry, next) = entry(archive, at)?;
        taken += LOCAL_SIZE as u64 + entry.packed;
        if taken > archive.len() {
            return Err(damaged("entries that do not share bytes"));
        }
        entries.push(entry);
        place = next as u64;
    }
    Ok(entries)
}

/// The entry that is described at `at`, and where the next is.
fn entry(archive: &Archive, at: usize) -> Outcome<(Entry, usize)> {
    let nothing = || (at as u64, NpyProblem::Directory { part: "an entry with its content" });
    let field = |offset, size| archive.number(at + offset, size).ok_or_else(nothing);
    let (flags, method, checksum) = (field(8, 2)?, field(10, 2)?, field(16, 4)? as u32);
    let [name, extra, comment] = [field(28, 2)?, field(30, 2)?, field(32, 2)?].map(|n| n as usize);
    let names = at + CENTRAL_SIZE;
    let name_bytes = archive.get(names, name).ok_or_else(nothing)?;
    let extras = archive.get(names + name, extra).ok_or_else(nothing)?;
    let name = String::from_utf8_lossy(&name_bytes).into_owned();

    // what does not fit in 32 bits stands among the extra fields, in this order
    let mut wide = wide_numbers(&extras).chunks_exact(8);
    let mut sizes = [field(24, 4)?, field(20, 4)?, field(42, 4)?];
    for size in sizes.iter_mut().filter(|size| **size == u64::from(u32::MAX)) {
        *size = wide.next().and_then(|bytes| number(bytes, 0, 8)).unwrap_or(*size);
    }
    let [size, packed, local] = sizes;

    let fail = |problem| Err((at as u64, problem));
    if flags & 1 == 1 || !matches!(method, 0 | 8) {
        return fail(NpyProblem::Packing { name, encrypted: flags & 1 == 1, method: method as u16 });
    }
    let deflated = method == 8;
    if size > packed.saturating_mul(if deflated { MOST_PACKED } else { 1 }) || (!deflated && size != packed) {
        return fail(NpyProblem::Ratio { name, packed, size });
    }
    let local = archive.record(local, LOCAL).ok_or_else(nothing)?;
    let lengths = archive.number(local + 26, 2).zip(archive.number(local + 28, 2));
    let (name_length, extra_length) = lengths.ok_or_else(nothing)?;
    let start = local + LOCAL_SIZE + (name_length + extra_length) as usize;
    let end = usize::try_from(packed).ok().and_then(|packed| start.checked_add(packed));
    if end.is_none_or(|end| end as u64 > archive.len()) {
        return Err(nothing());
    }
    Ok((Entry { name, size, packed, deflated, checksum, start }, names + name_bytes.len() + extra + comment))
}

/// Among extra fields (a kind, a length, so many bytes) the one that holds numbers of 64 bits.
fn wide_numbers(mut extras: &[u8]) -> &[u8] {
    while let (Some(kind), Some(length)) = (number(extras, 0, 2), number(extras, 2, 2)) {
        let Some((field, rest)) = extras[4..].split_at_checked(length as usize) else { break };
        if kind == 1 {
            return field;
        }
        extras = rest;
    }
    &[]
}

impl Entry {
    fn reader<'a>(&self, archive: &'a Archive, most: u64) -> Box<dyn Read + 'a> {
        let packed = archive.reader(self.start, self.packed);
        if self.deflated {
            Box::new(DeflateDecoder::new(packed).take(most))
        } else {
            Box::new(packed.take(most))
        }
    }

    fn packed(&self, error: io::Error) -> (u64, NpyProblem) {
        (self.start as u64, NpyProblem::Packed(error))
    }

    /// The first bytes of the content, at most so many.
    pub fn first(&self, archive: &Archive, most: usize) -> Outcome<Vec<u8>> {
        let mut content = Vec::new();
        let read = self.reader(archive, most as u64).read_to_end(&mut content);
        read.map(|_| content).map_err(|error| self.packed(error))
    }

    /// The content, checked against its size and its checksum.
    pub fn content(&self, archive: &Archive) -> Outcome<Vec<u8>> {
        let content =
            self.first(archive, usize::try_from(self.size).unwrap_or(usize::MAX).saturating_add(1))?;
        self.check(content.len() as u64, crc32fast::hash(&content))?;
        Ok(content)
    }

    /// Checks the content against its size and its checksum, piece by piece: no memory is taken for it.
    pub fn verify(&self, archive: &Archive) -> Outcome<()> {
        self.pieces(archive, |_| Ok::<(), ()>(())).map(drop)
    }

    /// Calls `each` with pieces of the content, which is checked against its size and its checksum in the end; stops with the first error of `each`.
    pub fn pieces<E>(
        &self,
        archive: &Archive,
        mut each: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Outcome<Result<(), E>> {
        let mut reader = self.reader(archive, self.size.saturating_add(1));
        let (mut checksum, mut found, mut piece) = (crc32fast::Hasher::new(), 0, vec![0; 1 << 16]);
        loop {
            let read = reader.read(&mut piece).map_err(|error| self.packed(error))?;
            if read == 0 {
                return self.check(found, checksum.finalize()).map(Ok);
            }
            checksum.update(&piece[..read]);
            found += read as u64;
            if let Err(error) = each(&piece[..read]) {
                return Ok(Err(error));
            }
        }
    }

    fn check(&self, size: u64, checksum: u32) -> Outcome<()> {
        let problem = match (self.size == size, self.checksum == checksum) {
            (true, true) => return Ok(()),
            (true, false) => NpyProblem::Checksum { expected: self.checksum, found: checksum },
            (false, _) => NpyProblem::ContentSize { expected: self.size, found: size },
        };
        Err((self.start as u64, problem))
    }
}

/// An archive of these names and contents, stored as they are; the date of all is the first that ZIP knows.
///
/// `None` if it does not fit in ZIP's 32-bit numbers.
pub(crate) fn archive<'a>(contents: impl IntoIterator<Item = (String, &'a [u8])>) -> Option<Vec<u8>> {
    const FIRST_OF_JANUARY_1980: u32 = 1 << 21 | 1 << 16;
    let (mut archive, mut directory, mut count) = (Vec::new(), Vec::new(), 0u16);
    for (name, content) in contents {
        let place = u32::try_from(archive.len()).ok()?;
        let size = u32::try_from(content.len()).ok()?.to_le_bytes();
        // version 2.0, names in UTF-8, stored; then date and time
        let mut fields = [20u16, 1 << 11, 0].map(u16::to_le_bytes).concat();
        fields.extend(FIRST_OF_JANUARY_1980.to_le_bytes());
        fields.extend([crc32fast::hash(content).to_le_bytes(), size, size].concat());
        fields.extend([u16::try_from(name.len()).ok()?, 0].map(u16::to_le_bytes).concat());

        archive.extend(LOCAL.to_le_bytes());
        archive.extend(&fields);
        archive.extend(name.as_bytes());
        archive.extend(content);

        directory.extend(CENTRAL.to_le_bytes());
        directory.extend(20u16.to_le_bytes()); // made by version 2.0
        directory.extend(&fields);
        directory.extend([0; 10]); // no comment, on the first disk, no attributes
        directory.extend(place.to_le_bytes());
        directory.extend(name.as_bytes());
        count = count.checked_add(1)?;
    }
    let place = u32::try_from(archive.len()).ok()?;
    let size = u32::try_from(directory.len()).ok()?;
    archive.append(&mut directory);
    archive.extend(END.to_le_bytes());
    archive.extend([0, 0, count, count].map(u16::to_le_bytes).concat());
    archive.extend([size, place].map(u32::to_le_bytes).concat());
    archive.extend([0; 2]);
    Some(archive)
}
