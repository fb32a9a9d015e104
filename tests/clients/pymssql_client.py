"""pymssql: FreeTDS's db-lib under Python; parameters are put into the text."""

import datetime
import decimal
import time
import uuid

import pymssql
from pymssql import _mssql

from checks import (
    HOST, MANY_ROWS, NAME, PASSWORD, PORT, ROWS, TYPES, equal, finish, full_and_last_log, raises, restore,
    restore_log, run, true,
)


def connect(**options):
    wanted = {
        "server": HOST, "port": PORT, "user": "sa", "password": PASSWORD, "autocommit": True, "login_timeout": 10,
        "timeout": 60, "charset": "UTF-8", "tds_version": "7.4",
    }
    wanted.update(options)
    return pymssql.connect(**wanted)


def one(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


def number(error):
    """The number of the first error of the chain that db-lib kept."""
    first = error.args[0]
    return first[0] if isinstance(first, tuple) else first


def logins():
    # default: encrypted when the server can; off: in clear; require: all of it
    for encryption in (None, "off", "request", "require"):
        options = {} if encryption is None else {"encryption": encryption}
        with connect(database="msdb", appname="drill", **options) as connection:
            equal(f"logged in, encryption {encryption}", one(connection, "SELECT DB_NAME() + '/' + APP_NAME()"), "msdb/drill")
            equal("server name", one(connection, "SELECT @@SERVERNAME"), NAME)
    for version in ("7.2", "7.3", "7.4"):
        with connect(tds_version=version) as connection:
            equal(f"TDS {version}", one(connection, "SELECT N'\u53f0'"), "\u53f0")
    error = raises("a wrong password", pymssql.Error, lambda: connect(password="wrong"))
    equal("18456", number(error), 18456)
    error = raises("a database that is not there", pymssql.Error, lambda: connect(database="nowhere"))
    true("4060 and 18456", "4060" in str(error) or "18456" in str(error))
    error = raises("TDS 7.1", pymssql.Error, lambda: connect(tds_version="7.1"))
    true("is told what it lacks", "not modelled: TDS 7.1" in str(error))


def batches():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 AS a, N'x' AS b; SELECT 2 AS c; SELECT 3 AS d WHERE 1 = 0")
        equal("names", [column[0] for column in cursor.description], ["a", "b"])
        equal("first set", cursor.fetchall(), [(1, "x")])
        equal("there is a second", cursor.nextset(), 1)
        equal("second set", cursor.fetchall(), [(2,)])
        equal("there is a third", cursor.nextset(), 1)
        equal("third set is empty", cursor.fetchall(), [])
        true("and no fourth", not cursor.nextset())
        cursor.execute(MANY_ROWS)
        rows = cursor.fetchall()
        equal("many packets", len(rows), ROWS)
        true("in order", all(row == (n, "row \u00e9\u53f0") for n, row in enumerate(rows)))
        cursor.execute("SELECT REPLICATE(CAST(N'\u53f0\u5317' AS nvarchar(max)), 20000)")
        equal("a long text", cursor.fetchone()[0], "\u53f0\u5317" * 20000)
        cursor.execute("CREATE TABLE #t (a int NOT NULL, b nvarchar(max)); INSERT #t VALUES (1, N'x'), (2, NULL)")
        cursor.execute("UPDATE #t SET a = a + 1")
        equal("rows changed", cursor.rowcount, 2)
        error = raises("a division by zero", pymssql.Error, lambda: (cursor.execute("SELECT 1 / 0"), cursor.fetchall()))
        equal("8134", number(error), 8134)
        error = raises("no such table", pymssql.Error, lambda: cursor.execute("SELECT * FROM dbo.nothing"))
        equal("208", number(error), 208)
        equal("the session goes on", one(connection, "SELECT 7"), 7)


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
    with connect() as connection, connection.cursor() as cursor:
        for (kind, literal), value in zip(TYPES, wanted, strict=True):
            cursor.execute(f"SELECT CAST({literal} AS {kind}), CAST(NULL AS {kind})")
            equal(kind, cursor.fetchone(), (value, None))
        cursor.execute("SELECT %s, %d, %s, %s", ("it's \u53f0", 7, None, at.replace(microsecond=0)))
        equal("parameters in the text", cursor.fetchone()[:3], ("it's \u53f0", 7, None))


def calls():
    with connect() as connection, connection.cursor() as cursor:
        out = pymssql.output(int)
        got = cursor.callproc("sp_executesql", ("SET @x = 40", "@x int OUTPUT", out))
        equal("an output parameter", got[2], 40)
        cursor.callproc("sp_executesql", ("SELECT 1 AS a; SELECT 2 AS b",))
        equal("first set of a call", cursor.fetchall(), [(1,)])
        cursor.nextset()
        equal("second set of a call", cursor.fetchall(), [(2,)])
        error = raises("no such procedure", pymssql.Error, lambda: cursor.callproc("nothing_here", ()))
        equal("2812", number(error), 2812)


def chains():
    told = []
    _mssql.min_error_severity = 11
    low = _mssql.connect(server=HOST, port=str(PORT), user="sa", password=PASSWORD, tds_version="7.4")
    low.set_msghandler(lambda state, severity, server, procedure, line, text: told.append((severity, text.decode())))
    low.execute_non_query("PRINT N'hello'; RAISERROR(N'low', 10, 1)")
    equal("messages", told, [(0, "hello"), (10, "low")])
    full, log = full_and_last_log(low.execute_scalar)
    told.clear()
    low.execute_non_query(restore(full, "WirePymssql"))
    equal("progress", [text for _, text in told][:4], [f"{n} percent processed." for n in (25, 50, 75, 100)])
    told.clear()
    raises("a log that is too recent", _mssql.MSSQLException, lambda: low.execute_non_query(restore_log(log, "WirePymssql")))
    equal("the whole chain", [text.split(" ")[0:2] for _, text in told], [["The", "log"], ["RESTORE", "LOG"]])
    told.clear()
    low.execute_non_query("USE msdb")
    equal("5701", told, [(0, "Changed database context to 'msdb'.")])
    low.close()


def transactions():
    with connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE #t (a int); INSERT #t VALUES (1)")
        equal("one is open", one(connection, "SELECT @@TRANCOUNT"), 1)
        connection.commit()
        cursor.execute("INSERT #t VALUES (2)")
        connection.rollback()
        equal("rolled back", one(connection, "SELECT COUNT(*) FROM #t"), 1)


def cancel():
    connection = connect(timeout=2)
    began = time.monotonic()
    raises("a timeout", pymssql.Error, lambda: one(connection, "WAITFOR DELAY '00:00:30'"))
    true("in time", time.monotonic() - began < 15)
    low = _mssql.connect(server=HOST, port=str(PORT), user="sa", password=PASSWORD, tds_version="7.4")
    low.execute_query(MANY_ROWS)
    low.cancel()
    equal("a cancelled result is over", low.execute_scalar("SELECT 7"), 7)
    low.close()


for check in (logins, batches, types, calls, chains, transactions, cancel):
    run(check.__name__, check)
finish()
