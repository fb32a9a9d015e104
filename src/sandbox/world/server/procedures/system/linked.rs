//! Linked servers: making, asking for, testing and dropping them.

use super::{Given, answer, bound, no_permission};
use crate::sandbox::answer::{Kept, Message};
use crate::sandbox::host::Outcome;
use crate::sandbox::world::server::Call;
use crate::sandbox::world::server::procedures::bound::Bound;
use crate::sandbox::world::state::Linked;
use crate::sandbox::world::stored::{NULL, int, text};

fn may_alter(call: &Call<'_>) -> Outcome<()> {
    if call.granted("ALTER ANY LINKED SERVER") { Ok(()) } else { Err(no_permission()) }
}

fn find(call: &Call<'_>, given: &Bound<'_>, name: &str) -> Outcome<usize> {
    call.server().linked.iter().position(|l| l.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let text =
            format!("The server '{name}' does not exist. Use sp_helpserver to show available servers.");
        given.error(15015, text)
    })
}

pub(super) fn list(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    bound("sp_linkedservers", &[], given)?;
    let server = call.server();
    let own = std::iter::once((server.name.as_str(), server.name.as_str()));
    let all = own.chain(server.linked.iter().map(|l| (l.name.as_str(), l.data_source.as_str())));
    let rows = all.map(|(name, source)| {
        vec![text(name), text(server.provider()), text("SQL Server"), text(source), NULL, NULL, NULL]
    });
    answer(
        "SRV_NAME nvarchar(128); SRV_PROVIDERNAME nvarchar(128); SRV_PRODUCT nvarchar(128); SRV_DATASOURCE nvarchar(4000); SRV_PROVIDERSTRING nvarchar(4000); SRV_LOCATION nvarchar(4000); SRV_CAT nvarchar(128)",
        rows.collect(),
        parts,
    );
    Ok(0)
}

pub(super) fn help(call: &mut Call<'_>, _: &str, given: &Given, parts: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_helpserver", &["@server", "!@optname", "!@show_topology"], given)?;
    let wanted = given.text("@server");
    let server = call.server();
    let own = std::iter::once((server.name.as_str(), "rpc,rpc out,use remote collation"));
    let linked = server.linked.iter().map(|l| {
        let status = if l.rpc_out {
            "rpc,rpc out,data access,use remote collation"
        } else {
            "rpc,data access,use remote collation"
        };
        (l.name.as_str(), status)
    });
    let rows: Vec<_> = own
        .chain(linked)
        .enumerate()
        .filter(|(_, (name, _))| wanted.as_ref().is_none_or(|w| name.eq_ignore_ascii_case(w)))
        .map(|(n, (name, status))| {
            vec![text(name), text(name), text(status), text(n.to_string()), NULL, int(0), int(0)]
        })
        .collect();
    if let Some(name) = wanted.filter(|_| rows.is_empty()) {
        find(call, &given, &name)?;
    }
    answer(
        "name nvarchar(128); network_name nvarchar(128); status nvarchar(400); id char(4); collation_name nvarchar(128); connect_timeout int; query_timeout int",
        rows,
        parts,
    );
    Ok(0)
}

/// The server on the other end answers, or error 53 says that it does not.
pub(super) fn test(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_testlinkedserver", &["@servername"], given)?;
    let name = given.must("@servername")?;
    let Ok(at) = find(call, &given, &name) else {
        let text = format!(
            "Could not find server '{name}' in sys.servers. Verify that the correct server name was specified. If necessary, execute the stored procedure sp_addlinkedserver to add the server to sys.servers."
        );
        return Err(Message::error(7202, text));
    };
    let source = call.server().linked[at].data_source.clone();
    let Some(other) = call.state.server_index(&source) else {
        return Err(Message::not_modelled(format_args!("a linked server to {source}, outside this estate")));
    };
    let trouble = &call.state.servers[other].trouble;
    if trouble.refused || trouble.silent {
        let text = "Named Pipes Provider: Could not open a connection to SQL Server [53]. ";
        return Err(Message { procedure: "sp_testlinkedserver".into(), ..Message::error(53, text) });
    }
    Ok(0)
}

