//! Random keys at random sizes: nothing panics, and nothing leaves but leaving.

use super::bench::{Bench, bad, silent};
use super::{Seat, look};
use drbook::runbook::Mode;
use proptest::prelude::*;

const KEYS: [&str; 40] = [
    "<enter>",
    "<esc>",
    "<tab>",
    "<backtab>",
    "<up>",
    "<down>",
    "<left>",
    "<right>",
    "<pgup>",
    "<pgdn>",
    "<home>",
    "<end>",
    "<backspace>",
    "<ctrl-u>",
    "<ctrl-l>",
    "<f1>",
    "r",
    "e",
    "n",
    "s",
    "o",
    "c",
    "u",
    "d",
    "A",
    "L",
    "T",
    "y",
    "H",
    "X",
    "/",
    "?",
    "1",
    "6",
    "t",
    "a",
    "[",
    "]",
    "還",
    "now",
];

fn bench(kind: u8) -> Option<Bench> {
    let mut bench = Bench::open(Mode::Incident);
    match kind {
        0 => return None,
        1 => {}
        2 => bench.level(),
        3 => {
            bench.prepared();
            bench.script = Box::new(bad);
            bench.ask("files");
        }
        _ => {
            bench.prepared();
            bench.script = Box::new(silent);
            bench.ask("files");
            bench.broken = Some("disk full".into());
        }
    }
    Some(bench)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_keys_at_no_size_panic(
        kind in 0u8..5,
        keys in prop::collection::vec((0usize..KEYS.len(), 0u16..130, 0u16..45), 1..40),
    ) {
        let mut seat = Seat::at(bench(kind), look(), (80, 24));
        for (key, width, height) in keys {
            if width % 3 == 0 {
                seat.resize(width, height);
            }
            seat.press(KEYS[key]);
            if let Some(bench) = &mut seat.bench {
                bench.settle(2);
            }
            seat.screen();
        }
    }
}
