//! The sandbox's certificate: a small authority and the server certificate it signed.
//!
//! Does not know where it is kept; the caller caches [`Certificate::to_pem`].

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::NoServerSessionStorage;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ServerConfig, SupportedProtocolVersion};

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It could not be made.
    #[error("the sandbox's certificate could not be made: {0}")]
    Made(#[from] rcgen::Error),
    /// What was kept is not a certificate; make a new one.
    #[error(
        "this is not the sandbox's certificate ({0}); delete the file, a new one is made at the next start"
    )]
    Kept(&'static str),
    /// TLS does not take it.
    #[error("TLS does not take the sandbox's certificate: {0}")]
    Taken(#[from] rustls::Error),
}

/// Key and certificate of the simulated servers, good for `localhost` and 127.0.0.1.
#[derive(Clone)]
pub struct Certificate {
    leaf: String,
    authority: String,
    key: String,
    acceptor: TlsAcceptor,
    strict: TlsAcceptor,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

impl Certificate {
    /// Makes one: RSA 2048, valid to 2100. Takes up to a second; keep it with [`Self::to_pem`].
    ///
    /// The authority's key is thrown away once it has signed, so trusting it trusts this server alone.
    pub fn new() -> Result<Self, CertificateError> {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "drbook sandbox authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let mut leaf = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        leaf.distinguished_name.push(DnType::CommonName, "drbook sandbox");
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        for params in [&mut authority, &mut leaf] {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2100, 1, 1);
        }
        // Old clients want RSA of a server, not of who signed for it; making a key of that kind takes a while.
        let authority_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let authority_pem = authority.self_signed(&authority_key)?.pem();
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        let leaf_pem = leaf.signed_by(&key, &Issuer::new(authority, authority_key))?.pem();
        Self::from_parts(leaf_pem, authority_pem, key.serialize_pem())
    }

    /// What a client must trust: the authority's certificate, as PEM.
    pub fn pem(&self) -> &str {
        &self.authority
    }

    /// Everything, private key included, as one PEM text for [`Self::from_pem`].
    pub fn to_pem(&self) -> String {
        format!("{}{}{}", self.leaf, self.authority, self.key)
    }

    /// Reads what [`Self::to_pem`] wrote.
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        let mut sections = sections(pem);
        let mut next = |label: &str, missing| {
            let at =
                sections.iter().position(|section| section.starts_with(&format!("-----BEGIN {label}-----")));
            at.map(|at| sections.remove(at)).ok_or(CertificateError::Kept(missing))
        };
        let leaf = next("CERTIFICATE", "no certificate in it")?;
        let authority = next("CERTIFICATE", "no authority in it")?;
        let key = next("PRIVATE KEY", "no private key in it")?;
        Self::from_parts(leaf, authority, key)
    }

    fn from_parts(leaf: String, authority: String, key: String) -> Result<Self, CertificateError> {
        let certificate = |pem: &str| {
            CertificateDer::from_pem_slice(pem.as_bytes())
                .map_err(|_| CertificateError::Kept("a certificate in it is damaged"))
        };
        let chain = vec![certificate(&leaf)?, certificate(&authority)?];
        let private = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|_| CertificateError::Kept("the private key in it is damaged"))?;
        let config = |versions: &[&'static SupportedProtocolVersion]| -> Result<ServerConfig, rustls::Error> {
            let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(versions)?
                .with_no_client_auth()
                .with_single_cert(chain.clone(), private.clone_key())?;
            config.session_storage = Arc::new(NoServerSessionStorage {});
            Ok(config)
        };
        // TLS 1.3 sends session tickets after the handshake, when clients of TDS 7 no longer unwrap packets
        let acceptor = TlsAcceptor::from(Arc::new(config(&[&TLS12])?));
        let mut strict = config(&[&TLS12, &TLS13])?;
        strict.alpn_protocols = vec![b"tds/8.0".to_vec()];
        Ok(Self { leaf, authority, key, acceptor, strict: TlsAcceptor::from(Arc::new(strict)) })
    }

    /// For TDS 7, where TLS begins inside packets.
    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// For TDS 8, where everything is inside TLS.
    pub(super) fn strict(&self) -> &TlsAcceptor {
        &self.strict
    }
}

/// The PEM sections of a text, each with its BEGIN and END lines.
fn sections(pem: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in pem.lines().map(str::trim_end) {
        if line.starts_with("-----BEGIN ") {
            open = Some(String::new());
        }
        if let Some(section) = &mut open {
            section.push_str(line);
            section.push('\n');
        }
        if line.starts_with("-----END ") {
            found.extend(open.take());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::tds::tests::certificate;

    #[test]
    fn a_kept_certificate_comes_back_whole() {
        let made = certificate();
        let back = Certificate::from_pem(&made.to_pem().replace('\n', "\r\n")).unwrap();
        assert_eq!(back.pem(), made.pem());
        assert_eq!(back.to_pem(), made.to_pem());
    }

    #[test]
    fn what_clients_trust_holds_no_private_key() {
        let pem = certificate();
        assert!(pem.pem().starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(!pem.pem().contains("PRIVATE"));
        assert_eq!(format!("{pem:?}"), "Certificate { .. }", "nor does what is logged");
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let whole = certificate().to_pem();
        assert!(matches!(Certificate::from_pem(""), Err(CertificateError::Kept(_))));
        let without_key = &whole[..whole.find("-----BEGIN PRIVATE").unwrap()];
        assert!(matches!(Certificate::from_pem(without_key), Err(CertificateError::Kept(_))));
        let key_only = &whole[whole.find("-----BEGIN PRIVATE").unwrap()..];
        assert!(matches!(Certificate::from_pem(key_only), Err(CertificateError::Kept(_))));
        assert!(Certificate::from_pem(&whole.replacen("MII", "", 1)).is_err());
    }
}
