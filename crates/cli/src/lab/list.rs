//! `surprisal lab list`

use surprisal_lab::gallery;

/// A block for every experiment: name, minutes, claim, and what can be set.
pub fn table() -> String {
    let width = gallery::all().iter().map(|experiment| experiment.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for experiment in gallery::all() {
        let keys: Vec<&str> = experiment.knobs.iter().map(|knob| knob.key).collect();
        let seeds = experiment.seeds.map_or("no seeds".into(), |seeds| format!("{} seeds", seeds.usual));
        text += &format!("{:width$}  {}\n", experiment.name, experiment.claim);
        text += &format!("{:width$}  {}, {seeds}; --set {}\n", "", experiment.time(), keys.join(", "));
    }
    text
}
