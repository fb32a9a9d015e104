"""What every Python client here is asked to do, and how it is counted.

Where the sandbox is comes from the environment: SANDBOX_PORT, SANDBOX_PASSWORD, SANDBOX_CA, SANDBOX_NAME.
"""

import os
import sys
import traceback

HOST = "127.0.0.1"
PORT = int(os.environ["SANDBOX_PORT"])
PASSWORD = os.environ["SANDBOX_PASSWORD"]
CA = os.environ["SANDBOX_CA"]
NAME = os.environ["SANDBOX_NAME"]

# Ten to the fourth rows, more than any packet holds.
ROWS = 10_000
MANY_ROWS = (
    "WITH d AS (SELECT v FROM (VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)) AS t(v)) "
    "SELECT a.v + 10 * b.v + 100 * c.v + 1000 * e.v AS n, N'row \u00e9\u53f0' AS words "
    "FROM d AS a CROSS JOIN d AS b CROSS JOIN d AS c CROSS JOIN d AS e "
    "ORDER BY n"
)

# type as declared, a literal of it
TYPES = [
    ("bit", "1"),
    ("tinyint", "255"),
    ("smallint", "-300"),
    ("int", "-70000"),
    ("bigint", "-9223372036854775808"),
    ("money", "-922337203685477.5808"),
    ("smallmoney", "1.25"),
    ("decimal(9,2)", "-1.50"),
    ("numeric(25,0)", "7204000000118400001234567"),
    ("decimal(38,10)", "-1234567890123456789012345678.0123456789"),
    ("real", "1.5"),
    ("float", "-0.1"),
    ("date", "'2026-11-20'"),
    ("time(7)", "'21:04:05.1234567'"),
    ("time(0)", "'21:04:05'"),
    ("smalldatetime", "'2026-11-20T21:04:00'"),
    ("datetime", "'2026-11-20T21:04:05.123'"),
    ("datetime2(7)", "'2026-11-20T21:04:05.1234567'"),
    ("datetime2(0)", "'0001-01-01T00:00:00'"),
    ("datetimeoffset(3)", "'2026-11-20T21:04:05.123+05:30'"),
    ("uniqueidentifier", "'6F9619FF-8B86-D011-B42D-00C04FC964FF'"),
    ("char(4)", "'\u00e9'"),
    ("varchar(10)", "'\u00e9\u20ac'"),
    ("varchar(max)", "'\u00e9\u20ac'"),
    ("nchar(4)", "N'\u53f0'"),
    ("nvarchar(10)", "N'\u53f0\u5317'"),
    ("nvarchar(max)", "N'\u53f0\u5317'"),
    ("binary(3)", "0x01"),
    ("varbinary(10)", "0x0102"),
    ("varbinary(max)", "0x010203"),
]

passed = 0
failed = 0


def _say(word, name, detail=""):
    print(f"  {word:<6} {name}{': ' + detail if detail else ''}", flush=True)


def equal(name, got, wanted):
    """One exact assertion; types count, so that 1 is not 1.0 and not True."""
    global passed, failed
    if type(got) is type(wanted) and got == wanted:
        passed += 1
    else:
        failed += 1
        _say("FAILED", name, f"got {got!r}, wanted {wanted!r}")


def true(name, got):
    equal(name, bool(got), True)


def run(name, check):
    """A group of assertions; an exception that it does not expect is a failure."""
    global failed
    try:
        check()
        _say("ran", name)
    except Exception:
        failed += 1
        shown = "".join(traceback.format_exc(limit=-4, chain=False))
        _say("FAILED", name, shown[:3000])


def raises(name, kinds, call):
    """The exception that a call must end in."""
    global failed
    try:
        got = call()
    except kinds as error:
        return error
    failed += 1
    _say("FAILED", name, f"no error but {got!r}")
    return None


def finish():
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)


def full_and_last_log(query):
    """The oldest full backup of the management database and its newest log backup."""
    sql = (
        "SELECT TOP (1) m.physical_device_name FROM msdb.dbo.backupset AS s "
        "JOIN msdb.dbo.backupmediafamily AS m ON m.media_set_id = s.media_set_id "
        "WHERE s.database_name = N'BizTalkMgmtDb' AND s.type = '{}' ORDER BY s.backup_set_id {}"
    )
    return query(sql.format("D", "ASC")), query(sql.format("L", "DESC"))


def restore(path, database):
    return (
        f"RESTORE DATABASE {database} FROM DISK = N'{path}' WITH NORECOVERY, STATS = 25, "
        f"MOVE N'BizTalkMgmtDb' TO N'D:\\SQLData\\{database}.mdf', "
        f"MOVE N'BizTalkMgmtDb_log' TO N'L:\\SQLLog\\{database}.ldf'"
    )


def restore_log(path, database):
    return f"RESTORE LOG {database} FROM DISK = N'{path}' WITH NORECOVERY"
