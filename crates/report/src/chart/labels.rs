//! Placing text: names at the ends of lines, remarks beside points.

/// Moves stacked labels apart as little as possible, in the sense of least squares.
///
/// Takes the wanted center and the height of each label, from top to bottom, and the band they must stay in;
/// returns the centers. If they fit into the band at all they neither overlap nor leave it.
///
/// Subtracting from each center the heights above it turns "no overlap" into "non-decreasing", so this is isotonic
/// regression, solved by pooling adjacent violators; clamping its solution solves the bounded problem.
pub(super) fn spread(labels: &[(f64, f64)], top: f64, bottom: f64) -> Vec<f64> {
    let mut above = 0.0;
    let mut pools: Vec<(f64, usize)> = Vec::new(); // mean of the reduced centers, number of labels
    let mut offsets = Vec::with_capacity(labels.len());
    for &(center, height) in labels {
        offsets.push(above + height / 2.0);
        let mut pool = (center - above - height / 2.0, 1);
        above += height;
        while let Some(&(mean, count)) = pools.last().filter(|(mean, _)| *mean > pool.0) {
            pools.pop();
            let total = count + pool.1;
            pool = ((mean * count as f64 + pool.0 * pool.1 as f64) / total as f64, total);
        }
        pools.push(pool);
    }
    let last = (bottom - above).max(top);
    let reduced =
        pools.into_iter().flat_map(|(mean, count)| std::iter::repeat_n(mean.clamp(top, last), count));
    reduced.zip(offsets).map(|(mean, offset)| mean + offset).collect()
}

/// An axis-parallel box, in the units of the drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    pub(super) fn centered((x, y): (f64, f64), (width, height): (f64, f64)) -> Rect {
        Rect {
            left: x - width / 2.0,
            right: x + width / 2.0,
            top: y - height / 2.0,
            bottom: y + height / 2.0,
        }
    }

    pub(super) fn overlaps(&self, other: &Rect) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn holds(&self, (x, y): (f64, f64)) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    fn contains(&self, other: &Rect) -> bool {
        self.holds((other.left, other.top)) && self.holds((other.right, other.bottom))
    }
}

/// The best place for a remark of `size` (width, height) near `point`: inside the plot, clear of other remarks, on
/// little `ink` (points along the lines) and not far away.
pub(super) fn place_remark(
    point: (f64, f64),
    (width, height): (f64, f64),
    plot: Rect,
    taken: &[Rect],
    ink: &[(f64, f64)],
) -> Rect {
    let distances = [8.0, 20.0, 36.0, 56.0, 80.0, 110.0, 150.0];
    cheapest(around(point, (width, height), &distances), plot, taken, ink).1
}

/// The best place for a name of `size` at the middle of its points: there, or as near as other names let it.
pub(super) fn place_centered(point: (f64, f64), size: (f64, f64), plot: Rect, taken: &[Rect]) -> Rect {
    let here = (0.0, Rect::centered(point, size));
    let near = around(point, size, &[0.0, 4.0, 8.0, 14.0, 22.0, 32.0, 44.0]);
    // a place beside the point is as far away as the centers are
    let near = near.map(|(distance, rect)| (distance + size.0.min(size.1), rect));
    cheapest(std::iter::once(here).chain(near), plot, taken, &[]).1
}

/// The best place for a remark of `size` beside a vertical line at `x`: as high as text and ink leave room; and its cost.
pub(super) fn place_beside(
    x: f64,
    (width, height): (f64, f64),
    plot: Rect,
    taken: &[Rect],
    ink: &[(f64, f64)],
) -> (f64, Rect) {
    let steps = ((plot.bottom - plot.top - height) / 5.0).max(0.0) as usize;
    let places = (0..=steps).map(|step| 5.0 * step as f64).flat_map(|down| {
        [1.0, -1.0].map(|side| {
            let center = (x + side * (width / 2.0 + 6.0), plot.top + 2.0 + down + height / 2.0);
            (0.1 * down, Rect::centered(center, (width, height)))
        })
    });
    cheapest(places, plot, taken, ink)
}

/// Boxes of `size` whose facing corner or edge lies that far from `point`, with the distance as their cost.
fn around(
    point: (f64, f64),
    (width, height): (f64, f64),
    distances: &[f64],
) -> impl Iterator<Item = (f64, Rect)> {
    const DIRECTIONS: [(f64, f64); 8] = [
        (1.0, -1.0),
        (1.0, 1.0),
        (-1.0, -1.0),
        (-1.0, 1.0),
        (0.0, -1.0),
        (0.0, 1.0),
        (1.0, 0.0),
        (-1.0, 0.0),
    ];
    distances.iter().flat_map(move |&distance| {
        DIRECTIONS.map(|(dx, dy)| {
            let reach = if dx * dy == 0.0 { distance } else { distance * std::f64::consts::FRAC_1_SQRT_2 };
            let center = (point.0 + dx * (reach + width / 2.0), point.1 + dy * (reach + height / 2.0));
            (distance, Rect::centered(center, (width, height)))
        })
    })
}

/// Of places with a cost, the first for which that of leaving the plot, of other words and of covered ink adds least; and all its cost.
fn cheapest(
    places: impl Iterator<Item = (f64, Rect)>,
    plot: Rect,
    taken: &[Rect],
    ink: &[(f64, f64)],
) -> (f64, Rect) {
    let mut best = (f64::INFINITY, plot);
    for (distance, rect) in places {
        let covered = ink.iter().filter(|&&p| rect.holds(p)).count();
        let clashes = taken.iter().filter(|other| other.overlaps(&rect)).count();
        let outside = if plot.contains(&rect) { 0.0 } else { 1e6 };
        let cost = distance + 15.0 * covered as f64 + 1e3 * clashes as f64 + outside;
        if cost < best.0 {
            best = (cost, rect);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_spread(labels: &[(f64, f64)], expected: &[f64]) {
        let got = spread(labels, 0.0, 100.0);
        assert!(
            got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9),
            "{got:?}, expected {expected:?}"
        );
    }

    #[test]
    fn labels_move_only_as_far_as_needed() {
        check_spread(&[], &[]);
        check_spread(&[(20.0, 10.0), (70.0, 10.0)], &[20.0, 70.0]); // far apart: stay
        check_spread(&[(50.0, 10.0), (50.0, 10.0)], &[45.0, 55.0]); // same end: half each
        check_spread(&[(50.0, 10.0), (52.0, 20.0)], &[43.5, 58.5]); // heights differ
        check_spread(&[(0.0, 10.0), (2.0, 10.0)], &[5.0, 15.0]); // pushed in from the top
        check_spread(&[(99.0, 10.0), (100.0, 10.0)], &[85.0, 95.0]); // and from the bottom
    }

    #[test]
    fn remarks_avoid_ink_and_each_other() {
        let plot = Rect { left: 0.0, top: 0.0, right: 200.0, bottom: 200.0 };
        let free = place_remark((100.0, 100.0), (40.0, 20.0), plot, &[], &[]);
        assert!(free.left > 100.0 && free.bottom < 100.0, "above right is preferred: {free:?}");
        let other = place_remark((100.0, 100.0), (40.0, 20.0), plot, &[free], &[]);
        assert!(!other.overlaps(&free));
        let inked = place_remark((100.0, 100.0), (40.0, 20.0), plot, &[], &[(120.0, 85.0)]);
        assert!(!inked.holds((120.0, 85.0)));
        let corner = place_remark((199.0, 1.0), (40.0, 20.0), plot, &[], &[]);
        assert!(plot.contains(&corner), "{corner:?}");
    }
}
