//! The layout of a graph: nodes in layers from top to bottom, with few crossings and edges as straight as possible.
//!
//! Sugiyama's method (Sugiyama, Tagawa and Toda, 1981): each node is one layer below the lowest of its inputs; an edge that passes
//! through a layer has a slot of its own there; the nodes of a layer are sorted repeatedly by the mean position of their neighbors, and then
//! moved sideways toward that mean, as far as there is room.

/// A graph to lay out: inputs come before the nodes that use them.
pub(crate) struct Graph<'a> {
    pub sizes: Vec<(f64, f64)>,
    pub inputs: Vec<Vec<usize>>,
    /// The scope of each node, or an empty name; nodes of a scope are side by side.
    pub scopes: Vec<&'a str>,
}

/// The positions of nodes, edges and scopes.
pub(crate) struct Layout<'a> {
    pub width: f64,
    pub height: f64,
    /// The upper left corner of each node.
    pub corners: Vec<(f64, f64)>,
    /// For each node and each of its inputs, in their order: the points that the edge passes.
    pub edges: Vec<Vec<Vec<(f64, f64)>>>,
    /// Boxes around scopes: name, left, top, right, bottom, and whether it is the first box of its scope. A scope has one box if no other
    /// node is inside it, otherwise one for each layer.
    pub scopes: Vec<(&'a str, [f64; 4], bool)>,
}

/// The distance between neighbors in a layer.
const SIDE: f64 = 22.0;
/// The additional distance at the end of a scope.
const SCOPE: f64 = 14.0;
/// The distance between layers.
const BELOW: f64 = 54.0;
/// The margin around the graph.
const MARGIN: f64 = 24.0;
const SWEEPS: usize = 16;

/// A slot in a layer, of a node or of an edge that passes through.
struct Place<'a> {
    node: Option<usize>,
    width: f64,
    scope: &'a str,
    /// The slots in the layers above and below that it is connected to.
    above: Vec<usize>,
    below: Vec<usize>,
}

