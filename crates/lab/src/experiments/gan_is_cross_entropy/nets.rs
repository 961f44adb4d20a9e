//! Generator and discriminator: their losses, their steps, a game between them.

use rand_distr::{Distribution, StandardNormal};
use surprisal_layers::{Activation, Layer, Mlp, Rng, Sizes, rng};
use surprisal_loss::binary_cross_entropy_with_logits;
use surprisal_optim::{Adam, Optimizer};
use surprisal_tensor::ndarray::{Array2, Ix2};
use surprisal_tensor::{Params, Var, Workspace};

use super::data::Data;

const GENERATOR: &str = "generator";
const DISCRIMINATOR: &str = "discriminator";
/// Adam's running means, as is usual for GANs.
const BETAS: [f64; 2] = [0.5, 0.999];

/// What the generator minimizes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Aim {
    /// ln(1 - D(G(z))): that the samples are not fake.
    Saturating,
    /// -ln D(G(z)): that the samples are real.
    NonSaturating,
}

/// Cross-entropy with the same target, 1 for real and 0 for fake, for all logits.
fn entropy_for(logits: Var, target: f64) -> Var {
    binary_cross_entropy_with_logits(logits, logits.tape().input_with(logits.shape(), |_| target))
}

/// The loss of the discriminator. In the broken version, fake samples have the target of real ones.
pub(super) fn discriminator_loss<'t>(real: Var<'t>, fake: Var<'t>, broken: bool) -> Var<'t> {
    entropy_for(real, 1.0) + entropy_for(fake, if broken { 1.0 } else { 0.0 })
}

/// The loss of the generator, of the discriminator's logits for its samples. In the broken version it is always the saturating loss.
pub(super) fn generator_loss(aim: Aim, logits: Var, broken: bool) -> Var {
    match aim {
        Aim::NonSaturating if !broken => entropy_for(logits, 1.0),
        _ => -entropy_for(logits, 0.0),
    }
}

/// The optimizer of the discriminator.
pub(super) fn adam_of_discriminator(rate: f64) -> Adam {
    Adam::new(rate).betas(BETAS[0], BETAS[1]).only(DISCRIMINATOR)
}
/// Limits an optimizer to the generator.
pub(super) fn of_generator<O: Optimizer<f32>>(optimizer: O) -> O {
    optimizer.only(GENERATOR)
}
/// Adam with the same running means.
pub(super) fn adam(rate: f64) -> Adam {
    Adam::new(rate).betas(BETAS[0], BETAS[1])
}

/// Two nets in one set of parameters, what they play about, and the source of their random numbers.
#[derive(Clone)]
pub(super) struct Nets<'d> {
    data: &'d dyn Data,
    params: Params,
    generator: Mlp,
    discriminator: Mlp,
    batch: usize,
    broken: bool,
    pub(super) rng: Rng,
}

impl<'d> Nets<'d> {
    /// Fresh nets for these data, with this number of hidden units in each of two layers, and of rows in a batch.
    pub(super) fn new(data: &'d dyn Data, [hidden, batch]: [usize; 2], broken: bool, seed: u64) -> Nets<'d> {
        let (mut params, mut rng) = (Params::new(), rng(seed));
        let mut net = |scope: &str, [inputs, outputs]: [usize; 2]| {
            let sizes = Sizes::new(&[inputs, hidden, hidden, outputs]).expect("sizes are not 0");
            Mlp::new(&mut params.scope(scope), &sizes, Activation::Relu, &mut rng)
        };
        let (generator, discriminator) =
            (net(GENERATOR, [data.noise(), data.features()]), net(DISCRIMINATOR, [data.features(), 1]));
        Nets { data, params, generator, discriminator, batch, broken, rng }
    }

    fn noise(&mut self, rows: usize) -> Array2<f32> {
        Array2::from_shape_simple_fn((rows, self.data.noise()), || StandardNormal.sample(&mut self.rng))
    }

    /// The samples that the generator makes of noise, on a tape.
    fn made_of<'t>(&self, noise: Var<'t>) -> Var<'t> {
        self.data.samples(self.generator.forward(noise))
    }

    /// Samples of the generator, `[rows, features]`.
    pub(super) fn samples(&mut self, workspace: &mut Workspace, rows: usize) -> Array2<f32> {
        let noise = self.noise(rows);
        let samples = workspace.eval(&self.params, |tape| self.made_of(tape.input(&noise)));
        samples.into_dimensionality::<Ix2>().expect("samples are [rows, features]")
    }

    /// The discriminator's logits of points.
    pub(super) fn logits(&self, workspace: &mut Workspace, points: &Array2<f32>) -> Vec<f64> {
        let logits = workspace.eval(&self.params, |tape| self.discriminator.forward(tape.input(points)));
        logits.iter().map(|&z| f64::from(z)).collect()
    }

    /// A step of the discriminator on real points and on fakes: other data, or without them the generator's samples. Returns its
    /// loss before the step, which is not taken if the loss is not finite.
    pub(super) fn step_discriminator(
        &mut self,
        workspace: &mut Workspace,
        optimizer: &mut Adam,
        fakes: Option<&dyn Data>,
    ) -> f64 {
        let real = self.data.draw(self.batch, &mut self.rng);
        let fake = match fakes {
            Some(other) => other.draw(self.batch, &mut self.rng),
            None => self.samples(workspace, self.batch),
        };
        let tape = workspace.tape(&self.params);
        let [real, fake] = [&real, &fake].map(|points| self.discriminator.forward(tape.input(points)));
        let loss = discriminator_loss(real, fake, self.broken);
        let value = loss.item();
        if value.is_finite() {
            loss.backward();
            optimizer.step(&mut self.params, workspace.grads());
        }
        value
    }

    /// The gradient of the generator's loss goes into the workspace. Returns its norm.
    fn generator_gradient(&self, workspace: &mut Workspace, aim: Aim, noise: &Array2<f32>) -> f64 {
        let tape = workspace.tape(&self.params);
        let logits = self.discriminator.forward(self.made_of(tape.input(noise)));
        generator_loss(aim, logits, self.broken).backward();
        workspace.grads().norm_named(GENERATOR).expect("the generator has parameters")
    }

    /// A step of the generator. Returns whether its gradient is finite; if not, no step is taken.
    pub(super) fn step_generator(
        &mut self,
        workspace: &mut Workspace,
        optimizer: &mut dyn Optimizer<f32>,
        aim: Aim,
    ) -> bool {
        let noise = self.noise(self.batch);
        let finite = self.generator_gradient(workspace, aim, &noise).is_finite();
        if finite {
            optimizer.step(&mut self.params, workspace.grads());
        }
        finite
    }

    /// The gradient norms of the generator under both losses, for the same batch of samples, and the mean D(G(z)).
    pub(super) fn gradients(&mut self, workspace: &mut Workspace) -> [f64; 3] {
        let noise = self.noise(self.batch);
        let [saturating, other] =
            [Aim::Saturating, Aim::NonSaturating].map(|aim| self.generator_gradient(workspace, aim, &noise));
        let d = workspace.eval(&self.params, |tape| {
            self.discriminator.forward(self.made_of(tape.input(&noise))).sigmoid().mean()
        });
        [saturating, other, f64::from(d.sum())]
    }
}
