//! What a trained net is worth: in the digits of the target, from scores that no probability has rounded, on its own data only.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use expect_test::expect;
use surprisal_data::Unseen;
use surprisal_data::metrics::Metric;
use surprisal_run::{Job, Predictor, RunError, Settings, cross_validate};
use surprisal_train::{Predictions, SavedModel};

/// A folder of this test's own, removed in the end.
struct Folder(PathBuf);
impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("surprisal-evaluation-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
    /// Trained with these settings, and as a model file.
    fn model(&self, toml: &str) -> (Job, PathBuf) {
        let mut job = Job::new(&settings(toml)).unwrap();
        job.fit(None, &mut ()).unwrap();
        let path = self.0.join("model.surprisal");
        job.model_file(&job.params, None).write(&path).unwrap();
        (job, path)
    }
}
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings(toml: &str) -> Settings {
    Settings::from_toml(toml, "test.toml").unwrap()
}

fn refused(toml: &str) -> String {
    Job::new(&settings(toml)).err().expect("this cannot be trained on").to_string()
}

/// A gray image of 4 x 4 pixels.
fn png(pixel: impl Fn(usize) -> u8) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 4, 4);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&Vec::from_iter((0..16).map(pixel))).unwrap();
    file
}

#[test]
fn images_are_predicted_in_the_scale_of_their_training_with_and_without_classes() {
    let folder = Folder::new("images");
    for class in ["left", "right"] {
        fs::create_dir_all(folder.0.join("train").join(class)).unwrap();
        for k in 0..20 {
            // the half of this side is light
            let light = |at: usize| (at % 4 < 2) == (class == "left");
            let image = png(|at| if light(at) { 200 + k } else { 3 * k });
            fs::write(folder.0.join("train").join(class).join(format!("{k:02}.png")), image).unwrap();
        }
    }
    let train = folder.0.join("train");
    let (job, path) = folder.model(&format!(
        "data = 'images:{}'\nscaling = \"channels\"\naugment = \"shift:1,noise:0.1\"\nhidden = \"none\"\n",
        train.display()
    ));
    assert_eq!(job.parts.train.image_shape, Some([1, 4, 4]));
    let features = &job.parts.train.dataset().features;
    assert!(features.mean().unwrap().abs() < 1e-7 && (features.std(0.0) - 1.0).abs() < 1e-7);

    let predictor = |data: PathBuf| {
        let told =
            Settings::from_toml(&format!("data = 'images:{}'\n", data.display()), "test.toml").unwrap();
        Predictor::read(&path, &told).unwrap()
    };
    let labeled = predictor(train.clone());
    let set = labeled.labeled(Unseen::Error).unwrap();
    assert_eq!(set.rows(), 40);
    let accuracy =
        labeled.scores(&set).unwrap().iter().find(|(metric, _)| *metric == Metric::Accuracy).unwrap().1;
    assert_eq!(accuracy, 1.0);
    let unlabeled = predictor(train.join("right"));
    let said = unlabeled.predict(unlabeled.features(Unseen::Error).unwrap().view()).unwrap();
    assert_eq!(said.dim(), (20, 2));
    assert!(said.column(1).iter().all(|&right| right > 0.5));
    let told = unlabeled.labeled(Unseen::Error).unwrap_err().to_string();
    expect!["DIR/right: expected a folder for each of two classes or more, found 0 folders and 20 images beside them | put the images of each class into a folder with the name of the class"].assert_eq(&told.replace(&train.display().to_string(), "DIR"));
}

/// Full-batch descent on a line, to its end.
fn line(data: &str) -> String {
    format!("data = '{data}'\ntarget = 'y'\ntask = 'numbers'\nhidden = 'none'\nepochs = 300\n")
}

/// Numbers that look random, from -1 to 1.
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// R² and mean absolute error on the test rows of the line that is closest to the training rows.
fn least_squares(job: &Job) -> [f64; 2] {
    let (train, test) = (job.parts.train.dataset(), job.parts.test.dataset());
    let [x, y] = [train.features.column(0).to_vec(), train.values().to_vec()];
    let mean =
        |values: &[f64]| values.iter().map(|v| v - values[0]).sum::<f64>() / values.len() as f64 + values[0];
    let (mx, my) = (mean(&x), mean(&y));
    let sum = |f: &dyn Fn(usize) -> f64| (0..x.len()).map(f).sum::<f64>();
    let slope = sum(&|i| (x[i] - mx) * (y[i] - my)) / sum(&|i| (x[i] - mx) * (x[i] - mx));
    let said = Vec::from_iter(test.features.column(0).iter().map(|&x| my + slope * (x - mx)));
    [Metric::R2, Metric::MeanAbsoluteError].map(|metric| metric.of_numbers(test.values(), &said).unwrap())
}

