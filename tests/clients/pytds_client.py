"""python-tds: login, types, RPC, transactions, cancel, encryption."""

import contextlib
import datetime
import decimal
import time
import uuid

import pytds
from pytds import tds_base

from checks import (
    CA, HOST, MANY_ROWS, NAME, PASSWORD, PORT, ROWS, TYPES, equal, finish, full_and_last_log, raises, restore,
    restore_log, run, true,
)


def connect(**options):
    wanted = {
        "dsn": HOST, "port": PORT, "user": "sa", "password": PASSWORD, "autocommit": True, "login_timeout": 10,
        "timeout": 30, "disable_connect_retry": True,
    }
    wanted.update(options)
    return pytds.connect(**wanted)


@contextlib.contextmanager
def session(**options):
    """A connection and its cursor: without MARS a second one closes the first."""
    with connect(**options) as connection, connection.cursor() as cursor:
        yield connection, cursor


def one(cursor, sql, parameters=()):
    cursor.execute(sql, parameters)
    return cursor.fetchone()[0]


def numbers(cursor):
    return [message[1].number for message in cursor.messages]


def logins():
    with session() as (connection, cursor):
        equal("server name", one(cursor, "SELECT @@SERVERNAME"), NAME)
        equal("login", one(cursor, "SELECT SUSER_SNAME()"), "sa")
        equal("database", one(cursor, "SELECT DB_NAME()"), "master")
        banner = one(cursor, "SELECT @@VERSION")
        true("a version that clients parse", banner.startswith("Microsoft SQL Server 20"))
        true("it says that it is simulated", "simulated" in banner.lower())
        equal("protocol", connection.tds_version, tds_base.TDS74)
    with session(database="msdb", appname="drill", cafile=CA, validate_host=False) as (connection, cursor):
        equal("full TLS", one(cursor, "SELECT DB_NAME() + N'/' + APP_NAME()"), "msdb/drill")
    with session(cafile=CA, enc_login_only=True, validate_host=False) as (connection, cursor):
        equal("TLS for the login only", one(cursor, "SELECT 1"), 1)
    for size in (512, 4096, 32767):
        with session(blocksize=size) as (connection, cursor):
            equal(f"packets of {size}", one(cursor, "SELECT REPLICATE(N'x', 4000)"), "x" * 4000)
    error = raises("a wrong password", pytds.Error, lambda: connect(password="wrong"))
    equal("18456", error.number, 18456)
    true("says who", "Login failed for user 'sa'." in str(error))
    error = raises("a database that is not there", pytds.Error, lambda: connect(database="nowhere"))
    equal("4060 before 18456", error.number in (4060, 18456), True)
    true("names it", 'Cannot open database "nowhere"' in str(error))


