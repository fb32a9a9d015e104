//! What is wrong with a world file: every problem with its place and what to do.
//!
//! Does not know how an estate is made of it. What can only be seen while it is made is said there.

use super::{Database, DatabaseRole, Plan, Server};
use crate::clock::Span;
use crate::diagnostic::{Diagnostic, of_form};
use crate::limits;
use crate::sandbox::world::state::Role;
use crate::yaml::{Segment, Value, gather, locate};

/// The longest history.
const HISTORY_DAYS: i64 = 40;
/// Backups that history may hold: sets times databases.
const BACKUPS: i64 = 200_000;
/// The largest database (MB) and disk (GB).
const SIZE_MB: i64 = 100_000_000;
const DISK_GB: i64 = 1_000_000;
/// Names that every server has already.
const SYSTEM: &[&str] = &["master", "tempdb", "model", "msdb"];

type Path = Vec<Segment>;

fn at(path: &[Segment], next: impl Into<Segment>) -> Path {
    path.iter().cloned().chain([next.into()]).collect()
}

#[derive(Default)]
struct Found(Vec<(Path, String, String)>);

impl Found {
    fn add(&mut self, path: Path, message: impl Into<String>, help: impl Into<String>) {
        self.0.push((path, message.into(), help.into()));
    }

    fn range(&mut self, path: Path, what: &str, value: i64, low: i64, high: i64) {
        if !(low..=high).contains(&value) {
            self.add(path, format!("{what} is {value}"), format!("write {low} to {high}"));
        }
    }

    fn span(&mut self, path: Path, what: &str, text: &str) -> Option<Span> {
        match text.parse::<Span>() {
            Ok(span) => Some(span),
            Err(why) => {
                self.add(path, format!("{what}: {why}"), "write a length of time such as 90s, 15m, 4h or 2d");
                None
            }
        }
    }
}

impl Plan {
    /// Reads a world file as far as that goes, and says everything that is wrong with it.
    pub(crate) fn diagnose(text: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let value = match crate::yaml::value(text) {
            Ok(value) => value,
            Err(fault) => {
                let help = "repair the YAML; lists and maps are told apart by `- ` and `key: `";
                return (None, vec![Diagnostic::error("yaml", fault.message, help).at(fault.place)]);
            }
        };
        let none = || Value::Sequence(Vec::new());
        let read = gather::<Self>(
            &value,
            &[("world", "unnamed".into()), ("servers", none()), ("databases", none())],
        );
        if !read.problems.is_empty() {
            return (None, read.problems.iter().map(|p| of_form(text, p)).collect());
        }
        let Some(plan) = read.value else {
            let help = "begin with `world:`, `servers:` and `databases:`";
            return (None, vec![Diagnostic::error("empty", "there is no world in the file", help)]);
        };
        let mut found = Found::default();
        plan.look(&mut found);
        if !found.0.is_empty() {
            found.0.truncate(limits::PROBLEMS);
            let placed = |(path, message, help): (Path, String, String)| {
                Diagnostic::error("bad-world", message, help).at(locate(text, &path))
            };
            return (None, found.0.into_iter().map(placed).collect());
        }
        match plan.whole() {
            Ok(plan) => (Some(plan), Vec::new()),
            Err(why) => {
                let help = "assets/worlds/README.md of the source says what each key means";
                (None, vec![Diagnostic::error("bad-world", why, help)])
            }
        }
    }

