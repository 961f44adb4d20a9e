//! [`Numbers`]: a column of numbers in little memory.

use crate::spill::Spill;
use std::borrow::Cow;
use std::fmt::{self, Debug, Formatter};
use std::ops::Range;
use std::sync::Arc;

/// A column of numbers, NaN where one is missing.
///
/// Numbers are stored in chunks. In a chunk without a number of more than eight digits, as most are, each takes 4 bytes: its digits as a
/// whole number, and how many of them are behind the decimal point. In another, each takes the 8 bytes of an `f64`. Either way a number
/// is the `f64` that its text was read as.
///
/// ```
/// use surprisal_data::Numbers;
///
/// let mut widths: Numbers = [2.5, f64::NAN, 1e300].into_iter().collect();
/// assert_eq!((widths.len(), widths.get(0), widths.get(2)), (3, 2.5, 1e300));
/// assert_eq!(widths.missing(), 1);
/// widths.push(-7.0);
/// assert_eq!(widths.iter().filter(|width| width.is_finite()).sum::<f64>(), 1e300);
/// ```
#[derive(Clone, Default)]
pub struct Numbers {
    /// All but the last have [`CHUNK`] numbers.
    chunks: Vec<Chunk>,
    /// Where whole chunks are, if not in memory.
    spill: Option<Arc<Spill>>,
}

#[derive(Clone)]
enum Chunk {
    Short(Vec<Short>),
    Floats(Vec<f64>),
    /// A whole chunk in a file, where it begins.
    Spilled {
        at: u64,
        short: bool,
        missing: usize,
    },
}

const CHUNK: usize = 1 << 12;

/// A number of few digits: 28 bits of them with their sign, then in 4 bits how many are behind the decimal point, or [`SPECIAL`].
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Short(i32);

const SPECIAL: i32 = 15;
const MISSING: Short = Short(SPECIAL);
const MINUS_ZERO: Short = Short(1 << 4 | SPECIAL);
const LARGEST: u64 = 1 << 27;

/// The powers of ten that are exact, as `f64`.
pub(super) const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

impl Short {
    /// The number of these digits, `decimals` of them behind the decimal point, if it is short.
    #[inline]
    pub(super) fn new(negative: bool, digits: u64, decimals: i32) -> Option<Short> {
        if digits == 0 {
            return Some(if negative { MINUS_ZERO } else { Short(0) });
        }
        if digits >= LARGEST || !(0..SPECIAL).contains(&decimals) {
            return None;
        }
        let digits = if negative { -(digits as i32) } else { digits as i32 };
        Some(Short(digits << 4 | decimals))
    }

    fn of(number: f64) -> Option<Short> {
        match number {
            _ if number.is_nan() => Some(MISSING),
            _ if number.fract() == 0.0 && number.abs() < LARGEST as f64 => {
                Short::new(number.is_sign_negative(), number.abs() as u64, 0)
            }
            _ => None,
        }
    }

    /// Digits and power are exact, so that their quotient is rounded once, as the text is.
    #[inline]
    pub(super) fn value(self) -> f64 {
        let decimals = self.0 & SPECIAL;
        if decimals == SPECIAL {
            return if self == MISSING { f64::NAN } else { -0.0 };
        }
        f64::from(self.0 >> 4) / POWERS[decimals as usize]
    }
}

impl Chunk {
    fn len(&self) -> usize {
        match self {
            Chunk::Short(numbers) => numbers.len(),
            Chunk::Floats(numbers) => numbers.len(),
            Chunk::Spilled { .. } => CHUNK,
        }
    }

    fn missing(&self) -> usize {
        match self {
            Chunk::Short(numbers) => numbers.iter().filter(|&&number| number == MISSING).count(),
            Chunk::Floats(numbers) => numbers.iter().filter(|number| number.is_nan()).count(),
            &Chunk::Spilled { missing, .. } => missing,
        }
    }

    /// Writes a whole chunk to a file.
    fn leave(&mut self, spill: &Spill) {
        let (missing, short) = (self.missing(), matches!(self, Chunk::Short(_)));
        let bytes: Vec<u8> = match self {
            Chunk::Short(numbers) => numbers.iter().flat_map(|number| number.0.to_le_bytes()).collect(),
            Chunk::Floats(numbers) => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            Chunk::Spilled { .. } => return,
        };
        *self = Chunk::Spilled { at: spill.append(&bytes), short, missing };
    }