def batches():
    with session() as (connection, cursor):
        cursor.execute("SELECT 1 AS a, N'x' AS b; SELECT 2 AS c; SELECT 3 AS d WHERE 1 = 0")
        equal("names", [column[0] for column in cursor.description], ["a", "b"])
        equal("first set", cursor.fetchall(), [(1, "x")])
        equal("there is a second", cursor.nextset(), True)
        equal("second set", cursor.fetchall(), [(2,)])
        equal("there is a third", cursor.nextset(), True)
        equal("third set is empty", cursor.fetchall(), [])
        true("and no fourth", not cursor.nextset())
        cursor.execute(MANY_ROWS)
        rows = cursor.fetchall()
        equal("many packets", len(rows), ROWS)
        true("in order", all(row == (n, "row \u00e9\u53f0") for n, row in enumerate(rows)))
        cursor.execute("SELECT REPLICATE(CAST(N'\u53f0\u5317' AS nvarchar(max)), 200000)")
        equal("a long text", cursor.fetchone()[0], "\u53f0\u5317" * 200000)
        cursor.execute("PRINT N'hello'; RAISERROR(N'low', 10, 1); RAISERROR(N'lower', 0, 7) WITH NOWAIT")
        equal("messages", [(m[1].number, m[1].severity, m[1].state) for m in cursor.messages],
              [(0, 0, 1), (50000, 10, 1), (50000, 0, 7)])
        cursor.execute("USE msdb")
        equal("5701", numbers(cursor), [5701])
        equal("the session moved", one(cursor, "SELECT DB_NAME()"), "msdb")
        error = raises("a division by zero", pytds.Error, lambda: cursor.execute("SELECT 1 / 0").fetchall())
        equal("8134", error.number, 8134)
        error = raises("no such table", pytds.Error, lambda: cursor.execute("SELECT * FROM dbo.nothing"))
        equal("208", error.number, 208)
        equal("the session goes on", one(cursor, "SELECT 7"), 7)
        error = raises("bulk load", pytds.Error, lambda: cursor.copy_to(
            file=["1"], table_or_view="#nothing", columns=[pytds.tds_base.Column("a", type=pytds.tds_types.IntType())]))
        equal("bulk load is refused", isinstance(error, pytds.Error), True)
    with session() as (connection, cursor):
        cursor.execute("CREATE TABLE #t (a int NOT NULL, b nvarchar(max)); INSERT #t VALUES (1, N'x'), (2, NULL)")
        cursor.execute("UPDATE #t SET a = a + 1")
        equal("rows changed", cursor.rowcount, 2)
        cursor.execute("DELETE #t WHERE a = 3")
        equal("rows deleted", cursor.rowcount, 1)


def types():
    at = datetime.datetime(2026, 11, 20, 21, 4, 5, 123456)
    zone = datetime.timezone(datetime.timedelta(minutes=330))
    wanted = [
        True, 255, -300, -70000, -(1 << 63), decimal.Decimal("-922337203685477.5808"),
        decimal.Decimal("1.25"), decimal.Decimal("-1.50"), decimal.Decimal("7204000000118400001234567"),
        decimal.Decimal("-1234567890123456789012345678.0123456789"), 1.5, -0.1, at.date(), at.time(),
        datetime.time(21, 4, 5), at.replace(second=0, microsecond=0), at.replace(microsecond=123000), at,
        datetime.datetime(1, 1, 1), at.replace(microsecond=123000, tzinfo=zone),
        uuid.UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF"), "\u00e9   ", "\u00e9\u20ac", "\u00e9\u20ac", "\u53f0   ",
        "\u53f0\u5317", "\u53f0\u5317", b"\x01\x00\x00", b"\x01\x02", b"\x01\x02\x03",
    ]
    with session() as (connection, cursor):
        for (kind, literal), value in zip(TYPES, wanted, strict=True):
            cursor.execute(f"SELECT CAST({literal} AS {kind}), CAST(NULL AS {kind})")
            equal(kind, cursor.fetchone(), (value, None))
            # Python counts microseconds: the seventh digit is lost on its way there
            literal = literal.replace(".1234567'", ".1234560'")
            given = pytds.Binary(value) if isinstance(value, bytes) else value
            cursor.execute(f"SELECT CASE WHEN CAST(%s AS {kind}) = CAST({literal} AS {kind}) THEN 1 ELSE 0 END", (given,))
            equal(f"{kind} as a parameter", cursor.fetchone()[0], 1)
        for value, kind in [(7, "int"), ("RTM", "nvarchar"), (True, "bit")]:
            literal = {"RTM": "N'RTM'", 7: "7", True: "1"}[value]
            cursor.execute(f"SELECT CAST(CAST({literal} AS {kind}) AS sql_variant)")
            equal(f"sql_variant of {kind}", cursor.fetchone()[0], value)
        long = "\u53f0" * 300_000
        cursor.execute("SELECT LEN(%s), DATALENGTH(%s)", (long, pytds.Binary(b"\x00\x01" * 300_000)))
        equal("long parameters", cursor.fetchone(), (300_000, 600_000))
        cursor.execute("SELECT CASE WHEN %s IS NULL THEN N'null' END", (None,))
        equal("a NULL parameter", cursor.fetchone()[0], "null")


