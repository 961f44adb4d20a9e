//! Several threads for one piece of work: how many, when, and how the work is cut.
//!
//! Large arrays are shared by as many threads as the machine has cores, or as [`with`] sets for a part of a program, [`set_number`] for
//! all of it; before there is such an array, no thread is started. A program that computes for a while does better to run [`within`]
//! the threads:
//!
//! ```
//! use surprisal_tensor::{Params, Workspace, ndarray::array, threads};
//! let mut params = Params::<f64>::default();
//! let w = params.add("w", &array![4.0]);
//! let mut workspace = Workspace::new();
//! let losses = threads::within(|| {
//!     [(); 3].map(|()| {
//!         let (loss, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
//!         let step = 0.25 * grads[w][0];
//!         params[w][0] -= step;
//!         loss
//!     })
//! });
//! assert_eq!(losses, [16.0, 4.0, 1.0]);
//! ```
//!
//! # The same bits for any number of threads
//!
//! [`for_each`] and [`reduce`] cut work in the same pieces, whether one thread computes them or several, and merge what comes of them in
//! a fixed order. A sum is cut where [`sum`](mod@crate::sum) cuts it anyway, so it does not even differ from the sum in one piece.
//!
//! # What it costs
//!
//! To wake a core that sleeps takes some 15 µs, and it begins as much later. Outside of [`within`] work is therefore only shared where
//! it takes some hundred. Inside, threads without work stay awake for a millisecond, as those of OpenMP do, and giving half of some
//! work away costs less than a microsecond: pieces of five pay. After that millisecond they only look from time to time, so that a
//! small model in a large loop keeps one core busy, not all.
//!
//! A steady step inside allocates nothing in any thread. Outside, the queue through which work comes in takes new memory now and then.
//!
//! A program that trains several models at once, each in a thread of its own, needs no more of them: each runs [`with`] 1.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rayon_core::{ThreadPool, ThreadPoolBuilder, Yield};

/// How many numbers make a piece where little is done with each: an addition, a product.
pub const LIGHT: usize = 32 * 1024;
/// How many numbers make a piece where an exponential or more is computed of each.
pub const HEAVY: usize = 8 * 1024;
/// From how many pieces on work that comes from outside is shared.
const MANY: usize = 32;

/// How long a thread without work stays awake.
const AWAKE: Duration = Duration::from_millis(1);
const LONGEST_NAP: Duration = Duration::from_millis(1);

static NUMBER: AtomicUsize = AtomicUsize::new(0); // 0 until somebody asks

thread_local! {
    /// The number set by [`with`] in this thread; 0 if there is none.
    static HERE: Cell<usize> = const { Cell::new(0) };
    /// Whether the next work of this thread that is cut in pieces starts with the last one.
    static BACK: Cell<bool> = const { Cell::new(false) };
}

/// How many threads large work of this thread is shared by: the number of the innermost [`with`] around the call; else that of
/// [`set_number`], or one for each core of the machine. [`within`] threads, it is at most how many these are.
///
/// ```
/// use surprisal_tensor::threads;
/// threads::set_number(2);
/// assert_eq!(threads::number(), 2);
/// assert_eq!(threads::with(3, threads::number), 3);
/// ```
pub fn number() -> usize {
    if cfg!(target_family = "wasm") {
        return 1;
    }
    let here = HERE.get();
    match rayon_core::current_thread_index() {
        Some(_) if here == 0 => rayon_core::current_num_threads(),
        Some(_) => here.min(rayon_core::current_num_threads()),
        None if here == 0 => of_the_process(),
        None => here,
    }
}

fn of_the_process() -> usize {
    if NUMBER.load(Relaxed) == 0 {
        let cores = thread::available_parallelism().map_or(1, |n| n.get());
        let _ = NUMBER.compare_exchange(0, cores, Relaxed, Relaxed); // or somebody has set it meanwhile
    }
    NUMBER.load(Relaxed)
}

/// Runs `run` with this number of threads for its large work; 1 for the calling thread alone.
///
/// It holds in the calling thread, until `run` returns or panics: two threads may use different numbers at the same time, and a thread
/// that `run` starts itself has the number of the process. Of calls within calls the innermost holds. Within [`within`] there are no
/// more threads than it has started; fewer may be asked for.
///
/// The bits of every result are the same with any number:
///
/// ```
/// use surprisal_tensor::{Params, Workspace, threads};
/// let sum = || {
///     let sines = |i: usize| (i as f64).sin();
///     Workspace::new().eval(&Params::new(), |tape| tape.input_with([100_000], sines).exp().sum())
/// };
/// assert_eq!(threads::with(1, sum), threads::with(2, sum));
/// ```
///
/// The threads of each number are started when they are first needed, and then wait for more work until the process ends.
///
/// # Panics
/// If `n` is 0, or if `run` does.
#[track_caller]
pub fn with<R>(n: usize, run: impl FnOnce() -> R) -> R {
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            HERE.set(self.0);
        }
    }
    let _restore = Restore(HERE.replace(expect_some("with", n)));
    run()
}

