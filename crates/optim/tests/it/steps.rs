//! What a step does and leaves alone, each claim against arithmetic that can be checked by eye.

use surprisal_optim::{
    Adagrad, Adam, AdamW, GradientMean, Optimizer, OptimizerKind, OptimizerSettings, ParamGroup, RmsProp,
    Sgd, clip_grad_norm, clip_grad_value,
};
use surprisal_tensor::ndarray::{Array1, array};
use surprisal_tensor::{Dual, Params, Scalar, Workspace};

/// One step on the loss Σ g θ, whose gradient is g.
fn step_along<T: Scalar>(optimizer: &mut dyn Optimizer<T>, params: &mut Params<T>, g: &[f64]) {
    let ids: Vec<_> = params.ids().collect();
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(params, |tape| {
        let terms = ids.iter().map(|&id| {
            let range = params.entry(id).range.clone();
            let g: Array1<T> = g[range].iter().map(|&g| T::of(g)).collect();
            (tape.input(&g) * tape.param(id)).sum()
        });
        terms.reduce(|sum, term| sum + term).unwrap()
    });
    optimizer.step(params, grads);
}

fn params_of(parts: &[(&str, &[f64])]) -> Params<f64> {
    let mut params = Params::default();
    for (name, values) in parts {
        params.add(name, &Array1::from(values.to_vec()));
    }
    params
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "at {at}: {found:?} is not {expected:?}");
    }
}

/// Adam by its formula, one number at a time, in `f64`.
struct PlainAdam {
    t: Vec<i32>, // of each number, as PyTorch counts them for each parameter
    m: Vec<f64>,
    v: Vec<f64>,
}

impl PlainAdam {
    fn new(len: usize) -> Self {
        PlainAdam { t: vec![0; len], m: vec![0.0; len], v: vec![0.0; len] }
    }
    fn step(&mut self, lr: f64, theta: &mut [f64], g: &[f64], frozen: &[usize]) {
        for i in (0..theta.len()).filter(|i| !frozen.contains(i)) {
            self.t[i] += 1;
            self.m[i] = 0.9 * self.m[i] + 0.1 * g[i];
            self.v[i] = 0.999 * self.v[i] + 0.001 * g[i] * g[i];
            let (m, v) =
                (self.m[i] / (1.0 - 0.9f64.powi(self.t[i])), self.v[i] / (1.0 - 0.999f64.powi(self.t[i])));
            theta[i] -= lr * m / (v.sqrt() + 1e-8);
        }
    }
}

#[test]
fn weight_decay_is_added_to_the_gradient() {
    // theta 2, g 0.5, decay 0.25: g + 0.25 theta = 1; the second time 0.5 + 0.25 * 1.5 = 0.875
    let mut params = params_of(&[("w", &[2.0])]);
    let mut plain = Sgd::new(0.5).weight_decay(0.25);
    step_along(&mut plain, &mut params, &[0.5]);
    assert_eq!(params.as_slice(), [1.5]);
    step_along(&mut plain, &mut params, &[0.5]);
    assert_eq!(params.as_slice(), [1.5 - 0.5 * 0.875]);

    // the velocity takes it in: v = 1, theta = 1.5; v = 0.5 + 0.875 = 1.375, theta = 0.8125
    let mut params = params_of(&[("w", &[2.0])]);
    let mut momentum = Sgd::new(0.5).momentum(0.5).weight_decay(0.25);
    step_along(&mut momentum, &mut params, &[0.5]);
    assert_eq!(params.as_slice(), [1.5]);
    step_along(&mut momentum, &mut params, &[0.5]);
    assert_eq!(params.as_slice(), [0.8125]);

    // so does the look ahead: v = 1, theta = 2 - 0.5 (1 + 0.5 * 1)
    let mut params = params_of(&[("w", &[2.0])]);
    step_along(&mut Sgd::new(0.5).momentum(0.5).nesterov().weight_decay(0.25), &mut params, &[0.5]);
    assert_eq!(params.as_slice(), [1.25]);

    // Adam, without memory: theta = 2 - 0.5 * 1 / (|1| + 1), through the division as the gradient
    let mut params = params_of(&[("w", &[2.0])]);
    step_along(&mut Adam::new(0.5).betas(0.0, 0.0).eps(1.0).weight_decay(0.25), &mut params, &[0.5]);
    assert_eq!(params.as_slice(), [1.75]);

    // so does RMSprop's: theta = 2 - 0.5 * 1 / (|1| + 1)
    let mut params = params_of(&[("w", &[2.0])]);
    step_along(&mut RmsProp::new(0.5).alpha(0.0).eps(1.0).weight_decay(0.25), &mut params, &[0.5]);
    assert_eq!(params.as_slice(), [1.75]);
}

