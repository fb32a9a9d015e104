//! Where files live on each system, and how the program was asked to behave.
//!
//! Does not read runbooks or estates. Precedence: flag, environment, built in.

use std::path::PathBuf;

use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};

/// Folders of the program for this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The user's own runbooks, queries and worlds.
    pub library: PathBuf,
    /// Records, one folder per drill.
    pub records: PathBuf,
    /// State of rehearsals' sandboxes.
    pub sandboxes: PathBuf,
}

/// Why there are no folders.
#[derive(Debug, thiserror::Error)]
#[error("no home folder for this user; set DRBOOK_HOME to a folder drbook may write to")]
pub struct NoHome;

impl Places {
    /// All folders below one, or below the system's usual places: XDG on Unix, Known Folders on Windows.
    pub fn find(home: Option<PathBuf>) -> Result<Self, NoHome> {
        if let Some(home) = home {
            return Ok(Self {
                library: home.join("library"),
                records: home.join("records"),
                sandboxes: home.join("sandboxes"),
            });
        }
        let args = AppStrategyArgs {
            top_level_domain: String::new(),
            author: String::new(),
            app_name: "drbook".to_owned(),
        };
        let strategy = choose_app_strategy(args).map_err(|_| NoHome)?;
        let data = strategy.data_dir();
        Ok(Self {
            library: strategy.config_dir(),
            records: data.join("records"),
            sandboxes: data.join("sandboxes"),
        })
    }
}

/// Built-in thresholds: spans in seconds. An estate's own values replace them one by one.
pub const THRESHOLDS: [(&str, f64); 3] =
    [("log_age", 30.0 * 60.0), ("full_age", 25.0 * 3600.0), ("clock_skew", 60.0)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_holds_everything() {
        let places = Places::find(Some(PathBuf::from("h"))).unwrap();
        assert_eq!(places.records, PathBuf::from("h").join("records"));
    }
}
