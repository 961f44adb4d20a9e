//! The functions that losses are made of, as entries of [`by_name`](crate::by_name): they are operations of the tape, and their pages
//! stand with the methods of [`Var`].

use surprisal_tensor::Var;
use surprisal_tensor::ops::elementwise::{Elementwise, LogSigmoid, Sigmoid, Softplus, Tanh};
use surprisal_tensor::ops::softmax::{LogSoftmax, LogSumExp, Softmax};

use crate::Label;
use crate::by_name::{ByName, CallError, Entry, Given, Options, gradient};

macro_rules! functions { ($($name:ident: $about:literal, $card:expr, $method:expr;)+) => { $(
    pub(crate) mod $name {
        use super::*;
        pub(crate) const ENTRY: Entry =
            Entry { card: $card, inputs: &[gradient("x", $about)], options: &[], curve: None };
        #[derive(Clone, Debug)]
        pub(crate) struct Function;
        impl ByName for Function {
            fn read(_: &Options) -> Self {
                Function
            }
            #[track_caller]
            fn call<'t>(&self, inputs: &Given<'_, 't, impl Label>) -> Result<Var<'t>, CallError> {
                let apply: fn(Var<'t>) -> Var<'t> = $method;
                Ok(apply(inputs.input("x")?))
            }
        }
    }
)+ } }
functions! {
    softmax: "[rows, classes] or [classes]", Softmax::CARD, |x| x.softmax(-1);
    log_softmax: "[rows, classes] or [classes]", LogSoftmax::CARD, |x| x.log_softmax(-1);
    logsumexp: "[rows, classes]", LogSumExp::CARD, |x| x.logsumexp_axis(-1);
    sigmoid: "any shape", Sigmoid::CARD, |x| x.sigmoid();
    log_sigmoid: "any shape", LogSigmoid::CARD, |x| x.log_sigmoid();
    softplus: "any shape", Softplus::CARD, |x| x.softplus();
    tanh: "any shape", Tanh::CARD, |x| x.tanh();
}
