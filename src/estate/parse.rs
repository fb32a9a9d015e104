//! Turns the text of an estate into a checked one, or says everything that is wrong with it.
//!
//! Opens no connection and reads no secret; whether the servers exist is `doctor`'s business.

use std::collections::{BTreeMap, HashSet};

use super::raw::{Environment, Expected, RawEstate, RawLogin, RawPassword, RawServer, RawTls};
use super::{Estate, Login, Password, Server, Tls};
use crate::diagnostic::{Diagnostic, Severity, of_form};
use crate::engine::{HostInput, Inputs, Names, ServerInput};
use crate::limits;
use crate::text::nearest;
use crate::yaml::{self, Segment};

/// The estate when it has no error (warnings may be there), and every problem (at most [`limits::PROBLEMS`]).
pub fn parse(text: &str) -> (Option<Estate>, Vec<Diagnostic>) {
    let value = match yaml::value(text) {
        Ok(value) => value,
        Err(fault) => {
            let problem = Diagnostic::error("not-yaml", fault.message, "an estate is one YAML document");
            return (None, vec![problem.at(fault.place)]);
        }
    };
    let gathered =
        yaml::gather::<RawEstate>(&value, &[("estate", "unnamed".into()), ("environment", "test".into())]);
    let mut reader = Reader {
        text,
        problems: gathered.problems.iter().map(|p| of_form(text, p)).collect(),
        aside: gathered.aside,
        names: ["servers", "hosts"]
            .into_iter()
            .flat_map(|part| {
                let map = value.get(part).and_then(yaml::Value::as_mapping);
                map.into_iter().flat_map(|m| m.keys()).filter_map(|k| k.as_str().map(str::to_owned))
            })
            .collect(),
    };
    let estate = gathered.value.map(|raw| reader.estate(&raw));
    let mut problems = reader.problems;
    problems.sort_by_key(|d| d.place.map_or(0, |p| p.byte));
    problems.truncate(limits::PROBLEMS);
    let refused = problems.iter().any(|d| d.severity == Severity::Error);
    (estate.filter(|_| !refused), problems)
}

type Path = Vec<Segment>;

fn at(path: &[Segment], next: impl Into<Segment>) -> Path {
    path.iter().cloned().chain([next.into()]).collect()
}

struct Reader<'a> {
    text: &'a str,
    problems: Vec<Diagnostic>,
    aside: HashSet<Path>,
    /// Every server and computer, also those that could not be read whole.
    names: Vec<String>,
}

