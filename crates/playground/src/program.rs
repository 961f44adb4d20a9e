//! The race as a program in Rust that prints the same numbers, and as commands.

use crate::json::{Json, json};
use surprisal_layers::Activation;

use crate::data::Recipe;
use crate::loss;
use crate::race::{Race, optimizer};
use crate::state::MOMENTUM;

/// The steps of the program if the race has not begun.
const STEPS: usize = 200;
/// How many lines it prints, after that of the start.
const LINES: usize = 10;

/// The steps after which the program prints a line.
pub fn printed(steps: usize) -> impl Iterator<Item = usize> {
    let every = steps.div_ceil(LINES).max(1);
    (0..=steps).filter(move |step| step % every == 0 || *step == steps)
}

/// The program: `main.rs`, for the crate `surprisal`. It takes as many steps as the race has taken, or 200.
pub fn program(race: &Race) -> String {
    let state = &race.state;
    let steps = if race.step == 0 { STEPS } else { race.step };
    let classes = race.data.classes();
    let every = steps.div_ceil(LINES).max(1);
    let misled = [0, 1].map(|side| state.word("start", side) == "wrong");
    let seed = state.number("seed", 0);
    let batch = race.batch();
    let sizes = crate::race::sizes(state, &race.data);
    let activation = format!("{:?}", state.word("activation", 0).parse::<Activation>().unwrap_or_default());
    let init = format!("{:?}", state.init());
    let l2 = state.number("l2", 0);

    let mut body = String::new();
    let mut line = |text: &str| {
        if !text.is_empty() {
            body += "    ";
        }
        body += text;
        body += "\n";
    };
    line(&format!("let mut rng = rng({seed});"));
    let recipe = Recipe(state);
    match recipe.drawn() {
        Some((name, numbers)) => {
            // whole numbers first and last, as the functions of the library take them
            let arguments: Vec<String> = numbers
                .iter()
                .zip(kinds(name))
                .map(|(x, kind)| match kind {
                    'n' => format!("{x}"),
                    _ => format!("{x:?}"),
                })
                .collect();
            line(&format!("let data = Dataset::{name}({}, &mut rng)?;", arguments.join(", ")));
            if let Some(kept) = recipe.kept(&race.data.drawn) {
                line(&format!("let data = data.imbalanced(&{kept:?}, &mut rng)?;"));
            }
        }
        None => {
            let set = &race.data.set;
            line("let points = [");
            for point in state.points() {
                line(&format!("    ([{:?}, {:?}], {}),", point.x, point.y, point.class));
            }
            line("];");
            line("let data = Dataset {");
            line("    name: \"points\".into(),");
            line(
                "    features: Array2::from_shape_fn((points.len(), 2), |(row, column)| points[row].0[column]),",
            );
            line("    targets: Targets::Classes {");
            line("        labels: points.iter().map(|point| point.1).collect(),");
            line(&format!("        names: (0..{}).map(|class| class.to_string()).collect(),", set.classes()));
            line("    },");
            line("    feature_names: vec![\"x\".into(), \"y\".into()],");
            line("    image_shape: None,");
            line("};");
        }
    }
    if state.number("flip", 0) > 0.0 {
        line(&format!("let (data, _) = data.with_label_noise({:?}, &mut rng)?;", state.number("flip", 0)));
    }
    match recipe.drawn() {
        Some(_) => line("let x = Standardize::fit(&data.features)?.apply(&data.features)?;"),
        None => line("let x = data.features.clone();"),
    }
    line("let labels = data.labels();");
    match classes {
        2 => line("let y = Array2::from_shape_fn((labels.len(), 1), |(row, _)| labels[row] as f64);"),
        _ => line(&format!(
            "let y = Array2::from_shape_fn((labels.len(), {classes}), |(row, class)| f64::from(labels[row] == class));"
        )),
    }
    line("");
    line("let mut start = Params::<f64>::default();");
    line(&format!(
        "let model = Mlp::with_init(&mut start, &\"{sizes}\".parse()?, Activation::{activation}, Init::{init}, Init::Zeros, &mut rng);"
    ));
    if misled.contains(&true) {
        line("let mut wrong = start.clone();");
        line(&format!("mislead(&model, &mut wrong, &x, labels, {classes}, {:?});", state.number("sure", 0)));
    }
    let chosen = misled.map(|misled| if misled { "wrong" } else { "start" });
    line(&format!("let mut params = [{}.clone(), {}.clone()];", chosen[0], chosen[1]));
    let optimizers = [0, 1].map(|side| {
        let (kind, momentum) = optimizer(state, side);
        let more = momentum.map_or(String::new(), |momentum| format!(".momentum({momentum:?})"));
        format!("Box::new({}::new({:?}){more})", kind.type_name(), state.number("lr", side))
    });
    line(&format!(
        "let mut optimizers: [Box<dyn Optimizer<f64>>; 2] = [{}, {}];",
        optimizers[0], optimizers[1]
    ));
    if l2 > 0.0 {
        line(&format!("let penalty = Penalty::new(0.0, {l2:?});"));
    }
    line("let mut workspace = Workspace::new();");
    line(&format!("let mut batches = Batches::new(labels.len(), {batch})?;"));
    line("");
    line("println!(\"step side loss accuracy gradient_norm\");");
    line(&format!("for step in 0..={steps} {{"));
    line(&format!("    if step % {every} == 0 || step == {steps} {{"));
    line("        for (side, params) in params.iter().enumerate() {");
    line("            let tape = workspace.tape(params);");
    line("            let z = model.forward(tape.input(&x));");
    line("            let loss = loss(side, z, tape.input(&y), labels);");
    line("            loss.backward();");
    let said = match classes {
        2 => "z.value().iter().map(|&z| usize::from(z > 0.0)).collect::<Vec<_>>()",
        _ => "argmax_rows(&z.value())",
    };
    line(&format!("            let (value, accuracy) = (loss.item(), accuracy(labels, &{said})?);"));
    line("            println!(\"{step} {side} {value} {accuracy} {}\", workspace.grads().norm());");
    line("        }");
    line("    }");
    line("    let at = step % batches.per_epoch();");
    line("    if at == 0 {");
    line("        batches.shuffle(&mut rng);");
    line("    }");
    line("    let rows = batches.iter().nth(at).unwrap();");
    line("    let batch_labels: Vec<usize> = rows.iter().map(|&row| labels[row]).collect();");
    line("    for side in 0..2 {");
    line("        let tape = workspace.tape(&params[side]);");
    line("        let z = model.forward(tape.rows(&x, rows));");
    line("        loss(side, z, tape.rows(&y, rows), &batch_labels).backward();");
    if l2 > 0.0 {
        line("        penalty.add_to(workspace.grads_mut(), &params[side]);");
    }
    line("        optimizers[side].step(&mut params[side], workspace.grads());");
    line("    }");
    line("}");
    line("Ok(())");

    let texts = [0, 1].map(|side| {
        let name = state.word("loss", side);
        loss::ALL.iter().find(|loss| loss.name == name).map_or("", |loss| loss.text(classes))
    });
    let own = if recipe.drawn().is_none() { "use surprisal::data::Targets;\n" } else { "" };
    let start = if misled.contains(&true) { format!("\n{}", misleading()) } else { String::new() };
    format!(
        "//! Two nets on the same data, with the same batches: printed are the loss, the accuracy and the gradient norm on all rows.\n\
         //! Cargo.toml needs: surprisal, at version {version}.\n\n\
         {own}use surprisal::loss::*;\nuse surprisal::ndarray::Array2;\nuse surprisal::prelude::*;\n\n\
         /// The left loss and the right one: logits, targets, labels.\n#[allow(unused_variables)]\n\
         fn loss<'t>(side: usize, z: Var<'t>, y: Var<'t>, labels: &[usize]) -> Var<'t> {{\n    match side {{\n        0 => {left},\n        _ => {right},\n    }}\n}}\n{start}\n\
         fn main() -> Result<(), Box<dyn std::error::Error>> {{\n{body}}}\n",
        version = env!("CARGO_PKG_VERSION"),
        left = texts[0],
        right = texts[1],
    )
}

