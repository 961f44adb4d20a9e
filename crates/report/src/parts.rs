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
    /// These parts have not finished, with the number of their runs that have ended and of all their runs.
    Unfinished {
        /// The folder.
        path: PathBuf,
        /// The parts.
        parts: Vec<(Part, Share)>,
    },
    /// A run has two different results, the second in this file.
    Contradiction {
        /// The journal with the second.
        path: PathBuf,
        /// The run, counted from 0.
        run: usize,
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
            PartsError::Unfinished { path, parts } => {
                let one = |(part, Share { done, runs }): &(Part, Share)| match done == runs {
                    true => format!("{part} has not begun"),
                    false => format!("{part} has {done} of {runs} runs"),
                };
                let listed = Vec::from_iter(parts.iter().map(one)).join(", ");
                write!(
                    f,
                    "{}: not finished: {listed} | wait for them, or start them again: they resume",
                    path.display()
                )
            }
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

/// A computation that consists of runs.
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
        json!({ "journal": self.name, "part": part.number, "parts": part.of, "runs": self.runs, "of": self.of })
    }
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
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            |error| PartsError::Io(path, error)
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let (parts, others) = contents(folder)?;
        if parts.is_empty() && others {
            return Err(PartsError::NoParts(folder.into()));
        }
        if let Some(other) = parts.iter().find(|other| other.of != part.of) {
            return Err(PartsError::OtherNumber { path: folder.join(other.folder()), expected: part.of });
        }
        let place = folder.join(part.folder());
        match fs::create_dir(&place) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(&place)(error)),
            _ => {}
        }
        let journals = journals(&place)?;
        let header = computation.header(part);
        let (mut results, mut begun) = (Results::default(), false);
        for path in &journals {
            if let Some((found, lines)) = read(path)? {
                check_part(&place, &found, part)?;
                same(path, &found, &header)?;
                results.add(path, part, computation.runs, lines)?;
                begun = true;
            }
        }
        let results = results.0;
        if begun && results.len() == part.share(computation.runs) {
            return Ok((PartJournal { file: None }, results));
        }
        let mut number = journals.len();
        let file = loop {
            number += 1;
            let path = place.join(format!("{number}.jsonl"));
            match JournalFile::create(&path, &header) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                other => break other.map_err(failed(&path))?,
            }
        };
        for folder in [&place, folder] {
            sync_folder(folder).map_err(failed(folder))?;
        }
        Ok((PartJournal { file: Some(file) }, results))
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
    if !folder.is_dir() {
        return Err(PartsError::NoFolder(folder.into()));
    }
    let (parts, _) = contents(folder)?;
    let Some(&Part { of, .. }) = parts.first() else { return Err(PartsError::NoParts(folder.into())) };
    let (mut results, mut ended, mut first) = (Results::default(), Vec::new(), None);
    for &part in &parts {
        let place = folder.join(part.folder());
        if part.of != of {
            return Err(PartsError::OtherNumber { path: place, expected: of });
        }
        let (before, mut begun) = (results.0.len(), false);
        for path in journals(&place)? {
            let Some((header, lines)) = read(&path)? else { continue };
            if header["journal"] != name {
                return Err(PartsError::Other { path, what: "command".into() });
            }
            check_part(&place, &header, part)?;
            let Some(runs) = header["runs"].as_u64().map(|runs| runs as usize) else {
                return Err(PartsError::Journal(path, JournalError::Foreign));
            };
            let (_, expected) = first.get_or_insert_with(|| (runs, header.clone()));
            same(&path, &header, &{
                let mut expected = expected.clone();
                expected["part"] = part.number.into();
                expected
            })?;
            results.add(&path, part, runs, lines)?;
            begun = true;
        }
        ended.push((part, results.0.len() - before, begun));
    }
    let missing = missing(&parts, of);
    if !missing.is_empty() {
        return Err(PartsError::Missing { path: folder.into(), missing, of });
    }
    let runs = first.as_ref().map_or(0, |(runs, _)| *runs);
    let unfinished = ended.into_iter().filter_map(|(part, done, begun)| {
        let share = Share { done, runs: part.share(runs) };
        (!begun || done < share.runs).then_some((part, share))
    });
    let unfinished = Vec::from_iter(unfinished);
    let (true, Some((_, mut header))) = (unfinished.is_empty(), first) else {
        return Err(PartsError::Unfinished { path: folder.into(), parts: unfinished });
    };
    let computation = header["of"].take();
    match computation["program"].as_str() {
        Some(env!("CARGO_PKG_VERSION")) => Ok((computation, results.0.into_values().collect())),
        other => {
            let found = other.unwrap_or("unknown").into();
            Err(PartsError::OtherProgram { path: folder.into(), found })
        }
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

/// The journals of a part, in order.
fn journals(place: &Path) -> Result<Vec<PathBuf>, PartsError> {
    let failed = |error| PartsError::Io(place.into(), error);
    let mut journals = Vec::new();
    for entry in fs::read_dir(place).map_err(failed)? {
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
                return Err(PartsError::Contradiction { path: path.into(), run });
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
