//! Edits: rows put in, changed and taken out, with what they were, so that each can be done again and undone.
//!
//! Does not know transactions. Rows stand at places of their table; where another row stands there now, the
//! newest equal one is meant, for equal rows are one as good as the other.

use serde::{Deserialize, Serialize};

use crate::sandbox::host::Change;
use crate::sandbox::value::Value;
use crate::sandbox::world::state::Content;

type Row = Vec<Value>;

/// A change to one table (its key in lower case); places grow from row to row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Edit {
    /// Where each row stands afterwards.
    Insert(String, Vec<(usize, Row)>),
    /// Place, row before, row after.
    Update(String, Vec<(usize, Row, Row)>),
    /// Place before, and the row.
    Delete(String, Vec<(usize, Row)>),
}

impl Edit {
    /// The table it changes.
    pub(crate) fn table(&self) -> &str {
        match self {
            Self::Insert(table, _) | Self::Delete(table, _) => table,
            Self::Update(table, _) => table,
        }
    }

    /// How many rows it concerns.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Insert(_, rows) | Self::Delete(_, rows) => rows.len(),
            Self::Update(_, rows) => rows.len(),
        }
    }

    /// What undoes it.
    fn inverse(self) -> Self {
        match self {
            Self::Insert(table, rows) => Self::Delete(table, rows),
            Self::Delete(table, rows) => Self::Insert(table, rows),
            Self::Update(table, rows) => Self::Update(
                table,
                rows.into_iter().map(|(place, before, after)| (place, after, before)).collect(),
            ),
        }
    }
}

impl Content {
    /// A change asked for by a client, with the rows as they are now; None when there is no such table.
    pub(super) fn edit_of(&self, table: &str, change: Change) -> Option<Edit> {
        let table = table.to_lowercase();
        let rows = &self.tables.get(&table)?.table.rows;
        Some(match change {
            Change::Insert(new) => Edit::Insert(table, (rows.len()..).zip(new).collect()),
            Change::Update(mut new) => {
                new.sort_by_key(|(place, _)| *place);
                new.dedup_by_key(|(place, _)| *place);
                let with_old = |(place, row)| Some((place, rows.get::<usize>(place)?.clone(), row));
                Edit::Update(table, new.into_iter().filter_map(with_old).collect())
            }
            Change::Delete(mut gone) => {
                gone.sort_unstable();
                gone.dedup();
                let with_old = |place: usize| Some((place, rows.get(place)?.clone()));
                Edit::Delete(table, gone.into_iter().filter_map(with_old).collect())
            }
        })
    }

    /// What undoes an edit here and now.
    pub(super) fn undoing(&self, edit: &Edit) -> Edit {
        self.placed(edit.clone().inverse())
    }

    /// The edit with the places where its rows stand now; rows that are nowhere are left out, as nothing else
    /// could be done.
    fn placed(&self, edit: Edit) -> Edit {
        let none = Vec::new();
        let now = |table: &String| self.tables.get(table).map_or(&none, |t| &t.table.rows);
        match edit {
            Edit::Insert(..) => edit,
            Edit::Update(table, rows) => {
                let mut finder = Finder::new(now(&table));
                let mut found: Vec<_> = rows
                    .into_iter()
                    .filter_map(|(place, before, after)| Some((finder.place(place, &before)?, before, after)))
                    .collect();
                found.sort_by_key(|(place, ..)| *place);
                Edit::Update(table, found)
            }
            Edit::Delete(table, rows) => {
                let mut finder = Finder::new(now(&table));
                let mut found: Vec<_> = rows
                    .into_iter()
                    .filter_map(|(place, row)| Some((finder.place(place, &row)?, row)))
                    .collect();
                found.sort_by_key(|(place, _)| *place);
                Edit::Delete(table, found)
            }
        }
    }

    /// Does an edit.
    pub(super) fn apply(&mut self, edit: &Edit) {
        match self.placed(edit.clone()) {
            Edit::Insert(table, rows) => {
                let Some(stored) = self.tables.get_mut(&table) else { return };
                let all = stored.rows_mut();
                if rows.first().is_some_and(|(place, _)| *place >= all.len()) {
                    all.extend(rows.into_iter().map(|(_, row)| row));
                    return;
                }
                let mut merged = Vec::with_capacity(all.len() + rows.len());
                let mut old = std::mem::take(all).into_iter();
                for (place, row) in rows {
                    while merged.len() < place
                        && let Some(next) = old.next()
                    {
                        merged.push(next);
                    }
                    merged.push(row);
                }
                merged.extend(old);
                *all = merged;
            }
            Edit::Update(table, rows) => {
                let Some(stored) = self.tables.get_mut(&table) else { return };
                for (place, _, after) in rows {
                    if let Some(row) = stored.rows_mut().get_mut(place) {
                        *row = after;
                    }
                }
            }
            Edit::Delete(table, gone) => {
                let Some(stored) = self.tables.get_mut(&table) else { return };
                let mut place = 0;
                stored.rows_mut().retain(|_| {
                    place += 1;
                    gone.binary_search_by_key(&(place - 1), |(place, _)| *place).is_err()
                });
            }
        }
    }
}

/// Finds rows, each place once.
struct Finder<'a> {
    rows: &'a [Row],
    taken: std::collections::HashSet<usize>,
}

impl<'a> Finder<'a> {
    fn new(rows: &'a [Row]) -> Self {
        Self { rows, taken: std::collections::HashSet::new() }
    }

    fn place(&mut self, place: usize, row: &Row) -> Option<usize> {
        let there = self.rows.get(place).is_some_and(|r| r == row) && !self.taken.contains(&place);
        let place = if there {
            place
        } else {
            (0..self.rows.len()).rev().find(|n| self.rows[*n] == *row && !self.taken.contains(n))?
        };
        self.taken.insert(place);
        Some(place)
    }
}
