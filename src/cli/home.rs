//! The interactive front ends: full screen, or plain lines where there is no screen.

use std::io::IsTerminal;

use crate::desk::{self, How, Pick, Setup, Start, Started};
use crate::record::store::Store;
use crate::runbook::Mode;
use crate::sandbox as simulated;

use super::exit::{Exit, Failure};
use super::open::{self, Open};
use super::{Common, GlyphChoice, rehearse, resume, run, talk};

/// `drbook` without a command.
pub(crate) fn home(common: &Common) -> Result<Exit, Failure> {
    if common.no_input {
        return Err(Failure::usage("--no-input needs a command: rehearse, run or resume"));
    }
    interactive(common, None)
}

/// Runs a front end, on a drill that is open or from the home screen.
pub(crate) fn interactive(
    common: &Common,
    started: Option<(Open, Option<simulated::Running>)>,
) -> Result<Exit, Failure> {
    let look = look(common)?;
    let plain = common.plain || !full_screen_fits();
    let (shared, news) = std::sync::mpsc::channel();
    // Servers of rehearsals live as long as the front end.
    let mut sandboxes = Vec::new();
    let started = started.map(|(open, sandbox)| {
        sandboxes.extend(sandbox);
        hand_over(open, &shared)
    });
    let home = offers(common)?;
    let again = common.clone();
    let opener: desk::Opener = Box::new(move |pick: &Pick| {
        // Whoever picks has left what was open before: its servers may be the ones that are picked.
        sandboxes.clear();
        let (open, sandbox) = pick_up(&again, pick).map_err(|f| f.words)?;
        sandboxes.extend(sandbox);
        Ok(hand_over(open, &shared))
    });
    let setup = Setup { started, open: opener, home, look, news };
    let end = if plain {
        let input = std::io::BufReader::new(std::io::stdin());
        crate::plain::run(setup, input, std::io::stdout())
    } else {
        crate::tui::run(setup)
    };
    let end = end.map_err(|trouble| {
        Failure::unexpected(format!(
            "{trouble}\n  next: what was shown as recorded is safe; go on with `drbook resume`"
        ))
    })?;
    let Some(started) = &end.started else {
        return Ok(Exit::Passed);
    };
    let session = started.door.session();
    talk::say(&format!("record {}", started.door.folder().display()));
    talk::say(&format!("head   {}", started.door.head()));
    if session.closed.is_none() {
        talk::say("the drill stays open; go on with `drbook resume`");
    }
    Ok(match end.how {
        How::Signal(_) => Exit::Interrupted,
        How::Left | How::Gone => Exit::of(session),
    })
}

/// A drill in the form front ends take; its news joins theirs.
fn hand_over(open: Open, shared: &std::sync::mpsc::Sender<crate::drive::News>) -> Started {
    let Open { drive, news, catalogue } = open;
    let shared = shared.clone();
    std::thread::spawn(move || {
        for item in news {
            if shared.send(item).is_err() {
                break;
            }
        }
    });
    Started { door: Box::new(drive), catalogue }
}

fn full_screen_fits() -> bool {
    let dumb = std::env::var("TERM").is_ok_and(|t| t == "dumb");
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal() && !dumb
}

fn look(common: &Common) -> Result<desk::Look, Failure> {
    let language = common.language()?;
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    let locale = [var("LC_ALL"), var("LC_CTYPE"), var("LANG")].into_iter().find(|v| !v.is_empty());
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    let utf8 = cfg!(windows) || locale.contains("utf-8") || locale.contains("utf8");
    // Frame characters are of ambiguous width where CJK text is set.
    let wide = locale.starts_with("zh") || locale.starts_with("ja") || locale.starts_with("ko");
    let glyphs = match common.glyphs {
        Some(GlyphChoice::Ascii) => desk::Glyphs::Ascii,
        Some(GlyphChoice::Unicode) => desk::Glyphs::Unicode,
        None if utf8 => desk::Glyphs::Unicode,
        None => desk::Glyphs::Ascii,
    };
    let frames = if wide && common.glyphs.is_none() { desk::Glyphs::Ascii } else { glyphs };
    Ok(desk::Look {
        language,
        glyphs,
        frames,
        colour: std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        local_offset_minutes: crate::clock::local_offset_minutes(),
    })
}

