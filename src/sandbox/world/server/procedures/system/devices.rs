//! Backup devices, and the name and owner of a database, by procedure.
//!
//! Does not know ALTER DATABASE, which does the same in its own words.

use super::{Given, bound, no_permission};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::world::server::Call;

pub(super) fn add_device(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let parameters = &["@devtype", "@logicalname", "@physicalname", "!@cntrltype", "!@devstatus"];
    let given = bound("sp_addumpdevice", parameters, given)?;
    let (kind, name, path) =
        (given.must("@devtype")?, given.must("@logicalname")?, given.must("@physicalname")?);
    if !call.granted("ALTER RESOURCES") {
        return Err(no_permission());
    }
    if !kind.eq_ignore_ascii_case("disk") {
        return Err(Message::not_modelled("backup devices other than disk"));
    }
    if call.server().backup_devices.iter().any(|(n, _)| n.eq_ignore_ascii_case(&name)) {
        return Err(given.error(15026, format!("Logical device '{name}' already exists.")));
    }
    call.server_mut().backup_devices.push((name, path));
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn drop_device(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_dropdevice", &["@logicalname", "!@delfile"], given)?;
    let name = given.must("@logicalname")?;
    if !call.granted("ALTER RESOURCES") {
        return Err(no_permission());
    }
    let all = &mut call.server_mut().backup_devices;
    let Some(n) = all.iter().position(|(n, _)| n.eq_ignore_ascii_case(&name)) else {
        let text =
            format!("The device '{name}' does not exist. Use sys.backup_devices to show available devices.");
        return Err(given.error(15012, text));
    };
    all.remove(n);
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn rename(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_renamedb", &["@dbname", "@newname"], given)?;
    let (old, new) = (given.must("@dbname")?, given.must("@newname")?);
    let Some(d) = call.server().database_index(&old) else {
        let text = format!(
            "The database '{old}' does not exist. Supply a valid database name. To see available databases, use sys.databases."
        );
        return Err(given.error(15010, text));
    };
    if !call.granted("ALTER ANY DATABASE") {
        return Err(no_permission());
    }
    call.rename(d, &new, parts).map_err(first)?;
    Ok(0)
}

pub(super) fn change_owner(call: &mut Call<'_>, database: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_changedbowner", &["@loginame", "@map"], given)?;
    let owner = given.must("@loginame")?;
    call.set_owner(database, &owner).map_err(first)?;
    Ok(0)
}

fn first(all: Vec<Message>) -> Message {
    all.into_iter().next().unwrap_or_else(no_permission)
}
