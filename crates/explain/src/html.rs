//! An explanation as a page on which the passes can be stepped through.

use surprisal_report::Page;
use surprisal_report::text::escape;

use crate::heat_map::Pictures;
use crate::numbers::list;
use crate::{Explanation, Node};

impl Explanation {
    /// Returns a self-contained page: the graph, a slider (or the arrow keys) for the steps of the forward and the backward pass, the four
    /// equations of back-propagation with the numbers of this network, and everything as text. Without scripts all steps are a list.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// let page = explain(loss).to_html("A square");
    /// assert!(page.contains("<svg") && page.contains("<title>A square</title>"));
    /// ```
    pub fn to_html(&self, title: &str) -> String {
        self.page(title).to_html()
    }

    /// Returns the page of [`to_html`](Self::to_html), to which more can be added.
    ///
    /// ```
    /// # use surprisal_explain::explain;
    /// # use surprisal_tensor::{Params, Workspace};
    /// # let (params, mut workspace) = (Params::<f64>::default(), Workspace::new());
    /// # let tape = workspace.tape(&params);
    /// let y = tape.constant(3.0).requires_grad().named("x").square().named("y");
    /// let loss = 2.0 * y;
    /// loss.backward();
    /// let page = explain(loss).page("A square").section("To do").paragraph("Predict the gradient at x = -3.");
    /// assert!(page.to_html().contains("Predict the gradient at x = -3."));
    /// ```
    pub fn page(&self, title: &str) -> Page {
        let steps = self.steps();
        let last = steps.len().saturating_sub(1);
        let html = format!(
            "<div class=\"stepper\">\n<div class=\"now\" hidden=\"hidden\">\n<label>Step <output>1</output> of {count}\
             <input type=\"range\" min=\"0\" max=\"{last}\" value=\"0\"/></label>\n</div>\n<ol class=\"steps\">\n{list}</ol>\n\
             <div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"The graph\">\n{svg}</div>\n</div>\n<style>{STYLE}</style>",
            count = steps.len(),
            list = steps.concat(),
            svg = self.to_svg("tape"),
        );
        let (drawn, of) = self.drawn();
        let part = match drawn.len() < of {
            true => format!(
                " The graph and its steps show the {} boxes nearest to the result, of {of}.",
                drawn.len()
            ),
            false => String::new(),
        };
        let pictures = match drawn.iter().any(|&at| Pictures::of(&self.nodes[at]).is_some()) {
            true => {
                " Pictures in a box are the channels of an image, darkest where they are largest, or kernels and gradients, \
                     blue below 0 and vermilion above."
            }
            false => "",
        };
        let mut page = Page::new(title)
            .lead(&format!(
                "Every box is a number or an array that was computed; every line below is what the library computed. \
                 First down, from the inputs to the loss; then back up, each box passing its gradient on.{part}{pictures}",
            ))
            .interactive(&html, include_str!("step.js"));
        let equations = self.equations();
        if !equations.is_empty() {
            page = page.section("The four equations of back-propagation").paragraph(
                "δ is the error of a layer: the derivative of the loss with respect to what its units add up to, before the \
                 activation. ∂ is the derivative of the loss with respect to what follows.",
            );
            for equation in equations {
                let caption = format!("*{}*: {}", equation.layer, equation.what);
                page = match surprisal_formula::block(&equation.formula) {
                    Ok(formula) => page.figure(&formula, &caption),
                    // the card of a user's own operation may be written in another way
                    Err(_) => page.paragraph(&format!("{caption}: `{}`", equation.formula)),
                };
                page = page.code(&format!("{}\n{}", equation.worked, equation.result));
            }
        }
        page.details("Both passes as text", |page| page.code(&self.passes()))
            .details("All details of each node", |page| page.code(&self.to_string()))
    }

    /// A list item for each step.
    fn steps(&self) -> Vec<String> {
        let (drawn, _) = self.drawn();
        let shown = || drawn.iter().map(|&at| (at, &self.nodes[at]));
        let item = |pass: &str, at: usize, lines: &[String]| {
            let lines: String = lines
                .iter()
                .filter(|line| !line.is_empty())
                .map(|line| format!("<br/>{}", escape(line)))
                .collect();
            let lines = lines.trim_start_matches("<br/>");
            format!("<li data-pass=\"{pass}\" data-node=\"{at}\"><p>{lines}</p></li>\n")
        };
        let mut steps: Vec<String> = shown()
            .map(|(at, node)| {
                let formula = match (self.formula(at), self.worked(at)) {
                    (formula, _) if formula.is_empty() => String::new(),
                    (formula, None) => format!(" = {formula}"),
                    (formula, Some(worked)) => format!(" = {formula} = {worked}"),
                };
                let value = format!("{}{formula} = {}", node.name, list(&node.value, node.columns()));
                item("forward", at, &[value, node.story().to_string(), warned(node)])
            })
            .collect();
        for (at, node) in shown().collect::<Vec<_>>().into_iter().rev() {
            let Some(gradient) = node.gradient.as_ref().filter(|_| !node.sends.is_empty()) else { continue };
            let mut lines = vec![format!("∂{} = {}", node.name, list(gradient, node.columns()))];
            for sent in &node.sends {
                let to = &self.nodes[sent.to];
                let worked =
                    self.derivative_worked(at, sent).map_or(String::new(), |worked| format!(" = {worked}"));
                let value = list(&sent.gradient, to.columns());
                lines.push(format!(
                    "passes on ∂{} = {}{worked} = {value}",
                    to.name,
                    self.derivative(at, sent)
                ));
                lines.extend(self.why_small(at, sent));
            }
            steps.push(item("backward", at, &lines));
        }
        steps
    }
}

fn warned(node: &Node) -> String {
    node.units().and_then(|units| units.warning()).unwrap_or_default()
}

const STYLE: &str = "\
.stepper .now{position:sticky;top:0;background:var(--paper);padding:.5rem 0}\
.stepper .now input{display:block;width:100%;height:2rem;accent-color:var(--link)}\
.stepper .steps{padding-left:2.5rem}.stepper .steps p{margin:.4rem 0;font-variant-numeric:tabular-nums}\
.stepper.live .steps{position:sticky;top:4.6rem;background:var(--paper);list-style:none;padding:0;margin:0;\
min-height:9rem;border-bottom:1px solid var(--rule)}\
.stepper .scroll{width:min(100vw - 2rem,64rem);margin-left:50%;transform:translateX(-50%)}\
.stepper svg{display:block;margin:0 auto;max-width:none}\
@media (max-width:600px){.stepper svg{width:min(var(--wide),max(100%,.68*var(--wide)));height:auto}}";
