//! Logins, users, roles, server permissions and RECONFIGURE.
//!
//! Does not know which permissions and roles there are; the world does.

use super::super::ast::{HostCommand, What};
use super::super::lexer::Kind;
use super::{Parsed, Parser};
use crate::sandbox::host::Command;
use crate::sandbox::host::security::{LoginChange, Security, Verb};

const fn ready(security: Security) -> What {
    What::Command(HostCommand::Ready(Command::Security(security)))
}

impl Parser {
    /// Stands behind RECONFIGURE.
    pub(super) fn reconfigure(&mut self) -> Parsed<What> {
        if self.accept("WITH") {
            self.expect("OVERRIDE")?;
        }
        Ok(ready(Security::Reconfigure))
    }

    fn text(&mut self) -> Parsed<String> {
        let Kind::Text { .. } = self.kind() else { return Err(self.unexpected()) };
        let text = self.token().text.clone();
        self.advance();
        Ok(text)
    }

    fn sid(&mut self) -> Parsed<Vec<u8>> {
        let Kind::Binary(bytes) = self.kind().clone() else { return Err(self.unexpected()) };
        self.advance();
        Ok(bytes)
    }

    fn on_off(&mut self) -> Parsed<bool> {
        self.one_of(&["ON", "OFF"]).map(|w| w == "ON").ok_or_else(|| self.unexpected())
    }

    /// Stands behind CREATE LOGIN.
    pub(super) fn create_login(&mut self) -> Parsed<What> {
        let name = self.identifier()?;
        let (mut windows, mut password, mut sid, mut database) = (false, None, None, None);
        if self.accept("FROM") {
            if !self.accept("WINDOWS") {
                return Err(self.refused("CREATE LOGIN FROM a certificate, a key or a provider"));
            }
            windows = true;
        }
        let with = self.accept("WITH");
        if !with && !windows {
            return Err(self.unexpected());
        }
        if with {
            loop {
                let word = self.token().text.to_ascii_uppercase();
                self.advance();
                self.expect_symbol("=")?;
                match word.as_str() {
                    "PASSWORD" if !windows => {
                        if let Kind::Binary(_) = self.kind() {
                            return Err(self.refused("hashed passwords"));
                        }
                        password = Some(self.text()?);
                        if self.accept("MUST_CHANGE") {
                            return Err(self.refused("MUST_CHANGE"));
                        }
                    }
                    "SID" if !windows => sid = Some(self.sid()?),
                    "DEFAULT_DATABASE" => database = Some(self.identifier()?),
                    "DEFAULT_LANGUAGE" => {
                        let language = self.identifier()?;
                        if !matches!(language.to_ascii_lowercase().as_str(), "us_english" | "english") {
                            return Err(self.refused("DEFAULT_LANGUAGE"));
                        }
                    }
                    "CHECK_POLICY" => {
                        self.on_off()?;
                    }
                    "CHECK_EXPIRATION" => {
                        if self.on_off()? {
                            return Err(self.refused("CHECK_EXPIRATION"));
                        }
                    }
                    "CREDENTIAL" => return Err(self.refused("CREDENTIAL")),
                    _ => {
                        self.at -= 2;
                        return Err(self.unexpected());
                    }
                }
                if !self.accept_symbol(",") {
                    break;
                }
            }
        }
        if !windows && password.is_none() {
            return Err(self.unexpected());
        }
        Ok(ready(Security::CreateLogin { name, windows, password, sid, database }))
    }

