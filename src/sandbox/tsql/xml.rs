//! XML values: whether a text is XML, and the paths people use on it in administration scripts.
//!
//! Knows elements, attributes and text; no schemas, namespaces by prefix only, and no XQuery beyond paths.

use super::super::answer::Message;
use super::super::value::{Type, Value};

/// Elements inside each other; more are refused.
const DEPTH: usize = 128;

/// A node of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Element { name: String, attributes: Vec<(String, String)>, children: Vec<Node> },
    Text(String),
}

/// What a path leads to.
#[derive(Debug, Clone)]
enum Item<'n> {
    /// The document itself.
    Top(&'n [Node]),
    Node(&'n Node),
    Attribute(&'n str),
}

/// Marks the value of a row of `nodes()`: paths start at its element, not above it.
const INSIDE: char = '\u{1}';

/// A text as an xml value.
pub(super) fn hold(value: &Value, from: Type) -> Result<Value, Message> {
    let text = match value {
        Value::Text(text) => text.clone(),
        Value::Binary(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => return Err(super::types::clash(from, Type::Xml)),
    };
    if text.starts_with(INSIDE) {
        return Ok(Value::Text(text));
    }
    let nodes = parse(&text)?;
    let mut out = String::new();
    for node in &nodes {
        write(node, &mut out);
    }
    Ok(Value::Text(out))
}

fn wrong(number: i32, at: usize, what: &str) -> Message {
    Message::error(number, format!("XML parsing: line 1, character {}, {what}", at + 1))
}

/// The nodes of a document or fragment.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, Message> {
    let chars: Vec<char> = text.trim_start_matches(INSIDE).chars().collect();
    let mut reader = Reader { chars, at: 0 };
    let nodes = reader.content(0)?;
    if reader.at < reader.chars.len() {
        return Err(wrong(9436, reader.at, "end tag does not match start tag"));
    }
    Ok(nodes)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn starts(&self, what: &str) -> bool {
        what.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c))
    }
    fn skip_past(&mut self, what: &str) -> Result<String, Message> {
        let start = self.at;
        while self.at < self.chars.len() {
            if self.starts(what) {
                let inner = self.chars[start..self.at].iter().collect();
                self.at += what.chars().count();
                return Ok(inner);
            }
            self.at += 1;
        }
        Err(wrong(9400, self.at, "unexpected end of input"))
    }
    fn blanks(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }
    fn name(&mut self) -> Result<String, Message> {
        let start = self.at;
        while self
            .chars
            .get(self.at)
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
        {
            self.at += 1;
        }
        let name: String = self.chars[start..self.at].iter().collect();
        if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            Ok(name)
        } else {
            Err(wrong(9455, start, "illegal qualified name character"))
        }
    }

    /// Everything up to an end tag or the end.
    fn content(&mut self, depth: usize) -> Result<Vec<Node>, Message> {
        if depth > DEPTH {
            return Err(Message::error(
                6335,
                "XML datatype instance has too many levels of nested nodes. Maximum allowed depth is 128 levels.",
            ));
        }
        let mut nodes = Vec::new();
        let mut text = String::new();
        while self.at < self.chars.len() {
            if self.starts("</") {
                break;
            }
            if self.starts("<![CDATA[") {
                self.at += 9;
                text.push_str(&self.skip_past("]]>")?);
                continue;
            }
            if self.starts("<!--") {
                self.at += 4;
                self.skip_past("-->")?;
                continue;
            }
            if self.starts("<?") {
                self.at += 2;
                self.skip_past("?>")?;
                continue;
            }
            if self.starts("<!") {
                return Err(Message::not_modelled("document types in XML"));
            }
            if self.starts("<") {
                flush(&mut text, &mut nodes);
                nodes.push(self.element(depth)?);
                continue;
            }
            let c = self.char()?;
            text.push_str(&c);
        }
        flush(&mut text, &mut nodes);
        Ok(nodes)
    }

    fn char(&mut self) -> Result<String, Message> {
        let c = self.chars[self.at];
        self.at += 1;
        if c != '&' {
            return Ok(c.to_string());
        }
        let start = self.at;
        let name = self.skip_past(";").map_err(|_| wrong(9411, start, "semicolon expected"))?;
        Ok(match name.as_str() {
            "lt" => "<".into(),
            "gt" => ">".into(),
            "amp" => "&".into(),
            "quot" => "\"".into(),
            "apos" => "'".into(),
            other => other
                .strip_prefix("#x")
                .map(|h| u32::from_str_radix(h, 16).ok())
                .or_else(|| other.strip_prefix('#').map(|d| d.parse().ok()))
                .flatten()
                .and_then(char::from_u32)
                .map(|c| c.to_string())
                .ok_or_else(|| wrong(9448, start, "well formed check: undeclared entity"))?,
        })
    }

    fn element(&mut self, depth: usize) -> Result<Node, Message> {
        self.at += 1;
        let name = self.name()?;
        let mut attributes: Vec<(String, String)> = Vec::new();
        loop {
            self.blanks();
            if self.starts("/>") {
                self.at += 2;
                return Ok(Node::Element { name, attributes, children: Vec::new() });
            }
            if self.starts(">") {
                self.at += 1;
                break;
            }
            if self.at >= self.chars.len() {
                return Err(wrong(9400, self.at, "unexpected end of input"));
            }
            let attribute = self.name()?;
            self.blanks();
            if !self.starts("=") {
                return Err(wrong(9412, self.at, "'=' expected"));
            }
            self.at += 1;
            self.blanks();
            let quote = self.chars.get(self.at).copied().unwrap_or(' ');
            if quote != '"' && quote != '\'' {
                return Err(wrong(9413, self.at, "A string literal was expected"));
            }
            self.at += 1;
            let mut value = String::new();
            while self.chars.get(self.at).is_some_and(|c| *c != quote) {
                value.push_str(&self.char()?);
            }
            self.at += 1;
            if attributes.iter().any(|(n, _)| *n == attribute) {
                return Err(wrong(9437, self.at, "duplicate attribute"));
            }
            attributes.push((attribute, value));
        }
        let children = self.content(depth + 1)?;
        if !self.starts("</") {
            return Err(wrong(9400, self.at, "unexpected end of input"));
        }
        self.at += 2;
        if self.name()? != name {
            return Err(wrong(9436, self.at, "end tag does not match start tag"));
        }
        self.blanks();
        if !self.starts(">") {
            return Err(wrong(9459, self.at, "undefined prefix or malformed tag"));
        }
        self.at += 1;
        Ok(Node::Element { name, attributes, children })
    }
}

