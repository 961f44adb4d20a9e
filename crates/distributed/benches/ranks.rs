//! What a second rank gains, beside a second thread; what an exchange costs; and a model of more machines.
//!
//! `cargo bench -p surprisal-distributed --features mpi [-- --write FOLDER]` starts itself under `mpirun`, several times in turns. It prints
//! two tables and a fit in Markdown, and writes the picture of the model to the folder.

use std::env;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};
use surprisal_data::Targets;
use surprisal_distributed::World;
use surprisal_layers::{Linear, Relu, normal, rng};
use surprisal_optim::{Adam, Optimizer, Sgd};
use surprisal_report::chart::{Chart, Line, Panels};
use surprisal_tensor::ndarray::ArrayD;
use surprisal_tensor::{Params, threads};
use surprisal_train::{At, Callback, Examples, Group, GroupError, Trainer};

/// T3 with larger batches, and T4: see docs/performance.md.
const TASKS: [(&str, usize, [usize; 2]); 2] = [("T3", 512, [128, 64]), ("T4", 256, [1024, 1024])];
const INPUTS: usize = 784;
/// Ranks, threads of each, shards, and what a batch is divided by.
const WAYS: [(usize, usize, usize, usize); 6] =
    [(1, 1, 1, 1), (1, 1, 1, 2), (1, 1, 2, 1), (1, 2, 1, 1), (2, 1, 2, 1), (2, 1, 8, 1)];
const ROUNDS: usize = 7;

fn main() {
    match env::var("RANKS_CHILD") {
        Ok(what) => println!("{}", child(&what)),
        Err(_) => parent(),
    }
}

/// A group, and how long it communicates.
struct Timed(World, f64);

impl Timed {
    fn timed<R>(&mut self, run: impl FnOnce(&mut World) -> R) -> R {
        let since = Instant::now();
        let result = run(&mut self.0);
        self.1 += since.elapsed().as_secs_f64();
        result
    }
}

