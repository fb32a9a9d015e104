//! `@@NAMES`.

use super::Run;
use crate::sandbox::value::Value;

impl Run<'_> {
    pub(super) fn global(&self, name: &str) -> Value {
        let globals = self.world.globals;
        let int = |n: i64| Value::Int(n);
        match name {
            "@@ROWCOUNT" => int(globals.row_count),
            "@@ERROR" => int(i64::from(globals.error)),
            "@@TRANCOUNT" => int(i64::from(globals.transactions)),
            "@@LOCK_TIMEOUT" => int(globals.lock_timeout),
            "@@TEXTSIZE" => int(globals.text_size),
            "@@NESTLEVEL" => int(i64::from(globals.nest_level)),
            "@@OPTIONS" => int(globals.options),
            "@@CURSOR_ROWS" => int(globals.cursor_rows),
            "@@FETCH_STATUS" => int(globals.fetch_status),
            "@@MAX_CONNECTIONS" => int(32_767),
            "@@PROCID" | "@@LANGID" => int(0),
            "@@SPID" => int(i64::from(self.world.context.session_id)),
            "@@DATEFIRST" => int(globals.date_first),
            "@@MAX_PRECISION" => int(38),
            "@@LANGUAGE" => Value::Text("us_english".to_owned()),
            "@@MICROSOFTVERSION" => {
                let (major, minor, build) = self.world.host.version();
                int(i64::from(major) << 24 | i64::from(minor) << 16 | i64::from(build))
            }
            "@@VERSION" => Value::Text(self.world.host.banner()),
            "@@SERVERNAME" => Value::Text(self.world.host.name()),
            "@@SERVICENAME" => {
                let name = self.world.host.name();
                Value::Text(name.split_once('\\').map_or("MSSQLSERVER", |(_, i)| i).to_owned())
            }
            "@@IDENTITY" => {
                globals.identity.map_or(Value::Null, |n| Value::Decimal { digits: i128::from(n), scale: 0 })
            }
            _ => Value::Null,
        }
    }
}