/// Whether each number of a function of `Dataset` is whole, `n`, or not, `x`.
fn kinds(name: &str) -> std::str::Chars<'static> {
    match name {
        "blobs" => "nxnnx",
        "spirals" => "nxnx",
        "lines" => "nxn",
        _ => "nxx",
    }
    .chars()
}

/// The function that misleads a net, from its file.
fn misleading() -> &'static str {
    let file = include_str!("start.rs");
    file.split_once("// from here\n").map_or(file, |(_, function)| function)
}

/// The `surprisal train` line of each side, the file that it needs, and the settings that it cannot express. It splits, scales and draws in
/// its own way, so its numbers are others.
pub fn commands(race: &Race) -> Json {
    let state = &race.state;
    let classes = race.data.classes();
    let steps = if race.step == 0 { STEPS } else { race.step };
    let recipe = Recipe(state);
    let (data, file) = match recipe.drawn() {
        Some((name, numbers)) => {
            let names: &[&str] = match name {
                "circles" => &["n", "noise", "factor"],
                "blobs" => &["n", "noise", "classes", "features", "center_box"],
                "spirals" => &["n", "noise", "classes", "turns"],
                "lines" => &["n", "noise", "classes"],
                _ => &["n", "noise"],
            };
            let list: Vec<String> =
                names.iter().zip(numbers).map(|(name, x)| format!("{name}={x}")).collect();
            (format!("{name}:{}", list.join(",")), Json::Null)
        }
        None => {
            let rows =
                state.points().iter().map(|point| format!("{},{},{}\n", point.x, point.y, point.class));
            let text = std::iter::once("x,y,class\n".to_string()).chain(rows).collect::<String>();
            (
                "points.csv --target class --task classification".to_string(),
                json!({"name": "points.csv", "text": text}),
            )
        }
    };
    let command = |side: usize| {
        let name = state.word("loss", side);
        let loss = loss::ALL
            .iter()
            .find(|loss| loss.name == name)
            .map_or("", |loss| loss.commands[usize::from(classes > 2)]);
        let optimizer = match state.word("opt", side) {
            MOMENTUM => "sgd --momentum 0.9",
            name => name,
        };
        let mut command = format!(
            "surprisal train --data {data} --hidden {} --activation {} --init {} --loss {loss} --opt {optimizer} --lr {} --schedule constant --batch {} --epochs {} --seed {} --test 0",
            crate::state::Value::Sizes(state.sizes("hidden").to_vec()),
            state.word("activation", 0),
            state.init(),
            state.number("lr", side),
            race.batch(),
            steps.div_ceil(race.per_epoch()),
            state.number("seed", 0),
        );
        let given = [("l2", state.number("l2", 0)), ("label-noise", state.number("flip", 0))];
        given
            .into_iter()
            .filter(|(_, x)| *x > 0.0)
            .for_each(|(name, x)| command += &format!(" --{name} {x}"));
        command
    };
    let mut without = Vec::new();
    if state.number("keep", 0) < 1.0 {
        without.push("keep");
    }
    if [0, 1].iter().any(|&side| state.word("start", side) == "wrong") {
        without.push("start");
    }
    json!({"commands": [command(0), command(1)], "file": file, "without": without})
}
