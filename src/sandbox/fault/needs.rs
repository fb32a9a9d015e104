//! What a world must have for a fault to show, and where it strikes when nobody says.
//!
//! Decided by what the world file holds, never by its name, so that anybody's world can be used.

mod ha;

use crate::sandbox::world::{Plan, Role, ShippedTo};

/// A condition on a world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    /// In words, after "needs".
    pub(crate) what: &'static str,
    /// The servers it can take, the default first; none = it does not fit.
    pub(crate) servers: fn(&Plan) -> Vec<usize>,
    /// The databases it can take on a server, the default first; `None` = it takes none.
    pub(crate) databases: Option<fn(&Plan, usize) -> Vec<String>>,
}

impl Needs {
    /// Any server; a destination or secondary before a source.
    pub(crate) const SERVER: Self = Self { what: "a server", servers: any, databases: None };
    /// A destination of BizTalk log shipping.
    pub(crate) const DESTINATION: Self =
        Self { what: "a destination of BizTalk log shipping", servers: destinations, databases: None };
    /// The same; the last one when none is named.
    pub(crate) const LAST_DESTINATION: Self = Self { servers: last_destination_first, ..Self::DESTINATION };
    /// A destination of BizTalk log shipping, and a database shipped to it.
    pub(crate) const SHIPPED: Self = Self { databases: Some(shipped), ..Self::DESTINATION };
    /// The same; the last destination when none is named.
    pub(crate) const LAST_SHIPPED: Self = Self { servers: last_destination_first, ..Self::SHIPPED };
    /// A server that restores.
    pub(crate) const RESTORING: Self = Self { what: "a server that restores", ..Self::DESTINATION };
    /// A server with a database of its own; a destination before a source.
    pub(crate) const DATABASE: Self =
        Self { what: "a database", servers: with_databases, databases: Some(databases) };
    /// A server with a database of its own, open, that holds rows.
    pub(crate) const WRITTEN: Self =
        Self { what: "an open database with rows", servers: with_rows, databases: Some(written) };
    /// A server whose databases know logins by name; a destination before a source.
    pub(crate) const LOGINS: Self =
        Self { what: "logins with roles in databases", servers: with_logins, databases: None };
    /// A server with agent jobs; a destination before a source.
    pub(crate) const JOBS: Self = Self { what: "an agent job", servers: with_jobs, databases: None };
    /// A server that works with another one over a linked server.
    pub(crate) const LINKED: Self = Self { what: "a linked server", servers: with_links, databases: None };
    /// A secondary of SQL Server's own log shipping.
    pub(crate) const SECONDARY: Self =
        Self { what: "a secondary of native log shipping", servers: secondaries, databases: None };
    /// A secondary of SQL Server's own log shipping with a copy that can be read.
    pub(crate) const STANDBY: Self = Self {
        what: "a secondary of native log shipping in STANDBY",
        servers: readable,
        databases: Some(standbys),
    };
    /// The server that runs the Backup BizTalk Server job.
    pub(crate) const BACKUP_JOB: Self =
        Self { what: "a Backup BizTalk Server job", servers: management, databases: None };
    /// A server with a database that is backed up by that job.
    pub(crate) const BACKED_UP: Self = Self {
        what: "a database that the Backup BizTalk Server job covers",
        servers: with_covered,
        databases: Some(covered),
    };
}

fn any(plan: &Plan) -> Vec<usize> {
    let of = |source: bool| {
        let fits = move |s: &crate::sandbox::world::PlannedServer| (s.role == Role::Source) == source;
        plan.servers.iter().enumerate().filter(move |(_, s)| fits(s)).map(|(n, _)| n)
    };
    of(false).chain(of(true)).collect()
}

fn destinations(plan: &Plan) -> Vec<usize> {
    if plan.management().is_none() {
        return Vec::new();
    }
    let is = |s: &&crate::sandbox::world::PlannedServer| s.role == Role::Destination;
    plan.servers.iter().enumerate().filter(|(_, s)| is(s)).map(|(n, _)| n).collect()
}

fn last_destination_first(plan: &Plan) -> Vec<usize> {
    destinations(plan).into_iter().rev().collect()
}

/// The databases shipped to a destination, the largest first.
fn shipped(plan: &Plan, server: usize) -> Vec<String> {
    let only = plan.servers.get(server).and_then(|s| s.only_from.as_deref());
    let mut all: Vec<_> = plan
        .covered()
        .filter(|d| only.is_none_or(|o| o.eq_ignore_ascii_case(&d.server)))
        .map(|d| (std::cmp::Reverse(d.size_mb), d.name.clone()))
        .collect();
    all.sort_by_key(|(size, _)| *size);
    all.into_iter().map(|(_, name)| name).collect()
}