#[test]
fn decay_of_adam_w_is_added_to_the_step() {
    // without memory, theta 2, g 0.5, decay 0.25: theta = 2 - 0.5 (0.25 * 2 + 0.5 / (|0.5| + 0.5))
    let mut params = params_of(&[("w", &[2.0])]);
    let mut adam_w = AdamW::new(0.5).betas(0.0, 0.0).eps(0.5).weight_decay(0.25);
    step_along(&mut adam_w, &mut params, &[0.5]);
    assert_eq!(params.as_slice(), [1.5]);
    // and again, where the gradient is 0: theta = 1.5 - 0.5 * 0.25 * 1.5
    step_along(&mut adam_w, &mut params, &[0.0]);
    assert_eq!(params.as_slice(), [1.5 - 0.1875]);
}

#[test]
fn without_decay_adam_w_is_adam() {
    let [mut params, mut other] = [(); 2].map(|()| params_of(&[("w", &[2.0, -1.0, 0.0])]));
    let (mut adam_w, mut adam) = (AdamW::new(0.1).weight_decay(0.0), Adam::new(0.1));
    for g in [[0.5, 1e6, 0.0], [-0.5, 1e-6, 3.0]] {
        step_along(&mut adam_w, &mut params, &g);
        step_along(&mut adam, &mut other, &g);
        assert_eq!(params.as_slice(), other.as_slice());
    }
}

#[test]
fn two_rms_prop_steps_by_hand() {
    // alpha 0.75, eps 1, learning rate 1: v = 0.25 * 16 = 4, theta = 5 - 4 / (2 + 1)
    // v = 0.75 * 4 + 0.25 * 4 = 4, and the step is 2 / (2 + 1)
    let mut params = params_of(&[("w", &[5.0])]);
    let mut rms_prop = RmsProp::new(1.0).alpha(0.75).eps(1.0);
    step_along(&mut rms_prop, &mut params, &[4.0]);
    assert_close(params.as_slice(), &[5.0 - 4.0 / 3.0], 1e-15);
    step_along(&mut rms_prop, &mut params, &[2.0]);
    assert_close(params.as_slice(), &[3.0], 1e-15);

    // with momentum 0.5 the second step is 2/3 + 0.5 * 4/3
    let mut params = params_of(&[("w", &[5.0])]);
    let mut rms_prop = RmsProp::new(1.0).alpha(0.75).eps(1.0).momentum(0.5);
    step_along(&mut rms_prop, &mut params, &[4.0]);
    step_along(&mut rms_prop, &mut params, &[2.0]);
    assert_close(params.as_slice(), &[5.0 - 4.0 / 3.0 - 4.0 / 3.0], 1e-15);
}

#[test]
fn decay_of_two_adam_steps_by_hand() {
    // eps 1, both betas 0.5, decay 1, learning rate 1, no gradient but the decay's
    // t = 1: g = 3, m̂ = 3, v̂ = 9, theta = 3 - 3/4 = 2.25
    // t = 2: g = 2.25, m = 0.75 + 1.125, v = 2.25 + 2.53125, both over 0.75: m̂ = 2.5, v̂ = 6.375
    let mut params = params_of(&[("w", &[3.0])]);
    let mut adam = Adam::new(1.0).betas(0.5, 0.5).eps(1.0).weight_decay(1.0);
    step_along(&mut adam, &mut params, &[0.0]);
    assert_eq!(params.as_slice(), [2.25]);
    step_along(&mut adam, &mut params, &[0.0]);
    assert_close(params.as_slice(), &[2.25 - 2.5 / (6.375f64.sqrt() + 1.0)], 1e-15);
}

