//! The colors of charts and pages, in light and dark.

/// The colors of a theme: five for paper, text and rules, and five for lines.
///
/// The line colors descend from Okabe and Ito's palette for color-blind readers (blue, vermilion, green, purple),
/// darkened for light paper and lightened for dark paper until text in them has a contrast of at least 4.5 : 1,
/// the threshold of WCAG 2 level AA. At that contrast their yellow and orange cannot be distinguished from vermilion,
/// so the fifth color is the ink.
pub struct Theme {
    /// The background.
    pub paper: &'static str,
    /// Text.
    pub ink: &'static str,
    /// Secondary text.
    pub muted: &'static str,
    /// Grid lines.
    pub grid: &'static str,
    /// Edges.
    pub axis: &'static str,
    /// Lines: blue, vermilion, green, purple, ink.
    pub lines: [&'static str; 5],
}

/// Dark on light.
pub const LIGHT: Theme = Theme {
    paper: "#fdfcf9",
    ink: "#23272e",
    muted: "#5b616b",
    grid: "#e8e5de",
    axis: "#8d929b",
    lines: ["#0068b0", "#c44a00", "#007a5e", "#b0448c", "#41464d"],
};

/// Light on dark.
pub const DARK: Theme = Theme {
    paper: "#16181c",
    ink: "#e4e5e7",
    muted: "#a3a8b1",
    grid: "#2b2e35",
    axis: "#71767f",
    lines: ["#62b8f0", "#ff8f4d", "#3fcf9f", "#f084ca", "#c9ccd1"],
};

/// The colors of values from low to high: viridis (Smith and van der Walt, 2015) in sixteen steps, as R's viridisLite prints
/// them. It rises evenly in lightness, also for color-blind readers and in gray print, and is the same in both themes.
pub const RAMP: [&str; 16] = [
    "#440154", "#481a6c", "#472f7d", "#414487", "#39568c", "#31688e", "#2a788e", "#23888e", "#1f988b",
    "#22a884", "#35b779", "#54c568", "#7ad151", "#a5db36", "#d2e21b", "#fde725",
];

/// Whether text on this step of the ramp must be white instead of black.
pub fn is_dark(step: usize) -> bool {
    step < 7
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of a `#rrggbb` color (WCAG 2).
    fn luminance(color: &str) -> f64 {
        let channel = |at: usize| {
            let c = f64::from(u8::from_str_radix(&color[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    /// The contrast of two colors (WCAG 2).
    fn contrast(one: &str, other: &str) -> f64 {
        let (a, b) = (luminance(one) + 0.05, luminance(other) + 0.05);
        (a / b).max(b / a)
    }

    #[test]
    fn the_ramp_rises_in_lightness_and_words_on_it_can_be_read() {
        assert!(RAMP.windows(2).all(|pair| luminance(pair[0]) < luminance(pair[1])));
        for (step, color) in RAMP.into_iter().enumerate() {
            let contrast = contrast(color, if is_dark(step) { "#ffffff" } else { "#000000" });
            assert!(contrast >= 4.5, "{color}: contrast {contrast:.2} < 4.5");
        }
    }

    #[test]
    fn every_word_can_be_read_on_its_paper() {
        for theme in [LIGHT, DARK] {
            for color in theme.lines.into_iter().chain([theme.ink, theme.muted]) {
                let contrast = contrast(color, theme.paper);
                assert!(contrast >= 4.5, "{color} on {}: contrast {contrast:.2} < 4.5", theme.paper);
            }
        }
    }
}
