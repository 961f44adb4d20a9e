use surprisal_exercises::optimizers::Memory;

pub fn sgd(theta: &mut [f64], g: &[f64], rate: f64) {
    for (theta, g) in theta.iter_mut().zip(g) {
        *theta -= rate * g;
    }
}

pub fn momentum(theta: &mut [f64], g: &[f64], v: &mut [f64], rate: f64, mu: f64) {
    for ((theta, g), v) in theta.iter_mut().zip(g).zip(v) {
        *v = mu * *v + g;
        *theta -= rate * *v;
    }
}

pub fn adam(theta: &mut [f64], g: &[f64], memory: &mut Memory, rate: f64) {
    memory.t += 1;
    let [of_mean, of_square] = [0.9f64, 0.999].map(|beta| 1.0 - beta.powi(memory.t));
    for (i, (theta, g)) in theta.iter_mut().zip(g).enumerate() {
        memory.m[i] = 0.9 * memory.m[i] + (1.0 - 0.9) * g;
        memory.v[i] = 0.999 * memory.v[i] + (1.0 - 0.999) * g * g;
        *theta -= rate * (memory.m[i] / of_mean) / ((memory.v[i] / of_square).sqrt() + 1e-8);
    }
}