#[test]
fn a_frozen_parameter_does_not_move_and_decay_does_not_reach_it() {
    let optimizers: [Box<dyn Optimizer<f64>>; 8] = [
        Box::new(Adagrad::new(0.1).weight_decay(0.1)),
        Box::new(Sgd::new(0.1).groups([ParamGroup::named("b").learning_rate(0.5).weight_decay(0.1)])),
        Box::new(Sgd::new(0.1).weight_decay(0.1)),
        Box::new(Sgd::new(0.1).momentum(0.9).weight_decay(0.1)),
        Box::new(Adam::new(0.1).weight_decay(0.1)),
        Box::new(AdamW::new(0.1).weight_decay(0.1)),
        Box::new(RmsProp::new(0.1).weight_decay(0.1)),
        Box::new(RmsProp::new(0.1).momentum(0.9).weight_decay(0.1)),
    ];
    for mut optimizer in optimizers {
        let mut params = params_of(&[("a", &[1.0, 2.0]), ("b", &[3.0]), ("c", &[4.0]), ("d", &[5.0])]);
        let [b, d] = ["b", "d"].map(|name| params.find(name).unwrap());
        params.freeze(b);
        params.freeze(d);
        for _ in 0..3 {
            step_along(&mut *optimizer, &mut params, &[1.0; 5]);
        }
        let theta = params.as_slice();
        assert_eq!((theta[2], theta[4]), (3.0, 5.0));
        assert!(theta[0] < 1.0 && theta[1] < 2.0 && theta[3] < 4.0);
    }
}

#[test]
fn freezing_after_backward_is_early_enough() {
    let mut params = params_of(&[("a", &[1.0]), ("b", &[1.0])]);
    let [a, b] = ["a", "b"].map(|name| params.find(name).unwrap());
    let mut workspace = Workspace::new();
    let (_, grads) = workspace.grad(&params, |tape| (tape.param(a) * tape.param(b)).sum());
    params.freeze(b);
    Sgd::new(0.5).step(&mut params, grads);
    assert_eq!(params.as_slice(), [0.5, 1.0]);
}

#[test]
fn the_velocity_of_a_frozen_parameter_waits() {
    let start: &[(&str, &[f64])] = &[("a", &[1.0]), ("b", &[1.0])];
    let (mut paused, mut straight) = (params_of(start), params_of(start));
    let a = paused.find("a").unwrap();
    let [mut with_pause, mut without] = [(); 2].map(|()| Sgd::new(0.1).momentum(0.9));

    for g in [1.0, -2.0] {
        step_along(&mut with_pause, &mut paused, &[g, 1.0]);
        step_along(&mut without, &mut straight, &[g, 1.0]);
    }
    paused.freeze(a);
    for _ in 0..3 {
        step_along(&mut with_pause, &mut paused, &[7.0, 1.0]);
    }
    paused.unfreeze(a);
    step_along(&mut with_pause, &mut paused, &[0.5, 1.0]);
    step_along(&mut without, &mut straight, &[0.5, 1.0]);
    assert_eq!(paused[a], straight[a]);
}

#[test]
fn the_memory_of_adam_waits_while_a_parameter_is_frozen() {
    let mut params = params_of(&[("a", &[1.0]), ("b", &[1.0])]);
    let a = params.find("a").unwrap();
    let (mut adam, mut plain, mut expected) = (Adam::new(0.1), PlainAdam::new(2), [1.0, 1.0]);
    for (g, frozen) in [(1.0, false), (-2.0, false), (7.0, true), (7.0, true), (0.5, false)] {
        if frozen {
            params.freeze(a)
        } else {
            params.unfreeze(a)
        }
        step_along(&mut adam, &mut params, &[g, 1.0]);
        plain.step(0.1, &mut expected, &[g, 1.0], if frozen { &[0] } else { &[] });
        assert_close(params.as_slice(), &expected, 1e-14);
    }
}

