//! LeNet: two convolutions with pooling, and a linear layer. On the included digits of 8x8 pixels, or, with the folder of its four files in
//! SURPRISAL_MNIST, on MNIST. With `augmented` it has a hidden layer with dropout, and is trained for twice as many epochs on images that are
//! shifted at random. A number is the seed.
//!
//!     SURPRISAL_MNIST=path/to/mnist cargo run --release --example 08_lenet -- augmented 7

use surprisal::prelude::*;
use surprisal::train::Augment;

/// Two convolutions with pooling, and the number of features that they make of an image.
fn convolutions(params: &mut Params, side: usize, rng: &mut Rng) -> (impl Layer + use<>, usize) {
    let layers = (
        Unflatten::new([1, side, side]),
        (Conv2d::new(params, "conv1", [1, 16], 5, rng).padding(2), Relu, MaxPool2d::new([2, 2])),
        (Conv2d::new(params, "conv2", [16, 32], 3, rng), Relu, MaxPool2d::new([2, 2])),
        Flatten,
    );
    let after = (side / 2 - 2) / 2; // each convolution keeps the borders that its padding gives
    (layers, 32 * after * after)
}

/// The accuracy on the test set.
fn trained(augmented: bool, seed: u64) -> Result<f64, Box<dyn std::error::Error>> {
    let mut rng = rng(seed);
    let (mut train, mut test) = match std::env::var_os("SURPRISAL_MNIST") {
        Some(folder) => Dataset::mnist(folder)?,
        None => stratified_split(&Dataset::digits(), 0.25, &mut rng)?,
    };
    let (side, largest, epochs, rate) =
        if train.features.ncols() == 784 { (28, 255.0, 5, 0.002) } else { (8, 16.0, 40, 0.005) };
    [&mut train, &mut test].into_iter().for_each(|part| part.features /= largest);
    let trainer = Trainer { epochs, batch_size: 64, seed, schedule: "cosine".parse()?, ..Trainer::default() };
    let params = &mut Params::new();
    let (layers, features) = convolutions(params, side, &mut rng);
    if !augmented {
        let model = (layers, Linear::new(params, "out", features, 10, &mut rng));
        return fit(&model, params, &trainer, [&train, &test], None, rate);
    }
    let hidden = (Linear::new(params, "hidden", features, 128, &mut rng), Relu, Dropout::new(0.25));
    let model = (layers, hidden, Linear::new(params, "out", 128, 10, &mut rng));
    let longer = Trainer { epochs: 2 * epochs, ..trainer };
    let shift = Augment { shift: side / 14, ..Augment::default() }; // by up to 2 pixels on MNIST
    fit(&model, params, &longer, [&train, &test], Some((shift, [1, side, side])), rate)
}

fn fit(
    model: &(impl Layer + Sync),
    params: &mut Params,
    trainer: &Trainer,
    [train, test]: [&Dataset; 2],
    augment: Option<(Augment, [usize; 3])>,
    rate: f64,
) -> Result<f64, Box<dyn std::error::Error>> {
    let history = threads::within(|| {
        let mut training = trainer
            .on(train)
            .validate(test)
            .each(|epoch| println!("epoch {}: {:?}", epoch.epoch, epoch.validation));
        if let Some((changes, image_shape)) = augment {
            training = training.augment(changes, image_shape);
        }
        training.fit(model, params, &mut Adam::new(rate))
    })?;
    Ok(history.epochs().last().and_then(|epoch| epoch.validation.as_ref()?.accuracy).unwrap_or(0.0))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut augmented, mut seed) = (false, 7);
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "augmented" => augmented = true,
            number => seed = number.parse().map_err(|_| format!("{number}: expected augmented or a seed"))?,
        }
    }
    println!("test accuracy: {:.2}%", 100.0 * trained(augmented, seed)?);
    Ok(())
}

#[test]
fn it_reads_the_digits() {
    if std::env::var_os("SURPRISAL_MNIST").is_some() {
        println!("skipped: on MNIST it takes minutes");
        return;
    }
    assert!(trained(false, 7).unwrap() > 0.95);
}