fn flush(text: &mut String, nodes: &mut Vec<Node>) {
    // blanks between elements are not kept
    if !text.trim().is_empty() {
        nodes.push(Node::Text(std::mem::take(text)));
    }
    text.clear();
}

/// A text as it stands between tags.
pub(super) fn escape(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\r' => out.push_str("&#x0D;"),
            '\n' if attribute => out.push_str("&#x0A;"),
            '\t' if attribute => out.push_str("&#x09;"),
            c if c < ' ' && !matches!(c, '\n' | '\t') => out.push_str(&format!("&#x{:02X};", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Appends a node as text.
pub(super) fn write(node: &Node, out: &mut String) {
    match node {
        Node::Text(text) => out.push_str(&escape(text, false)),
        Node::Element { name, attributes, children } => {
            out.push('<');
            out.push_str(name);
            for (attribute, value) in attributes {
                out.push_str(&format!(" {attribute}=\"{}\"", escape(value, true)));
            }
            if children.is_empty() {
                out.push_str("/>");
                return;
            }
            out.push('>');
            for child in children {
                write(child, out);
            }
            out.push_str(&format!("</{name}>"));
        }
    }
}

fn string_of(node: &Node, out: &mut String) {
    match node {
        Node::Text(text) => out.push_str(text),
        Node::Element { children, .. } => children.iter().for_each(|c| string_of(c, out)),
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// Behind `//`.
    deep: bool,
    what: What,
    predicates: Vec<Predicate>,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Own,
    Any,
    Element(String),
    Attribute(String),
    Text,
}

#[derive(Debug, Clone, PartialEq)]
enum Predicate {
    Place(usize),
    Last,
    Equal(Vec<Step>, String),
    Has(Vec<Step>),
}

/// A path as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path {
    absolute: bool,
    steps: Vec<Step>,
    /// `(…)[n]`
    place: Option<usize>,
    count: bool,
}

fn refused(text: &str) -> Message {
    Message::not_modelled(format!("XQuery '{}'", text.chars().take(60).collect::<String>()))
}

/// Reads a path; what is no plain path is refused.
pub(super) fn path(text: &str) -> Result<Path, Message> {
    let trimmed = text.trim();
    if let Some(inner) = trimmed.strip_prefix("count(").and_then(|r| r.strip_suffix(')')) {
        return Ok(Path { count: true, ..path(inner)? });
    }
    if let Some(inner) = trimmed.strip_prefix("string(").and_then(|r| r.strip_suffix(')')) {
        return path(inner);
    }
    let (inner, place) = match trimmed.strip_prefix('(') {
        Some(rest) => {
            let close = rest.rfind(')').ok_or_else(|| refused(text))?;
            let after = rest[close + 1..].trim();
            let place = if after.is_empty() {
                None
            } else {
                let n = after
                    .strip_prefix('[')
                    .and_then(|r| r.strip_suffix(']'))
                    .and_then(|n| n.trim().parse().ok());
                Some(n.ok_or_else(|| refused(text))?)
            };
            (rest[..close].trim(), place)
        }
        None => (trimmed, None),
    };
    let (steps, absolute) = steps(inner, text, 0)?;
    Ok(Path { absolute, steps, place, count: false })
}

fn steps(inner: &str, whole: &str, depth: usize) -> Result<(Vec<Step>, bool), Message> {
    if depth > 3 {
        return Err(refused(whole));
    }
    let chars: Vec<char> = inner.chars().collect();
    let mut at = 0;
    let absolute = chars.first() == Some(&'/');
    let mut out = Vec::new();
    loop {
        let mut slashes = 0;
        while chars.get(at) == Some(&'/') {
            slashes += 1;
            at += 1;
        }
        if at >= chars.len() {
            return if out.is_empty() && slashes != 1 || slashes > 0 && !out.is_empty() {
                Err(refused(whole))
            } else {
                Ok((out, absolute))
            };
        }
        if slashes > 2 || slashes == 0 && !out.is_empty() {
            return Err(refused(whole));
        }
        let start = at;
        while chars.get(at).is_some_and(|c| !matches!(c, '/' | '[')) {
            at += 1;
        }
        let word: String = chars[start..at].iter().collect();
        let word = word.trim();
        let plain = |w: &str| {
            w.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && w.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
        };
        let what = match word {
            "." | "self::node()" => What::Own,
            "*" | "node()" => What::Any,
            "text()" => What::Text,
            w if w.strip_prefix('@').is_some_and(plain) => What::Attribute(w[1..].to_owned()),
            w if plain(w) => What::Element(w.to_owned()),
            _ => return Err(refused(whole)),
        };
        let mut predicates = Vec::new();
        while chars.get(at) == Some(&'[') {
            let open = at + 1;
            let mut quote = None;
            while let Some(c) = chars.get(at) {
                match quote {
                    Some(q) if q == *c => quote = None,
                    None if *c == '"' || *c == '\'' => quote = Some(*c),
                    None if *c == ']' => break,
                    _ => {}
                }
                at += 1;
            }
            if at >= chars.len() {
                return Err(refused(whole));
            }
            let text: String = chars[open..at].iter().collect();
            at += 1;
            predicates.push(predicate(text.trim(), whole, depth)?);
        }
        out.push(Step { deep: slashes == 2, what, predicates });
    }
}

fn predicate(text: &str, whole: &str, depth: usize) -> Result<Predicate, Message> {
    if let Ok(n) = text.parse::<usize>() {
        return Ok(Predicate::Place(n));
    }
    if text == "last()" {
        return Ok(Predicate::Last);
    }
    if let Some((left, right)) = text.split_once('=') {
        let right = right.trim();
        let literal = right
            .strip_prefix('"')
            .and_then(|r| r.strip_suffix('"'))
            .or_else(|| right.strip_prefix('\'').and_then(|r| r.strip_suffix('\'')))
            .or_else(|| right.parse::<i64>().is_ok().then_some(right))
            .ok_or_else(|| refused(whole))?;
        return Ok(Predicate::Equal(steps(left.trim(), whole, depth + 1)?.0, literal.to_owned()));
    }
    Ok(Predicate::Has(steps(text, whole, depth + 1)?.0))
}

impl Path {
    /// Whether it cannot lead to more than one thing, as `value()` demands.
    pub(super) fn is_single(&self) -> bool {
        self.count
            || self.place.is_some()
            || self.steps.iter().all(|s| {
                !s.deep
                    && (matches!(s.what, What::Own | What::Attribute(_))
                        || s.predicates.iter().any(|p| matches!(p, Predicate::Place(_) | Predicate::Last)))
            })
    }

    fn follow<'n>(&self, start: Item<'n>) -> Vec<Item<'n>> {
        let mut items = walk(&self.steps, vec![start]);
        if let Some(place) = self.place {
            items = items.into_iter().skip(place.saturating_sub(1)).take(usize::from(place > 0)).collect();
        }
        items
    }

    fn on<'n>(&self, text: &str, nodes: &'n [Node]) -> Result<Vec<Item<'n>>, Message> {
        let inside = text.starts_with(INSIDE);
        if inside && self.absolute {
            return Err(Message::not_modelled("an absolute path below nodes()"));
        }
        let start = match nodes.first() {
            Some(node) if inside => Item::Node(node),
            _ => Item::Top(nodes),
        };
        Ok(self.follow(start))
    }
}

