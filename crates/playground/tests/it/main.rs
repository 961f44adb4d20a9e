//! Tests of the playground without a browser; `browser.mjs` has those of the page.

mod programs;
mod reference;
mod runs;
mod states;
mod weights;

use surprisal_playground::race::Race;
use surprisal_playground::state::State;

fn race(state: &str) -> Race {
    let state = State::read(state).unwrap_or_else(|error| panic!("{state}: {error}"));
    Race::new(state).unwrap_or_else(|error| panic!("{error}"))
}