    /// The chunk in memory.
    fn loaded(&self, spill: Option<&Spill>) -> Cow<'_, Chunk> {
        let (&Chunk::Spilled { at, short, .. }, Some(spill)) = (self, spill) else {
            return Cow::Borrowed(self);
        };
        let mut bytes = vec![0; CHUNK * if short { 4 } else { 8 }];
        spill.read(at, &mut bytes);
        Cow::Owned(match short {
            true => Chunk::Short(
                bytes.as_chunks().0.iter().map(|bytes| Short(i32::from_le_bytes(*bytes))).collect(),
            ),
            false => {
                Chunk::Floats(bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
            }
        })
    }

    #[inline]
    fn get(&self, at: usize) -> f64 {
        match self {
            Chunk::Short(numbers) => numbers[at].value(),
            Chunk::Floats(numbers) => numbers[at],
            Chunk::Spilled { .. } => unreachable!("it is loaded"),
        }
    }

    fn floats(&mut self) -> &mut Vec<f64> {
        if let Chunk::Short(numbers) = self {
            *self = Chunk::Floats(numbers.iter().map(|number| number.value()).collect());
        }
        match self {
            Chunk::Floats(numbers) => numbers,
            _ => unreachable!("they have just become floats"),
        }
    }

    /// Appends numbers of another chunk.
    fn extend(&mut self, more: &Chunk, range: Range<usize>) {
        match (&mut *self, more) {
            (Chunk::Short(numbers), Chunk::Short(more)) => numbers.extend_from_slice(&more[range]),
            (Chunk::Floats(numbers), Chunk::Floats(more)) => numbers.extend_from_slice(&more[range]),
            _ => self.floats().extend(range.map(|at| more.get(at))),
        }
    }
}

impl Numbers {
    /// How many there are, with the missing ones.
    pub fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The number at an index.
    ///
    /// # Panics
    /// If there is no such index.
    #[track_caller]
    #[inline]
    pub fn get(&self, at: usize) -> f64 {
        self.chunk(at / CHUNK).get(at % CHUNK)
    }

    #[track_caller]
    #[inline]
    fn chunk(&self, at: usize) -> Cow<'_, Chunk> {
        self.chunks[at].loaded(self.spill.as_deref())
    }

    /// No numbers, which are to be written to a file.
    pub(super) fn in_file(spill: Option<&Arc<Spill>>) -> Numbers {
        Numbers { chunks: Vec::new(), spill: spill.cloned() }
    }

    /// No numbers, in the same file.
    pub(super) fn beside(&self) -> Numbers {
        Numbers::in_file(self.spill.as_ref())
    }

    /// All numbers in their order.
    pub fn iter(&self) -> impl Iterator<Item = f64> {
        (0..self.chunks.len()).flat_map(|at| {
            let chunk = self.chunk(at);
            (0..chunk.len()).map(move |at| chunk.get(at))
        })
    }

    /// How many are missing.
    pub fn missing(&self) -> usize {
        self.chunks.iter().map(Chunk::missing).sum()
    }

    /// Appends a number.
    pub fn push(&mut self, number: f64) {
        match Short::of(number) {
            Some(short) => self.push_short(short),
            None => self.room().floats().push(number),
        }
    }

    #[inline]
    pub(super) fn push_short(&mut self, short: Short) {
        match self.room() {
            Chunk::Short(numbers) => numbers.push(short),
            other => other.floats().push(short.value()),
        }
    }

    /// Appends all of another column.
    pub(super) fn append(&mut self, other: &Numbers) {
        for at in 0..other.chunks.len() {
            let (chunk, mut from) = (other.chunk(at), 0);
            while from < chunk.len() {
                let room = self.room();
                let to = chunk.len().min(from + CHUNK - room.len());
                room.extend(&chunk, from..to);
                from = to;
            }
        }
    }

    /// The chosen numbers, in the order given.
    #[track_caller]
    pub(super) fn select(&self, rows: &[usize]) -> Numbers {
        let mut chosen = self.beside();
        self.each(rows, |chunk, at| match chunk {
            Chunk::Short(numbers) => chosen.push_short(numbers[at]),
            other => chosen.push(other.get(at)),
        });
        chosen
    }

    /// Calls `each` with the chunk of each row, and the index in it; a chunk is loaded once for neighboring rows.
    #[track_caller]
    #[inline]
    fn each(&self, rows: &[usize], mut each: impl FnMut(&Chunk, usize)) {
        let mut rest = rows;
        while let Some(&first) = rest.first() {
            let count = rest.iter().position(|row| row / CHUNK != first / CHUNK).unwrap_or(rest.len());
            let (rows, others) = rest.split_at(count);
            let chunk = self.chunk(first / CHUNK);
            rows.iter().for_each(|row| each(&chunk, row % CHUNK));
            rest = others;
        }
    }

    /// Forgets chunks of numbers that begin at an index or behind it, and gives their memory back.
    pub(crate) fn forget(&mut self, from: usize) {
        self.chunks.truncate(from.div_ceil(CHUNK));
    }

    /// Writes the chosen numbers to every `step`th slot.
    #[track_caller]
    pub(crate) fn write(&self, rows: &[usize], slots: &mut [f64], step: usize) {
        let mut slots = slots.iter_mut().step_by(step);
        self.each(rows, |chunk, at| slots.next().into_iter().for_each(|slot| *slot = chunk.get(at)));
    }

    /// The last chunk, if it has room, or a new one.
    #[inline]
    fn room(&mut self) -> &mut Chunk {
        if self.chunks.last().is_none_or(|last| last.len() == CHUNK) {
            if let (Some(spill), Some(last)) = (&self.spill, self.chunks.last_mut()) {
                last.leave(spill);
            }
            self.chunks.push(Chunk::Short(Vec::new()));
        }
        self.chunks.last_mut().expect("there is one")
    }
}

