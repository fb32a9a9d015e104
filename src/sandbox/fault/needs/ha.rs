//! What faults of availability groups and mirroring need of a world.

use super::Needs;
use crate::sandbox::world::{Plan, PlannedGroup};

impl Needs {
    /// A secondary replica of an availability group.
    pub(crate) const REPLICA: Self =
        Self { what: "a secondary replica of an availability group", servers: secondaries, databases: None };
    /// A secondary replica, and a database of its group.
    pub(crate) const REPLICATED: Self = Self { databases: Some(replicated), ..Self::REPLICA };
    /// The primary of an availability group.
    pub(crate) const GROUP: Self =
        Self { what: "an availability group", servers: primaries, databases: None };
    /// The primary of a group whose databases have an identity of their own with MS DTC.
    pub(crate) const GROUP_WITH_DTC: Self =
        Self { what: "an availability group with DTC_SUPPORT = PER_DB", servers: with_dtc, databases: None };
    /// The primary of a group with BizTalk's management database and a listener.
    pub(crate) const BIZTALK_LISTENER: Self =
        Self { what: "a BizTalk group behind a listener", servers: behind_listener, databases: None };
    /// A secondary replica of a group with BizTalk's management database.
    pub(crate) const BIZTALK_REPLICA: Self = Self {
        what: "a secondary replica of a group with BizTalk's databases",
        servers: biztalk_secondaries,
        databases: None,
    };
    /// A server with a database that the Backup BizTalk Server job covers, and that nothing else follows.
    pub(crate) const BACKED_UP_ALONE: Self = Self {
        what: "a database that the Backup BizTalk Server job covers, neither in an availability group nor mirrored",
        servers: with_free,
        databases: Some(free),
    };
    /// The principal of a mirrored database.
    pub(crate) const MIRRORED: Self =
        Self { what: "a mirrored database", servers: principals, databases: Some(mirrored) };
}

fn home(plan: &Plan, database: &str) -> Option<usize> {
    let found = plan.databases.iter().find(|d| d.name.eq_ignore_ascii_case(database))?;
    plan.server_index(&found.server)
}

fn primary(plan: &Plan, group: &PlannedGroup) -> Option<usize> {
    home(plan, group.databases.first()?)
}

fn others(plan: &Plan, group: &PlannedGroup) -> Vec<usize> {
    let first = primary(plan, group);
    group.replicas.iter().filter_map(|r| plan.server_index(&r.server)).filter(|s| Some(*s) != first).collect()
}

fn of_groups(plan: &Plan, fits: impl Fn(&PlannedGroup) -> bool, secondary: bool) -> Vec<usize> {
    let mut all: Vec<usize> = plan
        .availability_groups
        .iter()
        .filter(|g| fits(g))
        .flat_map(|g| if secondary { others(plan, g) } else { primary(plan, g).into_iter().collect() })
        .collect();
    all.dedup();
    all
}

fn has_management(plan: &Plan, group: &PlannedGroup) -> bool {
    plan.management().is_some_and(|m| group.databases.iter().any(|d| d.eq_ignore_ascii_case(&m.name)))
}

fn secondaries(plan: &Plan) -> Vec<usize> {
    of_groups(plan, |_| true, true)
}

fn primaries(plan: &Plan) -> Vec<usize> {
    of_groups(plan, |g| g.replicas.len() > 1, false)
}

fn with_dtc(plan: &Plan) -> Vec<usize> {
    of_groups(plan, PlannedGroup::has_dtc, false)
}

fn behind_listener(plan: &Plan) -> Vec<usize> {
    of_groups(plan, |g| g.listener.is_some() && has_management(plan, g), false)
}

fn biztalk_secondaries(plan: &Plan) -> Vec<usize> {
    of_groups(plan, |g| has_management(plan, g), true)
}

fn replicated(plan: &Plan, server: usize) -> Vec<String> {
    let here = |g: &&PlannedGroup| others(plan, g).contains(&server);
    plan.availability_groups.iter().filter(here).flat_map(|g| g.databases.iter().cloned()).collect()
}

fn free(plan: &Plan, server: usize) -> Vec<String> {
    let followed = |name: &str| {
        plan.mirrors.iter().any(|m| m.database.eq_ignore_ascii_case(name))
            || plan
                .availability_groups
                .iter()
                .any(|g| g.databases.iter().any(|d| d.eq_ignore_ascii_case(name)))
    };
    super::covered(plan, server).into_iter().filter(|d| !followed(d)).collect()
}

fn with_free(plan: &Plan) -> Vec<usize> {
    super::with_covered(plan).into_iter().filter(|s| !free(plan, *s).is_empty()).collect()
}

fn principals(plan: &Plan) -> Vec<usize> {
    let mut all: Vec<usize> = plan.mirrors.iter().filter_map(|m| home(plan, &m.database)).collect();
    all.dedup();
    all
}

fn mirrored(plan: &Plan, server: usize) -> Vec<String> {
    let here = |m: &&crate::sandbox::world::PlannedMirror| home(plan, &m.database) == Some(server);
    plan.mirrors.iter().filter(here).map(|m| m.database.clone()).collect()
}