#[test]
fn targets_of_every_size_are_learned_as_least_squares_does_and_predicted_in_their_own_digits() {
    let folder = Folder::new("digits");
    for (base, step) in [
        (0.0, 1.0),
        (1e6, 0.1),
        (16777216.0, 1.0),
        (1.7e9, 1.0),
        (1e12, 3.0),
        (-4e15, 8.0),
        (0.0, 1e-200),
        (0.0, 1e140),
    ] {
        let (mut csv, mut state) = (String::from("x,y\n"), 1);
        for x in 0..80 {
            let y = base + step * (f64::from(x) + 2.0 * draw(&mut state));
            writeln!(csv, "{x},{y:?}").unwrap();
        }
        let data = folder.write("line.csv", &csv);
        let (job, model) = folder.model(&line(&data));
        let scores = job.scores().unwrap();
        let of_test = |metric| scores.last().unwrap().1.iter().find(|(m, _)| *m == metric).unwrap().1;
        let [r2, mae] = least_squares(&job);
        assert!((of_test(Metric::R2) - r2).abs() < 1e-3, "{base}: {scores:?}, r2 {r2}");
        assert!(
            (of_test(Metric::MeanAbsoluteError) / mae - 1.0).abs() < 0.02,
            "{base}: {scores:?}, mae {mae}"
        );
        // what is predicted has the same error as what is measured
        let predictor =
            Predictor::read(&model, &Settings { data: Some(data.parse().unwrap()), ..Settings::default() })
                .unwrap();
        let set = predictor.labeled(Unseen::Error).unwrap();
        let said = predictor.predict(set.features.view()).unwrap();
        let off = set.values().iter().zip(&said).map(|(y, said)| (y - said).abs()).sum::<f64>() / 80.0;
        assert!(off < 1.2 * step, "{base}: {off}");
        let measured = predictor.scores(&set).unwrap();
        let measured = measured.iter().find(|(metric, _)| *metric == Metric::MeanAbsoluteError).unwrap().1;
        assert!((measured / off - 1.0).abs() < 1e-9, "{base}: {measured} and {off}");
    }
    // a line without noise
    let rows = (1..=60).map(|x| format!("{x},{}\n", 1700000000 + x));
    let data = folder.write("seconds.csv", &format!("x,y\n{}", String::from_iter(rows)));
    let (job, _) = folder.model(&line(&data));
    for (part, scores) in job.scores().unwrap() {
        let r2 = scores.iter().find(|(metric, _)| *metric == Metric::R2).unwrap().1;
        assert!(r2 > 0.999, "{part}: {scores:?}");
    }
}

