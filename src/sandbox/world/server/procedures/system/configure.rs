//! sp_configure.

use super::{Given, answer, bound, inform, no_permission};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::world::options::{Setting, settings};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{int, text};

const COLUMNS: &str = "name nvarchar(35); minimum int; maximum int; config_value int; run_value int";

pub(super) fn configure(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_configure", &["@configname", "@configvalue"], given)?;
    let server = call.server();
    let advanced = server.options.get("show advanced options").is_some_and(|v| *v != 0);
    let mut seen: Vec<Setting> = settings(server.year()).filter(|s| advanced || !s.advanced).collect();
    seen.sort_by_key(|s| s.name.to_lowercase());
    let show = |call: &Call<'_>, settings: &[Setting], parts: &mut Kept| {
        let rows = settings.iter().map(|s| {
            vec![
                text(s.name),
                int(s.minimum),
                int(s.maximum),
                int(call.server().configured(s)),
                int(call.server().in_use(s)),
            ]
        });
        answer(COLUMNS, rows.collect(), parts);
    };
    let Some(name) = given.text("@configname") else {
        show(call, &seen, parts);
        return Ok(0);
    };
    let lower = name.to_lowercase();
    let mut fits: Vec<Setting> =
        seen.iter().filter(|s| s.name.to_lowercase().contains(&lower)).copied().collect();
    if let Some(exact) = fits.iter().find(|s| s.name.eq_ignore_ascii_case(&name)).copied() {
        fits = vec![exact];
    }
    let setting = match fits[..] {
        [one] => one,
        [] => {
            let text =
                format!("The configuration option '{name}' does not exist, or it may be an advanced option.");
            return Err(given.error(15123, text));
        }
        _ => {
            show(call, &fits, parts);
            return Err(given.error(15124, format!("The configuration option '{name}' is not unique.")));
        }
    };
    let Some(value) = given.int("@configvalue") else {
        show(call, &[setting], parts);
        return Ok(0);
    };
    if !call.granted("ALTER SETTINGS") {
        return Err(Message { procedure: "sp_configure".into(), ..no_permission() });
    }
    if !(setting.minimum..=setting.maximum).contains(&value) {
        let text = format!("'{value}' is not a valid value for configuration option '{}'.", setting.name);
        return Err(given.error(15129, text));
    }
    let before = call.server().configured(&setting);
    call.state.dirty = true;
    call.server_mut().configured.insert(setting.name.to_owned(), value);
    inform(
        15457,
        format!(
            "Configuration option '{}' changed from {before} to {value}. Run the RECONFIGURE statement to install.",
            setting.name
        ),
        parts,
    );
    Ok(0)
}
