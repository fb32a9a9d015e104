//! What one destination's readings amount to: sets, databases and jobs, without any judgement.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::Case;
use crate::analysis::rows::{Sheet, same};
use crate::check::Finding;
use crate::reading::TroubleCode;

/// An imported backup set.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) is_log: bool,
    pub(super) complete: bool,
    pub(super) mark: Option<String>,
    /// File name by database, lower case.
    files: BTreeMap<String, String>,
}

/// A database this destination restores.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) name: String,
    pub(super) state: Option<String>,
    pub(super) newest_log: Option<i64>,
    pub(super) newest_full: Option<i64>,
    pub(super) open_holes: i64,
    pub(super) newest_hole: Option<i64>,
    pub(super) repaired_holes: i64,
    pub(super) last_mark: Option<String>,
    /// The set of the file restored last, as msdb knows it.
    pub(super) witnessed: Option<i64>,
}

/// One of the log-shipping jobs.
#[derive(Debug, Clone, Default)]
pub(super) struct Job {
    pub(super) enabled: bool,
    pub(super) busy: bool,
    /// The newest finished run failed or was cancelled.
    pub(super) failed: bool,
    /// What that run said, shortened.
    pub(super) message: String,
}

/// Everything about one destination.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) sets: BTreeMap<i64, Set>,
    pub(super) databases: Vec<Database>,
    pub(super) history: Job,
    pub(super) restore: Job,
    pub(super) mark: Job,
}

/// Why there are no facts.
pub(super) enum Lack {
    /// Not set up for log shipping: what is missing.
    NotConfigured(Finding),
    /// Could not be read.
    Unknown(Finding),
}

impl From<Finding> for Lack {
    fn from(finding: Finding) -> Self {
        Self::Unknown(finding)
    }
}

const SET_COLUMNS: [&str; 7] =
    ["set_id", "type", "mark", "database_name", "complete", "restored", "file_name"];
const DATABASE_COLUMNS: [&str; 8] = [
    "database_name",
    "newest_full_restored",
    "newest_log_restored",
    "open_holes",
    "repaired_holes",
    "state_desc",
    "last_mark",
    "last_file",
];

