//! The program that is copied: it compiles, and prints the numbers of the race, bit for bit.
//!
//! Each program is a file in `programs/`, which cargo compiles as an example beside the tests.

use std::process::Command;

use surprisal_playground::program::{commands, printed, program};

use crate::race;

const PROGRAMS: [(&str, usize, &str); 3] = [
    ("the_first_race", 0, ""),
    (
        "three_classes",
        150,
        "data=three&n=90&noise=0.3&keep=0.5&flip=0.1&hidden=6-4&activation=elu&init=kaiming_normal&batch=10&l2=0.001&loss=mse,focal&opt=adam,momentum&lr=0.01,0.1&start=random,wrong&sure=3",
    ),
    (
        "points_of_ones_own",
        60,
        "data=own&points=0,0.5,0;1,1,1;-1,1.25,0;0.5,-1,1;-0.5,-0.5,0;1.5,0.25,1&hidden=none&batch=0&loss=half_mse,hinge&opt=lion,adagrad&lr=0.05,0.5&start=random",
    ),
];

#[test]
fn programs_compile_and_print_the_numbers_of_the_race() {
    for (name, steps, state) in PROGRAMS {
        let mut race = race(state);
        (0..steps).for_each(|_| race.step());
        let file = format!("{}/tests/programs/{name}.rs", env!("CARGO_MANIFEST_DIR"));
        let text = program(&race);
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&file, &text).unwrap(); // it is compiled, and run, the next time
            continue;
        }
        // the file is formatted as the rest of the project
        assert_eq!(
            tokens(&std::fs::read_to_string(&file).unwrap()),
            tokens(&text),
            "{name}: run again with UPDATE_EXPECT=1"
        );

        let mut race = self::race(state);
        let steps = if steps == 0 { 200 } else { steps };
        let mut expected = String::from("step side loss accuracy gradient_norm\n");
        for step in printed(steps) {
            while race.step < step {
                race.step();
            }
            for (side, reached) in race.reached().into_iter().enumerate() {
                expected += &format!(
                    "{step} {side} {} {} {}\n",
                    reached.loss, reached.accuracy, reached.gradient_norm
                );
            }
        }
        let tests = std::env::current_exe().unwrap();
        let binary = tests.ancestors().nth(2).unwrap().join("examples").join(name);
        let output =
            Command::new(&binary).output().unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{name}");
        assert!(output.status.success(), "{name}");
    }
}

/// A text without its layout.
fn tokens(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    [")", "]", "}"].iter().fold(text, |text, end| text.replace(&format!(",{end}"), end))
}

#[test]
fn commands_say_what_they_leave_out() {
    let said =
        commands(&race("data=circles&keep=0.5&flip=0.1&l2=0.01&opt=momentum,adam&loss=hinge,ce&seed=3"))
            .to_string();
    for part in [
        "surprisal train --data circles:n=200,noise=0.1,factor=0.5 --hidden 8 --activation tanh --init xavier_uniform --loss hinge --opt sgd --momentum 0.9",
        "--loss bce --opt adam --lr 0.5 --schedule constant --batch 16",
        "--seed 3 --test 0 --l2 0.01 --label-noise 0.1",
        r#""without":["keep","start"]"#,
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let said = commands(&race("data=own&points=0,1,0;1,0,1&start=random")).to_string();
    assert!(
        said.contains(r#""text":"x,y,class\u000a0,1,0\u000a1,0,1\u000a""#)
            && said.contains(r#""without":[]"#),
        "{said}"
    );
}
