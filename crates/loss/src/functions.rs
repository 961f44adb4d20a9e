//! The functions that losses are made of, as entries of [`by_name`](crate::by_name): they are operations of the tape, and their pages
//! stand with the methods of [`Var`].

use surprisal_tensor::Var;
use surprisal_tensor::ops::elementwise::{Elementwise, LogSigmoid, Sigmoid, Softplus, Tanh};
use surprisal_tensor::ops::softmax::{LogSoftmax, LogSumExp, Softmax};

use crate::by_name::{ByName, CallError, Entry, Given, Options, Training, Values, gradient};
use crate::kinds::data::named;
use crate::{Label, LossError};

macro_rules! functions { ($($name:ident: $about:literal, $card:expr, $function:expr;)+) => { $(
    pub(crate) mod $name {
        use super::*;
        pub(crate) const ENTRY: Entry = Entry {
            card: $card,
            inputs: &[gradient("x", Values::Number, $about)],
            options: &[],
            curve: None,
            training: Training::No("is a function, not a loss: choose ce, mse, .."),
        };
        #[derive(Clone, Debug)]
        pub(crate) struct Function;
        impl ByName for Function {
            fn read(_: &Options) -> Self {
                Function
            }
            fn call<'t>(&self, inputs: &Given<'_, 't, impl Label>) -> Result<Var<'t>, CallError> {
                let function: fn(Var<'t>) -> Result<Var<'t>, LossError> = $function;
                Ok(function(inputs.input("x")?)?)
            }
        }
    }
)+ } }
functions! {
    softmax: "[rows, classes] or [classes]", Softmax::CARD, |x| named("softmax", Softmax { axis: -1 }.try_apply(x));
    log_softmax: "[rows, classes] or [classes]", LogSoftmax::CARD, |x| named("log_softmax", LogSoftmax { axis: -1 }.try_apply(x));
    logsumexp: "[rows, classes]", LogSumExp::CARD, |x| named("logsumexp", LogSumExp { axis: Some(-1) }.try_apply(x));
    sigmoid: "any shape", Sigmoid::CARD, |x| Ok(x.sigmoid());
    log_sigmoid: "any shape", LogSigmoid::CARD, |x| Ok(x.log_sigmoid());
    softplus: "any shape", Softplus::CARD, |x| Ok(x.softplus());
    tanh: "any shape", Tanh::CARD, |x| Ok(x.tanh());
}
