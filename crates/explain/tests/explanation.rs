//! What an explanation says of nodes, before and after `backward`.

use surprisal_explain::{Explanation, Node, explain};
use surprisal_tensor::ndarray::array;
use surprisal_tensor::{Params, Workspace};

fn node<'a>(explanation: &'a Explanation, name: &str) -> &'a Node {
    explanation.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// Three rows through a hidden layer whose first unit is dead and whose second is saturated or not, by the activation.
fn net(relu: bool, backward: bool) -> Explanation {
    let mut params = Params::<f64>::default();
    let w = params.add("hidden.weight", &array![[1.0, 2.0, 0.1]]);
    let b = params.add("hidden.bias", &array![-9.0, 5.0, 0.0]);
    let v = params.add("out.weight", &array![[1.0], [1.0], [1.0]]);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let z = tape.input(&array![[1.0], [0.5], [-0.5]]).named("x").affine(tape.param(w), tape.param(b));
    let h = if relu { z.relu() } else { z.sigmoid() }.named("h");
    let loss = tape.scope("score", || tape.scope("square", || h.matmul(tape.param(v)).square()).mean());
    if backward {
        loss.backward();
    }
    explain(loss)
}

#[test]
fn units_are_dead_or_saturated_in_every_row_or_not_at_all() {
    for (relu, dead, saturated, warning) in [(true, 1, 0, "1 of 3 dead"), (false, 0, 2, "2 of 3 saturated")] {
        let explanation = net(relu, false); // it needs no gradients
        let units = node(&explanation, "h").units().unwrap();
        assert_eq!((units.dead, units.saturated, units.rows), (dead, saturated, 3));
        assert_eq!(units.warning().unwrap(), warning);
        assert!(explanation.to_svg("t").contains(warning) && explanation.passes().contains(warning));
    }
}

#[test]
fn without_backward_there_are_values_and_no_gradients() {
    let (before, after) = (net(true, false), net(true, true));
    assert!(!before.has_gradients && after.has_gradients);
    assert!(before.nodes.iter().all(|node| node.gradient.is_none() && node.sends.is_empty()));
    assert!(!before.passes().contains("backward") && before.equations().is_empty());
    assert!(after.passes().starts_with(&before.passes()));
    for (before, after) in before.nodes.iter().zip(&after.nodes) {
        assert_eq!(before.value, after.value);
    }
    assert!(node(&after, "x").gradient.is_none(), "data need no gradient");
    // a walk that started elsewhere is not this result's
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let x = tape.input(&array![2.0]).requires_grad();
    let (y, z) = (x.exp(), x.square());
    z.backward();
    assert!(!explain(y).has_gradients && explain(z).has_gradients);
}

#[test]
fn scopes_are_the_users_or_the_layers_and_stand_in_picture_and_graph() {
    let explanation = net(true, true);
    let scope = |name: &str| node(&explanation, name).scope.clone();
    assert_eq!(
        [scope("hidden.weight"), scope("h"), scope("out.weight"), scope("x"), scope("loss")],
        ["hidden", "hidden", "score.square", "", "score"]
    );
    let (dot, svg) = (explanation.to_dot(), explanation.to_svg("t"));
    for name in ["hidden", "score.square", "score"] {
        assert!(dot.contains(&format!("label=\"{name}\"")) && svg.contains(&format!(">{name}<")), "{name}");
    }
    assert!(dot.contains("[style=dotted]"), "nothing flows back to the data");
}

#[test]
fn every_node_names_the_line_that_recorded_it() {
    let explanation = net(true, true);
    let text = explanation.to_string();
    assert_eq!(
        text.matches("recorded   ").count(),
        explanation.nodes.iter().filter(|n| !n.is_constant()).count()
    );
    assert!(explanation.nodes.iter().all(|node| node.recorded_at.file().ends_with("explanation.rs")));
    // colors are marks around the same words
    let colored = explanation.text(true);
    let bare = colored
        .split("\x1b[")
        .map(|part| part.split_once('m').filter(|(code, _)| code.parse::<u8>().is_ok()));
    let bare: String =
        bare.zip(colored.split("\x1b[")).map(|(cut, whole)| cut.map_or(whole, |(_, rest)| rest)).collect();
    assert_eq!(bare, text);
}

#[test]
fn names_that_need_escaping_stay_words() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let y = tape.input(&array![1.0, 2.0]).requires_grad().named("<b>\"&").exp().sum();
    y.backward();
    let explanation = explain(y);
    for text in [explanation.to_svg("t"), explanation.to_html("<i>")] {
        assert!(text.contains("&lt;b&gt;&quot;&amp;") && !text.contains("<b>") && !text.contains("<i>"));
    }
    assert!(explanation.to_dot().contains("<b>\\\"&"));
}
