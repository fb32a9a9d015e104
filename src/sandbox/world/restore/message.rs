//! The messages of RESTORE that are said in more than one place, or are long.
//!
//! Does not know when they are said.

use crate::sandbox::answer::Message;
use crate::sandbox::world::ids::Lsn;

pub(super) fn note(number: i32, text: impl Into<String>) -> Message {
    Message { class: 0, ..Message::error(number, text) }
}

pub(super) fn salvaged() -> Message {
    Message::error(
        4323,
        "A previous RESTORE WITH CONTINUE_AFTER_ERROR operation left the database in a potentially damaged state. To continue this RESTORE sequence, all further steps must include the CONTINUE_AFTER_ERROR option.",
    )
}

pub(super) fn salvage_done() -> Message {
    note(
        3184,
        "RESTORE WITH CONTINUE_AFTER_ERROR was successful but some damage was encountered. Inconsistencies in the database are possible.",
    )
}

pub(super) fn needs_upgrade() -> Message {
    Message::error(
        3180,
        "This backup cannot be restored using WITH STANDBY because a database upgrade is needed. Reissue the RESTORE without WITH STANDBY.",
    )
}

pub(super) fn not_ready() -> Message {
    Message::error(
        3117,
        "The log or differential backup cannot be restored because no files are ready to rollforward.",
    )
}

pub(super) fn no_database(name: &str) -> Message {
    Message::error(
        3118,
        format!(
            "The database \"{name}\" does not exist. RESTORE can only create a database when restoring either a full backup or a file backup of the primary file."
        ),
    )
}

pub(super) fn wrong_kind(path: &str, was: &str) -> Message {
    Message::error(
        3135,
        format!(
            "The backup set in file '{path}' was created by {was} and cannot be used for this restore operation."
        ),
    )
}

pub(super) fn other_database(name: &str) -> Message {
    Message::error(
        3154,
        format!("The backup set holds a backup of a database other than the existing '{name}' database."),
    )
}

pub(super) fn too_recent(first: Lsn, redo: Lsn) -> Message {
    Message::error(
        4305,
        format!(
            "The log in this backup set begins at LSN {first}, which is too recent to apply to the database. An earlier log backup that includes LSN {redo} can be restored."
        ),
    )
}

pub(super) fn too_early(last: Lsn, redo: Lsn) -> Message {
    Message::error(
        4326,
        format!(
            "The log in this backup set terminates at LSN {last}, which is too early to apply to the database. A more recent log backup that includes LSN {redo} can be restored."
        ),
    )
}

pub(super) fn other_path() -> Message {
    Message::error(
        4330,
        "This backup set cannot be applied because it is on a recovery path that is inconsistent with the database. The recovery path is the sequence of data and log backups that have brought the database to a particular recovery point. Find a compatible backup to restore, or restore the rest of the database to match a recovery point within this backup set, which will restore the database to a different point in time.  For more information about recovery paths, see SQL Server Books Online.",
    )
}

pub(super) fn stop_too_early() -> Message {
    Message::error(
        4338,
        "The STOPAT clause specifies a point too early to allow this backup set to be restored. Choose a different stop point or use RESTORE DATABASE WITH RECOVERY to recover at the current point.",
    )
}

pub(super) fn stop_passed() -> Message {
    Message::error(
        4335,
        "The specified STOPAT time is too early. All or part of the database is already rolled forward beyond that point.",
    )
}

pub(super) fn no_mark_here() -> Message {
    note(
        4329,
        "This log file contains records logged before the designated mark. The database is being left in the Restoring state so you can apply another log file.",
    )
}

pub(super) fn before_the_time() -> Message {
    note(
        4322,
        "This backup set contains records that were logged before the designated point in time. The database is being left in the restoring state so that more roll forward can be performed.",
    )
}

pub(super) fn planning() -> Message {
    Message::error(
        3119,
        "Problems were identified while planning for the RESTORE statement. Previous messages provide details.",
    )
}
