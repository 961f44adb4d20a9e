//! Heat maps and forest plots as readers get them.

use crate::support::gallery;
use crate::support::xml::{Element, parse, parsed};
use surprisal_report::chart::{Chart, Forest, HeatMap, Line, Panels};
use surprisal_report::statistics::Estimate;

/// All words of a picture.
fn words(elements: &[Element]) -> Vec<&str> {
    elements.iter().filter(|e| e.name == "tspan" || e.name == "text").map(|e| e.text.as_str()).collect()
}

/// The fills of the squares, without the bar of colors.
fn fills(svg: &str) -> Vec<String> {
    let elements = parsed(svg);
    elements.iter().filter(|e| e.name == "rect").skip(16).map(|e| e.get("fill").unwrap().to_owned()).collect()
}

fn edge_cases() -> Vec<HeatMap> {
    let map = || HeatMap::new("Title").x_label("x").y_label("y");
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    vec![
        HeatMap::new(""),
        map().values([[nan]]),
        map().values([[1.0]]).log().columns(["a", "b"]).rows(["only"]),
        map().values([[0.0, -1.0, inf]]).log().missing("<none>"),
        map().values([[1e300, -1e300], [5e-324, 0.0]]).percent(),
        map().values([vec![1.0], vec![], vec![1.0, 2.0, 3.0]]).x_span(0.0, 0.0).y_span(-1.0, 1.0),
        map()
            .values([vec![0.5; 300]])
            .x_span(0.0, 1e-9)
            .rows(["a row with a name that is much too long for its place"]),
        map().values([[1.0, 2.0]]).scale(nan, 1.0),
        map().values([[1.0, 2.0]]).scale(5.0, 1.0).id("1 <\"x"),
        gallery::table_map(),
        gallery::surface(true, 30),
    ]
}

#[test]
fn every_map_is_well_formed_finite_described_and_the_same_every_time() {
    for (map, again) in edge_cases().iter().zip(edge_cases()) {
        let svg = map.to_svg();
        assert_eq!(svg, again.to_svg());
        let elements = parsed(&svg);
        let numbers = elements.iter().flat_map(|e| &e.attributes).map(|(_, value)| value.as_str());
        assert!(numbers.chain([""]).all(|value| !value.contains("NaN") && !value.contains("inf")), "{svg}");
        assert_eq!(elements[0].get("role"), Some("img"));
        let labels: Vec<&str> = elements[0].get("aria-labelledby").unwrap().split(' ').collect();
        assert_eq!([elements[1].get("id"), elements[2].get("id")], [Some(labels[0]), Some(labels[1])]);
        assert!(!elements[2].text.is_empty());
        let ids: Vec<&str> = elements.iter().filter_map(|e| e.get("id")).collect();
        let hatches = svg.matches("url(#").count();
        assert!(hatches == 0 || svg.contains(&format!("url(#{})", ids[2])), "{ids:?}");
    }
}

#[test]
fn a_table_writes_its_numbers_and_hatches_and_counts_what_is_missing() {
    let svg = gallery::table_map().to_svg();
    let elements = parsed(&svg);
    let words = words(&elements);
    for number in ["1800", "31", "2400", "5"] {
        assert!(words.contains(&number), "{number} of {words:?}");
    }
    assert_eq!(words.iter().filter(|word| **word == "3000").count(), 3, "{words:?}"); // below its sign, in large type
    assert_eq!(fills(&svg).iter().filter(|fill| fill.starts_with("url(#")).count(), 3);
    assert!(elements[2].text.ends_with("Hatched: 3 cells (> 3000)."), "{}", elements[2].text);
}

#[test]
fn numbers_that_do_not_fit_make_names_break_or_are_left_out() {
    let map = |columns: usize| {
        let names = (0..columns).map(|column| column.to_string());
        HeatMap::new("").columns(names).rows(["some name"]).values([vec![1234.0; columns]]).to_svg()
    };
    let written = |columns| words(&parsed(&map(columns))).iter().filter(|word| **word == "1234").count();
    assert_eq!([6, 9, 12].map(written), [6, 9, 0]);
    assert!(map(5).contains(">some name<") && !map(6).contains(">some name<")); // rather than smaller numbers
    assert!(map(8).contains(">some name<") && !map(9).contains(">some name<")); // and rather than none
}

#[test]
fn colors_follow_the_values_by_difference_or_by_ratio() {
    let map = HeatMap::new("").values([[1.0, 10.0, 100.0]]);
    let (linear, log) = (fills(&map.to_svg()), fills(&map.clone().log().to_svg()));
    assert_eq!((linear[0].as_str(), linear[2].as_str()), ("#440154", "#fde725"));
    assert_eq!(linear[1], "#481a6c", "10 is at a tenth of 1 to 100");
    assert_eq!(log[1], "#1f988b", "10 is half way from 1 to 100");
    assert_eq!([&log[0], &log[2]], [&linear[0], &linear[2]]);
}

#[test]
fn maps_of_one_scale_give_one_value_one_color_and_say_what_lies_beyond() {
    let map = |values: [f64; 3]| HeatMap::new("").values([values]).scale(0.0, 4.0).to_svg();
    let (one, other) = (map([1.0, 2.0, 4.0]), map([-3.0, 2.0, 9.0]));
    assert_eq!(fills(&one)[1], fills(&other)[1]);
    assert!(!one.contains("Beyond"));
    let told = &parsed(&other)[2].text;
    assert!(told.ends_with("Beyond the scale, in the color of its end: 2 cells."), "{told}");
}

