//! Memory in large pages.

/// Bytes of a large page on x86-64 and, with pages of 4 kB, on aarch64.
pub const PAGE: usize = 2 << 20;

/// Asks the system to put memory in large pages, before it is first written to: what walks down columns or through several buffers then
/// waits less for the translation of addresses. Many systems give them to those who ask only; none has to.
pub fn ask_for_large<T>(memory: &mut [T]) {
    #[cfg(target_os = "linux")]
    {
        let range = memory.as_mut_ptr_range();
        let (start, end) = (range.start as usize, range.end as usize);
        let before = start.next_multiple_of(PAGE) - start;
        let whole = (end - start).saturating_sub(before) / PAGE * PAGE;
        if whole > 0 {
            let first = range.start.cast::<libc::c_void>().wrapping_byte_add(before);
            // SAFETY: the range lies within `memory`, which nobody else uses, and this advice changes neither what it holds nor who may
            // use it. Where the system knows no such pages it returns an error, and everything stays as it was.
            unsafe { libc::madvise(first, whole, libc::MADV_HUGEPAGE) };
        }
    }
    let _ = memory; // elsewhere there is nothing to ask for
}
