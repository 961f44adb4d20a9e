# Short names for plain cargo commands; nothing here is needed.

# Train, compare, draw, say the verdict.
compare *options:
    cargo run --release -- compare {{options}}

# Run the whole gallery (MNIST is found by SURPRISAL_MNIST), and put its index and thumbnails into docs/experiments.
gallery:
    rm -rf target/gallery
    cargo run --release -- lab run all --out target/gallery
    crates/lab/publish target/gallery/gallery-1

# The page of the playground, and the command with it in target/release: surprisal play.
playground:
    crates/playground/build
    SURPRISAL_PLAYGROUND="$PWD/target/playground/surprisal-playground.html" cargo build --release

# Everything the tests know.
test:
    cargo test --workspace

# Kill a training 200 times and go on: docs/reliability.md has what came of it.
kill:
    SURPRISAL_KILLS=200 cargo test -p surprisal-cli --test it trust::killed -- --nocapture

# One example: just example 01_neuron
example name:
    cargo run --release --example {{name}}

# How fast, beside other frameworks.
bench *options:
    crates/bench/compare.py {{options}}

# What CI runs.
ci:
    .ci/run

# The documentation, in a browser.
doc:
    cargo doc --workspace --no-deps --open

# The book, in a browser. Needs mdBook: cargo install mdbook --version 0.5.4 --locked
book:
    mdbook build docs --open

# What tests hold in files is written anew: messages, references, outputs and pictures of the book.
update:
    UPDATE_EXPECT=1 cargo test --workspace