pub(crate) fn layout<'a>(graph: &Graph<'a>) -> Layout<'a> {
    let level = levels(&graph.inputs);
    let layers = level.iter().max().map_or(0, |&last| last + 1);
    let mut places: Vec<Place> = (graph.sizes.iter().zip(&graph.scopes).enumerate())
        .map(|(node, (&(width, _), &scope))| place(Some(node), width, scope))
        .collect();
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); layers];
    for (node, &level) in level.iter().enumerate() {
        order[level].push(node);
    }
    // the places that each edge passes, from the input to the node
    let mut passed: Vec<Vec<Vec<usize>>> = Vec::new();
    for (node, inputs) in graph.inputs.iter().enumerate() {
        let mut of_node = Vec::new();
        for &input in inputs {
            let mut path = vec![input];
            let shared = graph.scopes[input] == graph.scopes[node];
            for layer in &mut order[level[input] + 1..level[node]] {
                layer.push(places.len());
                path.push(places.len());
                places.push(place(None, 8.0, if shared { graph.scopes[node] } else { "" }));
            }
            path.push(node);
            for pair in path.windows(2) {
                places[pair[0]].below.push(pair[1]);
                places[pair[1]].above.push(pair[0]);
            }
            of_node.push(path);
        }
        passed.push(of_node);
    }
    let order = sorted(order, &places);
    let centers = moved(&order, &places);

    let left = (0..places.len()).map(|p| centers[p] - places[p].width / 2.0).fold(f64::INFINITY, f64::min);
    let shift = MARGIN + SCOPE - left;
    let right =
        (0..places.len()).map(|p| centers[p] + places[p].width / 2.0).fold(f64::NEG_INFINITY, f64::max);
    let mut tops = Vec::new(); // and bottoms, of the layers
    let mut y = MARGIN + SCOPE;
    for layer in &order {
        let height =
            layer.iter().filter_map(|&p| places[p].node).map(|n| graph.sizes[n].1).fold(0.0, f64::max);
        tops.push((y, y + height));
        y += height + BELOW;
    }
    let corner = |node: usize| {
        let ((top, bottom), (width, height)) = (tops[level[node]], graph.sizes[node]);
        (centers[node] + shift - width / 2.0, top + (bottom - top - height) / 2.0)
    };
    let corners: Vec<(f64, f64)> = (0..graph.sizes.len()).map(corner).collect();

    let edges = passed.iter().enumerate().map(|(node, paths)| {
        // edges arrive side by side, in the order in which they come
        let from = |path: &Vec<usize>| centers[path[path.len() - 2]];
        let mut arrivals: Vec<usize> = (0..paths.len()).collect();
        arrivals.sort_by(|&a, &b| from(&paths[a]).total_cmp(&from(&paths[b])));
        let points = |(k, path): (usize, &Vec<usize>)| {
            let rank = arrivals.iter().position(|&a| a == k).unwrap_or(0) as f64;
            let (width, start) = (graph.sizes[node].0, path[0]);
            let spread = 0.6 * width * ((rank + 0.5) / paths.len() as f64 - 0.5);
            let mut points = vec![(centers[start] + shift, corners[start].1 + graph.sizes[start].1)];
            for (step, &passing) in path[1..path.len() - 1].iter().enumerate() {
                let (top, bottom) = tops[level[start] + 1 + step];
                points.extend([(centers[passing] + shift, top), (centers[passing] + shift, bottom)]);
            }
            points.push((centers[node] + shift + spread, corners[node].1));
            points
        };
        paths.iter().enumerate().map(points).collect()
    });
    let edges = edges.collect();

    let mut scopes: Vec<(&str, [f64; 4], bool)> = Vec::new();
    for (layer, row) in order.iter().enumerate() {
        for run in row.chunk_by(|&a, &b| places[a].scope == places[b].scope) {
            let scope = places[run[0]].scope;
            if scope.is_empty() {
                continue;
            }
            let has = |layer: Option<&Vec<usize>>| {
                layer.is_some_and(|row| row.iter().any(|&p| places[p].scope == scope))
            };
            let (first, last) = (run[0], run[run.len() - 1]);
            let above = has(layer.checked_sub(1).and_then(|above| order.get(above)));
            let reach = |joined: bool| if joined { BELOW / 2.0 } else { SCOPE };
            let [top, bottom] =
                [tops[layer].0 - reach(above), tops[layer].1 + reach(has(order.get(layer + 1)))];
            let half = |p: usize| places[p].width / 2.0 + SCOPE / 2.0 + 2.0;
            let sides = [centers[first] - half(first) + shift, centers[last] + half(last) + shift];
            let is_first = scopes.iter().all(|&(name, ..)| name != scope);
            scopes.push((
                scope,
                [sides[0], top - if is_first { 8.0 } else { 0.0 }, sides[1], bottom],
                is_first,
            ));
        }
    }
    let others = |scope: &str| {
        let nodes = (0..graph.sizes.len()).filter(|&node| graph.scopes[node] != scope);
        nodes
            .map(|node| {
                let ((x, y), (w, h)) = (corners[node], graph.sizes[node]);
                [x, y, x + w, y + h]
            })
            .collect::<Vec<_>>()
    };
    let scopes = joined(scopes, others);
    Layout {
        width: right + shift + MARGIN + SCOPE,
        height: y - BELOW + MARGIN + SCOPE,
        corners,
        edges,
        scopes,
    }
}

/// Merges the boxes of a scope into one, if it covers nothing of `others` and no box of another scope; otherwise each is as wide as the scope as
/// far as it covers nothing of these.
fn joined(
    boxes: Vec<(&str, [f64; 4], bool)>,
    others: impl Fn(&str) -> Vec<[f64; 4]>,
) -> Vec<(&str, [f64; 4], bool)> {
    let meet = |a: &[f64; 4], b: &[f64; 4]| a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
    let mut all = boxes.clone();
    for &(scope, ..) in boxes.iter().filter(|&&(.., first)| first) {
        let around =
            |a: [f64; 4], b: [f64; 4]| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])];
        let own = all.iter().filter(|(name, ..)| *name == scope).map(|&(_, sides, _)| sides);
        let Some(whole) = own.reduce(around) else { continue };
        let foreign: Vec<[f64; 4]> = all
            .iter()
            .filter(|(name, ..)| *name != scope)
            .map(|&(_, sides, _)| sides)
            .chain(others(scope))
            .collect();
        let is_free = |sides: &[f64; 4]| !foreign.iter().any(|other| meet(sides, other));
        if is_free(&whole) {
            all.retain(|(name, ..)| *name != scope);
            all.push((scope, whole, true));
            continue;
        }
        for (_, sides, _) in all.iter_mut().filter(|(name, ..)| *name == scope) {
            for side in [0, 2] {
                let wider = [0, 1, 2, 3].map(|k| if k == side { whole[k] } else { sides[k] });
                if is_free(&wider) {
                    *sides = wider;
                }
            }
        }
    }
    all
}