/// As PyTorch, which moves by 10.0 and 100 learning rates; with one count for all parameters it would be 51 and 435.
#[test]
fn what_was_frozen_from_the_start_begins_with_adam_s_first_step() {
    type Made = fn() -> Box<dyn Optimizer<f64>>;
    let adams: [Made; 2] = [|| Box::new(Adam::new(0.001)), || Box::new(AdamW::new(0.001).weight_decay(0.0))];
    for adam in adams {
        let mut adam = adam();
        let mut params = params_of(&[("encoder", &[0.0, 0.0]), ("head", &[0.0]), ("norm", &[0.0])]);
        params.freeze_named("encoder").unwrap();
        params.freeze_named("norm").unwrap();
        for _ in 0..2000 {
            step_along(&mut *adam, &mut params, &[1.0; 4]);
        }
        assert_eq!((params.as_slice()[0], params.as_slice()[3]), (0.0, 0.0));
        params.unfreeze_named("encoder").unwrap();
        for steps in 1..=100 {
            step_along(&mut *adam, &mut params, &[1.0; 4]);
            let moved = -params.as_slice()[0] / 0.001;
            assert!((moved - f64::from(steps)).abs() < 1e-4, "{moved} learning rates in {steps} steps");
        }
        params.unfreeze_named("norm").unwrap();
        step_along(&mut *adam, &mut params, &[1.0; 4]);
        let moved = params.as_slice().iter().map(|theta| (-theta / 0.001).round()).collect::<Vec<_>>();
        assert_eq!(moved, [101.0, 101.0, 2101.0, 1.0]);
    }
}

#[test]
fn adam_agrees_with_the_formula_whatever_is_frozen_and_when_with_groups_and_from_a_state() {
    let parts: &[(&str, &[f64])] =
        &[("a", &[1.0, -1.0]), ("b", &[0.5]), ("c", &[2.0, 0.0, 1.0]), ("d", &[0.1])];
    let ranges = [0..2, 2..3, 3..6, 6..7];
    for groups in
        [vec![], vec![ParamGroup::named("b").weight_decay(0.0), ParamGroup::named("d").weight_decay(0.0)]]
    {
        let (mut params, mut plain) = (params_of(parts), PlainAdam::new(7));
        let mut expected = params.as_slice().to_vec();
        let new = || Adam::new(0.1).groups(groups.clone());
        let mut adam = new();
        for step in 0..60usize {
            let mut frozen = vec![];
            for (k, id) in params.ids().enumerate() {
                if (step / (k + 2) + k) % 3 == 0 {
                    params.freeze(id);
                    frozen.extend(ranges[k].clone());
                } else {
                    params.unfreeze(id);
                }
            }
            let g: Vec<f64> =
                (0..7).map(|i| ((step * 7 + i) as f64).sin() * 10f64.powi(i as i32 - 3)).collect();
            if frozen.len() < 7 {
                step_along(&mut adam, &mut params, &g);
                plain.step(0.1, &mut expected, &g, &frozen);
            }
            assert_close(params.as_slice(), &expected, 1e-13);
            if step % 7 == 0 {
                let state = adam.state();
                adam = new();
                adam.load_state(&state).unwrap();
                assert_eq!(adam.state(), state);
            }
        }
    }
}

#[test]
fn a_state_with_one_count_counts_for_every_parameter() {
    let mut params = params_of(&[("a", &[1.0]), ("b", &[1.0])]);
    let mut adam = Adam::new(0.1);
    for _ in 0..3 {
        step_along(&mut adam, &mut params, &[1.0, -2.0]);
    }
    let state = adam.state();
    assert_eq!((state.steps, &state.steps_of_each), (3, &vec![])); // nothing was frozen
    let (mut resumed, mut other) = (Adam::new(0.1), params.clone());
    resumed.load_state(&state).unwrap();
    step_along(&mut adam, &mut params, &[1.0, -2.0]);
    step_along(&mut resumed, &mut other, &[1.0, -2.0]);
    assert_eq!((params.as_slice(), adam.state()), (other.as_slice(), resumed.state()));
    // also for what is frozen just then, which from now on has a count of its own
    let mut frozen = Adam::new(0.1);
    frozen.load_state(&state).unwrap();
    other.freeze_named("a").unwrap();
    step_along(&mut frozen, &mut other, &[1.0, -2.0]);
    assert_eq!(frozen.state().steps_of_each, [3, 4]);
}

