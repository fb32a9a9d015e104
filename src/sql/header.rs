//! Reads the comment header of `.sql` files into queries, and many files into a catalogue.
//!
//! Does not read files and does not send anything; the path is only for messages.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::scan::{self, TokenKind};
use super::{Catalogue, Column, Parameter, Place, Query, Variant};
use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::reading::Kind;
use crate::yaml::{Place as At, place_at};

const KEYS: [&str; 10] =
    ["name", "purpose", "in", "param", "column", "column?", "examines", "needs", "since", "until"];
const FORM: &str = "the header is `-- name: family/query`, `-- purpose:`, `-- in:`, `-- param:`, `-- column:`, \
                    `-- examines:`, `-- needs:`, `-- since:`, `-- until:` and `-- reads only` or `-- writes`";
/// The oldest product year.
const OLDEST: u16 = 2012;

/// One file as a query of one variant; `None` when it has an error. All its problems.
pub fn parse(path: &str, text: &str) -> (Option<Query>, Vec<Diagnostic>) {
    let mut reader = Header { text, problems: Vec::new(), once: BTreeMap::new(), ..Header::default() };
    for line in header_lines(text) {
        reader.line(line.0, line.1);
    }
    let query = reader.finish(path);
    let mut problems = reader.problems;
    problems.truncate(limits::PROBLEMS);
    let refused = problems.iter().any(|d| d.severity == crate::diagnostic::Severity::Error);
    ((!refused).then_some(query), problems)
}

/// The comment lines at the top: byte offset and text after `--`.
fn header_lines(text: &str) -> Vec<(usize, &str)> {
    let mut all = Vec::new();
    let mut byte = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start_matches('\u{feff}').trim();
        let Some(rest) = trimmed.strip_prefix("--") else { break };
        let lead = line.len() - line.trim_start_matches('\u{feff}').trim_start().len();
        all.push((byte + lead, rest.trim()));
        byte += line.len();
    }
    all
}

#[derive(Default)]
struct Header<'a> {
    text: &'a str,
    problems: Vec<Diagnostic>,
    once: BTreeMap<&'static str, (usize, &'a str)>,
    parameters: Vec<(usize, Parameter)>,
    columns: Vec<Column>,
    needs: Vec<String>,
    reads_only: Option<bool>,
}

impl<'a> Header<'a> {
    fn problem(
        &mut self,
        byte: usize,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let at: Option<At> = Some(place_at(self.text, byte));
        self.problems.push(Diagnostic::error(code, message, help).at(at));
    }

    fn line(&mut self, byte: usize, line: &'a str) {
        // A second `--` on the line is a remark.
        let line = line.split(" --").next().unwrap_or(line).trim();
        if line.is_empty() {
            return;
        }
        let squeezed = line.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        if squeezed == "reads only" || squeezed == "writes" {
            if self.reads_only.replace(squeezed == "reads only").is_some() {
                self.problem(byte, "header-twice", format!("`{squeezed}`: this is said twice"), FORM);
            }
            return;
        }
        let Some((key, value)) = line.split_once(':') else {
            self.problem(byte, "header-line", format!("`{line}` is not a line of the header"), FORM);
            return;
        };
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        let Some(key) = KEYS.into_iter().find(|k| *k == key) else {
            let help =
                crate::text::nearest(&key, KEYS).map_or(FORM.to_owned(), |k| format!("did you mean `{k}`?"));
            self.problem(byte, "header-key", format!("unknown header key `{key}`"), help);
            return;
        };
        if value.is_empty() {
            self.problem(byte, "header-empty", format!("`{key}:` says nothing"), FORM);
            return;
        }
        match key {
            "param" => self.parameter(byte, value),
            "column" | "column?" => self.column(byte, value, key == "column?"),
            "needs" => self.needs.push(value.to_owned()),
            _ => {
                if self.once.insert(key, (byte, value)).is_some() {
                    self.problem(byte, "header-twice", format!("`{key}:` is said twice"), "say it once");
                }
            }
        }
    }

