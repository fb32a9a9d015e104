//! RAISERROR's `%d %s %u %x %o %%` with flags and widths.

use crate::sandbox::answer::Message;
use crate::sandbox::value::Value;

/// The text with its arguments put in.
pub(in crate::sandbox::tsql) fn format(text: &str, arguments: &[Value]) -> Result<String, Message> {
    let mut out = String::new();
    let mut values = arguments.iter();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.peek() == Some(&'%') {
            chars.next();
            out.push('%');
            continue;
        }
        let (mut left, mut zero, mut width, mut precision) = (false, false, 0usize, None::<usize>);
        while let Some(flag) = chars.peek().copied().filter(|c| "-+0# ".contains(*c)) {
            left |= flag == '-';
            zero |= flag == '0';
            chars.next();
        }
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut n = 0usize;
            while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                n = (n * 10 + digit as usize).min(2047);
                chars.next();
            }
            n
        };
        if chars.peek() == Some(&'*') {
            chars.next();
            width = star(values.next());
        } else {
            width = width.max(number(&mut chars));
        }
        if chars.peek() == Some(&'.') {
            chars.next();
            precision = Some(if chars.peek() == Some(&'*') {
                chars.next();
                star(values.next())
            } else {
                number(&mut chars)
            });
        }
        while chars.peek().is_some_and(|c| "hlI64".contains(*c)) {
            chars.next();
        }
        let bad = |at: usize| {
            let text = format!("Cannot format argument {at} of RAISERROR.");
            Message::error(2786, text)
        };
        let shown = match (chars.next(), values.next()) {
            (Some('d' | 'i'), Some(Value::Int(n))) => n.to_string(),
            (Some('u'), Some(Value::Int(n))) => (*n as u32).to_string(),
            (Some('x'), Some(Value::Int(n))) => format!("{:x}", *n as u32),
            (Some('X'), Some(Value::Int(n))) => format!("{:X}", *n as u32),
            (Some('o'), Some(Value::Int(n))) => format!("{:o}", *n as u32),
            (Some('s'), Some(Value::Text(text))) => {
                precision.map_or_else(|| text.clone(), |most| text.chars().take(most).collect())
            }
            (Some('d' | 'i' | 'u' | 'x' | 'X' | 'o' | 's'), Some(Value::Null) | None) => "(null)".to_owned(),
            (Some('d' | 'i' | 'u' | 'x' | 'X' | 'o' | 's'), Some(_)) => return Err(bad(arguments.len())),
            _ => {
                return Err(Message::error(
                    2787,
                    format!("Invalid format specification: '{}'.", text.chars().take(64).collect::<String>()),
                ));
            }
        };
        let missing = width.saturating_sub(shown.chars().count());
        let pad = |c: char| std::iter::repeat_n(c, missing);
        if left {
            out.push_str(&shown);
            out.extend(pad(' '));
        } else {
            out.extend(pad(if zero { '0' } else { ' ' }));
            out.push_str(&shown);
        }
    }
    Ok(out.chars().take(2047).collect())
}

fn star(value: Option<&Value>) -> usize {
    match value {
        Some(Value::Int(n)) => usize::try_from(*n).unwrap_or(0).min(2047),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_put_in_with_widths_and_precisions() {
        let s = |t: &str| Value::Text(t.into());
        assert_eq!(format("%s has %d rows", &[s("t"), Value::Int(5)]).unwrap(), "t has 5 rows");
        assert_eq!(format("<<%7.3s>>", &[s("abcde")]).unwrap(), "<<    abc>>");
        assert_eq!(format("<<%*.*s>>", &[Value::Int(7), Value::Int(3), s("abcde")]).unwrap(), "<<    abc>>");
        assert_eq!(format("%05d 100%%", &[Value::Int(42)]).unwrap(), "00042 100%");
        assert_eq!(format("%s", &[]).unwrap(), "(null)");
        assert_eq!(format("%q", &[]).unwrap_err().number, 2787);
    }
}
