//! Folders of the estate as programs beside the server use them: listed, copied from, cleaned.
//!
//! Does not know what is in the files.

use super::files::Files;

/// The operating system's number for why not.
fn number(error: &std::io::Error, folder: bool) -> i32 {
    match error.kind() {
        std::io::ErrorKind::NotFound if folder => 3,
        std::io::ErrorKind::NotFound => 2,
        std::io::ErrorKind::PermissionDenied => 5,
        std::io::ErrorKind::StorageFull => 112,
        _ => 1117,
    }
}

impl Files {
    /// The names of the files in a folder, sorted.
    pub(crate) fn list(&self, machine: &str, folder: &str) -> Result<Vec<String>, i32> {
        self.settle();
        let real = self.place(machine, folder)?;
        let entries = std::fs::read_dir(&real).map_err(|e| number(&e, true))?;
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|e| e.file_type().is_ok_and(|t| t.is_file()))
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Copies a file; the folder it goes to must exist.
    pub(crate) fn copy(&self, machine: &str, from: &str, to: &str) -> Result<(), i32> {
        self.settle();
        let (source, target) = (self.place(machine, from)?, self.place(machine, to)?);
        if !target.parent().is_some_and(std::path::Path::is_dir) {
            return Err(3);
        }
        // Under another name until it is whole, as the copy job does.
        let part = target.with_extension("wrk");
        std::fs::copy(&source, &part).map_err(|e| number(&e, false))?;
        std::fs::rename(&part, &target).map_err(|e| number(&e, false))
    }

    /// Deletes a file.
    pub(crate) fn delete(&self, machine: &str, path: &str) -> Result<(), i32> {
        self.settle();
        let real = self.place(machine, path)?;
        std::fs::remove_file(real).map_err(|e| number(&e, false))
    }
}
