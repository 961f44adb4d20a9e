pub fn is_topological(inputs: &[Vec<usize>], order: &[usize]) -> bool {
    let place = |node: usize| order.iter().position(|&other| other == node);
    order.len() == inputs.len()
        && (0..inputs.len()).all(|node| {
            place(node).is_some_and(|at| {
                inputs[node].iter().all(|&input| place(input).is_some_and(|behind| at < behind))
            })
        })
}

pub fn sorted(inputs: &[Vec<usize>]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..inputs.len()).collect();
    let mut order = vec![];
    while !left.is_empty() {
        let unused = |node: &usize| left.iter().all(|&user| !inputs[user].contains(node));
        let next = left.iter().position(unused).expect("there is no cycle");
        order.push(left.remove(next));
    }
    order
}

pub fn gradients(slopes: &[Vec<(usize, f64)>]) -> Vec<f64> {
    let mut gradients = vec![0.0; slopes.len()];
    if let Some(last) = gradients.last_mut() {
        *last = 1.0;
    }
    for node in (0..slopes.len()).rev() {
        for &(input, slope) in &slopes[node] {
            gradients[input] += slope * gradients[node];
        }
    }
    gradients
}
