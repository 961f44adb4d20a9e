# Short names for plain cargo commands; nothing here is needed.

# Train, compare, draw, say the verdict.
compare *options:
    cargo run --release -- compare {{options}}

# Everything the tests know.
test:
    cargo test --workspace

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