fn place(node: Option<usize>, width: f64, scope: &str) -> Place<'_> {
    Place { node, width, scope, above: Vec::new(), below: Vec::new() }
}

/// Returns the layer of each node: one below the lowest of its inputs; a node without inputs is right above the first that uses it.
fn levels(inputs: &[Vec<usize>]) -> Vec<usize> {
    let mut level = vec![0; inputs.len()];
    for (node, inputs) in inputs.iter().enumerate() {
        level[node] = inputs.iter().map(|&input| level[input] + 1).max().unwrap_or(0);
    }
    for node in (0..inputs.len()).filter(|&node| inputs[node].is_empty()) {
        let users = (0..inputs.len()).filter(|&user| inputs[user].contains(&node));
        level[node] = users.map(|user| level[user] - 1).min().unwrap_or(0);
    }
    level
}

/// Returns the layers, each sorted so that few edges cross and the nodes of a scope are together; the best of all sweeps.
fn sorted(mut order: Vec<Vec<usize>>, places: &[Place]) -> Vec<Vec<usize>> {
    let mut rank = vec![0.0; places.len()];
    let number = |row: &[usize], rank: &mut [f64]| {
        row.iter().enumerate().for_each(|(k, &p)| rank[p] = (k as f64 + 0.5) / row.len() as f64);
    };
    order.iter().for_each(|row| number(row, &mut rank));
    let mut best = (usize::MAX, order.clone());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let count = order.len();
        for k in 0..count {
            let row = &mut order[if down { k } else { count - 1 - k }];
            let key = |p: usize| {
                let near = if down { &places[p].above } else { &places[p].below };
                mean(near.iter().map(|&n| rank[n])).unwrap_or(rank[p])
            };
            let group = |p: usize| match places[p].scope {
                "" => key(p),
                scope => {
                    mean(row.iter().filter(|&&q| places[q].scope == scope).map(|&q| key(q))).unwrap_or(key(p))
                }
            };
            let mut keyed: Vec<_> = row.iter().map(|&p| (group(p), places[p].scope, key(p), p)).collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)).then(a.2.total_cmp(&b.2)));
            *row = keyed.into_iter().map(|(.., p)| p).collect();
            number(row, &mut rank);
        }
        let crossings = crossings(&order, places, &rank);
        if crossings < best.0 {
            best = (crossings, order.clone());
        }
    }
    best.1
}

fn crossings(order: &[Vec<usize>], places: &[Place], rank: &[f64]) -> usize {
    let between = |row: &Vec<usize>| {
        let edges: Vec<(f64, f64)> =
            row.iter().flat_map(|&p| places[p].below.iter().map(move |&q| (rank[p], rank[q]))).collect();
        let crosses = |&(a, b): &(f64, f64)| edges.iter().filter(|&&(c, d)| a < c && b > d).count();
        edges.iter().map(crosses).sum::<usize>()
    };
    order.iter().map(between).sum()
}

/// Returns the center of each slot: near its neighbors, and not closer to the next slot than the distance.
fn moved(order: &[Vec<usize>], places: &[Place]) -> Vec<f64> {
    let mut centers = vec![0.0; places.len()];
    for sweep in 0..2 * SWEEPS {
        for k in 0..order.len() {
            let row = &order[if sweep % 2 == 0 { k } else { order.len() - 1 - k }];
            let wish = |p: usize| {
                let place = &places[p];
                let near = match sweep {
                    0 => place.above.iter().chain(&[]), // the layer below has no positions yet
                    _ => place.above.iter().chain(&place.below),
                };
                mean(near.map(|&n| centers[n])).unwrap_or(centers[p])
            };
            let gap = |pair: &[usize]| {
                let (a, b) = (&places[pair[0]], &places[pair[1]]);
                (a.width + b.width) / 2.0 + SIDE + if a.scope == b.scope { 0.0 } else { 2.0 * SCOPE }
            };
            let mut offsets = vec![0.0];
            row.windows(2).for_each(|pair| offsets.push(offsets[offsets.len() - 1] + gap(pair)));
            let wishes: Vec<f64> = row.iter().zip(&offsets).map(|(&p, offset)| wish(p) - offset).collect();
            for ((&p, x), offset) in row.iter().zip(rising(&wishes)).zip(&offsets) {
                centers[p] = x + offset;
            }
        }
    }
    centers
}

