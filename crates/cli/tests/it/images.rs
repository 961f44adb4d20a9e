//! Nets of images, from training to PyTorch's files.

use std::fs;
use std::ops::ControlFlow;

use surprisal_run::{Job, Settings};
use surprisal_tensor::Params;
use surprisal_train::{
    At, Callback, Checkpoint, Layout, SavedModel, load_safetensors, outputs, save_safetensors,
};

use crate::common::{Folder, refuses, works};

const NET: &str = "conv(8,3)-relu-maxpool(2)-10";
const WRITTEN: &str = "1x8x8-conv(8,3)-relu-maxpool(2)-flatten-10";

fn train(folder: &Folder, model: &str, more: &str) -> String {
    let train = format!("train --data digits --model {model} --schedule constant {more}");
    works(&folder.0, &Vec::from_iter(train.split_whitespace()))
}

#[test]
fn a_net_of_images_goes_the_way_of_a_dense_one() {
    let folder = Folder::new("images");
    let run = |command: &str| works(&folder.0, &Vec::from_iter(command.split_whitespace()));
    let read = |name: &str| fs::read(folder.0.join(name)).unwrap();
    train(&folder, NET, "--batch 16 --epochs 8 --out whole");
    train(&folder, NET, "--batch 16 --epochs 3 --out parts");
    run("train --resume parts --epochs 8");
    for file in ["model.surprisal", "history.csv", "config.toml", "report.html"] {
        assert!(read(&format!("whole/{file}")) == read(&format!("parts/{file}")), "{file}");
    }

    let json = run("eval --model whole/model.surprisal --json");
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(told["metrics"]["accuracy"].as_f64().unwrap() > 0.95, "{json}");
    let inspected = run("inspect whole/model.surprisal");
    for part in [
        &format!("a net {WRITTEN}, f32\n"),
        "layer1.weight  [8, 1, 3, 3]",
        "layer5.weight  [72, 10]",
        &format!("model = \"{WRITTEN}\""),
    ] {
        assert!(inspected.contains(part), "{part}\n{inspected}");
    }

    let predictions = run("predict --model whole/model.surprisal --data digits");
    run("convert whole/model.surprisal net.safetensors");
    let arrays = run("inspect net.safetensors");
    for part in ["0.weight  F32 [8, 1, 3, 3]", "4.weight  F32 [10, 72]"] {
        assert!(arrays.contains(part), "{part}\n{arrays}");
    }
    run("convert net.safetensors back.surprisal --like whole/model.surprisal");
    assert_eq!(run("predict --model back.surprisal --data digits"), predictions);

    let explained = run("explain --model whole/model.surprisal --data digits --row 0 --out row");
    assert!(explained.contains("layer1.weight · v1 over each window"), "{explained}");
    let checked = run(&format!("check gradients --data digits --model {NET} --rows 4"));
    assert!(checked.contains("HOLDS  gradients"), "{checked}");
    let units = run(&format!("check units --data digits --model {NET}"));
    assert!(units.contains("layer1        8 ") && units.contains("layer5    no activation"), "{units}");
}

/// Ends after this number of steps, and keeps the state.
struct EndAfter<'a>(usize, &'a mut Option<Checkpoint<f32>>, &'a mut Params<f32>);
impl Callback<f32> for EndAfter<'_> {
    fn on_step(&mut self, at: &At<f32>) -> ControlFlow<()> {
        self.0 -= 1;
        if self.0 > 0 {
            return ControlFlow::Continue(());
        }
        (*self.1, *self.2) = (Some(at.checkpoint()), at.params.clone());
        ControlFlow::Break(())
    }
}

