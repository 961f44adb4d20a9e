//! [`Part`] and [`PartJournal`]: a computation whose runs are spread over several processes, and [`merge`].
//!
//! The processes share a folder, not more: they need no locks, do not talk to each other, and may be on several machines.
//!
//! ```text
//! DIR/part-1-of-3/1.jsonl   a journal: a line for the computation, and a line for each run that has ended
//! DIR/part-1-of-3/2.jsonl   the part was started again: the other runs
//! DIR/part-2-of-3/1.jsonl
//! ```
//!
//! Each process creates a file of its own (`O_EXCL`), adds lines to it, and never changes another file. So a part that is started
//! twice at the same time computes the same results twice, and nothing else happens.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::fs;
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::{Value, json};

use crate::files::{cannot_write, sync_folder};
use crate::journal::{JournalError, JournalFile, differences};

/// One of the parts of a computation: `3/16` is the third of 16.
///
/// ```
/// use surprisal_report::parts::Part;
/// let part: Part = "3/16".parse().unwrap();
/// assert!(part.has(2) && part.has(18) && !part.has(3));
/// assert_eq!("17/16".parse::<Part>().unwrap_err().to_string(), "expected K/N with K from 1 to N, such as 3/16, found \"17/16\"");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    of: usize,
    number: usize,
}

impl Part {
    /// Returns whether a run, counted from 0, belongs to it: run k belongs to part (k mod N) + 1 of N.
    pub fn has(self, run: usize) -> bool {
        run % self.of + 1 == self.number
    }

    /// Returns how many of this number of runs belong to it.
    pub fn share(self, runs: usize) -> usize {
        (runs + self.of - self.number) / self.of
    }

    /// The part of a journal.
    fn of_journal(header: &Value) -> Option<Part> {
        let count = |key: &str| Some(header[key].as_u64()? as usize);
        Some(Part { number: count("part")?, of: count("parts")? })
    }

    /// The name of its folder.
    fn folder(self) -> String {
        format!("part-{}-of-{}", self.number, self.of)
    }

    fn of_folder(name: &str) -> Option<Part> {
        let (number, of) = name.strip_prefix("part-")?.split_once("-of-")?;
        let part: Part = format!("{number}/{of}").parse().ok()?;
        (part.folder() == name).then_some(part)
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "part {} of {}", self.number, self.of)
    }
}

impl FromStr for Part {
    type Err = PartsError;
    fn from_str(text: &str) -> Result<Part, PartsError> {
        let count = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
        let part = text.split_once('/').and_then(|(k, n)| Some(Part { number: count(k)?, of: count(n)? }));
        let valid = part.filter(|part| (1..=part.of).contains(&part.number));
        valid.ok_or_else(|| PartsError::NoPart(text.into()))
    }
}

/// Why a part cannot be computed, or the parts of a folder cannot be merged.
#[derive(Debug)]
pub enum PartsError {
    /// The text is not a part.
    NoPart(String),
    /// There is no such folder.
    NoFolder(PathBuf),
    /// The folder contains no part, or is not empty and contains no part.
    NoParts(PathBuf),
    /// The folder contains a part of another number of parts.
    OtherNumber {
        /// The folder of the part.
        path: PathBuf,
        /// The number of parts that was expected.
        expected: usize,
    },
    /// The folder of a part contains another part, so this is there twice.
    Twice {
        /// The folder of the part.
        path: PathBuf,
        /// The part that it contains.
        found: Part,
    },
    /// A part is of another computation.
    Other {
        /// The journal.
        path: PathBuf,
        /// What is different.
        what: String,
    },
    /// Parts were computed by another version of the program.
    OtherProgram {
        /// The folder.
        path: PathBuf,
        /// The version that computed them.
        found: String,
    },
    /// These parts are missing.
    Missing {
        /// The folder.
        path: PathBuf,
        /// The missing parts, in ranges.
        missing: Vec<RangeInclusive<usize>>,
        /// The number of parts.
        of: usize,
    },
    /// Some parts have not finished.
    Unfinished {
        /// The folder.
        path: PathBuf,
        /// Each part, and what it has.
        parts: Vec<String>,
    },
    /// A run has two different results, the second in this file.
    Contradiction {
        /// The journal with the second.
        path: PathBuf,
        /// The run: its number, counted from 0, or its name.
        run: String,
    },
    /// A journal cannot be used.
    Journal(PathBuf, JournalError),
    /// A folder cannot be read or written.
    Io(PathBuf, io::Error),
}

