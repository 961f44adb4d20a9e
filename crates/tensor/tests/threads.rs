//! The seam for threads: the same bits for any number of them, results and panics that come through, and what is refused.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError};

use expect_test::expect;
use surprisal_tensor::ndarray::{Array2, ArrayD};
use surprisal_tensor::sum::sum;
use surprisal_tensor::threads::{self, HEAVY, LIGHT, Rows, for_each, reduce, rows_of};
use surprisal_tensor::{Params, Var, Workspace};

/// For tests that panic, as the hook is the whole process's, or whose pieces wait for each other, as threads for work from outside are
/// shared: one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `run` gives in one thread, after it was held against two and three, both inside and outside.
#[track_caller]
fn the_same<R: PartialEq + std::fmt::Debug + Send>(run: impl Fn() -> R + Sync) -> R {
    let one = threads::with(1, &run);
    for n in [2, 3] {
        assert!(threads::with(n, || threads::within(&run)) == one, "within {n} threads");
        assert!(threads::with(n, &run) == one, "from outside, {n} threads");
    }
    one
}

fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * 0.618_034).fract() * 4.0 - 2.0).collect()
}

#[test]
fn sums_have_the_bits_of_one_thread() {
    for n in [0, 1, LIGHT, LIGHT + 1, 3 * LIGHT + 77, 100 * LIGHT + 13] {
        let x = numbers(n);
        let shared = the_same(|| sum(&x).to_bits());
        assert_eq!(
            f32::from_bits(shared),
            surprisal_tensor::sum::sum_of(&x),
            "not even where it is cut matters"
        );
    }
}

#[test]
fn operations_have_the_bits_of_one_thread() {
    let operations: [fn(Var) -> Var; 9] = [
        |x| x.tanh(),
        |x| x * (x + x),
        |x| x.softmax(-1),
        |x| x.log_softmax(-1) * x.log_softmax(0),
        |x| x.logsumexp_axis(1),
        |x| x.dropout(0.3, 7),
        |x| x.sum_axis(0) + x.mean(),
        |x| x.maximum(x.t().t()).relu(),
        |x| (x / (x.square() + 1.0)).norm(),
    ];
    for (k, operation) in operations.into_iter().enumerate() {
        for shape in [(2000, 173), (3, 120_000)] {
            let x = Array2::from_shape_vec(shape, numbers(shape.0 * shape.1)).unwrap();
            let (value, gradient): (ArrayD<f64>, ArrayD<f64>) = the_same(|| {
                let (params, mut workspace) = (Params::new(), Workspace::new());
                let tape = workspace.tape(&params);
                let x = tape.input(&x).requires_grad();
                let y = operation(x);
                (y * y).sum().backward();
                (y.value(), x.grad().unwrap())
            });
            assert!(value.iter().chain(&gradient).all(|v| v.is_finite()), "operation {k}");
        }
    }
}

#[test]
fn every_unit_is_in_one_piece_and_knows_its_place() {
    for n in [0, 1, 99, 100, 101, 1600, 12_345] {
        let places = the_same(|| {
            let mut places = vec![usize::MAX; n];
            for_each(&mut places[..], 100, |first, piece| {
                assert!(piece.len() <= 100);
                piece.iter_mut().enumerate().for_each(|(i, place)| *place = first + i);
            });
            places
        });
        assert!(places.into_iter().eq(0..n));
    }
}

#[test]
fn rows_are_cut_between_rows_and_the_last_may_be_short() {
    let x = numbers(1005);
    let rows = the_same(|| {
        let piece = |first, (rows, places): (Rows<&[f32]>, &[usize])| {
            assert_eq!((rows.0.len().div_ceil(10), places.first()), (places.len(), Some(&first)));
            vec![rows.0.len()]
        };
        let places: Vec<usize> = (0..101).collect();
        reduce((Rows(&x[..], 10), &places[..]), 16, piece, |left, right| [left, right].concat())
    });
    assert_eq!(rows, [160, 160, 160, 160, 160, 160, 45]);
    assert_eq!([rows_of(HEAVY, 10), rows_of(HEAVY, 100_000), rows_of(HEAVY, 0)], [512, 1, HEAVY]);
}

#[test]
fn within_gives_back_what_it_ran_also_within_itself() {
    for n in [1, 2, 3] {
        threads::with(n, || {
            assert_eq!(threads::number(), n);
            let x = numbers(10 * LIGHT);
            let nested = threads::within(|| {
                assert_eq!(threads::number(), n);
                let sums = || reduce(&x[..], LIGHT, |_, x| sum(x), |left, right| left + right);
                threads::within(|| (sums(), sums()))
            });
            assert_eq!(nested, (sum(&x), sum(&x)));
        });
    }
}

