use crate::sandbox::world::{BIZTALK, Plan};

const SMALL: &str = "world: small
servers:
  - { name: ONE, role: other, version: 15.0.4430.1 }
databases:
  - { name: Sales, server: ONE }
";

/// The first problem of a changed world file: line and words.
fn first(text: &str) -> (usize, String) {
    let (plan, problems) = Plan::diagnose(text);
    assert!(plan.is_none(), "{text}");
    let first = &problems[0];
    assert!(!first.help.is_empty() || first.code == "wrong-form", "{first:?}");
    (first.place.map_or(0, |p| p.line), format!("{} / {}", first.message, first.help))
}

#[test]
fn a_small_world_needs_little_and_the_shipped_one_is_clean() {
    for text in [SMALL, BIZTALK] {
        let (plan, problems) = Plan::diagnose(text);
        assert!(plan.is_some() && problems.is_empty(), "{problems:?}");
    }
}

#[test]
fn every_bound_is_checked_and_named_with_its_line_and_what_to_do() {
    for (old, new, line, says) in [
        ("world: small", "wrold: small", 1, "did you mean `world`"),
        ("servers:", "severs:", 2, "did you mean `servers`"),
        (
            "servers:\n  - { name: ONE, role: other, version: 15.0.4430.1 }",
            "servers: []",
            2,
            "a world has 1 to 500",
        ),
        ("role: other", "role: onlooker", 3, "onlooker"),
        ("15.0.4430.1", "9.0.1", 3, "15.0.4430.1"),
        ("15.0.4430.1 }", "15.0.4430.1, utc_offset: 900 }", 3, "write -840 to 840"),
        ("15.0.4430.1 }", "15.0.4430.1, linked: [TWO] }", 3, "the servers are: ONE"),
        ("15.0.4430.1 }", "15.0.4430.1, only_from: ONE }", 3, "is no destination"),
        (
            "15.0.4430.1 }",
            "15.0.4430.1, volumes: [{ mount: 'D', total_gb: 5, free_gb: 1 }] }",
            3,
            "no mount point",
        ),
        (
            "15.0.4430.1 }",
            "15.0.4430.1, volumes: [{ mount: 'D:\\', total_gb: -5, free_gb: 0 }] }",
            3,
            "total_gb is -5",
        ),
        (
            "15.0.4430.1 }",
            "15.0.4430.1, volumes: [{ mount: 'D:\\', total_gb: 5, free_gb: 6 }] }",
            3,
            "write 0 to 5",
        ),
        ("name: ONE", "name: 'ONE/TWO'", 3, "is no name for a server"),
        (
            "databases:",
            "  - { name: one, role: other, version: 15.0.1.1 }\ndatabases:",
            4,
            "server one is there twice",
        ),
        ("server: ONE", "server: TWO", 5, "the servers are: ONE"),
        ("server: ONE", "server: ONE, size_mb: -3", 5, "size_mb is -3"),
        ("server: ONE", "server: ONE, traffic: 100001", 5, "write 0 to 100000"),
        ("server: ONE", "server: ONE, vlf: 0", 5, "write 1 to 90000"),
        ("server: ONE", "server: ONE, role: messagebus", 5, "messagebus"),
        ("server: ONE", "server: ONE, count: 999", 5, "at most 200 databases"),
        ("name: Sales", "name: MASTER", 5, "is a system database"),
        ("name: Sales", "name: 'Sa|es'", 5, "is no name for a database"),
        ("server: ONE }", "server: ONE }\n  - { name: sales, server: one }", 6, "is there twice on one"),
        ("server: ONE }", "server: ONE }\nhistory: 41d", 6, "write at most 40d"),
        ("server: ONE }", "server: ONE }\nhistory: soon", 6, "such as 90s"),
        ("server: ONE }", "server: ONE }\ntables: { Other: {} }", 6, "is no database of this world"),
        (
            "server: ONE }",
            "server: ONE }\njobs:\n  - { name: j, server: TWO, steps: [] }",
            7,
            "no server of this world",
        ),
        ("server: ONE }", "server: ONE }\njobs:\n  - { name: j, steps: [] }", 7, "write 1 to 100"),
        (
            "server: ONE }",
            "server: ONE }\ncomputers:\n  - { name: one, login: x, programs: {} }",
            7,
            "name of another machine",
        ),
        (
            "server: ONE }",
            "server: ONE }\nlogins:\n  - { name: a, kind: sql }\n  - { name: A, kind: sql }",
            8,
            "is there twice",
        ),
    ] {
        assert!(SMALL.contains(old), "{old}");
        let (at, words) = first(&SMALL.replacen(old, new, 1));
        assert!(words.contains(says), "{new}: {words}");
        assert_eq!(at, line, "{new}: {words}");
    }
}

#[test]
fn the_part_about_backups_is_checked_too() {
    for (old, new, says) in [
        ("log_every: 15m", "log_every: 30s", "whole minutes"),
        ("log_every: 15m", "log_every: 10m", "within log_every"),
        ("full: d", "full: sometimes", "h, d, w, m or y"),
        ("mark: BTS", "mark: BIZTALKMARK", "1 to 8 letters"),
        ("location: '\\\\BACKUP01\\bts'", "location: somewhere", "is no folder"),
        ("role: messagebox", "role: management", "a BizTalk group has one"),
    ] {
        assert!(BIZTALK.contains(old), "{old}");
        let (line, words) = first(&BIZTALK.replacen(old, new, 1));
        assert!(line > 1 && words.contains(says), "{new}: {line} {words}");
    }
    let long = BIZTALK.replace("history: 26h", "history: 40d").replace("log_every: 15m", "log_every: 1m");
    assert!(first(&long.replace("next_log_in: 14m", "next_log_in: 0s")).1.contains("shorten history"));
}

#[test]
fn all_problems_are_told_at_once_and_garbage_is_no_panic() {
    let text = SMALL.replace("server: ONE", "server: TWO, size_mb: -1, vlf: 0");
    assert_eq!(Plan::diagnose(&text).1.len(), 3);
    for text in ["", "[]", "3", "world: [", "world: {a: *b}", "\u{0}", "servers: 3\ndatabases: x\nworld: 1"] {
        assert!(Plan::diagnose(text).0.is_none(), "{text:?}");
        assert!(Plan::read(text).is_err(), "{text:?}");
    }
}
