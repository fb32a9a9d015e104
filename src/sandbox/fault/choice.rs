//! Faults as written on a command line: `name`, `name=SERVER`, `name=SERVER/DATABASE`; which of them go together; and the
//! draw of one by a seed.
//!
//! Does not know what they do.

use super::{ALL, Aim, Fault, Hold, named};
use crate::sandbox::world::{Dice, Plan};

/// A fault and where it acts.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) kind: &'static Fault,
    pub(crate) aim: Aim,
}

/// Reads faults against a world, refusing what cannot show and what excludes another.
///
/// They come back in the order in which they are put in, whatever the order they were written in.
pub(crate) fn chosen(texts: &[String], plan: &Plan) -> Result<Vec<Chosen>, String> {
    let mut all = texts.iter().map(|text| one(text, plan)).collect::<Result<Vec<_>, _>>()?;
    let place = |c: &Chosen| ALL.iter().position(|f| f.id == c.kind.id).unwrap_or(ALL.len());
    all.sort_by_key(|c| (place(c), c.aim.server, c.aim.database.clone()));
    for (n, second) in all.iter().enumerate() {
        for first in &all[..n] {
            if let Some(why) = exclusion(first, second, plan) {
                return Err(why);
            }
        }
    }
    Ok(all)
}

/// The fault that a seed draws for a world: among those that fit and go together with `others`, in the order in which
/// they are to be tried.
pub(crate) fn draw(plan: &Plan, others: &[String], seed: u64) -> Vec<&'static str> {
    let world = plan
        .world
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
    let mut dice = Dice::new(seed ^ world);
    let mut left: Vec<&'static str> = ALL
        .iter()
        .map(|f| f.id)
        .filter(|id| {
            let with: Vec<String> = others.iter().cloned().chain([(*id).to_owned()]).collect();
            chosen(&with, plan).is_ok()
        })
        .collect();
    // By name, so that a new fault moves as little as can be.
    left.sort_unstable();
    let mut drawn = Vec::with_capacity(left.len());
    while !left.is_empty() {
        drawn.push(left.remove((dice.roll() % left.len() as u64) as usize));
    }
    drawn
}

fn one(text: &str, plan: &Plan) -> Result<Chosen, String> {
    let (id, place) = match text.split_once('=') {
        Some((id, place)) => (id.trim(), Some(place.trim())),
        None => (text.trim(), None),
    };
    let Some(kind) = named(id) else {
        let near = crate::text::nearest(id, ALL.iter().map(|f| f.id))
            .map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no fault `{id}`{near}\n  next: {}", fitting(plan)));
    };
    kind.fits(plan).map_err(|why| format!("fault {id} {why}\n  next: {}", fitting(plan)))?;
    let (server, database) = match place.map(|p| p.split_once('/').map_or((p, None), |(s, d)| (s, Some(d)))) {
        Some((server, database)) => (Some(server.trim()), database.map(str::trim)),
        None => (None, None),
    };
    let can = (kind.needs.servers)(plan);
    let server = match server.filter(|s| !s.is_empty()) {
        None => *can.first().ok_or_else(|| format!("fault {id} has no server to take"))?,
        Some(name) => {
            let n = plan
                .server_index(name)
                .ok_or_else(|| format!("fault {id}: there is no server `{name}` in world {}", plan.world))?;
            if !can.contains(&n) {
                let names: Vec<&str> = can.iter().map(|n| plan.servers[*n].name.as_str()).collect();
                return Err(format!(
                    "fault {id} needs {}, which {name} is not or has not; it fits {}",
                    kind.needs.what,
                    names.join(", ")
                ));
            }
            n
        }
    };
    let database = match (kind.needs.databases, database) {
        (None, None) => None,
        (None, Some(_)) => {
            return Err(format!("fault {id} takes a server, no database: write {id}=SERVER"));
        }
        (Some(databases), wanted) => {
            let can = databases(plan, server);
            let found = match wanted {
                None => can.first(),
                Some(name) => can.iter().find(|d| d.eq_ignore_ascii_case(name)),
            };
            Some(found.cloned().ok_or_else(|| {
                let server = &plan.servers[server].name;
                let word = wanted.unwrap_or("any database");
                format!("fault {id}: {server} does not have {word} to take; it fits {}", can.join(", "))
            })?)
        }
    };
    Ok(Chosen { kind, aim: Aim { server, database } })
}

/// The faults that a world can show, in a sentence.
fn fitting(plan: &Plan) -> String {
    let mut all: Vec<&str> = ALL.iter().filter(|f| f.fits(plan).is_ok()).map(|f| f.id).collect();
    all.sort_unstable();
    format!("these fit world {}: {}", plan.world, all.join(", "))
}

/// Why two faults cannot be put in together.
fn exclusion(first: &Chosen, second: &Chosen, plan: &Plan) -> Option<String> {
    let (a, b) = (first.kind, second.kind);
    let here = |c: &Chosen| match &c.aim.database {
        Some(database) => format!("{}/{database}", plan.servers[c.aim.server].name),
        None => plan.servers[c.aim.server].name.clone(),
    };
    if a.id == b.id && first.aim == second.aim {
        return Some(format!("fault {} is there twice for {}", a.id, here(first)));
    }
    let server = first.aim.server == second.aim.server;
    for (shut, other) in [(first, second), (second, first)] {
        if server && shut.kind.hold == Hold::Door {
            return Some(format!(
                "fault {} cannot show on {}: {} keeps everybody out there\n  next: name another server, as {}=SERVER",
                other.kind.id, plan.servers[other.aim.server].name, shut.kind.id, other.kind.id
            ));
        }
    }
    let database = match (&first.aim.database, &second.aim.database) {
        (Some(x), Some(y)) => x.eq_ignore_ascii_case(y),
        _ => true,
    };
    let clash = a.hold == b.hold
        && match a.hold {
            Hold::Nothing | Hold::Door => false,
            // Files and chains are the database's, wherever they are looked at from.
            Hold::File | Hold::Chain => database,
            Hold::Progress => server && database,
            Hold::Of(_) => server,
        };
    clash.then(|| {
        format!(
            "faults {} ({}) and {} ({}) change the same thing: only one of them would show",
            a.id,
            here(first),
            b.id,
            here(second)
        )
    })
}
