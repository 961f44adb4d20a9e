//! LeNet: two convolutions with pooling, and a linear layer. On the included digits of 8x8 pixels, or, with the folder of its four files in
//! SURPRISAL_MNIST, on MNIST.
//!
//!     SURPRISAL_MNIST=path/to/mnist cargo run --release --example 08_lenet

use surprisal::prelude::*;

fn lenet(params: &mut Params, side: usize, [first, second]: [usize; 2], rng: &mut Rng) -> impl Layer + use<> {
    let after = (side / 2 - 2) / 2; // each convolution keeps the borders that its padding gives
    (
        Unflatten::new([1, side, side]),
        (Conv2d::new(params, "conv1", [1, first], 5, rng).padding(2), Relu, MaxPool2d::new([2, 2])),
        (Conv2d::new(params, "conv2", [first, second], 3, rng), Relu, MaxPool2d::new([2, 2])),
        (Flatten, Linear::new(params, "out", second * after * after, 10, rng)),
    )
}

/// The accuracy on the test set.
fn trained(seed: u64) -> Result<f64, Box<dyn std::error::Error>> {
    let mut rng = rng(seed);
    let (mut train, mut test) = match std::env::var_os("SURPRISAL_MNIST") {
        Some(folder) => Dataset::mnist(folder)?,
        None => stratified_split(&Dataset::digits(), 0.25, &mut rng)?,
    };
    let (side, largest, epochs, rate) =
        if train.features.ncols() == 784 { (28, 255.0, 5, 0.002) } else { (8, 16.0, 40, 0.005) };
    [&mut train, &mut test].into_iter().for_each(|part| part.features /= largest);
    let mut params = Params::new();
    let model = lenet(&mut params, side, [16, 32], &mut rng);
    let trainer = Trainer { epochs, batch_size: 64, seed, schedule: "cosine".parse()?, ..Trainer::default() };
    let history = threads::within(|| {
        let training = trainer
            .on(&train)
            .validate(&test)
            .each(|epoch| println!("epoch {}: {:?}", epoch.epoch, epoch.validation));
        training.fit(&model, &mut params, &mut Adam::new(rate))
    })?;
    Ok(history.epochs().last().and_then(|epoch| epoch.validation.as_ref()?.accuracy).unwrap_or(0.0))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("test accuracy: {:.2}%", 100.0 * trained(7)?);
    Ok(())
}

#[test]
fn it_reads_the_digits() {
    if std::env::var_os("SURPRISAL_MNIST").is_some() {
        println!("skipped: on MNIST it takes minutes");
        return;
    }
    assert!(trained(7).unwrap() > 0.95);
}
