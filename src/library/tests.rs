use super::*;

/// `embedded.rs` as it should be for the files that are there.
fn table() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = String::from(
        "//! The files that ship inside the program. Made by `UPDATE=1 cargo test --lib library`; a test keeps it current.\n\
         //!\n//! Does not know what is in them.\n\n/// A path and its text.\ntype File = (&'static str, &'static str);\n",
    );
    for (name, folder, extension, depth) in [
        ("SQL", "assets/sql", "sql", DEPTH),
        ("RUNBOOKS", "runbooks", "yaml", 0),
        ("WORLDS", "assets/worlds", "yaml", 0),
    ] {
        let mut paths = Vec::new();
        walk(&root.join(folder), extension, depth, &mut paths, &mut Vec::new());
        let mut lines: Vec<String> = paths
            .iter()
            .map(|p| {
                let inner = p.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                format!("    (\"{inner}\", include_str!(\"../../{inner}\")),\n")
            })
            .collect();
        lines.sort();
        let head = format!("\n#[rustfmt::skip]\npub(super) const {name}: &[File] = &[\n");
        out.extend([head.as_str(), lines.concat().as_str(), "];\n"]);
    }
    out
}

#[test]
fn the_table_of_embedded_files_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/library/embedded.rs");
    let made = table();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let missing: Vec<&str> = made.lines().filter(|l| !kept.lines().any(|k| k == *l)).collect();
    let surplus: Vec<&str> = kept.lines().filter(|l| !made.lines().any(|m| m == *l)).collect();
    assert!(
        kept == made,
        "src/library/embedded.rs is not current: run `UPDATE=1 cargo test --lib library`\nmissing:\n{}\nsurplus:\n{}",
        missing.join("\n"),
        surplus.join("\n")
    );
}

#[test]
fn what_ships_has_no_problems() {
    let (library, problems) = Library::load(None);
    assert_eq!(problems, []);
    assert_eq!(library.runbooks().count() + library.answers.len(), embedded::RUNBOOKS.len());
    assert_eq!(library.worlds().count(), embedded::WORLDS.len());
    assert!(library.answers.keys().all(|name| library.runbooks.contains_key(name)));
}

const QUERY: &str = "-- name: own/one\n-- purpose: p\n-- in: any\n-- column: one int\n-- examines: server\n-- reads only\n\
                     SELECT 1 AS one;\n";

fn write(folder: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn the_users_folder_lies_over_what_ships() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "sql/own/deep/one.sql", QUERY);
    write(folder.path(), "sql/readme.txt", "not a query");
    write(folder.path(), "runbooks/mine.yaml", "runbook: mine");
    write(folder.path(), "runbooks/mine.answers.yaml", "defaults: {}");
    write(folder.path(), "worlds/small.yaml", "world: small");
    let (library, problems) = Library::load(Some(folder.path()));
    assert_eq!(problems, []);
    assert!(library.catalogue().get("own/one").is_some());
    let mine = library.runbook("mine").unwrap();
    assert_eq!((mine.text.as_ref(), mine.built_in), ("runbook: mine", false));
    assert_eq!(library.answers("mine").unwrap().text, "defaults: {}");
    assert_eq!(library.world("small").unwrap().text, "world: small");
    assert_eq!(library.runbook("mime").unwrap_err().help, "did you mean `mine`?");
    let path = folder.path().join("runbooks").join("mine.yaml");
    assert_eq!(library.runbook(&path.to_string_lossy()).unwrap().name, "mine");
    assert_eq!(library.answers(&path.to_string_lossy()).unwrap().text, "defaults: {}");
}

#[test]
fn files_that_cannot_be_used_are_reported_and_the_rest_is_there() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "sql/good.sql", QUERY);
    write(folder.path(), "sql/bad.sql", "SELECT 1");
    write(folder.path(), "sql/latin.sql", b"-- name: \xe9");
    write(folder.path(), "sql/twin.sql", QUERY);
    write(folder.path(), "runbooks/huge.yaml", "#".repeat(limits::YAML_BYTES + 1));
    let (library, problems) = Library::load(Some(folder.path()));
    assert!(library.catalogue().get("own/one").is_some());
    let codes: std::collections::BTreeSet<_> = problems
        .iter()
        .map(|(path, d)| (Path::new(path).file_name().unwrap().to_str().unwrap().to_owned(), d.code))
        .collect();
    for (file, code) in [
        ("bad.sql", "header-missing"),
        ("latin.sql", "not-utf-8"),
        ("twin.sql", "variants-overlap"),
        ("huge.yaml", "too-large"),
    ] {
        assert!(codes.contains(&(file.to_owned(), code)), "{file} {code}: {codes:?}");
    }
    assert_eq!(library.runbook("no/such.yaml").unwrap_err().code, "unreadable");
    assert_eq!(library.runbook(&format!("{}/", folder.path().display())).unwrap_err().code, "unreadable");
}
