//! How a batch is cut in shards, and how their gradients are averaged: in a fixed tree, whoever computes them.
//!
//! The leaves of the tree are the shards. Two neighbors make a node of the next level, and a last one without a neighbor goes up as it is:
//!
//! ```text
//! level 2      0-4
//! level 1   0-2   2-4   4-5
//! level 0  0  1  2  3  4
//! ```
//!
//! A node has the mean over its rows, by linear interpolation between its two parts. A rank computes neighboring shards, adds up the
//! largest nodes that it can, its roots, and the roots of all ranks in their order make the same tree.

use std::ops::Range;

/// A batch of rows in shards of about the same number of rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shards {
    rows: usize,
    pub count: usize,
}

/// A node of the tree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    level: u32,
    index: usize,
}

impl Node {
    pub fn leaf(shard: usize) -> Self {
        Node { level: 0, index: shard }
    }
    fn up(self) -> Self {
        Node { level: self.level + 1, index: self.index / 2 }
    }
}

impl Shards {
    /// At most `most` shards, but none has one row alone, which is too few for batch normalization.
    pub fn new(rows: usize, most: usize) -> Self {
        Shards { rows, count: most.min(rows / 2).max(1) }
    }

    /// The rows of some shards.
    pub fn rows(self, shards: Range<usize>) -> Range<usize> {
        let start = |shard: usize| (shard as u128 * self.rows as u128 / self.count as u128) as usize;
        start(shards.start)..start(shards.end)
    }

    /// The number of rows of the smallest shard.
    pub fn least_rows(self) -> usize {
        self.rows / self.count
    }

    /// The shards that a rank computes; none, if there are more ranks than shards.
    pub fn of_rank(self, rank: usize, size: usize) -> Range<usize> {
        rank * self.count / size..(rank + 1) * self.count / size
    }

    /// The roots of some neighboring shards.
    pub fn roots(self, shards: Range<usize>) -> impl Iterator<Item = Node> {
        let mut roots = Vec::new();
        shards.for_each(|shard| self.push(&mut roots, Node::leaf(shard), (), |_, (), ()| ()));
        roots.into_iter().map(|(node, ())| node)
    }

    fn rows_of(self, node: Node) -> usize {
        let end = (node.index + 1) << node.level;
        self.rows(node.index << node.level..end.min(self.count)).len()
    }

    /// Appends the next node to roots, and merges as many of them as it can. `merge` gets the share of the right part in the rows of both.
    pub fn push<M>(
        self,
        roots: &mut Vec<(Node, M)>,
        mut node: Node,
        mut mean: M,
        mut merge: impl FnMut(f64, M, M) -> M,
    ) {
        loop {
            let is_last = (node.index + 1) << node.level >= self.count;
            let left = Node { index: node.index.wrapping_sub(1), ..node };
            if node.index % 2 == 1
                && let Some((_, of_left)) = roots.pop_if(|(node, _)| *node == left)
            {
                let rows = self.rows_of(node);
                mean = merge(rows as f64 / (rows + self.rows_of(left)) as f64, of_left, mean);
                node = node.up();
            } else if is_last && node.index > 0 && node.index.is_multiple_of(2) {
                node = node.up(); // it has no neighbor
            } else {
                return roots.push((node, mean));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every node as text, "(0 1)".
    fn tree(shards: Shards, size: usize) -> Vec<(Node, String)> {
        let merge = |_: f64, left: String, right: String| format!("({left} {right})");
        let mut all = Vec::new();
        for rank in 0..size {
            let mut roots = Vec::new();
            for shard in shards.of_rank(rank, size) {
                shards.push(&mut roots, Node::leaf(shard), shard.to_string(), merge);
            }
            assert!(roots.iter().map(|(node, _)| *node).eq(shards.roots(shards.of_rank(rank, size))));
            for (node, mean) in roots {
                shards.push(&mut all, node, mean, merge);
            }
        }
        all
    }

    #[test]
    fn the_tree_does_not_depend_on_the_number_of_ranks() {
        assert_eq!(tree(Shards::new(100, 5), 1)[0].1, "(((0 1) (2 3)) 4)");
        assert_eq!(tree(Shards::new(100, 6), 1)[0].1, "(((0 1) (2 3)) (4 5))");
        for count in 1..40 {
            let shards = Shards::new(100, count);
            let alone = tree(shards, 1);
            assert_eq!(alone.len(), 1, "{count}");
            (2..45).for_each(|size| assert_eq!(tree(shards, size), alone, "{count} shards on {size} ranks"));
        }
    }

    #[test]
    fn the_weights_of_the_rows_are_equal() {
        for (rows, count) in [(7, 3), (100, 8), (512, 8), (101, 50), (3, 8), (1, 4)] {
            let shards = Shards::new(rows, count);
            let mut roots = Vec::new();
            for shard in 0..shards.count {
                let rows = shards.rows(shard..shard + 1);
                assert!(rows.len() >= shards.least_rows() && rows.len() >= 2.min(shards.rows));
                let sum: usize = rows.clone().sum();
                let mean = sum as f64 / rows.len() as f64;
                shards.push(&mut roots, Node::leaf(shard), mean, |share, left, right| {
                    left + share * (right - left)
                });
            }
            let mean = (rows - 1) as f64 / 2.0;
            assert!((roots[0].1 - mean).abs() <= 1e-15 * rows as f64, "{rows} rows in {count} shards");
        }
    }
}
