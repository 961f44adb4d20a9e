use crate::all_near;
use crate::solutions::order as right;

/// The loss is node 3: it uses 1 and 2, and 2 uses 1.
fn diamond() -> Vec<Vec<usize>> {
    vec![vec![], vec![0, 0], vec![1], vec![1, 2]]
}

fn tells_topological(is_topological: impl Fn(&[Vec<usize>], &[usize]) -> bool) {
    for (order, expected) in [
        (&[3, 2, 1, 0][..], true),
        (&[3, 1, 0, 2], false), // depth first: node 1 passes on before node 2 has given to it
        (&[0, 1, 2, 3], false),
        (&[3, 2, 1], false),
        (&[3, 2, 1, 1], false),
        (&[3, 2, 2, 1, 0], false),
    ] {
        assert_eq!(
            is_topological(&diamond(), order),
            expected,
            "the order {order:?} of the graph {:?}",
            diamond()
        );
    }
    let two_ends = [vec![], vec![0], vec![0]];
    assert!(
        is_topological(&two_ends, &[1, 2, 0]) && is_topological(&two_ends, &[2, 1, 0]),
        "of {two_ends:?}"
    );
}
exercise!(
    order::is_topological,
    tells_topological,
    wrong: [
        |_, order| order.is_sorted_by(|a, b| a > b), // 1, 2, 0 is as good
        |inputs, order| order.first() == Some(&(inputs.len() - 1)),
        |inputs, order| right::is_topological(inputs, &order.iter().rev().copied().collect::<Vec<_>>()),
        |inputs, order| {
            let at = |node| order.iter().position(|&other| other == node);
            order.iter().enumerate().all(|(i, &node)| inputs[node].iter().all(|&input| Some(i) < at(input)))
        },
    ]
);

fn sorts(sorted: impl Fn(&[Vec<usize>]) -> Vec<usize>) {
    for graph in [
        diamond(),
        vec![vec![1], vec![2], vec![]],
        vec![vec![2], vec![0, 2], vec![3], vec![]],
        vec![vec![], vec![], vec![0, 1]],
    ] {
        let order = sorted(&graph);
        assert!(right::is_topological(&graph, &order), "{order:?} is no topological order of {graph:?}");
    }
}
exercise!(
    order::sorted,
    sorts,
    wrong: [
        |inputs| (0..inputs.len()).collect(),
        |inputs| (0..inputs.len()).rev().collect(), // right for places that count down, and only for them
        |inputs| right::sorted(inputs).into_iter().rev().collect(),
    ]
);

fn are_gradients(gradients: impl Fn(&[Vec<(usize, f64)>]) -> Vec<f64>) {
    let product = [vec![], vec![], vec![(0, 5.0), (1, 2.0)]]; // 2 times 5
    all_near("a product: the gradients", &gradients(&product), &[5.0, 2.0, 1.0]);
    let diamond = [vec![], vec![(0, 3.0), (0, 3.0)], vec![(1, 3.0)], vec![(1, 1.0), (2, 1.0)]]; // x² + 3x² at 3
    all_near("a diamond: the gradients", &gradients(&diamond), &[24.0, 4.0, 1.0, 1.0]);
    let unused = [vec![], vec![(0, 7.0)], vec![(0, 2.0)]]; // node 1 does not reach the last
    all_near("a dead end: the gradients", &gradients(&unused), &[2.0, 0.0, 1.0]);
}
/// Depth first, each node once.
fn depth_first(slopes: &[Vec<(usize, f64)>], node: usize, gradients: &mut [f64], seen: &mut Vec<usize>) {
    seen.push(node);
    for &(input, slope) in &slopes[node] {
        gradients[input] += slope * gradients[node];
        if !seen.contains(&input) {
            depth_first(slopes, input, gradients, seen);
        }
    }
}
/// From the last to the first, with a store instead of the sum.
fn overwriting(slopes: &[Vec<(usize, f64)>]) -> Vec<f64> {
    let mut gradients = vec![0.0; slopes.len()];
    gradients[slopes.len() - 1] = 1.0;
    for node in (0..slopes.len()).rev() {
        for &(input, slope) in &slopes[node] {
            gradients[input] = slope * gradients[node];
        }
    }
    gradients
}
exercise!(
    order::gradients,
    are_gradients,
    wrong: [
        overwriting,
        |slopes| {
            let mut gradients = vec![0.0; slopes.len()];
            gradients[slopes.len() - 1] = 1.0;
            depth_first(slopes, slopes.len() - 1, &mut gradients, &mut vec![]);
            gradients
        },
        |slopes| vec![1.0; slopes.len()],
    ]
);