impl PartsError {
    /// Whether another folder helps.
    pub fn is_about_the_path(&self) -> bool {
        matches!(self, PartsError::NoParts(_) | PartsError::OtherNumber { .. } | PartsError::Other { .. })
    }
}

impl Display for PartsError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            PartsError::NoPart(text) => {
                write!(f, "expected K/N with K from 1 to N, such as 3/16, found \"{text}\"")
            }
            PartsError::NoFolder(path) => {
                write!(f, "{}: there is no such folder | name the folder of the parts", path.display())
            }
            PartsError::NoParts(path) => write!(
                f,
                "{}: expected a folder of parts, found no part in it | name the folder of the parts, or a new one for the first part",
                path.display()
            ),
            PartsError::OtherNumber { path, expected } => write!(
                f,
                "{}: expected parts of {expected} only | compute all parts with the same number of parts, each number in a folder of its own",
                path.display()
            ),
            PartsError::Twice { path, found } => write!(
                f,
                "{}: contains {found}, which is there twice then | remove the copy, and compute the part that belongs here",
                path.display()
            ),
            PartsError::Other { path, what } => write!(
                f,
                "{}: expected one computation in the folder, found a difference in its {what} | compute all parts with the same settings, data and program, or elsewhere",
                path.display()
            ),
            PartsError::OtherProgram { path, found } => write!(
                f,
                "{}: the parts were computed by version {found}, and this is version {} | merge them with that version",
                path.display(),
                env!("CARGO_PKG_VERSION")
            ),
            PartsError::Missing { path, missing, of } => {
                let one = |range: &RangeInclusive<usize>| match (range.start(), range.end()) {
                    (a, b) if a == b => a.to_string(),
                    (a, b) => format!("{a}-{b}"),
                };
                let listed = Vec::from_iter(missing.iter().map(one)).join(", ");
                write!(f, "{}: missing parts of {of}: {listed} | compute them first", path.display())
            }
            PartsError::Unfinished { path, parts } => write!(
                f,
                "{}: not finished: {} | wait for them, or start them again: they resume",
                path.display(),
                parts.join(", ")
            ),
            PartsError::Contradiction { path, run } => write!(
                f,
                "{}: run {run} has another result in another journal of its part | were they computed on machines of different kinds? Remove the folder of the part and compute it again",
                path.display()
            ),
            PartsError::Journal(path, error) => f.write_str(&error.at(path)),
            PartsError::Io(path, error) => f.write_str(&cannot_write(path, error)),
        }
    }
}

impl std::error::Error for PartsError {}

/// A computation that consists of a known number of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Computation {
    /// The name of the command: a journal of another command is refused.
    pub name: &'static str,
    /// The number of its runs.
    pub runs: usize,
    /// Everything that its results depend on, an object; its entry "program" is the version of the program.
    pub of: Value,
}

impl Computation {
    fn header(&self, part: Part) -> Value {
        let mut header = header(self.name, &self.of, part);
        header["runs"] = self.runs.into();
        header
    }
}

fn header(name: &str, of: &Value, part: Part) -> Value {
    json!({ "journal": name, "part": part.number, "parts": part.of, "of": of })
}

/// The runs of a part, and how many of them have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Runs that have ended.
    pub done: usize,
    /// Runs that belong to the part.
    pub runs: usize,
}

/// The results of a part so far.
#[derive(Debug)]
pub struct PartJournal {
    file: Option<JournalFile>,
}

