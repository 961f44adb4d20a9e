//! [`Report`]: what an experiment found, in the order in which it is told.

use super::Finding;
use surprisal_report::Table;
use surprisal_report::chart::Panels;

/// Verdicts, and the pictures, tables and words behind them.
///
/// The first picture stands at the top of the page and in the index: it should show the claim by itself.
#[derive(Default)]
pub struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) blocks: Vec<Block>,
}

pub(super) enum Block {
    /// `narrow` is another shape of the picture, for narrow windows.
    Figure {
        name: &'static str,
        svg: String,
        narrow: Option<String>,
        caption: String,
    },
    Section(String),
    Paragraph(String),
    Table(Table),
}

impl Report {
    /// Nothing yet.
    pub fn new() -> Report {
        Report::default()
    }
    /// Adds a verdict.
    pub fn finding(mut self, finding: Finding) -> Report {
        self.findings.push(finding);
        self
    }
    /// Adds a picture, one SVG element, under the name of its file.
    pub fn figure(self, name: &'static str, svg: String, caption: impl Into<String>) -> Report {
        self.block(Block::Figure { name, svg, narrow: None, caption: caption.into() })
    }
    /// Adds a picture of several panels, which stand below each other where the window is narrow.
    pub fn panels(self, name: &'static str, panels: Panels, caption: impl Into<String>) -> Report {
        let narrow = Some(panels.stacked().to_svg());
        self.block(Block::Figure { name, svg: panels.to_svg(), narrow, caption: caption.into() })
    }
    /// Adds a heading.
    pub fn section(self, heading: impl Into<String>) -> Report {
        self.block(Block::Section(heading.into()))
    }
    /// Adds the paragraphs of a text, between which stand empty lines; see [`page`](surprisal_report) for the marks that are understood in
    /// them.
    pub fn paragraphs(self, text: impl AsRef<str>) -> Report {
        text.as_ref().split("\n\n").fold(self, |report, text| report.block(Block::Paragraph(text.into())))
    }
    /// Adds a table.
    pub fn table(self, table: Table) -> Report {
        self.block(Block::Table(table))
    }
    fn block(mut self, block: Block) -> Report {
        self.blocks.push(block);
        self
    }

    /// The verdicts.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}
