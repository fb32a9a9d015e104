//! One expectation: exactly one statement, with the keys that go with it.
//!
//! Does not know which columns a query has; a lint compares.

use super::super::raw::{Bound as RawBound, RawExpect, RawOtherwise};
use super::{Reader, at};
use crate::check::Verdict;
use crate::check::expect::{Expectation, What};
use crate::reading::Cell;
use crate::yaml::Segment;

const STATEMENTS: &str = "an expectation has one of `every`, `none`, `within`, `age`, `present`, `same_across`, \
                          `increasing`, `covers`, `rows`";

impl Reader<'_> {
    pub(super) fn expectation(
        &mut self,
        path: &[Segment],
        raw: &RawExpect,
        resolved: bool,
    ) -> Option<Expectation> {
        let statements = [
            ("every", raw.every.is_some()),
            ("none", raw.none.is_some()),
            ("within", raw.within.is_some()),
            ("age", raw.age.is_some()),
            ("present", raw.present.is_some()),
            ("same_across", raw.same_across.is_some()),
            ("increasing", raw.increasing.is_some()),
            ("covers", raw.covers.is_some()),
            ("rows", raw.rows.is_some()),
        ];
        let have: Vec<&'static str> =
            statements.into_iter().filter(|(_, has)| *has).map(|(key, _)| key).collect();
        let [statement] = have.as_slice() else {
            if !self.is_damaged(path) {
                let message = match have.as_slice() {
                    [] => "nothing is expected".to_owned(),
                    many => format!("`{}` in one expectation", many.join("` and `")),
                };
                self.wrong(path, "one-statement", message, STATEMENTS);
            }
            return None;
        };
        self.companions(path, raw, statement);
        let what = self.what(path, raw, resolved)?;
        let otherwise = match raw.otherwise {
            Some(RawOtherwise::Warn) => Verdict::Warn,
            Some(RawOtherwise::Fail) | None => Verdict::Fail,
        };
        Some(Expectation { what, otherwise })
    }

    /// Keys that do not go with the statement would be silently without effect: refused.
    fn companions(&mut self, path: &[Segment], raw: &RawExpect, statement: &str) {
        let takes: &[&str] = match statement {
            "every" | "none" => &["equals", "one_of"],
            "within" => &["min", "max"],
            "age" => &["max"],
            "covers" => &["values"],
            _ => &[],
        };
        let given = [
            ("equals", raw.equals.is_some()),
            ("one_of", raw.one_of.is_some()),
            ("min", raw.min.is_some()),
            ("max", raw.max.is_some()),
            ("values", raw.values.is_some()),
        ];
        for (key, _) in given.into_iter().filter(|(key, has)| *has && !takes.contains(key)) {
            let help = if takes.is_empty() {
                format!("`{statement}` takes nothing more")
            } else {
                format!("`{statement}` takes `{}`", takes.join("`, `"))
            };
            self.wrong_key(
                &at(path, key),
                "useless-key",
                format!("`{key}` means nothing for `{statement}`"),
                &help,
            );
        }
    }

    fn what(&mut self, path: &[Segment], raw: &RawExpect, resolved: bool) -> Option<What> {
        let bound = |b: &Option<RawBound>| b.as_ref().map(|b| b.0.clone());
        if let Some(column) = raw.every.clone() {
            let one_of = self.accepted(path, raw, "every")?;
            if one_of.contains(&Cell::Null) {
                let help =
                    "NULL proves nothing; use `none: column, equals: ..` or let the query say it as a value";
                self.wrong(path, "every-null", "`every` cannot expect NULL", help);
            }
            return Some(What::Every { column, one_of });
        }
        if let Some(column) = raw.none.clone() {
            return Some(What::None { column, one_of: self.accepted(path, raw, "none")? });
        }
        if let Some(column) = raw.within.clone() {
            let (min, max) = (bound(&raw.min), bound(&raw.max));
            if min.is_none() && max.is_none() && !self.is_damaged(path) {
                self.wrong(path, "no-bounds", "`within` has no bounds", "add `min`, `max` or both");
            }
            return Some(What::Within { column, min, max });
        }
        if let Some(column) = raw.age.clone() {
            let Some(max) = bound(&raw.max) else {
                if !self.is_damaged(path) {
                    self.wrong(
                        path,
                        "no-bounds",
                        "`age` has no `max`",
                        "add `max: 30m` or `max: { threshold: .. }`",
                    );
                }
                return None;
            };
            return Some(What::Age { column, max });
        }
        if let Some(column) = raw.covers.clone() {
            let Some(values) = &raw.values else {
                if !self.is_damaged(path) {
                    self.wrong(
                        path,
                        "no-values",
                        "`covers` has no `values`",
                        "add `values: { estate: scope }` or such",
                    );
                }
                return None;
            };
            return Some(What::Covers { column, values: self.value(&at(path, "values"), values, resolved)? });
        }
        if let Some(rows) = raw.rows {
            if (rows.min.is_none() && rows.max.is_none()) || rows.min > rows.max.or(Some(u64::MAX)) {
                let help = "write `rows: 1`, `rows: { min: 1 }` or `rows: { min: 1, max: 9 }`";
                self.wrong(&at(path, "rows"), "no-bounds", "no number of rows would do, or any", help);
            }
            return Some(What::Rows { min: rows.min, max: rows.max });
        }
        let present = raw.present.clone().map(|column| What::Present { column });
        let same = raw.same_across.clone().map(|column| What::SameAcross { column });
        let increasing = raw.increasing.clone().map(|column| What::Increasing { column });
        present.or(same).or(increasing)
    }

    fn accepted(&mut self, path: &[Segment], raw: &RawExpect, statement: &str) -> Option<Vec<Cell>> {
        let all: Vec<Cell> =
            raw.equals.iter().chain(raw.one_of.iter().flatten()).map(|s| s.0.clone()).collect();
        // `equals: ` with nothing behind it reads as absent
        if all.is_empty() || raw.equals.is_some() == raw.one_of.is_some() {
            if !self.is_damaged(path) {
                let message = format!("`{statement}` compares with nothing, or twice");
                self.wrong(path, "no-values", message, "add `equals: value` or `one_of: [values]`");
            }
            return None;
        }
        Some(all)
    }
}
