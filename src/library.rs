//! What ships inside the program (queries, runbooks, worlds) and the user's own folder over it.
//!
//! Reads files under limits and gives texts and a catalogue; does not judge runbooks or worlds.
//! The user's folder has the same shape: `sql/**/*.sql`, `runbooks/*.yaml`, `worlds/*.yaml`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::limits;
use crate::sql::{Catalogue, header};
use crate::text::nearest;

mod embedded;

/// The largest `.sql` file that is read (bytes).
const SQL_BYTES: u64 = 256 * 1024;
/// Files read from one folder of the user's.
const FILES: usize = 1000;
/// Folders below `sql/` that are looked into.
const DEPTH: usize = 4;
/// The end of an answers file beside its runbook.
const ANSWERS: &str = ".answers.yaml";

/// A text by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, such as `biztalk-restore-to-mark`.
    pub name: String,
    /// Where it came from, for messages.
    pub path: String,
    /// Its exact text.
    pub text: Cow<'static, str>,
    /// Whether it ships with the program.
    pub built_in: bool,
}

/// Everything there is to choose from.
#[derive(Debug, Clone, Default)]
pub struct Library {
    catalogue: Catalogue,
    runbooks: BTreeMap<String, Entry>,
    answers: BTreeMap<String, Entry>,
    worlds: BTreeMap<String, Entry>,
}

/// A file of the user's: its path as shown, and its text.
struct Found {
    path: PathBuf,
    text: String,
}

impl Found {
    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

impl Library {
    /// The built-in files with those of `user_folder` over them, and every problem by path.
    /// A file with problems is left out; the rest is there.
    pub fn load(user_folder: Option<&Path>) -> (Self, Vec<(String, Diagnostic)>) {
        let mut problems = Vec::new();
        let mut library = Self::default();
        for (path, text) in embedded::RUNBOOKS {
            library.shelve(built_in(path, text));
        }
        for (path, text) in embedded::WORLDS {
            let entry = built_in(path, text);
            library.worlds.insert(entry.name.clone(), entry);
        }
        let (shipped, found) = header::catalogue(embedded::SQL.iter().copied());
        problems.extend(found);
        library.catalogue = shipped;
        if let Some(folder) = user_folder {
            library.overlay(folder, &mut problems);
        }
        (library, problems)
    }

    fn overlay(&mut self, folder: &Path, problems: &mut Vec<(String, Diagnostic)>) {
        let sql = files(&folder.join("sql"), "sql", DEPTH, SQL_BYTES, problems);
        let shown: Vec<String> = sql.iter().map(Found::shown).collect();
        let pairs = shown.iter().zip(&sql).map(|(path, f)| (path.as_str(), f.text.as_str()));
        let (own, found) = header::catalogue(pairs);
        problems.extend(found);
        for query in own.iter() {
            if let Some(old) = self.catalogue.get(&query.name) {
                let path = query.variants.first().map(|v| v.path.clone()).unwrap_or_default();
                let message = format!("`{}` takes the place of the built-in query", query.name);
                let was = old.variants.first().map(|v| v.path.clone()).unwrap_or_default();
                let help = format!("all variants of {was} are put aside; give it another name to keep both");
                problems.push((path, Diagnostic::warning("replaces-built-in", message, help)));
            }
        }
        let all = self.catalogue.iter().chain(own.iter()).map(|q| q.as_ref().clone()).collect::<Vec<_>>();
        self.catalogue = Catalogue::of(all);
        for found in files(&folder.join("runbooks"), "yaml", 0, limits::YAML_BYTES as u64, problems) {
            problems.extend(replaced(self.shelve(own_entry(found)), folder));
        }
        for found in files(&folder.join("worlds"), "yaml", 0, limits::YAML_BYTES as u64, problems) {
            let entry = own_entry(found);
            problems.extend(replaced(self.worlds.insert(entry.name.clone(), entry), folder));
        }
    }

    /// Puts a runbook or its answers where they belong; what was there before.
    fn shelve(&mut self, entry: Entry) -> Option<Entry> {
        match entry.name.strip_suffix(".answers") {
            Some(runbook) => self.answers.insert(runbook.to_owned(), entry),
            None => self.runbooks.insert(entry.name.clone(), entry),
        }
    }