pub(super) fn add(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let parameters = &[
        "@server",
        "@srvproduct",
        "@provider",
        "@datasrc",
        "!@location",
        "!@provstr",
        "!@catalog",
        "!@linkedstyle",
    ];
    let given = bound("sp_addlinkedserver", parameters, given)?;
    let name = given.must("@server")?;
    may_alter(call)?;
    let product = given.text("@srvproduct").unwrap_or_default();
    let provider = given.text("@provider").unwrap_or_default().to_uppercase();
    let native = product.is_empty() || product.eq_ignore_ascii_case("SQL Server");
    if !native || !matches!(provider.as_str(), "" | "SQLNCLI" | "SQLNCLI11" | "SQLOLEDB" | "MSOLEDBSQL") {
        return Err(Message::not_modelled("linked servers that are no SQL Server"));
    }
    let taken = |n: &str| n.eq_ignore_ascii_case(&name);
    if taken(&call.server().name) || call.server().linked.iter().any(|l| taken(&l.name)) {
        return Err(given.error(15028, format!("The server '{name}' already exists.")));
    }
    let data_source = given.text("@datasrc").unwrap_or_else(|| name.clone());
    let created = call.server().local(call.now);
    call.state.dirty = true;
    call.server_mut().linked.push(Linked { name, data_source, rpc_out: false, created });
    Ok(0)
}

pub(super) fn drop(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_dropserver", &["@server", "@droplogins"], given)?;
    let name = given.must("@server")?;
    may_alter(call)?;
    let at = find(call, &given, &name)?;
    call.state.dirty = true;
    call.server_mut().linked.remove(at);
    Ok(0)
}

pub(super) fn option(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let given = bound("sp_serveroption", &["@server", "@optname", "@optvalue"], given)?;
    let (name, option) = (given.must("@server")?, given.must("@optname")?.to_lowercase());
    let value = given.must("@optvalue")?.to_lowercase();
    may_alter(call)?;
    let at = find(call, &given, &name)?;
    let on = match value.as_str() {
        "true" | "on" | "1" => Some(true),
        "false" | "off" | "0" => Some(false),
        _ => None,
    };
    // What every linked server here is like already may be said again.
    let stands = match option.as_str() {
        "rpc out" => None,
        "rpc" | "data access" | "use remote collation" | "remote proc transaction promotion" => Some(true),
        "collation compatible" | "dist" | "pub" | "sub" | "lazy schema validation" => Some(false),
        "connect timeout" | "query timeout" if value == "0" => Some(false),
        "connect timeout" | "query timeout" | "collation name" => {
            return Err(Message::not_modelled(format_args!("sp_serveroption '{option}'")));
        }
        _ => {
            return Err(given.error(
                15600,
                "An invalid parameter or option was specified for procedure 'sys.sp_serveroption'.",
            ));
        }
    };
    match (on, stands) {
        (Some(on), None) => {
            call.state.dirty = true;
            call.server_mut().linked[at].rpc_out = on;
        }
        (Some(on), Some(stands)) if on != stands => {
            return Err(Message::not_modelled(format_args!("sp_serveroption '{option}'")));
        }
        (None, _) if !option.ends_with("timeout") => {
            return Err(given.error(
                15600,
                "An invalid parameter or option was specified for procedure 'sys.sp_serveroption'.",
            ));
        }
        _ => {}
    }
    Ok(0)
}

/// Only what stands already: every login as itself.
pub(super) fn login(call: &mut Call<'_>, _: &str, given: &Given, _: &mut Kept) -> Outcome<i32> {
    let parameters = &["@rmtsrvname", "@useself", "!@locallogin", "!@rmtuser", "!@rmtpassword"];
    let given = bound("sp_addlinkedsrvlogin", parameters, given)?;
    let name = given.must("@rmtsrvname")?;
    may_alter(call)?;
    find(call, &given, &name)?;
    match given.text("@useself").as_deref().map(str::to_lowercase).as_deref() {
        None | Some("true") => Ok(0),
        _ => Err(Message::not_modelled("sp_addlinkedsrvlogin with a login of the other server")),
    }
}