/// The databases that stand on a server, the largest first.
fn own(plan: &Plan, server: usize) -> Vec<String> {
    let mut all: Vec<_> = plan
        .databases
        .iter()
        .filter(|d| plan.server_index(&d.server) == Some(server))
        .map(|d| (std::cmp::Reverse(d.size_mb), d.name.clone()))
        .collect();
    all.sort_by_key(|(size, _)| *size);
    all.into_iter().map(|(_, name)| name).collect()
}

fn databases(plan: &Plan, server: usize) -> Vec<String> {
    let mut all = if destinations(plan).contains(&server) { shipped(plan, server) } else { Vec::new() };
    all.extend(own(plan, server));
    all
}

fn with_databases(plan: &Plan) -> Vec<usize> {
    any(plan).into_iter().filter(|s| !databases(plan, *s).is_empty()).collect()
}

/// The databases of a server that are made with rows.
fn written(plan: &Plan, server: usize) -> Vec<String> {
    let rows = |name: &String| {
        let planned = plan.tables.iter().find(|(d, _)| d.eq_ignore_ascii_case(name));
        planned.is_some_and(|(_, tables)| tables.values().any(|t| !t.rows.is_empty()))
            || plan.covered().any(|d| d.name.eq_ignore_ascii_case(name))
    };
    own(plan, server).into_iter().filter(rows).collect()
}

fn with_rows(plan: &Plan) -> Vec<usize> {
    any(plan).into_iter().filter(|s| !written(plan, *s).is_empty()).collect()
}

fn with_logins(plan: &Plan) -> Vec<usize> {
    let has = |s: &usize| {
        let name = &plan.servers[*s].name;
        let on = |list: &[String]| list.iter().any(|x| x.eq_ignore_ascii_case(name));
        let there = |l: &&crate::sandbox::world::PlannedLogin| {
            !l.roles.is_empty()
                && !l.sysadmin
                && !on(&l.missing_on)
                && (l.servers.is_empty() || on(&l.servers))
        };
        plan.logins.iter().any(|l| there(&l))
    };
    if plan.management().is_none() {
        return Vec::new();
    }
    any(plan).into_iter().filter(has).collect()
}

fn with_jobs(plan: &Plan) -> Vec<usize> {
    let mut all = destinations(plan);
    all.extend(management(plan));
    all
}

fn with_links(plan: &Plan) -> Vec<usize> {
    let shipped = destinations(plan);
    any(plan).into_iter().filter(|s| shipped.contains(s) || !plan.servers[*s].linked.is_empty()).collect()
}

fn readable(plan: &Plan) -> Vec<usize> {
    secondaries(plan).into_iter().filter(|s| !standbys(plan, *s).is_empty()).collect()
}

fn standbys(plan: &Plan, server: usize) -> Vec<String> {
    let here = |to: &&ShippedTo| to.standby && plan.server_index(&to.server) == Some(server);
    plan.log_shipping
        .iter()
        .flat_map(|x| x.secondaries.iter().filter(here).map(|to| to.database.as_ref().unwrap_or(&x.database)))
        .cloned()
        .collect()
}

fn secondaries(plan: &Plan) -> Vec<usize> {
    let mut all: Vec<usize> = Vec::new();
    for to in plan.log_shipping.iter().flat_map(|shipped| &shipped.secondaries) {
        all.extend(plan.server_index(&to.server).filter(|s| !all.contains(s)));
    }
    all
}

fn management(plan: &Plan) -> Vec<usize> {
    plan.management().and_then(|d| plan.server_index(&d.server)).into_iter().collect()
}

fn with_covered(plan: &Plan) -> Vec<usize> {
    let mut all: Vec<_> = plan.covered().filter_map(|d| plan.server_index(&d.server)).collect();
    all.sort_by_key(|s| usize::from(!management(plan).contains(s)));
    all.dedup();
    all
}

fn covered(plan: &Plan, server: usize) -> Vec<String> {
    let mut all: Vec<_> = plan
        .covered()
        .filter(|d| plan.server_index(&d.server) == Some(server))
        .map(|d| (std::cmp::Reverse(d.size_mb), d.name.clone()))
        .collect();
    all.sort_by_key(|(size, _)| *size);
    all.into_iter().map(|(_, name)| name).collect()
}