#[test]
fn numbers_that_the_net_cannot_hold_are_refused_with_row_column_and_value() {
    let folder = Folder::new("beyond");
    let table = |x: &str, y: &str| {
        let mut csv = String::from("x,y\n");
        for row in 0..39 {
            writeln!(csv, "{row},{}", 2 * row).unwrap();
        }
        folder.write("beyond.csv", &format!("{csv}{x},{y}\n"))
    };
    let mut told = BTreeSet::new();
    // wherever the row goes: to the training, the validation or the test rows
    for seed in 0..4 {
        for (x, y) in [("1e39", "1"), ("-1e300", "1"), ("1", "1e200")] {
            let toml = format!("{}seed = {seed}\nvalidation = 0.2\nbatch = 8\n", line(&table(x, y)));
            told.insert(refused(&toml));
        }
    }
    let (_, model) = folder.model(&line(&table("39", "78")));
    for x in ["1e39", "-1e300"] {
        let data = folder.write("new.csv", &format!("x,y\n3,6\n{x},1\n"));
        let predictor =
            Predictor::read(&model, &Settings { data: Some(data.parse().unwrap()), ..Settings::default() })
                .unwrap();
        told.insert(predictor.features(Unseen::Error).unwrap_err().to_string());
        told.insert(predictor.labeled(Unseen::Error).unwrap_err().to_string());
    }
    let told = Vec::from_iter(told).join("\n").replace(&folder.0.display().to_string(), "DIR");
    expect![[r#"
        DIR/beyond.csv: row 39, column "x": -1e300 is outside the range of f32, up to 3.4e38 | correct the value, leave the row out, or divide the column
        DIR/beyond.csv: row 39, column "x": 1e39 is outside the range of f32, up to 3.4e38 | correct the value, leave the row out, or divide the column
        DIR/beyond.csv: row 39, target "y": 1e200 is too large: expected numbers up to 1e150, whose squares do not overflow | divide the column
        DIR/new.csv: row 1, column "x": -1e300 is outside the range of f32, up to 3.4e38 | correct the value, leave the row out, or divide the column
        DIR/new.csv: row 1, column "x": 1e39 is outside the range of f32, up to 3.4e38 | correct the value, leave the row out, or divide the column"#]].assert_eq(&told);
}

#[test]
fn rows_far_from_the_boundary_are_ranked_by_their_scores() {
    let folder = Folder::new("far");
    let rows = (0..40).map(|i| format!("{},{}\n", f64::from(i) / 10.0, u8::from(i >= 20)));
    let data = folder.write("near.csv", &format!("x,y\n{}", String::from_iter(rows)));
    let far = [
        (98.1, 0),
        (98.5, 1),
        (98.2, 1),
        (98.3, 1),
        (98.4, 1),
        (98.6, 1),
        (98.7, 1),
        (98.8, 1),
        (98.9, 1),
        (98.0, 1),
    ];
    let far = folder
        .write("far.csv", &format!("x,y\n{}", String::from_iter(far.map(|(x, y)| format!("{x},{y}\n")))));
    for (model, loss) in [("1-2", "ce"), ("1-1", "ce"), ("1-2", "mse"), ("1-1", "hinge")] {
        let toml = format!(
            "data = '{data}'\ntarget = 'y'\ntask = 'classes'\nmodel = '{model}'\nloss = '{loss}'\nopt = 'sgd'\nlr = 0.5\nschedule = 'constant'\nepochs = 400\n"
        );
        let (_, path) = folder.model(&toml);
        let predictor =
            Predictor::read(&path, &Settings { data: Some(far.parse().unwrap()), ..Settings::default() })
                .unwrap();
        let scores = predictor.scores(&predictor.labeled(Unseen::Error).unwrap()).unwrap();
        let of = |metric| scores.iter().find(|(m, _)| *m == metric).unwrap().1;
        assert!((of(Metric::RocAuc) - 8.0 / 9.0).abs() < 1e-12, "{model} {loss}: {scores:?}");
        assert!((of(Metric::AveragePrecision) - 0.988_888_888_9).abs() < 1e-9, "{model} {loss}: {scores:?}");
        // one row in ten is on the wrong side, by a score that no probability holds
        assert!(of(Metric::LogLoss).is_finite() && of(Metric::LogLoss) > 1.0, "{model} {loss}: {scores:?}");
    }
}

#[test]
fn a_run_and_its_evaluation_take_their_own_names_only() {
    let folder = Folder::new("names");
    let table = |columns: &str, words: [&str; 2], classes: [&str; 2]| {
        let mut csv = format!("{columns},y\n");
        for row in 0..24 {
            writeln!(csv, "{row}.5,{},{},{}", row % 5, words[row % 2], classes[usize::from(row > 12)])
                .unwrap();
        }
        folder.write("names.csv", &csv)
    };
    let (words, classes) = (["red", "blue"], ["no", "yes"]);
    let data = table("a,b,color", words, classes);
    let toml = format!("data = '{data}'\ntarget = 'y'\nepochs = 2\n");
    let (_, model) = folder.model(&toml);
    let parts = || {
        let predictor = Predictor::read(&model, &Settings::default()).unwrap();
        predictor.parts().map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(parts(), Ok(()));
    let mut told = Vec::new();
    for (columns, words, classes) in [
        ("b,a,color", words, classes),
        ("a,b,hue", words, classes),
        ("a,b,color", ["red", "green"], classes),
        ("a,b,color", words, ["no", "yes!"]),
    ] {
        table(columns, words, classes);
        told.push(parts().unwrap_err());
        let saved = SavedModel::read(&model).unwrap();
        told.push(Job::new(&settings(&toml)).unwrap().resume(&saved).unwrap_err().to_string());
    }
    table("a,b,color", words, classes);
    let other = Predictor::read(&model, &settings("seed = 9\n")).unwrap();
    told.push(other.parts().err().unwrap().to_string());
    expect![[r#"
        DIR/names.csv: the data differ from those of the training: expected the column "a", found "b" | set data to use all of their rows
        the data differ from those of the training: expected the column "a", found "b" | begin a new run, or restore the data
        DIR/names.csv: the data differ from those of the training: expected the column "color", found "hue" | set data to use all of their rows
        the data differ from those of the training: expected the column "color", found "hue" | begin a new run, or restore the data
        DIR/names.csv: the data differ from those of the training: expected the input "color=blue", found "color=green" | set data to use all of their rows
        the data differ from those of the training: expected the input "color=blue", found "color=green" | begin a new run, or restore the data
        DIR/names.csv: the data differ from those of the training: expected the class "yes", found "yes!" | set data to use all of their rows
        the data differ from those of the training: expected the class "yes", found "yes!" | begin a new run, or restore the data
        seed 9: the training split was drawn with the seed 7 | leave seed out, or set data"#]].assert_eq(&told.join("\n").replace(&folder.0.display().to_string(), "DIR"));
}

#[test]
fn parameters_that_are_not_finite_are_refused_with_their_name() {
    let folder = Folder::new("nan");
    let (mut job, path) = folder.model("data = 'iris'\nepochs = 1\n");
    job.params.as_mut_slice()[3] = f32::NAN;
    job.model_file(&job.params, None).write(&path).unwrap();
    let predicts = Predictor::read(&path, &Settings::default()).err().unwrap();
    let start = Settings { start_from: Some(path), ..settings("data = 'iris'\n") };
    let told = format!("{predicts}\n{}", Job::new(&start).err().unwrap());
    expect![[r#"
        DIR/model.surprisal: parameter "layer1.weight": expected finite numbers, found NaN at place 3: its training diverged
        DIR/model.surprisal: parameter "layer1.weight": expected finite numbers, found NaN at place 3: its training diverged"#]].assert_eq(&told.replace(&folder.0.display().to_string(), "DIR"));
}

#[test]
fn each_loss_trains_is_saved_and_predicts() {
    let folder = Folder::new("losses");
    for loss in [
        "focal:gamma=3",
        "ce:label_smoothing=0.1",
        "topk:k=8",
        "multi_margin",
        "ce_dice",
        "sigmoid_focal",
        "soft_margin",
        "hinge",
        "squared_hinge:margin=0.5",
        "bce:pos_weight=3",
    ] {
        for data in ["breast_cancer", "iris"] {
            let weights = if loss.starts_with("topk") || loss == "ce_dice" { "none" } else { "balanced" };
            let toml = format!(
                "data = '{data}'\nhidden = 'none'\nepochs = 60\nloss = '{loss}'\nclass_weight = '{weights}'\n"
            );
            let (job, path) = folder.model(&toml);
            let accuracy = job.scores().unwrap()[1].1[0].1;
            assert!(accuracy > 0.8, "{loss} on {data}: {accuracy}");
            let saved = Predictor::read(&path, &Settings::default()).unwrap();
            assert_eq!(saved.objective().spec(), loss);
            assert!(saved.saved.settings.contains(&format!("class_weight = \"{weights}\"")));
        }
    }
    // counts whose logarithm is a line: the predictions are rates
    let rows = (0..60).map(|i| format!("{i},{}\n", (20.0 * (f64::from(i) / 20.0).exp()).round()));
    let data = folder.write("counts.csv", &format!("x,y\n{}", String::from_iter(rows)));
    let (job, path) = folder.model(&line(&data).replace("epochs = 300", "epochs = 2000\nloss = 'poisson'"));
    assert!(matches!(job.predictions, Predictions::Number { offset: 0.0, .. }));
    let predictor =
        Predictor::read(&path, &Settings { data: Some(data.parse().unwrap()), ..Settings::default() })
            .unwrap();
    let set = predictor.labeled(Unseen::Error).unwrap();
    let said = predictor.predict(set.features.view()).unwrap();
    assert!(said.iter().zip(set.values()).all(|(said, y)| (said / y - 1.0).abs() < 0.05), "{said:?}");
    // nine targets in ten are below the 0.9 quantile
    let (mut csv, mut state) = (String::from("x,y\n"), 3);
    for _ in 0..600 {
        writeln!(csv, "{},{}", draw(&mut state), 100.0 + draw(&mut state)).unwrap();
    }
    let data = folder.write("noise.csv", &csv);
    let (job, _) =
        folder.model(&line(&data).replace("epochs = 300", "epochs = 400\nloss = 'quantile:q=0.9'"));
    let path = folder.0.join("model.surprisal");
    let predictor = Predictor::read(&path, &Settings::default()).unwrap();
    let said = predictor.predict(job.parts.train.dataset().features.view()).unwrap();
    let below = said.iter().zip(job.parts.train.targets.values()).filter(|(said, y)| y < said).count() as f64;
    assert!((below / said.len() as f64 - 0.9).abs() < 0.03, "{below}");
    let told = [
        "data = 'iris'\nloss = 'hinge'\nclass_weight = 'setoza=2'\n",
        "data = 'iris'\nloss = 'dice'\nclass_weight = 'balanced'\n",
        "data = 'breast_cancer'\nmodel = '30-1'\nloss = 'topk'\n",
    ];
    expect![[r#"
        class_weight: there is no class "setoza" | did you mean "setosa"?
        class weight: loss dice is that of a whole batch and does not support weights | leave it out, or choose ce or focal
        loss topk: expected an output for each class, found one output for two classes | give the last layer 2 outputs"#]].assert_eq(&told.map(refused).join("\n"));
}

#[test]
fn all_rows_can_be_trained_on_and_test_rows_can_come_from_a_file() {
    let folder = Folder::new("parts");
    let table = |rows: std::ops::Range<usize>| {
        let rows = rows.map(|i| {
            format!("{},{},{}\n", i % 7, ["red", "blue"][i % 2], ["no", "yes"][usize::from(i % 7 > 3)])
        });
        format!("x,color,y\n{}", String::from_iter(rows))
    };
    let data = folder.write("train.csv", &table(0..40));
    let toml = format!("data = '{data}'\ntarget = 'y'\nepochs = 3\n");
    let (job, path) = folder.model(&format!("{toml}test = 0\n"));
    assert_eq!((job.parts.train.rows(), job.parts.test.rows(), job.parts.monitored().0), (40, 0, "train"));
    assert_eq!(Vec::from_iter(job.scores().unwrap().iter().map(|(part, _)| *part)), ["train"]);
    assert_eq!(Predictor::read(&path, &Settings::default()).unwrap().parts().unwrap().parts.train.rows(), 40);

    let test = folder.write("test.csv", &table(100..117));
    let (job, path) = folder.model(&format!("{toml}test_data = '{test}'\n"));
    assert_eq!((job.parts.train.rows(), job.parts.test.rows()), (40, 17));
    let own = Predictor::read(&path, &Settings::default()).unwrap();
    let told = Settings { data: Some(test.parse().unwrap()), ..Settings::default() };
    let other = Predictor::read(&path, &told).unwrap();
    let scores = other.scores(&other.labeled(Unseen::Error).unwrap()).unwrap();
    assert_eq!(own.scores(&own.parts().unwrap().parts.test.dataset()).unwrap(), scores);
    let other = folder.write("other.csv", "x,color,y\n1,red,maybe\n");
    let told = [format!("test_data = '{test}'\ntest = 0.2\n"), format!("test_data = '{other}'\n")];
    let told = told.map(|more| refused(&format!("{toml}{more}"))).join("\n");
    expect![[r#"
        test_data: the data already have test rows | leave out test, or use data without a test set
        DIR/other.csv, line 2, column "y": expected one of the model's classes, found "maybe" | known: "no", "yes""#]].assert_eq(&told.replace(&folder.0.display().to_string(), "DIR"));
    let cv = cross_validate(&settings(&format!("{toml}test_data = '{test}'\n")), 2, &());
    assert!(matches!(cv, Err(RunError::Usage(_))));
}

#[test]
fn more_classes_than_tables_can_show_are_refused() {
    let folder = Folder::new("classes");
    let rows = (0..20_000).map(|i| format!("{i}.5,word{}\n", i % 5000));
    let data = folder.write("classes.csv", &format!("x,y\n{}", String::from_iter(rows)));
    let told =
        [&format!("data = '{data}'\ntarget = 'y'\n"), "data = 'iris'\nhidden = '16000000'\n"].map(refused);
    expect![[r#"
        DIR/classes.csv: 20000 rows have 5000 classes: expected at most 4096 | is the target an identifier, or is this a regression (task = regression)?
        batch: 28 rows of this model take 6835 MiB for activations and their gradients: expected at most 4096 MiB | take smaller batches or layers"#]].assert_eq(&told.join("\n").replace(&folder.0.display().to_string(), "DIR"));
}
