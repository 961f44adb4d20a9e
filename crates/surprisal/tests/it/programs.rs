//! What users write, each in the shortest form that the library allows. (Mini-batches from a data set: `examples/03_mlp_digits.rs`.)

use surprisal::loss::TripletMarginLoss;
use surprisal::ndarray::{Array2, array};
use surprisal::prelude::*;
use surprisal::tensor::{Card, ShapeError, Shapes, gradient_agreement, op};
use surprisal::train::{load_safetensors_named, save_safetensors};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The digits, scaled to 0 .. 1: training and test sets.
fn digits() -> Result<[Dataset; 2], Box<dyn std::error::Error>> {
    let (mut train, mut test) = stratified_split(&Dataset::digits(), 0.25, &mut rng(7))?;
    train.features /= 16.0;
    test.features /= 16.0;
    Ok([train, test])
}

#[test]
fn an_own_loss() -> Outcome {
    /// Symmetric cross-entropy (Wang et al. 2019).
    fn symmetric<'t>(logits: Var<'t>, labels: &[usize]) -> Var<'t> {
        let y = logits.tape().one_hot(labels, 3);
        let reverse = -(logits.softmax(-1) * (y + 1e-4).ln()).sum_axis(-1).mean();
        softmax_cross_entropy(logits, labels) + 0.1 * reverse
    }
    check_gradient(&[array![[0.5, -1.0, 2.0], [3.0, 0.1, -0.7]].into_dyn()], |_, z| symmetric(z[0], &[0, 2]));

    let (iris, mut params) = (Dataset::iris(), Params::new());
    let model = Linear::new(&mut params, "out", 4, 3, &mut rng(7));
    let (mut adam, mut workspace) = (Adam::new(0.1), Workspace::new());
    for _ in 0..100 {
        let (_, grads) = workspace
            .grad(&params, |tape| symmetric(model.forward(tape.input(&iris.features)), iris.labels()));
        adam.step(&mut params, grads);
    }
    // the same function on f64 and on dual numbers: its Hessian; and what it is made of
    let h = hessian(&params, |tape| symmetric(model.forward(tape.input(&iris.features)), iris.labels()));
    assert_eq!(h.dim(), (15, 15));
    let tape = workspace.tape(&params);
    let loss = symmetric(model.forward(tape.input(&iris.features)), iris.labels());
    assert!(loss.item() < 0.7, "{}", loss.item());
    loss.backward();
    let passes = explain(loss).passes();
    assert!(passes.contains("v8 = ln v7") && passes.contains("backward"), "{passes}");
    Ok(())
}

/// |a - b|² of each pair of rows.
struct RowDistance;
op! {
    impl Op for RowDistance {
        fn card(&self) -> Card {
            Card {
                name: "row_distance",
                inputs: "A B",
                forward: "row sums of (A - B)²",
                backward: "dA = 2 (A - B) dY, dB = -dA",
                story: "How far apart two rows are.",
            }
        }
        fn shape(&self, inputs: Shapes) -> Result<Shape, ShapeError> {
            match (inputs.dims(0), inputs.dims(1)) {
                (a @ &[rows, _], b) if a == b => Ok(Shape::from([rows])),
                (a, b) => Err(ShapeError::new(format!("the rows of {a:?} meet those of {b:?}"))),
            }
        }
        fn forward(&self, f: &mut Forward) {
            let columns = f.inputs.dims(0)[1].max(1);
            let rows = f.inputs.x(0).chunks(columns).zip(f.inputs.x(1).chunks(columns));
            let zero = f.constant(0.0);
            for (y, (a, b)) in f.y.iter_mut().zip(rows) {
                *y = a.iter().zip(b).fold(zero, |sum, (&a, &b)| sum + (a - b) * (a - b));
            }
        }
        fn backward(&self, b: &mut Backward) {
            let (columns, dy, two) = (b.inputs.dims(0)[1].max(1), b.dy, b.constant(2.0));
            for (input, own, other) in [(0, b.x(0), b.x(1)), (1, b.x(1), b.x(0))] {
                let Some(dx) = b.dx(input) else { continue };
                dx.add_filled(|dx, _| {
                    for (i, dx) in dx.iter_mut().enumerate() {
                        *dx = two * (own[i] - other[i]) * dy[i / columns];
                    }
                });
            }
        }
    }
}

