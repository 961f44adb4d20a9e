fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

pub fn squared_gradient(w: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    let a = sigmoid(w * x + b);
    let of_z = (a - y) * a * (1.0 - a);
    (x * of_z, of_z)
}

pub fn entropy_gradient(w: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    let of_z = sigmoid(w * x + b) - y;
    (x * of_z, of_z)
}

pub fn is_saturated(z: f64) -> bool {
    sigmoid(z) * (1.0 - sigmoid(z)) < 0.05
}
