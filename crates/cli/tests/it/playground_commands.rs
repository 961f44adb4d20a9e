//! The commands that the playground gives to copy are commands.

use surprisal_playground::program::commands;
use surprisal_playground::race::Race;
use surprisal_playground::state::State;

use crate::common::{Folder, works};

#[test]
fn every_loss_optimizer_and_set_of_the_playground_trains_in_the_command() {
    let points = "own&points=0,1,0;1,0,1;1,1,1;0,0,0;2,2,1;3,3,0";
    let optimizers = ["sgd", "momentum", "adagrad", "rmsprop", "adam", "adamw", "lion"];
    let pairs = ["mse,half_mse", "ce,focal", "hinge,squared_hinge"];
    let mut optimizer = optimizers.iter().cycle();
    let sets = ["xor", "three", points, "moons", "circles", "blobs", "spirals", "lines"];
    let races = sets
        .iter()
        .enumerate()
        .flat_map(|(at, set)| pairs.iter().take(if at < 3 { 3 } else { 1 }).map(move |pair| (set, pair)));
    for (set, losses) in races {
        let [left, right] = [(); 2].map(|()| optimizer.next().unwrap());
        let state =
            format!("data={set}&loss={losses}&opt={left},{right}&lr=0.01&n=40&init=normal:1&l2=0.01&batch=8");
        let mut race =
            Race::new(State::read(&state).unwrap()).unwrap_or_else(|error| panic!("{state}: {error}"));
        race.step();
        let folder = Folder::new("playground-commands");
        let said: serde_json::Value = serde_json::from_str(&commands(&race).to_string()).unwrap();
        if let Some(text) = said["file"]["text"].as_str() {
            folder.write(said["file"]["name"].as_str().unwrap(), text);
        }
        for command in said["commands"].as_array().unwrap() {
            let words: Vec<&str> = command.as_str().unwrap().split(' ').collect();
            assert_eq!(words[0], "surprisal");
            let output = works(&folder.0, &words[1..]);
            assert!(!output.is_empty(), "{command}");
        }
    }
}