impl Reader<'_> {
    fn wrong(
        &mut self,
        path: &[Segment],
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.problems.len() < limits::PROBLEMS {
            let place = yaml::locate(self.text, path);
            self.problems.push(Diagnostic::error(code, message, help).at(place));
        }
    }

    fn is_damaged(&self, path: &[Segment]) -> bool {
        self.aside.iter().any(|a| a.starts_with(path))
    }

    fn said(&mut self, path: &[Segment], what: &str, value: &str) {
        if value.trim().is_empty() {
            self.wrong(path, "empty-text", format!("{what} is empty"), "write it, or take the line out");
        }
    }

    fn estate(&mut self, raw: &RawEstate) -> Estate {
        self.said(&at(&[], "estate"), "the estate's name", &raw.estate);
        let all = at(&[], "servers");
        if raw.servers.is_empty() && !self.is_damaged(&all) {
            self.wrong(
                &all,
                "no-servers",
                "the estate has no servers",
                "write at least one under `servers:`",
            );
        }
        if raw.servers.len() > limits::SERVERS {
            let message =
                format!("{} servers; {} is the most an estate may have", raw.servers.len(), limits::SERVERS);
            self.wrong(&all, "too-many-servers", message, "make two estates of it");
        }
        let mut servers = BTreeMap::new();
        for (name, server) in raw.servers.iter().take(limits::SERVERS) {
            servers
                .insert(name.clone(), self.server(&at(&all, name.as_str()), name, server, raw.environment));
        }
        let mut hosts = BTreeMap::new();
        for (name, host) in &raw.hosts {
            let path = at(&at(&[], "hosts"), name.as_str());
            self.said(&at(&path, "host"), "the address", &host.host);
            if raw.servers.contains_key(name) {
                let message = format!("`{name}` is both a server and a computer");
                self.wrong(&path, "duplicate-name", message, "give them different names");
            }
            let environment = host.environment.unwrap_or(raw.environment).key().to_owned();
            hosts.insert(name.clone(), HostInput { host: host.host.clone(), environment });
        }
        let databases = at(&[], "databases");
        let management = raw.databases.management.clone().unwrap_or_else(|| "BizTalkMgmtDb".to_owned());
        self.said(&at(&databases, "management"), "the management database", &management);
        Estate {
            name: raw.estate.clone(),
            environment: raw.environment.key().to_owned(),
            roles: self.roles(raw),
            servers,
            hosts,
            scope: self.scope(&at(&databases, "expect"), &raw.databases.expect),
            management_database: management,
            names: self.switched(raw),
            thresholds: raw.thresholds.iter().map(|(name, t)| (name.clone(), t.0)).collect(),
        }
    }

    fn scope(&mut self, path: &[Segment], expected: &Expected) -> Option<Vec<String>> {
        let Expected::Listed(all) = expected else { return None };
        if all.is_empty() && !self.is_damaged(path) {
            let help = "list the databases, or write `expect: from-management`";
            self.wrong(path, "no-databases", "no database is expected", help);
        }
        for (n, name) in all.iter().enumerate() {
            self.said(&at(path, n), "a database's name", name);
            if all[..n].iter().any(|other| other.eq_ignore_ascii_case(name)) {
                self.wrong(
                    &at(path, n),
                    "duplicate-name",
                    format!("`{name}` stands there twice"),
                    "say it once",
                );
            }
            if name.contains('|') {
                let help = "drbook joins names with `|`; such a database cannot be in the scope";
                self.wrong(&at(path, n), "bad-name", format!("`{name}` contains `|`"), help);
            }
        }
        Some(all.clone())
    }

    fn roles(&mut self, raw: &RawEstate) -> BTreeMap<String, Vec<String>> {
        let mut roles = BTreeMap::new();
        for (role, holders) in &raw.roles {
            let path = at(&at(&[], "roles"), role.as_str());
            if holders.items.is_empty() && !self.is_damaged(&path) {
                self.wrong(
                    &path,
                    "empty-role",
                    format!("nobody holds role `{role}`"),
                    "name a server or computer",
                );
            }
            for (n, name) in holders.items.iter().enumerate() {
                let place = if holders.listed { at(&path, n) } else { path.clone() };
                if holders.items[..n].contains(name) {
                    self.wrong(
                        &place,
                        "duplicate-name",
                        format!("`{name}` stands there twice"),
                        "say it once",
                    );
                } else if !self.names.contains(name) {
                    let help = nearest(name, self.names.iter().map(String::as_str)).map_or_else(
                        || format!("servers and computers here: `{}`", self.names.join("`, `")),
                        |near| format!("did you mean `{near}`?"),
                    );
                    let message =
                        format!("role `{role}` names `{name}`, which is neither a server nor a computer");
                    self.wrong(&place, "unknown-server", message, help);
                }
            }
            let servers = holders.items.iter().filter(|n| raw.servers.contains_key(*n)).count();
            let hosts = holders.items.iter().filter(|n| raw.hosts.contains_key(*n)).count();
            if servers > 0 && hosts > 0 {
                let message = format!("role `{role}` is held by servers and computers alike");
                self.wrong(&path, "mixed-role", message, "make two roles of it");
            }
            roles.insert(role.clone(), holders.items.clone());
        }
        roles
    }

    fn switched(&mut self, raw: &RawEstate) -> Names {
        for (old, new) in &raw.names.new {
            let path = at(&at(&at(&[], "names"), "new"), old.as_str());
            self.said(&path, "the new name", new);
        }
        Names { strategy: raw.names.strategy, new: raw.names.new.clone() }
    }

    fn server(&mut self, path: &[Segment], name: &str, raw: &RawServer, estate: Environment) -> Server {
        self.said(&at(path, "host"), "the host", &raw.host);
        if name.trim().is_empty() || name.contains([',', '|']) || name.contains(char::is_whitespace) {
            let help = "operators type it: no blanks, commas or `|`";
            self.wrong(path, "bad-name", format!("`{name}` is not a server's name"), help);
        }
        if raw.port == Some(0) {
            self.wrong(
                &at(path, "port"),
                "bad-port",
                "port 0",
                "write the port the server listens at, such as 1433",
            );
        }
        if let Some(expected) = &raw.expect_name {
            self.said(&at(path, "expect_name"), "the expected name", expected);
        }
        if let Some(instance) = &raw.instance {
            self.said(&at(path, "instance"), "the instance", instance);
        }
        let environment = raw.environment.unwrap_or(estate);
        let plain = estate == Environment::Sandbox && environment == Environment::Sandbox;
        Server {
            host: raw.host.clone(),
            port: raw.port,
            instance: raw.instance.clone(),
            login: self.login(&at(path, "login"), &raw.login, plain),
            operator_login: raw
                .operator_login
                .as_ref()
                .map(|l| self.login(&at(path, "operator_login"), l, plain)),
            tls: raw.tls.as_ref().map_or(Tls::Verified, |t| self.tls(&at(path, "tls"), name, t)),
            environment: environment.key().to_owned(),
            expect_name: raw.expect_name.clone(),
        }
    }

    fn login(&mut self, path: &[Segment], raw: &RawLogin, plain: bool) -> Login {
        match (raw.windows, &raw.user, &raw.password) {
            (true, None, None) => Login::Windows,
            (false, Some(user), Some(password)) => {
                self.said(&at(path, "user"), "the user", user);
                let password = self.password(&at(path, "password"), password, plain);
                Login::Sql { user: user.clone(), password }
            }
            _ => {
                if !self.is_damaged(path) {
                    let help = "write `{ windows: true }` or `{ user: .., password: { env: .. } }`";
                    self.wrong(path, "bad-login", "a login is Windows, or a user with a password", help);
                }
                Login::Windows
            }
        }
    }

    fn password(&mut self, path: &[Segment], raw: &RawPassword, plain: bool) -> Password {
        let given = [raw.env.is_some(), raw.prompt, raw.command.is_some(), raw.plain.is_some()];
        if given.iter().filter(|g| **g).count() != 1 {
            if !self.is_damaged(path) {
                let help = "write one of `env: NAME`, `prompt: true`, `command: [program, argument]`";
                self.wrong(path, "bad-password", "a password comes from exactly one place", help);
            }
            return Password::Prompt;
        }
        if let Some(name) = &raw.env {
            let good = !name.is_empty() && !name.contains(['=', '\0']) && !name.contains(char::is_whitespace);
            if !good {
                let message = format!("`{name}` is not a variable's name");
                self.wrong(
                    &at(path, "env"),
                    "bad-password",
                    message,
                    "write the name, such as DRBOOK_DRSQL1",
                );
            }
            return Password::Env(name.clone());
        }
        if let Some(command) = &raw.command {
            if command.first().is_none_or(|program| program.trim().is_empty()) && !self.is_damaged(path) {
                let help = "write the program and its arguments: `command: [pass, show, dr]`";
                self.wrong(&at(path, "command"), "bad-password", "no program is named", help);
            }
            return Password::Command(command.clone());
        }
        let Some(secret) = &raw.plain else { return Password::Prompt };
        if !plain {
            let help =
                "use `env`, `prompt` or `command`; a plain password is only for `environment: sandbox`";
            self.wrong(&at(path, "plain"), "plain-password", "a password stands in the file", help);
        }
        Password::Plain(secret.clone())
    }

    fn tls(&mut self, path: &[Segment], server: &str, raw: &RawTls) -> Tls {
        match (&raw.ca, raw.verify) {
            (Some(file), None | Some(true)) => {
                self.said(&at(path, "ca"), "the CA file", file);
                Tls::Ca(file.clone())
            }
            (None, Some(true)) => Tls::Verified,
            (None, Some(false)) => {
                let message = format!("the certificate of `{server}` is not verified");
                let help = "anyone on the way can read and answer in its place; better: `tls: { ca: FILE }`";
                let place = yaml::locate(self.text, path);
                self.problems.push(Diagnostic::warning("tls-not-verified", message, help).at(place));
                Tls::Trust
            }
            _ => {
                if !self.is_damaged(path) {
                    let help = "write `{ ca: FILE }` or `{ verify: false }`";
                    self.wrong(path, "bad-tls", "`tls` says neither or both", help);
                }
                Tls::Verified
            }
        }
    }
}

impl Estate {
    /// The judging inputs: the estate without logins and secrets.
    pub fn inputs(&self) -> Inputs {
        let server = |s: &Server| ServerInput {
            host: s.host.clone(),
            port: s.port.unwrap_or(1433),
            instance: s.instance.clone().filter(|_| s.port.is_none()),
            environment: s.environment.clone(),
            expect_name: s.expect_name.clone(),
            tls: match s.tls {
                Tls::Verified => "verified",
                Tls::Ca(_) => "own-ca",
                Tls::Trust => "trusted",
            }
            .to_owned(),
        };
        Inputs {
            estate: self.name.clone(),
            environment: self.environment.clone(),
            servers: self.servers.iter().map(|(name, s)| (name.clone(), server(s))).collect(),
            hosts: self.hosts.clone(),
            roles: self.roles.clone(),
            management_database: self.management_database.clone(),
            scope: self.scope.clone(),
            names: self.names.clone(),
            thresholds: self.thresholds.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
