//! Puts the plays of a world file on the drill clock.

use chrono::{DateTime, TimeDelta, Utc};

use super::Making;
use crate::clock::Span;
use crate::sandbox::world::plan::play as planned;
use crate::sandbox::world::play::{Cross, Play, Scene};
use crate::sandbox::world::state::State;
use crate::sandbox::world::stored::from_scalar;

pub(super) fn add(making: &Making<'_>, state: &mut State, began: DateTime<Utc>) -> Result<(), String> {
    let plan = making.plan;
    for snapshots in &plan.snapshots {
        let server = plan.server_index(&snapshots.server).ok_or("snapshots are of no server")?;
        let databases = if snapshots.databases.is_empty() {
            state.servers[server].databases.iter().filter(|d| d.id > 4).map(|d| d.name.clone()).collect()
        } else {
            snapshots.databases.clone()
        };
        let every = snapshots.every.parse::<Span>()?;
        let mut at = making.opened - snapshots.last.parse::<Span>()?.delta();
        while at - every.delta() > began {
            at -= every.delta();
        }
        let what = Scene::Snapshot {
            server,
            databases,
            copy_only: snapshots.copy_only,
            user: snapshots.user.clone(),
        };
        state.plays.push(Play { at: at.max(began + TimeDelta::minutes(1)), every_ms: Some(every.ms), what });
    }
    for event in &plan.events {
        let at = making.opened + event.after.parse::<Span>()?.delta();
        let server = |name: &String| plan.server_index(name).ok_or("an event is of no server");
        let what = if let Some(cross) = &event.transaction {
            Scene::Transaction(cross_of(making, state, cross)?)
        } else if let Some(name) = event.server_down.as_ref().or(event.server_up.as_ref()) {
            Scene::Server { server: server(name)?, up: event.server_up.is_some() }
        } else if let Some([a, b]) = event.line_down.as_ref().or(event.line_up.as_ref()) {
            Scene::Line { between: (server(a)?, server(b)?), up: event.line_up.is_some() }
        } else {
            continue;
        };
        state.plays.push(Play { at, every_ms: None, what });
    }
    Ok(())
}

fn cross_of(making: &Making<'_>, state: &State, cross: &planned::Cross) -> Result<Cross, String> {
    let home = |name: &str| {
        let database = making.plan.databases.iter().find(|d| d.name.eq_ignore_ascii_case(name));
        database.and_then(|d| making.plan.server_index(&d.server)).ok_or("an event is of no database")
    };
    let mut writes = Vec::new();
    for write in &cross.writes {
        let s = home(&write.database)?;
        let stored =
            state.servers[s].table(&write.database, &write.table).ok_or("an event is of no table")?;
        let row = write
            .row
            .iter()
            .zip(&stored.table.columns)
            .map(|(cell, column)| from_scalar(cell, column.kind))
            .collect::<Result<Vec<_>, _>>()?;
        writes.push((s, write.database.clone(), write.table.clone(), row));
    }
    let breaks = match &cross.breaks {
        Some(name) => Some((home(name)?, name.clone())),
        None => None,
    };
    Ok(Cross { distributed: cross.distributed, writes, breaks })
}