def calls():
    with session() as (connection, cursor):
        cursor.execute("SELECT %(a)s + %(b)s, %(a)s", {"a": 1, "b": 2})
        equal("named parameters", cursor.fetchall(), [(3, 1)])
        cursor.execute("SELECT name FROM sys.databases WHERE name = %s", ("MSDB",))
        equal("collation", cursor.fetchall(), [("msdb",)])
        out = pytds.output(param_type="int", value=4)
        got = cursor.callproc("sp_executesql", ("SET @x = @x * 10; RETURN", "@x int OUTPUT", out))
        equal("an output parameter", got[2], 40)
        equal("the return status", cursor.get_proc_return_status(), 0)
        error = raises("no such procedure", pytds.Error, lambda: cursor.callproc("dbo.nothing", ()))
        equal("2812", error.number, 2812)
        cursor.callproc("sp_executesql", ("SELECT 1 AS a; PRINT N'between'; SELECT 2 AS b",))
        equal("first set of a call", cursor.fetchall(), [(1,)])
        cursor.nextset()
        equal("second set of a call", cursor.fetchall(), [(2,)])
        cursor.executemany("SELECT %s", [(n,) for n in range(5)])
        equal("the session goes on", one(cursor, "SELECT 7"), 7)


def chains():
    with session() as (connection, cursor):
        full, log = full_and_last_log(lambda sql: one(cursor, sql))
        cursor.execute(restore(full, "WirePytds"))
        seen = numbers(cursor)
        equal("progress", seen[:4], [3211] * 4)
        equal("what was done, and that it was", (4035 in seen, seen[-1]), (True, 3014))
        error = raises("a log that is too recent", pytds.Error, lambda: cursor.execute(restore_log(log, "WirePytds")))
        equal("the whole chain", numbers(cursor), [4305, 3013])
        true("its texts", "is terminating abnormally" in str(error) and "too recent to apply" in str(error))


def transactions():
    with session(autocommit=False) as (connection, cursor):
        equal("one is open", one(cursor, "SELECT @@TRANCOUNT"), 1)
        cursor.execute("CREATE TABLE #t (a int); INSERT #t VALUES (1)")
        connection.commit()
        cursor.execute("INSERT #t VALUES (2)")
        connection.rollback()
        equal("rolled back", one(cursor, "SELECT COUNT(*) FROM #t"), 1)
        connection.autocommit = True
        equal("none is open", one(cursor, "SELECT @@TRANCOUNT"), 0)
        cursor.execute("BEGIN TRAN; INSERT #t VALUES (3); ROLLBACK")
        equal("by text", one(cursor, "SELECT COUNT(*) FROM #t"), 1)


def cancel():
    with session(timeout=1) as (connection, cursor):
        began = time.monotonic()
        raises("a timeout", (pytds.Error, OSError), lambda: cursor.execute("WAITFOR DELAY '00:00:30'"))
        true("in time", time.monotonic() - began < 10)
    with session() as (connection, cursor):
        cursor.execute(MANY_ROWS)
        cursor.fetchone()
        cursor.cancel()
        equal("a cancelled result is over", one(cursor, "SELECT 7"), 7)
        cursor.execute(MANY_ROWS)
        cursor.fetchone()
        equal("so is one left unread", one(cursor, "SELECT 8"), 8)


def reset():
    pooled = {"pooling": True}
    with session(**pooled) as (connection, cursor):
        cursor.execute("USE msdb; CREATE TABLE #kept (a int); SET NOCOUNT ON; BEGIN TRAN")
        number = one(cursor, "SELECT @@SPID")
    with session(**pooled) as (connection, cursor):
        equal("the same session", one(cursor, "SELECT @@SPID"), number)
        equal("its database", one(cursor, "SELECT DB_NAME()"), "master")
        equal("its transaction", one(cursor, "SELECT @@TRANCOUNT"), 0)
        equal("its tables", one(cursor, "SELECT OBJECT_ID(N'tempdb..#kept')"), None)


for check in (logins, batches, types, calls, chains, transactions, cancel, reset):
    run(check.__name__, check)
finish()
