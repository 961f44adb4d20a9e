//! [`Report`]: the findings, figures and text of an experiment, in the order of its page.

use super::{Finding, Lab};
use surprisal_report::chart::Panels;
use surprisal_report::{Table, Verdict};

/// Findings, figures, tables and text.
///
/// The index shows the hero figure, or without one the first figure: it should show the claim by itself. Without a hero, the first
/// figure follows the background.
#[derive(Default)]
pub struct Report {
    pub(super) title_and_claim: Option<[String; 2]>,
    pub(super) hero: Option<Block>,
    pub(super) conclusions: Vec<(Verdict, String)>,
    pub(super) findings: Vec<Finding>,
    pub(super) blocks: Vec<Block>,
    /// The index of the block that follows the findings without a position of their own.
    pub(super) findings_at: Option<usize>,
}

pub(super) enum Block {
    /// `narrow` is another shape of the figure, for narrow windows.
    Figure {
        name: String,
        svg: String,
        narrow: Option<String>,
        caption: String,
    },
    /// The finding of that index.
    Finding(usize),
    Section(String),
    Paragraph(String),
    Code(String),
    Table(Table),
    /// A table that the summary shows too.
    MainTable(Table),
    Details(String, Vec<Block>),
}

impl Report {
    /// Returns an empty report.
    pub fn new() -> Report {
        Report::default()
    }
    /// Replaces the title and the claim of the experiment, if they depend on the setting.
    pub fn about(self, title: impl Into<String>, claim: impl Into<String>) -> Report {
        Report { title_and_claim: Some([title.into(), claim.into()]), ..self }
    }
    /// Sets the figure at the top of the page, one SVG element, with the name of its file.
    pub fn hero(self, name: impl Into<String>, svg: String, caption: impl Into<String>) -> Report {
        let (name, caption) = (name.into(), caption.into());
        Report { hero: Some(Block::Figure { name, svg, narrow: None, caption }), ..self }
    }
    /// Adds a verdict on several findings together, which is shown at the top of the page and at the end of the summary.
    pub fn conclusion(mut self, verdict: Verdict, sentence: impl Into<String>) -> Report {
        self.conclusions.push((verdict, sentence.into()));
        self
    }
    /// Adds a finding, which is shown together with the others; see [`Report::findings_here`].
    pub fn finding(mut self, finding: Finding) -> Report {
        self.findings.push(finding);
        self
    }
    /// Adds a finding that is shown here, among the figures and tables.
    pub fn finding_here(self, finding: Finding) -> Report {
        let index = self.findings.len();
        self.finding(finding).block(Block::Finding(index))
    }
    /// Shows the findings without a position of their own here, with how to read a verdict and what would falsify the claim. Without
    /// this they follow the background and the first figure.
    pub fn findings_here(self) -> Report {
        Report { findings_at: Some(self.blocks.len()), ..self }
    }
    /// Adds a figure, one SVG element, with the name of its file.
    pub fn figure(self, name: impl Into<String>, svg: String, caption: impl Into<String>) -> Report {
        self.block(Block::Figure { name: name.into(), svg, narrow: None, caption: caption.into() })
    }
    /// Adds a figure whose caption is the section "caption: NAME" of the experiment's text.
    #[track_caller]
    pub fn captioned(self, lab: &Lab, name: &str, svg: String) -> Report {
        self.figure(name, svg, lab.text(&format!("caption: {name}")))
    }
    /// Adds a figure of several panels, which are stacked in narrow windows.
    pub fn panels(self, name: impl Into<String>, panels: Panels, caption: impl Into<String>) -> Report {
        let narrow = Some(panels.stacked().to_svg());
        self.block(Block::Figure { name: name.into(), svg: panels.to_svg(), narrow, caption: caption.into() })
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
    /// Adds a table that the summary shows too.
    pub fn main_table(self, table: Table) -> Report {
        self.block(Block::MainTable(table))
    }
    /// Adds preformatted text.
    pub fn code(self, text: impl Into<String>) -> Report {
        self.block(Block::Code(text.into()))
    }
    /// Adds the figures, tables and text of another report, folded away until the reader opens them.
    pub fn details(self, heading: impl Into<String>, content: Report) -> Report {
        self.block(Block::Details(heading.into(), content.blocks))
    }
    fn block(mut self, block: Block) -> Report {
        self.blocks.push(block);
        self
    }

    /// Returns the verdicts on several findings together.
    pub fn conclusions(&self) -> &[(Verdict, String)] {
        &self.conclusions
    }

    /// Returns the findings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}