/// Shortens a vector and gives the memory back.
pub(crate) fn cut<T>(values: &mut Vec<T>, length: usize) {
    values.truncate(length);
    values.shrink_to_fit();
}

/// By value: NaN is equal to nothing.
impl PartialEq for Numbers {
    fn eq(&self, other: &Numbers) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Debug for Numbers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl FromIterator<f64> for Numbers {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Numbers {
        let mut all = Numbers::default();
        numbers.into_iter().for_each(|number| all.push(number));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_number_is_the_one_that_its_text_is_read_as() {
        for digits in [0, 1, 7, 10, 123_457, 99_999_999, LARGEST - 1] {
            for decimals in 0..SPECIAL {
                for negative in [false, true] {
                    let short = Short::new(negative, digits, decimals).unwrap().value();
                    let text = format!("{}{digits}e-{decimals}", if negative { "-" } else { "" });
                    assert_eq!(short.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
                }
            }
        }
        for (digits, decimals) in [(LARGEST, 0), (1, -1), (1, SPECIAL)] {
            assert!(Short::new(false, digits, decimals).is_none());
        }
    }

    #[test]
    fn a_column_of_any_numbers_keeps_their_bits() {
        let all = [0.0, -0.0, 5.0, -134_217_727.0, 134_217_728.0, f64::NAN, 0.1, 1e300];
        let bits = |number: f64| number.to_bits();
        for n in 0..=all.len() {
            let mut column: Numbers = all[..n].iter().copied().collect();
            column.append(&all[n..].iter().copied().collect());
            assert!(column.iter().map(bits).eq(all.into_iter().map(bits)), "{column:?}");
            assert_eq!((column.missing(), column.select(&[2, 0]).get(0)), (1, 5.0));
        }
    }

    #[test]
    fn chunks_are_in_memory_or_in_a_file() {
        let number = |row: usize| if row == 3 * CHUNK / 2 { 0.1 } else { row as f64 };
        let spill = Spill::new(std::env::temp_dir()).unwrap();
        let rows = Vec::from_iter((0..3 * CHUNK).rev());
        for spill in [None, Some(&spill)] {
            let mut column = Numbers::in_file(spill);
            (0..100).for_each(|row| column.push(number(row)));
            column.append(&(100..3 * CHUNK).map(number).collect());
            column.push(f64::NAN);
            let away = column.chunks.iter().filter(|chunk| matches!(chunk, Chunk::Spilled { .. })).count();
            assert_eq!(away, if spill.is_some() { 3 } else { 0 });
            assert_eq!((column.len(), column.missing()), (3 * CHUNK + 1, 1));
            assert!(column.iter().take(3 * CHUNK).eq((0..3 * CHUNK).map(number)));
            assert!(column.select(&rows).iter().eq(rows.iter().copied().map(number)));
            column.forget(CHUNK + 1);
            assert_eq!((column.len(), column.get(CHUNK)), (2 * CHUNK, CHUNK as f64));
        }
        spill.check().unwrap();
    }
}