#[test]
fn adam_in_f32_agrees_with_the_formula_in_f64_at_every_length() {
    for len in [1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 130, 1000] {
        // gradients from 1e-6 to 1e6 of both signs, and some that are 0
        let g = |i: usize, step: usize| match (i + step) % 5 {
            0 => 0.0,
            k => f64::from((((i * 7 + step) as f32).sin()) * 10f32.powi(6 - 3 * k as i32)),
        };
        let mut params = Params::new();
        params.add("w", &Array1::from_shape_fn(len, |i| (i as f32).cos()));
        let mut expected: Vec<f64> = params.as_slice().iter().map(|&v| f64::from(v)).collect();
        let (mut adam, mut plain) = (Adam::new(0.01), PlainAdam::new(len));
        for step in 0..5 {
            let g: Vec<f64> = (0..len).map(|i| g(i, step)).collect();
            step_along(&mut adam, &mut params, &g);
            plain.step(0.01, &mut expected, &g, &[]);
        }
        let found: Vec<f64> = params.as_slice().iter().map(|&v| f64::from(v)).collect();
        // five roundings of theta, |theta| < 2, and of five steps of 0.01
        assert_close(&found, &expected, 5.0 * f64::from(f32::EPSILON));
    }
}

#[test]
fn momentum_in_f32_agrees_with_the_formula_in_f64_at_every_length() {
    for nesterov in [false, true] {
        for len in [1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 130, 1000] {
            let mut params = Params::new();
            params.add("w", &Array1::from_shape_fn(len, |i| (i as f32).cos()));
            let mut theta: Vec<f64> = params.as_slice().iter().map(|&v| f64::from(v)).collect();
            let mut v = vec![0.0; len];
            let mut sgd = Sgd::new(0.1).momentum(0.9);
            if nesterov {
                sgd = sgd.nesterov();
            }
            for step in 0..5 {
                let g: Vec<f64> = (0..len).map(|i| f64::from(((i * 7 + step) as f32).sin())).collect();
                step_along(&mut sgd, &mut params, &g);
                for i in 0..len {
                    v[i] = 0.9 * v[i] + g[i];
                    theta[i] -= 0.1 * if nesterov { g[i] + 0.9 * v[i] } else { v[i] };
                }
            }
            let found: Vec<f64> = params.as_slice().iter().map(|&v| f64::from(v)).collect();
            assert_close(&found, &theta, 10.0 * f64::from(f32::EPSILON));
        }
    }
}

#[test]
fn decay_in_f32_loses_nothing_to_a_share_near_1() {
    // 1 - 1e-6 is 1 - 1.013e-6 in f32: what is taken must be subtracted, not theta multiplied by what stays
    let mut params = Params::new();
    params.add("w", &Array1::from_elem(1000, 1000.0f32));
    step_along(&mut AdamW::new(1e-4).weight_decay(1e-2), &mut params, &[0.0; 1000]);
    assert!(params.as_slice().iter().all(|&w| w == 1000.0f32 - 1e-3));
}

