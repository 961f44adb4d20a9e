//! What must be true of the losses whatever the numbers.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use surprisal_loss::by_name::{self, Call, Entry, Kind, Value as Setting, Values, Values::*};
use surprisal_loss::vectors::{Case, Outcome};
use surprisal_tensor::ndarray::{Array2, ArrayD, Axis, Dimension, IxDyn};
use surprisal_tensor::{Dual, Scalar, check_gradient};

/// An option's value.
#[derive(Clone, Copy, Debug)]
enum Value {
    N(f64),
    Flag(bool),
    Text(&'static str),
}
use Value::{Flag, N, Text};

const ROWS: usize = 4;
const COLUMNS: usize = 3;

/// Inputs or options of a loss that its gradient is tried with beside its usual ones: inputs are named where they are others.
type Row = (&'static str, &'static [(&'static str, Values)], &'static [&'static [(&'static str, Value)]]);

#[rustfmt::skip]
const VARIANTS: &[Row] = &[
    ("softmax_cross_entropy", &[], &[&[("label_smoothing", N(0.2))]]),
    ("softmax_cross_entropy", &[("logits", Number), ("target_probs", Distribution)], &[&[], &[("label_smoothing", N(0.2))]]),
    ("softmax_focal_loss", &[], &[&[("gamma", N(0.5))], &[("gamma", N(0.0))]]),
    ("topk_cross_entropy", &[], &[&[("k", N(2.0))], &[("k", N(4.0))]]),
    ("sigmoid_focal_loss", &[], &[&[("gamma", N(0.5)), ("alpha", N(-1.0))]]),
    ("kl_div", &[], &[&[("log_target", Flag(true))], &[("reduction", Text("batchmean"))]]),
    ("entropy", &[], &[&[("base", N(2.0))]]),
    ("cross_entropy_probs", &[], &[&[("base", N(2.0))]]),
    ("self_information", &[], &[&[("base", N(2.0))]]),
    ("entropy_from_logits", &[], &[&[("base", N(2.0))]]),
    ("smooth_l1_loss", &[], &[&[("beta", N(0.3))]]),
    ("huber_loss", &[], &[&[("delta", N(0.3))]]),
    ("poisson_nll_loss", &[], &[&[("full", Flag(true))]]),
    ("poisson_nll_loss", &[("input", Unit), ("target", NotNegative)], &[&[("log_input", Flag(false))]]),
    ("quantile_loss", &[], &[&[("q", N(0.9))]]),
    ("multi_margin_loss", &[], &[&[("p", N(2.0))]]),
    ("dice_loss", &[("input", Unit), ("targets", YesNo)], &[&[("activation", Text("none"))], &[("activation", Text("none")), ("squared", Flag(true))]]),
    ("dice_loss", &[], &[&[("activation", Text("sigmoid")), ("per", Text("sample"))]]),
    ("ce_dice_loss", &[("logits", Number), ("targets", Classes)], &[&[("mode", Text("multiclass")), ("a", N(0.3))]]),
    ("triplet_margin_loss", &[], &[&[("margin", N(9.0))], &[("swap", Flag(true)), ("margin", N(9.0))]]),
    ("contrastive_loss", &[], &[&[("margin", N(5.0))]]),
    ("supcon_loss", &[], &[&[("temperature", N(0.5)), ("normalize", Flag(false))]]),
];

type Inputs = Vec<(&'static str, Values)>;
type Variants = Vec<&'static [(&'static str, Value)]>;

/// The inputs that a loss usually takes: of several kinds of targets, the first.
fn usual(entry: &'static Entry) -> Inputs {
    let taken = entry.inputs.iter().filter(|input| !input.weights && input.name != "target_probs");
    taken.map(|input| (input.name, input.values)).collect()
}

