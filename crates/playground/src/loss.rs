//! The losses of the race. Each is written once: the same lines run here and stand in the program that is copied.

use surprisal_loss::*;
use surprisal_tensor::Var;

/// A loss for two classes, with one logit, and for more.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// Its name in the address.
    pub name: &'static str,
    /// Its name in `surprisal train`, for two classes and for more.
    pub commands: [&'static str; 2],
    /// Its expression, for two classes and for more.
    pub texts: [&'static str; 2],
    call: [Call; 2],
}

/// Logits, one-hot targets (of two classes the second column), labels.
type Call = for<'t> fn(Var<'t>, Var<'t>, &[usize]) -> Var<'t>;

impl Loss {
    /// The mean over the rows. `classes` is the number of classes.
    pub fn of<'t>(&self, classes: usize, z: Var<'t>, y: Var<'t>, labels: &[usize]) -> Var<'t> {
        self.call[usize::from(classes > 2)](z, y, labels)
    }
    /// Its expression for this number of classes.
    pub fn text(&self, classes: usize) -> &'static str {
        self.texts[usize::from(classes > 2)]
    }
}

macro_rules! losses {
    (($z:ident, $y:ident, $labels:ident) $($name:literal $commands:expr, $two:expr, $more:expr;)+) => {
        /// Every loss, in the order of the menu.
        pub const ALL: &[Loss] = &[$(Loss {
            name: $name,
            commands: $commands,
            texts: [stringify!($two), stringify!($more)],
            call: [|$z, $y, $labels| { let _ = ($y, $labels); $two }, |$z, $y, $labels| { let _ = ($y, $labels); $more }],
        }),+];
    };
}

losses! { (z, y, labels)
    "mse" ["mse"; 2], mse_loss(z.sigmoid(), y), mse_loss(z.softmax(-1), y);
    "half_mse" ["half_mse"; 2], half_squared_error(z.sigmoid(), y), half_squared_error(z.softmax(-1), y);
    "ce" ["bce", "ce"], binary_cross_entropy_with_logits(z, y), softmax_cross_entropy(z, labels);
    "focal" ["sigmoid_focal", "focal"], sigmoid_focal_loss(z, y), softmax_focal_loss(z, labels);
    "hinge" ["hinge", "multi_margin"], hinge_loss(z, 2.0 * y - 1.0), multi_margin_loss(z, labels);
    "squared_hinge" ["squared_hinge", "squared_hinge"], squared_hinge_loss(z, 2.0 * y - 1.0), squared_hinge_loss(z, 2.0 * y - 1.0);
}
