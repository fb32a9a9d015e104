//! Readings as rows with named cells, and the one way an answer that cannot be judged becomes a finding.
//!
//! Does not know what the columns mean.

use crate::analysis::{Answer, Case};
use crate::check::{Finding, Judgement, Verdict};
use crate::reading::{Cell, Reading, Trouble};

/// A reading whose needed columns are all there and which has at least one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet<'a> {
    reading: &'a Reading,
}

/// One row of a [`Sheet`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    reading: &'a Reading,
    row: usize,
}

impl<'a> Sheet<'a> {
    /// The rows of an answer, or why they cannot be judged: no answer, cut short, a column missing, no row.
    pub(crate) fn of(answer: &'a Answer, columns: &[&str]) -> Result<Self, Finding> {
        let reading = answer.outcome.as_ref().map_err(no_answer)?;
        if reading.truncated {
            let (kept, sent) =
                (reading.rows.len() as i64, i64::try_from(reading.row_count).unwrap_or(i64::MAX));
            return Err(Finding::new("truncated").with("kept", kept).with("sent", sent));
        }
        if let Some(missing) = columns.iter().find(|c| reading.column(c).is_none()) {
            return Err(Finding::new("column-missing").with("column", *missing));
        }
        if reading.rows.is_empty() {
            return Err(Finding::new("nothing-examined"));
        }
        Ok(Self { reading })
    }
    /// Every row, in order.
    pub(crate) fn rows(self) -> impl Iterator<Item = Row<'a>> + Clone {
        (0..self.reading.rows.len()).map(move |row| Row { reading: self.reading, row })
    }
    /// The first row; there always is one.
    pub(crate) fn first(self) -> Row<'a> {
        Row { reading: self.reading, row: 0 }
    }
}

impl<'a> Row<'a> {
    /// A cell; NULL when there is no such column.
    pub(crate) fn cell(self, column: &str) -> &'a Cell {
        self.reading.cell(self.row, column).unwrap_or(&Cell::Null)
    }
    /// A text without trailing blanks; `None` for NULL and empty.
    pub(crate) fn text(self, column: &str) -> Option<&'a str> {
        self.cell(column).as_str().map(str::trim_end).filter(|t| !t.is_empty())
    }
    /// A text, empty for NULL.
    pub(crate) fn word(self, column: &str) -> &'a str {
        self.text(column).unwrap_or_default()
    }
    /// A whole number.
    pub(crate) fn number(self, column: &str) -> Option<i64> {
        self.cell(column).as_i128().and_then(|n| i64::try_from(n).ok())
    }
    /// An LSN or another number beyond 64 bits.
    pub(crate) fn wide(self, column: &str) -> Option<i128> {
        self.cell(column).as_i128()
    }
    /// A bit or number; `None` for NULL, so that "not known" is never "no".
    pub(crate) fn flag(self, column: &str) -> Option<bool> {
        self.cell(column).as_bool()
    }
}

/// Why there is no reading, as a finding.
pub(crate) fn no_answer(trouble: &Trouble) -> Finding {
    Finding::new("no-answer").with("trouble", trouble.code.key()).with("message", trouble.message.clone())
}

/// Unknown about one server, for one reason.
pub(crate) fn unknown(server: &str, finding: Finding) -> Judgement {
    Judgement::of_server(Verdict::Unknown, server, vec![finding])
}

/// Same name, case aside.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.trim_end().eq_ignore_ascii_case(b.trim_end())
}

impl<'a> Case<'a> {
    /// The answers to a named ask; none when the runbook did not ask.
    pub(crate) fn of(&self, ask: &str) -> &'a [Answer] {
        self.answers.get(ask).map_or(&[], Vec::as_slice)
    }
    /// The answer of one server to a named ask.
    pub(crate) fn at(&self, ask: &str, server: &str) -> Option<&'a Answer> {
        self.of(ask).iter().find(|a| a.server == server)
    }
    /// An argument of the runbook as a text.
    pub(crate) fn argument(&self, name: &str) -> Option<&'a str> {
        self.with.get(name).and_then(Cell::as_str)
    }
    /// A threshold of the estate, or the value that holds without one.
    pub(crate) fn threshold(&self, name: &str, otherwise: f64) -> f64 {
        self.inputs.thresholds.get(name).copied().unwrap_or(otherwise)
    }
    /// The databases a server is responsible for: found out in this drill, else listed in the estate.
    pub(crate) fn scope_of(&self, server: &str) -> Option<Vec<String>> {
        use crate::engine::Captured;
        match self.captured.get("scope") {
            Some(Captured::PerServer(map)) => map.get(server).cloned(),
            Some(Captured::List(all)) => Some(all.clone()),
            _ => None,
        }
        .or_else(|| self.inputs.scope.clone())
        .filter(|all| !all.is_empty())
    }
    /// Whether the operator declared the source dead (argument `source_state`).
    pub(crate) fn source_is_dead(&self) -> bool {
        self.argument("source_state") == Some("dead")
    }
    /// Whether an answer is missing because the source is lost: declared dead, and nothing there can be talked to.
    /// A refused login or a missing table is an answer of a living server (R4).
    pub(crate) fn is_lost(&self, answer: &Answer) -> bool {
        self.source_is_dead() && answer.outcome.as_ref().is_err_and(|t| t.code.is_unreachable())
    }
}

/// Keeps the first findings of a long list and counts the rest.
pub(crate) fn capped(mut findings: Vec<Finding>) -> Vec<Finding> {
    const MOST: usize = 12;
    if findings.len() > MOST {
        let more = findings.len() - MOST;
        findings.truncate(MOST);
        findings.push(Finding::new("and-more").with("count", more as i64));
    }
    findings
}
