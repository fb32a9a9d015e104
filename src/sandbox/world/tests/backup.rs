//! BACKUP and RESTORE as clients meet them: cases in files, each a script of statements and what comes back.
//!
//! `A: statement` asks server A, `A2:` a second session there; the line below, indented, is the answer: numbers of
//! errors and messages, rows, in their order. Other lines: `wait 60` (seconds), `delete`, `cut`, `flip` and `junk` a
//! file, `page` (a page goes bad), `lose` (data files), `restart` of the program.

mod long;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::transactions::line;
use super::{PASSWORD, setup, start};
use crate::clock::FixedClock;
use crate::sandbox::answer::{Conversation, Kept, Login, Server as _};
use crate::sandbox::tsql::session::Endpoint;
use crate::sandbox::world::World;
use crate::sandbox::world::state::BadPage;

const WORLD: &str = "
world: cases
history: 10m
servers:
  - { name: A, role: other, version: 15.0.4430.1, certificates: [{ name: Vault }, { name: Old, days_left: -1 }] }
  - { name: B, role: other, version: 15.0.4430.1, certificates: [{ name: Public, private_key: false }] }
  - { name: OLD, role: other, version: 14.0.3500.1 }
  - { name: NEW, role: other, version: 16.0.4100.1 }
logins:
  - { name: keeper, kind: sql, grants: [CONNECT ANY DATABASE, VIEW SERVER STATE, VIEW ANY DEFINITION] }
  - { name: maker, kind: sql, grants: [CREATE ANY DATABASE, CONNECT ANY DATABASE] }
databases:
  - { name: Shop, role: user, server: A, size_mb: 16, traffic: 0 }
  - { name: Other, role: user, server: A, size_mb: 16, traffic: 0 }
tables:
  Shop:
    T: { columns: n int not null, rows: [[1]] }
  Other:
    T: { columns: n int not null, rows: [[1]] }
";

struct Script {
    folder: tempfile::TempDir,
    clock: Arc<FixedClock>,
    world: World,
    sessions: BTreeMap<String, Box<dyn Conversation>>,
}

impl Script {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(start()));
        let world = World::create_on(WORLD, folder.path(), &setup(&[]), Arc::clone(&clock) as _).unwrap();
        Self { folder, clock, world, sessions: BTreeMap::new() }
    }

    fn session(&mut self, who: &str) -> &mut Box<dyn Conversation> {
        let (user, place) = who.split_once('@').unwrap_or(("sa", who));
        let server = place.trim_end_matches(|c: char| c.is_ascii_digit());
        let at = self.world.servers().iter().position(|(n, _)| n == server).unwrap();
        let number = place.trim_start_matches(|c: char| !c.is_ascii_digit());
        let host = Arc::clone(&self.world.hosts()[at]);
        let taken = self.sessions.len();
        self.sessions.entry(who.to_owned()).or_insert_with(|| {
            // Each endpoint counts sessions from 51; ours must differ.
            let endpoint = Endpoint::new(host);
            let login = Login { user: user.into(), password: PASSWORD.into(), ..Login::default() };
            for _ in 0..taken {
                let _ = endpoint.login(&Login::default());
            }
            let _ = number;
            endpoint.login(&login).unwrap()
        })
    }

    fn ask(&mut self, who: &str, sql: &str) -> String {
        let mut kept = Kept::default();
        self.session(who).batch(sql, &mut kept);
        line(&kept.0)
    }

    fn file(&self, server: &str, path: &str) -> std::path::PathBuf {
        let state = self.world.shared.locked();
        let s = state.server_index(server).unwrap();
        state.files.place(state.servers[s].machine(), path).unwrap()
    }

    fn order(&mut self, words: &[&str]) {
        match words {
            ["wait", seconds] => self.clock.advance_ms(seconds.parse::<i64>().unwrap() * 1000),
            ["delete", server, path] => std::fs::remove_file(self.file(server, path)).unwrap(),
            ["cut", server, path, bytes] => {
                let path = self.file(server, path);
                let all = std::fs::read(&path).unwrap();
                let keep = all.len() - bytes.parse::<usize>().unwrap();
                std::fs::write(path, &all[..keep]).unwrap();
            }
            ["flip", server, path] => {
                let path = self.file(server, path);
                let mut all = std::fs::read(&path).unwrap();
                let at = all.len() - 60;
                all[at] ^= 1;
                std::fs::write(path, all).unwrap();
            }
            ["junk", server, path] => std::fs::write(self.file(server, path), b"no backup").unwrap(),
            ["empty", server, path] => std::fs::write(self.file(server, path), b"").unwrap(),
            ["page", server, database] => {
                let mut state = self.world.shared.locked();
                let s = state.server_index(server).unwrap();
                let bad = BadPage { file: 1, page: 118, table: "T".into() };
                state.servers[s].database_mut(database).unwrap().more.damage.push(bad);
            }
            ["lose", server, database] => {
                let mut state = self.world.shared.locked();
                let s = state.server_index(server).unwrap();
                let db = state.servers[s].database_mut(database).unwrap();
                db.more.files_lost = true;
                db.state = crate::sandbox::world::state::DbState::RecoveryPending;
            }
            ["restart"] => {
                self.sessions.clear();
                self.world = World::open_on(self.folder.path(), Some(Arc::clone(&self.clock) as _)).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }

    fn run(text: &str) {
        let mut script = Self::new();
        let mut lines = text.lines().enumerate().peekable();
        let mut wrong = Vec::new();
        while let Some((n, row)) = lines.next() {
            let row = row.trim_end();
            if row.is_empty() || row.starts_with('#') {
                continue;
            }
            if row == "anew" {
                script = Self::new();
                continue;
            }
            let Some((who, sql)) = row.split_once(": ").filter(|(w, _)| !w.contains(' ')) else {
                script.order(&row.split_whitespace().collect::<Vec<_>>());
                continue;
            };
            let got = script.ask(who, sql);
            if let Some((_, wanted)) = lines.next_if(|(_, l)| l.starts_with("    ")) {
                let wanted = wanted.trim();
                if got != if wanted == "-" { "" } else { wanted } {
                    wrong.push(format!("line {}: {row}\n  wanted {wanted}\n     got {got}", n + 1));
                }
            } else if got.contains('E') && got.starts_with('E') {
                wrong.push(format!("line {}: {row}\n     got {got}", n + 1));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }
}

#[test]
fn logs_are_applied_by_the_rule_of_lsns_and_forks() {
    Script::run(include_str!("backup/apply.txt"));
}

#[test]
fn faults_are_found_in_the_servers_order() {
    Script::run(include_str!("backup/order.txt"));
}

#[test]
fn backups_go_to_media_as_asked() {
    Script::run(include_str!("backup/media.txt"));
}

#[test]
fn databases_change_state_as_asked() {
    Script::run(include_str!("backup/states.txt"));
}

#[test]
fn statements_of_management_studio_run() {
    Script::run(include_str!("backup/studio.txt"));
}