    /// Stands behind ALTER LOGIN.
    pub(super) fn alter_login(&mut self) -> Parsed<What> {
        let name = self.identifier()?;
        if let Some(word) = self.one_of(&["ENABLE", "DISABLE"]) {
            let changes = vec![LoginChange::Enable(word == "ENABLE")];
            return Ok(ready(Security::AlterLogin { name, changes }));
        }
        if !self.accept("WITH") {
            return Err(self.unexpected());
        }
        let changes = self.commas(|p| {
            let word = p.token().text.to_ascii_uppercase();
            p.advance();
            p.expect_symbol("=")?;
            Ok(match word.as_str() {
                "PASSWORD" => {
                    if let Kind::Binary(_) = p.kind() {
                        return Err(p.refused("hashed passwords"));
                    }
                    let password = p.text()?;
                    if p.accept("OLD_PASSWORD") {
                        return Err(p.refused("OLD_PASSWORD"));
                    }
                    if p.accept("MUST_CHANGE") {
                        return Err(p.refused("MUST_CHANGE"));
                    }
                    p.accept("UNLOCK");
                    LoginChange::Password(password)
                }
                "DEFAULT_DATABASE" => LoginChange::Database(p.identifier()?),
                "NAME" => LoginChange::Name(p.identifier()?),
                "CHECK_POLICY" => {
                    p.on_off()?;
                    LoginChange::Nothing
                }
                "CHECK_EXPIRATION" if !p.on_off()? => LoginChange::Nothing,
                "DEFAULT_LANGUAGE" | "CHECK_EXPIRATION" | "CREDENTIAL" | "NO" => return Err(p.refused(word)),
                _ => {
                    p.at -= 2;
                    return Err(p.unexpected());
                }
            })
        })?;
        Ok(ready(Security::AlterLogin { name, changes }))
    }

    /// Stands behind CREATE USER.
    pub(super) fn create_user(&mut self) -> Parsed<What> {
        let name = self.identifier()?;
        let login = if self.one_of(&["FOR", "FROM"]).is_some() {
            if !self.accept("LOGIN") {
                return Err(self.refused("CREATE USER FOR a certificate or a key"));
            }
            Some(self.identifier()?)
        } else if self.accept("WITHOUT") {
            self.expect("LOGIN")?;
            None
        } else {
            Some(name.clone())
        };
        if self.accept("WITH") {
            self.expect("DEFAULT_SCHEMA")?;
            self.expect_symbol("=")?;
            if !self.identifier()?.eq_ignore_ascii_case("dbo") {
                return Err(self.refused("a default schema other than dbo"));
            }
        }
        Ok(ready(Security::CreateUser { name, login }))
    }

    /// Stands behind ALTER USER.
    pub(super) fn alter_user(&mut self) -> Parsed<What> {
        let name = self.identifier()?;
        self.expect("WITH")?;
        if !self.accept("LOGIN") {
            return Err(self.refused("ALTER USER of anything but its login"));
        }
        self.expect_symbol("=")?;
        let login = self.identifier()?;
        Ok(ready(Security::MapUser { name, login }))
    }

    /// Stands behind ALTER ROLE or ALTER SERVER ROLE.
    pub(super) fn alter_role(&mut self, server: bool) -> Parsed<What> {
        let role = self.identifier()?;
        let Some(word) = self.one_of(&["ADD", "DROP"]) else {
            return Err(self.refused("ALTER ROLE of anything but its members"));
        };
        self.expect("MEMBER")?;
        let member = self.identifier()?;
        Ok(ready(Security::Member { server, role, member, add: word == "ADD" }))
    }

    /// Stands behind DROP LOGIN.
    pub(super) fn drop_login(&mut self) -> Parsed<What> {
        Ok(ready(Security::DropLogin(self.identifier()?)))
    }

    /// Stands behind DROP USER.
    pub(super) fn drop_user(&mut self) -> Parsed<What> {
        let if_exists = self.if_exists()?;
        let name = self.identifier()?;
        Ok(ready(Security::DropUser { name, if_exists }))
    }

    /// Stands behind GRANT, DENY or REVOKE.
    pub(super) fn permission(&mut self, word: &str) -> Parsed<What> {
        let verb = match word {
            "GRANT" => Verb::Grant,
            "DENY" => Verb::Deny,
            _ => Verb::Revoke,
        };
        let permissions = self.commas(|p| {
            let mut words = Vec::new();
            while *p.kind() == Kind::Word && !p.peek("TO") && !p.peek("FROM") && !p.peek("ON") {
                words.push(p.token().text.to_ascii_uppercase());
                p.advance();
            }
            if words.is_empty() { Err(p.unexpected()) } else { Ok(words.join(" ")) }
        })?;
        if self.peek("ON") {
            return Err(self.refused(format!("{word} … ON")));
        }
        if self.one_of(&["TO", "FROM"]).is_none() {
            return Err(self.unexpected());
        }
        let logins = self.commas(Self::identifier)?;
        if self.peek("WITH") || self.peek("CASCADE") || self.peek("AS") {
            return Err(self.refused(format!("{word} … {}", self.token().text)));
        }
        Ok(ready(Security::Permission { verb, permissions, logins }))
    }
}
