//! [`Report`]: the findings, figures and text of an experiment, in the order of its page.

use super::Finding;
use surprisal_report::Table;
use surprisal_report::chart::Panels;

/// Findings, figures, tables and text.
///
/// The first figure is at the top of the page and in the index: it should show the claim by itself.
#[derive(Default)]
pub struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) blocks: Vec<Block>,
}

pub(super) enum Block {
    /// `narrow` is another shape of the figure, for narrow windows.
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
    /// Returns an empty report.
    pub fn new() -> Report {
        Report::default()
    }
    /// Adds a finding.
    pub fn finding(mut self, finding: Finding) -> Report {
        self.findings.push(finding);
        self
    }
    /// Adds a figure, one SVG element, with the name of its file.
    pub fn figure(self, name: &'static str, svg: String, caption: impl Into<String>) -> Report {
        self.block(Block::Figure { name, svg, narrow: None, caption: caption.into() })
    }
    /// Adds a figure of several panels, which are stacked in narrow windows.
    pub fn panels(self, name: &'static str, panels: Panels, caption: impl Into<String>) -> Report {
        let narrow = Some(panels.stacked().to_svg());
        self.block(Block::Figure { name, svg: panels.to_svg(), narrow, caption: caption.into() })
    }
    /// Adds a heading.
    pub fn section(self, heading: impl Into<String>) -> Report {
        self.block(Block::Section(heading.into()))
    }
    /// Adds the paragraphs of a text, which are separated by empty lines; [`Page`](surprisal_report::Page) has the inline markup.
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

    /// Returns the findings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}
