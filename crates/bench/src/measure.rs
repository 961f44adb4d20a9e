//! What to run, how long a step takes, and the line that tells it.

use std::hint::black_box;
use std::time::Instant;
use std::{env, fs};

use crate::Net;

/// What the command line and the environment ask for.
///
/// Arguments name tasks: a task runs if its name starts with one of them, all run if there is none. `T3/batch4` and `T3/width4`
/// (any factor) are run if named in full. `BENCH_SECONDS` is the time for each task, `BENCH_THREADS` how many threads may
/// share it.
pub struct Bench {
    who: String,
    names: Vec<String>,
    seconds: f64,
    threads: usize,
}

impl Bench {
    /// Reads the command line and the environment; `seconds` for each task, unless they say otherwise.
    pub fn new(who: &str, seconds: f64) -> Bench {
        let number = |name| env::var(name).ok().and_then(|text| text.parse::<f64>().ok());
        Bench {
            who: who.to_string(),
            names: env::args().skip(1).filter(|name| !name.starts_with('-')).collect(), // cargo adds --bench
            seconds: number("BENCH_SECONDS").unwrap_or(seconds),
            threads: number("BENCH_THREADS").map_or(1, |threads| threads as usize),
        }
    }

    /// Whether this task was asked for.
    pub fn wants(&self, task: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| task.starts_with(name.as_str()))
    }

    /// The trainings that were asked for.
    pub fn nets(&self) -> Vec<Net> {
        let mut nets: Vec<_> = Net::all().into_iter().filter(|net| self.wants(&net.task)).collect();
        nets.extend(self.names.iter().filter(|name| name.contains('/')).filter_map(|name| Net::named(name)));
        nets
    }

    /// How many threads may be used.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Measures a step for as long as was asked for.
    pub fn time<R>(&self, step: impl FnMut() -> R) -> Timing {
        measure(step, self.seconds)
    }

    /// Measures a step and prints a line, with the loss to compare with that of others.
    pub fn run<R>(&self, task: &str, loss: f64, step: impl FnMut() -> R) {
        self.print(task, self.time(step), &[("loss5", loss)]);
    }

    /// Prints a line; `numbers` are reported with it.
    pub fn print(&self, task: &str, timing: Timing, numbers: &[(&str, f64)]) {
        let Timing { us, min, p90, blocks, clean } = timing;
        let numbers: String = numbers.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        println!(
            "{{\"who\":\"{}\",\"task\":\"{task}\",\"threads\":{},\"us\":{us:.4},\"min\":{min:.4},\"p90\":{p90:.4},\
             \"blocks\":{blocks},\"clean\":{clean}{numbers}}}",
            self.who, self.threads
        );
        eprintln!("{:12} {task:24} {us:12.3} us", self.who);
    }
}

/// How long a step takes, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The median of the clean blocks; of all, if fewer than 5 are clean.
    pub us: f64,
    /// Of all blocks, the fastest,
    pub min: f64,
    /// and the one that nine of ten do not exceed.
    pub p90: f64,
    /// How many blocks were timed,
    pub blocks: usize,
    /// and how many of them are clean: the process waited for a core less than 2 % of the time.
    pub clean: usize,
}

/// Times blocks of so many steps that a block takes 2 ms or more, for about `seconds`, after a third of that (half a second at
/// most) to warm up.
pub fn measure<R>(mut step: impl FnMut() -> R, seconds: f64) -> Timing {
    let mut steps = 0;
    let since = Instant::now();
    while since.elapsed().as_secs_f64() < (seconds / 3.0).min(0.5) || steps < 5 {
        black_box(step());
        steps += 1;
    }
    let since = Instant::now();
    for _ in 0..3 {
        black_box(step());
    }
    let steps = ((3.0 * 0.002 / since.elapsed().as_secs_f64().max(1e-9)) as usize).max(1);

    let (mut all, mut clean) = (Vec::new(), Vec::new());
    let since = Instant::now();
    loop {
        let (waited, start) = (waited_for_a_core(), Instant::now());
        for _ in 0..steps {
            black_box(step());
        }
        let took = start.elapsed();
        let us = took.as_secs_f64() * 1e6 / steps as f64;
        all.push(us);
        let waited = waited_for_a_core().saturating_sub(waited); // a thread that ends takes its count along
        if (waited as f64) < 0.02 * took.as_nanos() as f64 {
            clean.push(us);
        }
        // where others disturb, up to three times as long for 15 clean blocks
        let elapsed = since.elapsed().as_secs_f64();
        let enough = clean.len() >= 15 && elapsed > seconds || all.len() >= 15 && elapsed > 3.0 * seconds;
        if enough || elapsed > 20.0 * seconds {
            break;
        }
    }
    all.sort_by(f64::total_cmp);
    clean.sort_by(f64::total_cmp);
    let median = if clean.len() >= 5 { clean[clean.len() / 2] } else { all[all.len() / 2] };
    Timing { us: median, min: all[0], p90: all[all.len() * 9 / 10], blocks: all.len(), clean: clean.len() }
}

/// For a process that trains for one step and ends: prints the loss and the most memory that it held, in MB. The process tells that
/// itself, because what its parent is reported of it counts from the parent's own memory.
pub fn print_once(loss: f64) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    println!("{{\"loss\":{loss},\"peak_mb\":{:.2}}}", peak.unwrap_or(f64::NAN) / 1024.0);
}

/// Nanoseconds that the threads of this process could have run, and waited while others did; 0 where the system does not tell.
fn waited_for_a_core() -> u64 {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return 0 };
    let waited = threads.flatten().filter_map(|thread| {
        let schedstat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedstat.split_whitespace().nth(1)?.parse::<u64>().ok()
    });
    waited.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_two_milliseconds_is_reported_as_such() {
        let timing = measure(|| std::thread::sleep(std::time::Duration::from_millis(2)), 0.05);
        assert!(timing.min >= 2000.0 && timing.us >= timing.min && timing.p90 >= timing.min, "{timing:?}");
        assert!(timing.blocks >= 15);
    }
}
