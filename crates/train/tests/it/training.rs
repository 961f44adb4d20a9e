//! Training: it learns, it repeats itself to the bit, and it says what stopped it.

use crate::panics::panic_of;
use expect_test::expect;
use surprisal_data::metrics::Metric;
use surprisal_data::{Batches, Dataset, Standardize, Targets};
use surprisal_layers::{
    Activation, BatchNorm1d, Conv2d, Flatten, Layer, Linear, Mlp, Relu, Residual, Rng, rng,
};
use surprisal_loss::{HuberLoss, softmax_cross_entropy};
use surprisal_optim::{Adam, Optimizer, Sgd};
use surprisal_tensor::ndarray::{ArrayD, Axis, array};
use surprisal_tensor::{Params, Scalar, Var, Workspace, check_gradient, threads};
use surprisal_train::{
    Augment, Batch, Batched, EarlyStopping, Epoch, Examples, History, Monitor, Objective, Rows, TrainError,
    Trainer,
};

fn iris<T: Scalar>() -> Examples<T> {
    let mut data = Dataset::iris();
    data.features = Standardize::fit(&data.features).unwrap().apply(&data.features).unwrap();
    Examples::new(&data)
}

fn trainer(objective: Objective) -> Trainer {
    Trainer { objective, epochs: 30, batch_size: 32, seed: 5, measure_gradient: true, ..Trainer::default() }
}

fn run<T: Scalar>(trainer: &Trainer) -> (Params<T>, History) {
    let (examples, mut params) = (iris::<T>(), Params::default());
    let model = Mlp::new(&mut params, &"4-8-3".parse().unwrap(), Activation::Tanh, &mut rng(1));
    let history =
        trainer.on(&examples).validate(&examples).fit(&model, &mut params, &mut Adam::new(0.01)).unwrap();
    (params, history)
}

#[test]
fn images_of_training_batches_alone_are_changed_and_their_masks_move_with_them() {
    let mut data = Dataset::digits().select(&Vec::from_iter(0..20));
    // the class of a pixel is its number
    let masks = data.features.mapv(|pixel| pixel as u8).into_shape_with_order((20, 8, 8)).unwrap();
    data.targets = Targets::Masks { masks, names: (0..17).map(|shade| shade.to_string()).collect() };
    let mut params = Params::<f32>::new();
    let model = Conv2d::new(&mut params, "pixel", [1, 17], 1, &mut rng(1));
    let trainer = Trainer { epochs: 2, batch_size: 5, ..Trainer::default() };
    let augment: Augment = "shift:2,flip".parse().unwrap();
    let changed = |most: usize| {
        let (mut params, mut changed) = (params.clone(), 0);
        threads::with(most, || {
            let training = trainer.on(&data).augment(augment, [1, 8, 8]);
            let mut each = |batch: &Batch<'_, '_>| {
                let x = Vec::from_iter(batch.x.value());
                assert!(x.iter().zip(batch.labels()).all(|(&pixel, &class)| pixel == class as f64));
                let row = |&row: &usize| data.features.row(row).to_vec();
                let unchanged = x == Vec::from_iter(batch.rows.iter().flat_map(row));
                assert!(unchanged || batch.tape().is_training());
                changed += usize::from(!unchanged);
            };
            training.minimize(
                |batch| {
                    each(batch);
                    softmax_cross_entropy(model.forward(batch.x), batch.labels())
                },
                &mut params,
                &mut Adam::new(0.01),
            )
        })
        .unwrap();
        (params.as_slice().to_vec(), changed)
    };
    assert_eq!(changed(1).1, 8); // two epochs of four batches
    assert_eq!(changed(1), changed(3));
}