/// Sets how many threads large work is shared by outside of every [`with`], in all threads of the process; 1 for the calling
/// thread alone. A call of [`within`] that runs keeps those it has.
///
/// See the example of [`number`].
///
/// # Panics
/// If `n` is 0.
#[track_caller]
pub fn set_number(n: usize) {
    NUMBER.store(expect_some("set_number", n), Relaxed);
}

#[track_caller]
fn expect_some(what: &str, n: usize) -> usize {
    assert!(
        n > 0,
        "{what}: 0 threads compute nothing: 1 stands for the calling thread alone, \
         and without this call there is one for each core"
    );
    n
}

/// Runs a whole computation, such as a training loop, where sharing work costs least.
///
/// It runs in one of [`number`] threads that are started for it, and ends them; the others help with what is large. A call within
/// another just runs, as it does with one thread.
///
/// ```
/// use surprisal_tensor::{Params, Workspace, ndarray::array, threads};
/// let mut params = Params::<f64>::default();
/// let w = params.add("w", &array![1.0]);
/// threads::within(|| {
///     let mut workspace = Workspace::new();
///     for _ in 0..10 {
///         let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
///         params[w][0] -= 0.25 * grads[w][0]; // halves it
///     }
/// });
/// assert_eq!(params[w][0], 1.0 / 1024.0);
/// ```
///
/// # Panics
/// If `run` does.
pub fn within<R: Send>(run: impl FnOnce() -> R + Send) -> R {
    let n = number();
    if n == 1 || inside() {
        return run();
    }
    let Some(pool) = start(n) else { return run() };
    let (ready, over) = (AtomicUsize::new(1), AtomicBool::new(false));
    pool.scope(|scope| {
        for _ in 1..n {
            scope.spawn(|_| help(n, &ready, &over));
        }
        // before there is any work: a thread that waits in the middle of some must not begin to help until all is over
        wait_for_all(n, &ready);
        let _at_the_end = SetOnDrop(&over);
        run()
    })
}

struct SetOnDrop<'a>(&'a AtomicBool);
impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn wait_for_all(n: usize, ready: &AtomicUsize) {
    while ready.load(Relaxed) < n {
        thread::yield_now();
    }
}

/// Does what others give away, until all is over.
fn help(n: usize, ready: &AtomicUsize, over: &AtomicBool) {
    ready.fetch_add(1, Relaxed);
    wait_for_all(n, ready); // or this thread would take another's place too
    let mut last_work = Instant::now();
    while !over.load(Relaxed) {
        if rayon_core::yield_now() == Some(Yield::Executed) {
            last_work = Instant::now();
            continue;
        }
        let idle = last_work.elapsed();
        if idle < AWAKE { thread::yield_now() } else { thread::sleep((idle / 10).min(LONGEST_NAP)) }
    }
}

fn inside() -> bool {
    rayon_core::current_thread_index().is_some()
}

/// Threads; none where the system gives none.
fn start(n: usize) -> Option<ThreadPool> {
    const STACK: usize = 8 << 20; // as the first thread of a process has it
    ThreadPoolBuilder::new()
        .num_threads(n)
        .stack_size(STACK)
        .thread_name(|i| format!("surprisal-{i}"))
        .build()
        .ok()
}

/// The threads for work from outside: as many as [`number`], started when they are first needed.
fn shared() -> Option<Arc<ThreadPool>> {
    static POOLS: Mutex<Vec<Arc<ThreadPool>>> = Mutex::new(Vec::new()); // one for each number
    let n = number();
    if n == 1 {
        return None;
    }
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.iter().find(|pool| pool.current_num_threads() == n) {
        return Some(pool.clone());
    }
    let pool = Arc::new(start(n)?);
    pools.push(pool.clone());
    Some(pool)
}

/// Slices, or what consists of slices, that can be cut in two.
///
/// A tuple is cut everywhere at the same place; its length is that of its first part. [`Rows`] is cut between rows.
pub trait Cut: Send + Sized {
    /// How many units it can be cut in.
    fn units(&self) -> usize;
    /// The first `at` units, and the others.
    fn cut(self, at: usize) -> (Self, Self);
}

