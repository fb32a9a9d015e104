//! Exact decimals of 38 digits: T-SQL's arithmetic and its rules for precision and scale.
//!
//! Does not know values or messages; `None` is an overflow.

use super::ast::Operator;

/// 10^38: the first number that does not fit.
const LIMIT: u128 = 10u128.pow(38);

/// 10^n for n up to 38.
pub(super) fn power(n: u8) -> i128 {
    10i128.pow(u32::from(n.min(38)))
}

fn fits(digits: i128) -> Option<i128> {
    (digits.unsigned_abs() < LIMIT).then_some(digits)
}

/// The same number with another scale, rounded half away from zero.
pub(super) fn rescale(digits: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        return fits(digits.checked_mul(power(to - from))?);
    }
    let unit = power(from - to);
    let (whole, rest) = (digits / unit, digits % unit);
    let round = if rest.unsigned_abs() * 2 >= unit.unsigned_abs() { digits.signum() } else { 0 };
    fits(whole + round)
}

/// Whether a number has at most `precision` digits.
pub(super) fn within(digits: i128, precision: u8) -> bool {
    precision >= 38 || digits.unsigned_abs() < power(precision).unsigned_abs()
}

/// Precision and scale of a result, from those of both sides.
pub(super) fn result_type(operator: Operator, (p1, s1): (u8, u8), (p2, s2): (u8, u8)) -> (u8, u8) {
    let [p1, s1, p2, s2] = [p1, s1, p2, s2].map(i32::from);
    let whole = (p1 - s1).max(p2 - s2);
    let (precision, scale) = match operator {
        Operator::Multiply => (p1 + p2 + 1, s1 + s2),
        Operator::Divide => {
            let scale = 6.max(s1 + p2 + 1);
            (p1 - s1 + s2 + scale, scale)
        }
        Operator::Modulo => ((p1 - s1).min(p2 - s2) + s1.max(s2), s1.max(s2)),
        _ => (whole + s1.max(s2) + 1, s1.max(s2)),
    };
    if precision <= 38 {
        return (precision as u8, scale as u8);
    }
    let scale = match operator {
        Operator::Multiply | Operator::Divide => {
            let integral = precision - scale;
            if integral < 32 { scale.min(38 - integral) } else { scale.min(6) }
        }
        _ => scale.min(38 - whole),
    };
    (38, scale.max(0) as u8)
}

/// Adds numbers of one scale.
pub(super) fn add(a: i128, b: i128) -> Option<i128> {
    fits(a.checked_add(b)?)
}

/// Multiplies; `drop` digits of the product's scale are rounded away.
pub(super) fn multiply(a: i128, b: i128, drop: u8) -> Option<i128> {
    let negative = (a < 0) != (b < 0);
    let (high, low) = wide(a.unsigned_abs(), b.unsigned_abs());
    let unit = power(drop).unsigned_abs();
    let (quotient, rest) = divide_wide(high, low, unit)?;
    let rounded = quotient + u128::from(drop > 0 && rest >= unit - unit / 2);
    signed(rounded, negative)
}

/// Divides numbers of any scale; the result has `scale` digits, the rest is cut off.
pub(super) fn divide(a: i128, a_scale: u8, b: i128, b_scale: u8, scale: u8) -> Option<i128> {
    let negative = (a < 0) != (b < 0);
    let divisor = b.unsigned_abs();
    if divisor == 0 {
        return None;
    }
    let more = i32::from(scale) + i32::from(b_scale) - i32::from(a_scale);
    let mut quotient = a.unsigned_abs() / divisor;
    let mut rest = a.unsigned_abs() % divisor;
    for _ in 0..more {
        let (high, low) = wide(rest, 10);
        let (digit, left) = divide_wide(high, low, divisor)?;
        quotient = quotient.checked_mul(10)?.checked_add(digit)?;
        rest = left;
    }
    for _ in more..0 {
        quotient /= 10;
    }
    signed(quotient, negative)
}

fn signed(digits: u128, negative: bool) -> Option<i128> {
    let digits = i128::try_from(digits).ok().and_then(fits)?;
    Some(if negative { -digits } else { digits })
}

/// The 256-bit product, high half first.
fn wide(a: u128, b: u128) -> (u128, u128) {
    let mask = u128::from(u64::MAX);
    let (a1, a0, b1, b0) = (a >> 64, a & mask, b >> 64, b & mask);
    let low = a0 * b0;
    let middle = a1 * b0 + (low >> 64);
    let (middle_high, middle_low) = (middle >> 64, (middle & mask) + a0 * b1);
    (a1 * b1 + middle_high + (middle_low >> 64), (middle_low << 64) | (low & mask))
}

/// Divides 256 bits by 128; `None` when the quotient has more than 128.
fn divide_wide(high: u128, low: u128, divisor: u128) -> Option<(u128, u128)> {
    if high == 0 {
        return Some((low / divisor, low % divisor));
    }
    if high >= divisor {
        return None;
    }
    let (mut quotient, mut rest) = (0u128, high);
    for bit in (0..128).rev() {
        let carry = rest >> 127 == 1;
        rest = (rest << 1) | ((low >> bit) & 1);
        if carry || rest >= divisor {
            rest = rest.wrapping_sub(divisor);
            quotient |= 1 << bit;
        }
    }
    Some((quotient, rest))
}

/// `-123.450` from digits and scale.
pub(super) fn text(digits: i128, scale: u8) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let width = usize::from(scale) + 1;
    let all = format!("{:0>width$}", digits.unsigned_abs());
    let (whole, fraction) = all.split_at(all.len() - usize::from(scale));
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_38_digits_multiply_and_divide_exactly() {
        let nines = i128::try_from(LIMIT - 1).unwrap();
        assert_eq!(multiply(nines, 1, 0), Some(nines));
        assert_eq!(multiply(nines, 10, 0), None);
        assert_eq!(multiply(nines, nines, 38), Some(nines - 1));
        assert_eq!(divide(nines, 0, nines, 0, 6), Some(1_000_000));
        assert_eq!(divide(20, 1, 3, 0, 6), Some(666_666));
        assert_eq!(divide(-1, 0, 3, 0, 6), Some(-333_333));
    }

    #[test]
    fn rescaling_rounds_half_away_from_zero() {
        assert_eq!(rescale(125, 2, 1), Some(13));
        assert_eq!(rescale(-125, 2, 1), Some(-13));
        assert_eq!(rescale(1, 0, 38), None);
    }

    #[test]
    fn precision_and_scale_follow_the_published_rules() {
        assert_eq!(result_type(Operator::Divide, (2, 1), (1, 0)), (7, 6));
        assert_eq!(result_type(Operator::Multiply, (38, 10), (38, 10)), (38, 6));
        assert_eq!(result_type(Operator::Add, (25, 0), (10, 0)), (26, 0));
    }

    #[test]
    fn text_keeps_the_scale() {
        assert_eq!(text(-5, 3), "-0.005");
        assert_eq!(text(1200, 2), "12.00");
        assert_eq!(text(7, 0), "7");
    }
}
