//! Filling `{placeholders}` of a phrase. Knows no phrases.

/// The phrase with each `{name}` replaced by what `datum` gives for it, or by `?` when it gives nothing.
pub fn fill(phrase: &str, datum: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(phrase.len() + 16);
    let mut rest = phrase;
    while let Some(open) = rest.find('{') {
        let Some(close) = rest[open..].find('}').map(|n| open + n) else { break };
        out.push_str(&rest[..open]);
        let name = &rest[open + 1..close];
        let is_name =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        if is_name {
            out.push_str(&datum(name).unwrap_or_else(|| "?".to_owned()));
        } else {
            out.push_str(&rest[open..=close]);
        }
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_braces_that_are_none_stay() {
        let datum = |name: &str| (name == "rows").then(|| "3".to_owned());
        assert_eq!(
            fill("{rows} rows of {total}, {}, { rows }, {open", datum),
            "3 rows of ?, {}, { rows }, {open"
        );
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        assert_eq!(fill("{a}", |_| Some("{a}".into())), "{a}");
    }
}