#[test]
fn a_surface_is_small_upright_and_covers_every_block_once() {
    let side = 241;
    // the worst there is: no two neighbors alike
    let noise =
        (0..side).map(|r: u32| (0..side).map(move |c: u32| f64::from((r * 7919 + c * 104_729) % 1009)));
    let svg = HeatMap::new("").values(noise).x_span(0.0, 1.0).y_span(0.0, 1.0).to_svg();
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
    let mut covered = vec![0; 120 * 120];
    let elements = parsed(&svg);
    let strokes =
        elements.iter().filter(|e| e.get("style").is_some_and(|style| style.starts_with("stroke:#")));
    for run in strokes.flat_map(|e| e.get("d").unwrap()[1..].split('M')) {
        let numbers: Vec<usize> = run.split([' ', 'h']).map(|n| n.parse().unwrap()).collect();
        (0..numbers[2]).for_each(|i| covered[numbers[1] * 120 + numbers[0] + i] += 1);
    }
    assert!(covered.iter().all(|&times| times == 1));

    let lowest_first = HeatMap::new("").values([[0.0, 0.0], [1.0, 1.0]]).x_span(0.0, 1.0).y_span(0.0, 1.0);
    let svg = lowest_first.to_svg();
    assert!(
        svg.contains("stroke:#440154\" d=\"M0 1h2\"") && svg.contains("stroke:#fde725\" d=\"M0 0h2\""),
        "{svg}"
    );
}

#[test]
fn a_block_with_a_hole_is_hatched_and_never_averaged_away() {
    let hole = |r: usize, c: usize| if (r, c) == (100, 100) { f64::NAN } else { 1.0 };
    let values = (0..241).map(|r| (0..241).map(move |c| hole(r, c)));
    let svg = HeatMap::new("").values(values).x_span(0.0, 1.0).y_span(0.0, 1.0).to_svg();
    assert!(svg.contains("-hatch);stroke:none\" d=\"M"));
    assert!(parsed(&svg)[2].text.ends_with("Hatched: 1 cell without a value that can be shown."));
}

fn of(mean: f64, low: f64, high: f64) -> Estimate {
    Estimate { mean, low, high }
}

#[test]
fn a_forest_writes_every_interval_and_places_it_on_the_axis() {
    let forest = Forest::new("").reference(0.0, "no difference").row("a", of(2.0, 1.0, 3.0), 0).row(
        "b",
        of(-1.0, -3.0, 1.0),
        6,
    );
    let elements = parsed(&forest.to_svg());
    let words = words(&elements);
    for text in ["no difference", "a", "+2.0", "[1.0, 3.0]", "b", "−1.0", "[−3.0, 1.0]"] {
        assert!(words.contains(&text), "{text} of {words:?}");
    }
    let line = elements.iter().find(|e| e.has_class("reference")).unwrap().get("d").unwrap();
    let zero: f64 = line[1..].split(' ').next().unwrap().parse().unwrap();
    let means: Vec<f64> = elements.iter().filter(|e| e.has_class("dot")).map(|e| e.number("cx")).collect();
    assert!(
        ((means[0] - zero) + 2.0 * (means[1] - zero)).abs() < 0.05 && means[0] > zero,
        "{means:?} {zero}"
    );
    assert!(elements.iter().any(|e| e.get("class") == Some("c1")), "colors start over");
}

#[test]
fn a_forest_names_the_rows_it_cannot_draw() {
    let forest = Forest::new("").log_x().row("fine", of(2.0, 1.0, 3.0), 0).row("lost", of(1.0, -1.0, 3.0), 0);
    let elements = parsed(&forest.to_svg());
    assert!(elements[2].text.ends_with("Nothing to draw for lost."), "{}", elements[2].text);
    assert_eq!(elements.iter().filter(|e| e.has_class("dot")).count(), 1);
    assert!(parsed(&Forest::new("").to_svg())[2].text.ends_with("There are no data."));
}

#[test]
fn panels_take_every_kind_of_picture_and_keep_their_patterns_apart() {
    let panels = Panels::new("mixed", "Mixed", 2)
        .panel(Chart::new("").line(Line::new("", [(0.0, 1.0), (1.0, 2.0)])))
        .panel(gallery::table_map())
        .panel(gallery::table_map())
        .panel(gallery::forest());
    let svg = panels.to_svg();
    let elements = parsed(&svg);
    let ids: Vec<&str> = elements.iter().filter_map(|e| e.get("id")).collect();
    assert_eq!(ids, ["mixed-title", "mixed-desc", "mixed", "mixed-1-hatch", "mixed-2-hatch"]);
    assert!(svg.lines().all(|line| line.starts_with('<')), "a line that Markdown may take for its own");
    let css = &elements.iter().find(|e| e.name == "style").unwrap().text;
    assert_eq!(css.matches("#mixed .white{").count(), 1);
}

#[test]
fn the_gallery_is_well_formed_and_small() {
    for (name, svg) in gallery::all() {
        assert!(parse(&svg).is_ok() && svg.len() < 200_000, "{name}: {} bytes", svg.len());
    }
}
