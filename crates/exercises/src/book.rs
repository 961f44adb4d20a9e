//! The code of the README and of the lessons, compiled and run here, in a crate that is not published: a package cannot read the
//! pages of the repository.

macro_rules! lessons {
    ($($name:ident: $path:literal),+ $(,)?) => { $(
        #[doc = include_str!($path)]
        struct $name;
    )+ };
}
lessons! {
    Readme: "../../../README.md",
    BeforeYouStart: "../../../docs/lessons/00-before-you-start.md",
    Surprise: "../../../docs/lessons/01-surprise.md",
    CrossEntropy: "../../../docs/lessons/02-cross-entropy.md",
    ScoresAndProbabilities: "../../../docs/lessons/03-scores-and-probabilities.md",
    OneNeuron: "../../../docs/lessons/04-one-neuron.md",
    BackPropagationByHand: "../../../docs/lessons/05-back-propagation-by-hand.md",
    TheTape: "../../../docs/lessons/06-the-tape.md",
    WhyTopologicalOrder: "../../../docs/lessons/07-why-topological-order.md",
    WhyGradientsAreZeroed: "../../../docs/lessons/08-why-gradients-are-zeroed.md",
    Layers: "../../../docs/lessons/09-layers.md",
    LossesAndNumerics: "../../../docs/lessons/10-losses-and-numerics.md",
    Optimizers: "../../../docs/lessons/11-optimizers.md",
    YourOwnData: "../../../docs/lessons/12-your-own-data.md",
    Experiments: "../../../docs/lessons/13-experiments.md",
    Curvature: "../../../docs/lessons/14-curvature.md",
    HowTheTapeWorksInside: "../../../docs/lessons/15-how-the-tape-works-inside.md",
    AnOperationOfYourOwn: "../../../docs/lessons/16-an-operation-of-your-own.md",
    ALossOfYourOwn: "../../../docs/lessons/17-a-loss-of-your-own.md",
    WhenItDoesNotLearn: "../../../docs/lessons/18-when-it-does-not-learn.md",
    EveryPixel: "../../../docs/lessons/19-every-pixel.md",
    LearningFeatures: "../../../docs/lessons/20-learning-features.md",
    TwoNetsThatPlay: "../../../docs/lessons/21-two-nets-that-play.md",
    GoingOn: "../../../docs/lessons/22-going-on.md",
    ComingFrom: "../../../docs/coming-from.md",
}
