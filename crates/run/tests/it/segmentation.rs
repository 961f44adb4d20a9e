//! Nets that predict a class for every pixel: trained, saved, resumed, evaluated, and drawn.

use std::fs;
use std::ops::ControlFlow;

use surprisal_data::metrics::Metric;
use surprisal_data::{Dataset, Targets, Unseen, gray_to_png, mask_to_png};
use surprisal_run::{
    Job, Kind, Predictor, Settings, chosen_threshold, cross_validate, diagnose, write_results,
};
use surprisal_tensor::Params;
use surprisal_train::{At, Callback, Checkpoint, Predictions, SavedModel};

fn settings(toml: &str) -> Settings {
    Settings::from_toml(toml, "test.toml").unwrap()
}

const SMALL: &str = "data = \"cells:n=20,side=16,noise=0.05\"\nmodel = \"unet:levels=2,width=2\"\nloss = \"ce_dice:a=0.25\"\n\
                     validation = 0.2\nbatch = 4\n";

/// Ends a training after this number of steps and keeps the checkpoint of that step.
struct Until(usize, Option<(Params<f32>, Checkpoint<f32>)>);
impl Callback<f32> for Until {
    fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
        self.0 -= 1;
        if self.0 > 0 {
            return ControlFlow::Continue(());
        }
        self.1 = Some((at.params.clone(), at.checkpoint()));
        ControlFlow::Break(())
    }
}

