//! Charts and pages as readers get them: well-formed, complete, safe and the same in every run.

use crate::support::xml::{Element, parse, parsed};
use surprisal_report::chart::{Band, Chart, Line, Panels, Points, Style};
use surprisal_report::{Align, Page, Table, Verdict};

/// All points of the picture, as written: of paths, texts and circles.
fn points(elements: &[Element]) -> Vec<[String; 2]> {
    let paths = elements.iter().filter_map(|e| e.get("d")).flat_map(|d| d[1..].split(['L', 'M']));
    // behind the start of a marker is its shape
    let paths = paths.map(|p| p.split(['h', 'l']).next().unwrap().to_owned());
    let pair = |e: &Element, x: &str, y: &str| Some(format!("{} {}", e.get(x)?, e.get(y)?));
    let others = elements.iter().filter_map(|e| pair(e, "x", "y").or(pair(e, "cx", "cy")));
    paths
        .chain(others)
        .map(|p| p.split_once(' ').map(|(x, y)| [x.to_owned(), y.to_owned()]).unwrap())
        .collect()
}

fn line(name: &str, points: &[(f64, f64)]) -> Line {
    Line::new(name, points.iter().copied())
}

fn ramp(name: &str, slope: f64) -> Line {
    Line::new(name, (0..=20).map(|i| (f64::from(i), slope * f64::from(i))))
}

