//! The two backup jobs of a server with `upkeep`.
//!
//! The procedure they call is the estate's own, as maintenance scripts are; what it does is `work::upkeep`.

use chrono::{DateTime, Utc};

use super::Making;
use super::jobs::{Draft, enter, raster};
use crate::sandbox::world::state::State;
use crate::sandbox::world::work::upkeep::PROCEDURE;

pub(super) fn add(making: &Making<'_>, state: &mut State, began: DateTime<Utc>) -> Result<(), String> {
    for upkeep in &making.plan.upkeep {
        let Some(s) = state.server_index(&upkeep.server) else { continue };
        let hours = upkeep.keep()?.ms / 3_600_000;
        let draft = |kind: &str, schedule| Draft {
            name: format!("Upkeep - {kind} backups"),
            description: "Backs up every user database, then deletes old files.".into(),
            enabled: true,
            category: 3,
            schedule: Some((format!("Upkeep, {kind}"), schedule)),
            steps: vec![(
                format!("Back up ({kind})"),
                "master".into(),
                format!(
                    "EXECUTE dbo.{PROCEDURE} @Kind = N'{kind}', @Folder = N'{}', @KeepHours = {hours}",
                    upkeep.location
                ),
                1,
                2,
            )],
            simulated: vec![false],
        };
        let full = draft("FULL", (1, 0, 10_500));
        let log = draft("LOG", raster(upkeep.log_every()?));
        enter(state, s, full, began);
        enter(state, s, log, began);
        let id = state.servers[s].next_object_id();
        if let Some(master) = state.servers[s].database_mut("master") {
            master.content.procedures.push((PROCEDURE.to_owned(), id));
        }
    }
    Ok(())
}
