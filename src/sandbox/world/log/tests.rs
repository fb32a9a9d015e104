//! Random transactions over a log, crashed and restored at random places.

use chrono::{TimeZone as _, Utc};
use proptest::prelude::*;

use super::super::build::empty_database;
use super::super::state::{Content, Database};
use super::super::stored::{Stored, specs};
use super::*;
use crate::sandbox::value::{Table, Value};

/// What a client does next; which of the open transactions and tables is taken modulo how many there are.
#[derive(Debug, Clone)]
enum Act {
    Begin,
    Insert(usize, i64),
    Update(usize, usize, i64),
    Delete(usize, usize),
    Save(usize),
    Back(usize),
    Commit(usize),
    Abort(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let n = 0..8_usize;
    prop_oneof![
        3 => Just(Act::Begin),
        4 => (n.clone(), 0..5_i64).prop_map(|(t, v)| Act::Insert(t, v)),
        4 => (n.clone(), n.clone(), 0..5_i64).prop_map(|(t, r, v)| Act::Update(t, r, v)),
        2 => (n.clone(), n.clone()).prop_map(|(t, r)| Act::Delete(t, r)),
        1 => n.clone().prop_map(Act::Save),
        1 => n.clone().prop_map(Act::Back),
        2 => n.clone().prop_map(Act::Commit),
        1 => n.prop_map(Act::Abort),
    ]
}

const TABLES: usize = 4;

fn database() -> Database {
    let mut db = empty_database(&mut Dice::new(1), 5, "db", Model::Full, "sa");
    for n in 0..TABLES {
        let mut stored = Stored::named(&format!("t{n}"));
        let columns = specs("a int").unwrap().into_iter().map(|s| s.column).collect();
        let rows = (0..4).map(|n| vec![Value::Int(n)]).collect();
        stored.table = std::sync::Arc::new(Table { columns, rows });
        db.content.tables.insert(format!("t{n}"), stored);
    }
    db
}

/// Content without what is open: tables alone.
fn tables(content: &Content) -> Vec<Vec<Vec<Value>>> {
    content.tables.values().map(|t| t.table.rows.clone()).collect()
}

/// One open transaction of the test: it has a table for itself, as locks would see to.
struct Mine {
    tran: Tran,
    table: usize,
    save: Option<Lsn>,
    /// The table when it began: what a rollback must give.
    before: Vec<Vec<Value>>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn redo_and_undo_give_the_committed_prefix(acts in prop::collection::vec(act(), 1..60), full in 0..60_usize, cut in 0..400_usize) {
        let at = Utc.with_ymd_and_hms(2026, 3, 2, 10, 0, 0).unwrap();
        let mut db = database();
        let mut open: Vec<Mine> = Vec::new();
        // what the committed transactions alone have made, behind every record
        let mut committed = tables(&db.content);
        let mut history: Vec<(Lsn, Vec<Vec<Vec<Value>>>)> = Vec::new();
        let mut backup = None;
        for (n, act) in acts.iter().enumerate() {
            if n == full {
                db.log.flush();
                backup = Some((db.content.clone(), db.log.end));
            }
            let pick = |x: usize, open: &Vec<Mine>| (!open.is_empty()).then(|| x % open.len());
            match act {
                Act::Begin => {
                    if let Some(table) = (0..TABLES).find(|t| open.iter().all(|m| m.table != *t)) {
                        let before = db.content.tables[&format!("t{table}")].table.rows.clone();
                        let tran = db.begin(at, None);
                        open.push(Mine { tran, table, save: None, before });
                    }
                }
                Act::Insert(t, v) => if let Some(m) = pick(*t, &open) {
                    let (tran, table) = (open[m].tran, format!("t{}", open[m].table));
                    db.edit(at, tran, &table, Change::Insert(vec![vec![Value::Int(*v)], vec![Value::Int(v + 1)]]));
                },
                Act::Update(t, r, v) => if let Some(m) = pick(*t, &open) {
                    let (tran, table) = (open[m].tran, format!("t{}", open[m].table));
                    let rows = db.content.tables[&table].table.rows.len();
                    if rows > 0 {
                        db.edit(at, tran, &table, Change::Update(vec![(r % rows, vec![Value::Int(*v)])]));
                    }
                },
                Act::Delete(t, r) => if let Some(m) = pick(*t, &open) {
                    let (tran, table) = (open[m].tran, format!("t{}", open[m].table));
                    let rows = db.content.tables[&table].table.rows.len();
                    if rows > 0 {
                        db.edit(at, tran, &table, Change::Delete(vec![r % rows]));
                    }
                },
                Act::Save(t) => if let Some(m) = pick(*t, &open) { open[m].save = Some(db.log.end); },
                Act::Back(t) => if let Some(m) = pick(*t, &open)
                    && let Some(place) = open[m].save {
                        db.undo_behind(at, open[m].tran, place);
                    },
                Act::Commit(t) => if let Some(m) = pick(*t, &open) {
                    let mine = open.remove(m);
                    db.commit(at, mine.tran, None);
                    committed[mine.table] = db.content.tables[&format!("t{}", mine.table)].table.rows.clone();
                },
                Act::Abort(t) => if let Some(m) = pick(*t, &open) {
                    let mine = open.remove(m);
                    db.abort(at, mine.tran);
                    prop_assert_eq!(&db.content.tables[&format!("t{}", mine.table)].table.rows, &mine.before);
                },
            }
            history.push((db.log.end, committed.clone()));
        }
        // LSNs grow
        prop_assert!(db.log.records.windows(2).all(|w| w[0].lsn < w[1].lsn));
        // a restore from the full, or from the beginning, up to any record
        let (content, from) = backup.unwrap_or_else(|| (database().content, Lsn(0)));
        let stop = db.log.records.get(cut).map(|r| r.lsn);
        let mut restored = content;
        for record in db.log.records.iter().filter(|r| r.lsn >= from && stop.is_none_or(|s| r.lsn < s)) {
            restored.redo(record);
        }
        // a reader of a standby sees only what was committed, and the roll-forward goes on behind him
        let stands = stop.unwrap_or(db.log.end).max(from);
        let wanted = history.iter().rev().find(|(end, _)| *end <= stands).map_or_else(|| tables(&database().content), |(_, t)| t.clone());
        let mut reader = restored.clone();
        let aside = reader.put_aside();
        prop_assert_eq!(tables(&reader), wanted.clone());
        reader.take_up(aside);
        prop_assert_eq!(tables(&reader), tables(&restored));
        prop_assert_eq!(&reader.open, &restored.open);
        // and recovery gives the same
        let mut recovered = database();
        recovered.content = restored;
        recovered.recover(at);
        prop_assert_eq!(tables(&recovered.content), wanted);
        prop_assert!(recovered.content.open.is_empty());
    }
}
