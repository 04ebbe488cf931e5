//! Encrypted ways: who the server is, and who asks.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;

use crate::ground::Ground;
use crate::server::{Reply, Server, found};

/// An authority of our own.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// The certificate and the key of somebody, as PEM.
    fn issue(&self, name: &str, usage: ExtendedKeyUsagePurpose) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages.push(usage);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// How a server of this name speaks; it may want to know who asks, by this authority's word.
    pub(crate) fn server(&self, name: &str, asks: bool) -> rustls::ServerConfig {
        let (certificate, key) = self.issue(name, ExtendedKeyUsagePurpose::ServerAuth);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let builder = if asks {
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        builder.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
    }

    pub(crate) fn write(&self, ground: &Ground) {
        std::fs::write(ground.place.deploy().join("ca.pem"), &self.pem).unwrap();
    }
}

#[test]
fn a_private_authority_is_trusted_where_the_manifest_names_it() {
    let ground = Ground::new(&json!({}));
    let archive = ground.archive("1.0.0", 1);
    let files = vec![(archive.name.clone(), archive.bytes.clone())];
    let authority = Authority::new();
    let server = Server::encrypted(authority.server("127.0.0.1", false), move |asked| found(&files, asked));
    let address = server.address(&archive.name);
    let output = ground.install(&address).fails(5, "no trusted connection");
    assert!(output.err.contains("package.download.ca"), "{output:?}");
    assert!(!output.err.contains("trying again"), "no second try makes it trusted: {output:?}");
    ground.untouched();
    authority.write(&ground);
    ground.declare(&json!({ "download": { "ca": "ca.pem" } }));
    ground.install(&address).good();
    assert_eq!(ground.active_digest(), archive.digest());
}

#[test]
fn a_certificate_of_another_server_is_refused() {
    let ground = Ground::new(&json!({ "download": { "ca": "ca.pem" } }));
    let authority = Authority::new();
    authority.write(&ground);
    let server =
        Server::encrypted(authority.server("other.example.com", false), |_| Reply::file(b"never sent"));
    ground.install(&server.address("server-1.0.0.tar.gz")).fails(5, "no trusted connection");
    assert!(server.asked("").is_empty());
}

#[test]
fn settings_that_hold_no_certificate_are_refused() {
    let ground = Ground::new(&json!({ "download": { "ca": "ca.pem" } }));
    let address = "https://127.0.0.1:1/server-1.0.0.tar.gz";
    ground.install(address).fails(1, "ca.pem");
    std::fs::write(ground.place.deploy().join("ca.pem"), "nothing").unwrap();
    ground.install(address).fails(2, "package.download");
    ground.declare(&json!({ "download": { "certificate": "ca.pem" } }));
    ground.install(address).fails(2, "package.download");
}

#[test]
fn a_server_may_want_to_know_who_asks() {
    let ground = Ground::new(&json!({ "download": { "ca": "ca.pem", "retries": 1 } }));
    let archive = ground.archive("1.0.0", 1);
    let files = vec![(archive.name.clone(), archive.bytes.clone())];
    let authority = Authority::new();
    authority.write(&ground);
    let server = Server::encrypted(authority.server("127.0.0.1", true), move |asked| found(&files, asked));
    let address = server.address(&archive.name);
    ground.install(&address).fails(5, "no trusted connection");
    let (certificate, key) = authority.issue("host", ExtendedKeyUsagePurpose::ClientAuth);
    std::fs::write(ground.place.deploy().join("host.pem"), certificate + &key).unwrap();
    ground.declare(&json!({ "download": { "ca": "ca.pem", "certificate": "host.pem" } }));
    ground.install(&address).good();
    assert_eq!(ground.active_digest(), archive.digest());
}

#[test]
fn what_began_encrypted_stays_so() {
    let ground = Ground::new(&json!({ "download": { "ca": "ca.pem" } }));
    let archive = ground.archive("1.0.0", 1);
    let plain = Server::of(vec![(archive.name.clone(), archive.bytes.clone())]);
    let authority = Authority::new();
    authority.write(&ground);
    let to = plain.address(&archive.name);
    let server = Server::encrypted(authority.server("127.0.0.1", false), move |asked| {
        if asked.is_archive() { Reply::new(302).header("Location", &to) } else { Reply::new(404) }
    });
    // Not even where a digest would tell: whoever wrote https meant it.
    let digest = archive.digest();
    let address = server.address(&archive.name);
    let arguments = ["install", "--no-start", "--url", &address, "--sha256", &digest];
    ground.run(&arguments).fails(4, "leads from https to");
    assert!(plain.asked("").is_empty());
    ground.untouched();
}