impl<T: Sync> Cut for &[T] {
    fn units(&self) -> usize {
        self.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at(at)
    }
}
impl<T: Send> Cut for &mut [T] {
    fn units(&self) -> usize {
        self.len()
    }
    fn cut(self, at: usize) -> (Self, Self) {
        self.split_at_mut(at)
    }
}
impl Cut for () {
    fn units(&self) -> usize {
        0
    }
    fn cut(self, _: usize) -> (Self, Self) {
        ((), ())
    }
}
impl<P: Cut> Cut for Option<P> {
    fn units(&self) -> usize {
        self.as_ref().map_or(0, P::units)
    }
    fn cut(self, at: usize) -> (Self, Self) {
        self.map(|parts| parts.cut(at)).unzip()
    }
}

macro_rules! tuple {
    ($First:ident $($P:ident)*) => {
        #[allow(non_snake_case)]
        impl<$First: Cut, $($P: Cut),*> Cut for ($First, $($P),*) {
            fn units(&self) -> usize {
                self.0.units()
            }
            fn cut(self, at: usize) -> (Self, Self) {
                let ($First, $($P),*) = self;
                let ($First, $($P),*) = ($First.cut(at), $($P.cut(at)),*);
                (($First.0, $($P.0),*), ($First.1, $($P.1),*))
            }
        }
    };
}
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);

/// Parts whose units are taken so many at a time: a slice by rows. The last row may be shorter.
#[derive(Clone, Copy, Debug)]
pub struct Rows<P>(pub P, pub usize);

impl<P: Cut> Cut for Rows<P> {
    fn units(&self) -> usize {
        self.0.units().div_ceil(self.1.max(1))
    }
    fn cut(self, at: usize) -> (Self, Self) {
        let Rows(parts, width) = self;
        let at = at.saturating_mul(width).min(parts.units());
        let (before, behind) = parts.cut(at);
        (Rows(before, width), Rows(behind, width))
    }
}

/// How many rows of so many numbers make a piece of `numbers`: a power of two.
pub fn rows_of(numbers: usize, width: usize) -> usize {
    1 << (numbers / width.max(1)).max(1).ilog2()
}

/// Calls `each` with every piece of `parts`, and with the place where it starts: pieces of `piece` units, by several threads if that pays.
///
/// A piece should take five microseconds or more: [`LIGHT`] or [`HEAVY`] numbers, or [`rows_of`] them.
///
/// ```
/// use surprisal_tensor::threads::{LIGHT, for_each};
/// let (x, mut y) = (vec![1.5; 100_000], vec![0.0; 100_000]);
/// for_each((&x[..], &mut y[..]), LIGHT, |start, (x, y)| {
///     for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
///         *y = x * (start + i) as f64;
///     }
/// });
/// assert_eq!(y[70_000], 105_000.0);
/// ```
///
/// # Panics
/// At the caller's line, if a piece has 0 units.
#[inline]
#[track_caller]
pub fn for_each<P: Cut>(parts: P, piece: usize, each: impl Fn(usize, P) + Sync) {
    reduce(parts, piece, each, |(), ()| ());
}

/// [`for_each`], for what has a result: those of neighbors are merged, pairs of pieces first, then pairs of pairs.
///
/// ```
/// use surprisal_tensor::threads::{LIGHT, reduce};
/// let x = vec![0.5; 100_000];
/// let sum = reduce(&x[..], LIGHT, |_, x| x.iter().sum::<f64>(), |a, b| a + b);
/// assert_eq!(sum, 50_000.0);
/// ```
///
/// # Panics
/// At the caller's line, if a piece has 0 units.
#[inline]
#[track_caller]
pub fn reduce<P: Cut, R: Send>(
    parts: P,
    piece: usize,
    each: impl Fn(usize, P) -> R + Sync,
    merge: impl Fn(R, R) -> R + Sync,
) -> R {
    if parts.units() <= piece {
        return each(0, parts);
    }
    assert!(piece > 0, "work cannot be cut in pieces of 0 units: LIGHT and HEAVY are usual, 1 is the least");
    // every other work goes back: the pieces that the one before left in the cache come first
    let back = BACK.replace(!BACK.get());
    Work { piece, back, each: &each, merge: &merge }.start(parts)
}

