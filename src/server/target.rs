//! From an estate to targets: endpoints, and logins with their secrets fetched.

use std::path::PathBuf;

use super::secret::credential;
use super::{Secret, Target};
use crate::estate::{Estate, Tls};

/// The default port of SQL Server.
const PORT: u16 = 1433;

/// Every server of an estate, ready to be connected to. `prompt` is asked for passwords that the operator types,
/// with the login's name (`drbook_op on DRSQL1`); `None` = not given.
pub fn targets(estate: &Estate, prompt: &mut dyn FnMut(&str) -> Option<Secret>) -> Vec<Target> {
    estate
        .servers
        .iter()
        .map(|(name, server)| {
            let login = credential(&server.login, name, prompt);
            let operator_login = match &server.operator_login {
                // the same login is fetched once
                Some(other) if *other != server.login => credential(other, name, prompt),
                _ => login.clone(),
            };
            let (ca_file, trust) = match &server.tls {
                Tls::Verified => (None, false),
                Tls::Ca(file) => (Some(PathBuf::from(file)), false),
                Tls::Trust => (None, true),
            };
            Target {
                name: name.clone(),
                host: server.host.clone(),
                port: server.port,
                instance: server.instance.clone(),
                login,
                operator_login,
                ca_file,
                trust,
                expect_name: server.expect_name.clone(),
            }
        })
        .collect()
}

impl Target {
    /// Whether the port has to be looked up first.
    pub(super) fn is_browsed(&self) -> bool {
        self.port.is_none() && self.instance.is_some()
    }
    /// `host:port`, or `host\instance` while the port is not known.
    pub fn endpoint(&self) -> String {
        match (&self.instance, self.port) {
            (Some(instance), None) => format!("{}\\{instance}", self.host),
            (_, port) => format!("{}:{}", self.host, port.unwrap_or(PORT)),
        }
    }
    /// The port, when it is known without asking.
    pub(super) fn known_port(&self) -> u16 {
        self.port.unwrap_or(PORT)
    }
    /// How the connection is protected, in words.
    pub fn encryption(&self) -> String {
        match (&self.ca_file, self.trust) {
            (_, true) => "encryption required, certificate NOT verified".into(),
            (Some(file), _) => format!("encryption required, certificate verified by {}", file.display()),
            (None, _) => "encryption required, certificate verified by the system's roots".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Credential;
    use super::*;
    use crate::engine::Names;
    use crate::estate::{Login, Password, Server};

    fn estate(server: Server) -> Estate {
        Estate {
            name: "e".into(),
            environment: "sandbox".into(),
            servers: BTreeMap::from([("DR1".to_owned(), server)]),
            hosts: BTreeMap::new(),
            roles: BTreeMap::new(),
            management_database: "M".into(),
            scope: None,
            names: Names::default(),
            thresholds: BTreeMap::new(),
        }
    }

    fn server(login: Login, operator_login: Option<Login>) -> Server {
        Server {
            host: "dr1.example".into(),
            port: None,
            instance: None,
            login,
            operator_login,
            tls: Tls::Ca("ca.pem".into()),
            environment: "dr".into(),
            expect_name: Some("DR1".into()),
        }
    }

    #[test]
    fn one_login_is_fetched_once_and_two_are_asked_for_by_name() {
        let login = |user: &str| Login::Sql { user: user.into(), password: Password::Prompt };
        for (operator, wanted) in [
            (None, vec!["ro on DR1"]),
            (Some(login("ro")), vec!["ro on DR1"]),
            (Some(login("op")), vec!["ro on DR1", "op on DR1"]),
        ] {
            let mut asked = Vec::new();
            let all = targets(&estate(server(login("ro"), operator)), &mut |whose| {
                asked.push(whose.to_owned());
                Some(Secret::new("x"))
            });
            assert_eq!(asked, wanted);
            assert!(matches!(&all[0].operator_login, Credential::Sql { .. }));
        }
    }

    #[test]
    fn an_endpoint_says_what_is_connected_to() {
        let mut target =
            targets(&estate(server(Login::Windows, None)), &mut |_| None).pop().expect("one server");
        assert_eq!(target.endpoint(), "dr1.example:1433");
        assert!(target.encryption().contains("ca.pem"));
        target.instance = Some("BTS".into());
        assert_eq!(target.endpoint(), "dr1.example\\BTS");
        assert!(target.is_browsed());
        target.port = Some(51433);
        assert_eq!(target.endpoint(), "dr1.example:51433");
        assert!(!target.is_browsed());
    }
}