    /// Reads a world file; `Err` says what is wrong, a problem a line.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let (plan, problems) = Self::diagnose(text);
        plan.ok_or_else(|| {
            let line = |d: &Diagnostic| {
                let place =
                    d.place.map_or(String::new(), |p| format!("line {}, column {}: ", p.line, p.column));
                let help = if d.help.is_empty() { String::new() } else { format!("\n  next: {}", d.help) };
                format!("{place}{}{help}", d.message)
            };
            problems.iter().map(line).collect::<Vec<_>>().join("\n")
        })
    }

    fn look(&self, found: &mut Found) {
        self.look_at_servers(found);
        self.look_at_databases(found);
        self.look_at_people(found);
        self.look_at_backups(found);
    }

    fn has_server(&self, name: &str) -> bool {
        self.server_index(name).is_some()
    }

    fn no_server(&self, found: &mut Found, path: Path, what: &str, name: &str) {
        let all: Vec<&str> = self.servers.iter().map(|s| s.name.as_str()).collect();
        found.add(
            path,
            format!("{what} names `{name}`, which is no server of this world"),
            format!("the servers are: {}", all.join(", ")),
        );
    }

    fn look_at_servers(&self, found: &mut Found) {
        let servers = at(&[], "servers");
        if self.servers.is_empty() || self.servers.len() > limits::SERVERS {
            let count = self.servers.len();
            let help = format!("a world has 1 to {} servers", limits::SERVERS);
            found.add(servers.clone(), format!("there are {count} servers"), help);
        }
        for (n, server) in self.servers.iter().enumerate() {
            let here = at(&servers, n);
            let name = &server.name;
            let good = |c: char| c.is_alphanumeric() || "-_.$\\".contains(c);
            if name.is_empty()
                || name.len() > 128
                || !name.chars().all(good)
                || name.matches('\\').count() > 1
            {
                let help = "a server is called like HOST or HOST\\INSTANCE";
                found.add(at(&here, "name"), format!("`{name}` is no name for a server"), help);
            }
            if self.servers[..n].iter().any(|o| o.name.eq_ignore_ascii_case(name)) {
                found.add(
                    at(&here, "name"),
                    format!("server {name} is there twice"),
                    "give each a name of its own",
                );
            }
            self.look_at_server(found, &here, server);
        }
    }

    fn look_at_server(&self, found: &mut Found, here: &Path, server: &Server) {
        if let Err(why) = crate::sandbox::world::build::version(&server.version) {
            let help = "SQL Server 2012 is 11, 2014 12, 2016 13, 2017 14, 2019 15, 2022 16, 2025 17";
            found.add(at(here, "version"), why, help);
        }
        found.range(at(here, "utc_offset"), "utc_offset (minutes)", server.utc_offset.into(), -840, 840);
        for (n, linked) in server.linked.iter().enumerate() {
            if !self.has_server(linked) && !self.is_listener(linked) {
                self.no_server(found, at(&at(here, "linked"), n), "a linked server", linked);
            }
        }
        if let Some(only) = &server.only_from {
            if server.role != Role::Destination {
                let help = "`only_from` is for servers of `role: destination`";
                found.add(at(here, "only_from"), format!("{} is no destination", server.name), help);
            } else if !self.has_server(only) && !self.is_listener(only) {
                self.no_server(found, at(here, "only_from"), "only_from", only);
            }
        }
        for (n, volume) in server.volumes.iter().enumerate() {
            let here = at(&at(here, "volumes"), n);
            let mount = &volume.mount;
            let drive =
                mount.starts_with(|c: char| c.is_ascii_alphabetic()) && mount.get(1..3) == Some(":\\");
            if !drive || !mount.ends_with('\\') {
                let help = "write a drive or a mount point with its last backslash, as 'D:\\'";
                found.add(at(&here, "mount"), format!("`{mount}` is no mount point"), help);
            }
            if server.volumes[..n].iter().any(|o| o.mount.eq_ignore_ascii_case(mount)) {
                found.add(at(&here, "mount"), format!("volume {mount} is there twice"), "say it once");
            }
            found.range(at(&here, "total_gb"), "total_gb", volume.total_gb, 1, DISK_GB);
            found.range(at(&here, "free_gb"), "free_gb", volume.free_gb, 0, volume.total_gb.max(0));
        }
    }

    fn look_at_databases(&self, found: &mut Found) {
        let databases = at(&[], "databases");
        let count: usize = self.databases.iter().map(|d| usize::from(d.count.unwrap_or(1))).sum();
        if count > limits::WORLD_DATABASES {
            let help = format!("a world has at most {} databases", limits::WORLD_DATABASES);
            found.add(databases.clone(), format!("there are {count} databases"), help);
            return;
        }
        for (n, database) in self.databases.iter().enumerate() {
            let here = at(&databases, n);
            self.look_at_database(found, &here, database);
            let same = |o: &&Database| {
                o.name.eq_ignore_ascii_case(&database.name) && o.server.eq_ignore_ascii_case(&database.server)
            };
            if self.databases[..n].iter().any(|o| same(&o)) {
                let message = format!("database {} is there twice on {}", database.name, database.server);
                found.add(at(&here, "name"), message, "give each a name of its own");
            }
            let single =
                !matches!(database.role, DatabaseRole::User | DatabaseRole::Other | DatabaseRole::MessageBox);
            if single && self.databases[..n].iter().any(|o| o.role == database.role) {
                let word = database.role.word();
                let message = format!("a second database of role {word}");
                found.add(at(&here, "role"), message, format!("a BizTalk group has one of role {word}"));
            }
        }
        for database in self.tables.keys() {
            if !self.databases.iter().any(|d| d.name.eq_ignore_ascii_case(database)) {
                let path = at(&at(&[], "tables"), database.as_str());
                let message = format!("tables of `{database}`, which is no database of this world");
                found.add(path, message, "name it under `databases:`");
            }
        }
    }

    fn look_at_database(&self, found: &mut Found, here: &Path, database: &Database) {
        let name = &database.name;
        let odd = |c: char| c.is_control() || "\\/:*?\"<>|".contains(c);
        if name.is_empty() || name.chars().count() > 100 || name.contains(odd) {
            let help = "1 to 100 characters that a file name may have";
            found.add(at(here, "name"), format!("`{name}` is no name for a database"), help);
        }
        if SYSTEM.iter().any(|s| s.eq_ignore_ascii_case(name)) {
            let help = "every server has its system databases; name your own";
            found.add(at(here, "name"), format!("{name} is a system database"), help);
        }
        if !self.has_server(&database.server) {
            self.no_server(found, at(here, "server"), "the database", &database.server);
        }
        found.range(at(here, "size_mb"), "size_mb", database.size_mb, 1, SIZE_MB);
        found.range(at(here, "traffic"), "traffic (log blocks a minute)", database.traffic, 0, 100_000);
        found.range(at(here, "vlf"), "vlf", database.vlf, 1, 90_000);
    }

    fn look_at_people(&self, found: &mut Found) {
        for (n, login) in self.logins.iter().enumerate() {
            let here = at(&at(&[], "logins"), n);
            if login.name.trim().is_empty() || login.name.len() > 128 {
                found.add(at(&here, "name"), "a login has a name of 1 to 128 characters", "name it");
            }
            if self.logins[..n].iter().any(|o| o.name.eq_ignore_ascii_case(&login.name)) {
                let help = "say it once, and where it is missing under `missing_on`";
                found.add(at(&here, "name"), format!("login {} is there twice", login.name), help);
            }
            for (key, names) in [("servers", &login.servers), ("missing_on", &login.missing_on)] {
                for (m, name) in names.iter().enumerate().filter(|(_, name)| !self.has_server(name)) {
                    self.no_server(found, at(&at(&here, key), m), "the login", name);
                }
            }
        }
        for (n, computer) in self.computers.iter().enumerate() {
            let here = at(&at(&at(&[], "computers"), n), "name");
            let twice = self.computers[..n].iter().any(|o| o.name.eq_ignore_ascii_case(&computer.name));
            if twice || self.has_server(&computer.name) {
                let message = format!("computer {} has the name of another machine", computer.name);
                found.add(here, message, "give each a name of its own");
            }
        }
        for (n, job) in self.jobs.iter().enumerate() {
            let here = at(&at(&[], "jobs"), n);
            if let Some(name) = job.server.as_ref().filter(|name| !self.has_server(name)) {
                self.no_server(found, at(&here, "server"), "the job", name);
            }
            let same = |o: &super::Job| o.name.eq_ignore_ascii_case(&job.name) && o.server == job.server;
            if self.jobs[..n].iter().any(same) {
                found.add(
                    at(&here, "name"),
                    format!("job {} is there twice", job.name),
                    "give each a name of its own",
                );
            }
            found.range(at(&here, "steps"), "the number of steps", job.steps.len() as i64, 1, 100);
            if let Some(every) = &job.every
                && let Some(span) = found.span(at(&here, "every"), "every", every)
                && !(60_000..=86_400_000).contains(&span.ms)
            {
                found.add(at(&here, "every"), format!("every is {every}"), "write 1m to 24h");
            }
        }
    }

    fn look_at_backups(&self, found: &mut Found) {
        let path = at(&[], "history");
        let history = found.span(path.clone(), "history", self.history.as_deref().unwrap_or("26h"));
        if history.is_some_and(|h| !(0..=HISTORY_DAYS * 86_400_000).contains(&h.ms)) {
            found.add(path.clone(), "history is too long", format!("write at most {HISTORY_DAYS}d"));
        }
        let Some(backup) = &self.backup else { return };
        let here = at(&[], "backup");
        let location = &backup.location;
        let unc = location
            .strip_prefix("\\\\")
            .is_some_and(|l| l.split('\\').filter(|p| !p.is_empty()).count() > 1);
        if !unc && location.get(1..3) != Some(":\\") {
            let help =
                "write a share with a folder or a drive with one, as '\\\\HOST\\share' or 'D:\\Backup'";
            found.add(at(&here, "location"), format!("`{location}` is no folder"), help);
        }
        let every = found.span(at(&here, "log_every"), "log_every", &backup.log_every);
        let next = found.span(at(&here, "next_log_in"), "next_log_in", &backup.next_log_in);
        let whole = |s: Span| (60_000..=86_400_000).contains(&s.ms) && s.ms % 60_000 == 0;
        if every.is_some_and(|s| !whole(s)) {
            found.add(
                at(&here, "log_every"),
                format!("log_every is {}", backup.log_every),
                "write whole minutes, 1m to 24h",
            );
        }
        if let (Some(every), Some(next)) = (every, next)
            && !(0..=every.ms).contains(&next.ms)
        {
            let message = format!("next_log_in is {}, log_every {}", backup.next_log_in, backup.log_every);
            found.add(at(&here, "next_log_in"), message, "the next log set comes within log_every");
        }
        if !["h", "d", "w", "m", "y"].contains(&backup.full.as_str()) {
            let help = "write h, d, w, m or y: hourly, daily, weekly, monthly, yearly";
            found.add(at(&here, "full"), format!("full is `{}`", backup.full), help);
        }
        let letters = backup.mark.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !(1..=8).contains(&backup.mark.len()) || !letters {
            let help = "1 to 8 letters, digits or `_`";
            found.add(at(&here, "mark"), format!("`{}` is no name for a mark", backup.mark), help);
        }
        if let (Some(history), Some(every)) = (history, every.filter(|e| e.ms > 0)) {
            let backups = history.ms / every.ms * self.covered().count() as i64;
            if backups > BACKUPS {
                let help = "shorten history, or back logs up less often";
                found.add(
                    path,
                    format!("history would hold {backups} log backups, more than {BACKUPS}"),
                    help,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