impl Group for Timed {
    fn rank(&self) -> usize {
        self.0.rank()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn all_gather(&mut self, sent: &[u8], received: &mut [u8], lengths: &[usize]) -> Result<(), GroupError> {
        self.timed(|world| world.all_gather(sent, received, lengths))
    }
    fn all_to_all(
        &mut self,
        sent: &[u8],
        sent_lengths: &[usize],
        received: &mut [u8],
        lengths: &[usize],
    ) -> Result<(), GroupError> {
        self.timed(|world| world.all_to_all(sent, sent_lengths, received, lengths))
    }
    fn send(&mut self, to: usize, message: &[u8]) -> Result<(), GroupError> {
        self.timed(|world| world.send(to, message))
    }
    fn receive(&mut self) -> Result<Option<(usize, Vec<u8>)>, GroupError> {
        self.timed(|world| world.receive())
    }
}

/// The time of each step.
struct Steps(Instant, Vec<f64>);
impl Callback<f32> for Steps {
    fn on_step(&mut self, _: &At<f32>) -> ControlFlow<()> {
        self.1.push(self.0.elapsed().as_secs_f64());
        self.0 = Instant::now();
        ControlFlow::Continue(())
    }
    fn on_epoch(&mut self, _: &At<f32>, _: &surprisal_train::Epoch) -> ControlFlow<()> {
        self.0 = Instant::now();
        ControlFlow::Continue(())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One measurement, in a process of its own or in several.
fn child(what: &str) -> Value {
    let mut group = Timed(World::new().expect("MPI starts once"), 0.0);
    if what == "exchange" {
        return exchanges(&mut group);
    }
    let [task, cores, shards, divisor] =
        *Vec::from_iter(what.split(' ').map(|n| n.parse::<usize>().expect("a number")))
    else {
        panic!("{what}: expected a task, threads, shards and a divisor")
    };
    let (_, batch_size, [first, second]) = TASKS[task];
    let (rows, batch_size) = (8 * batch_size, batch_size / divisor);
    let mut random = rng(1);
    let features = ArrayD::from_shape_simple_fn(vec![rows, INPUTS], || normal(&mut random) as f32);
    let labels = Vec::from_iter((0..rows).map(|row| row % 10));
    let names = Vec::from_iter((0..10).map(|class| class.to_string()));
    let data = Examples { features, targets: Targets::Classes { labels, names } };
    let mut params = Params::new();
    let model = (
        Linear::new(&mut params, "a", INPUTS, first, &mut random),
        Relu,
        Linear::new(&mut params, "b", first, second, &mut random),
        Relu,
        Linear::new(&mut params, "c", second, 10, &mut random),
    );
    let mut optimizer: Box<dyn Optimizer<f32>> =
        if task == 0 { Box::new(Adam::new(0.001)) } else { Box::new(Sgd::new(0.01).momentum(0.9)) };
    let epochs = if task == 0 { 80 } else { 8 };
    let trainer = Trainer { epochs, batch_size, shards, measure_train: false, ..Trainer::default() };
    let mut steps = Steps(Instant::now(), Vec::new());
    threads::with(cores, || {
        let fit = trainer.on(&data).callback(&mut steps).group(&mut group);
        fit.fit(&model, &mut params, &mut *optimizer).expect("it trains");
    });
    let count = steps.1.len() as f64;
    json!({ "rank": group.rank(), "step": median(steps.1), "communication": group.1 / count, "numbers": params.as_slice().len() })
}

/// The time of an exchange of a gradient, by its number of bytes.
fn exchanges(group: &mut Timed) -> Value {
    let size = group.size();
    let mut all = Vec::new();
    for bytes in [64usize, 1 << 10, 1 << 14, 1 << 17, 1 << 19, 1 << 21, 1 << 23, 1 << 25] {
        let sent = vec![1; bytes];
        let mut received = vec![0; bytes];
        let lengths = vec![bytes / size; size];
        let (header, mut headers) = ([1; 64], vec![0; 64 * size]);
        let mut times = Vec::new();
        for _ in 0..(1 << 26 >> bytes.ilog2()).clamp(20, 2000) {
            let since = Instant::now();
            group.all_gather(&header, &mut headers, &vec![64; size]).expect("the ranks are there");
            group.all_to_all(&sent, &lengths, &mut received, &lengths).expect("the ranks are there");
            group.all_gather(&sent[..bytes / size], &mut received, &lengths).expect("the ranks are there");
            times.push(since.elapsed().as_secs_f64());
        }
        all.push(json!([bytes, median(times)]));
    }
    json!({ "rank": group.rank(), "times": all })
}

/// What rank 0 of some processes prints.
fn measured(ranks: usize, what: &str) -> Value {
    let program = env::current_exe().expect("this program");
    let mut command = if ranks == 1 {
        Command::new(program)
    } else {
        let mut mpirun = Command::new("mpirun");
        mpirun.args(["--allow-run-as-root", "--oversubscribe", "-n", &ranks.to_string()]).arg(program);
        mpirun
    };
    let output = command.env("RANKS_CHILD", what).output().expect("mpirun is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut values = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values
        .find(|value| value["rank"] == 0)
        .unwrap_or_else(|| panic!("{what}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}

fn parent() {
    let seconds = |value: &Value, key: &str| value[key].as_f64().expect("a number");
    let mut alone = Vec::new(); // of each task: a step of one thread, and the bytes of its gradient
    println!(
        "| task | one thread | half of the batch | the batch in 2 shards | 2 threads | 2 ranks, 2 shards | of it exchange | 2 ranks, 8 shards | 2 threads / 2 ranks | one thread / (2 x 2 ranks) |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (task, (name, batch, _)) in TASKS.iter().enumerate() {
        let mut rounds: [Vec<Value>; WAYS.len()] = Default::default();
        for _ in 0..ROUNDS {
            for (way, &(ranks, cores, shards, divisor)) in WAYS.iter().enumerate() {
                rounds[way].push(measured(ranks, &format!("{task} {cores} {shards} {divisor}")));
            }
        }
        let of =
            |way: usize, key: &str| median(rounds[way].iter().map(|value| seconds(value, key)).collect());
        let ratio = |a: usize, b: usize| {
            let ratios =
                rounds[a].iter().zip(&rounds[b]).map(|(a, b)| seconds(a, "step") / seconds(b, "step"));
            let mut ratios = Vec::from_iter(ratios);
            ratios.sort_by(f64::total_cmp);
            format!("{:.2} ({:.2} to {:.2})", ratios[ROUNDS / 2], ratios[1], ratios[ROUNDS - 2])
        };
        let us = |way: usize, key: &str| format!("{:.0}", 1e6 * of(way, key));
        println!(
            "| {name}, batch {batch} | {} us | {} us | {} us | {} us | {} us | {} us | {} us | {} | {:.0}% |",
            us(0, "step"),
            us(1, "step"),
            us(2, "step"),
            us(3, "step"),
            us(4, "step"),
            us(4, "communication"),
            us(5, "step"),
            ratio(3, 4),
            50.0 * of(0, "step") / of(4, "step"),
        );
        alone.push((*name, *batch, of(0, "step"), 4.0 * seconds(&rounds[0][0], "numbers")));
    }

    let times = measured(2, "exchange");
    let times = Vec::from_iter(
        times["times"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|pair| [0, 1].map(|i| pair[i].as_f64().expect("a number"))),
    );
    let (alpha, beta) = fit(&times);
    println!("\n| bytes | exchange | model |\n|---|---|---|");
    for [bytes, time] in &times {
        println!("| {bytes} | {:.1} us | {:.1} us |", 1e6 * time, 1e6 * exchange(2, *bytes, alpha, beta));
    }
    println!("\nalpha {:.2} us, beta {:.3} ns a byte ({:.2} GB/s)", 1e6 * alpha, 1e9 * beta, 1e-9 / beta);
    model(&alone, (alpha, beta));
}

/// The latency and the time of a byte that fit the times of exchanges between two ranks best: least squares of the relative errors.
fn fit(times: &[[f64; 2]]) -> (f64, f64) {
    let (mut aa, mut ab, mut bb, mut a, mut b) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for &[bytes, time] in times {
        let (x, y) = (3.0 / time, bytes / time); // exchange(2, ..) = 3 alpha + bytes beta
        (aa, ab, bb, a, b) = (aa + x * x, ab + x * y, bb + y * y, a + x, b + y);
    }
    let determinant = aa * bb - ab * ab;
    ((a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant)
}

/// Seconds for the exchange of a gradient: every rank sends each other one a header, and its share twice.
fn exchange(ranks: usize, bytes: f64, alpha: f64, beta: f64) -> f64 {
    let others = (ranks - 1) as f64;
    3.0 * others * alpha + 2.0 * others / ranks as f64 * bytes * beta
}

/// Networks: latency in seconds, seconds for a byte. The first is measured; the others are what their makers promise.
fn networks(here: (f64, f64)) -> [(&'static str, (f64, f64)); 3] {
    [
        ("this machine's memory (measured)", here),
        ("InfiniBand 100 Gb/s (assumed: 2 us, 12.5 GB/s)", (2e-6, 1.0 / 12.5e9)),
        ("Ethernet 10 Gb/s (assumed: 30 us, 1.25 GB/s)", (30e-6, 1.0 / 1.25e9)),
    ]
}

const MACHINES: [usize; 3] = [2, 8, 64];

/// The table and the picture of what more machines would gain. The time of a step on P of them: a P-th of the time on one, and the exchange.
fn model(alone: &[(&str, usize, f64, f64)], here: (f64, f64)) {
    println!(
        "\n| task | network | {} |",
        MACHINES.map(|n| format!("{n} machines: speedup | batch for 50% efficiency")).join(" | ")
    );
    println!("|---|---|{}", "---:|".repeat(2 * MACHINES.len()));
    for &(name, batch, step, bytes) in alone {
        for (network, (alpha, beta)) in networks(here) {
            let cells = MACHINES.map(|machines| {
                let exchange = exchange(machines, bytes, alpha, beta);
                let speedup = step / (step / machines as f64 + exchange);
                // where the exchange takes as long as the computation
                let pays = (exchange * machines as f64 / (step / batch as f64)).ceil();
                format!("{speedup:.1} | {pays}")
            });
            println!("| {name}, batch {batch} | {network} | {} |", cells.join(" | "));
        }
    }
    let mut arguments = env::args().skip_while(|argument| argument != "--write").skip(1);
    let Some(folder) = arguments.next() else { return };
    let mut panels = Panels::new("scale", "Speedup by machines: a model, not a measurement", alone.len());
    for &(name, batch, step, bytes) in alone {
        let mut chart = Chart::new(format!("{name}, batch {batch}"))
            .subtitle(format!("{:.1} ms on one core; a gradient of {:.1} MB", 1e3 * step, 1e-6 * bytes))
            .x_label("machines")
            .y_label("speedup")
            .log_x()
            .log_y()
            .alt(format!("The modeled speedup of {name} for three networks, beside the ideal."));
        let counts = Vec::from_iter((0..=6).map(|k| 1usize << k));
        chart = chart.line(Line::new("ideal", counts.iter().map(|&n| (n as f64, n as f64))));
        for (network, (alpha, beta)) in networks(here) {
            let points = counts.iter().map(|&n| {
                let exchange = if n == 1 { 0.0 } else { exchange(n, bytes, alpha, beta) };
                (n as f64, step / (step / n as f64 + exchange))
            });
            chart = chart.line(Line::new(network.split(" (").next().unwrap_or(network), points));
        }
        panels = panels.panel(chart);
    }
    let path = Path::new(&folder).join("scale.svg");
    std::fs::write(&path, panels.to_svg()).expect("the folder can be written");
    println!("\n{}", path.display());
}
