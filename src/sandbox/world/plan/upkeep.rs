//! The backups of a server that is nobody's BizTalk: a full a day, logs in between, old files deleted.
//!
//! Does not know the job that takes them (`build::upkeep`, `work::upkeep`).

use serde::Deserialize;

use crate::clock::Span;

/// One server's backups.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upkeep {
    pub(crate) server: String,
    /// Folder of the backup files, as a UNC or drive path.
    pub(crate) location: String,
    #[serde(default = "hourly")]
    pub(crate) log_every: String,
    /// Files older than this are deleted; msdb remembers them all.
    #[serde(default = "two_days")]
    pub(crate) keep: String,
}

fn hourly() -> String {
    "1h".into()
}
fn two_days() -> String {
    "2d".into()
}

impl Upkeep {
    pub(crate) fn log_every(&self) -> Result<Span, String> {
        self.log_every.parse()
    }
    pub(crate) fn keep(&self) -> Result<Span, String> {
        self.keep.parse()
    }

    pub(super) fn checked(&self) -> Result<(), String> {
        let (every, keep) = (self.log_every()?, self.keep()?);
        if !(60_000..=86_400_000).contains(&every.ms) || every.ms % 60_000 != 0 {
            return Err(format!("upkeep of {}: log_every is in whole minutes, from 1m to 24h", self.server));
        }
        if !(3_600_000..=40 * 86_400_000).contains(&keep.ms) || keep.ms % 3_600_000 != 0 {
            return Err(format!("upkeep of {}: keep is in whole hours, from 1h to 40d", self.server));
        }
        Ok(())
    }
}