/// What the home screen offers.
fn offers(common: &Common) -> Result<desk::Home, Failure> {
    let places = common.places()?;
    let library = open::library(&places);
    let mut home = desk::Home::default();
    for entry in Store::at(&places.records).list()?.into_iter().take(OFFERED) {
        // The list is cheap and unverified; what is shown of a drill's progress is its fold.
        let Some(session) = fold(&entry.folder) else { continue };
        let title = session.book.title.get(common.language()?).to_owned();
        let (estate, mode) = (entry.estate.unwrap_or_default(), entry.mode.unwrap_or(Mode::Rehearsal));
        if let Some((closed, ..)) = session.closed {
            home.recent.push(desk::Recent {
                record: entry.id,
                title,
                estate,
                mode,
                closed,
                verdict: session.verdict(),
                folder: entry.folder.display().to_string(),
            });
        } else {
            let all = session.steps.len();
            home.open.push(desk::OpenDrill {
                record: entry.id,
                title,
                estate,
                mode,
                opened: entry.started.unwrap_or_default(),
                steps: (all - session.open_steps().len(), all),
            });
        }
    }
    for runbook in library.runbooks() {
        let (Some(book), _) = crate::runbook::parse::parse(&runbook.text) else { continue };
        let (name, title) = (runbook.name.clone(), book.title.get(common.language()?).to_owned());
        for world in library.worlds() {
            home.starts.push(Start {
                runbook: name.clone(),
                title: title.clone(),
                estate: world.name.clone(),
                environment: "sandbox".to_owned(),
                modes: vec![Mode::Rehearsal],
            });
        }
        for file in estate_files(&places) {
            if let Ok(text) = std::fs::read_to_string(&file)
                && let (Some(estate), _) = crate::estate::parse::parse(&text)
            {
                home.starts.push(Start {
                    runbook: name.clone(),
                    title: title.clone(),
                    estate: file.display().to_string(),
                    environment: estate.environment,
                    modes: vec![Mode::Drill, Mode::Incident],
                });
            }
        }
    }
    Ok(home)
}

/// Records looked at for the home screen.
const OFFERED: usize = 20;

/// A record's state; `None` when it cannot be read (`records list` says why).
fn fold(folder: &std::path::Path) -> Option<crate::engine::Session> {
    let loaded = crate::record::Record::read(folder).ok()?;
    let (book, _) = open::embedded_book(&loaded.embedded).ok()?;
    let mut session = crate::engine::Session::new(std::sync::Arc::new(book));
    loaded.events.iter().for_each(|e| session.apply(e));
    Some(session)
}

/// Estate files a person would expect to be offered: `estate.yaml` here, and those of the library.
fn estate_files(places: &crate::config::Places) -> Vec<std::path::PathBuf> {
    let mut files = vec![std::path::PathBuf::from("estate.yaml")];
    if let Ok(entries) = std::fs::read_dir(places.library.join("estates")) {
        files.extend(entries.filter_map(Result::ok).map(|e| e.path()).take(crate::limits::SERVERS));
    }
    files.sort();
    files.retain(|f| f.is_file());
    files
}

/// Starts or resumes what was picked.
fn pick_up(common: &Common, pick: &Pick) -> Result<(Open, Option<simulated::Running>), Failure> {
    match pick {
        Pick::Resume { record } => {
            let args = resume::Resume {
                record: Some(record.clone()),
                estate: None,
                answers: None,
                take_over: false,
            };
            let (open, sandbox, _) = resume::reopen(common, &args)?;
            Ok((open, sandbox))
        }
        Pick::Begin { runbook, estate, mode: Mode::Rehearsal } => {
            let args = rehearse::Rehearse {
                world: estate.clone(),
                runbook: runbook.clone(),
                faults: Vec::new(),
                speed: None,
                answers: None,
                seed: None,
            };
            let rehearsal = rehearse::start(common, &args)?;
            Ok((rehearsal.open, Some(rehearsal.sandbox)))
        }
        Pick::Begin { runbook, estate, mode } => {
            let open = run::open(common, runbook, estate.as_ref(), *mode, None)?;
            Ok((open, None))
        }
    }
}