fn walk<'n>(steps: &[Step], start: Vec<Item<'n>>) -> Vec<Item<'n>> {
    let mut items = start;
    for step in steps {
        let mut next = Vec::new();
        for item in items {
            let bases = if step.deep { deep(&item) } else { vec![item] };
            for base in bases {
                let mut found = one_step(&step.what, &base);
                for predicate in &step.predicates {
                    found = filtered(found, predicate);
                }
                next.extend(found);
            }
        }
        items = next;
    }
    items
}

fn children<'n>(item: &Item<'n>) -> &'n [Node] {
    match item {
        Item::Top(nodes) => nodes,
        Item::Node(Node::Element { children, .. }) => children,
        _ => &[],
    }
}

fn deep<'n>(item: &Item<'n>) -> Vec<Item<'n>> {
    let mut out = vec![item.clone()];
    for child in children(item) {
        if matches!(child, Node::Element { .. }) {
            out.extend(deep(&Item::Node(child)));
        }
    }
    out
}

fn one_step<'n>(what: &What, item: &Item<'n>) -> Vec<Item<'n>> {
    match what {
        What::Own => vec![item.clone()],
        What::Any => {
            children(item).iter().filter(|n| matches!(n, Node::Element { .. })).map(Item::Node).collect()
        }
        What::Text => children(item).iter().filter(|n| matches!(n, Node::Text(_))).map(Item::Node).collect(),
        What::Element(wanted) => children(item)
            .iter()
            .filter(|n| matches!(n, Node::Element { name, .. } if name == wanted))
            .map(Item::Node)
            .collect(),
        What::Attribute(wanted) => match item {
            Item::Node(Node::Element { attributes, .. }) => attributes
                .iter()
                .filter(|(n, _)| n == wanted)
                .map(|(_, v)| Item::Attribute(v.as_str()))
                .collect(),
            _ => Vec::new(),
        },
    }
}

