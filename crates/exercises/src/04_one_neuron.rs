//! Lesson 4: one neuron, a = σ(w x + b).

use crate::unsolved;

/// The gradient of its squared error ½ (a - y)² with respect to w and b, in this order.
pub fn squared_gradient(w: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    unsolved("find z and a; ∂z = (a - y) a (1 - a); ∂w = x ∂z and ∂b = ∂z")
}

/// The same of its cross-entropy -y ln a - (1 - y) ln(1 - a), for every score: also where a rounds to 1.
pub fn entropy_gradient(w: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    unsolved("the slope has canceled: ∂z = a - y")
}

/// Whether a neuron with the score z passes on less than a twentieth of what arrives.
pub fn is_saturated(z: f64) -> bool {
    unsolved("compare σ(z) (1 - σ(z)) with 0.05")
}
