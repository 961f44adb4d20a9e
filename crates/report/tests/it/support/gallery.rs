//! One picture of each kind, with what makes it hard: long words, gaps, clouds, cells without a value.

use surprisal_report::chart::{Band, Chart, Forest, HeatMap, Line, Panels, Points};
use surprisal_report::statistics::Estimate;

/// Numbers in [0, 1) that are the same in every run (xorshift).
fn noise(mut state: u64) -> impl FnMut() -> f64 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

pub fn curves() -> Chart {
    let curve = |rate: f64, end: f64| {
        (1..=1000).map(move |i| (f64::from(i), end - 0.8 * (-rate * f64::from(i)).exp()))
    };
    let band = |rate: f64, end: f64| curve(rate, end).map(|(x, y)| (x, y - 0.05, y + 0.05));
    Chart::new("Accuracy on unseen rows")
        .subtitle("mean and 95 % interval of 8 seeds")
        .x_label("epoch")
        .y_label("accuracy")
        .log_x()
        .percent_y()
        .band(Band::new(band(0.01, 0.95)).color(0))
        .band(Band::new(band(0.001, 0.9)).color(1))
        .line(Line::new("cross-entropy", curve(0.01, 0.95)).color(0))
        .line(Line::new("squared error", curve(0.001, 0.9)).color(1))
        .vertical(10.0, "switch to squared error at epoch 10")
        .mark(100.0, 0.65, "half way")
}

/// Ten clouds, some on top of each other.
pub fn clouds(each: usize) -> Chart {
    let mut random = noise(7);
    let mut normal = move || (0..12).map(|_| random()).sum::<f64>() - 6.0;
    (0..10).fold(
        Chart::new("Digits").x_label("first component").y_label("second component"),
        |chart, digit| {
            let angle = f64::from(digit);
            let (x, y) = (4.0 * angle.cos() * (angle * 0.7).sin(), 3.0 * angle.sin());
            let points: Vec<_> = (0..each).map(|_| (x + normal(), y + normal())).collect();
            chart.points(Points::new(digit.to_string(), points).label_at_center())
        },
    )
}

pub fn few_points() -> Chart {
    let points = |name: &str, shift: f64| {
        Points::new(
            name,
            (0..12).map(move |i| (f64::from(i), shift + (f64::from(i * i) * 0.7 + shift).sin())),
        )
    };
    Chart::new("Error against width")
        .x_label("width")
        .points(points("sigmoid", 0.0))
        .points(points("tanh", 1.0))
        .points(points("relu", 2.0))
        .points(points("gelu", 3.0))
        .points(points("a fifth with a longer name", 4.0))
        .line(Line::new("fit", [(0.0, 0.0), (11.0, 4.0)]))
}

pub fn table_map() -> HeatMap {
    HeatMap::new("Epochs to 97 %")
        .subtitle("digits, one hidden layer, cross-entropy")
        .x_label("learning rate")
        .value_label("epochs")
        .columns(["0.01", "0.1", "1", "10"])
        .rows(["small start", "usual start", "sure and wrong", "saturated far beyond all hope"])
        .values([
            [1800.0, 210.0, 24.0, 5.0],
            [2100.0, 260.0, 31.0, 7.0],
            [2900.0, 480.0, 66.0, f64::NAN],
            [f64::NAN, 2400.0, f64::INFINITY, 90.0],
        ])
        .missing("> 3000")
        .log()
}

/// Squared error and cross-entropy of one neuron over its weight and bias, with a hole.
pub fn surface(squared: bool, side: usize) -> HeatMap {
    let at = |i: usize| -6.0 + 12.0 * i as f64 / (side - 1) as f64;
    let value = move |w: f64, b: f64| {
        let p = |x: f64| 1.0 / (1.0 + (-w * x - b).exp());
        let loss =
            |p: f64, y: f64| if squared { (p - y).powi(2) } else { -(1.0 - (p - y).abs()).max(1e-9).ln() };
        if (w + 3.0).hypot(b - 4.0) < 0.8 { f64::NAN } else { loss(p(1.0), 1.0) + loss(p(-2.0), 0.0) }
    };
    HeatMap::new(if squared { "Squared error" } else { "Cross-entropy" })
        .x_label("weight")
        .y_label("bias")
        .value_label("loss")
        .x_span(-6.0, 6.0)
        .y_span(-6.0, 6.0)
        .values((0..side).map(|row| (0..side).map(move |column| value(at(column), at(row)))))
        .scale(0.0, 10.0)
}

pub fn surfaces() -> Panels {
    Panels::new("surfaces", "Two surfaces, one scale", 2)
        .subtitle("Loss of one neuron over two points")
        .panel(surface(true, 61).subtitle("bounded"))
        .panel(surface(false, 61))
}

pub fn forest() -> Forest {
    let of = |mean: f64, low: f64, high: f64| Estimate { mean, low, high };
    Forest::new("Accuracy won by cross-entropy")
        .subtitle("mean and 95 % interval of 8 paired seeds")
        .x_label("percentage points")
        .reference(0.0, "no difference")
        .row("digits", of(4.2, 3.1, 5.3), 0)
        .row("breast cancer, 16 hidden units, momentum", of(-0.2, -1.5, 1.1), 1)
        .row("iris", of(12.5, 8.0, 17.0), 2)
        .row("diverged", of(f64::NAN, f64::NAN, f64::NAN), 3)
}

pub fn ratios() -> Forest {
    let of = |mean: f64, low: f64, high: f64| Estimate { mean, low, high };
    Forest::new("Epochs of squared error for one of cross-entropy")
        .x_label("ratio")
        .log_x()
        .reference(1.0, "as fast")
        .row("usual start", of(1.4, 1.1, 1.8), 4)
        .row("sure and wrong", of(85.0, 40.0, 160.0), 4)
}

/// Every picture with its name.
pub fn all() -> Vec<(&'static str, String)> {
    vec![
        ("curves", curves().to_svg()),
        ("clouds", clouds(180).to_svg()),
        ("points", few_points().to_svg()),
        ("table", table_map().to_svg()),
        ("surface", surface(false, 241).to_svg()),
        ("surfaces", surfaces().to_svg()),
        ("forest", forest().to_svg()),
        ("ratios", ratios().to_svg()),
    ]
}
