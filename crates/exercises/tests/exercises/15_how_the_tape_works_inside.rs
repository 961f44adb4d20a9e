use crate::all_near;
use crate::solutions::inside as right;

fn are_places(places: impl Fn(&[usize]) -> Vec<usize>) {
    for (lens, expected) in [(&[3, 1, 5][..], &[0, 3, 4, 9][..]), (&[], &[0]), (&[2, 0, 2], &[0, 2, 2, 4])] {
        assert_eq!(places(lens), expected, "nodes of the lengths {lens:?}");
    }
}
exercise!(
    inside::places,
    are_places,
    wrong: [
        |lens| lens.to_vec(),
        |lens| right::places(lens)[1..].to_vec(), // where they end
        |lens| right::places(lens)[..lens.len()].to_vec(), // and in all?
    ]
);

fn adds(add: impl Fn(&mut f64, &mut bool, f64)) {
    for old in [7.0, f64::NAN] {
        let (mut slot, mut reached) = (old, false);
        for (part, sum) in [(2.0, 2.0), (0.5, 2.5), (-4.0, -1.5)] {
            add(&mut slot, &mut reached, part);
            assert!(
                reached && slot == sum,
                "over an old {old}, after {part}: {slot} and {reached}, not {sum} and true"
            );
        }
    }
}
exercise!(
    inside::add,
    adds,
    wrong: [
        |slot, reached, part| {
            *slot += part; // of the last step, too
            *reached = true;
        },
        |slot, reached, part| {
            *slot = part;
            *reached = true;
        },
        |slot, reached, part| {
            if !*reached {
                *slot *= 0.0; // NaN times 0 is NaN
            }
            *slot += part;
            *reached = true;
        },
        |slot, reached, part| *slot = if *reached { *slot + part } else { part },
    ]
);

fn walks_back(backward: impl Fn(&[Vec<(usize, f64)>], &mut [f64])) {
    // 4x² at 3, as a diamond; and a node that the last does not depend on
    let diamond =
        [vec![], vec![(0, 3.0), (0, 3.0)], vec![(1, 3.0)], vec![(0, 7.0)], vec![(1, 1.0), (2, 1.0)]];
    let mut grads = vec![f64::NAN; 5];
    for step in ["first", "second"] {
        backward(&diamond, &mut grads);
        all_near(format_args!("in the {step} step: the gradients"), &grads, &[24.0, 4.0, 1.0, 0.0, 1.0]);
    }
}
exercise!(
    inside::backward,
    walks_back,
    wrong: [
        |slopes, grads| {
            grads[slopes.len() - 1] = 1.0; // adds to what is there
            for node in (0..slopes.len()).rev() {
                slopes[node].iter().for_each(|&(input, slope)| grads[input] += slope * grads[node]);
            }
        },
        |slopes, grads| {
            grads.fill(0.0);
            grads[slopes.len() - 1] = 1.0;
            for node in 0..slopes.len() {
                slopes[node].iter().for_each(|&(input, slope)| grads[input] += slope * grads[node]);
            }
        },
        |slopes, grads| {
            right::backward(slopes, grads);
            grads[3] = 7.0; // passes on what nothing has reached
        },
    ]
);
