//! The statements that management tools send: each answers without an error, or is refused where the file says so.

use super::asking::{Estate, ask};

const FILES: [(&str, &str); 9] = [
    ("ssms-connect", include_str!("../../../../tests/cases/tools/ssms-connect.sql")),
    ("ssms-databases", include_str!("../../../../tests/cases/tools/ssms-databases.sql")),
    ("ssms-backup", include_str!("../../../../tests/cases/tools/ssms-backup.sql")),
    ("ssms-restore", include_str!("../../../../tests/cases/tools/ssms-restore.sql")),
    ("ssms-activity", include_str!("../../../../tests/cases/tools/ssms-activity.sql")),
    ("smo-server", include_str!("../../../../tests/cases/tools/smo-server.sql")),
    ("other-clients", include_str!("../../../../tests/cases/tools/other-clients.sql")),
    ("scripts", include_str!("../../../../tests/cases/tools/scripts.sql")),
    ("ssms-connect again", include_str!("../../../../tests/cases/tools/ssms-connect.sql")),
];

/// Batches of a file: what stands between lines that say GO.
fn batches(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.lines() {
        if line.trim().eq_ignore_ascii_case("go") {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    all.into_iter().filter(|b| !b.trim().is_empty()).collect()
}

#[test]
fn what_management_tools_send_is_answered_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path());
    let mut wrong = Vec::new();
    let mut answered = 0;
    for year in [2012, 2016, 2019, 2022, 2025] {
        for (file, text) in FILES {
            let mut session = estate.session(year, "sa");
            for batch in batches(text) {
                let refused = batch.contains("-- refused");
                let got = ask(&mut *session, &batch);
                let errors: Vec<&str> = got
                    .split("; ")
                    .filter(|part| {
                        let number = part.strip_prefix('E').map(|n| n.split(':').next().unwrap_or(n));
                        number.is_some_and(|n| n.parse::<u32>().is_ok())
                    })
                    .collect();
                let right = if refused {
                    errors.len() == 1 && errors[0].starts_with("E59999:not modelled: ")
                } else {
                    errors.is_empty()
                };
                if !right {
                    let shown: String = batch.chars().take(160).collect();
                    wrong.push(format!("{file} on {year}: {errors:?}\n{shown}"));
                }
                answered += usize::from(!refused);
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong of {answered}:\n{}", wrong.len(), wrong.join("\n\n"));
}
