//! Logging in: the settings, and what it means when it does not work.

use tiberius::error::{Error, IoErrorKind, TokenError};
use tiberius::{AuthMethod, Config, EncryptionLevel};

use crate::reading::{Trouble, TroubleCode};
use crate::server::Target;
use crate::server::socket::{Meter, deadline, seconds};
use crate::server::trouble::code_of;

/// Our settings: always encrypted, always into the login's own database, no deadlines but ours.
pub(super) fn config(target: &Target, port: u16, authentication: AuthMethod) -> Result<Config, Trouble> {
    let mut config = Config::new();
    config.host(&target.host);
    config.port(port);
    config.application_name("drbook");
    config.authentication(authentication);
    config.encryption(EncryptionLevel::Required);
    config.lossy_utf16_decoding(true);
    // our own deadlines; an action has none
    config.handshake_timeout(None);
    config.command_timeout(None);
    if target.trust {
        config.trust_cert();
    } else if let Some(file) = &target.ca_file {
        // read here, so that a missing file is named as such
        let bytes = std::fs::read(file).map_err(|e| {
            Trouble::new(
                TroubleCode::Tls,
                format!("{}: its CA file {} cannot be read: {e}", target.name, file.display()),
            )
        })?;
        config.trust_cert_ca_bundle(bytes);
    }
    Ok(config)
}

/// An error as the server said it.
pub(super) fn server_trouble(said: &TokenError) -> Trouble {
    let number = i64::from(said.code());
    Trouble {
        code: code_of(number),
        message: said.message().to_owned(),
        number: Some(number),
        state: Some(said.state()),
        line: Some(said.line()).filter(|line| *line > 0),
        took_ms: 0,
    }
}

/// Why the server did not let us in.
pub(super) fn trouble(error: Error, target: &Target, endpoint: &str, meter: &Meter) -> Trouble {
    let encryption = target.encryption();
    let tls = |why: String| {
        Trouble::new(
            TroubleCode::Tls,
            format!("agreeing on encryption with {endpoint} ({encryption}): {why}"),
        )
    };
    match error {
        // a login is refused as a whole, whatever the number
        Error::Server(said) => {
            let mut trouble = server_trouble(&said);
            if trouble.code == TroubleCode::Server {
                trouble.code = TroubleCode::Login;
            }
            trouble
        }
        Error::Tls(why) => tls(first_sentence(&why)),
        Error::Protocol(why) if why.contains("encryption level") => {
            tls("the server does not offer encryption; drbook does not log in without it".into())
        }
        Error::Io { kind: IoErrorKind::InvalidData | IoErrorKind::InvalidInput, message } => tls(message),
        Error::Routing { host, port } => Trouble::new(
            TroubleCode::WrongServer,
            format!("{endpoint} sends its clients on to {host}:{port}; write that one into the estate"),
        ),
        Error::Io { message, .. } if meter.heard() == 0 => Trouble::new(
            TroubleCode::Lost,
            format!(
                "{endpoint} accepted the connection and broke it off without a word: {message}; is it SQL Server?"
            ),
        ),
        Error::Io { message, .. } => Trouble::new(
            TroubleCode::Lost,
            format!(
                "{endpoint} broke the connection off during encryption and login ({encryption}): {message}"
            ),
        ),
        other => Trouble::new(
            TroubleCode::Other,
            format!(
                "{endpoint} does not answer as SQL Server does, during encryption and login ({encryption}): {other}"
            ),
        ),
    }
}

/// The deadline passed before we were in.
pub(super) fn silence(target: &Target, endpoint: &str, meter: &Meter) -> Trouble {
    let how = if meter.heard() == 0 {
        "accepted the connection and said nothing"
    } else {
        "answered, and then fell silent during encryption and login"
    };
    Trouble::new(
        TroubleCode::Timeout,
        format!("{endpoint} {how} for {} ({})", seconds(deadline()), target.encryption()),
    )
}

/// tiberius adds a paragraph of advice about its own settings to a certificate error.
fn first_sentence(text: &str) -> String {
    let end = text.find(". ").or_else(|| text.find('\n')).unwrap_or(text.len());
    text[..end].to_owned()
}