impl Facts {
    /// Reads the answers of one destination.
    pub(super) fn of(case: &Case<'_>, server: &str) -> Result<Self, Lack> {
        let sheet = |ask: &str, columns: &[&str]| -> Result<Sheet<'_>, Lack> {
            let answer = case.at(ask, server).ok_or_else(|| Finding::new("not-asked"))?;
            Sheet::of(answer, columns).map_err(|finding| match &answer.outcome {
                Err(trouble) if trouble.code == TroubleCode::ObjectMissing => Lack::NotConfigured(finding),
                _ => Lack::Unknown(finding),
            })
        };
        let scope = case.scope_of(server).ok_or_else(|| Finding::new("scope-unknown"))?;
        let sets = read_sets(sheet("sets", &SET_COLUMNS)?)?;
        let rows = sheet("databases", &DATABASE_COLUMNS)?;
        let mut databases = Vec::new();
        for name in &scope {
            let row = rows
                .rows()
                .find(|r| same(r.word("database_name"), name))
                .ok_or_else(|| Finding::new("not-in-answer").with("name", name.as_str()))?;
            let hole = || Finding::new("not-in-answer").with("name", name.as_str());
            let last = row.text("last_file").map(base_name);
            let key = name.to_lowercase();
            databases.push(Database {
                name: name.clone(),
                state: row.text("state_desc").map(str::to_owned),
                newest_log: row.number("newest_log_restored"),
                newest_full: row.number("newest_full_restored"),
                open_holes: row.number("open_holes").ok_or_else(hole)?,
                newest_hole: row.number("newest_open_hole"),
                repaired_holes: row.number("repaired_holes").ok_or_else(hole)?,
                last_mark: row.text("last_mark").map(str::to_owned),
                witnessed: last.and_then(|file| {
                    sets.iter()
                        .find(|(_, s)| s.files.get(&key).is_some_and(|f| same(f, file)))
                        .map(|(id, _)| *id)
                }),
            });
        }
        let jobs = sheet("jobs", &["job", "job_id", "enabled", "running", "queued", "run_status"])?;
        let job = |kind: &str| read_job(jobs, kind);
        Ok(Self { sets, databases, history: job("history")?, restore: job("restore")?, mark: job("mark")? })
    }

    /// Complete log sets, oldest first.
    pub(super) fn logs(&self) -> impl DoubleEndedIterator<Item = i64> + '_ {
        self.sets.iter().filter(|(_, s)| s.is_log && s.complete).map(|(id, _)| *id)
    }
    /// I: the newest complete log set imported.
    pub(super) fn newest(&self) -> Option<i64> {
        self.logs().next_back()
    }
    /// P(s): the complete log set before one.
    pub(super) fn before(&self, set: i64) -> Option<i64> {
        self.logs().rev().find(|id| *id < set)
    }
    /// R: the newest log set that every database has; `None` while one of them has none.
    pub(super) fn restored(&self) -> Option<i64> {
        self.databases.iter().map(|d| d.newest_log).min().flatten()
    }
    /// Whether every database has the same newest log set.
    pub(super) fn is_even(&self) -> bool {
        self.databases.windows(2).all(|pair| pair[0].newest_log == pair[1].newest_log)
    }
    /// Complete log sets after R that are restorable, the held-back newest one left out.
    pub(super) fn behind(&self) -> Option<i64> {
        let (restored, newest) = (self.restored()?, self.newest()?);
        Some(self.logs().filter(|id| *id > restored && *id < newest).count() as i64)
    }
    /// Incomplete sets after R with no complete full and log behind them.
    pub(super) fn partials(&self) -> Vec<i64> {
        let from = self.restored().unwrap_or(0);
        let repaired = |id: i64| {
            let full = self.sets.iter().find(|(f, s)| **f > id && !s.is_log && s.complete).map(|(f, _)| *f);
            full.is_some_and(|f| self.logs().any(|l| l > f))
        };
        let open = self.sets.iter().filter(|(id, s)| !s.complete && **id > from);
        open.map(|(id, _)| *id).filter(|id| !repaired(*id)).collect()
    }
    /// Whether a complete full with a complete log after it is there to seed from.
    pub(super) fn is_seedable(&self) -> bool {
        let full = self.sets.iter().find(|(_, s)| !s.is_log && s.complete).map(|(f, _)| *f);
        full.is_some_and(|f| self.logs().any(|l| l > f))
    }
    /// The newest set of any kind.
    pub(super) fn newest_of_any_kind(&self) -> Option<i64> {
        self.sets.keys().next_back().copied()
    }
    /// The mark of a set.
    pub(super) fn mark_of(&self, set: i64) -> Option<&str> {
        self.sets.get(&set)?.mark.as_deref()
    }
    /// The marks the databases were stopped at.
    pub(super) fn stops(&self) -> BTreeSet<Option<&str>> {
        self.databases.iter().map(|d| d.last_mark.as_deref()).collect()
    }
}

fn read_sets(sheet: Sheet<'_>) -> Result<BTreeMap<i64, Set>, Finding> {
    let mut sets: BTreeMap<i64, Set> = BTreeMap::new();
    for row in sheet.rows() {
        let unreadable = || Finding::new("set-unreadable").with("database", row.word("database_name"));
        let id = row.number("set_id").ok_or_else(unreadable)?;
        let (complete, is_log) = (row.flag("complete").ok_or_else(unreadable)?, row.word("type") == "lg");
        let set = sets.entry(id).or_insert_with(|| Set { is_log, complete: true, ..Set::default() });
        set.complete &= complete;
        if set.is_log != is_log {
            return Err(unreadable());
        }
        match (row.text("mark"), &set.mark) {
            (Some(mark), None) => set.mark = Some(mark.to_owned()),
            // One set carries one mark in every database; anything else is no set to restore to.
            (Some(mark), Some(first)) if !same(mark, first) => {
                return Err(Finding::new("set-with-two-marks").with("set", id).with("mark", mark));
            }
            _ => {}
        }
        set.files.insert(row.word("database_name").to_lowercase(), row.word("file_name").to_owned());
    }
    Ok(sets)
}

fn read_job(sheet: Sheet<'_>, kind: &str) -> Result<Job, Lack> {
    let mut found = sheet.rows().filter(|r| r.word("job") == kind);
    let missing = || Finding::new("job-missing").with("job", kind);
    let (Some(row), None) = (found.next(), found.next()) else {
        return Err(Lack::Unknown(Finding::new("job-ambiguous").with("job", kind)));
    };
    if row.text("job_id").is_none() {
        return Err(Lack::NotConfigured(missing()));
    }
    let flag = |column: &str| row.flag(column).ok_or_else(|| Lack::Unknown(missing()));
    Ok(Job {
        enabled: flag("enabled")?,
        busy: flag("running")? || flag("queued")?,
        failed: row.number("run_status").is_some_and(|s| s != 1),
        message: row.word("message").chars().take(400).collect(),
    })
}

/// The last part of a path.
fn base_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}