/// Every loss with its usual inputs and its defaults, and with the variants above.
fn losses() -> Vec<(&'static str, Inputs, Variants)> {
    let mut all: Vec<_> =
        by_name::ALL.iter().map(|entry| (entry.card.name, usual(entry), vec![&[][..]])).collect();
    for &(loss, inputs, variants) in VARIANTS {
        let inputs =
            if inputs.is_empty() { usual(by_name::find(loss).expect(loss)) } else { inputs.to_vec() };
        match all.iter_mut().find(|(name, taken, _)| *name == loss && *taken == inputs) {
            Some((.., options)) => options.extend(variants),
            None => all.push((loss, inputs, variants.to_vec())),
        }
    }
    all
}

fn options(given: &[(&str, Value)]) -> BTreeMap<String, Setting> {
    let setting = |value: &Value| match *value {
        N(x) => Setting::Number(x),
        Flag(flag) => Setting::Flag(flag),
        Text(text) => Setting::Text(text.into()),
    };
    given.iter().map(|(name, value)| ((*name).into(), setting(value))).collect()
}

/// Numbers of a kind, from ones between 0 and 1.
fn array(kind: Values, units: &[f64]) -> ArrayD<f64> {
    let row = |f: fn(usize) -> f64| ArrayD::from_shape_fn(IxDyn(&[ROWS]), |place| f(place[0]));
    let all = |f: fn(f64) -> f64| {
        Array2::from_shape_fn((ROWS, COLUMNS), |(i, j)| f(units[(i * COLUMNS + j) % units.len()])).into_dyn()
    };
    match kind {
        Number => all(|u| 8.0 * u - 4.0),
        Unit => all(|u| 0.05 + 0.9 * u),
        Distribution => {
            let mut p = all(|u| 0.05 + u);
            for mut row in p.axis_iter_mut(Axis(0)) {
                let total = row.sum();
                row /= total;
            }
            p
        }
        YesNo => all(|u| f64::from(u > 0.5)),
        Sign => all(|u| if u > 0.5 { 1.0 } else { -1.0 }),
        NotNegative => all(|u| 4.0 * u),
        Classes => row(|i| ((i * 2 + 1) % COLUMNS) as f64),
        Pairs => row(|i| (i % 2) as f64),
    }
}

fn units() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.0..1.0, ROWS * COLUMNS)
}

/// Calls a loss by its name.
#[track_caller]
fn call(loss: &str, inputs: &[(&str, &ArrayD<f64>)], given: &[(&str, Value)]) -> Outcome<f64> {
    let inputs = inputs.iter().map(|(name, x)| ((*name).into(), (*x).clone())).collect();
    let case = Case {
        name: loss.into(),
        inputs,
        options: options(given),
        f64_only: false,
        nulls: Default::default(),
    };
    case.evaluate(by_name::find(loss).expect(loss)).expect(loss)
}

#[track_caller]
fn value(loss: &str, inputs: &[(&str, &ArrayD<f64>)], given: &[(&str, Value)]) -> f64 {
    let value = call(loss, inputs, given).value;
    assert_eq!(value.len(), 1, "{loss}");
    value.sum()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-13 * a.abs().max(b.abs()).max(1e-3)
}

/// All combinations of an option's values at the edges and in the middle.
fn all_options(entry: &Entry) -> Vec<BTreeMap<String, Setting>> {
    let mut all = vec![BTreeMap::new()];
    for option in entry.options {
        let values: Vec<Setting> = match option.kind {
            Kind::Number(_) => [-1.0, 0.0, 0.5, 1.0].map(Setting::Number).into(),
            Kind::Whole(_) => [-100.0, 1.0, 2.0].map(Setting::Number).into(),
            Kind::Numbers(_) | Kind::Wholes(_) | Kind::Pair(_) => vec![Setting::Number(0.9)],
            Kind::Flag => [false, true].map(Setting::Flag).into(),
            Kind::Word(words) => words.iter().map(|word| Setting::Text((*word).into())).collect(),
        };
        let values: Vec<_> = values.into_iter().filter(|value| option.kind.holds(value)).collect();
        assert!(!values.is_empty(), "{}: no value of {} is tried", entry.card.name, option.name);
        let with = |value: &Setting, options: &BTreeMap<_, _>| {
            let mut options = options.clone();
            options.insert(option.name.to_owned(), value.clone());
            options
        };
        all = all.iter().flat_map(|options| values.iter().map(move |value| with(value, options))).collect();
    }
    all
}