    fn parameter(&mut self, byte: usize, value: &str) {
        let (name, kind) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
        let (Some(name), kind) = (name.strip_prefix('@').filter(|n| is_name(n)), kind.trim()) else {
            let message = format!("`{value}` is not a parameter");
            return self.problem(byte, "header-param", message, "write it like `-- param: @since datetime2`");
        };
        if let Err(help) = kind_of(kind) {
            self.problem(byte, "header-kind", format!("`{kind}` is not a type for @{name}"), help);
        } else if self.parameters.iter().any(|(_, p)| p.name.eq_ignore_ascii_case(name)) {
            self.problem(byte, "header-twice", format!("@{name} is declared twice"), "declare it once");
        } else {
            self.parameters.push((byte, Parameter { name: name.to_owned(), kind: kind.to_owned() }));
        }
    }

    fn column(&mut self, byte: usize, value: &str, optional: bool) {
        let (name, sql_kind) = match value.strip_prefix('[').and_then(|v| v.split_once(']')) {
            Some((name, kind)) => (name, kind.trim()),
            None => value.split_once(char::is_whitespace).map_or((value, ""), |(n, k)| (n, k.trim())),
        };
        match kind_of(sql_kind) {
            Err(help) => {
                self.problem(
                    byte,
                    "header-kind",
                    format!("`{sql_kind}` is not a type for column `{name}`"),
                    help,
                );
            }
            Ok(_) if self.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name)) => {
                self.problem(
                    byte,
                    "header-twice",
                    format!("column `{name}` is declared twice"),
                    "declare it once",
                );
            }
            Ok(kind) => self.columns.push(Column {
                name: name.to_owned(),
                sql_kind: sql_kind.to_owned(),
                kind,
                optional,
            }),
        }
    }

    fn year(&mut self, key: &'static str) -> Option<u16> {
        let (byte, value) = *self.once.get(key)?;
        let year = value.parse().ok().filter(|y| (OLDEST..=2100).contains(y));
        if year.is_none() {
            let message = format!("`{key}: {value}` is not a product year");
            self.problem(byte, "header-year", message, "write a year from 2012, such as `since: 2016`");
        }
        year
    }

    fn required(&mut self, key: &'static str) -> String {
        if let Some((_, value)) = self.once.get(key) {
            return (*value).to_owned();
        }
        self.problem(0, "header-missing", format!("the header has no `-- {key}:`"), FORM);
        String::new()
    }

    fn finish(&mut self, path: &str) -> Query {
        let name = self.required("name");
        let purpose = self.required("purpose");
        let examines = self.required("examines");
        if !name.is_empty() && !is_query_name(&name) {
            let byte = self.once["name"].0;
            let message = format!("`{name}` is not a query's name");
            self.problem(byte, "header-name", message, "a name is `family/name` in lower case, with hyphens");
        }
        let place = match self.required("in").as_str() {
            "master" => Place::Master,
            "msdb" => Place::Msdb,
            "management" => Place::Management,
            "any" => Place::Any,
            named => Place::Named(named.to_owned()),
        };
        let (since, until) = (self.year("since").unwrap_or(OLDEST), self.year("until"));
        if until.is_some_and(|u| u < since) {
            let byte = self.once["until"].0;
            self.problem(byte, "header-year", "`until` is before `since`", "no version is between them");
        }
        if self.reads_only.is_none() {
            self.problem(0, "header-missing", "the header says neither `reads only` nor `writes`", FORM);
        }
        let reads_only = self.reads_only.unwrap_or(true);
        if reads_only && self.columns.iter().all(|c| c.optional) {
            self.problem(0, "header-missing", "the header has no `-- column:`", FORM);
        }
        self.body(reads_only);
        Query {
            name,
            purpose,
            place,
            parameters: self.parameters.iter().map(|(_, p)| p.clone()).collect(),
            examines,
            needs: self.needs.clone(),
            reads_only,
            variants: vec![Variant {
                since,
                until,
                text: self.text.to_owned(),
                sha256: sha256(self.text.as_bytes()),
                path: path.to_owned(),
                columns: self.columns.clone(),
            }],
        }
    }

    fn body(&mut self, reads_only: bool) {
        let text = self.text;
        let tokens = match scan::tokens(text) {
            Ok(tokens) => tokens,
            Err(place) => {
                self.problems.push(
                    Diagnostic::error(
                        "never-closed",
                        "a text, name or comment that begins here is never closed",
                        "close it",
                    )
                    .at(Some(place)),
                );
                return;
            }
        };
        if tokens.is_empty() {
            return self.problem(
                0,
                "no-statement",
                "the file has no statement",
                "write the query under its header",
            );
        }
        let used = scan::free_variables(&tokens);
        for name in &used {
            if !self.parameters.iter().any(|(_, p)| p.name.eq_ignore_ascii_case(name)) {
                let byte = tokens
                    .iter()
                    .find(|t| t.kind == TokenKind::Variable && t.text[1..].eq_ignore_ascii_case(name))
                    .map_or(0, |t| t.byte);
                let help = format!("add `-- param: @{name} <type>`, or DECLARE it");
                self.problem(byte, "parameter-undeclared", format!("@{name} is not in the header"), help);
            }
        }
        for (byte, parameter) in self.parameters.clone() {
            if !used.iter().any(|u| u.eq_ignore_ascii_case(&parameter.name)) {
                let message = format!("@{} is in the header and not in the text", parameter.name);
                self.problem(byte, "parameter-unused", message, "take the line out, or use it");
            }
        }
        self.problems.extend(scan::trust(text, &tokens));
        if reads_only {
            self.problems.extend(scan::writes(text, &tokens));
        }
        if reads_only || !self.columns.is_empty() {
            match scan::result_sets(&tokens) {
                1 => {}
                0 => self.problem(
                    tokens[0].byte,
                    "no-result-set",
                    "the text returns no rows",
                    "end it with a SELECT",
                ),
                n => {
                    let message = format!("the text returns {n} result sets");
                    self.problem(tokens[0].byte, "several-result-sets", message, "one file, one result set");
                }
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn is_query_name(name: &str) -> bool {
    let word = |w: &str| {
        !w.is_empty()
            && w.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
    };
    name.split_once('/').is_some_and(|(family, rest)| word(family) && word(rest))
}

/// What a SQL type becomes in a reading, or why it is not used.
fn kind_of(sql: &str) -> Result<Kind, String> {
    let base = sql.split(['(', ' ']).next().unwrap_or_default().to_ascii_lowercase();
    let tail = sql[base.len()..].trim();
    let sized = tail.is_empty()
        || tail.strip_prefix('(').and_then(|t| t.strip_suffix(')')).is_some_and(|t| {
            t.split(',').all(|n| n.trim().eq_ignore_ascii_case("max") || n.trim().parse::<u16>().is_ok())
        });
    if !sized {
        return Err(format!("`{tail}` after the type is not a length; write it like `nvarchar(128)`"));
    }
    Ok(match base.as_str() {
        "bit" => Kind::Bit,
        "tinyint" | "smallint" | "int" | "bigint" => Kind::Int,
        "decimal" | "numeric" => Kind::Decimal,
        "real" | "float" => Kind::Float,
        "char" | "varchar" | "nchar" | "nvarchar" | "sysname" | "text" | "ntext" | "xml" => Kind::Text,
        "date" | "datetime" | "datetime2" | "smalldatetime" | "datetimeoffset" => Kind::Time,
        "uniqueidentifier" => Kind::Guid,
        "binary" | "varbinary" | "image" | "timestamp" | "rowversion" => Kind::Binary,
        "money" | "smallmoney" => {
            return Err("money loses digits on its way: CAST it to decimal(19, 4)".to_owned());
        }
        "sql_variant" => return Err("CAST every sql_variant to what it is".to_owned()),
        "time" => {
            return Err("a time without its day says little: CAST it to datetime2 or varchar".to_owned());
        }
        _ => return Err("write a type of SQL Server, such as `bigint` or `nvarchar(128)`".to_owned()),
    })
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A catalogue of these files (path, text), and their problems by path. Files of one name become variants of one query.
pub fn catalogue<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> (Catalogue, Vec<(String, Diagnostic)>) {
    let mut queries: BTreeMap<String, Query> = BTreeMap::new();
    let mut problems = Vec::new();
    for (path, text) in files {
        let (query, found) = parse(path, text);
        problems.extend(found.into_iter().map(|d| (path.to_owned(), d)));
        let Some(query) = query else { continue };
        match queries.get_mut(&query.name) {
            None => {
                queries.insert(query.name.clone(), query);
            }
            Some(known) => match merged(known, query) {
                Ok(()) => {}
                Err(problem) => problems.push((path.to_owned(), problem)),
            },
        }
    }
    for query in queries.values_mut() {
        query.variants.sort_by_key(|v| v.since);
    }
    (Catalogue::of(queries.into_values()), problems)
}

fn merged(known: &mut Query, other: Query) -> Result<(), Diagnostic> {
    let Some(new) = other.variants.into_iter().next() else { return Ok(()) };
    let overlaps =
        |v: &Variant| v.since <= new.until.unwrap_or(u16::MAX) && new.since <= v.until.unwrap_or(u16::MAX);
    if let Some(old) = known.variants.iter().find(|v| overlaps(v)) {
        return Err(Diagnostic::error(
            "variants-overlap",
            format!("`{}` is also in {} for the same versions", known.name, old.path),
            "give the files of one query `since:` and `until:` years that do not meet, or another name",
        ));
    }
    let differs = if known.parameters != other.parameters {
        "`param:`"
    } else if known.place != other.place {
        "`in:`"
    } else if known.reads_only != other.reads_only {
        "`reads only` or `writes`"
    } else if known.examines != other.examines {
        "`examines:`"
    } else {
        known.variants.push(new);
        return Ok(());
    };
    Err(Diagnostic::error(
        "variants-differ",
        format!("`{}` has another {differs} in {}", known.name, known.variants[0].path),
        "the variants of one query ask the same thing: make their headers agree",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "-- name:    biztalk/source-sets\n\
        -- purpose: backup sets known to the source, newest first\n\
        -- in:      management\n\
        -- param:   @since datetime2\n\
        -- column:  set_id bigint\n\
        -- column:  lsn numeric(25, 0)\n\
        -- column?: local_time bit                 -- discovered: may be absent\n\
        -- examines: backup set\n\
        -- needs:   SELECT on dbo.adm_BackupHistory\n\
        -- since:   2012\n\
        -- reads only\n\n\
        -- a remark: not a header\n\
        SELECT set_id, lsn FROM dbo.adm_BackupHistory WHERE at >= @since;\n";

    fn codes(text: &str) -> Vec<&'static str> {
        parse("q.sql", text).1.iter().map(|d| d.code).collect()
    }

    #[test]
    fn a_header_becomes_a_query() {
        let (query, problems) = parse("q.sql", GOOD);
        assert_eq!(problems, []);
        let query = query.unwrap();
        assert_eq!((query.name.as_str(), &query.place), ("biztalk/source-sets", &Place::Management));
        assert_eq!(query.parameters, [Parameter { name: "since".into(), kind: "datetime2".into() }]);
        let variant = &query.variants[0];
        assert_eq!((variant.since, variant.until), (2012, None));
        let kinds: Vec<_> = variant.columns.iter().map(|c| (c.name.as_str(), c.kind, c.optional)).collect();
        assert_eq!(
            kinds,
            [("set_id", Kind::Int, false), ("lsn", Kind::Decimal, false), ("local_time", Kind::Bit, true)]
        );
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(variant.sha256, sha256(GOOD.as_bytes()));
    }

    #[test]
    fn each_fault_of_a_header_has_its_code_and_line() {
        for (from, to, code, line) in [
            ("purpose:", "purpos:", "header-key", 2),
            ("-- in:      management\n", "", "header-missing", 1),
            ("-- name:    biztalk/source-sets\n", "", "header-missing", 1),
            ("-- examines: backup set\n", "", "header-missing", 1),
            ("biztalk/source-sets", "Source Sets", "header-name", 1),
            ("lsn numeric(25, 0)", "lsn money", "header-kind", 6),
            ("lsn numeric(25, 0)", "lsn", "header-kind", 6),
            ("lsn numeric", "set_id numeric", "header-twice", 6),
            ("datetime2", "sql_variant", "header-kind", 4),
            ("-- since:   2012", "-- since:   2008", "header-year", 10),
            ("-- since:   2012", "-- until:   soon", "header-year", 10),
            ("-- reads only\n", "", "header-missing", 1),
            ("-- reads only", "-- reads a lot", "header-line", 11),
            (">= @since", ">= @until", "parameter-undeclared", 14),
            (">= @since", ">= 1", "parameter-unused", 4),
            ("SELECT set_id", "DELETE set_id", "writes-in-reads-only", 14),
            ("dbo.adm_BackupHistory WHERE", "t WITH (NOLOCK) WHERE", "untrusted-read", 14),
            ("@since;", "@since; SELECT 2 AS b", "several-result-sets", 14),
            ("@since;", "'@since;", "never-closed", 14),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let (query, problems) = parse("q.sql", &GOOD.replacen(from, to, 1));
            let found: Vec<_> = problems.iter().map(|d| (d.code, d.place.map_or(0, |p| p.line))).collect();
            assert!(found.contains(&(code, line)), "{from} -> {to}: {found:?}");
            assert!(query.is_none(), "{to}");
        }
    }

    #[test]
    fn all_problems_of_a_file_come_at_once() {
        assert!(codes("SELECT @x").len() >= 6, "{:?}", codes("SELECT @x"));
        assert!(codes("").contains(&"no-statement"));
    }

    #[test]
    fn a_query_that_writes_needs_no_columns() {
        let text = "-- name: agent/disable-job\n-- purpose: p\n-- in: msdb\n-- param: @job_id uniqueidentifier\n\
                    -- examines: job\n-- writes\nEXEC dbo.sp_update_job @job_id = @job_id, @enabled = 0;\n";
        let (query, problems) = parse("q.sql", text);
        assert_eq!(problems, []);
        assert!(query.is_some_and(|q| !q.reads_only));
    }

    #[test]
    fn files_of_one_name_become_variants_unless_they_quarrel() {
        let old = GOOD.replace("-- since:   2012", "-- until: 2014");
        let new = GOOD.replace("-- since:   2012", "-- since: 2016");
        let (all, problems) = catalogue([("new.sql", new.as_str()), ("old.sql", old.as_str())]);
        assert_eq!(problems, []);
        let query = all.get("biztalk/source-sets").unwrap();
        assert_eq!(query.variant(2012).map(|v| v.path.as_str()), Some("old.sql"));
        assert_eq!(query.variant(2022).map(|v| v.path.as_str()), Some("new.sql"));
        let other = |from: &str, to: &str| {
            let text = new.replace(from, to);
            catalogue([("old.sql", old.as_str()), ("new.sql", text.as_str())]).1[0].1.code
        };
        assert_eq!(other("since: 2016", "since: 2014"), "variants-overlap");
        assert_eq!(other("datetime2", "datetime"), "variants-differ");
        assert_eq!(other("management", "msdb"), "variants-differ");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig {
            cases: 300, failure_persistence: None, ..Default::default()
        })]

        #[test]
        fn no_text_makes_it_panic(
            text in "(-- (name|in|param|column|since|reads only|writes|é):? ?[@a-z/0-9(é -]{0,9}\n){0,5}[-/*'\\[\\]\"@#a-zé ;(),=.\n]{0,60}"
        ) {
            let (query, problems) = parse("q.sql", &text);
            proptest::prop_assert!(query.is_some() || !problems.is_empty());
        }
    }
}