fn filtered<'n>(items: Vec<Item<'n>>, predicate: &Predicate) -> Vec<Item<'n>> {
    match predicate {
        Predicate::Place(n) => {
            items.into_iter().skip(n.saturating_sub(1)).take(usize::from(*n > 0)).collect()
        }
        Predicate::Last => items.into_iter().last().into_iter().collect(),
        Predicate::Has(steps) => {
            items.into_iter().filter(|i| !walk(steps, vec![i.clone()]).is_empty()).collect()
        }
        Predicate::Equal(steps, text) => items
            .into_iter()
            .filter(|i| walk(steps, vec![i.clone()]).iter().any(|found| found.text() == *text))
            .collect(),
    }
}

impl Item<'_> {
    fn text(&self) -> String {
        let mut out = String::new();
        match self {
            Self::Top(nodes) => nodes.iter().for_each(|n| string_of(n, &mut out)),
            Self::Node(node) => string_of(node, &mut out),
            Self::Attribute(text) => out.push_str(text),
        }
        out
    }
}

/// `value(path)`: the text it leads to.
pub(super) fn value(text: &str, path: &Path) -> Result<Option<String>, Message> {
    let nodes = parse(text)?;
    let items = path.on(text, &nodes)?;
    if path.count {
        return Ok(Some(items.len().to_string()));
    }
    Ok(items.first().map(Item::text))
}