/// Returns the non-decreasing numbers nearest to `wishes` in least squares: neighbors that would decrease are pooled at their mean.
fn rising(wishes: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, usize)> = Vec::new(); // sum, and of how many
    for &wish in wishes {
        pools.push((wish, 1));
        while let [.., (a, m), (b, n)] = pools[..]
            && a / m as f64 > b / n as f64
        {
            pools.truncate(pools.len() - 2);
            pools.push((a + b, m + n));
        }
    }
    pools.iter().flat_map(|&(sum, n)| vec![sum / n as f64; n]).collect()
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_fall_are_pooled() {
        assert_eq!(rising(&[1.0, 3.0, 2.0, 2.0, 5.0]), [1.0, 7.0 / 3.0, 7.0 / 3.0, 7.0 / 3.0, 5.0]);
        assert_eq!(rising(&[3.0, 2.0, 1.0]), [2.0; 3]);
    }

    #[test]
    fn nodes_never_overlap_and_edges_run_down() {
        // a chain with shortcuts and many leaves, in two scopes
        let inputs: Vec<Vec<usize>> = (0..60)
            .map(|n: usize| match n % 3 {
                0 if n > 3 => vec![n - 3, n - 1, n / 2],
                0 => vec![],
                _ => vec![],
            })
            .collect();
        let scopes = (0..60)
            .map(|n| {
                if n < 20 {
                    "first"
                } else if n < 45 {
                    "second"
                } else {
                    ""
                }
            })
            .collect();
        let sizes: Vec<(f64, f64)> =
            (0..60).map(|n| (100.0 + f64::from(n % 7) * 10.0, 30.0 + f64::from(n % 5) * 9.0)).collect();
        let graph = Graph { sizes: sizes.clone(), inputs, scopes };
        let layout = layout(&graph);
        for a in 0..60 {
            let ((x, y), (w, h)) = (layout.corners[a], sizes[a]);
            assert!(x >= 0.0 && y >= 0.0 && x + w <= layout.width && y + h <= layout.height);
            for (b, (&(u, v), &(s, t))) in layout.corners.iter().zip(&sizes).enumerate().take(a) {
                assert!(x + w <= u || u + s <= x || y + h <= v || v + t <= y, "{a} on {b}");
            }
            for path in &layout.edges[a] {
                assert!(path.is_sorted_by(|p, q| p.1 < q.1), "{path:?}");
            }
        }
        for (name, [left, top, right, bottom], _) in &layout.scopes {
            for (node, (&(x, y), &(w, h))) in layout.corners.iter().zip(&sizes).enumerate() {
                let apart = x + w <= *left || *right <= x || y + h <= *top || *bottom <= y;
                assert!(apart || graph.scopes[node] == *name, "{node} in the box of {name}");
            }
        }
    }

    #[test]
    fn the_graph_ends_where_the_last_node_does() {
        let inputs = vec![vec![], vec![], vec![0, 1], vec![], vec![2, 3], vec![4], vec![], vec![5, 6]];
        let graph = Graph { sizes: vec![(80.0, 20.0); 8], inputs, scopes: vec![""; 8] };
        let layout = layout(&graph);
        let ends = |pick: fn(f64, f64) -> f64, from: f64| layout.corners.iter().map(|c| c.0).fold(from, pick);
        let (left, right) = (ends(f64::min, f64::INFINITY), ends(f64::max, f64::NEG_INFINITY) + 80.0);
        assert!((layout.width - right - left).abs() < 1e-9, "{left} to {right} of {}", layout.width);
    }

    #[test]
    fn a_chain_stands_straight() {
        let graph = Graph {
            sizes: vec![(80.0, 20.0); 4],
            inputs: vec![vec![], vec![0], vec![1], vec![2]],
            scopes: vec![""; 4],
        };
        let layout = layout(&graph);
        assert!(layout.corners.windows(2).all(|pair| pair[0].0 == pair[1].0 && pair[0].1 < pair[1].1));
        // and no room is left over on either side
        let margin = layout.corners[0].0;
        assert_eq!(layout.width, 80.0 + 2.0 * margin);
    }
}
