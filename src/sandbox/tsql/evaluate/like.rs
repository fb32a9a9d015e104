//! LIKE and PATINDEX: `%`, `_`, `[a-z]`, `[^a-z]` and an escape character.

use super::super::compare::{Collation, fold};

/// One place of a pattern.
#[derive(Debug, Clone, PartialEq)]
enum Piece {
    /// `%`
    Any,
    /// `_`
    One,
    Char(char),
    /// Ranges, and whether they are what must not come.
    Set(Vec<(char, char)>, bool),
    /// A pattern nothing matches (an unclosed bracket).
    Never,
}

/// Whether `text` matches the whole pattern.
pub(super) fn matches(collation: Collation, text: &str, pattern: &str, escape: Option<char>) -> bool {
    let pieces = read(pattern, escape);
    let text: Vec<char> = text.chars().collect();
    if whole(collation, &text, &pieces) {
        return true;
    }
    // blanks at the end of the text do not count where the pattern has none
    let mut shorter = &text[..];
    while let [rest @ .., ' '] = shorter {
        shorter = rest;
        if whole(collation, shorter, &pieces) {
            return true;
        }
    }
    false
}

/// The 1-based place where a pattern first matches; 0 when nowhere.
pub(super) fn place(collation: Collation, text: &str, pattern: &str) -> usize {
    let mut pieces = read(pattern, None);
    let floating = pieces.first() == Some(&Piece::Any);
    if floating {
        while pieces.first() == Some(&Piece::Any) {
            pieces.remove(0);
        }
    }
    let text: Vec<char> = text.chars().collect();
    let last = if floating { text.len() } else { 0 };
    (0..=last).find(|from| whole(collation, &text[*from..], &pieces)).map_or(0, |at| at + 1)
}

fn read(pattern: &str, escape: Option<char>) -> Vec<Piece> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        at += 1;
        if Some(c) == escape && at < chars.len() {
            pieces.push(Piece::Char(chars[at]));
            at += 1;
            continue;
        }
        pieces.push(match c {
            '%' => Piece::Any,
            '_' => Piece::One,
            '[' => {
                let (piece, next) = set(&chars, at, escape);
                at = next;
                piece
            }
            other => Piece::Char(other),
        });
    }
    pieces
}

/// Reads behind `[`; gives the piece and where the pattern goes on.
fn set(chars: &[char], mut at: usize, escape: Option<char>) -> (Piece, usize) {
    let negated = chars.get(at) == Some(&'^');
    at += usize::from(negated);
    let mut ranges = Vec::new();
    let mut first = true;
    loop {
        let Some(&c) = chars.get(at) else { return (Piece::Never, chars.len()) };
        at += 1;
        if c == ']' && !first {
            return (Piece::Set(ranges, negated), at);
        }
        if c == ']' {
            // an empty class matches nothing
            return (Piece::Never, at);
        }
        first = false;
        let low = if Some(c) == escape && at < chars.len() {
            at += 1;
            chars[at - 1]
        } else {
            c
        };
        if chars.get(at) == Some(&'-') && chars.get(at + 1).is_some_and(|c| *c != ']') {
            ranges.push((low, chars[at + 1]));
            at += 2;
        } else {
            ranges.push((low, low));
        }
    }
}

fn one(collation: Collation, c: char, piece: &Piece) -> bool {
    match piece {
        Piece::One => true,
        Piece::Char(wanted) => collation.same_char(c, *wanted),
        Piece::Set(ranges, negated) => {
            let within = |c: char| {
                ranges.iter().any(|(low, high)| {
                    if collation.case_sensitive {
                        (*low..=*high).contains(&c)
                    } else {
                        (fold(*low)..=fold(*high)).contains(&fold(c))
                    }
                })
            };
            within(c) != *negated
        }
        Piece::Any | Piece::Never => false,
    }
}

/// Matches with one place to go back to: linear but for the last `%`.
fn whole(collation: Collation, text: &[char], pieces: &[Piece]) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        if pieces.get(p) == Some(&Piece::Any) {
            back = Some((p, t));
            p += 1;
        } else if pieces.get(p).is_some_and(|piece| one(collation, text[t], piece)) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = back {
            back = Some((star, from + 1));
            p = star + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pieces[p..].iter().all(|piece| *piece == Piece::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CI: Collation = Collation { case_sensitive: false };

    #[test]
    fn classes_ranges_and_escapes_match_as_in_the_documentation() {
        let yes = [
            ("sp_MarkAll", "%sp[_]MarkAll%"),
            ("Abc", "a_c"),
            ("a5", "[a-c][0-9]"),
            ("x]", "x]"),
            ("a-b", "a[-]b"),
            ("abc   ", "abc"),
            ("", "%"),
            ("[x", "[[]x"),
        ];
        for (text, pattern) in yes {
            assert!(matches(CI, text, pattern, None), "{text} LIKE {pattern}");
        }
        let no =
            [("spxMarkAll", "%sp[_]MarkAll%"), ("a", "[^a]"), ("abc", "abc "), ("abc", "a[b"), ("", "_")];
        for (text, pattern) in no {
            assert!(!matches(CI, text, pattern, None), "{text} NOT LIKE {pattern}");
        }
        assert!(matches(CI, "50%", "50!%", Some('!')));
        assert!(!matches(CI, "500", "50!%", Some('!')));
        assert!(!matches(Collation { case_sensitive: true }, "ABC", "abc", None));
    }

    #[test]
    fn the_place_of_a_pattern_counts_from_one() {
        assert_eq!(place(CI, "abc123", "%[0-9]%"), 4);
        assert_eq!(place(CI, "abc123", "[0-9]%"), 0);
        assert_eq!(place(CI, "abc123", "abc%"), 1);
    }
}