/// `exist(path)`
pub(super) fn exist(text: &str, path: &Path) -> Result<bool, Message> {
    let nodes = parse(text)?;
    Ok(!path.on(text, &nodes)?.is_empty())
}

/// `query(path)`: what it leads to, as XML.
pub(super) fn query(text: &str, path: &Path) -> Result<String, Message> {
    let nodes = parse(text)?;
    let mut out = String::new();
    for item in path.on(text, &nodes)? {
        match item {
            Item::Top(nodes) => nodes.iter().for_each(|n| write(n, &mut out)),
            Item::Node(node) => write(node, &mut out),
            Item::Attribute(_) => {
                return Err(Message::error(
                    2396,
                    "XQuery [query()]: Attribute may not appear outside of an element",
                ));
            }
        }
    }
    Ok(out)
}

/// `nodes(path)`: one value per node.
pub(super) fn nodes(text: &str, path: &Path) -> Result<Vec<Value>, Message> {
    let all = parse(text)?;
    let mut out = Vec::new();
    for item in path.on(text, &all)? {
        match item {
            Item::Node(node) => {
                let mut one = INSIDE.to_string();
                write(node, &mut one);
                out.push(Value::Text(one));
            }
            Item::Top(_) => out.push(Value::Text(text.to_owned())),
            Item::Attribute(_) => return Err(Message::not_modelled("nodes() of attributes")),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, query: &str) -> Option<String> {
        value(text, &path(query).unwrap()).unwrap()
    }

    #[test]
    fn paths_lead_to_elements_attributes_and_texts() {
        let text = r#"<a><b id="1">x</b><b id="2">y&amp;z</b></a>"#;
        assert_eq!(at(text, "(/a/b)[2]").as_deref(), Some("y&z"));
        assert_eq!(at(text, "/a[1]/b[@id=\"2\"][1]/text()[1]").as_deref(), Some("y&z"));
        assert_eq!(at(text, "(//b/@id)[2]").as_deref(), Some("2"));
        assert_eq!(at(text, "count(/a/b)").as_deref(), Some("2"));
        assert_eq!(at(text, ".").as_deref(), Some("xy&z"));
        assert_eq!(at(text, "(/a/c)[1]"), None);
        assert!(!path("/a/b").unwrap().is_single());
        let rows = nodes(text, &path("/a/b").unwrap()).unwrap();
        let Value::Text(second) = &rows[1] else { panic!() };
        assert_eq!(at(second, "@id").as_deref(), Some("2"));
        assert!(path("for $x in /a return $x").is_err());
    }

    #[test]
    fn broken_xml_is_told_with_the_servers_numbers() {
        for (text, number) in [("<a>", 9400), ("<a></b>", 9436), ("<1/>", 9455), ("<a b=1/>", 9413)] {
            assert_eq!(parse(text).unwrap_err().number, number, "{text}");
        }
        let deep = "<a>".repeat(5000);
        assert_eq!(parse(&deep).unwrap_err().number, 6335);
    }
}
