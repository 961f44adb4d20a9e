//! Memory that kernels like: aligned to cache lines, kept from step to step.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::simd::pages::{self, PAGE};

const LINE: usize = 64; // bytes of a cache line, and of the widest vector
const LARGE: usize = 2 * PAGE; // bytes from which on a buffer is in large pages

/// A growable slice that starts on a cache line.
///
/// A vector from the allocator usually starts 16 bytes off a line, so every 64-byte access touches two; and large ones
/// all start at the same place in a page, so that streams read together evict each other. Each buffer
/// therefore starts a whole number of lines, its `skew`, away from the others. What is large asks for large pages.
pub struct Buf<T> {
    memory: Vec<T>,
    start: usize,
    len: usize,
    skew: usize,
}

impl<T: Copy + Default> Buf<T> {
    /// An empty buffer. Give buffers that are read together different skews (0 to 15).
    pub const fn new(skew: usize) -> Self {
        Buf { memory: Vec::new(), start: 0, len: 0, skew: skew % 16 }
    }

    /// `values` copied.
    #[track_caller]
    pub fn collect(skew: usize, values: impl ExactSizeIterator<Item = T>) -> Self {
        let mut buf = Buf::new(skew);
        buf.resize(values.len());
        for (slot, value) in buf.iter_mut().zip(values) {
            *slot = value;
        }
        buf
    }

    /// Sets the length; what was there stays, and what is new holds any numbers. Memory is never given back.
    ///
    /// # Panics
    /// At the caller's line, if there is not as much memory.
    #[inline]
    #[track_caller]
    pub fn resize(&mut self, len: usize) {
        if len > self.memory.len() - self.start {
            self.extend(len);
        }
        self.len = len;
    }

    /// At least `len` numbers of any value: room to work in.
    ///
    /// # Panics
    /// As [`resize`](Self::resize).
    #[inline]
    #[track_caller]
    pub fn at_least(&mut self, len: usize) -> &mut [T] {
        if self.len < len {
            self.resize(len);
        }
        &mut self[..len]
    }

    #[cold]
    #[track_caller]
    fn extend(&mut self, len: usize) {
        if len > self.memory.capacity() - self.start {
            self.grow(len);
        }
        self.memory.resize(self.start + len, T::default());
    }

    #[track_caller]
    fn grow(&mut self, len: usize) {
        let capacity = if self.len == 0 { len } else { len.max(self.len.saturating_mul(2)) };
        let size = size_of::<T>().max(1);
        let large = capacity.saturating_mul(size) >= LARGE;
        let boundary = if large { PAGE } else { LINE };
        let (per_line, per_boundary) = ((LINE / size).max(1), (boundary / size).max(1));
        let mut memory = Vec::<T>::new();
        let around = 61 * per_line + 2 * per_boundary; // the skew, what aligns, and the rest of the last page
        let room = memory.try_reserve_exact(capacity.saturating_add(around));
        assert!(
            room.is_ok(),
            "there is no memory for {len} numbers of {} bytes: use a smaller batch, model or table",
            size_of::<T>()
        );
        if large {
            pages::ask_for_large(memory.spare_capacity_mut());
        }
        let to_boundary = memory.as_ptr().align_offset(boundary);
        let to_boundary = if to_boundary < per_boundary { to_boundary } else { 0 }; // where no whole number of T reaches it
        let start = to_boundary + 4 * self.skew * per_line;
        memory.resize(start, T::default());
        memory.extend_from_slice(self);
        *self = Buf { memory, start, len: self.len, skew: self.skew };
    }
}

impl<T> Deref for Buf<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        &self.memory[self.start..self.start + self.len]
    }
}
impl<T> DerefMut for Buf<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.memory[self.start..self.start + self.len]
    }
}
impl<T: Copy + Default> Clone for Buf<T> {
    fn clone(&self) -> Self {
        Buf::collect(self.skew, self.iter().copied())
    }
}
impl<T: Copy + Default> Default for Buf<T> {
    fn default() -> Self {
        Buf::new(0)
    }
}
impl<T: fmt::Debug> fmt::Debug for Buf<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_on_a_cache_line_and_keeps_what_it_holds() {
        for skew in 0..16 {
            let mut buf = Buf::<f32>::new(skew);
            for len in [1, 7, 100, 5000] {
                buf.resize(len);
                assert_eq!(buf.as_ptr() as usize % LINE, 0);
                buf[len - 1] = len as f32;
            }
            assert_eq!((buf[0], buf[6], buf[99]), (1.0, 7.0, 100.0));
        }
    }

    #[test]
    fn a_large_one_starts_on_a_large_page() {
        let mut buf = Buf::<f64>::collect(3, [1.0, 2.0].into_iter());
        buf.resize(LARGE);
        assert_eq!(buf.as_ptr() as usize % PAGE, 12 * LINE);
        buf[LARGE - 1] = 3.0;
        assert_eq!((buf[1], buf[LARGE - 1]), (2.0, 3.0));
    }

    #[test]
    fn what_no_memory_holds_is_refused_with_a_reason() {
        let lens = [usize::MAX, usize::MAX - 100, isize::MAX as usize, isize::MAX as usize / 8, 1 << 58];
        let messages = lens.map(|len| {
            let mut buf = Buf::<f64>::collect(3, [1.0, 2.0].into_iter());
            let message = crate::ops::complaint(|| buf.resize(len));
            assert_eq!(*buf, [1.0, 2.0]); // as it was
            message
        });
        expect_test::expect![[r#"
            there is no memory for 18446744073709551615 numbers of 8 bytes: use a smaller batch, model or table
            there is no memory for 18446744073709551515 numbers of 8 bytes: use a smaller batch, model or table
            there is no memory for 9223372036854775807 numbers of 8 bytes: use a smaller batch, model or table
            there is no memory for 1152921504606846975 numbers of 8 bytes: use a smaller batch, model or table
            there is no memory for 288230376151711744 numbers of 8 bytes: use a smaller batch, model or table"#]].assert_eq(&messages.join("\n"));
        let mut nothing = Buf::<()>::new(1);
        nothing.resize(1000);
        assert_eq!(nothing.len(), 1000);
    }

    #[test]
    fn shrinking_and_growing_again_takes_no_new_memory() {
        let mut buf = Buf::<f64>::new(0);
        buf.resize(1000);
        let at = buf.as_ptr();
        buf.resize(10);
        buf.resize(1000);
        assert_eq!(buf.as_ptr(), at);
    }
}