#[test]
fn a_net_of_pixels_goes_the_way_of_the_others() {
    let folder = std::env::temp_dir().join(format!("surprisal-segmentation-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let settings = settings(&format!("{SMALL}epochs = 3\n"));
    let mut job = Job::new(&settings).unwrap();
    assert_eq!(job.settings.get("model").unwrap(), "1x16x16-unet(2,2,out=1)");
    assert_eq!(job.predictions, Predictions::Masks(vec!["background".into(), "disc".into()]));
    let (history, ended) = job.fit(None, &mut ()).unwrap();
    // cross-entropy and Dice of a net that knows nothing, of pixels, not of images
    let first = history.epochs()[0].held_out();
    assert!((0.7..1.0).contains(&first.loss), "{}", first.loss);
    assert!(first.accuracy.is_some_and(|accuracy| (0.0..=1.0).contains(&accuracy)));

    // the same, interrupted in the second epoch, saved and resumed
    let mut stopped = Job::new(&settings).unwrap();
    let mut until = Until(5, None);
    stopped.fit(None, &mut until).unwrap();
    let path = folder.join("model.surprisal");
    let (params, checkpoint) = until.1.expect("a checkpoint");
    stopped.model_file(&params, Some(checkpoint)).write(&path).unwrap();
    let saved = SavedModel::read(&path).unwrap();
    let checkpoint = stopped.resume(&saved).unwrap();
    stopped.fit(Some(checkpoint), &mut ()).unwrap();
    assert!(stopped.params.as_slice() == job.params.as_slice());

    job.model_file(&job.params, None).write(&path).unwrap();
    let scores = job.scores().unwrap();
    let (part, of_test) = scores.last().unwrap();
    let value = |metric| of_test.iter().find(|(other, _)| *other == metric).map(|&(_, value)| value);
    let [dice, iou] = [Metric::Dice, Metric::Iou].map(|metric| value(metric).unwrap());
    assert!((dice - 2.0 * iou / (1.0 + iou)).abs() < 1e-12, "{part}: {dice} and {iou}");
    assert!(value(Metric::AveragePrecision).is_some() && value(Metric::MeanIou).is_some());
    assert!(
        chosen_threshold(&job, &job.outputs())
            .unwrap()
            .is_some_and(|chosen| (0.0..=1.0).contains(&chosen.test))
    );

    write_results(&folder, &job, &history, ended, &job.outputs(), &scores).unwrap();
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    for part in ["true mask", "data:image/png;base64,", "Dice is", "share of the training pixels"] {
        assert!(page.contains(part), "{part}");
    }

    let predictor = Predictor::read(&path, &Settings::default()).unwrap();
    assert_eq!(predictor.scores(&predictor.parts().unwrap().parts.test.dataset()).unwrap(), *of_test);

    // a folder of the same images has the same scores; without masks they can be predicted
    let test = &job.parts.test;
    let images = folder.join("cells");
    for (k, mask) in test.targets.masks().outer_iter().enumerate() {
        for (of, png) in [("images", mask_to_png(mask, 2)), ("masks", mask_to_png(mask, 2))] {
            fs::create_dir_all(images.join(of)).unwrap();
            fs::write(images.join(of).join(format!("{k}.png")), png).unwrap();
        }
    }
    let told = Settings {
        data: Some(format!("images:{}", images.display()).parse().unwrap()),
        ..Settings::default()
    };
    let elsewhere = Predictor::read(&path, &told).unwrap();
    let refused = elsewhere.labeled(Unseen::Error).unwrap_err().to_string();
    assert!(
        refused.contains("expected the classes of the net, background, disc, found background, foreground"),
        "{refused}"
    );
    fs::write(images.join("classes.txt"), "background\ndisc\n").unwrap();
    let labeled = elsewhere.labeled(Unseen::Error).unwrap();
    assert_eq!(labeled.targets, test.targets);
    fs::remove_dir_all(images.join("masks")).unwrap();
    let features = elsewhere.features(Unseen::Error).unwrap();
    assert_eq!(features, labeled.features);
    assert_eq!(elsewhere.predict(features.view()).unwrap().dim(), (test.rows() * 256, 2));
    fs::remove_dir_all(&folder).unwrap();
}

/// Of three classes there are three outputs, and the background has none of the rest.
#[test]
fn masks_of_several_classes_have_an_output_for_each() {
    let folder = std::env::temp_dir().join(format!("surprisal-segmentation-three-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let cells = Dataset::cells(12, 0.0, 16, 3).unwrap();
    for (k, mask) in cells.targets.masks().outer_iter().enumerate() {
        let left = |at: usize| at % 16 < 8;
        let three = mask.indexed_iter().map(|((_, x), &class)| if class == 1 && left(x) { 2 } else { class });
        let three = surprisal_tensor::ndarray::Array2::from_shape_vec((16, 16), three.collect()).unwrap();
        for (of, png) in [("images", mask_to_png(mask, 2)), ("masks", mask_to_png(three.view(), 3))] {
            fs::create_dir_all(folder.join(of)).unwrap();
            fs::write(folder.join(of).join(format!("{k}.png")), png).unwrap();
        }
    }
    fs::write(folder.join("classes.txt"), "nothing\nright\nleft\n").unwrap();
    for loss in ["ce", "ce_dice", "dice", "focal", "bce"] {
        let toml = format!(
            "data = 'images:{}'\nmodel = \"unet(2,2)\"\nloss = \"{loss}\"\nepochs = 1\nclass_weight = \"{}\"\n",
            folder.display(),
            if loss.contains("dice") { "none" } else { "balanced" }
        );
        let mut job = Job::new(&settings(&toml)).unwrap();
        assert_eq!(job.settings.get("model").unwrap(), "1x16x16-unet(2,2,out=3)");
        let (history, _) = job.fit(None, &mut ()).unwrap();
        assert!(history.last().train.loss.is_finite());
        let (_, scores) = job.scores().unwrap().pop().unwrap();
        assert!(scores.iter().any(|(metric, _)| *metric == Metric::MeanIou));
        assert!(scores.iter().all(|(metric, _)| *metric != Metric::AveragePrecision)); // of two classes
        assert!(chosen_threshold(&job, &job.outputs()).unwrap().is_none());
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn foreground_that_is_predicted_nowhere_is_a_finding() {
    let mut job = Job::new(&settings(&format!("{SMALL}epochs = 2\n"))).unwrap();
    let (history, _) = job.fit(None, &mut ()).unwrap();
    let out = job.params.find("layer1.out.bias").unwrap();
    job.params[out].fill(100.0); // foreground everywhere: a Dice of about twice its share
    assert!(
        diagnose(&job, &history, &job.outputs()).iter().any(|finding| finding.kind == Kind::UnderFitting)
    );
    job.params[out].fill(-100.0);
    let findings = diagnose(&job, &history, &job.outputs());
    let finding = findings.iter().find(|finding| finding.kind == Kind::ClassNeverSaid).expect("a finding");
    assert!(
        finding.measured.starts_with("the net predicts \"disc\" for none of the"),
        "{}",
        finding.measured
    );
}

/// Twelve images, of which the first alone has foreground.
#[test]
fn a_class_that_a_part_lacks_is_named() {
    let folder = std::env::temp_dir().join(format!("surprisal-rare-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let mut cells = Dataset::cells(12, 0.0, 16, 3).unwrap();
    let Targets::Masks { masks, .. } = &mut cells.targets else { unreachable!() };
    masks.fill(0);
    for (k, mask) in masks.outer_iter().enumerate() {
        let image = vec![100 + k as u8; 256];
        let mut mask = mask.to_owned();
        mask[[3, 3]] = u8::from(k == 0);
        for (of, png) in [("images", gray_to_png([16, 16], &image)), ("masks", mask_to_png(mask.view(), 2))] {
            fs::create_dir_all(folder.join(of)).unwrap();
            fs::write(folder.join(of).join(format!("{k:02}.png")), png).unwrap();
        }
    }
    let toml = format!("data = 'images:{}'\nmodel = \"unet(2,2)\"\nepochs = 1\n", folder.display());
    let mut job = Job::new(&settings(&toml)).unwrap();
    let (history, _) = job.fit(None, &mut ()).unwrap();
    let findings = diagnose(&job, &history, &job.outputs());
    let finding = findings.iter().find(|finding| finding.kind == Kind::ClassAbsent).expect("a finding");
    assert!(finding.measured.ends_with("masks is \"foreground\""), "{}", finding.measured);

    let outcome = cross_validate(&settings(&toml), 3, &()).unwrap();
    let lacking = outcome.folds.iter().filter(|fold| fold.absent == ["foreground"]).count();
    assert_eq!(lacking, 2);
    let text = outcome.to_text();
    assert!(text.contains("3 folds: about 8 training images, 4 test images"), "{text}");
    assert_eq!(text.matches(": no test pixel is \"foreground\": its Dice is 1 if").count(), 2, "{text}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_does_not_fit_a_segmentation_is_refused() {
    let refused = |toml: &str| {
        let refused = Job::new(&settings(toml)).err().expect("this cannot be trained on");
        refused.to_string()
    };
    for (toml, message) in [
        (
            "data = \"iris\"\ntask = \"segmentation\"\n",
            "iris: segmentation needs images with masks, found none",
        ),
        (
            "data = \"cells\"\ntask = \"classification\"\n",
            "cells:n=200,noise=0.25,side=32,seed=0: expected no options of tables, found task",
        ),
        ("data = \"cells\"\nhidden = \"8\"\n", "hidden: segmentation needs a net that ends with images"),
        ("data = \"cells\"\nmodel = \"1024-8-1\"\n", "expected images [outputs, H, W]"),
        (
            "data = \"cells\"\nmodel = \"conv(8,3)-relu\"\n",
            "ends with [8, 30, 30]: expected images [outputs, 32, 32]",
        ),
        ("data = \"cells\"\nmodel = \"conv(3,1)\"\n", "the data has 2 classes and the model 3 outputs"),
        (
            "data = \"cells:side=30\"\n",
            "an image of 15x15 comes back as 14x14 and does not fit its skip connection | crop or pad",
        ),
        ("data = \"cells\"\nbalance = \"oversample\"\n", "balance: does not support segmentation"),
        ("data = \"cells\"\nloss = \"mae\"\n", "loss mae: does not support classification"),
        ("data = \"cells\"\nlabel_noise = 0.1\n", "expected classification, found segmentation"),
        ("data = \"iris\"\nmodel = \"4-unet(2,2)\"\n", "4-unet(2,2) takes images, but iris has 4 features"),
    ] {
        let found = refused(toml);
        assert!(found.contains(message), "{toml}{found}");
    }
}

/// Few images with 1.6 % foreground and few steps: the mix of cross-entropy and Dice finds it at a threshold of 1/2, and cross-entropy ranks the
/// pixels well, whether or not it finds any. Minutes in a release build: `cargo test --release -p surprisal-run --test it -- --ignored mix`.
#[test]
#[ignore = "trains 32 nets"]
fn the_mix_of_cross_entropy_and_dice_finds_rare_foreground() {
    let run = |loss: &str, lr: f64, seed: u64| {
        let toml = format!(
            "data = \"cells:n=472,seed={seed}\"\nmodel = \"unet(3,8)\"\nloss = \"{loss}\"\nopt = \"adam\"\nlr = {lr}\nschedule = \"constant\"\n\
             epochs = 134\nbatch = 16\ntest = 0.8475\nvalidation = 0.0508\nkeep_best = false\nseed = {seed}\n"
        );
        let mut job = Job::new(&settings(&toml)).unwrap();
        let sizes =
            [job.parts.train.rows(), job.parts.validation.as_ref().unwrap().rows(), job.parts.test.rows()];
        assert_eq!((sizes, job.params.as_slice().len()), ([48, 24, 400], 29_321));
        job.fit(None, &mut ()).unwrap();
        let scores = job.scores().unwrap();
        let of = |part: usize, metric: Metric| scores[part].1.iter().find(|(m, _)| *m == metric).unwrap().1;
        let chosen = chosen_threshold(&job, &job.outputs()).unwrap().unwrap();
        let found = [Metric::Dice, Metric::AveragePrecision].map(|metric| (of(1, metric), of(2, metric)));
        println!(
            "{loss} lr {lr} seed {seed}: validation dice {:.3}, test dice {:.3}, at the chosen threshold {:.3}, average precision {:.3}",
            found[0].0, found[0].1, chosen.test, found[1].1
        );
        found
    };
    // each at its better rate by the validation images, equals by average precision
    let mean = |loss: &str, at: usize| {
        let best = |seed| {
            let [low, high] = [0.003, 0.01].map(|lr| run(loss, lr, seed));
            if (low[0].0, low[1].0) >= (high[0].0, high[1].0) { low } else { high }
        };
        (0..8).map(|seed| best(seed)[at].1).sum::<f64>() / 8.0
    };
    let (mix, cross_entropy) = (mean("ce_dice:a=0.5", 0), mean("ce", 1));
    println!(
        "mean test dice of the mix {mix:.3}, mean average precision of cross-entropy {cross_entropy:.3}"
    );
    assert!(mix >= 0.68 && cross_entropy >= 0.62);
}
