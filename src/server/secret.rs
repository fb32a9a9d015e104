//! Where a password comes from, and fetching it: environment, the operator, a program, or (sandbox) the file.
//!
//! Nothing here shows a secret: errors name the source, never what came from it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Credential, Secret};
use crate::estate::{Login, Password};
use crate::reading::{Trouble, TroubleCode};

/// How long a program may take to print a password.
const COMMAND_DEADLINE: Duration = Duration::from_secs(10);
/// The longest first line that is read (bytes).
const COMMAND_BYTES: u64 = 4096;

/// Fetches what a login needs. `whose` names the login to the operator: `drbook_ro on DRSQL1`.
pub(super) fn credential(
    login: &Login,
    server: &str,
    prompt: &mut dyn FnMut(&str) -> Option<Secret>,
) -> Credential {
    match login {
        Login::Windows => Credential::Windows,
        Login::Sql { user, password } => match fetch(password, &format!("{user} on {server}"), prompt) {
            Ok(password) => Credential::Sql { user: user.clone(), password },
            Err(why) => Credential::Missing(Trouble::new(
                TroubleCode::Secret,
                format!("no password for {user} on {server}: {why}"),
            )),
        },
    }
}

fn fetch(
    password: &Password,
    whose: &str,
    prompt: &mut dyn FnMut(&str) -> Option<Secret>,
) -> Result<Secret, String> {
    match password {
        Password::Plain(text) => Ok(Secret::new(text.clone())),
        Password::Prompt => prompt(whose).ok_or_else(|| "nobody typed it".to_owned()),
        Password::Env(name) => match std::env::var(name) {
            Ok(text) if text.is_empty() => Err(format!("environment variable {name} is empty")),
            Ok(text) => Ok(Secret::new(text)),
            Err(std::env::VarError::NotPresent) => Err(format!("environment variable {name} is not set")),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(format!("environment variable {name} is not Unicode"))
            }
        },
        Password::Command(words) => from_command(words, COMMAND_DEADLINE),
    }
}

/// First line of what a program prints; no shell. The program is ended at the deadline.
fn from_command(words: &[String], deadline: Duration) -> Result<Secret, String> {
    let (program, arguments) = words.split_first().ok_or("the command is empty")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| format!("{program} cannot be started: {e}"))?;
    let (send, receive) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = out.take(COMMAND_BYTES).read_to_end(&mut bytes);
            // nobody may be listening any more after the deadline
            let _ = send.send(read.map(|_| bytes));
        });
    }
    let since = Instant::now();
    let printed = receive.recv_timeout(deadline);
    // a program that has closed its output gets what is left of the deadline to end
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if printed.is_ok() && since.elapsed() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    let bytes = printed
        .map_err(|_| format!("{program} said nothing within {} s", deadline.as_secs()))?
        .map_err(|e| format!("{program} cannot be read: {e}"))?;
    match status {
        None => return Err(format!("{program} did not end within {} s", deadline.as_secs())),
        Some(status) if !status.success() => return Err(format!("{program} failed ({status})")),
        Some(_) => {}
    }
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let line =
        std::str::from_utf8(line).map_err(|_| format!("{program} printed something that is not UTF-8"))?;
    let line = line.trim_end_matches('\r');
    if line.is_empty() {
        return Err(format!("{program} printed an empty line"));
    }
    Ok(Secret::new(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(password: Password) -> Login {
        Login::Sql { user: "ro".into(), password }
    }

    fn missing(login: &Login) -> String {
        match credential(login, "DR1", &mut |_| None) {
            Credential::Missing(trouble) => {
                assert_eq!(trouble.code, TroubleCode::Secret);
                trouble.message
            }
            _ => panic!("there is a secret"),
        }
    }

    fn shell(script: &str) -> Vec<String> {
        if cfg!(windows) {
            vec!["cmd".into(), "/C".into(), script.into()]
        } else {
            vec!["sh".into(), "-c".into(), script.into()]
        }
    }

    #[test]
    fn the_operator_is_asked_for_the_login_by_name() {
        let mut asked = Vec::new();
        let got = credential(&sql(Password::Prompt), "DR1", &mut |whose| {
            asked.push(whose.to_owned());
            Some(Secret::new("s3cret"))
        });
        assert!(matches!(got, Credential::Sql { password, .. } if password.expose() == "s3cret"));
        assert_eq!(asked, ["ro on DR1"]);
        assert!(missing(&sql(Password::Prompt)).contains("nobody typed it"));
    }

    #[test]
    fn a_program_gives_its_first_line() {
        let script = if cfg!(windows) { "echo s3cret& echo more" } else { "printf 's3cret\\r\\nmore\\n'" };
        assert_eq!(from_command(&shell(script), Duration::from_secs(10)).unwrap().expose(), "s3cret");
    }

    #[test]
    fn a_program_that_fails_hangs_or_is_not_there_is_named_without_its_output() {
        let failed = from_command(&shell("echo s3cret && exit 3"), Duration::from_secs(10)).unwrap_err();
        assert!(failed.contains("failed") && !failed.contains("s3cret"), "{failed}");
        let gone = from_command(&["drbook-no-such-program".into()], Duration::from_secs(1)).unwrap_err();
        assert!(gone.contains("drbook-no-such-program cannot be started"), "{gone}");
        let script = if cfg!(windows) { "ping -n 30 127.0.0.1 >nul" } else { "exec sleep 30" };
        let since = Instant::now();
        let hung = from_command(&shell(script), Duration::from_millis(200)).unwrap_err();
        assert!(hung.contains("within"), "{hung}");
        assert!(since.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let said = missing(&sql(Password::Env("DRBOOK_TEST_NOT_SET_ANYWHERE".into())));
        assert!(said.contains("DRBOOK_TEST_NOT_SET_ANYWHERE is not set"), "{said}");
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("s3cret")), "***");
    }
}