/// With layers that draw numbers and layers with buffers: interrupted in the middle of an epoch, saved, read, resumed.
#[test]
fn an_interrupted_net_of_images_ends_with_the_same_bits_and_is_read_as_it_was_saved() {
    let net = "conv(4,3,bias=false)-batchnorm-relu-dropout2d(0.1)-convt(4,2,stride=2)-groupnorm(2)-silu-avgpool(4)-dropout(0.2)-10";
    let settings = format!("data = \"digits\"\nmodel = \"{net}\"\nepochs = 2\nbatch = 256\n");
    let settings = Settings::from_toml(&settings, "images.toml").unwrap();
    let mut whole = Job::new(&settings).unwrap();
    whole.fit(None, &mut ()).unwrap();

    let mut first = Job::new(&settings).unwrap();
    let (mut checkpoint, mut params) = (None, Params::default());
    first.fit(None, &mut EndAfter(3, &mut checkpoint, &mut params)).unwrap();
    let bytes = first.model_file(&params, checkpoint).to_bytes();
    let saved = SavedModel::from_bytes(&bytes, "checkpoint").unwrap();
    let mut second = Job::new(&settings).unwrap();
    let checkpoint = second.resume(&saved).unwrap();
    second.fit(Some(checkpoint), &mut ()).unwrap();
    assert!(second.params.as_slice() == whole.params.as_slice());

    let bytes = whole.model_file(&whole.params, None).to_bytes();
    let (model, params) = SavedModel::from_bytes(&bytes, "model").unwrap().load().unwrap();
    let features = whole.parts.test.dataset().features.mapv(|x| x as f32);
    let logits = outputs(&whole.model, &whole.params, features.view());
    assert_eq!(outputs(&model, &params, features.view()), logits);

    // through PyTorch's names: 0 conv, 1 batchnorm, 4 convt, 5 groupnorm, 10 linear
    let folder = Folder::new("images-pytorch");
    let file = folder.0.join("net.safetensors");
    save_safetensors(&file, &params, Layout::PyTorch).unwrap();
    let mut again = params.clone();
    again.as_mut_slice().fill(0.0);
    load_safetensors(&file, &mut again, Layout::PyTorch).unwrap();
    assert!(again.as_slice() == params.as_slice());
    let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
    for name in ["0.weight", "1.running_var", "4.bias", "5.bias", "10.weight"] {
        assert!(text.contains(&format!("\"{name}\"")), "{name}");
    }
    assert!(!text.contains("\"0.bias\""));
}

#[test]
fn pixels_of_a_table_are_images_if_the_net_begins_with_their_shape() {
    let folder = Folder::new("pixels");
    let mut table = String::from("a,b,c,d,stripes\n");
    for k in 0..40 {
        let (x, y) = (k % 7, k % 5 + 10);
        table +=
            &if k % 2 == 0 { format!("{x},{y},{x},{y},down\n") } else { format!("{x},{x},{y},{y},across\n") };
    }
    folder.write("stripes.csv", table);
    let train =
        "train --data stripes.csv --target stripes --model 1x2x2-conv(4,1x2)-tanh-2 --epochs 60 --out run";
    let told = works(&folder.0, &Vec::from_iter(train.split_whitespace()));
    assert!(told.contains("test accuracy: 100.00%"), "{told}");
    // parts without images need no shape
    let train = "train --data iris --model 8-relu-batchnorm-dropout(0.1)-3 --epochs 5 --out flat";
    works(&folder.0, &Vec::from_iter(train.split_whitespace()));
}

#[test]
fn masks_are_trained_on_evaluated_and_predicted_as_images() {
    let folder = Folder::new("segmentation");
    let run = |command: &str| works(&folder.0, &Vec::from_iter(command.split_whitespace()));
    let told = run(
        "train --task segmentation --data cells:n=24,side=16 --model unet:levels=2,width=2 --loss ce_dice:a=0.5 --epochs 1 \
         --validation 0.25 --out cells",
    );
    assert!(told.contains("test dice: ") && told.contains("test dice at the threshold "), "{told}");
    let evaluated = run("eval --model cells/model.surprisal");
    for part in
        ["the 6 test images of cells", "mean_iou", "average_precision", "class         dice     iou  pixels"]
    {
        assert!(evaluated.contains(part), "{part}\n{evaluated}");
    }
    let table = run("predict --model cells/model.surprisal --data cells:n=5,side=16,seed=9 --out masks");
    assert!(table.starts_with("row,mask,pixels(background),pixels(disc)\n0,00000.png,"), "{table}");
    assert_eq!(fs::read_dir(folder.0.join("masks")).unwrap().count(), 5);
    // a second time, nothing is overwritten
    let again =
        ["predict", "--model", "cells/model.surprisal", "--data", "cells:n=5,side=16", "--out", "masks"];
    assert!(refuses(&folder.0, &again).1.contains("masks: it already exists"));
    let no_folder = ["predict", "--model", "cells/model.surprisal", "--data", "cells:n=5,side=16"];
    assert!(refuses(&folder.0, &no_folder).1.contains("name a new folder for their PNG files"));
}
