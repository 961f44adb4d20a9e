//! Charts and pages as readers get them: well-formed, complete, safe and the same in every run.

use surprisal_lab::chart::{Chart, Line, Panels, Style};
use surprisal_lab::page::{Align, Page, Table, Verdict};

/// One element of a parsed document, with the text directly inside it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    fn number(&self, name: &str) -> f64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} of {self:?}"))
    }

    fn has_class(&self, class: &str) -> bool {
        self.get("class").is_some_and(|classes| classes.split(' ').any(|c| c == class))
    }
}

/// The elements of an XML document, or what is wrong with it.
fn parse(document: &str) -> Result<Vec<Element>, String> {
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = document.trim();
    rest = rest.strip_prefix("<!DOCTYPE html>").unwrap_or(rest);
    while let Some(start) = rest.find('<') {
        let text = unescape(&rest[..start])?;
        match open.last() {
            Some(&parent) => elements[parent].text += &text,
            None if text.trim().is_empty() => {}
            None => return Err(format!("text outside of the root: {text}")),
        }
        let end = start + rest[start..].find('>').ok_or("an unclosed <")?;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(index) if elements[index].name == name => {}
                other => return Err(format!("</{name}> closes {:?}", other.map(|i| &elements[i].name))),
            }
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut list) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut element = Element { name: name.to_owned(), ..Element::default() };
        while !list.trim().is_empty() {
            let (attribute, after) = list.split_once("=\"").ok_or(format!("a bad attribute in <{tag}>"))?;
            let (value, after) = after.split_once('"').ok_or(format!("an open quote in <{tag}>"))?;
            if element.get(attribute.trim()).is_some() {
                return Err(format!("{attribute} twice in <{tag}>"));
            }
            element.attributes.push((attribute.trim().to_owned(), unescape(value)?));
            list = after;
        }
        if open.is_empty() && !elements.is_empty() {
            return Err(format!("a second root <{name}>"));
        }
        elements.push(element);
        if !closed {
            open.push(elements.len() - 1);
        }
    }
    match open.pop() {
        Some(index) => Err(format!("<{}> is never closed", elements[index].name)),
        None => Ok(elements),
    }
}

fn unescape(text: &str) -> Result<String, String> {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (entity, after) = part.split_once(';').ok_or(format!("a bare & before {part:?}"))?;
        out += match entity {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "#39" => "'",
            _ => return Err(format!("the unknown entity {entity}")),
        };
        out += after;
    }
    Ok(out)
}

#[track_caller]
fn parsed(document: &str) -> Vec<Element> {
    parse(document).unwrap_or_else(|error| panic!("{error} in\n{document}"))
}

/// All points of the picture, as written: of paths, texts and circles.
fn points(elements: &[Element]) -> Vec<[String; 2]> {
    let paths = elements.iter().filter_map(|e| e.get("d")).flat_map(|d| d[1..].split('L')).map(str::to_owned);
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
fn twenty_lines_differ_in_colour_or_dashes() {
    let chart = (0..20).fold(Chart::new(""), |chart, i| chart.line(ramp("", f64::from(i))));
    let elements = parsed(&chart.to_svg());
    let mut looks: Vec<(&str, &str)> = (elements.windows(2).filter(|pair| pair[1].has_class("line")))
        .map(|pair| (pair[0].get("class").unwrap(), pair[1].get("class").unwrap()))
        .collect();
    looks.sort_unstable();
    looks.dedup();
    assert_eq!(looks.len(), 20);
    let chosen = Chart::new("").line(ramp("", 1.0).colour(6).style(Style::Dotted).faint()).to_svg();
    assert!(chosen.contains("<g class=\"c1\">\n<path class=\"line dotted faint\""), "{chosen}");
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