/// How many threads take a piece of work that is large enough for all, each waiting for the others where there are `n`.
fn takers(n: usize) -> usize {
    let (names, all) = (Mutex::new(HashSet::new()), Barrier::new(n));
    let work = [0u8; 64];
    for_each(&work[..], 1, |_, _| {
        let first = names.lock().unwrap().insert(std::thread::current().id());
        if first {
            all.wait();
        }
    });
    let names = names.into_inner().unwrap();
    names.len()
}

#[test]
fn the_number_is_that_of_the_innermost_call_and_comes_back_after_a_panic() {
    let _alone = alone();
    let before = threads::number();
    threads::with(2, || {
        assert_eq!(takers(2), 2);
        threads::with(1, || assert_eq!((threads::number(), takers(1)), (1, 1)));
        let panicked = catch_unwind(|| threads::with(3, || assert_eq!(takers(3), 0)));
        assert!(panicked.is_err());
        assert_eq!((threads::number(), takers(2)), (2, 2));
    });
    assert_eq!(threads::number(), before);
}

#[test]
fn two_threads_may_use_different_numbers_at_once() {
    let _alone = alone();
    let both = Barrier::new(2);
    let run = |n| {
        threads::with(n, || {
            both.wait();
            (0..20).map(|_| (threads::number(), takers(n))).collect::<Vec<_>>()
        })
    };
    std::thread::scope(|scope| {
        let [three, one] = [3, 1].map(|n| scope.spawn(move || run(n)));
        assert_eq!(three.join().unwrap(), [(3, 3); 20]);
        assert_eq!(one.join().unwrap(), [(1, 1); 20]);
    });
}

#[test]
fn within_threads_fewer_may_be_asked_for_but_not_more() {
    let _alone = alone();
    threads::with(2, || {
        threads::within(|| {
            assert_eq!((threads::number(), takers(2)), (2, 2));
            assert_eq!(threads::with(1, || (threads::number(), takers(1))), (1, 1));
            assert_eq!(threads::with(5, || (threads::number(), takers(2))), (2, 2));
        });
    });
    threads::with(1, || threads::within(|| assert_eq!(takers(1), 1)));
}

#[test]
fn two_at_a_time_do_not_wait_for_each_other() {
    let (x, both) = (numbers(40 * LIGHT), Barrier::new(2));
    let run = || {
        both.wait();
        sum(&x)
    };
    let sums = std::thread::scope(|scope| {
        [(); 2]
            .map(|()| scope.spawn(|| threads::with(2, || threads::within(run))))
            .map(|run| run.join().unwrap())
    });
    assert_eq!(sums, [sum(&x); 2]);
}

/// The message of a panic in any thread, and the text of the line that it names.
fn panic_of(run: impl FnOnce()) -> (String, String) {
    let told = Arc::new(Mutex::new(String::new()));
    let (before, note) = (take_hook(), told.clone());
    set_hook(Box::new(move |panic| {
        let place = panic.location().expect("a panic has a place");
        let line = include_str!("threads.rs").lines().nth(place.line() as usize - 1).unwrap_or_default();
        *note.lock().unwrap() = format!("{} {line}", place.file());
    }));
    let message = catch_unwind(AssertUnwindSafe(run)).expect_err("it panics");
    set_hook(before);
    let message = message.downcast::<String>().expect("with a message");
    (*message, told.lock().unwrap().clone())
}

#[test]
fn a_panic_names_the_users_line_and_ends_the_call() {
    let _alone = alone();
    for n in [1, 2, 3] {
        let within = |run: &(dyn Fn() + Sync)| threads::with(n, || threads::within(run));
        let (message, place) = panic_of(|| {
            within(&|| {
                let (params, mut workspace) = (Params::<f32>::new(), Workspace::new());
                let tape = workspace.tape(&params);
                let _ = tape.input(&Array2::<f64>::zeros((2, 3))) + tape.input(&Array2::<f64>::zeros((2, 4))); // the line
            });
        });
        let head = message.lines().next();
        expect!["add: [2, 3] and [2, 4]: 3 meets 4 in axis -1"].assert_eq(head.unwrap_or_default());
        assert!(place.ends_with("// the line"), "{place}");
        // and of a piece in another thread
        let pieces = || for_each(&numbers(1000)[..], 10, |first, _| assert!(first < 500, "at {first}")); // this one
        let (message, place) = panic_of(|| within(&pieces));
        assert!(message.starts_with("at ") && place.ends_with("// this one"), "{message}: {place}");
        within(&|| assert_eq!(sum(&[1.0; 3]), 3.0)); // nothing is broken
    }
}

#[test]
fn no_threads_at_all_is_an_error() {
    let _alone = alone();
    let (message, _) = panic_of(|| threads::with(0, || ()));
    expect!["with: 0 threads compute nothing: 1 stands for the calling thread alone, and without this call there is one for each core"].assert_eq(&message);
}