/// The texts of the class `name`, from top to bottom: height and words.
fn names(elements: &[Element]) -> Vec<(f64, String)> {
    let mut found: Vec<(f64, String)> = Vec::new();
    for (i, element) in elements.iter().enumerate().filter(|(_, e)| e.has_class("name")) {
        let words = elements[i + 1..].iter().take_while(|e| e.name == "tspan").map(|e| e.text.as_str());
        found.push((element.number("y"), words.collect::<Vec<_>>().join(" ")));
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

/// Charts that have broken chart programs before.
fn edge_cases() -> Vec<Chart> {
    const NAN: f64 = f64::NAN;
    let walk = (0..2000).map(|i| (f64::from(i), (f64::from(i) * 0.7).sin() + f64::from(i * i % 91)));
    let chart = || Chart::new("Title").x_label("x").y_label("y");
    let long = "a name that is much too long to stand at the end of a line";
    let mut cases = vec![
        Chart::new(""),
        chart().log_x().log_y().percent_y(),
        chart().line(line("empty", &[])),
        chart().line(line("nothing finite", &[(1.0, NAN), (NAN, 1.0), (2.0, f64::INFINITY)])),
        chart().line(line("one point", &[(3.0, 0.2)])).percent_y(),
        chart().line(line("constant", &[(0.0, 5.0), (1.0, 5.0)])),
        chart().line(line("zero", &[(0.0, 0.0), (0.0, 0.0)])),
        chart().line(line("upright", &[(1.0, 0.0), (1.0, 1.0)])),
        chart().line(line("huge", &[(-1e300, -1e300), (1e300, 1e300)])),
        chart().line(line("beyond huge", &[(0.0, f64::MAX), (1.0, 1.0), (2.0, f64::MIN)])),
        chart().line(line("tiny", &[(0.0, 5e-324), (1.0, 1e-310), (2.0, 3e-300)])),
        chart().log_y().line(line("many decades", &[(0.0, 5e-324), (1.0, 1.0), (2.0, 1e300)])),
        chart()
            .log_x()
            .log_y()
            .line(line("mixed signs", &[(-1.0, 1.0), (0.0, 0.0), (1.0, -1.0), (10.0, 7.0)])),
        chart().line(line("nearly constant", &[(0.0, 1e9), (1.0, 1e9 + 1e-6)])),
        chart().line(Line::new("walk", walk)).mark(1000.0, 40.0, "in the thick of it"),
        chart()
            .line(line(long, &[(0.0, 1.0), (1.0, 2.0)]))
            .line(ramp(&"wort".repeat(40), 1.0))
            .subtitle(long.repeat(3)),
        Chart::new("<i> & \"more\"")
            .line(line("<b>&\"'\u{0}", &[(0.0, 1.0)]))
            .mark(0.0, 1.0, "<i>&amp;")
            .alt("a < b & c")
            .id("1 <\"x"),
        chart().mark(NAN, 1.0, "nowhere").mark(1.0, 2.0, "here").mark(1.0, 2.0, "and here").include_y(NAN),
        chart().line(ramp("negative", -1e-7)).include_y(0.0).percent_y(),
    ];
    cases.extend([
        chart()
            .band(Band::new([(0.0, -1.0, 1.0), (1.0, NAN, 2.0), (2.0, 0.0, 3.0), (3.0, 1.0, 9.0)]))
            .vertical(1.5, long)
            .vertical(NAN, "nowhere")
            .percent_x(),
        chart().log_x().log_y().band(Band::new([(1.0, 0.1, 10.0), (10.0, 0.0, 2.0)])).vertical(-1.0, "no"),
        chart().band(Band::new([])).points(Points::new("none", [])).vertical(3.0, ""),
        chart().points(Points::new(long, [(1.0, NAN), (1.0, 1.0)]).label_at_center()),
    ]);
    let cloud = |n: i32| (0..99).map(move |i| (f64::from(i * i * n % 97), f64::from(i)));
    let clouds = (1..=5).map(|n| Points::new(format!("cloud {n}"), cloud(n)).label_at_center());
    cases.push(clouds.fold(chart(), Chart::points));
    let crowd = (0..30).map(|i| ramp(&format!("run {i}"), f64::from(i)));
    cases.push(crowd.fold(chart(), Chart::line));
    cases
}

#[test]
fn every_chart_is_well_formed_finite_and_inside_its_frame() {
    for chart in edge_cases() {
        let svg = chart.to_svg();
        let elements = parsed(&svg);
        let view: Vec<f64> =
            elements[0].get("viewBox").unwrap().split(' ').map(|n| n.parse().unwrap()).collect();
        for point in points(&elements) {
            for (number, limit) in point.iter().zip(&view[2..]) {
                let value: f64 = number.parse().unwrap_or_else(|_| panic!("{number:?} in\n{svg}"));
                assert!((0.0..=*limit).contains(&value), "{point:?} in\n{svg}");
                assert!(number.split('.').nth(1).is_none_or(|decimals| decimals.len() <= 2), "{number}");
            }
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

#[test]
fn every_chart_has_a_name_and_a_description_for_those_who_do_not_see_it() {
    for chart in edge_cases() {
        let elements = parsed(&chart.to_svg());
        assert_eq!(elements[0].get("role"), Some("img"));
        let ids: Vec<&str> = elements.iter().filter_map(|e| e.get("id")).collect();
        let labels: Vec<&str> = elements[0].get("aria-labelledby").unwrap().split(' ').collect();
        assert_eq!(ids, labels);
        assert_eq!((elements[1].name.as_str(), elements[2].name.as_str()), ("title", "desc"));
        assert!(!elements[2].text.is_empty());
    }
}

#[test]
fn the_same_calls_give_the_same_bytes_and_other_charts_have_other_ids() {
    assert_eq!(sample_page().to_html(), sample_page().to_html());
    let id = |svg: &str| parsed(svg)[1].get("id").unwrap().to_owned();
    let mut seen = Vec::new();
    for (once, again) in edge_cases().iter().zip(edge_cases()) {
        let svg = once.to_svg();
        assert_eq!(svg, again.to_svg());
        assert!(!seen.contains(&id(&svg)), "{}", id(&svg));
        seen.push(id(&svg));
    }
}

#[test]
fn names_at_line_ends_do_not_overlap() {
    let together = ["first", "second", "a third of two lines", "fourth"];
    let empty = Chart::new("").include_y(40.0); // all end at half the height
    let chart = together.iter().fold(empty, |chart, name| chart.line(ramp(name, 1.0)));
    let found = names(&parsed(&chart.to_svg()));
    assert_eq!(found.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(), together);
    let heights = [20.0, 20.0, 40.0, 20.0]; // a line of words takes 20 units
    for i in 1..4 {
        let gap = found[i].0 - found[i - 1].0;
        assert!(gap >= (heights[i] + heights[i - 1]) / 2.0 - 0.01, "{found:?}");
    }
}

#[test]
fn a_legend_takes_over_where_names_do_not_fit() {
    let samples = |chart: &Chart| {
        let elements = parsed(&chart.to_svg());
        let horizontal = |d: &str| d.split([' ', 'M', 'L']).nth(2) == d.split(' ').next_back();
        elements.iter().filter(|e| e.has_class("line") && horizontal(e.get("d").unwrap())).count()
    };
    let short = Chart::new("").line(ramp("up", 1.0)).line(ramp("down", -1.0));
    assert_eq!(samples(&short), 0);
    assert_eq!(samples(&short.clone().line(line("stops early", &[(0.0, 0.0), (5.0, 1.0)]))), 3);
    assert_eq!(samples(&short.clone().line(ramp("a name that would need three lines of words", 0.5))), 3);
    let crowd = (0..10).fold(Chart::new(""), |chart, i| chart.line(ramp(&format!("run {i}"), 1.0)));
    assert_eq!((samples(&crowd), names(&parsed(&crowd.to_svg())).len()), (10, 10));
}

#[test]
fn logarithmic_axes_show_decades_and_equal_ratios_as_equal_distances() {
    let decades = line("norm", &[(0.0, 1e-5), (1.0, 1e-3), (2.0, 1e-1)]);
    let elements = parsed(&Chart::new("").log_y().line(decades).to_svg());
    let powers: Vec<&str> =
        elements.iter().filter(|e| e.has_class("power")).map(|e| e.text.as_str()).collect();
    assert_eq!(powers, ["−5", "−4", "−3", "−2", "−1"]);
    let path = elements.iter().find(|e| e.has_class("line")).unwrap().get("d").unwrap();
    let ys: Vec<f64> = path[1..].split('L').map(|p| p.split_once(' ').unwrap().1.parse().unwrap()).collect();
    assert!(ys[0] > ys[1] && (ys[0] - 2.0 * ys[1] + ys[2]).abs() < 0.02, "{ys:?}");
}

#[test]
fn points_that_cannot_be_drawn_break_the_line_and_are_reported() {
    let gaps = [(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 3.0), (4.0, 0.0), (5.0, 2.0), (6.0, 1.0)];
    let chart = Chart::new("").line(line("", &gaps)).log_y().alt("Two gaps.");
    let elements = parsed(&chart.to_svg());
    let count = |class: &str| elements.iter().filter(|e| e.has_class(class)).count();
    assert_eq!((count("line"), count("dot")), (2, 1), "two pieces, and a dot for the point between two gaps");
    let notes = "Not drawn: 1 point that is not finite. \
                 Not drawn: 1 point that is zero or negative, on a logarithmic axis.";
    assert_eq!(elements[2].text, format!("Two gaps. {notes}"));
    let seen: Vec<&str> = elements.iter().filter(|e| e.name == "tspan").map(|e| e.text.as_str()).collect();
    assert!(seen.join(" ").contains(notes), "{seen:?}");
}

#[test]
fn long_series_lose_points_but_not_their_peaks() {
    let spiky = |n: i32| (0..n).map(move |i| (f64::from(i), if i == n / 3 { 9.0 } else { f64::from(i % 2) }));
    let elements = parsed(&Chart::new("").line(Line::new("", spiky(20_000))).to_svg());
    let path = elements.iter().find(|e| e.has_class("line")).unwrap().get("d").unwrap();
    assert!(path.split('L').count() < 4_000, "{} points", path.split('L').count());
    let ys: Vec<f64> = path[1..].split('L').map(|p| p.split_once(' ').unwrap().1.parse().unwrap()).collect();
    let (top, bottom) = ys.iter().fold((f64::MAX, f64::MIN), |(low, high), &y| (low.min(y), high.max(y)));
    assert_eq!(ys.iter().filter(|&&y| y == top).count(), 1);
    assert!((bottom - top - 210.0 * 0.9).abs() < 0.02, "9 of an axis to 10: {}", bottom - top);
}

#[test]
fn twenty_lines_differ_in_color_or_dashes() {
    let chart = (0..20).fold(Chart::new(""), |chart, i| chart.line(ramp("", f64::from(i))));
    let elements = parsed(&chart.to_svg());
    let mut looks: Vec<(&str, &str)> = (elements.windows(2).filter(|pair| pair[1].has_class("line")))
        .map(|pair| (pair[0].get("class").unwrap(), pair[1].get("class").unwrap()))
        .collect();
    looks.sort_unstable();
    looks.dedup();
    assert_eq!(looks.len(), 20);
    let chosen = Chart::new("").line(ramp("", 1.0).color(6).style(Style::Dotted).faint()).to_svg();
    assert!(chosen.contains("<g class=\"c1\">\n<path class=\"line dotted faint\""), "{chosen}");
}

#[test]
fn ten_series_of_points_differ_in_shape_or_color_and_stay_out_of_each_others_names() {
    let near = |i: i32| (0..9).map(move |k| (f64::from(k % 3), f64::from(k / 3 + i % 2)));
    let series = |i: i32| Points::new(i.to_string(), near(i));
    let looks = |chart: &Chart| {
        let elements = parsed(&chart.to_svg());
        let shapes = |e: &&[Element]| e[1].get("d").is_some_and(|d| d.matches('M').count() >= 9);
        let pairs = elements.windows(2).filter(shapes);
        let mut looks: Vec<String> =
            pairs.map(|pair| format!("{:?} {:?}", pair[0].get("class"), pair[1].get("class"))).collect();
        looks.sort_unstable();
        looks.dedup();
        looks.len()
    };
    let legend = (0..10).fold(Chart::new(""), |chart, i| chart.points(series(i)));
    assert_eq!((looks(&legend), names(&parsed(&legend.to_svg())).len()), (10, 10));

    let centered = (0..10).fold(Chart::new(""), |chart, i| chart.points(series(i).label_at_center()));
    let elements = parsed(&centered.to_svg());
    let at: Vec<(f64, f64)> =
        elements.iter().filter(|e| e.has_class("center")).map(|e| (e.number("x"), e.number("y"))).collect();
    assert_eq!((at.len(), names(&elements).len()), (10, 0));
    for (i, a) in at.iter().enumerate() {
        let clear = |b: &(f64, f64)| (a.0 - b.0).abs() >= 9.0 || (a.1 - b.1).abs() >= 19.9;
        assert!(at[i + 1..].iter().all(clear), "{at:?}");
    }
}

#[test]
fn axes_span_bands_and_a_gap_in_an_interval_breaks_its_band() {
    let intervals =
        [(0.0, -4.0, 1.0), (1.0, 0.0, 2.0), (2.0, f64::NAN, 2.0), (3.0, 1.0, 7.5), (4.0, 1.0, 2.0)];
    let chart = Chart::new("").band(Band::new(intervals)).line(line("", &[(0.0, 0.0), (4.0, 1.0)]));
    let elements = parsed(&chart.to_svg());
    let bands: Vec<&str> =
        elements.iter().filter(|e| e.has_class("band")).filter_map(|e| e.get("d")).collect();
    assert_eq!(bands.iter().map(|d| d.split('L').count()).collect::<Vec<_>>(), [4, 4], "{bands:?}");
    let y = |d: &str, corner: usize| -> f64 {
        d[1..].split('L').nth(corner).and_then(|p| p.split(' ').nth(1)).and_then(|y| y.parse().ok()).unwrap()
    };
    // five units of data from -4 to 1 are as high as the two of 0 to 2, two and a half times
    assert!((y(bands[0], 3) - y(bands[0], 0) - 2.5 * (y(bands[0], 2) - y(bands[0], 1))).abs() < 0.05);
    assert!(elements[2].text.ends_with("Not drawn: 1 point that is not finite."), "{}", elements[2].text);
}

#[test]
fn a_vertical_line_stands_at_its_value_and_keeps_its_words_off_the_lines() {
    let rising = Line::new("", (0..=100).map(|i| (f64::from(i), f64::from(i * i))));
    let elements = parsed(&Chart::new("").line(rising).vertical(75.0, "switch here").to_svg());
    let d = elements.iter().find(|e| e.has_class("vertical")).unwrap().get("d").unwrap();
    let line = elements.iter().find(|e| e.has_class("line")).unwrap().get("d").unwrap();
    let xs: Vec<f64> = d[1..].split('L').map(|p| p.split_once(' ').unwrap().0.parse().unwrap()).collect();
    let ends: Vec<f64> =
        line[1..].split('L').map(|p| p.split_once(' ').unwrap().0.parse().unwrap()).collect();
    let expected = ends[0] + 0.75 * (ends[ends.len() - 1] - ends[0]);
    assert!(xs.iter().all(|x| (x - expected).abs() < 0.02), "{xs:?}, expected {expected}");
    let words = elements.iter().find(|e| e.has_class("halo")).unwrap();
    assert!(words.get("text-anchor") == Some("end") && words.number("x") < expected, "{words:?}");
}

#[test]
fn panels_are_one_block_whose_styles_reach_nothing_else() {
    let charts = || edge_cases().into_iter();
    for columns in [1, 2, 3, 100] {
        let panels = Panels::new("a <b>", "Title & more", columns).subtitle("with a subtitle");
        let svg = charts().fold(panels, Panels::panel).to_svg();
        let elements = parsed(&svg);
        assert!(svg.lines().all(|line| line.starts_with('<')), "a line that Markdown may take for its own");
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        let css = &elements.iter().find(|e| e.name == "style").unwrap().text;
        let selectors = css.split('{').map(|rule| rule.rsplit('}').next().unwrap());
        for selector in selectors.filter(|selector| !selector.is_empty() && !selector.starts_with("@media")) {
            assert!(selector.contains("#a--b-"), "{selector}");
        }
        let ids: Vec<_> = elements.iter().filter_map(|e| e.get("id")).collect();
        assert_eq!(ids, ["a--b--title", "a--b--desc", "a--b-"]);
        let moved = elements.iter().filter(|e| e.get("transform").is_some()).count();
        assert_eq!(moved, charts().count());
    }
    let empty = Panels::new("none", "No charts", 2).to_svg();
    parsed(&empty);
}

fn sample_page() -> Page {
    let cells = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<String>>();
    let table = Table {
        caption: "Epochs & <rates>".to_owned(),
        header: cells(&["loss", "epochs"]),
        rows: vec![cells(&["CE", "5"]), cells(&["short"]), cells(&["long", "1", "2"])],
        align: vec![Align::Left, Align::Right],
    };
    let svg = Chart::new("A").line(ramp("up", 1.0)).to_svg();
    Page::new("<Title> & \"more\"")
        .lead("a < b, *always*")
        .section("Result")
        .paragraph("`x < y` & </p><script>alert(1)</script>")
        .verdict(Verdict::Supported, "one")
        .verdict(Verdict::NotSupported, "two")
        .verdict(Verdict::Inconclusive, "three")
        .figure(&svg, "Figure *1*")
        .table(&table)
        .details("More & more", |inside| inside.section("Result").table(&table).code("if a < b && c { *p }"))
        .section("Result")
        .section("!")
        .footer("The end & nothing else")
}

#[test]
fn pages_are_well_formed_with_unique_ids_and_valid_references() {
    let elements = parsed(&sample_page().to_html());
    let mut ids: Vec<&str> = elements.iter().filter_map(|e| e.get("id")).collect();
    for reference in elements.iter().filter_map(|e| e.get("aria-labelledby")).flat_map(|list| list.split(' '))
    {
        assert!(ids.contains(&reference), "{reference}");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), all), (8, 8), "two for the chart, four headings, two tables: {ids:?}");
}

#[test]
fn pages_show_markup_in_texts_instead_of_obeying_it() {
    let html = sample_page().to_html();
    let elements = parsed(&html);
    assert!(elements.iter().all(|e| e.name != "script"));
    let text = |name: &str| elements.iter().find(|e| e.name == name).unwrap().text.clone();
    assert_eq!(
        (text("title"), text("h1")),
        ("<Title> & \"more\"".to_owned(), "<Title> & \"more\"".to_owned())
    );
    assert_eq!(text("caption"), "Epochs & <rates>");
    assert!(elements.iter().any(|e| e.name == "code" && e.text == "if a < b && c { *p }"));
}

#[test]
fn pages_need_no_other_file() {
    let html = sample_page().to_html().replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for needle in ["http:", "https:", "url(", "@import", "src=", "<script"] {
        assert!(!html.contains(needle), "{needle}");
    }
    assert!(html.contains("width=device-width") && html.contains("prefers-color-scheme:dark"));
}

#[test]
fn tables_name_their_columns_and_rows_and_fill_missing_cells() {
    let elements = parsed(
        &Page::new("")
            .table(&Table {
                header: vec!["loss".to_owned(), "epochs".to_owned()],
                rows: vec![vec!["CE".to_owned()], vec!["SE".to_owned(), "1".to_owned(), "2".to_owned()]],
                align: vec![Align::Left, Align::Right],
                ..Table::default()
            })
            .to_html(),
    );
    let cells: Vec<(Option<&str>, Option<&str>, &str)> = (elements.iter())
        .filter(|e| e.name == "th" || e.name == "td")
        .map(|e| (e.get("scope"), e.get("class"), e.text.as_str()))
        .collect();
    let (col, row, right) = (Some("col"), Some("row"), Some("right"));
    #[rustfmt::skip]
    assert_eq!(cells, [
        (col, None, "loss"), (col, right, "epochs"), (col, None, ""),
        (row, None, "CE"), (None, right, ""), (None, None, ""),
        (row, None, "SE"), (None, right, "1"), (None, None, "2"),
    ]);
}

#[test]
fn the_checker_itself_finds_faults() {
    for fault in [
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a x=1/>",
        "<a x=\"1\" x=\"2\"/>",
        "<a>&</a>",
        "<a>&nbsp;</a>",
        "x<a/>",
    ] {
        assert!(parse(fault).is_err(), "{fault}");
    }
}
