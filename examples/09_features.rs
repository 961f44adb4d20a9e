//! Features: an encoder learns by contrast which images of digits belong together, and is frozen. Then a linear layer learns to read its
//! features, and the nearest image is asked too. With a path, it draws the features of unseen images by t-SNE.
//!
//!     cargo run --release --example 09_features -- features.svg

use surprisal::data::Tsne;
use surprisal::loss::SupconLoss;
use surprisal::ndarray::{Array2, ArrayView2, Axis, Ix2};
use surprisal::prelude::*;

/// Two convolutions, and a layer that makes 64 features.
fn encoder(params: &mut Params, rng: &mut Rng) -> impl Layer + Sync + use<> {
    (
        Unflatten::new([1, 8, 8]),
        (Conv2d::new(params, "conv1", [1, 8], 3, rng).padding(1), Relu, MaxPool2d::new([2, 2])),
        (Conv2d::new(params, "conv2", [8, 16], 3, rng).padding(1), Relu, MaxPool2d::new([2, 2])),
        (Flatten, Linear::new(params, "features", 64, 64, rng)),
    )
}

/// The features of images, each brought to length 1: then their dot products are cosines.
fn features(params: &Params, encoder: &impl Layer, images: ArrayView2<f64>) -> Array2<f32> {
    let x = Workspace::new().eval(params, |tape| encoder.forward(tape.input(&images)));
    let x = x.into_dimensionality::<Ix2>().expect("a row of features for each image");
    let lengths = x.map_axis(Axis(1), |row| row.dot(&row).sqrt()).insert_axis(Axis(1));
    x / lengths
}

/// Every image as its digit, at its place.
fn picture(places: ArrayView2<f64>, digits: &[usize]) -> String {
    let largest = places.iter().fold(1.0, |largest: f64, place| largest.max(place.abs()));
    let marks = places.rows().into_iter().zip(digits).map(|(place, digit)| {
        let [x, y] = [place[0], place[1]].map(|at| 300.0 + 280.0 * at / largest);
        format!("<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"hsl({}, 70%, 40%)\">{digit}</text>\n", digit * 36)
    });
    let head = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 600 600\" font-family=\"sans-serif\" font-size=\"11\">";
    format!("{head}\n{}</svg>\n", marks.collect::<String>())
}

/// The accuracies on the test set of a linear layer and of the nearest image, and the picture.
fn learned(seed: u64) -> Result<(f64, f64, String), Box<dyn std::error::Error>> {
    let mut digits = Dataset::digits();
    digits.features /= 16.0; // pixels 0 to 16
    let mut rng = rng(seed);
    let (train, test) = stratified_split(&digits, 0.25, &mut rng)?;

    let mut params = Params::new();
    let encoder = encoder(&mut params.scope("encoder"), &mut rng);
    let contrast = SupconLoss { temperature: 0.1, ..Default::default() };
    let trainer = Trainer { epochs: 15, batch_size: 128, seed, measure_train: false, ..Trainer::default() };
    trainer.on(&train).minimize(
        |batch| contrast.loss(encoder.forward(batch.x), batch.labels()),
        &mut params,
        &mut Adam::new(0.003),
    )?;

    params.freeze_named("encoder")?; // from here on it stays as it is
    let model = (&encoder, Linear::new(&mut params, "probe", 64, 10, &mut rng));
    let history = trainer.on(&train).validate(&test).fit(&model, &mut params, &mut Adam::new(0.01))?;
    let linear = history.last().held_out().accuracy.unwrap_or(0.0);

    let [known, unseen] = [&train, &test].map(|part| features(&params, &encoder, part.features.view()));
    let nearest = argmax_rows(&unseen.dot(&known.t()));
    let nearest = Vec::from_iter(nearest.into_iter().map(|row| train.labels()[row]));
    let nearest = accuracy(&nearest, test.labels())?;

    let drawn = unseen.mapv(f64::from);
    let drawn = drawn.view().split_at(Axis(0), 150).0;
    let places = Tsne { iterations: 400, ..Tsne::default() }.fit(drawn, &mut rng)?.places;
    Ok((linear, nearest, picture(places.view(), test.labels())))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (linear, nearest, picture) = learned(7)?;
    println!("test accuracy of a linear layer on frozen features: {:.2}%", 100.0 * linear);
    println!("test accuracy of the nearest training image:        {:.2}%", 100.0 * nearest);
    if let Some(path) = std::env::args().nth(1) {
        std::fs::write(&path, picture).map_err(|error| format!("{path}: {error}"))?;
        println!("a picture of the features: {path}");
    }
    Ok(())
}

#[test]
fn frozen_features_tell_digits_apart() {
    let (linear, nearest, picture) = learned(7).unwrap();
    assert!(linear > 0.95 && nearest > 0.95, "{linear} {nearest}");
    assert_eq!(picture.matches("<text").count(), 150);
}
