//! What an explanation says of nodes, before and after `backward`.

use surprisal_explain::{Explanation, Node, explain};
use surprisal_tensor::ndarray::{ArrayD, IxDyn, array};
use surprisal_tensor::ops::convolution::Conv2d;
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

/// Two images of 4x14 through a convolution with 20 kernels, a bias and relu.
fn convolution(width: usize) -> Explanation {
    let numbers = |shape: &[usize]| {
        let mut k = 0.0;
        ArrayD::from_shape_simple_fn(IxDyn(shape), || {
            k += 1.0;
            f64::sin(1.3 * k)
        })
    };
    let mut params = Params::<f64>::default();
    let (w, b) =
        (params.add("conv.weight", &numbers(&[20, 1, 3, 3])), params.add("conv.bias", &numbers(&[20])));
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let z = tape.input(&numbers(&[2, 1, 4, width])).named("x").conv2d(
        tape.param(w),
        tape.param(b),
        Conv2d::default(),
    );
    let loss = z.relu().square().sum();
    loss.backward();
    explain(loss)
}

#[test]
fn channels_and_kernels_are_pictures_and_those_left_out_are_counted() {
    for (width, channels) in [(14, 16), (15, 8)] {
        let explanation = convolution(width);
        let svg = explanation.to_svg("t");
        let boxed = |name: &str| {
            let at = explanation.nodes.iter().position(|node| node.name == name).unwrap();
            svg.split(&format!("<g id=\"t-{at}\"")).nth(1).unwrap().split("<rect ").nth(1).unwrap()
        };
        // a frame for each picture: of the value, and of the gradient
        let frames = |name: &str| {
            let frames = boxed(name).split("class=\"frame\" d=\"").skip(1);
            Vec::from_iter(frames.map(|part| part.split('"').next().unwrap().matches('z').count()))
        };
        assert_eq!((frames("x"), frames("conv.weight")), (vec![1], vec![16, 16]));
        for name in ["conv.z", "conv.a"] {
            assert_eq!(frames(name), [channels; 2], "{name}");
            assert!(boxed(name).contains(&format!(">{channels} of 20 channels<")), "{}", boxed(name));
            assert!(boxed(name).contains(">image 0 of 2<"));
        }
        assert!(boxed("conv.weight").contains(">16 of 20 kernels<"));
        // what is computed is gray, kernels and gradients have a sign
        let colors =
            |name: &str| ["gray", "minus", "plus"].map(|color| boxed(name).contains(&format!("\"{color}\"")));
        assert_eq!((colors("x"), colors("conv.weight")), ([true, false, false], [false, true, true]));
        assert!(svg.len() < 40_000, "{} bytes", svg.len());
        assert!(explanation.to_html("A net").contains("Pictures in a box"));
    }
    assert!(!net(true, true).to_html("A net").contains("Pictures in a box"));
}

#[test]
fn pictures_are_shaded_from_the_smallest_number_to_the_largest() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let x = array![[[[-1.0, -1.0, 0.0], [0.0, 1.0, 1.0], [-1.0, -1.0, f64::NAN]]]];
    let svg = explain(tape.input(&x).named("x").relu()).to_svg("t");
    let half = "<path class=\"gray\" fill-opacity=\"0.5\" d=\"M2 0h1v1h-1zM0 1h1v1h-1z\"/>";
    let full = "<path class=\"gray\" fill-opacity=\"1\" d=\"M1 1h2v1h-2z\"/>";
    assert!(svg.contains(&format!("{half}{full}</g>")), "{svg}");
}

#[test]
fn a_unit_of_images_is_a_channel() {
    let params = Params::<f64>::default();
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    // channel 0 is off everywhere in both images, channel 1 in the first alone
    let x =
        tape.input_with([2, 3, 2, 2], |i| if [0, 1, 3].contains(&(i / 4)) { -1.0 } else { (i % 4) as f64 });
    let units = explain(x.relu()).nodes[1].units().unwrap();
    assert_eq!((units.count, units.dead, units.rows), (3, 1, 2));
}

#[test]
fn a_layer_before_a_norm_is_hidden() {
    let mut params = Params::<f64>::default();
    let w = params.add("hidden.weight", &array![[1.0, 2.0]]);
    let b = params.add("hidden.bias", &array![0.5, 0.0]);
    let scale = params.add("norm.weight", &array![2.0, 3.0]);
    let v = params.add("out.weight", &array![[1.0], [-1.0]]);
    let c = params.add("out.bias", &array![0.0]);
    let mut workspace = Workspace::new();
    let tape = workspace.tape(&params);
    let z = tape.input(&array![[1.0]]).affine(tape.param(w), tape.param(b));
    let normed = (z - 0.5) * tape.param(scale);
    let out = normed.relu().affine(tape.param(v), tape.param(c)) * tape.param(c).exp(); // no weights: a scale
    let loss = out.square().sum();
    loss.backward();
    let equations = explain(loss).equations();
    let errors = equations.iter().map(|equation| (equation.layer.as_str(), equation.what));
    let errors = Vec::from_iter(errors.filter(|(_, what)| what.starts_with("error")));
    assert_eq!(errors, [("out", "error of the output"), ("hidden", "error of a hidden layer")]);
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