/// What inputs may be besides ordinary numbers: all 0, or all 1. No label is changed.
fn edges(kind: Values, ordinary: &ArrayD<f64>) -> Vec<ArrayD<f64>> {
    let mut all = vec![ordinary.clone()];
    if !matches!(kind, Classes | Pairs) {
        all.extend([0.0, 1.0].map(|x| ordinary.mapv(|_| x)));
    }
    all
}

/// Weights that are 0, or partly 0, beside none.
fn all_weights(entry: &Entry) -> Vec<Vec<(String, ArrayD<f64>)>> {
    let mut all = vec![vec![]];
    for input in entry.inputs.iter().filter(|input| input.weights) {
        let shape: &[usize] = if input.about.contains("shape") { &[ROWS, COLUMNS] } else { &[COLUMNS] };
        let partly = ArrayD::from_shape_fn(IxDyn(shape), |place| (place[place.ndim() - 1] % 2) as f64);
        let none = ArrayD::zeros(IxDyn(shape));
        let with = |weights: &Vec<(String, ArrayD<f64>)>| {
            let one = |x: &ArrayD<f64>| [&weights[..], &[(input.name.to_owned(), x.clone())]].concat();
            [weights.clone(), one(&partly), one(&none)]
        };
        all = all.iter().flat_map(with).collect();
    }
    all
}

/// Whether the loss does not read that place at all: a row that is ignored, or a class that it was not.
fn is_not_read(case: &Case, entry: &Entry, place: usize) -> bool {
    let Some((_, labels)) = case.inputs.iter().find(|(name, _)| name == "targets") else { return false };
    if labels.ndim() != 1 || labels.len() != ROWS {
        return false;
    }
    let label = labels[[place / COLUMNS]];
    let ignored = case.options.get("ignore_index") == Some(&Setting::Number(label));
    ignored || entry.card.name == "nll_loss" && label != (place % COLUMNS) as f64
}

