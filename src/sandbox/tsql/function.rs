//! The built-in scalar functions: names, number of arguments, the version that brought them.
//!
//! Does not compute them (`evaluate::function`) nor type them (`binder::function`).

/// A built-in scalar function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Ascii,
    Ceiling,
    Char,
    CharIndex,
    Concat,
    ConcatWs,
    DateAdd,
    DateDiff,
    DateDiffBig,
    DateFromParts,
    DateName,
    DatePart,
    DataLength,
    EoMonth,
    ErrorLine,
    ErrorMessage,
    ErrorNumber,
    ErrorProcedure,
    ErrorSeverity,
    ErrorState,
    Floor,
    GetDate,
    GetUtcDate,
    IsDate,
    IsNull,
    IsNumeric,
    Left,
    Len,
    Lower,
    LTrim,
    NChar,

    NullIf,
    PatIndex,
    Power,
    QuoteName,
    Replace,
    Replicate,
    Reverse,
    Right,
    Round,
    RTrim,
    Sign,
    Space,
    Sqrt,
    Str,
    Stuff,
    Substring,
    SwitchOffset,
    SysDateTime,
    SysDateTimeOffset,
    SysUtcDateTime,
    ToDateTimeOffset,
    Translate,
    Trim,
    Unicode,
    Upper,
    XactState,
}

/// Name, function, fewest and most arguments, first major version.
type Entry = (&'static str, Function, usize, usize, u8);

const ANY: usize = 254;

const TABLE: [Entry; 62] = {
    use Function as F;
    [
        ("ABS", F::Abs, 1, 1, 0),
        ("ASCII", F::Ascii, 1, 1, 0),
        ("CEILING", F::Ceiling, 1, 1, 0),
        ("CHAR", F::Char, 1, 1, 0),
        ("CHARINDEX", F::CharIndex, 2, 3, 0),
        ("CONCAT", F::Concat, 2, ANY, 11),
        ("CONCAT_WS", F::ConcatWs, 3, ANY, 14),
        ("CURRENT_TIMESTAMP", F::GetDate, 0, 0, 0),
        ("DATALENGTH", F::DataLength, 1, 1, 0),
        ("DATEADD", F::DateAdd, 3, 3, 0),
        ("DATEDIFF", F::DateDiff, 3, 3, 0),
        ("DATEDIFF_BIG", F::DateDiffBig, 3, 3, 13),
        ("DATEFROMPARTS", F::DateFromParts, 3, 3, 11),
        ("DATENAME", F::DateName, 2, 2, 0),
        ("DATEPART", F::DatePart, 2, 2, 0),
        ("DAY", F::DatePart, 1, 1, 0),
        ("EOMONTH", F::EoMonth, 1, 2, 11),
        ("ERROR_LINE", F::ErrorLine, 0, 0, 0),
        ("ERROR_MESSAGE", F::ErrorMessage, 0, 0, 0),
        ("ERROR_NUMBER", F::ErrorNumber, 0, 0, 0),
        ("ERROR_PROCEDURE", F::ErrorProcedure, 0, 0, 0),
        ("ERROR_SEVERITY", F::ErrorSeverity, 0, 0, 0),
        ("ERROR_STATE", F::ErrorState, 0, 0, 0),
        ("FLOOR", F::Floor, 1, 1, 0),
        ("GETDATE", F::GetDate, 0, 0, 0),
        ("GETUTCDATE", F::GetUtcDate, 0, 0, 0),
        ("ISDATE", F::IsDate, 1, 1, 0),
        ("ISNULL", F::IsNull, 2, 2, 0),
        ("ISNUMERIC", F::IsNumeric, 1, 1, 0),
        ("LEFT", F::Left, 2, 2, 0),
        ("LEN", F::Len, 1, 1, 0),
        ("LOWER", F::Lower, 1, 1, 0),
        ("LTRIM", F::LTrim, 1, 1, 0),
        ("MONTH", F::DatePart, 1, 1, 0),
        ("NCHAR", F::NChar, 1, 1, 0),
        ("NULLIF", F::NullIf, 2, 2, 0),
        ("PATINDEX", F::PatIndex, 2, 2, 0),
        ("POWER", F::Power, 2, 2, 0),
        ("QUOTENAME", F::QuoteName, 1, 2, 0),
        ("REPLACE", F::Replace, 3, 3, 0),
        ("REPLICATE", F::Replicate, 2, 2, 0),
        ("REVERSE", F::Reverse, 1, 1, 0),
        ("RIGHT", F::Right, 2, 2, 0),
        ("ROUND", F::Round, 2, 3, 0),
        ("RTRIM", F::RTrim, 1, 1, 0),
        ("SIGN", F::Sign, 1, 1, 0),
        ("SPACE", F::Space, 1, 1, 0),
        ("SQRT", F::Sqrt, 1, 1, 0),
        ("STR", F::Str, 1, 3, 0),
        ("STUFF", F::Stuff, 4, 4, 0),
        ("SUBSTRING", F::Substring, 2, 3, 0),
        ("SWITCHOFFSET", F::SwitchOffset, 2, 2, 0),
        ("SYSDATETIME", F::SysDateTime, 0, 0, 0),
        ("SYSDATETIMEOFFSET", F::SysDateTimeOffset, 0, 0, 0),
        ("SYSUTCDATETIME", F::SysUtcDateTime, 0, 0, 0),
        ("TODATETIMEOFFSET", F::ToDateTimeOffset, 2, 2, 0),
        ("TRANSLATE", F::Translate, 3, 3, 14),
        ("TRIM", F::Trim, 1, 1, 14),
        ("UNICODE", F::Unicode, 1, 1, 0),
        ("UPPER", F::Upper, 1, 1, 0),
        ("XACT_STATE", F::XactState, 0, 0, 0),
        ("YEAR", F::DatePart, 1, 1, 0),
    ]
};

/// The function of that name (any case) on a server of that version, with its argument counts.
pub(super) fn find(name: &str, version: u8) -> Option<(Function, usize, usize)> {
    TABLE
        .iter()
        .find(|(known, ..)| known.eq_ignore_ascii_case(name))
        .filter(|(.., since)| *since <= version)
        .map(|(_, function, fewest, most, _)| (*function, *fewest, *most))
}
