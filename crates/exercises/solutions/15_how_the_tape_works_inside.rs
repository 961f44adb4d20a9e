pub fn places(lens: &[usize]) -> Vec<usize> {
    let mut places = vec![0];
    for len in lens {
        places.push(places[places.len() - 1] + len);
    }
    places
}

pub fn add(slot: &mut f64, reached: &mut bool, part: f64) {
    *slot = if *reached { *slot + part } else { part };
    *reached = true;
}

pub fn backward(slopes: &[Vec<(usize, f64)>], grads: &mut [f64]) {
    let mut reached = vec![false; slopes.len()];
    let root = slopes.len() - 1;
    add(&mut grads[root], &mut reached[root], 1.0);
    for node in (0..slopes.len()).rev() {
        if !reached[node] {
            grads[node] = 0.0;
            continue;
        }
        for &(input, slope) in &slopes[node] {
            let part = slope * grads[node];
            add(&mut grads[input], &mut reached[input], part);
        }
    }
}