/// A loss that is a number while its input is not would let a model break without a sign; so would a loss that is a number with a
/// gradient that is not.
#[test]
fn no_loss_hides_nan() {
    let units = |salt: usize| -> Vec<f64> {
        (0..ROWS * COLUMNS).map(|i| ((i * 7 + salt * 5) % 12) as f64 / 12.0).collect()
    };
    let (mut tried, mut failed) = (0, vec![]);
    for (loss, inputs, _) in &losses() {
        let entry = by_name::find(loss).expect(loss);
        // the arrays of every input: ordinary ones, and edges
        let mut choices = vec![vec![]];
        for (salt, (name, kind)) in inputs.iter().enumerate() {
            let edges = edges(*kind, &array(*kind, &units(salt)));
            choices = choices
                .iter()
                .flat_map(|before: &Vec<_>| {
                    edges.iter().map(move |x| [&before[..], &[((*name).to_owned(), x.clone())]].concat())
                })
                .collect();
        }
        for (weights, options) in
            all_weights(entry).iter().flat_map(|w| all_options(entry).into_iter().map(move |o| (w, o)))
        {
            for arrays in &choices {
                let inputs = [&arrays[..], &weights[..]].concat();
                let clean = Case {
                    name: String::new(),
                    inputs,
                    options: options.clone(),
                    f64_only: false,
                    nulls: Default::default(),
                };
                if clean.evaluate::<f64>(entry).is_err() {
                    continue; // nothing to average, or out of the range
                }
                for (k, (name, x)) in arrays.iter().enumerate() {
                    let differentiable =
                        entry.inputs.iter().any(|input| input.name == name && input.differentiable);
                    for place in 0..x.len() {
                        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                            let mut case = clean.clone();
                            *case.inputs[k].1.iter_mut().nth(place).expect("a place") = wrong;
                            let told = || {
                                format!(
                                    "{loss}, {wrong} in {name}[{place}], {:?}: {:?}",
                                    case.options, case.inputs
                                )
                            };
                            let unread = differentiable && is_not_read(&case, entry, place);
                            let mut check = |value: f64, grads: Vec<f64>| {
                                tried += 1;
                                let hidden = wrong.is_nan() && !unread && !value.is_nan();
                                let slope = !value.is_nan() && grads.iter().any(|g| g.is_nan());
                                let infinite = value.is_infinite();
                                if hidden || slope && !infinite {
                                    failed.push(told())
                                }
                            };
                            if let Ok(outcome) = case.evaluate::<f64>(entry) {
                                check(
                                    outcome.value.sum(),
                                    outcome.grads.iter().flat_map(|(_, g)| g).copied().collect(),
                                );
                            }
                            if let Ok(outcome) = case.evaluate::<f32>(entry) {
                                let grads = outcome
                                    .grads
                                    .iter()
                                    .flat_map(|(_, g)| g)
                                    .map(|&g| f64::from(g))
                                    .collect();
                                check(f64::from(outcome.value.sum()), grads);
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(tried > 100_000, "{tried}");
    failed.sort_by_key(String::len);
    let shown = failed.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} of {tried}:\n{shown}", failed.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// Dual numbers, to 1e-10, and central differences, to 1e-6; random numbers meet a kink with probability 0.
    #[test]
    fn the_gradient_of_every_loss_agrees_with_both_oracles(seed in prop::collection::vec(units(), 3)) {
        for (loss, inputs, variants) in &losses() {
            let entry = by_name::find(loss).expect(loss);
            for variant in variants {
                for reduction in ["mean", "sum", "none"] {
                    let mut given = options(variant);
                    if !entry.options.iter().any(|option| option.name == "reduction" && option.help.contains(reduction)) {
                        if reduction != "mean" { continue }
                    } else {
                        given.entry("reduction".into()).or_insert(Setting::Text(reduction.into()));
                    }
                    let arrays: Vec<_> = inputs.iter().zip(&seed).map(|((name, kind), units)| {
                        let differentiable = entry.inputs.iter().any(|i| i.name == *name && i.differentiable);
                        (*name, differentiable, array(*kind, units))
                    }).collect();
                    let varied: Vec<_> = arrays.iter().filter(|(_, varied, _)| *varied).map(|(.., x)| x.clone()).collect();
                    check_gradient(&varied, |tape, x| {
                        let mut x = x.iter();
                        let inputs = arrays.iter().map(|(name, varied, array)| {
                            let var = match varied {
                                true => *x.next().expect("one for each"),
                                false => tape.input(&array.mapv(Dual::of)),
                            };
                            ((*name).to_owned(), var)
                        });
                        entry.call(&Call { inputs: inputs.collect(), options: given.clone() }).expect(loss)
                    });
                }
            }
        }
    }
}

proptest! {
    // the same cases in every run: another seed is a change of this line, and what it finds belongs here
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn cross_entropy_is_never_below_entropy(p in units(), q in units()) {
        let (p, q) = (array(Distribution, &p), array(Distribution, &q));
        let (entropy, cross) = (value("entropy", &[("p", &p)], &[]), value("cross_entropy_probs", &[("p", &p), ("q", &q)], &[]));
        prop_assert!(cross >= entropy - 1e-15, "{cross} {entropy}");
        prop_assert!(near(value("cross_entropy_probs", &[("p", &p), ("q", &p)], &[]), entropy));
        // and the difference is the Kullback-Leibler divergence
        let kl = value("kl_div", &[("input", &q.mapv(f64::ln)), ("target", &p)], &[("reduction", Text("batchmean"))]);
        prop_assert!((kl - (cross - entropy)).abs() < 1e-14, "{kl}");
    }

    #[test]
    fn divergence_is_not_negative_and_0_only_for_equal_distributions(z in units(), step in -45i32..0, place in 0..ROWS * COLUMNS) {
        let p = array(Number, &z);
        prop_assert_eq!(value("kl_div_logits", &[("p_logits", &p), ("q_logits", &p)], &[]), 0.0);
        // shifted rows are the same distribution; the shift is exact
        let coarse = p.mapv(|z| (z * 1024.0).round() / 1024.0);
        prop_assert_eq!(value("kl_div_logits", &[("p_logits", &coarse), ("q_logits", &(&coarse + 4096.0))], &[]), 0.0);
        let mut q = p.clone();
        let x = q.iter_mut().nth(place).expect("a place");
        *x += 2f64.powi(step).max(x.abs() * 2.0 * f64::EPSILON);
        let kl = value("kl_div_logits", &[("p_logits", &p), ("q_logits", &q)], &[]);
        prop_assert!(kl > 0.0, "{kl:e} for a step of 2^{step}");
    }

    /// The shift is exact, so not a bit may change.
    #[test]
    fn a_shift_of_all_logits_changes_nothing(z in units(), shift in -1000i32..1000) {
        let z = array(Number, &z).mapv(|z| (z * 1024.0).round() / 1024.0);
        let moved = &z + f64::from(shift);
        let labels = array(Classes, &[]);
        for loss in ["softmax_cross_entropy", "softmax_focal_loss", "topk_cross_entropy"] {
            let k: &[_] = if loss.starts_with("topk") { &[("k", N(2.0))] } else { &[] };
            let [here, there]: [Outcome<f64>; 2] = [&z, &moved].map(|z| call(loss, &[("logits", z), ("targets", &labels)], k));
            prop_assert_eq!(&here.value, &there.value);
            prop_assert_eq!(&here.grads[0].1, &there.grads[0].1);
        }
    }

    #[test]
    fn focal_losses_without_focus_are_cross_entropies(z in units(), t in units()) {
        let (z, labels, yes) = (array(Number, &z), array(Classes, &[]), array(YesNo, &t));
        let none = ("gamma", N(0.0));
        let pairs = [
            (call("softmax_focal_loss", &[("logits", &z), ("targets", &labels)], &[none]),
             call("softmax_cross_entropy", &[("logits", &z), ("targets", &labels)], &[])),
            (call("sigmoid_focal_loss", &[("logits", &z), ("targets", &yes)], &[none, ("alpha", N(-1.0))]),
             call("binary_cross_entropy_with_logits", &[("logits", &z), ("targets", &yes)], &[])),
        ];
        for (focal, plain) in pairs {
            prop_assert!(near(focal.value.sum(), plain.value.sum()));
            prop_assert!(focal.grads[0].1.iter().zip(&plain.grads[0].1).all(|(&a, &b)| near(a, b)));
        }
    }

    #[test]
    fn the_two_codings_of_the_logistic_loss_are_one_function(z in units(), t in units()) {
        let (z, yes) = (array(Number, &z), array(YesNo, &t));
        let signs = yes.mapv(|y| 2.0 * y - 1.0);
        let zero_one = call("binary_cross_entropy_with_logits", &[("logits", &z), ("targets", &yes)], &[]);
        let plus_minus = call("soft_margin_loss", &[("input", &z), ("targets", &signs)], &[]);
        prop_assert!(near(zero_one.value.sum(), plus_minus.value.sum()));
        prop_assert!(zero_one.grads[0].1.iter().zip(&plus_minus.grads[0].1).all(|(&a, &b)| near(a, b)));
    }

    #[test]
    fn huber_is_l2_inside_and_l1_outside(x in units(), t in units(), delta in 0.1..6.0) {
        let (x, t, each) = (array(Number, &x), array(Number, &t), ("reduction", Text("none")));
        let inputs = [("input", &x), ("target", &t)];
        let huber = call("huber_loss", &inputs, &[("delta", N(delta)), each]).value;
        let half_square = call("half_squared_error", &inputs, &[each]).value;
        let absolute = call("l1_loss", &inputs, &[each]).value;
        for ((&huber, &half_square), &absolute) in huber.iter().zip(&half_square).zip(&absolute) {
            let meets = if absolute <= delta { half_square } else { delta * (absolute - delta / 2.0) };
            prop_assert!(near(huber, meets), "{huber} {meets}");
            prop_assert!(huber <= half_square + 1e-15 && huber <= delta * absolute + 1e-15);
        }
    }

    #[test]
    fn binary_cross_entropy_is_convex_in_the_logit(a in -50.0..50.0, b in -50.0..50.0, along in 0.0..1.0, target in 0.0..=1.0) {
        let at = |z: f64| {
            let (z, t) = (ArrayD::from_elem(IxDyn(&[1]), z), ArrayD::from_elem(IxDyn(&[1]), target));
            value("binary_cross_entropy_with_logits", &[("logits", &z), ("targets", &t)], &[])
        };
        let (between, chord): (f64, f64) = (at(a + along * (b - a)), at(a) + along * (at(b) - at(a)));
        prop_assert!(between <= chord + 1e-13 * chord.abs().max(1.0), "{between} above its chord {chord}");
    }

    #[test]
    fn permuting_the_classes_permutes_the_gradient(z in units(), turn in 1..COLUMNS) {
        let (z, labels) = (array(Number, &z), array(Classes, &[]));
        let turned = |x: &ArrayD<f64>| {
            ArrayD::from_shape_fn(x.raw_dim(), |place| x[[place[0], (place[1] + turn) % COLUMNS]])
        };
        let renamed = labels.mapv(|y| ((y as usize + COLUMNS - turn) % COLUMNS) as f64);
        for loss in ["softmax_cross_entropy", "softmax_focal_loss", "topk_cross_entropy", "multi_margin_loss"] {
            let k: &[_] = if loss.starts_with("topk") { &[("k", N(2.0))] } else { &[] };
            let input = by_name::find(loss).expect(loss).inputs[0].name;
            let before = call(loss, &[(input, &z), ("targets", &labels)], k);
            let after = call(loss, &[(input, &turned(&z)), ("targets", &renamed)], k);
            prop_assert!(near(before.value.sum(), after.value.sum()), "{}", loss);
            let expected = turned(&before.grads[0].1);
            prop_assert!(after.grads[0].1.iter().zip(&expected).all(|(&a, &b)| near(a, b)), "{}", loss);
        }
    }

    #[test]
    fn a_batch_is_the_mean_of_its_rows(x in units(), y in units()) {
        for (loss, inputs, variants) in &losses() {
            // those whose rows stand alone, and whose mean divides by their number
            let alone = !["topk_cross_entropy", "dice_loss", "ce_dice_loss", "supcon_loss", "softmax", "log_softmax"].contains(loss);
            let reduces = by_name::find(loss).expect(loss).options.iter().any(|option| option.name == "reduction");
            if !alone || !reduces { continue }
            let arrays: Vec<_> = inputs.iter().zip([&x, &y, &x]).map(|((name, kind), units)| (*name, array(*kind, units))).collect();
            let whole: Vec<_> = arrays.iter().map(|(name, x)| (*name, x)).collect();
            // terms of both signs may cancel: what is left is as exact as they were, not as it is small
            let size = arrays.iter().flat_map(|(_, x)| x).fold(1e-3, |most: f64, x| most.max(x.abs()));
            for variant in variants {
                let mean = (0..ROWS).map(|row| {
                    let row: Vec<_> = arrays.iter().map(|(name, x)| (*name, x.select(Axis(0), &[row]))).collect();
                    let row: Vec<_> = row.iter().map(|(name, x)| (*name, x)).collect();
                    value(loss, &row, variant)
                }).sum::<f64>() / ROWS as f64;
                let value = value(loss, &whole, variant);
                prop_assert!((value - mean).abs() <= 1e-13 * value.abs().max(size), "{}: {} {}", loss, value, mean);
            }
        }
    }
}