#[test]
fn rms_prop_in_f32_agrees_with_the_formula_in_f64_at_every_length() {
    for mu in [0.0, 0.9] {
        for len in [1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 130, 1000] {
            let mut params = Params::new();
            params.add("w", &Array1::from_shape_fn(len, |i| (i as f32).cos()));
            let mut theta: Vec<f64> = params.as_slice().iter().map(|&v| f64::from(v)).collect();
            let (mut v, mut m) = (vec![0.0; len], vec![0.0; len]);
            let mut rms_prop = RmsProp::new(0.01).momentum(mu);
            for step in 0..5 {
                let g: Vec<f64> = (0..len).map(|i| f64::from(((i * 7 + step) as f32).sin())).collect();
                step_along(&mut rms_prop, &mut params, &g);
                for i in 0..len {
                    v[i] = 0.99 * v[i] + 0.01 * g[i] * g[i];
                    m[i] = mu * m[i] + g[i] / (f64::sqrt(v[i]) + 1e-8);
                    theta[i] -= 0.01 * m[i];
                }
            }
            let found: Vec<f64> = params.as_slice().iter().map(|&v| f64::from(v)).collect();
            assert_close(&found, &theta, 10.0 * f64::from(f32::EPSILON));
        }
    }
}

#[test]
fn a_dual_theta_carries_the_derivative_of_the_trajectory() {
    // d/dε of three steps from (2 + ε, 0) on θ0² + θ1², against the difference of two trajectories;
    // θ1 stays at 0, where the root in Adam has no derivative
    fn run<T: Scalar>(mut optimizer: impl Optimizer<T>, first: T) -> Vec<T> {
        let mut params = Params::default();
        let w = params.add("w", &array![first, T::ZERO]);
        let mut workspace = Workspace::new();
        for _ in 0..3 {
            let (_, grads) = workspace.grad(&params, |tape| tape.param(w).square().sum());
            optimizer.step(&mut params, grads);
        }
        params[w].to_vec()
    }
    macro_rules! check {
        ($optimizer:expr) => {
            let exact = run($optimizer, Dual { value: 2.0, tangent: 1.0 });
            let (high, low) = (run($optimizer, 2.0 + 1e-5), run($optimizer, 2.0 - 1e-5));
            let slope = (high[0] - low[0]) / 2e-5;
            assert!((exact[0].tangent - slope).abs() < 1e-8, "{} is not {slope}", exact[0].tangent);
            assert_eq!((exact[1].value, exact[1].tangent), (0.0, 0.0));
        };
    }
    check!(Sgd::new(0.1));
    check!(Sgd::new(0.1).momentum(0.9).nesterov().weight_decay(0.1));
    check!(Adam::new(0.1));
    check!(AdamW::new(0.1).weight_decay(0.1));
    check!(RmsProp::new(0.1).momentum(0.9));
    check!(Adagrad::new(0.1));
}

#[test]
fn the_learning_rate_can_change_between_steps() {
    let optimizers: [Box<dyn Optimizer<f64>>; 4] = [
        Box::new(Sgd::new(0.5)),
        Box::new(Adam::new(0.5)),
        Box::new(AdamW::new(0.5).weight_decay(0.0)),
        Box::new(RmsProp::new(0.5).alpha(0.0)),
    ];
    for mut optimizer in optimizers {
        assert_eq!(optimizer.learning_rate(), 0.5);
        let mut params = params_of(&[("w", &[1.0])]);
        step_along(&mut *optimizer, &mut params, &[1.0]);
        optimizer.set_learning_rate(0.25);
        assert_eq!(optimizer.learning_rate(), 0.25);
        step_along(&mut *optimizer, &mut params, &[1.0]);
        assert_close(params.as_slice(), &[0.25], 1e-7);
    }
}

#[test]
fn a_copy_continues_where_the_original_stands() {
    let mut params = params_of(&[("w", &[1.0, -3.0])]);
    let mut original = Adam::new(0.1);
    step_along(&mut original, &mut params, &[1.0, 2.0]);
    let (mut copy, mut copied) = (original.clone(), params.clone());
    step_along(&mut original, &mut params, &[-1.0, 2.0]);
    step_along(&mut copy, &mut copied, &[-1.0, 2.0]);
    assert_eq!(params.as_slice(), copied.as_slice());
}

