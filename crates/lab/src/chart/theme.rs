//! The colours of charts and pages in light and dark, in one place.

/// One theme: five colours of the paper and its marks, and five for lines.
///
/// The line colours descend from Okabe and Ito's palette for colour-blind readers (blue, vermilion, green, purple),
/// darkened for light paper and lightened for dark paper until words in them have a contrast of at least 4.5 : 1,
/// the threshold of WCAG 2 level AA. Their yellow and orange cannot be read at that contrast apart from vermilion,
/// so the fifth colour is the ink.
pub(crate) struct Theme {
    pub(crate) paper: &'static str,
    pub(crate) ink: &'static str,
    pub(crate) muted: &'static str,
    pub(crate) grid: &'static str,
    pub(crate) axis: &'static str,
    pub(crate) lines: [&'static str; 5],
}

pub(crate) const LIGHT: Theme = Theme {
    paper: "#fdfcf9",
    ink: "#23272e",
    muted: "#5b616b",
    grid: "#e8e5de",
    axis: "#8d929b",
    lines: ["#0068b0", "#c44a00", "#007a5e", "#b0448c", "#41464d"],
};

pub(crate) const DARK: Theme = Theme {
    paper: "#16181c",
    ink: "#e4e5e7",
    muted: "#a3a8b1",
    grid: "#2b2e35",
    axis: "#71767f",
    lines: ["#62b8f0", "#ff8f4d", "#3fcf9f", "#f084ca", "#c9ccd1"],
};

/// The colours of values from low to high: viridis (Smith and van der Walt, 2015) in sixteen steps, as R's viridisLite prints
/// them. It rises evenly in lightness, also for colour-blind readers and in grey print, and is the same in both themes.
pub(super) const RAMP: [&str; 16] = [
    "#440154", "#481a6c", "#472f7d", "#414487", "#39568c", "#31688e", "#2a788e", "#23888e", "#1f988b",
    "#22a884", "#35b779", "#54c568", "#7ad151", "#a5db36", "#d2e21b", "#fde725",
];

/// Whether words on this step of the ramp must be white instead of black to be read.
pub(super) fn is_dark(step: usize) -> bool {
    step < 7
}

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
        light = colours(".chart", &LIGHT),
        dark_paper = paper(&DARK),
        dark = colours(".chart", &DARK),
    )
}

/// The style sheet of panels inside the element of that id: nothing outside is touched, and nothing inside depends on the width
/// of the screen.
///
/// The paper is an element. Pages of rustdoc say their theme in an attribute of the root; elsewhere the reader's wish decides.
pub(super) fn panels_css(id: &str, rules: &[&str]) -> String {
    let of = |root: &str, theme: &Theme| {
        let (scope, Theme { paper, ink, .. }) = (format!("{root}#{id}"), theme);
        format!("{scope}{{color:{ink}}}{scope} .paper{{fill:{paper}}}{}", colours(&scope, theme))
    };
    format!(
        "#{id}{{{FONT}}}{strokes}{more}#{id} .head{{font-size:22px;font-weight:600}}{light}\
         @media screen and (prefers-color-scheme:dark){{{wished}}}{told}",
        strokes = strokes(&format!("#{id}")),
        more = scoped(&format!("#{id}"), rules),
        light = of("", &LIGHT),
        wished = of(":root:not([data-theme=light]) ", &DARK),
        told = of(":is([data-theme=dark],[data-theme=ayu]) ", &DARK),
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

fn colours(scope: &str, theme: &Theme) -> String {
    let Theme { paper, muted, grid, axis, lines, .. } = theme;
    let lines: String =
        lines.iter().enumerate().map(|(i, colour)| format!("{scope} .c{i}{{color:{colour}}}")).collect();
    format!(
        "{scope} .muted{{color:{muted}}}{scope} .grid{{color:{grid}}}{scope} .axis{{color:{axis}}}\
         {scope} .halo{{stroke:{paper}}}{scope} .ring{{fill:{paper}}}{lines}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of a `#rrggbb` colour (WCAG 2).
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let c = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    /// The contrast of two colours (WCAG 2).
    fn contrast(one: &str, other: &str) -> f64 {
        let (a, b) = (luminance(one) + 0.05, luminance(other) + 0.05);
        (a / b).max(b / a)
    }

    #[test]
    fn the_ramp_rises_in_lightness_and_words_on_it_can_be_read() {
        assert!(RAMP.windows(2).all(|pair| luminance(pair[0]) < luminance(pair[1])));
        for (step, colour) in RAMP.into_iter().enumerate() {
            let contrast = contrast(colour, if is_dark(step) { "#ffffff" } else { "#000000" });
            assert!(contrast >= 4.5, "{colour}: contrast {contrast:.2} < 4.5");
        }
    }

    #[test]
    fn every_word_can_be_read_on_its_paper() {
        for theme in [LIGHT, DARK] {
            for colour in theme.lines.into_iter().chain([theme.ink, theme.muted]) {
                let contrast = contrast(colour, theme.paper);
                assert!(contrast >= 4.5, "{colour} on {}: contrast {contrast:.2} < 4.5", theme.paper);
            }
        }
    }
}
