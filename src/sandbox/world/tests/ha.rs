//! Availability groups and mirroring as clients of each server see them.

mod groups;
mod mirroring;
mod worlds;

use std::path::Path;
use std::sync::Arc;

use super::asking::ask;
use super::{PASSWORD, setup, start};
use crate::clock::FixedClock;
use crate::sandbox::answer::{Login, Message, Server as _};
use crate::sandbox::tsql::session::Endpoint;
use crate::sandbox::world::World;

/// Three servers, some of them with the same databases.
pub(super) const SERVERS: &str = "
world: shop
history: 30m
servers:
  - { name: A, role: other, version: 15.0.4430.1 }
  - { name: B, role: other, version: 15.0.4430.1 }
  - { name: C, role: other, version: 15.0.4430.1 }
databases:
  - { name: Orders, role: user, server: A, size_mb: 64, traffic: 600 }
  - { name: Stock, role: user, server: A, size_mb: 64, traffic: 60 }
tables:
  Orders:
    Line: { columns: id int not null; item nvarchar(40), rows: [[1, bolts]] }
  Stock:
    Item: { columns: id int not null; left int, rows: [[1, 100]] }
";

pub(super) const GROUP: &str = "
cluster: { name: CLU, nodes: [A, B, C], witness: '\\\\FS\\q' }
availability_groups:
  - name: Shop
    databases: [Orders, Stock]
    dtc_support: per_db
    listener: { name: SHOP, addresses: [10.20.0.50/24] }
    replicas:
      - { server: A, failover: automatic }
      - { server: B, failover: automatic, readable: all, backup_priority: 80 }
      - { server: C, mode: async, readable: read_only, lag: 30s }
";

/// A world whose servers are asked by name.
pub(super) struct Shop {
    pub(super) clock: Arc<FixedClock>,
    pub(super) world: World,
    folder: std::path::PathBuf,
}

impl Shop {
    pub(super) fn new(folder: &Path, text: &str) -> Self {
        let clock = Arc::new(FixedClock::at(start()));
        let world = World::create_on(text, folder, &setup(&[]), Arc::clone(&clock) as _).unwrap();
        Self { clock, world, folder: folder.to_owned() }
    }

    fn endpoint(&self, server: &str) -> Endpoint {
        let at = self.world.servers().iter().position(|(n, _)| n == server).unwrap();
        Endpoint::new(Arc::clone(&self.world.hosts()[at]))
    }

    pub(super) fn log_in(
        &self,
        server: &str,
        database: &str,
        read_intent: bool,
    ) -> Result<Box<dyn crate::sandbox::answer::Conversation>, Vec<Message>> {
        let login = Login {
            user: "sa".into(),
            password: PASSWORD.into(),
            database: database.into(),
            read_intent,
            ..Login::default()
        };
        self.endpoint(server).login(&login)
    }

    /// A batch on a server, in master.
    pub(super) fn ask(&self, server: &str, sql: &str) -> String {
        ask(&mut *self.log_in(server, "", false).unwrap(), sql)
    }

    pub(super) fn expect(&self, server: &str, sql: &str, wanted: &str) {
        assert_eq!(self.ask(server, sql), wanted, "{server}: {sql}");
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.clock.advance_ms(seconds * 1000);
        self.world.hosts()[0].now();
    }

    /// A server goes, or comes back.
    pub(super) fn down(&self, server: &str, down: bool) {
        let mut state = self.world.shared.locked();
        let s = state.server_index(server).unwrap();
        state.servers[s].trouble.refused = down;
    }

    pub(super) fn cut(&self, a: &str, b: &str) {
        let mut state = self.world.shared.locked();
        let pair = (state.server_index(a).unwrap(), state.server_index(b).unwrap());
        state.ha.cut.push(pair);
    }

    pub(super) fn saved_and_opened(self) -> Self {
        let clock = Arc::clone(&self.clock);
        drop(self.world);
        let world = World::open_on(&self.folder, Some(Arc::clone(&clock) as _)).unwrap();
        Self { clock, world, folder: self.folder }
    }
}
