//! The plays of a rehearsal: what an answers file says the simulated computers do, as queries and calls.
//!
//! Only ever used on drbook's own sandbox, which this process started.

use crate::engine::Item;
use crate::errand::{Play, Plays};
use crate::estate::Estate;
use crate::headless::answers::{self, Answers};
use crate::reading::Cell;
use crate::sql::{Catalogue, Parameter, Place, Query, Variant};

/// The catalogue with the calls added, and the calls by step.
pub(crate) fn plays(catalogue: &Catalogue, answers: &Answers, estate: &Estate) -> (Catalogue, Plays) {
    let mut queries: Vec<Query> = catalogue.iter().map(|q| (**q).clone()).collect();
    let mut plays = Plays::new();
    for (step, answer) in &answers.steps {
        for (n, play) in answer.play.all().iter().enumerate() {
            // Nothing but the sandbox's own procedures, whatever an answers file says.
            if !is_sandbox_procedure(&play.exec) {
                continue;
            }
            let name = format!("sandbox/{}-{step}-{n}", play.exec);
            queries.push(query(&name, play));
            let servers = estate.roles.get(&play.on).cloned().unwrap_or_else(|| vec![play.on.clone()]);
            for server in servers {
                let item = Item {
                    id: format!("{name}@{server}"),
                    name: play.exec.clone(),
                    query: name.clone(),
                    database: None,
                    with: play.with.iter().map(|(k, v)| (k.clone(), Cell::Text(v.to_string()))).collect(),
                    baseline: None,
                };
                plays.entry(step.clone()).or_default().push(Play { server, item });
            }
        }
    }
    (Catalogue::of(queries), plays)
}

fn is_sandbox_procedure(name: &str) -> bool {
    name.starts_with("sandbox_") && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn query(name: &str, play: &answers::Play) -> Query {
    let parameters: Vec<Parameter> = play
        .with
        .keys()
        .filter(|k| k.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .map(|k| Parameter { name: k.clone(), kind: "nvarchar(400)".to_owned() })
        .collect();
    let arguments: Vec<String> = parameters.iter().map(|p| format!("@{0} = @{0}", p.name)).collect();
    let text = format!("EXEC master.dbo.{} {};", play.exec, arguments.join(", "));
    Query {
        name: name.to_owned(),
        purpose: "plays the part of a computer that is not simulated".to_owned(),
        place: Place::Master,
        parameters,
        examines: String::new(),
        needs: Vec::new(),
        reads_only: false,
        variants: vec![Variant {
            since: 2012,
            until: None,
            sha256: crate::record::sha256(text.as_bytes()),
            text,
            path: name.to_owned(),
            columns: Vec::new(),
        }],
    }
}