#[test]
fn changes_of_images_must_fit_the_images() {
    let (examples, mut params) = (iris::<f32>(), Params::new());
    let model = Linear::new(&mut params, "out", 4, 3, &mut rng(1));
    let told = [
        (Augment { shift: 1, ..Augment::default() }, [1, 2, 3]),
        (Augment { shift: 2, ..Augment::default() }, [1, 2, 2]),
        (Augment { crop: 1.5, ..Augment::default() }, [1, 2, 2]),
        (Augment { noise: f64::NAN, ..Augment::default() }, [1, 2, 2]),
    ]
    .map(|(augment, shape)| {
        let training = Trainer::default();
        training.on(&examples).augment(augment, shape).check(&model, &params).unwrap_err().to_string()
    });
    expect![[r#"
        augment: expected rows of images [1, 2, 3], found 4 numbers in a row | give the image shape of the data
        augment: shift: expected less than the side of the image, 2, found 2 | a tenth of the side is usual
        augment: crop: expected a number above 0, at most 1, found 1.5
        augment: noise: expected a finite number, 0 or above, found NaN"#]].assert_eq(&told.join("\n"));
}

#[test]
fn with_every_parameter_frozen_there_is_nothing_to_train() {
    let (examples, mut params) = (iris::<f32>(), Params::new());
    let model = Linear::new(&mut params, "out", 4, 3, &mut rng(1));
    params.freeze_named("out.weight").unwrap();
    let training = || trainer(Objective::CrossEntropy);
    training().on(&examples).fit(&model, &mut params, &mut Sgd::new(0.1)).unwrap(); // the bias is left
    params.freeze_named("out").unwrap();
    let fitted = training().on(&examples).fit(&model, &mut params, &mut Sgd::new(0.1)).unwrap_err();
    let minimized = training().on(&examples).minimize(
        |batch| softmax_cross_entropy(model.forward(batch.x), batch.labels()),
        &mut params,
        &mut Sgd::new(0.1),
    );
    assert_eq!(minimized.unwrap_err().to_string(), fitted.to_string());
    assert!(matches!(fitted, TrainError::Misfit(_)));
    expect!["params: expected one or more trainable parameters, found none among 2 | unfreeze some with unfreeze_named, or add a layer that is trained"].assert_eq(&fitted.to_string());
}

#[test]
fn every_objective_learns_iris_and_halves_are_halves() {
    for objective in Objective::CLASSIFICATION {
        let (_, history) = run::<f64>(&trainer(objective));
        assert_eq!(history.epochs().len(), 31);
        let (first, last) = (history.epochs()[0], *history.last());
        let halved = last.train.loss < first.train.loss / 2.0;
        assert!(last.train.accuracy > Some(0.9) && halved, "{objective}: {last:?}");
        assert_eq!(last.validation, Some(last.train)); // the same rows
    }
    let start = |objective| run::<f64>(&Trainer { epochs: 0, ..trainer(objective) }).1.epochs()[0];
    let (whole, half) = (start(Objective::SquaredError), start(Objective::HalfSquaredError));
    assert!(
        (whole.train.loss - 2.0 * half.train.loss).abs() < 1e-15
            && (whole.gradient_norm.unwrap() - 2.0 * half.gradient_norm.unwrap()).abs() < 1e-15
    );
}

#[test]
fn the_same_settings_give_the_same_bits() {
    let (first, again) =
        (run::<f32>(&trainer(Objective::CrossEntropy)), run::<f32>(&trainer(Objective::CrossEntropy)));
    assert_eq!(first.0.as_slice(), again.0.as_slice());
    assert_eq!(first.1.to_csv(), again.1.to_csv());
    let other = run::<f32>(&Trainer { seed: 6, ..trainer(Objective::CrossEntropy) });
    assert_ne!(first.0.as_slice(), other.0.as_slice());
}

#[test]
fn a_history_reads_back_and_knows_its_milestones() {
    let (_, history) = run::<f64>(&trainer(Objective::CrossEntropy));
    let csv = history.to_csv();
    let last: Vec<Option<f64>> = csv.lines().last().unwrap().split(',').map(|n| n.parse().ok()).collect();
    let Epoch { train, validation, gradient_norm, learning_rate, monitored, .. } = *history.last();
    let (seen, unseen) = (Some(train.loss), validation.map(|validation| validation.loss));
    let (of_seen, of_unseen) = (train.accuracy, validation.and_then(|validation| validation.accuracy));
    assert!(gradient_norm.is_some() && of_seen.is_some() && of_unseen.is_some());
    let [rate, monitored] = [learning_rate, monitored].map(Some);
    assert_eq!(
        last,
        [Some(30.0), seen, of_seen, None, unseen, of_unseen, None, gradient_norm, rate, monitored]
    );
    let first = history.epochs_to(0.9).unwrap();
    assert!(
        history.epochs()[first].train.accuracy >= Some(0.9)
            && history.epochs()[first - 1].train.accuracy < Some(0.9)
    );
    assert_eq!(history.epochs_to(1.1), None);
}

/// Every loss, and some with options.
fn objectives() -> impl Iterator<Item = Objective> {
    let options =
        ["ce:label_smoothing=0.1", "bce:pos_weight=3", "multi_margin:p=2", "topk:k=2", "dice:squared=true"];
    Objective::names().chain(options).map(|text| text.parse().unwrap())
}

#[test]
fn the_objectives_have_the_gradients_their_formulas_say() {
    for objective in objectives().filter(|objective| objective.check(true).is_ok()) {
        check_gradient(&[array![[0.3], [-1.0], [4.0]].into_dyn()], |_, z| {
            objective.regression_loss(z[0], &[1.0, 0.0, 2.5])
        });
    }
    for objective in objectives().filter(|objective| objective.check(false).is_ok()) {
        let weights = [0.5, 2.0, 1.0];
        let weighted = !matches!(objective.name(), "topk" | "dice" | "ce_dice"); // losses of a whole batch
        check_gradient(&[array![[0.3, -1.1, 2.0], [0.9, 0.5, 0.1]].into_dyn()], |_, z| {
            objective.weighted_loss(z[0], &[1, 0], weighted.then_some(&weights))
        });
        if matches!(objective.name(), "topk" | "multi_margin") {
            continue; // an output for each class
        }
        check_gradient(&[array![[0.3, -1.1, 2.0], [0.9, 0.5, 0.0]].into_dyn()], |_, z| {
            objective.loss(z[0], &[1, 0])
        });
        check_gradient(&[array![[0.3], [-1.1], [4.0]].into_dyn()], |_, z| objective.loss(z[0], &[1, 0, 0]));
    }
}

/// The message of a run that must fail.
fn failure<T: Scalar>(
    model: &impl Layer,
    params: &mut Params<T>,
    trainer: &Trainer,
    examples: &Examples<T>,
    rate: f64,
) -> String {
    let before = params.as_slice().to_vec();
    let parts = trainer.on(examples).validate(examples);
    let error = parts.fit(model, params, &mut Sgd::new(rate)).unwrap_err();
    if !matches!(error, TrainError::NotFinite { .. }) {
        assert_eq!(before, params.as_slice());
    }
    error.to_string()
}

#[test]
fn a_loss_that_leaves_the_finite_numbers_is_reported_with_its_step_and_its_culprit() {
    struct Explodes(Linear);
    impl Layer for Explodes {
        fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
            (self.0.forward(x) * 30.0).exp().square()
        }
    }
    let mut params = Params::new();
    let model = Explodes(Linear::new(&mut params, "out", 4, 3, &mut rng(2)));
    let message = failure(&model, &mut params, &trainer(Objective::SquaredError), &iris(), 1e3);
    // without the line of the program and what follows it
    let told = Vec::from_iter(message.lines().map(|line| line.split(", recorded at ").next().unwrap()));
    expect![[r#"
        the loss became NaN in epoch 0, step 5, at learning rate 1000.0
          first: square [150, 3]
          hint: try a learning rate of 1.0 or less, smaller initial weights, or scaled features"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn a_model_that_does_not_fit_the_data_is_reported_before_the_first_step() {
    let mut params = Params::<f64>::default();
    let (two, one) = (
        Linear::new(&mut params, "two", 4, 2, &mut rng(1)),
        Linear::new(&mut params, "one", 4, 1, &mut rng(1)),
    );
    let ce = trainer(Objective::CrossEntropy);
    let mut binary = iris();
    if let Targets::Classes { names, .. } = &mut binary.targets {
        names.pop();
    }
    let empty =
        Examples { features: ArrayD::zeros(vec![0, 4]), targets: Dataset::iris().targets.select(&[]) };
    let too_large = Trainer { batch_size: 151, ..ce.clone() };
    let told = [
        failure(&two, &mut params, &ce, &iris(), 0.1),
        failure(&one, &mut params, &ce, &binary, 0.1),
        failure(&two, &mut params, &ce, &empty, 0.1),
        failure(&two, &mut params, &too_large, &iris(), 0.1),
    ];
    expect![[r#"
        the data has 3 classes and the model 2 outputs | give its last layer 3 outputs
        label 2 in row 100 is not one of the 2 classes 0 to 1
        Batches::new: expected at least one row, found none | was everything filtered out?
        Batches::new: expected a batch size from 1 to 150, the number of rows, found 151 | 150 makes one batch of everything"#]].assert_eq(&told.join("\n"));
}

#[test]
fn a_largest_value_of_a_gradient_that_is_nothing_in_f32_is_refused() {
    let mut params = Params::new();
    let model = Linear::new(&mut params, "out", 4, 3, &mut rng(3));
    let trainer = Trainer { clip: surprisal_train::Clip::Value(1e-46), ..Trainer::default() };
    expect!["largest value of a gradient: expected a finite number above 0 also when rounded to f32, found 1e-46, which becomes 0.0 | 1 is usual"].assert_eq(&failure(&model, &mut params, &trainer, &iris(), 0.1));
}

#[test]
fn a_last_batch_that_is_too_small_for_the_model_is_refused_before_the_first_step_or_left_out() {
    let (mut params, mut rng) = (Params::<f64>::default(), rng(3));
    let hidden = Linear::new(&mut params, "hidden", 4, 8, &mut rng);
    let norm = Residual(vec![BatchNorm1d::new(&mut params, "norm", 8)]);
    let model = (hidden, norm, Relu, &Linear::new(&mut params, "out", 8, 3, &mut rng));
    let start = params.as_slice().to_vec();
    let trainer = |batch_size| Trainer { batch_size, epochs: 2, ..Trainer::default() };
    let mut told = vec![failure(&model, &mut params, &trainer(149), &iris(), 0.1)];
    for drop_last in [false, true] {
        told.push(failure(&model, &mut params, &Trainer { drop_last, ..trainer(1) }, &iris(), 0.1));
    }
    // of a closure too, which says nothing of its model
    let (examples, trainer_of_149) = (iris::<f64>(), trainer(149));
    let closure = trainer_of_149.on(&examples).minimize(
        |batch| softmax_cross_entropy(batch.outputs(model.forward(batch.x)), batch.labels()),
        &mut params,
        &mut Sgd::new(0.1),
    );
    told.push(closure.unwrap_err().to_string());
    expect![[r#"
        batch size: expected at least 2 rows in every batch, which the model's normalization needs in training, found 1 in the last of 150 rows in batches of 149 | set drop_last, or use another batch size
        batch size: expected at least 2 rows in every batch, which the model's normalization needs in training, found 1 in the last of 150 rows in batches of 1 | use larger batches
        batch size: expected at least 2 rows in every batch, which the model's normalization needs in training, found 1 in the last of 150 rows in batches of 1 | use larger batches
        batch size: expected at least 2 rows in every batch, which the model's normalization needs in training, found 1 in the last of 150 rows in batches of 149 | set drop_last, or use another batch size"#]].assert_eq(&told.join("\n"));
    assert_eq!(params.as_slice(), start);

    let (examples, batches) = (iris::<f64>(), Trainer { drop_last: true, ..trainer(149) });
    let history = batches.on(&examples).fit(&model, &mut params, &mut Sgd::new(0.1)).unwrap();
    assert!(history.last().train.loss < history.epochs()[0].train.loss);
    trainer(148).on(&examples).fit(&model, &mut params, &mut Sgd::new(0.1)).unwrap();
}

#[test]
fn labels_that_are_not_classes_are_refused() {
    let zeros = array![[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]].into_dyn();
    let wrong = || check_gradient(&[zeros], |_, z: &[Var]| Objective::SquaredError.loss(z[0], &[0, 3]));
    let data = Dataset { targets: Targets::Values(vec![0.0; 150]), ..Dataset::iris() };
    let none = || data.batch(&Workspace::new().tape(&Params::new()), &[0]).labels().len();
    expect![[r#"
        squared error: label 3 in row 1 is not one of the 3 classes 0 to 2
        labels: expected classes, found numbers (regression): take `values`"#]]
    .assert_eq(&[panic_of(wrong).0, panic_of(none).0].join("\n"));
}

#[test]
fn a_class_weight_counts_as_so_many_rows() {
    let z = array![[0.3, -1.0, 2.0], [1.0, 0.5, 0.0], [0.2, 0.4, -0.6]];
    let repeated = z.select(Axis(0), &[0, 0, 0, 1, 2, 2, 2]);
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    for objective in objectives().filter(|objective| objective.check(false).is_ok()) {
        if matches!(objective.name(), "topk" | "dice" | "ce_dice") {
            continue;
        }
        let weighted = objective.weighted_loss(tape.input(&z), &[2, 0, 2], Some(&[1.0, 7.0, 3.0])).item();
        let plain = objective.loss(tape.input(&repeated), &[2, 2, 2, 0, 2, 2, 2]).item();
        assert!((weighted - plain).abs() < 1e-14 * plain.abs(), "{objective}: {weighted} and {plain}");
        let column = tape.input(&z.slice_axis(Axis(1), (0..1).into()));
        if !matches!(objective.name(), "multi_margin") {
            let weighted = objective.weighted_loss(column, &[1, 0, 1], Some(&[1.0, 3.0])).item();
            let repeated = tape.input(&repeated.slice_axis(Axis(1), (0..1).into()));
            let plain = objective.loss(repeated, &[1, 1, 1, 0, 1, 1, 1]).item();
            assert!((weighted - plain).abs() < 1e-14 * plain.abs(), "{objective}: {weighted} and {plain}");
        }
    }
}

#[test]
fn each_loss_of_classes_learns_iris_measured_in_blocks_or_batches() {
    for objective in objectives().filter(|objective| objective.check(false).is_ok()) {
        let trainer = Trainer { epochs: 30, measure_gradient: false, ..trainer(objective) };
        let (_, history) = run::<f32>(&trainer);
        // the overlap of sets has a small gradient where a class is not found at all
        let least = if objective.name() == "dice" { 0.6 } else { 0.85 };
        assert!(history.last().train.accuracy > Some(least), "{objective}: {:?}", history.last());
        assert!(history.last().train.loss < history.epochs()[0].train.loss, "{objective}");
    }
}

#[test]
fn a_batch_that_does_not_fit_in_memory_is_refused_before_it_is_asked_for() {
    let mut params = Params::new();
    let model = (
        Linear::new(&mut params, "hidden", 4, 200_000, &mut rng(1)),
        Linear::new(&mut params, "out", 200_000, 3, &mut rng(1)),
    );
    let iris = Dataset::iris();
    let rows = Vec::from_iter((0..150).cycle().take(3000));
    let examples = Examples::<f32>::new(&iris.select(&rows));
    let trainer = Trainer { epochs: 1, batch_size: 3000, ..Trainer::default() };
    let error = trainer.on(&examples).check(&model, &params).unwrap_err();
    expect!["batch: 3000 rows of this model take 4578 MiB for activations and their gradients: expected at most 4096 MiB | take smaller batches or layers"].assert_eq(&error.to_string());
}

#[test]
fn objectives_are_chosen_by_name() {
    for objective in Objective::ALL {
        assert_eq!(objective.name().parse(), Ok(objective));
    }
}

#[test]
fn images_are_trained_on_as_their_numbers_in_one_row() {
    let rows = iris();
    let shape = vec![150, 1, 2, 2];
    let features = rows.features.to_shape(shape).unwrap().to_owned();
    let images = Examples { features, targets: rows.targets.clone() };
    let trainer = trainer(Objective::CrossEntropy);
    let fit = |examples: &Examples<f32>| {
        let mut params = Params::new();
        let model = (Flatten, Linear::new(&mut params, "out", 4, 3, &mut rng(1)));
        let history = trainer.on(examples).fit(&model, &mut params, &mut Sgd::new(0.1)).unwrap();
        let outputs = surprisal_train::outputs(&model, &params, examples.features.view());
        (history.last().train.loss, outputs)
    };
    assert_eq!(fit(&images), fit(&rows));
}

/// The bits of a named objective, of a closure that says the same, and of a loop written by hand.
#[test]
fn a_closure_and_a_loop_by_hand_take_the_steps_of_the_named_objective() {
    let mut data = Dataset::iris();
    data.features = Standardize::fit(&data.features).unwrap().apply(&data.features).unwrap();
    let trainer = Trainer { epochs: 3, batch_size: 40, seed: 9, ..Trainer::default() };
    let start = || {
        let mut params = Params::new();
        let model = Linear::new(&mut params, "out", 4, 3, &mut rng(1));
        (model, params)
    };

    let (model, mut named) = start();
    let history = trainer.on(&data).fit(&model, &mut named, &mut Sgd::new(0.1)).unwrap();
    assert_eq!(history.last().validation, None);
    assert_eq!(history.last().monitored, history.last().train.loss);

    let (model, mut by_closure) = start();
    let of_closure = trainer.on(&data).minimize(
        |batch| softmax_cross_entropy(batch.outputs(model.forward(batch.x)), batch.labels()),
        &mut by_closure,
        &mut Sgd::new(0.1),
    );
    let of_closure = of_closure.unwrap();
    assert_eq!(by_closure.as_slice(), named.as_slice());
    assert_eq!(of_closure.last().train.accuracy, history.last().train.accuracy);
    assert!((of_closure.last().train.loss - history.last().train.loss).abs() < 1e-7); // added up in other pieces

    let (model, mut by_hand) = start();
    let (mut sgd, mut workspace, mut order) = (Sgd::new(0.1), Workspace::new(), rng(9));
    let mut batches = Batches::new(data.rows(), 40).unwrap();
    for _epoch in 0..3 {
        batches.shuffle(&mut order);
        for rows in &batches {
            let tape = workspace.tape(&by_hand);
            let batch = data.batch(&tape, rows);
            let loss = softmax_cross_entropy(model.forward(batch.x), batch.labels());
            loss.backward();
            sgd.step(&mut by_hand, workspace.grads());
        }
    }
    assert_eq!(by_hand.as_slice(), named.as_slice());

    // as Examples in the number type of the model
    let (model, mut params) = start();
    trainer.on(&Examples::<f32>::new(&data)).fit(&model, &mut params, &mut Sgd::new(0.1)).unwrap();
    assert_eq!(params.as_slice(), named.as_slice());
}

#[test]
fn numbers_are_learned_by_any_loss_of_numbers_and_measured_by_r2() {
    let features = Dataset::iris().features;
    let targets = Targets::Values(features.rows().into_iter().map(|row| 2.0 * row[0] - row[3]).collect());
    let data = Dataset { targets, features, ..Dataset::iris() };
    let trainer = Trainer { epochs: 60, ..Trainer::default() };
    let mut params = Params::<f64>::default();
    let model = Linear::new(&mut params, "out", 4, 1, &mut rng(1));
    let huber = HuberLoss { delta: 0.5, ..Default::default() };
    let history = trainer
        .on(&data)
        .validate(&data)
        .minimize(
            |batch| huber.loss(batch.outputs(model.forward(batch.x)), batch.values()),
            &mut params,
            &mut Adam::new(0.05),
        )
        .unwrap();
    let last = history.last();
    assert!(last.train.r2 > Some(0.95) && last.train.accuracy.is_none(), "{last:?}");
    assert_eq!(last.validation, Some(last.train));
    assert_eq!(history.epochs_to(0.95), history.epochs().iter().position(|e| e.train.r2 >= Some(0.95)));
}

#[test]
fn what_a_closure_does_wrong_is_reported_before_the_first_step() {
    let data = Dataset::iris();
    let mut params = Params::new();
    let model = Linear::new(&mut params, "out", 4, 3, &mut rng(1));
    let mut told = |trainer: Trainer, what: usize| {
        let before = params.as_slice().to_vec();
        let error = trainer.on(&data).minimize(
            |batch| {
                let z = model.forward(batch.x);
                match what {
                    0 => z,
                    1 => batch.outputs(z.slice(1, 0..2)).sum(),
                    _ => z.square().mean(),
                }
            },
            &mut params,
            &mut Sgd::new(0.1),
        );
        assert_eq!(before, params.as_slice());
        error.unwrap_err().to_string()
    };
    let told = [
        told(Trainer::default(), 0),
        told(Trainer::default(), 1),
        told(Trainer { monitor: Monitor::Metric(Metric::Accuracy), ..Trainer::default() }, 2),
        told(Trainer { class_weight: Some(vec![1.0; 3]), ..Trainer::default() }, 2),
    ];
    expect![[r#"
        the loss of a batch is [32, 3]: expected one number | take its mean, or the loss with a reduction
        the data has 3 classes and the model 2 outputs | give its last layer 3 outputs
        monitor: accuracy needs the outputs of the model, but the closure does not pass them | call batch.outputs(..), or monitor the loss
        class weight: needs a named objective | leave it out, and pass weights to the loss in the closure"#]].assert_eq(&told.join("\n"));
}

#[test]
fn rows_alone_in_an_order_of_ones_own_are_trained_on_without_being_measured() {
    let mut data = Dataset::iris();
    data.features = Standardize::fit(&data.features).unwrap().apply(&data.features).unwrap();
    let trainer = Trainer { epochs: 3, batch_size: 40, seed: 9, ..Trainer::default() };
    let fit = |trainer: &Trainer, on: &dyn Batched, order: &mut Rng| {
        let mut params = Params::new();
        let model = Linear::new(&mut params, "out", 4, 3, &mut rng(1));
        let history = trainer.on(on).order(order).minimize(
            |batch| {
                let x = batch.tape().rows(&data.features, batch.rows);
                let labels: Vec<usize> = batch.rows.iter().map(|&row| data.labels()[row]).collect();
                softmax_cross_entropy(model.forward(x), &labels)
            },
            &mut params,
            &mut Sgd::new(0.1),
        );
        (history.unwrap(), params)
    };
    let (mut first, mut second) = (rng(9), rng(9));
    let (measured, params) = fit(&trainer, &data, &mut first);
    let unmeasured = Trainer { measure_train: false, ..trainer.clone() };
    let (history, same) = fit(&unmeasured, &Rows(150), &mut second);
    assert_eq!(params.as_slice(), same.as_slice());
    assert_eq!(first, second); // both stand behind three shuffles
    assert_ne!(first, rng(9));
    let last = history.last();
    assert!(last.train.loss.is_nan() && last.monitored.is_nan() && last.train.accuracy.is_none(), "{last:?}");
    assert!(measured.last().train.loss.is_finite());
    let stop = Some(EarlyStopping { patience: 3, min_delta: 0.0 });
    let trainer = Trainer { stop, ..unmeasured };
    let mut params = Params::<f32>::new();
    let model = Linear::new(&mut params, "out", 4, 3, &mut rng(1));
    expect!["measure_train: early stopping, keep_best and the schedule plateau need a measured epoch | set it, or give validation data"].assert_eq(&trainer.on(&data).check(&model, &params).unwrap_err().to_string());
    assert!(trainer.on(&data).validate(&data).check(&model, &params).is_ok());
}
