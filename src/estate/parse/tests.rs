use super::*;

const GOOD: &str = "estate: contoso-biztalk
environment: production
servers:
  PRODSQL1: { host: prodsql1.contoso.local, port: 1433, login: { windows: true }, expect_name: PRODSQL1 }
  DRSQL1:
    host: drsql1.contoso.local
    instance: BTS
    login: { user: drbook_ro, password: { env: DRBOOK_DRSQL1 } }
    operator_login: { user: drbook_op, password: { command: [pass, show, dr] } }
    environment: dr
    tls: { ca: ca.pem }
    expect_name: 'DRSQL1\\BTS'
hosts: { BTS1: { host: bts1.contoso.local, environment: dr } }
roles: { management: PRODSQL1, source: [PRODSQL1], destination: [DRSQL1], biztalk: [BTS1] }
databases: { management: BizTalkMgmtDb, expect: from-management }
names: { strategy: alias, new: { PRODSQL1: 'DRSQL1\\BTS' } }
thresholds: { log_age: 30m, clock_skew: 60s, share: 0.5 }
";

fn found(text: &str) -> Vec<(&'static str, usize)> {
    parse(text).1.iter().map(|d| (d.code, d.place.map_or(0, |p| p.line))).collect()
}

#[test]
fn an_estate_reads_whole() {
    let (estate, problems) = parse(GOOD);
    assert_eq!(problems, []);
    let estate = estate.unwrap();
    assert_eq!(estate.servers["DRSQL1"].tls, Tls::Ca("ca.pem".into()));
    assert_eq!(estate.servers["DRSQL1"].environment, "dr");
    assert_eq!(estate.servers["PRODSQL1"].environment, "production");
    assert_eq!(estate.servers["PRODSQL1"].login, Login::Windows);
    assert_eq!(estate.roles["management"], ["PRODSQL1"]);
    assert!((estate.thresholds["log_age"] - 1800.0).abs() < f64::EPSILON);
    assert_eq!(estate.scope, None);
    let inputs = estate.inputs();
    assert_eq!((inputs.servers["DRSQL1"].tls.as_str(), inputs.servers["DRSQL1"].port), ("own-ca", 1433));
    assert_eq!(inputs.servers["DRSQL1"].instance.as_deref(), Some("BTS"));
    let json = serde_json::to_string(&inputs).unwrap();
    assert!(!json.contains("drbook_ro") && !json.contains("DRBOOK_DRSQL1"), "{json}");
}

#[test]
fn each_fault_of_an_estate_has_its_code_and_line() {
    for (from, to, code, line) in [
        ("port: 1433", "prot: 1433", "unknown-key", 4),
        ("port: 1433", "port: 0", "bad-port", 4),
        ("port: 1433", "port: 99999", "wrong-form", 4),
        ("environment: dr\n", "environment: staging\n", "unknown-word", 10),
        ("{ env: DRBOOK_DRSQL1 }", "{ plain: secret }", "plain-password", 8),
        ("{ env: DRBOOK_DRSQL1 }", "{ env: A, prompt: true }", "bad-password", 8),
        ("{ env: DRBOOK_DRSQL1 }", "{ command: [] }", "bad-password", 8),
        ("{ windows: true }", "{ windows: true, user: sa }", "bad-login", 4),
        ("{ windows: true }", "{}", "bad-login", 4),
        ("{ ca: ca.pem }", "{ verify: false }", "tls-not-verified", 11),
        ("{ ca: ca.pem }", "{}", "bad-tls", 11),
        ("destination: [DRSQL1]", "destination: [DRSQL2]", "unknown-server", 14),
        ("destination: [DRSQL1]", "destination: []", "empty-role", 14),
        ("destination: [DRSQL1]", "destination: [DRSQL1, BTS1]", "mixed-role", 14),
        ("from-management", "from-menagement", "unknown-word", 15),
        ("from-management", "[a, A]", "duplicate-name", 15),
        ("from-management", "[]", "no-databases", 15),
        ("alias", "aliases", "unknown-word", 16),
        ("30m", "-1", "wrong-form", 17),
        ("30m", "soon", "wrong-form", 17),
        ("BTS1: { host", "DRSQL1: { host", "duplicate-name", 13),
        ("estate: contoso-biztalk\n", "", "missing-key", 1),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let all = found(&GOOD.replacen(from, to, 1));
        assert!(all.contains(&(code, line)), "{from} -> {to}: {all:?}");
    }
}

#[test]
fn only_a_warning_leaves_the_estate_usable() {
    assert!(parse(&GOOD.replace("{ ca: ca.pem }", "{ verify: false }")).0.is_some());
    assert!(parse(&GOOD.replace("port: 1433", "prot: 1433")).0.is_none());
}

#[test]
fn a_plain_password_is_for_the_sandbox_alone() {
    let text = "estate: s\nenvironment: sandbox\nservers:\n  A: { host: h, login: { user: u, password: { plain: p } } }\n";
    assert_eq!(found(text), []);
    assert_eq!(found(&text.replace("host: h,", "host: h, environment: test,")), [("plain-password", 4)]);
}

#[test]
fn all_problems_come_at_once() {
    let text = GOOD.replace("port: 1433", "prot: 1").replace("alias", "aliases").replace("30m", "soon");
    assert_eq!(found(&text), [("unknown-key", 4), ("unknown-word", 16), ("wrong-form", 17)]);
}
