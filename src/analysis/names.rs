//! Names of servers as people write them: `tcp:HOST.domain,1433`, `HOST\INSTANCE`, `host`.
//!
//! Compares whole names (SQL1 is inside DRSQL1 and is another server). Does not resolve anything.

/// A name cut into its parts, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerName {
    host: String,
    instance: Option<String>,
    port: Option<u16>,
}

/// Whether two names mean the same server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// They do.
    Same,
    /// They do not.
    Different,
    /// The names alone cannot tell (`(local)`, a port here and an instance there).
    Unclear,
}

impl ServerName {
    /// Cuts a name; never fails, a strange name is a host of that name.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let text =
            ["tcp:", "np:", "lpc:", "admin:"].iter().find_map(|p| text.strip_prefix(p)).unwrap_or(&text);
        let (name, port) = match text.rsplit_once(',') {
            Some((name, port)) => (name.trim(), port.trim().parse().ok()),
            None => (text, None),
        };
        let (host, instance) = match name.split_once('\\') {
            Some((host, instance)) => (host.trim(), Some(instance.trim())),
            None => (name, None),
        };
        let instance = instance.filter(|i| !i.is_empty() && *i != "mssqlserver").map(str::to_owned);
        Self { host: host.trim_end_matches('.').to_owned(), instance, port: port.filter(|p| *p != 1433) }
    }

    fn is_relative(&self) -> bool {
        matches!(self.host.as_str(), "" | "." | "(local)" | "localhost" | "127.0.0.1" | "::1")
    }

    /// Compares with another name.
    pub(crate) fn like(&self, other: &Self) -> Likeness {
        if self.is_relative() || other.is_relative() {
            return Likeness::Unclear;
        }
        if !hosts_agree(&self.host, &other.host) {
            return Likeness::Different;
        }
        match (&self.instance, &other.instance, self.port, other.port) {
            (Some(a), Some(b), ..) => {
                if a == b {
                    Likeness::Same
                } else {
                    Likeness::Different
                }
            }
            (None, None, a, b) if a == b => Likeness::Same,
            (None, None, Some(_), Some(_)) => Likeness::Different,
            // One has a port, or one has an instance and the other may be that instance's port.
            (None, None, ..) | (Some(_), None, _, Some(_)) | (None, Some(_), Some(_), _) => Likeness::Unclear,
            (Some(_), None, ..) | (None, Some(_), ..) => Likeness::Different,
        }
    }
}

/// The same host: equal, or one is the other's first label (`sql1` and `sql1.contoso.local`).
fn hosts_agree(a: &str, b: &str) -> bool {
    a == b
        || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('.') && !b.contains('.'))
        || b.strip_prefix(a).is_some_and(|rest| rest.starts_with('.') && !a.contains('.'))
}

/// The likeness of a name to any of several: Same beats Unclear beats Different.
pub(crate) fn like_any<'a>(name: &str, others: impl IntoIterator<Item = &'a str>) -> Likeness {
    let name = ServerName::of(name);
    others.into_iter().fold(Likeness::Different, |so_far, other| {
        match (so_far, name.like(&ServerName::of(other))) {
            (Likeness::Same, _) | (_, Likeness::Same) => Likeness::Same,
            (Likeness::Unclear, _) | (_, Likeness::Unclear) => Likeness::Unclear,
            _ => Likeness::Different,
        }
    })
}

/// Whether a text names a host as a whole word: `SQL1` is not in `DRSQL1`, `SQL1-OLD` or `SQL1_x`.
pub(crate) fn mentions(text: &str, name: &str) -> bool {
    let (text, host) = (text.to_lowercase(), ServerName::of(name).host);
    let host = if host.parse::<std::net::Ipv4Addr>().is_ok() {
        host.as_str()
    } else {
        host.split('.').next().unwrap_or_default()
    };
    if host.is_empty() {
        return false;
    }
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '#');
    text.match_indices(host)
        .any(|(at, found)| !text[..at].ends_with(part) && !text[at + found.len()..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::Likeness::{Different, Same, Unclear};
    use super::*;

    #[test]
    fn names_are_compared_as_wholes() {
        for (a, b, expected) in [
            ("PRODSQL1", "prodsql1", Same),
            ("SQL1", "DRSQL1", Different),
            ("SQL1", "SQL10", Different),
            ("SQL1", "sql1.contoso.local", Same),
            ("sql1.contoso.local", "sql1.fabrikam.local", Different),
            ("tcp:SQL1,1433", "SQL1", Same),
            ("SQL1,1433", "SQL1\\MSSQLSERVER", Same),
            ("SQL1\\BTS", "sql1.contoso.local\\bts", Same),
            ("SQL1\\BTS", "SQL1\\DR", Different),
            ("SQL1\\BTS", "SQL1", Different),
            ("SQL1,50123", "SQL1\\BTS", Unclear),
            ("SQL1,50123", "SQL1", Unclear),
            ("SQL1,50123", "SQL1,50124", Different),
            ("(local)", "SQL1", Unclear),
            (".", "SQL1", Unclear),
        ] {
            assert_eq!(ServerName::of(a).like(&ServerName::of(b)), expected, "{a} {b}");
            assert_eq!(ServerName::of(b).like(&ServerName::of(a)), expected, "{b} {a}");
        }
    }

    #[test]
    fn a_mention_is_a_whole_word() {
        for (text, name, expected) in [
            ("exec p N'PRODSQL1', N'x'", "PRODSQL1", true),
            ("exec [PRODSQL1].db.dbo.p", "PRODSQL1", true),
            ("\\\\prodsql1.contoso.local\\bts", "PRODSQL1", true),
            ("exec p N'DRSQL1'", "SQL1", false),
            ("exec p N'SQL10'", "SQL1", false),
            ("SQL1_BizTalkMgmtDb_Full.bak", "SQL1", false),
            ("exec p 'SQL1\\BTS'", "SQL1\\BTS", true),
            ("exec p 'SQL1'", "sql1.contoso.local", true),
            ("exec p '10.0.0.12'", "10.0.0.1", false),
        ] {
            assert_eq!(mentions(text, name), expected, "{text} {name}");
        }
    }
}
