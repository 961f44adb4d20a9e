//! Softmax cross-entropy in separate operations, and as one fused operation: the same formula, and where it fails.
//!
//!     cargo run --release --example 04_softmax_by_hand

use surprisal::ndarray::array;
use surprisal::prelude::*;

/// Loss and gradient for two classes whose logits differ by `gap`, when the first is true. In f32.
fn both(gap: f64) -> [(f64, [f64; 2]); 2] {
    let params = Params::new();
    let mut workspace = Workspace::new();
    [true, false].map(|by_hand| {
        let tape = workspace.tape(&params);
        let logits = tape.input(&array![[gap, 0.0]]).requires_grad();
        let loss = if by_hand {
            let e = logits.exp();
            let p = e / e.sum_axis(1).reshape([1, 1]);
            -(p * tape.input(&array![[1.0, 0.0]])).sum().ln()
        } else {
            softmax_cross_entropy(logits, &[0])
        };
        loss.backward();
        let grad = logits.grad().expect("asked for above");
        (loss.item(), [grad[[0, 0]], grad[[0, 1]]])
    })
}

fn main() {
    println!("{:>6} | {:^36} | {:^36}", "gap", "by hand: loss, gradient", "fused: loss, gradient");
    for gap in [1.0, 5.0, 15.0, 20.0, 60.0, 90.0, -1.0, -20.0, -90.0, -120.0] {
        let text = |(loss, [a, b]): (f64, [f64; 2])| format!("{loss:10.3e}  [{a:10.3e}, {b:10.3e}]");
        let [by_hand, fused] = both(gap);
        println!("{gap:6} | {} | {}", text(by_hand), text(fused));
    }
    println!(
        "\nBy hand, a certain answer has loss 0 and nothing left to learn; e^90 is infinite, and infinity over"
    );
    println!("infinity is no number. The fused node works with logarithms from the start.");
}

#[test]
fn they_agree_where_both_can_and_the_fused_one_goes_on() {
    let [by_hand, fused] = both(1.0);
    assert!((by_hand.0 - fused.0).abs() < 1e-6 && (by_hand.1[0] - fused.1[0]).abs() < 1e-6);
    let [by_hand, fused] = both(20.0);
    assert_eq!((by_hand.0, by_hand.1[0]), (0.0, 0.0));
    assert!(
        (fused.0 / 2.061_153_6e-9 - 1.0).abs() < 1e-6 && (fused.1[0] / -2.061_153_6e-9 - 1.0).abs() < 1e-6
    );
    let [by_hand, fused] = both(-120.0);
    assert!(by_hand.0.is_infinite());
    assert_eq!((fused.0, fused.1), (120.0, [-1.0, 1.0]));
}
