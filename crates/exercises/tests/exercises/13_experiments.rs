use surprisal_exercises::experiments::Verdict::{self, Inconclusive, NotSupported, Supported};

use crate::near;

fn judges(verdict: impl Fn(f64, f64, f64) -> Verdict) {
    for (low, high, expected) in [(1.2, 3.0, Supported), (0.2, 0.9, NotSupported), (0.9, 3.0, Inconclusive)] {
        assert_eq!(verdict(low, high, 1.0), expected, "is it above 1, if it lies between {low} and {high}?");
    }
}
exercise!(
    experiments::verdict,
    judges,
    wrong: [
        |low, high, border| if (low + high) / 2.0 > border { Supported } else { NotSupported },
        |_, high, border| if high > border { Supported } else { NotSupported },
        |low, _, border| if low > border { Supported } else { NotSupported },
    ]
);

fn is_times_as_long(times: impl Fn(&[f64], &[f64]) -> f64) {
    near("10 against 5", times(&[10.0], &[5.0]), 2.0);
    near("half as long, and twice as long", times(&[5.0, 20.0], &[10.0, 10.0]), 1.0);
    near("10, 40 against 5, 5", times(&[10.0, 40.0], &[5.0, 5.0]), 4.0);
}
exercise!(
    experiments::times_as_long,
    is_times_as_long,
    wrong: [
        |slow, fast| slow.iter().zip(fast).map(|(slow, fast)| slow / fast).sum::<f64>() / slow.len() as f64,
        |slow, fast| slow.iter().sum::<f64>() / fast.iter().sum::<f64>(),
        |slow, fast| slow.iter().zip(fast).map(|(slow, fast)| fast / slow).product::<f64>().powf(1.0 / slow.len() as f64),
    ]
);