#[test]
fn an_own_operation() -> Outcome {
    let a = array![[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]].into_dyn();
    let b = array![[0.3, -0.1], [2.0, 4.0], [1.0, 1.0]].into_dyn();
    check_gradient(&[a.clone(), b], |tape, x| tape.apply(RowDistance, [x[0], x[1]]));

    let mut params = Params::new();
    let w = params.add("w", &array![[1.0f32, 2.0], [0.5, -1.0], [3.0, 0.0]]);
    let h = hessian(&params, |tape| {
        let zeros = tape.input(&array![[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]);
        tape.apply(RowDistance, [tape.param(w), zeros]).sum()
    });
    assert!(h.indexed_iter().all(|((i, j), &h)| h == if i == j { 2.0 } else { 0.0 }), "{h}");

    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let distance = tape
        .apply(RowDistance, [tape.param(w), tape.input(&array![[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])])
        .sum();
    distance.backward();
    let passes = explain(distance).passes();
    assert!(passes.contains("row sums of (") && passes.contains("backward"), "{passes}");
    Ok(())
}

#[test]
fn an_own_layer() -> Outcome {
    /// exp(-γ |x - c|²) for every row x and every center c.
    struct Rbf {
        centers: ParamId,
        gamma: ParamId,
    }
    impl Rbf {
        fn new(params: &mut Params, name: &str, inputs: usize, units: usize, rng: &mut Rng) -> Rbf {
            let mut params = params.scope(name);
            let centers = params
                .add_with("centers", [units, inputs], |c| Init::Normal(1.0).fill(c, inputs, units, rng));
            Rbf { centers, gamma: params.add("gamma", &array![0.1]) }
        }
    }
    impl Layer for Rbf {
        fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
            let (c, gamma) = (x.tape().param(self.centers), x.tape().param(self.gamma));
            (-gamma * (x.unsqueeze(1) - c.unsqueeze(0)).square().sum_axis(2)).exp()
        }
    }
    let (iris, mut params, mut rng) = (Dataset::iris(), Params::new(), rng(7));
    let layers: Vec<Box<dyn Layer>> = vec![
        Box::new(Rbf::new(&mut params, "rbf", 4, 12, &mut rng)),
        Box::new(Linear::new(&mut params, "out", 12, 3, &mut rng)),
    ];
    assert_eq!(
        summary(&params, &layers, [1, 4]).to_string(),
        "\
layer  kind    output   parameters  trainable
input          [1, 4]
rbf    Rbf     [1, 12]          49         49
out    Linear  [1, 3]           39         39
total                           88         88
"
    );
    gradient_agreement(&params, |tape| layers.forward(tape.input(&iris.features)))?;
    let (mut adam, mut workspace) = (Adam::new(0.05), Workspace::new());
    let mut last = f32::NAN;
    for _ in 0..200 {
        let (loss, grads) = workspace.grad(&params, |tape| {
            softmax_cross_entropy(layers.forward(tape.input(&iris.features)), iris.labels())
        });
        adam.step(&mut params, grads);
        last = loss;
    }
    assert!(last < 0.2, "{last}");
    Ok(())
}

#[test]
fn shared_weights_under_a_triplet_loss() -> Outcome {
    let [train, test] = digits()?;
    let (mut params, mut rng) = (Params::new(), rng(7));
    let tower = Mlp::new(&mut params, &"64-32-8".parse()?, Activation::Relu, &mut rng);
    let (mut adam, mut workspace) = (Adam::new(0.003), Workspace::new());
    let loss = TripletMarginLoss { margin: 0.5, ..Default::default() };
    let mut of_class = vec![vec![]; 10];
    train.labels().iter().enumerate().for_each(|(row, &label)| of_class[label].push(row));
    let mut batches = Batches::new(train.rows(), 128)?;
    for _ in 0..10 {
        batches.shuffle(&mut rng);
        for rows in &batches {
            let mut drawn = |class: usize| of_class[class][rng.random_range(0..of_class[class].len())];
            let positive: Vec<usize> = rows.iter().map(|&row| drawn(train.labels()[row])).collect();
            let negative: Vec<usize> =
                rows.iter().map(|&row| drawn((train.labels()[row] + 1 + row % 9) % 10)).collect();
            let tape = workspace.tape(&params);
            let embed = |rows: &[usize]| tower.forward(tape.rows(&train.features, rows));
            loss.loss(embed(rows), embed(&positive), embed(&negative)).backward();
            adam.step(&mut params, workspace.grads());
        }
    }
    // each unseen digit belongs to the nearest class center
    let mut embed =
        |data: &Dataset| workspace.eval(&params, |tape| tower.forward(tape.input(&data.features)));
    let (known, unseen) = (embed(&train), embed(&test));
    let center = |class: usize| {
        of_class[class]
            .iter()
            .map(|&row| known.index_axis(surprisal::ndarray::Axis(0), row))
            .fold(surprisal::ndarray::ArrayD::zeros(vec![8]), |sum, row| sum + row)
            / of_class[class].len() as f32
    };
    let centers: Vec<_> = (0..10).map(center).collect();
    let nearest = |row: surprisal::ndarray::ArrayViewD<f32>| {
        let distance = |k: &usize| (&centers[*k] - &row).mapv(|d: f32| d * d).sum();
        (0..10).min_by(|i, j| distance(i).total_cmp(&distance(j))).unwrap()
    };
    let predicted: Vec<usize> = unseen.outer_iter().map(nearest).collect();
    let right = accuracy(test.labels(), &predicted)?;
    assert!(right > 0.85, "{right}");
    Ok(())
}

#[test]
fn two_models_and_two_optimizers() -> Outcome {
    let (mut params, mut rng) = (Params::new(), rng(7));
    let generator = Mlp::new(&mut params.scope("generator"), &"2-16-1".parse()?, Activation::Relu, &mut rng);
    let critic = Mlp::new(&mut params.scope("critic"), &"1-16-1".parse()?, Activation::Relu, &mut rng);
    let mut of_generator = Adam::new(0.005).only("generator");
    let mut of_critic = Adam::new(0.005).only("critic");
    let mut workspace = Workspace::new();
    for _ in 0..1500 {
        let tape = workspace.tape(&params);
        let fake = generator.forward(tape.input_with([64, 2], |_| normal(&mut rng)));
        let real = tape.input_with([64, 1], |_| 3.0 + 0.5 * normal(&mut rng));
        let loss =
            critic.forward(fake.detach()).softplus().mean() + (-critic.forward(real)).softplus().mean();
        loss.backward();
        of_critic.step(&mut params, workspace.grads());

        let tape = workspace.tape(&params);
        let fake = generator.forward(tape.input_with([64, 2], |_| normal(&mut rng)));
        (-critic.forward(fake)).softplus().mean().backward();
        of_generator.step(&mut params, workspace.grads());
    }
    let fake =
        workspace.eval(&params, |tape| generator.forward(tape.input_with([1000, 2], |_| normal(&mut rng))));
    assert!((fake.mean().unwrap() - 3.0).abs() < 0.5, "{}", fake.mean().unwrap());
    Ok(())
}

#[test]
fn gradients_of_several_batches_in_one_step() -> Outcome {
    let (iris, mut params) = (Dataset::iris(), Params::new());
    let model = Linear::new(&mut params, "out", 4, 3, &mut rng(7));
    let (mut adam, mut workspace, mut mean) = (Adam::new(0.1), Workspace::new(), GradientMean::new());
    for _ in 0..50 {
        for rows in &Batches::new(iris.rows(), 40)? {
            let tape = workspace.tape(&params);
            let batch = iris.batch(&tape, rows);
            softmax_cross_entropy(model.forward(batch.x), batch.labels()).backward();
            mean.add(&mut params, workspace.grads(), rows.len());
        }
        adam.step(&mut params, mean.take());
    }
    let logits = workspace.eval(&params, |tape| model.forward(tape.input(&iris.features)));
    assert!(accuracy(iris.labels(), &argmax_rows(&logits))? > 0.9);
    Ok(())
}

#[test]
fn a_part_of_a_trained_net_under_a_new_head() -> Outcome {
    let (mut trained, mut rng) = (Params::new(), rng(7));
    let body = |params: &mut Params, rng: &mut Rng| {
        let mut params = params.scope("body");
        (Linear::new(&mut params, "hidden", 4, 8, rng), BatchNorm1d::new(&mut params, "norm", 8), Relu)
    };
    let _ = (body(&mut trained, &mut rng), Linear::new(&mut trained, "head", 8, 2, &mut rng));
    let file = std::env::temp_dir().join(format!("surprisal-transfer-{}.safetensors", std::process::id()));
    save_safetensors(&file, &trained, surprisal::train::Layout::PyTorch)?;

    let mut params = Params::new();
    let model = (body(&mut params, &mut rng), Linear::new(&mut params, "head", 8, 3, &mut rng));
    load_safetensors_named(&file, &mut params, "body", surprisal::train::Layout::PyTorch)?; // the file's head has other sizes
    std::fs::remove_file(&file)?;
    params.freeze_named("body")?;
    let (before, iris) = (params.clone(), Dataset::iris());
    let (mut adam, mut workspace) = (Adam::new(0.1), Workspace::new());
    for _ in 0..20 {
        let tape = workspace.tape(&params).evaluating(); // the statistics stay those of the file, too
        softmax_cross_entropy(model.forward(tape.input(&iris.features)), iris.labels()).backward();
        adam.step(&mut params, workspace.grads());
    }
    for (id, entry) in params.ids().zip(params.entries()) {
        assert_eq!(params[id] == before[id], entry.matches("body"), "{}", entry.name);
    }
    params.unfreeze_named("body")?; // its running means are buffers, and stay out of it
    assert!(!params.is_trainable(model.0.1.running_mean) && params.is_trainable(model.0.1.weight));
    Ok(())
}

#[test]
fn batch_norm_keeps_its_statistics_or_says_so() -> Outcome {
    let mut params = Params::new();
    let norm = BatchNorm1d::new(&mut params, "norm", 2);
    let x = array![[1.0, 10.0], [3.0, 30.0]];
    let (mut sgd, mut workspace) = (Sgd::new(0.1), Workspace::new());
    for _ in 0..200 {
        let tape = workspace.tape(&params);
        norm.forward(tape.input(&x)).square().mean().backward();
        sgd.step(&mut params, workspace.grads());
    }
    assert!((params[norm.running_mean][1] - 20.0).abs() < 1e-3);
    Ok(())
}

#[test]
fn a_net_in_a_file() -> Outcome {
    let (mut params, mut rng) = (Params::new(), rng(7));
    let model = Mlp::new(&mut params, &"4-8-3".parse()?, Activation::Tanh, &mut rng);
    let file = std::env::temp_dir().join(format!("surprisal-net-{}.surprisal", std::process::id()));
    SavedModel::of(&params).write(&file)?;
    let mut again = Params::new();
    Mlp::new(&mut again, &"4-8-3".parse()?, Activation::Tanh, &mut rng);
    SavedModel::read(&file)?.load_into(&mut again)?;
    std::fs::remove_file(&file)?;
    let x = Array2::<f32>::ones((2, 4));
    let outputs = |params| Workspace::new().eval(params, |tape| model.forward(tape.input(&x)));
    assert_eq!(outputs(&params), outputs(&again));
    Ok(())
}

#[test]
fn a_schedule_in_an_own_loop() -> Outcome {
    let (iris, mut params) = (Dataset::iris(), Params::new());
    let model = Linear::new(&mut params, "out", 4, 3, &mut rng(7));
    let (mut adam, mut workspace) = (Adam::new(0.1), Workspace::new());
    let mut scheduler = Scheduler::new("cosine:warmup=2".parse()?, 0.1, 30, 1)?;
    for _ in 0..30 {
        let (_, grads) = workspace.grad(&params, |tape| {
            softmax_cross_entropy(model.forward(tape.input(&iris.features)), iris.labels())
        });
        scheduler.next(&mut adam);
        adam.step(&mut params, grads);
    }
    assert!(adam.learning_rate() < 0.001);
    Ok(())
}