#[test]
fn adagrad_in_f32_agrees_with_the_formula_in_f64_at_every_length() {
    for len in [1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 130, 1000] {
        let mut params = Params::new();
        params.add("w", &Array1::from_shape_fn(len, |i| (i as f32).cos()));
        let mut theta: Vec<f64> = params.as_slice().iter().map(|&v| f64::from(v)).collect();
        let mut s = vec![0.0; len];
        let mut adagrad = Adagrad::new(0.1);
        for step in 0..5 {
            let g: Vec<f64> = (0..len).map(|i| f64::from(((i * 7 + step) as f32).sin())).collect();
            step_along(&mut adagrad, &mut params, &g);
            for i in 0..len {
                s[i] += g[i] * g[i];
                theta[i] -= 0.1 * g[i] / (f64::sqrt(s[i]) + 1e-10);
            }
        }
        let found: Vec<f64> = params.as_slice().iter().map(|&v| f64::from(v)).collect();
        assert_close(&found, &theta, 10.0 * f64::from(f32::EPSILON));
    }
}

#[test]
fn each_number_of_a_group_comes_from_the_last_that_sets_it() {
    let mut params =
        params_of(&[("a.weight", &[1.0]), ("a.bias", &[1.0]), ("b.weight", &[1.0]), ("b.bias", &[1.0])]);
    let groups = [
        ParamGroup::named("a").learning_rate(0.25).weight_decay(2.0),
        ParamGroup::named("*.bias").weight_decay(0.0),
        ParamGroup::named("b.bias").learning_rate(0.125),
    ];
    let mut sgd = Sgd::new(0.5).weight_decay(1.0).groups(groups);
    step_along(&mut sgd, &mut params, &[1.0; 4]);
    assert_eq!(params.as_slice(), [1.0 - 0.25 * 3.0, 1.0 - 0.25, 1.0 - 0.5 * 2.0, 1.0 - 0.125]);
}

#[test]
fn groups_that_change_nothing_change_no_bit() {
    for kind in OptimizerKind::ALL {
        let settings = OptimizerSettings { weight_decay: Some(0.01), ..Default::default() };
        let [mut with, mut without] = [(); 2].map(|()| kind.build(&settings).unwrap());
        let own = ParamGroup::named("*").learning_rate(kind.usual_rate()).weight_decay(0.01);
        with.set_groups(vec![ParamGroup::named("b"), own]);
        let start: &[(&str, &[f64])] = &[("a", &[1.0, 2.0]), ("b", &[3.0]), ("c", &[4.0])];
        let [mut params, mut other] = [(); 2].map(|()| params_of(start));
        for optimizer in [&mut with, &mut without] {
            optimizer.set_learning_rate(0.3 * kind.usual_rate());
        }
        for g in [[0.3, -0.7, 1e3, 1e-3], [0.1, 0.9, -2.0, 0.0]] {
            step_along(&mut *with, &mut params, &g);
            step_along(&mut *without, &mut other, &g);
        }
        assert_close(params.as_slice(), other.as_slice(), 1e-15);
    }
}

#[test]
fn a_gradient_is_clipped_whatever_the_size_of_its_squares() {
    fn clipped<T: Scalar>(scale: f64, most: f64) -> (f64, [f64; 2]) {
        let mut params = Params::<T>::default();
        let w = params.add("w", &array![T::ONE, T::ONE]);
        let mut workspace = Workspace::new();
        workspace.grad(&params, |tape| tape.param(w).sum());
        let grads = workspace.grads_mut();
        grads.as_mut_slice().copy_from_slice(&[T::of(3.0 * scale), T::of(-4.0 * scale)]);
        (clip_grad_norm(grads, most), [0, 1].map(|i| grads[w][i].value()))
    }
    for (scale, most) in [(1e200, 1.0), (1e307, 1.0), (1e160, 1e-160), (3.0, 1.0)] {
        let (norm, g) = clipped::<f64>(scale, most);
        assert!((norm / (5.0 * scale) - 1.0).abs() < 1e-15, "{norm:e}");
        let near = |g: f64, part: f64| (g / (part * most) - 1.0).abs() < 1e-6;
        assert!(near(g[0], 0.6) && near(g[1], -0.8), "{scale:e}: {g:?}");
    }
    for (scale, most) in [(1e37, 1.0), (5e37, 1e-3), (1e-10, 1.0), (1e20, 1e-20)] {
        let (norm, g) = clipped::<f32>(scale, most);
        assert!((norm / (5.0 * scale) - 1.0).abs() < 1e-7, "{norm:e}");
        let near = |g: f64, part: f64| (g / (part * most) - 1.0).abs() < 1e-6;
        assert!(5.0 * scale < most || near(g[0], 0.6) && near(g[1], -0.8), "{scale:e}: {g:?}");
    }
    assert!((clipped::<f64>(1e-200, 1.0).0 / 5e-200 - 1.0).abs() < 1e-15); // short, and told so
    assert_eq!(clipped::<f64>(0.0, 1.0).0, 0.0);
}

