//! FOR XML, FOR JSON, GROUP BY with several groupings, PIVOT and UNPIVOT.

use super::super::ast::{Call, Expr, JsonShape, Shape, Source, XmlMode, XmlShape};
use super::super::lexer::Kind;
use super::{Parsed, Parser};

/// Groupings of one GROUP BY; more are refused as the server does.
const SETS: usize = 4096;

/// What is grouped by, and the places of each set in it if there are several.
type Groups = (Vec<Expr>, Option<Vec<Vec<usize>>>);

impl Parser {
    fn text_in_parentheses(&mut self) -> Parsed<Option<String>> {
        if !self.accept_symbol("(") {
            return Ok(None);
        }
        let Kind::Text { .. } = self.kind() else { return Err(self.unexpected()) };
        let text = self.token().text.clone();
        self.advance();
        self.expect_symbol(")")?;
        Ok(Some(text))
    }

    /// Stands behind FOR XML.
    pub(super) fn for_xml(&mut self) -> Parsed<Shape> {
        let mode = match self.one_of(&["PATH", "RAW", "AUTO", "EXPLICIT"]) {
            Some("PATH") => XmlMode::Path,
            Some("RAW") => XmlMode::Raw,
            Some("AUTO") => XmlMode::Auto,
            Some(_) => return Err(self.refused("FOR XML EXPLICIT")),
            None => return Err(self.unexpected()),
        };
        let element = if mode == XmlMode::Auto { None } else { self.text_in_parentheses()? };
        let mut shape = XmlShape {
            mode,
            element,
            root: None,
            elements: false,
            xsinil: false,
            typed: false,
            base64: false,
        };
        while self.accept_symbol(",") {
            if self.accept("TYPE") {
                shape.typed = true;
            } else if self.accept("ROOT") {
                shape.root = Some(self.text_in_parentheses()?.unwrap_or_else(|| "root".to_owned()));
            } else if self.accept("ELEMENTS") {
                shape.elements = true;
                shape.xsinil = self.one_of(&["XSINIL", "ABSENT"]) == Some("XSINIL");
            } else if self.accept_all(&["BINARY", "BASE64"]) {
                shape.base64 = true;
            } else if self.peek("XMLSCHEMA") || self.peek("XMLDATA") {
                return Err(self.refused("schemas in FOR XML"));
            } else {
                return Err(self.unexpected());
            }
        }
        Ok(Shape::Xml(shape))
    }

    /// Stands behind FOR JSON.
    pub(super) fn for_json(&mut self) -> Parsed<Shape> {
        let auto = self.one_of(&["PATH", "AUTO"]).ok_or_else(|| self.unexpected())? == "AUTO";
        let mut shape = JsonShape { auto, root: None, nulls: false, bare: false };
        while self.accept_symbol(",") {
            if self.accept("ROOT") {
                shape.root = Some(self.text_in_parentheses()?.unwrap_or_else(|| "root".to_owned()));
            } else if self.accept("INCLUDE_NULL_VALUES") {
                shape.nulls = true;
            } else if self.accept("WITHOUT_ARRAY_WRAPPER") {
                shape.bare = true;
            } else {
                return Err(self.unexpected());
            }
        }
        if shape.bare && shape.root.is_some() {
            return Err(self.fail(
                13620,
                "ROOT option and WITHOUT_ARRAY_WRAPPER option cannot be used together in FOR JSON. Remove one of these options.",
            ));
        }
        Ok(Shape::Json(shape))
    }

    /// Stands behind GROUP BY.
    pub(super) fn group_by(&mut self) -> Parsed<Groups> {
        if self.peek("ALL") {
            return Err(self.refused("GROUP BY ALL"));
        }
        let mut keys: Vec<Expr> = Vec::new();
        let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
        let mut several = false;
        loop {
            let (next, many) = self.grouping_element(&mut keys)?;
            several |= many;
            let mut product = Vec::new();
            for set in &sets {
                for more in &next {
                    let mut both = set.clone();
                    both.extend(more.iter().filter(|m| !set.contains(m)));
                    product.push(both);
                }
            }
            if product.len() > SETS {
                return Err(self.fail(10702, "Too many grouping sets. The maximum number is 4096."));
            }
            sets = product;
            if !self.accept_symbol(",") {
                break;
            }
        }
        if self.peek("WITH") && (self.ahead(1).is("ROLLUP") || self.ahead(1).is("CUBE")) {
            if several {
                return Err(self.unexpected());
            }
            let rollup = self.ahead(1).is("ROLLUP");
            self.at += 2;
            let all: Vec<Vec<usize>> = (0..keys.len()).map(|k| vec![k]).collect();
            sets = if rollup { rolled_up(&all) } else { self.cubed(&all)? };
            several = true;
        }
        Ok((keys, several.then_some(sets)))
    }

