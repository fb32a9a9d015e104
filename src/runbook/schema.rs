//! The JSON Schemas of runbooks and estates, for editors; derived from the raw types.
//!
//! Does not check anything itself: `parse` does.

/// The schema of runbooks (draft 2020-12), as committed in `assets/runbook.schema.json`.
pub fn runbook() -> String {
    shown(&schemars::schema_for!(super::raw::RawRunbook))
}

/// The schema of estates (draft 2020-12), as committed in `assets/estate.schema.json`.
pub fn estate() -> String {
    shown(&schemars::schema_for!(crate::estate::raw::RawEstate))
}

fn shown(schema: &schemars::Schema) -> String {
    // A schema is a JSON value; writing it cannot fail.
    let mut text = serde_json::to_string_pretty(schema.as_value()).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_schemas_are_current() {
        for (name, made) in
            [("runbook.schema.json", super::runbook()), ("estate.schema.json", super::estate())]
        {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name);
            if std::env::var_os("UPDATE").is_some() {
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(&path, &made).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
            assert!(kept == made, "assets/{name} is not current: run `UPDATE=1 cargo test --lib schema`");
        }
    }
}
