//! PRELOGIN (MS-TDS 2.2.6.5): options in, answer out, and what encryption follows.
//!
//! Does not know how TLS is spoken.

use super::bytes::{Fault, Reader};

const VERSION: u8 = 0x00;
const ENCRYPTION: u8 = 0x01;
const INSTANCE: u8 = 0x02;
const THREAD: u8 = 0x03;
const MARS: u8 = 0x04;
const FEDERATED: u8 = 0x06;
const END: u8 = 0xFF;

const OFF: u8 = 0x00;
const ON: u8 = 0x01;
const NOT_SUPPORTED: u8 = 0x02;

/// What a client asks for before it logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prelogin {
    encryption: u8,
    /// FEDAUTHREQUIRED, when the client sent it.
    federated: Option<u8>,
}

/// How much of the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Plain,
    LoginOnly,
    Full,
}

impl Prelogin {
    pub(super) fn read(body: &[u8]) -> Result<Self, Fault> {
        // a client that says nothing of encryption cannot do it
        let mut asked = Self { encryption: NOT_SUPPORTED, federated: None };
        let mut options = Reader::new(body);
        loop {
            let option = options.u8()?;
            if option == END {
                return Ok(asked);
            }
            // big-endian, unlike nearly everything else
            let at = usize::from(u16::from_be_bytes(options.array()?));
            let length = usize::from(u16::from_be_bytes(options.array()?));
            let data = body
                .get(at..)
                .and_then(|from| from.get(..length))
                .ok_or(Fault::Malformed("a prelogin option lies outside the message"))?;
            match (option, data.first()) {
                (ENCRYPTION, Some(&byte)) => asked.encryption = byte,
                (FEDERATED, Some(&byte)) => asked.federated = Some(byte),
                _ => {}
            }
        }
    }

    /// The channel between this client and a server that has a certificate and forces nothing.
    pub(super) fn channel(self) -> Channel {
        // 0x80 only says that the client has a certificate of its own
        match self.encryption & 0x7F {
            NOT_SUPPORTED => Channel::Plain,
            OFF => Channel::LoginOnly,
            _ => Channel::Full,
        }
    }

    /// The answer; msodbcsql18 hangs up when FEDAUTHREQUIRED is answered unasked.
    pub(super) fn answer(self, (major, minor, build): (u8, u8, u16)) -> Vec<u8> {
        let [high, low] = build.to_be_bytes();
        let encryption = match self.channel() {
            Channel::Plain => NOT_SUPPORTED,
            Channel::LoginOnly => OFF,
            Channel::Full => ON,
        };
        let mut options: Vec<(u8, Vec<u8>)> = vec![
            (VERSION, vec![major, minor, high, low, 0, 0]),
            (ENCRYPTION, vec![encryption]),
            (INSTANCE, vec![0]),
            (THREAD, vec![]),
            (MARS, vec![0]),
        ];
        options.extend(self.federated.map(|byte| (FEDERATED, vec![byte])));
        let mut at = options.len() * 5 + 1;
        let mut out = Vec::new();
        for (option, data) in &options {
            out.push(*option);
            out.extend_from_slice(&(at as u16).to_be_bytes());
            out.extend_from_slice(&(data.len() as u16).to_be_bytes());
            at += data.len();
        }
        out.push(END);
        out.extend(options.into_iter().flat_map(|(_, data)| data));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// VERSION, ENCRYPTION and, if given, FEDAUTHREQUIRED.
    fn request(encryption: u8, federated: Option<u8>) -> Vec<u8> {
        let data = if federated.is_some() { 16 } else { 11 };
        let mut body = vec![0, 0, data, 0, 6, 1, 0, data + 6, 0, 1];
        if federated.is_some() {
            body.extend([6, 0, data + 7, 0, 1]);
        }
        body.extend([0xFF, 9, 0, 0, 0, 0, 0, encryption]);
        body.extend(federated);
        body
    }

    #[test]
    fn each_client_setting_gets_its_channel() {
        let channel = |byte| Prelogin::read(&request(byte, None)).unwrap().channel();
        assert_eq!(channel(0x02), Channel::Plain);
        assert_eq!(channel(0x00), Channel::LoginOnly);
        assert_eq!(channel(0x01), Channel::Full);
        assert_eq!(channel(0x03), Channel::Full);
        assert_eq!(channel(0x81), Channel::Full, "with a client certificate");
    }

    #[test]
    fn the_answer_says_version_encryption_instance_thread_mars() {
        let asked = Prelogin::read(&request(0x03, None)).unwrap();
        #[rustfmt::skip]
        assert_eq!(asked.answer((16, 0, 4165)), [
            0, 0, 26, 0, 6,  1, 0, 32, 0, 1,  2, 0, 33, 0, 1,  3, 0, 34, 0, 0,  4, 0, 34, 0, 1,  0xFF,
            16, 0, 0x10, 0x45, 0, 0,  1,  0,  0,
        ]);
    }

    #[test]
    fn federated_login_is_answered_only_when_asked() {
        let answer = |federated| {
            let asked = Prelogin::read(&request(0x02, federated)).unwrap();
            asked.answer((16, 0, 1000))
        };
        assert!(!answer(None).chunks(5).take(5).any(|option| option[0] == 6));
        let answered = answer(Some(1));
        assert_eq!(answered[25..31], [6, 0, 40, 0, 1, 0xFF]);
        assert_eq!(answered.last(), Some(&1));
    }

    #[test]
    fn an_option_outside_the_message_is_refused() {
        assert!(Prelogin::read(&[1, 0, 200, 0, 1, 0xFF, 0]).is_err());
        assert!(Prelogin::read(&[1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).is_err());
        assert!(Prelogin::read(&[]).is_err(), "no terminator");
    }
}