impl PartJournal {
    /// Opens a part in the folder of all parts, and returns the results of its runs that have ended, by run. The part gets a new file,
    /// unless all its runs have ended.
    ///
    /// # Errors
    /// If the folder contains something else, parts of another number or another computation, or cannot be written.
    pub fn open(
        folder: impl AsRef<Path>,
        part: Part,
        computation: &Computation,
    ) -> Result<(PartJournal, BTreeMap<usize, Value>), PartsError> {
        let folder = folder.as_ref();
        begin(folder, part)?;
        let header = computation.header(part);
        let (mut results, journals) = (Results::default(), read_part(folder, part, &header)?);
        let begun = !journals.is_empty();
        for (path, lines) in journals {
            results.add(&path, part, computation.runs, lines)?;
        }
        let results = results.0;
        if begun && results.len() == part.share(computation.runs) {
            return Ok((PartJournal { file: None }, results));
        }
        Ok((PartJournal { file: Some(create(folder, part, &header)?) }, results))
    }

    /// Adds the result of a run.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn note(&self, run: usize, result: &Value) -> Result<(), PartsError> {
        let note = |file: &JournalFile| {
            let noted = file.note(&json!({ "run": run, "result": result }));
            noted.map_err(|error| PartsError::Io(file.path().into(), error))
        };
        self.file.as_ref().map_or(Ok(()), note)
    }

    /// Writes all results to the disk.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn close(self) -> Result<(), PartsError> {
        self.file.map_or(Ok(()), |file| {
            let path = file.path().to_path_buf();
            file.close().map_err(|error| PartsError::Io(path, error))
        })
    }
}

/// Returns what the computation of a folder of parts depends on, and the results of all its runs in order. Nothing is changed.
///
/// # Errors
/// If the folder does not exist or contains no parts, a part is missing, unfinished, there twice or of another number, computation or program,
/// or a journal has been changed.
pub fn merge(folder: impl AsRef<Path>, name: &str) -> Result<(Value, Vec<Value>), PartsError> {
    let folder = folder.as_ref();
    let (header, parts) = read_all(folder, name)?;
    let runs = header["runs"].as_u64().unwrap_or(0) as usize;
    let (mut results, mut unfinished) = (Results::default(), Vec::new());
    for (part, journals) in parts {
        let (before, begun) = (results.0.len(), !journals.is_empty());
        for (path, lines) in journals {
            results.add(&path, part, runs, lines)?;
        }
        match (results.0.len() - before, part.share(runs)) {
            (done, all) if done < all => unfinished.push(format!("{part} has {done} of {all} runs")),
            _ if !begun => unfinished.push(format!("{part} has not begun")),
            _ => {}
        }
    }
    finished(folder, header, unfinished).map(|of| (of, results.0.into_values().collect()))
}

/// The journals of a part, and the lines of each.
type Journals = Vec<(PathBuf, Vec<Value>)>;

/// What a line holds that ends a part of which nobody knows the number of runs.
const ENDED: &str = "ended";

/// Opens a new journal of a part, of a computation that finds out its runs as it goes, and returns the lines of all parts so far.
/// [`end`] ends it.
///
/// # Errors
/// As [`PartJournal::open`].
pub fn open_lines(
    folder: impl AsRef<Path>,
    part: Part,
    name: &str,
    of: &Value,
) -> Result<(JournalFile, Journals), PartsError> {
    let (folder, mut all) = (folder.as_ref(), Vec::new());
    for other in begin(folder, part)? {
        all.extend(read_part(folder, other, &header(name, of, other))?);
    }
    Ok((create(folder, part, &header(name, of, part))?, all))
}

/// Ends a journal of [`open_lines`]: its part has finished.
///
/// # Errors
/// If it cannot be written.
pub fn end(journal: JournalFile) -> Result<(), PartsError> {
    let path = journal.path().to_path_buf();
    let ended = journal.note(&json!({ ENDED: true })).and_then(|()| journal.close());
    ended.map_err(|error| PartsError::Io(path, error))
}