#[test]
fn clipping_leaves_short_and_hopeless_gradients_alone() {
    let mut params = params_of(&[("a", &[0.0, 0.0]), ("frozen", &[0.0])]);
    let [a, frozen] = ["a", "frozen"].map(|name| params.find(name).unwrap());
    params.freeze(frozen);
    let mut workspace = Workspace::new();
    let mut clipped = |g: [f64; 2], limit: Option<f64>| {
        let g = array![g[0], g[1]];
        workspace
            .grad(&params, |tape| (tape.input(&g) * tape.param(a)).sum() + 9.0 * tape.param(frozen).sum());
        let grads = workspace.grads_mut();
        let norm = match limit {
            Some(limit) => {
                clip_grad_value(grads, limit);
                0.0
            }
            None => clip_grad_norm(grads, 5.0),
        };
        (norm, grads[a].to_vec(), grads[frozen].to_vec())
    };
    assert_eq!(clipped([3.0, -3.0], None), (18f64.sqrt(), vec![3.0, -3.0], vec![0.0]));
    assert_eq!(clipped([f64::INFINITY, 1.0], None), (f64::INFINITY, vec![f64::INFINITY, 1.0], vec![0.0]));
    let (norm, g, _) = clipped([f64::NAN, 1.0], None);
    assert!(norm.is_nan() && g[0].is_nan() && g[1] == 1.0);
    assert_eq!(clipped([f64::NEG_INFINITY, 1.0], Some(2.0)).1, [-2.0, 1.0]);
    assert!(clipped([f64::NAN, 1.0], Some(2.0)).1[0].is_nan());
}

#[test]
fn a_mean_begins_anew_and_knows_what_any_of_its_losses_reached() {
    let mut params = params_of(&[("a", &[0.0]), ("b", &[0.0])]);
    let [a, b] = ["a", "b"].map(|name| params.find(name).unwrap());
    let (mut workspace, mut mean) = (Workspace::new(), GradientMean::new());
    for _ in 0..2 {
        for (id, slope, rows) in [(a, 3.0, 1), (b, 4.0, 2), (a, 9.0, 1)] {
            let (_, grads) = workspace.grad(&params, |tape| slope * tape.param(id).sum());
            mean.add(&mut params, grads, rows);
        }
        assert_eq!(mean.rows(), 4);
        let grads = mean.take();
        assert_eq!(grads.as_slice(), [(3.0 + 9.0) / 4.0, 2.0 * 4.0 / 4.0]);
        grads.all_reached().unwrap();
    }
    let (_, grads) = workspace.grad(&params, |tape| tape.param(a).sum());
    mean.add(&mut params, grads, 1);
    assert_eq!(Vec::from_iter(mean.take().unreached()), ["b"]);
}

#[test]
fn running_means_go_on_from_micro_batch_to_micro_batch() {
    let mut params = params_of(&[("w", &[0.0])]);
    let (w, count) = (params.find("w").unwrap(), params.add_buffer("count", &array![0.0]));
    let (mut workspace, mut mean) = (Workspace::new(), GradientMean::new());
    for _ in 0..3 {
        let (_, grads) = workspace.grad(&params, |tape| {
            tape.update(count, tape.param(count) + 1.0);
            tape.param(w).sum()
        });
        mean.add(&mut params, grads, 1);
    }
    Sgd::new(0.1).step(&mut params, mean.take());
    assert_eq!(params[count], [3.0]);
}
