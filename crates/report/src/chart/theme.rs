//! The style sheets of charts; the colors are those of the pages.

use crate::theme::{DARK, LIGHT, Theme};

/// The style sheet of a chart, with the rules that not every chart needs.
///
/// Sizes are in units of a 480 wide drawing and are laid out for a phone, where 16 units are 12 px. On wide screens
/// the words shrink in relation to the drawing, which leaves more air but can never clip or overlap anything.
/// Plain declarations instead of CSS variables, for the sake of SVG viewers that are not browsers.
pub(super) fn chart_css(rules: &[&str]) -> String {
    let paper = |theme: &Theme| format!("svg.chart{{background:{};color:{}}}", theme.paper, theme.ink);
    format!(
        "svg.chart{{display:block;width:100%;height:auto;margin:auto;{FONT}}}\
         svg.chart:root{{max-width:760px}}\
         {strokes}{more}{light_paper}{light}\
         @media screen and (prefers-color-scheme:dark){{{dark_paper}{dark}}}\
         @media (min-width:600px){{\
         .chart text{{font-size:12px}}.chart .title{{font-size:13.5px}}\
         .chart .line{{stroke-width:1.8}}.chart .faint{{stroke-width:.9}}}}",
        strokes = strokes(".chart"),
        more = scoped(".chart", rules),
        light_paper = paper(&LIGHT),
        light = colors(".chart", &LIGHT),
        dark_paper = paper(&DARK),
        dark = colors(".chart", &DARK),
    )
}

/// The style sheet of panels inside the element of that id: nothing outside is touched, and nothing inside depends on the width
/// of the screen.
///
/// The paper is an element. Pages of rustdoc say their theme in an attribute of the root; elsewhere the reader's wish decides.
pub(super) fn panels_css(id: &str, rules: &[&str]) -> String {
    let of = |root: &str, theme: &Theme| {
        let (scope, Theme { paper, ink, .. }) = (format!("{root}#{id}"), theme);
        format!("{scope}{{color:{ink}}}{scope} .paper{{fill:{paper}}}{}", colors(&scope, theme))
    };
    format!(
        "#{id}{{{FONT}}}{strokes}{more}#{id} .head{{font-size:22px;font-weight:600}}{light}\
         @media screen and (prefers-color-scheme:dark){{{wished}}}{chosen}",
        strokes = strokes(&format!("#{id}")),
        more = scoped(&format!("#{id}"), rules),
        light = of("", &LIGHT),
        wished = of(":root:not([data-theme=light]) ", &DARK),
        chosen = of(":is([data-theme=dark],[data-theme=ayu]) ", &DARK),
    )
}

const FONT: &str = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;\
                    font-variant-numeric:tabular-nums";

fn strokes(scope: &str) -> String {
    const RULES: &[&str] = &[
        "text{font-size:16px;fill:currentColor}",
        ".title{font-size:17px;font-weight:600}",
        ".power{font-size:75%}",
        ".halo{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}",
        "path{fill:none;stroke:currentColor;stroke-linejoin:round}",
        ".line{stroke-width:2.5;stroke-linecap:round}",
        ".dashed{stroke-dasharray:8 5;stroke-linecap:butt}",
        ".dotted{stroke-dasharray:.1 4.8}",
        ".dashdot{stroke-dasharray:9 5 .1 5}",
        ".faint{stroke-width:1.2;opacity:.5}",
        ".leader{stroke-width:1;opacity:.6}",
        ".ring{stroke:currentColor;stroke-width:1.6}",
        ".dot{fill:currentColor}",
    ];
    scoped(scope, RULES)
}

fn scoped(scope: &str, rules: &[&str]) -> String {
    rules.iter().map(|rule| format!("{scope} {rule}")).collect()
}

fn colors(scope: &str, theme: &Theme) -> String {
    let Theme { paper, muted, grid, axis, lines, .. } = theme;
    let lines: String =
        lines.iter().enumerate().map(|(i, color)| format!("{scope} .c{i}{{color:{color}}}")).collect();
    format!(
        "{scope} .muted{{color:{muted}}}{scope} .grid{{color:{grid}}}{scope} .axis{{color:{axis}}}\
         {scope} .halo{{stroke:{paper}}}{scope} .ring{{fill:{paper}}}{lines}"
    )
}
