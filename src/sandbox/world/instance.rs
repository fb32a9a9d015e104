//! What an instance is called and where it lies: its folders and its part of the registry.
//!
//! Does not know how tools ask for them.

use super::state::Server;
use super::stored::{NULL, int, text};
use crate::sandbox::value::Value;

/// A value of the registry, by its key below `HKEY_LOCAL_MACHINE`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    /// Of the instance: seen by dm_server_registry.
    pub(crate) own: bool,
}

impl Server {
    /// The instance's name; `MSSQLSERVER` of the default one.
    pub(crate) fn instance(&self) -> &str {
        self.name.split_once('\\').map_or("MSSQLSERVER", |(_, instance)| instance)
    }

    /// `MSSQL15.MSSQLSERVER`
    pub(crate) fn instance_id(&self) -> String {
        format!("MSSQL{}.{}", self.version.0, self.instance())
    }

    /// A folder of the instance, without a backslash at its end.
    pub(crate) fn folder(&self, leaf: &str) -> String {
        format!("C:\\Program Files\\Microsoft SQL Server\\{}\\MSSQL\\{leaf}", self.instance_id())
    }

    pub(crate) fn error_log_path(&self) -> String {
        self.folder("Log\\ERRORLOG")
    }

    /// The registry as far as tools read it.
    pub(crate) fn registry(&self) -> Vec<Entry> {
        let root = format!("SOFTWARE\\Microsoft\\Microsoft SQL Server\\{}", self.instance_id());
        let instance = format!("{root}\\MSSQLServer");
        let service = |suffix: &str, default: &str| {
            let named = self.name.contains('\\');
            let name = if named { format!("{suffix}${}", self.instance()) } else { default.to_owned() };
            format!("SYSTEM\\CurrentControlSet\\Services\\{name}")
        };
        let (engine, agent) = (service("MSSQL", "MSSQLSERVER"), service("SQLAgent", "SQLSERVERAGENT"));
        let own = |key: &str, name, value| Entry { key: key.to_owned(), name, value, own: true };
        let net = format!("{instance}\\SuperSocketNetLib");
        let parameters = format!("{instance}\\Parameters");
        let exe = |file: &str| text(format!("\"{}\\{file}\" -s{}", self.folder("Binn"), self.instance()));
        let mut all = vec![
            own(&instance, "DefaultData", text(self.folder("DATA"))),
            own(&instance, "DefaultLog", text(self.folder("DATA"))),
            own(&instance, "BackupDirectory", text(self.folder("Backup"))),
            own(&instance, "LoginMode", int(2)),
            own(&instance, "AuditLevel", int(2)),
            own(&instance, "NumErrorLogs", NULL),
            own(&instance, "DefaultCollationName", text(&self.collation)),
            own(&parameters, "SqlArg0", text(format!("-d{}\\master.mdf", self.folder("DATA")))),
            own(&parameters, "SqlArg1", text(format!("-e{}", self.error_log_path()))),
            own(&parameters, "SqlArg2", text(format!("-l{}\\mastlog.ldf", self.folder("DATA")))),
            own(&format!("{net}\\Np"), "Enabled", int(0)),
            own(&format!("{net}\\Tcp"), "Enabled", int(1)),
            own(&format!("{net}\\Tcp\\IPAll"), "TcpPort", text("1433")),
            own(&format!("{net}\\Tcp\\IPAll"), "TcpDynamicPorts", text("")),
            own(&engine, "ObjectName", text(&self.engine_account)),
            own(&engine, "Start", int(2)),
            own(&engine, "ImagePath", exe("sqlservr.exe")),
            own(&agent, "ObjectName", text(&self.agent_account)),
            own(&agent, "Start", int(2)),
            own(&agent, "ImagePath", exe("SQLAGENT.EXE")),
        ];
        all.retain(|entry| entry.value != NULL);
        let setup = format!("{root}\\Setup");
        let data = self.folder("");
        let other = |key: &str, name, value| Entry { own: false, ..own(key, name, value) };
        all.extend([
            other(&setup, "SQLPath", text(data.trim_end_matches('\\'))),
            other(&setup, "SQLDataRoot", text(data.trim_end_matches('\\'))),
            other(&setup, "Edition", text(&self.edition)),
            other(&setup, "SQLProgramDir", text("C:\\Program Files\\Microsoft SQL Server\\")),
            other(&format!("{instance}\\Filestream"), "EnableLevel", int(0)),
            other(&format!("{root}\\SQLServerAgent"), "WorkingDirectory", text(self.folder("JOBS"))),
            other(&format!("{root}\\SQLServerAgent"), "ErrorLogFile", text(self.folder("Log\\SQLAGENT.OUT"))),
            other("SYSTEM\\CurrentControlSet\\Services\\SQLBrowser", "Start", int(4)),
            other(
                "SYSTEM\\CurrentControlSet\\Services\\SQLBrowser",
                "ObjectName",
                text("NT AUTHORITY\\LOCALSERVICE"),
            ),
            other(
                "SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName",
                "ComputerName",
                text(self.machine()),
            ),
        ]);
        all
    }

    /// A value of the registry; `instance` when the key is written as tools write it for the instance at hand.
    pub(crate) fn registry_value(&self, key: &str, name: &str, instance: bool) -> Option<Value> {
        let key = key.trim_matches('\\');
        if key.eq_ignore_ascii_case("SOFTWARE\\Microsoft\\Microsoft SQL Server\\Instance Names\\SQL") {
            return name.eq_ignore_ascii_case(self.instance()).then(|| text(self.instance_id()));
        }
        let general = "SOFTWARE\\Microsoft\\MSSQLServer";
        let begins =
            |text: &str, with: &str| text.get(..with.len()).is_some_and(|t| t.eq_ignore_ascii_case(with));
        let services = "SYSTEM\\CurrentControlSet\\Services\\";
        let real = if instance && begins(key, general) {
            format!(
                "SOFTWARE\\Microsoft\\Microsoft SQL Server\\{}{}",
                self.instance_id(),
                &key[general.len()..]
            )
        } else if instance && begins(key, services) && self.name.contains('\\') {
            match key[services.len()..].to_uppercase().as_str() {
                "MSSQLSERVER" => format!("{services}MSSQL${}", self.instance()),
                "SQLSERVERAGENT" => format!("{services}SQLAgent${}", self.instance()),
                _ => key.to_owned(),
            }
        } else {
            key.to_owned()
        };
        self.registry()
            .into_iter()
            .find(|e| e.key.eq_ignore_ascii_case(&real) && e.name.eq_ignore_ascii_case(name))
            .map(|e| e.value)
    }
}
