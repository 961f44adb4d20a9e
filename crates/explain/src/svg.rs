//! The drawing of an explanation: boxes in layers, gradients as the thickness of edges.

use std::collections::VecDeque;

use surprisal_report::text::{escape, number, width};
use surprisal_report::theme::{DARK, LIGHT, Theme};

use crate::heat_map::{HeatMap, Pictures};
use crate::layout::{Graph, layout};
use crate::numbers::{FEW, digits, norm};
use crate::{Explanation, Node, Statistics};

/// The width of a node's box, and of one with pictures.
const BOX: f64 = 172.0;
const WIDE_BOX: f64 = 260.0;
const PAD: f64 = 10.0;
const SIZE: f64 = 13.0;
const LINE: f64 = 17.0;
/// The rows of a box, from top to bottom.
enum Row {
    Text(&'static str, String),
    /// Heat maps side by side.
    Maps(Vec<HeatMap>),
}

impl Row {
    fn height(&self, inside: f64) -> f64 {
        match self {
            Row::Text(..) => LINE,
            Row::Maps(maps) => {
                maps.iter().map(|map| map.height(room(maps.len(), inside))).fold(0.0, f64::max) + LINE + 4.0
            }
        }
    }
}

/// The width of each of some maps side by side.
fn room(maps: usize, inside: f64) -> f64 {
    (inside - 8.0 * (maps as f64 - 1.0)) / maps as f64
}

impl Explanation {
    /// Returns the graph as SVG: a box for each node, in layers from the inputs down to the result.
    ///
    /// A box shows the name, the operation, and the numbers. Many numbers are a heat map: the value on the left, its gradient on the right, blue
    /// below 0 and vermilion above, darkest where the numbers are largest. Of images `[N, C, H, W]` it shows the channels of the first, one
    /// picture each, gray from the smallest number to the largest, and under them their gradients; of the weights of a convolution, its kernels.
    /// At most 16 pictures are drawn, or 8 if they have more than 12 columns, and the number of the others is noted. The thickness of an edge is the norm of the gradient that flows back
    /// along it: 7 units for the largest, 1.5 less for every factor of 10; an edge without a gradient is dotted. A vermilion frame marks
    /// units that are saturated or dead. Tinted areas are scopes. Of more than 250 nodes, those nearest to the result are drawn, with a note.
    /// The group of each node has the id `PREFIX-n` with its index in [`nodes`](Self::nodes), for scripts.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// let svg = explain(loss).to_svg("neuron");
    /// assert!(svg.starts_with("<svg") && svg.contains("id=\"neuron-1\""));
    /// ```
    pub fn to_svg(&self, prefix: &str) -> String {
        let prefix: String =
            prefix.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let (drawn, of) = self.drawn();
        let rows: Vec<Vec<Row>> = drawn.iter().map(|&at| self.rows(at)).collect();
        let place = |at: usize| drawn.iter().position(|&other| other == at);
        // of an input that an operation uses twice one edge is drawn
        let inputs: Vec<Vec<usize>> = drawn
            .iter()
            .map(|&at| {
                let mut inputs: Vec<usize> =
                    self.nodes[at].inputs.iter().filter_map(|&input| place(input)).collect();
                inputs.sort_unstable();
                inputs.dedup();
                inputs
            })
            .collect();
        let size = |(&at, rows): (&usize, &Vec<Row>)| {
            let wide = self.width(at);
            let rows = rows.iter().map(|row| row.height(wide - 2.0 * PAD));
            (wide, rows.sum::<f64>() + 2.0 * PAD - 4.0)
        };
        let sizes = drawn.iter().zip(&rows).map(size).collect();
        let scopes = drawn.iter().map(|&at| self.nodes[at].scope.as_str()).collect();
        let graph = Graph { sizes, inputs, scopes };
        let layout = layout(&graph);

        let mut body = String::new();
        if drawn.len() < of {
            body += &text(
                "label",
                24.0,
                17.0,
                &format!("the {} boxes nearest to the result, of {of}", drawn.len()),
            );
        }
        for (_, [left, top, right, bottom], _) in &layout.scopes {
            let [x, y, w, h] = [*left, *top, right - left, bottom - top].map(number);
            body += &format!("<rect class=\"scope\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\"/>\n");
        }
        let strongest = (self.nodes.iter().flat_map(|n| &n.sends))
            .map(|s| norm(&s.gradient))
            .filter(|l| l.is_finite())
            .fold(0.0, f64::max);
        for (k, &at) in drawn.iter().enumerate() {
            for (&input, points) in graph.inputs[k].iter().zip(&layout.edges[k]) {
                let sent = self.nodes[at].sends.iter().filter(|sent| sent.to == drawn[input]);
                let length = sent.map(|sent| norm(&sent.gradient)).reduce(f64::max);
                body += &edge(points, length, strongest, &format!("{prefix}-{}-{at}", drawn[input]));
            }
        }
        for (name, [left, top, ..], first) in &layout.scopes {
            if *first {
                body += &text("label", left + 8.0, top + 13.0, &fitting(name, BOX));
            }
        }
        for (k, (&at, rows)) in drawn.iter().zip(&rows).enumerate() {
            let (corner, size) = (layout.corners[k], graph.sizes[k]);
            body += &self.node(at, rows, corner, size, &format!("{prefix}-{at}"));
        }
        let (w, h) = (number(layout.width), number(layout.height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tape\" xml:space=\"preserve\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" style=\"--wide:{w}px\" \
             role=\"img\" aria-labelledby=\"{prefix}-title {prefix}-desc\">\n<title id=\"{prefix}-title\">{title}</title>\n\
             <desc id=\"{prefix}-desc\">{description}</desc>\n<style>{css}</style>\n{body}</svg>\n",
            title =
                escape(&format!("The computation of {}", self.nodes.last().map_or("nothing", |n| &n.name))),
            description = escape(&self.passes()),
            css = css(),
        )
    }

    /// The nodes that have a box, nearest to the result, and the number of all. The limit keeps the layout fast.
    pub(crate) fn drawn(&self) -> (Vec<usize>, usize) {
        const MOST: usize = 250;
        let of = self.nodes.iter().filter(|node| !node.is_constant()).count();
        let (mut seen, mut drawn) = (vec![false; self.nodes.len()], Vec::new());
        let mut next = VecDeque::from_iter(self.nodes.len().checked_sub(1));
        while let Some(at) = next.pop_front().filter(|_| drawn.len() < MOST) {
            if std::mem::replace(&mut seen[at], true) || self.nodes[at].is_constant() {
                continue;
            }
            drawn.push(at);
            next.extend(&self.nodes[at].inputs);
        }
        drawn.sort_unstable();
        (drawn, of)
    }

    fn width(&self, at: usize) -> f64 {
        if Pictures::of(&self.nodes[at]).is_some() { WIDE_BOX } else { BOX }
    }

    /// The rows in the box of a node.
    fn rows(&self, at: usize) -> Vec<Row> {
        let (node, inside) = (&self.nodes[at], self.width(at) - 2.0 * PAD);
        let kind = match node.value.len() {
            1 => node.card.name.to_string(),
            _ => format!("{} {}", node.card.name, node.shape),
        };
        let mut rows =
            vec![Row::Text("name", fitting(&node.name, inside)), Row::Text("quiet", fitting(&kind, inside))];
        let gradient = node.gradient.as_deref();
        if node.value.len() <= FEW && node.columns() <= 4 {
            for (class, numbers, sign) in [("value", Some(&node.value[..]), ""), ("gradient", gradient, "∂ ")]
            {
                for row in numbers.into_iter().flat_map(|numbers| numbers.chunks(node.columns().max(1))) {
                    let precision = if row.len() == 1 { 6 } else { 2 };
                    let numbers: Vec<String> = row.iter().map(|&x| digits(x, precision)).collect();
                    rows.push(Row::Text(class, fitting(&format!("{sign}{}", numbers.join("  ")), inside)));
                }
            }
        } else {
            let Statistics { min, max, .. } = Statistics::of(&node.value);
            let range = |precision| format!("{} .. {}", digits(min, precision), digits(max, precision));
            let length = |gradient| format!("|∂| {}", digits(norm(gradient), 2));
            match Pictures::of(node) {
                Some(pictures) => {
                    rows.extend(
                        pictures.notes().into_iter().map(|note| Row::Text("quiet", fitting(&note, inside))),
                    );
                    let map = |class, caption, numbers, is_gray| {
                        Row::Maps(vec![HeatMap::pictures(class, caption, numbers, &pictures, is_gray)])
                    };
                    rows.push(map("value", range(2), &node.value, !node.is_parameter));
                    rows.extend(gradient.map(|g| map("gradient", length(g), g, false)));
                }
                None => {
                    let columns = match *node.shape.dims() {
                        [_, channels, 1, 1] => channels,
                        _ => node.columns(),
                    };
                    let map = |class, caption, numbers| HeatMap::new(class, caption, numbers, columns);
                    let mut maps = vec![map("value", range(1), &node.value)];
                    maps.extend(gradient.map(|g| map("gradient", length(g), g)));
                    rows.push(Row::Maps(maps));
                }
            }
        }
        rows.extend(warning(node).map(|warning| Row::Text("warning", fitting(&warning, inside))));
        rows
    }

    fn node(
        &self,
        at: usize,
        rows: &[Row],
        (left, top): (f64, f64),
        (wide, high): (f64, f64),
        id: &str,
    ) -> String {
        let node = &self.nodes[at];
        let kind = if warning(node).is_some() {
            "warned"
        } else if node.is_parameter {
            "parameter"
        } else if node.inputs.is_empty() {
            "data"
        } else {
            "operation"
        };
        let mut out = format!(
            "<g id=\"{id}\" class=\"node {kind}\">\n<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>\n",
            number(left),
            number(top),
            number(wide),
            number(high),
            if node.inputs.is_empty() { "14" } else { "4" },
        );
        let inside = wide - 2.0 * PAD;
        let mut y = top + PAD - 2.0;
        for row in rows {
            match row {
                Row::Text(class, words) => out += &text(class, left + PAD, y + 0.78 * LINE, words),
                Row::Maps(maps) => {
                    let step = (inside + 8.0) / maps.len() as f64;
                    for (k, map) in maps.iter().enumerate() {
                        let x = left + PAD + k as f64 * step;
                        let caption = fitting(&map.caption, step - 6.0);
                        out += &text(map.class, x, y + 0.78 * LINE, &caption);
                        out += &map.draw(x, y + LINE + 1.0, room(maps.len(), inside));
                        out.push('\n');
                    }
                }
            }
            y += row.height(inside);
        }
        out + "</g>\n"
    }
}

fn warning(node: &Node) -> Option<String> {
    node.units().and_then(|units| units.warning())
}

/// A curve through the points, with the width of the gradient norm.
fn edge(points: &[(f64, f64)], length: Option<f64>, strongest: f64, id: &str) -> String {
    let mut d = String::new();
    for (k, &(x, y)) in points.iter().enumerate() {
        d += &match k.checked_sub(1).map(|before| points[before]) {
            None => format!("M{} {}", number(x), number(y)),
            Some((u, v)) => {
                let middle = number((v + y) / 2.0);
                format!("C{} {middle} {} {middle} {} {}", number(u), number(x), number(x), number(y))
            }
        };
    }
    let (class, wide) = match length {
        Some(length) if !length.is_finite() => ("edge", 7.0),
        Some(length) if length > 0.0 => ("edge", (7.0 + 1.5 * (length / strongest).log10()).clamp(1.0, 7.0)),
        Some(_) => ("edge none", 1.0),
        None => ("edge still", 1.0),
    };
    format!("<path id=\"{id}\" class=\"{class}\" stroke-width=\"{}\" d=\"{d}\"/>\n", number(wide))
}

fn text(class: &str, x: f64, y: f64, words: &str) -> String {
    format!("<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>\n", number(x), number(y), escape(words))
}

/// The text, cut to the width.
fn fitting(words: &str, room: f64) -> String {
    if width(words, SIZE) <= room {
        return words.to_string();
    }
    let mut short = String::new();
    for c in words.chars() {
        if width(&format!("{short}{c}…"), SIZE) > room {
            break;
        }
        short.push(c);
    }
    short + "…"
}

fn css() -> String {
    let colors = |theme: &Theme| {
        let Theme { paper, ink, muted, grid, axis, lines: [blue, vermilion, green, ..] } = theme;
        format!(
            ".tape{{background:{paper};color:{ink}}}.tape .quiet,.tape .label{{fill:{muted}}}.tape text.gradient{{fill:{blue}}}\
             .tape .warning{{fill:{vermilion}}}.tape .node rect{{fill:{paper};stroke:{axis}}}\
             .tape .parameter rect{{stroke:{green}}}.tape .warned rect{{stroke:{vermilion}}}.tape .scope{{fill:{grid}}}\
             .tape .edge{{stroke:{blue}}}.tape .none{{stroke:{vermilion}}}.tape .still{{stroke:{axis}}}\
             .tape .minus{{fill:{blue}}}.tape .plus{{fill:{vermilion}}}.tape .gray{{fill:{ink}}}.tape .frame{{stroke:{grid}}}\
             .tape .now rect{{stroke:{ink}}}"
        )
    };
    format!(
        ".tape{{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;\
         font-variant-numeric:tabular-nums}}.tape text{{fill:currentColor}}.tape .name{{font-weight:600}}\
         .tape .label{{font-style:italic}}.tape .node rect{{stroke-width:1.2}}.tape .parameter rect,.tape .warned rect{{stroke-width:2}}\
         .tape .now rect{{stroke-width:3.5}}.tape .edge{{fill:none;stroke-linecap:round;opacity:.75}}\
         .tape .none,.tape .still{{stroke-dasharray:.1 5;stroke-width:1.6}}.tape .frame{{fill:none;vector-effect:non-scaling-stroke}}.tape .later{{opacity:.4}}.tape .unknown .gradient{{visibility:hidden}}.tape .edge.unknown{{stroke-width:1.5}}\
         {}@media screen and (prefers-color-scheme:dark){{{}}}",
        colors(&LIGHT),
        colors(&DARK)
    )
}