/// As [`merge`], for the journals of [`open_lines`]: returns what the computation depends on, and the lines of all parts.
///
/// # Errors
/// As [`merge`].
pub fn merge_lines(folder: impl AsRef<Path>, name: &str) -> Result<(Value, Journals), PartsError> {
    let folder = folder.as_ref();
    let (header, parts) = read_all(folder, name)?;
    let has_ended =
        |journals: &Journals| journals.iter().flat_map(|(_, lines)| lines).any(|line| line[ENDED] == true);
    let unfinished = parts.iter().filter(|(_, journals)| !has_ended(journals));
    let unfinished = unfinished.map(|(part, _)| format!("{part} has not ended")).collect();
    let lines = |journals: Journals| {
        let lines = |(path, mut lines): (PathBuf, Vec<Value>)| {
            lines.retain(|line| line[ENDED] != true);
            (path, lines)
        };
        journals.into_iter().map(lines)
    };
    let of = finished(folder, header, unfinished)?;
    Ok((of, parts.into_iter().flat_map(|(_, journals)| lines(journals)).collect()))
}

/// Makes the folder of all parts, and returns those that are there.
fn begin(folder: &Path, part: Part) -> Result<Vec<Part>, PartsError> {
    fs::create_dir_all(folder).map_err(|error| PartsError::Io(folder.into(), error))?;
    let (parts, others) = contents(folder)?;
    if parts.is_empty() && others {
        return Err(PartsError::NoParts(folder.into()));
    }
    if let Some(other) = parts.iter().find(|other| other.of != part.of) {
        return Err(PartsError::OtherNumber { path: folder.join(other.folder()), expected: part.of });
    }
    Ok(parts)
}

/// Creates the next journal of a part.
fn create(folder: &Path, part: Part, header: &Value) -> Result<JournalFile, PartsError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        |error| PartsError::Io(path, error)
    };
    let place = folder.join(part.folder());
    match fs::create_dir(&place) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(&place)(error)),
        _ => {}
    }
    let mut number = journals(&place)?.len();
    let file = loop {
        number += 1;
        let path = place.join(format!("{number}.jsonl"));
        match JournalFile::create(&path, header) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            other => break other.map_err(failed(&path))?,
        }
    };
    for folder in [&place, folder] {
        sync_folder(folder).map_err(failed(folder))?;
    }
    Ok(file)
}

/// The journals of a part that have their first line, which must be this one.
fn read_part(folder: &Path, part: Part, header: &Value) -> Result<Journals, PartsError> {
    let (place, mut all) = (folder.join(part.folder()), Vec::new());
    for path in journals(&place)? {
        if let Some((found, lines)) = read(&path)? {
            check_part(&place, &found, part)?;
            same(&path, &found, header)?;
            all.push((path, lines));
        }
    }
    Ok(all)
}

/// The first line of all journals, but for the part, and the journals of all parts.
fn read_all(folder: &Path, name: &str) -> Result<(Value, Vec<(Part, Journals)>), PartsError> {
    if !folder.is_dir() {
        return Err(PartsError::NoFolder(folder.into()));
    }
    let (parts, _) = contents(folder)?;
    let Some(&Part { of, .. }) = parts.first() else { return Err(PartsError::NoParts(folder.into())) };
    let (mut all, mut first) = (Vec::new(), None);
    for &part in &parts {
        let place = folder.join(part.folder());
        if part.of != of {
            return Err(PartsError::OtherNumber { path: place, expected: of });
        }
        if first.is_none() {
            for path in journals(&place)? {
                let header = read(&path)?.map(|(header, _)| header);
                if header.as_ref().is_some_and(|header| header["journal"] != name) {
                    return Err(PartsError::Other { path, what: "command".into() });
                }
                first = first.or(header);
            }
        }
        let header = first.as_mut().map_or(Value::Null, |header| {
            header["part"] = part.number.into();
            header.clone()
        });
        all.push((part, read_part(folder, part, &header)?));
    }
    let missing = missing(&parts, of);
    if !missing.is_empty() {
        return Err(PartsError::Missing { path: folder.into(), missing, of });
    }
    Ok((first.unwrap_or_default(), all))
}