    /// All queries.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }
    /// All runbooks, by name.
    pub fn runbooks(&self) -> impl Iterator<Item = &Entry> {
        self.runbooks.values()
    }
    /// All worlds, by name.
    pub fn worlds(&self) -> impl Iterator<Item = &Entry> {
        self.worlds.values()
    }
    /// A runbook by its name, or the file at that path.
    pub fn runbook(&self, name_or_path: &str) -> Result<Entry, Diagnostic> {
        choose(&self.runbooks, name_or_path, "runbook")
    }
    /// A world by its name, or the file at that path.
    pub fn world(&self, name_or_path: &str) -> Result<Entry, Diagnostic> {
        choose(&self.worlds, name_or_path, "world")
    }
    /// The answers that ship beside a runbook, or stand beside the file at that path.
    pub fn answers(&self, name_or_path: &str) -> Result<Entry, Diagnostic> {
        if let Some(stem) = is_path(name_or_path).then(|| name_or_path.strip_suffix(".yaml")).flatten() {
            let beside = format!("{stem}{ANSWERS}");
            return choose(&self.answers, &beside, "answers file");
        }
        choose(&self.answers, name_or_path, "answers file")
    }
}

/// Whether a word means a file rather than a name.
fn is_path(word: &str) -> bool {
    word.contains(['/', '\\']) || Path::new(word).extension().is_some_and(|e| e.eq_ignore_ascii_case("yaml"))
}

fn choose(shelf: &BTreeMap<String, Entry>, word: &str, noun: &str) -> Result<Entry, Diagnostic> {
    if !is_path(word) {
        return shelf.get(word).cloned().ok_or_else(|| {
            let help = match nearest(word, shelf.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if shelf.is_empty() => "there are none; give the path of a file".to_owned(),
                None => format!("there are: {}", shelf.keys().cloned().collect::<Vec<_>>().join(", ")),
            };
            Diagnostic::error("unknown-name", format!("there is no {noun} called `{word}`"), help)
        });
    }
    let path = PathBuf::from(word);
    let text = read(&path, limits::YAML_BYTES as u64)?;
    Ok(own_entry(Found { path, text }))
}

/// The warning that a file of the user's lies over a built-in one: nobody should walk it by mistake.
fn replaced(old: Option<Entry>, folder: &Path) -> Option<(String, Diagnostic)> {
    let old = old.filter(|e| e.built_in)?;
    let message = format!("your own `{}` takes the place of the built-in {}", old.name, old.path);
    let help = "give it another name to keep both";
    Some((folder.display().to_string(), Diagnostic::warning("replaces-built-in", message, help)))
}

fn built_in(path: &str, text: &'static str) -> Entry {
    Entry { name: stem(Path::new(path)), path: path.to_owned(), text: Cow::Borrowed(text), built_in: true }
}

fn own_entry(found: Found) -> Entry {
    let path = found.shown();
    Entry { name: stem(&found.path), path, text: Cow::Owned(found.text), built_in: false }
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The text of a YAML file named by a person: a file, not too large, UTF-8.
pub fn read_text(path: &Path) -> Result<String, Diagnostic> {
    read(path, limits::YAML_BYTES as u64)
}

/// The text of a file of at most `most` bytes.
fn read(path: &Path, most: u64) -> Result<String, Diagnostic> {
    use std::io::Read as _;
    let unreadable = |e: std::io::Error| {
        let help = "check the path and the right to read it";
        Diagnostic::error("unreadable", format!("{} cannot be read: {e}", path.display()), help)
    };
    // Looked at first: opening a pipe would wait for its other end.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        let message = format!("{} is not a file", path.display());
        return Err(Diagnostic::error("unreadable", message, "name a file; in a folder, one of its files"));
    }
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        let message = format!("{} is larger than {most} bytes", path.display());
        return Err(Diagnostic::error("too-large", message, "it is probably not the file that was meant"));
    }
    String::from_utf8(bytes).map_err(|e| {
        let end = e.utf8_error().valid_up_to();
        let place = crate::yaml::at(&String::from_utf8_lossy(&e.as_bytes()[..end]), end);
        let message =
            format!("{}:{}:{} is not UTF-8 text (byte {end})", path.display(), place.line, place.column);
        Diagnostic::error("not-utf-8", message, "save it as UTF-8").at(Some(place))
    })
}

/// The files with an extension in a folder and `depth` folders below, by path; a folder that is not there has none.
fn files(
    folder: &Path,
    extension: &str,
    depth: usize,
    most: u64,
    problems: &mut Vec<(String, Diagnostic)>,
) -> Vec<Found> {
    let mut all = Vec::new();
    let mut paths = Vec::new();
    walk(folder, extension, depth, &mut paths, problems);
    paths.sort();
    if paths.len() > FILES {
        let message = format!("{} files; the first {FILES} are read", paths.len());
        let help = "take those out that are not needed";
        problems.push((folder.display().to_string(), Diagnostic::error("too-many-files", message, help)));
        paths.truncate(FILES);
    }
    for path in paths {
        match read(&path, most) {
            Ok(text) => all.push(Found { path, text }),
            Err(problem) => problems.push((path.display().to_string(), problem)),
        }
    }
    all
}

fn walk(
    folder: &Path,
    extension: &str,
    depth: usize,
    paths: &mut Vec<PathBuf>,
    problems: &mut Vec<(String, Diagnostic)>,
) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
        Err(e) => {
            let message = format!("{} cannot be read: {e}", folder.display());
            let problem = Diagnostic::error("unreadable", message, "check the right to read it");
            problems.push((folder.display().to_string(), problem));
            return;
        }
    };
    for path in entries.filter_map(|e| e.ok().map(|e| e.path())) {
        if path.is_dir() {
            if depth > 0 && paths.len() <= FILES {
                walk(&path, extension, depth - 1, paths, problems);
            }
        } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)) {
            paths.push(path);
        }
    }
}

#[cfg(test)]
mod tests;
