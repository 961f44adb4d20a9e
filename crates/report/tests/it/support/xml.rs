//! Reading pictures and pages back, as strictly as XML is.

/// One element of a parsed document, with the text directly inside it.
#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn number(&self, name: &str) -> f64 {
        self.get(name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} of {self:?}"))
    }

    pub fn has_class(&self, class: &str) -> bool {
        self.get("class").is_some_and(|classes| classes.split(' ').any(|c| c == class))
    }
}

/// The elements of an XML document, or what is wrong with it.
pub fn parse(document: &str) -> Result<Vec<Element>, String> {
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
pub fn parsed(document: &str) -> Vec<Element> {
    parse(document).unwrap_or_else(|error| panic!("{error} in\n{document}"))
}