/// Not generic over the functions, so that it is compiled once for all that is cut in the same parts.
struct Work<'a, P, R> {
    piece: usize,
    back: bool,
    each: &'a (dyn Fn(usize, P) -> R + Sync),
    merge: &'a (dyn Fn(R, R) -> R + Sync),
}

impl<P: Cut, R: Send> Work<'_, P, R> {
    #[inline(never)] // small work is done before it comes to this, and stays small code
    fn start(&self, parts: P) -> R {
        if cfg!(target_family = "wasm") {
            return self.run(false, 0, parts); // there is one thread
        }
        if inside() {
            return self.run(number() > 1, 0, parts);
        }
        match if parts.units().div_ceil(self.piece) >= MANY { shared() } else { None } {
            Some(pool) => install(&pool, || self.run(true, 0, parts)),
            None => self.run(false, 0, parts),
        }
    }

    fn run(&self, share: bool, start: usize, parts: P) -> R {
        let pieces = parts.units().div_ceil(self.piece);
        if pieces < 2 {
            return (self.each)(start, parts);
        }
        // whole powers of two to the left: where `sum` cuts
        let at = pieces.next_power_of_two() / 2 * self.piece;
        let (left, right) = parts.cut(at);
        let (left, right) = (|| self.run(share, start, left), || self.run(share, start + at, right));
        let share = share && !cfg!(target_family = "wasm");
        let (left, right) = match (share, self.back) {
            (true, _) => join(left, right),
            (false, false) => (left(), right()),
            (false, true) => {
                let right = right();
                (left(), right)
            }
        };
        (self.merge)(left, right)
    }
}

/// `rayon_core::join`, of which there is one for all that is joined.
fn join<R: Send>(left: impl FnOnce() -> R + Send, right: impl FnOnce() -> R + Send) -> (R, R) {
    fn both(left: &mut Task, right: &mut Task) {
        rayon_core::join(left, right);
    }
    let (mut first, mut second) = (None, None);
    both(&mut task(&mut first, left), &mut task(&mut second, right));
    (first.expect(DONE), second.expect(DONE))
}

/// Runs a function in a thread of the pool; this too is compiled once.
fn install<R: Send>(pool: &ThreadPool, run: impl FnOnce() -> R + Send) -> R {
    fn in_pool(pool: &ThreadPool, run: &mut Task) {
        pool.install(run);
    }
    let mut result = None;
    in_pool(pool, &mut task(&mut result, run));
    result.expect(DONE)
}

type Task<'a> = dyn FnMut() + Send + 'a;
const DONE: &str = "what was run has returned";

/// What writes the result of `run`, which runs once.
fn task<R: Send>(result: &mut Option<R>, run: impl FnOnce() -> R + Send) -> impl FnMut() + Send {
    let mut run = Some(run);
    move || *result = run.take().map(|run| run())
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
// where products are computed in register tiles
pub(crate) use parts::{for_each_part, number_of_parts};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod parts {
    use super::{Cut, MANY, Work, inside, install, number, shared};

    /// In how many parts to cut what would be so many pieces, for work of which every part has to be prepared: one for each thread,
    /// or one in all if sharing does not pay.
    pub(crate) fn number_of_parts(pieces: usize) -> usize {
        let n = number();
        if n == 1 || pieces < if inside() { 2 } else { MANY } { 1 } else { n.min(pieces) }
    }

    /// Calls `each` with the number of every part, of [`number_of_parts`], and with `room` numbers of `scratch` for each.
    pub(crate) fn for_each_part<T: Send>(
        count: usize,
        scratch: &mut [T],
        room: usize,
        each: impl Fn(usize, &mut [T]) + Sync,
    ) {
        let parts = Parts { count, room, scratch };
        let each = |i, part: Parts<T>| each(i, part.scratch);
        if count == 1 {
            return each(0, parts);
        }
        let work = Work { piece: 1, back: false, each: &each, merge: &|(), ()| () };
        match if inside() { None } else { shared() } {
            Some(pool) => install(&pool, || work.run(true, 0, parts)),
            None => work.run(inside(), 0, parts),
        }
    }

    struct Parts<'a, T> {
        count: usize,
        room: usize,
        scratch: &'a mut [T],
    }

    impl<T: Send> Cut for Parts<'_, T> {
        fn units(&self) -> usize {
            self.count
        }
        fn cut(self, at: usize) -> (Self, Self) {
            let Parts { count, room, scratch } = self;
            let (before, behind) = scratch.split_at_mut(at * room);
            (Parts { count: at, room, scratch: before }, Parts { count: count - at, room, scratch: behind })
        }
    }
}
