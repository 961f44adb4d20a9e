//! What each task demands of the machine, computed from its shapes: the table of limits in `docs/performance.md`.

use surprisal_bench::{LOSS_KERNELS, Net};

fn main() {
    println!(
        "| task | parameters | FLOPs of products | least bytes | FLOPs a byte |\n|---|---:|---:|---:|---:|"
    );
    for net in Net::all() {
        row(&net.task, net.parameters(), net.flops(), net.least_bytes());
    }
    for (task, rows, classes) in LOSS_KERNELS {
        // logits read and gradient written; for binary cross-entropy as many targets
        row(task, 0, 0, 4 * rows * classes * if classes == 1 { 3 } else { 2 });
    }
    for (task, rows) in [("T8_b1", 1), ("T8_b64", 64)] {
        let net = Net { rows, ..Net::named("T3").expect("a task") };
        row(task, net.parameters(), net.forward_flops(), 4 * (rows * net.sizes[0] + net.parameters()));
    }
}

fn row(task: &str, parameters: usize, flops: usize, bytes: usize) {
    let intensity = flops as f64 / bytes as f64;
    println!(
        "| {task} | {} | {} | {} | {intensity:.1} |",
        grouped(parameters),
        grouped(flops),
        grouped(bytes)
    );
}

/// 1234567 as 1,234,567; nothing where there is none.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    if n == 0 { String::new() } else { groups.join(",") }
}