    /// One element of GROUP BY as the sets it stands for.
    fn grouping_element(&mut self, keys: &mut Vec<Expr>) -> Parsed<(Vec<Vec<usize>>, bool)> {
        if self.peek_all(&["GROUPING", "SETS"]) && self.ahead_symbol(2, "(") {
            self.at += 3;
            let mut sets = Vec::new();
            loop {
                let (more, _) = self.nested(|p| p.grouping_element(keys))?;
                sets.extend(more);
                if !self.accept_symbol(",") {
                    break;
                }
            }
            self.expect_symbol(")")?;
            return Ok((sets, true));
        }
        for word in ["ROLLUP", "CUBE"] {
            if self.peek(word) && self.ahead_symbol(1, "(") {
                self.at += 2;
                let mut parts = Vec::new();
                loop {
                    parts.push(self.composite(keys)?);
                    if !self.accept_symbol(",") {
                        break;
                    }
                }
                self.expect_symbol(")")?;
                let sets = if word == "ROLLUP" { rolled_up(&parts) } else { self.cubed(&parts)? };
                return Ok((sets, true));
            }
        }
        if self.peek_symbol("(") && self.ahead_symbol(1, ")") {
            self.at += 2;
            return Ok((vec![Vec::new()], true));
        }
        Ok((vec![self.composite(keys)?], false))
    }

    /// `a` or `(a, b)`
    fn composite(&mut self, keys: &mut Vec<Expr>) -> Parsed<Vec<usize>> {
        let before = self.at;
        if self.accept_symbol("(") {
            if let Ok(list) = self.nested(|p| p.commas(Self::value))
                && list.len() > 1
                && self.accept_symbol(")")
            {
                return Ok(list.into_iter().map(|e| place(keys, e)).collect());
            }
            self.at = before;
        }
        let value = self.value()?;
        Ok(vec![place(keys, value)])
    }

    fn cubed(&self, parts: &[Vec<usize>]) -> Parsed<Vec<Vec<usize>>> {
        if parts.len() > 12 {
            return Err(self.fail(10702, "Too many grouping sets. The maximum number is 4096."));
        }
        let all = 1u32 << parts.len();
        Ok((0..all)
            .rev()
            .map(|mask| {
                let chosen =
                    parts.iter().enumerate().filter(|(at, _)| mask >> (parts.len() - 1 - at) & 1 == 1);
                chosen.flat_map(|(_, p)| p.iter().copied()).collect()
            })
            .collect())
    }

    /// PIVOT and UNPIVOT behind a source.
    pub(super) fn pivoted(&mut self, mut source: Source) -> Parsed<Source> {
        loop {
            if self.peek("PIVOT") && self.ahead_symbol(1, "(") {
                self.at += 2;
                let name = self.name()?;
                self.at -= 1;
                let before = self.at + 2;
                let Expr::Call(fold) = self.call_from(name)? else { return Err(self.unexpected()) };
                if fold.star || fold.arguments.is_empty() || !matches!(fold.arguments[..], [Expr::Column(..)])
                {
                    self.at = before;
                    return Err(self.unexpected());
                }
                let (column, list, alias) = self.pivot_rest()?;
                source =
                    Source::Pivot { source: Box::new(source), fold: fold as Box<Call>, column, list, alias };
            } else if self.peek("UNPIVOT") && self.ahead_symbol(1, "(") {
                self.at += 2;
                let value = self.identifier()?;
                let (column, list, alias) = self.pivot_rest()?;
                source = Source::Unpivot { source: Box::new(source), value, column, list, alias };
            } else {
                return Ok(source);
            }
        }
    }

    fn pivot_rest(&mut self) -> Parsed<(String, Vec<String>, String)> {
        self.expect("FOR")?;
        let column = self.name()?.pop().unwrap_or_default();
        self.expect("IN")?;
        let list = self.list(Self::identifier)?;
        self.expect_symbol(")")?;
        let alias = self.table_alias()?.ok_or_else(|| self.unexpected())?;
        Ok((column, list, alias))
    }
}

/// Where an expression stands among the keys, added if it is new.
fn place(keys: &mut Vec<Expr>, value: Expr) -> usize {
    let shown = format!("{value:?}");
    let same = |e: &Expr| matches!((e, &value), (Expr::Column(a, _), Expr::Column(b, _)) if a == b);
    if let Some(at) = keys.iter().position(|k| same(k) || format!("{k:?}") == shown) {
        return at;
    }
    keys.push(value);
    keys.len() - 1
}

fn rolled_up(parts: &[Vec<usize>]) -> Vec<Vec<usize>> {
    (0..=parts.len()).rev().map(|n| parts[..n].iter().flatten().copied().collect()).collect()
}