/// What a computation depends on, if its parts have finished and this program computed them.
fn finished(folder: &Path, mut header: Value, unfinished: Vec<String>) -> Result<Value, PartsError> {
    let path = folder.to_path_buf();
    if !unfinished.is_empty() {
        return Err(PartsError::Unfinished { path, parts: unfinished });
    }
    let of = header["of"].take();
    match of["program"].as_str() {
        Some(env!("CARGO_PKG_VERSION")) => Ok(of),
        other => Err(PartsError::OtherProgram { path, found: other.unwrap_or("unknown").into() }),
    }
}

/// The parts in a folder, in order, and whether it contains anything else.
fn contents(folder: &Path) -> Result<(Vec<Part>, bool), PartsError> {
    let failed = |error| PartsError::Io(folder.into(), error);
    let (mut parts, mut others) = (BTreeSet::new(), false);
    for entry in fs::read_dir(folder).map_err(failed)? {
        match entry.map_err(failed)?.file_name().to_str().and_then(Part::of_folder) {
            Some(part) => _ = parts.insert(part),
            None => others = true,
        }
    }
    Ok((parts.into_iter().collect(), others))
}

/// The journals of a part, in order; none if it has no folder.
fn journals(place: &Path) -> Result<Vec<PathBuf>, PartsError> {
    let failed = |error| PartsError::Io(place.into(), error);
    let entries = match fs::read_dir(place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut journals = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<usize>().ok());
        if let (Some(number), Some("jsonl")) = (number, path.extension().and_then(|end| end.to_str())) {
            journals.push((number, path));
        }
    }
    journals.sort();
    Ok(journals.into_iter().map(|(_, path)| path).collect())
}

fn read(path: &Path) -> Result<Option<(Value, Vec<Value>)>, PartsError> {
    JournalFile::read(path).map_err(|error| PartsError::Journal(path.into(), error))
}

/// An error if the folder of a part contains a journal of another.
fn check_part(place: &Path, header: &Value, part: Part) -> Result<(), PartsError> {
    match Part::of_journal(header).filter(|&found| found != part) {
        Some(found) => Err(PartsError::Twice { path: place.into(), found }),
        None => Ok(()),
    }
}

/// An error if a journal is of another computation.
fn same(path: &Path, found: &Value, expected: &Value) -> Result<(), PartsError> {
    let other = |what: String| Err(PartsError::Other { path: path.into(), what });
    let of = differences(&found["of"], &expected["of"]);
    match (found["journal"] == expected["journal"], of.is_empty()) {
        (false, _) => other("command".into()),
        (true, false) => other(of),
        (true, true) => match differences(found, expected) {
            what if what.is_empty() => Ok(()),
            what => other(what),
        },
    }
}

/// The results by run.
#[derive(Default)]
struct Results(BTreeMap<usize, Value>);

impl Results {
    fn add(&mut self, path: &Path, part: Part, runs: usize, lines: Vec<Value>) -> Result<(), PartsError> {
        for (k, mut line) in lines.into_iter().enumerate() {
            let run = line["run"].as_u64().map(|run| run as usize).filter(|&run| run < runs && part.has(run));
            let run = run.ok_or_else(|| PartsError::Journal(path.into(), JournalError::Changed(k + 2)))?;
            let result = line["result"].take();
            if *self.0.entry(run).or_insert_with(|| result.clone()) != result {
                return Err(PartsError::Contradiction { path: path.into(), run: run.to_string() });
            }
        }
        Ok(())
    }
}

/// The numbers that no part has, in ranges.
fn missing(parts: &[Part], of: usize) -> Vec<RangeInclusive<usize>> {
    let ends = parts.iter().map(|part| part.number - 1).chain([of]);
    let starts = [1].into_iter().chain(parts.iter().map(|part| part.number + 1));
    starts.zip(ends).filter(|(start, end)| start <= end).map(|(start, end)| start..=end).collect()
}
