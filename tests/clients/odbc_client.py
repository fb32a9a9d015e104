"""pyodbc over Microsoft's ODBC driver 18 (as mssql-python carries it) and over FreeTDS' driver, one after the other."""

import datetime
import decimal
import glob
import importlib.util
import os
import sys
import threading
import time
import uuid

import pyodbc

from checks import (
    HOST, MANY_ROWS, NAME, PASSWORD, PORT, ROWS, TYPES, equal, finish, full_and_last_log, raises, restore,
    restore_log, run, true,
)

pyodbc.pooling = False


def drivers():
    """Name and library of every driver that is here."""
    found = {}
    for path in glob.glob("/usr/lib/*/odbc/libtdsodbc.so") + glob.glob("/usr/lib*/libtdsodbc.so*"):
        found.setdefault("FreeTDS", path)
    for path in glob.glob("/opt/microsoft/msodbcsql18/lib*/libmsodbcsql-18*.so*"):
        found.setdefault("Microsoft", path)
    carrier = importlib.util.find_spec("mssql_python_odbc") or importlib.util.find_spec("mssql_python")
    if carrier and carrier.origin:
        machine = "arm64" if os.uname().machine in ("arm64", "aarch64") else "x86_64"
        for flavour in ("debian_ubuntu", "rhel"):
            pattern = f"libs/linux/{flavour}/{machine}/lib/libmsodbcsql-18*.so*"
            for path in glob.glob(os.path.join(os.path.dirname(carrier.origin), pattern)):
                found.setdefault("Microsoft", path)
    return found


def connect(driver, extra="", autocommit=True, password=PASSWORD):
    name, path = driver
    password = "{" + password.replace("}", "}}") + "}"
    if name == "Microsoft":
        text = f"DRIVER={path};SERVER={HOST},{PORT};UID=sa;PWD={password};"
        if "Encrypt" not in extra:
            extra += "Encrypt=no;"
    else:
        text = f"DRIVER={path};SERVER={HOST};PORT={PORT};UID=sa;PWD={password};TDS_Version=7.4;ClientCharset=UTF-8;"
    return pyodbc.connect(text + extra, autocommit=autocommit, timeout=10)


def one(cursor, sql, *parameters):
    return cursor.execute(sql, *parameters).fetchone()[0]


def logins(driver):
    with connect(driver, "DATABASE=msdb;APP=drill;") as connection:
        cursor = connection.cursor()
        equal("server name", one(cursor, "SELECT @@SERVERNAME"), NAME)
        equal("database and program", one(cursor, "SELECT DB_NAME() + '/' + APP_NAME()"), "msdb/drill")
        equal("what the driver takes it for", connection.getinfo(pyodbc.SQL_DBMS_NAME), "Microsoft SQL Server")
    if driver[0] == "Microsoft":
        for extra in ("Encrypt=no;", "Encrypt=yes;TrustServerCertificate=yes;"):
            with connect(driver, extra) as connection:
                equal(extra, one(connection.cursor(), "SELECT 1"), 1)
    else:
        for extra in ("Encryption=off;", "Encryption=request;", "Encryption=require;"):
            with connect(driver, extra) as connection:
                equal(extra, one(connection.cursor(), "SELECT 1"), 1)
    error = raises("a wrong password", pyodbc.Error, lambda: connect(driver, password="wrong"))
    if driver[0] == "Microsoft":
        equal("28000", error.args[0], "28000")
    true("18456", "18456" in error.args[1])
    error = raises("a database that is not there", pyodbc.Error, lambda: connect(driver, "DATABASE=nowhere;"))
    true("4060", "4060" in str(error) or "18456" in str(error))


def batches(driver):
    with connect(driver) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1 AS a, N'x' AS b; SELECT 2 AS c; SELECT 3 AS d WHERE 1 = 0")
        equal("names", [column[0] for column in cursor.description], ["a", "b"])
        equal("first set", [tuple(row) for row in cursor.fetchall()], [(1, "x")])
        equal("there is a second", cursor.nextset(), True)
        equal("second set", [tuple(row) for row in cursor.fetchall()], [(2,)])
        equal("there is a third", cursor.nextset(), True)
        equal("third set is empty", cursor.fetchall(), [])
        true("and no fourth", not cursor.nextset())
        rows = cursor.execute(MANY_ROWS).fetchall()
        equal("many packets", len(rows), ROWS)
        true("in order", all(tuple(row) == (n, "row \u00e9\u53f0") for n, row in enumerate(rows)))
        cursor.execute("SELECT REPLICATE(CAST(N'\u53f0\u5317' AS nvarchar(max)), 50000)")
        equal("a long text", cursor.fetchone()[0], "\u53f0\u5317" * 50000)
        cursor.execute("PRINT N'hello'; RAISERROR(N'low', 10, 1); SELECT 1 AS a")
        told = " ".join(text for _, text in cursor.messages)
        true("messages", "hello" in told and "low" in told)
        cursor.execute("CREATE TABLE #t (a int NOT NULL, b nvarchar(max), c varbinary(20))")
        cursor.executemany("INSERT #t VALUES (?, ?, ?)", [(1, "x", b"y"), (2, None, None)])
        equal("rows changed", cursor.execute("UPDATE #t SET a = a + 1").rowcount, 2)
        equal("NULLs as parameters", [tuple(r) for r in cursor.execute("SELECT * FROM #t ORDER BY a").fetchall()],
              [(2, "x", b"y"), (3, None, None)])
        error = raises("no such table", pyodbc.Error, lambda: cursor.execute("SELECT * FROM dbo.nothing"))
        equal("42S02", error.args[0], "42S02")
        error = raises("a division by zero", pyodbc.Error, lambda: cursor.execute("SELECT 1 / 0").fetchall())
        true("8134", "8134" in str(error))
        equal("the session goes on", one(cursor, "SELECT 7"), 7)


def types(driver):
    at = datetime.datetime(2026, 11, 20, 21, 4, 5, 123456)
    wanted = [
        True, 255, -300, -70000, -(1 << 63), decimal.Decimal("-922337203685477.5808"),
        decimal.Decimal("1.25"), decimal.Decimal("-1.50"), decimal.Decimal("7204000000118400001234567"),
        decimal.Decimal("-1234567890123456789012345678.0123456789"), 1.5, -0.1, at.date(), at.time(),
        datetime.time(21, 4, 5), at.replace(second=0, microsecond=0), at.replace(microsecond=123000), at,
        datetime.datetime(1, 1, 1), None, "6F9619FF-8B86-D011-B42D-00C04FC964FF", "\u00e9   ", "\u00e9\u20ac",
        "\u00e9\u20ac", "\u53f0   ", "\u53f0\u5317", "\u53f0\u5317", b"\x01\x00\x00", b"\x01\x02", b"\x01\x02\x03",
    ]
    with connect(driver) as connection:
        cursor = connection.cursor()
        for (kind, literal), value in zip(TYPES, wanted, strict=True):
            if kind.startswith("datetimeoffset"):
                continue  # pyodbc has no type for it
            cursor.execute(f"SELECT CAST({literal} AS {kind}), CAST(NULL AS {kind})")
            got, null = cursor.fetchone()
            # FreeTDS gives times to the second, and pyodbc keeps what a driver shows
            if isinstance(got, datetime.time) and driver[0] == "FreeTDS":
                got, value = got.replace(microsecond=0), value.replace(microsecond=0)
            equal(kind, (got, null), (value, None))
        for value, declared in [
            (True, "bit"), (7, "int"), (1 << 40, "bigint"), (decimal.Decimal("-1.50"), "decimal(9,2)"), (1.5, "float"),
            (at.date(), "date"), (at, "datetime2(6)"), ("\u53f0\u5317", "nvarchar(10)"), (b"\x01\x02", "varbinary(10)"),
            (uuid.UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF"), "uniqueidentifier"),
        ]:
            cursor.execute("CREATE TABLE #p (v %s)" % declared)
            cursor.execute("INSERT #p VALUES (?)", value)
            equal(f"{declared} as a parameter", one(cursor, "SELECT COUNT(*) FROM #p WHERE v = ?", value), 1)
            cursor.execute("INSERT #p VALUES (?)", None)
            equal(f"NULL {declared}", one(cursor, "SELECT COUNT(*) FROM #p WHERE v IS NULL"), 1)
            cursor.execute("DROP TABLE #p")
        long, image = "\u53f0" * 30_000, b"\x00\x01" * 30_000
        cursor.execute("CREATE TABLE #l (t nvarchar(max), b varbinary(max))")
        cursor.execute("INSERT #l VALUES (?, ?)", long, image)
        equal("long parameters", tuple(cursor.execute("SELECT t, b FROM #l").fetchone()), (long, image))


def calls(driver):
    with connect(driver) as connection:
        cursor = connection.cursor()
        cursor.execute("{call sp_executesql(?, ?, ?)}", "SELECT @a + 1", "@a int", 4)
        equal("an ODBC call", cursor.fetchone()[0], 5)
        cursor.execute("EXEC sp_executesql N'SELECT @a', N'@a int', ?", 6)
        equal("EXEC with a parameter", cursor.fetchone()[0], 6)
        for n in range(3):
            equal("prepared", one(cursor, "SELECT ? + 1", n), n + 1)
        types = [row[0] for row in cursor.getTypeInfo(pyodbc.SQL_WVARCHAR).fetchall()]
        true("types of the server", "nvarchar" in types)


def chains(driver):
    name = "Wire" + driver[0]
    with connect(driver) as connection:
        cursor = connection.cursor()
        full, log = full_and_last_log(lambda sql: one(cursor, sql))
        cursor.execute(restore(full, name))
        told = [text for _, text in cursor.messages]
        while cursor.nextset():
            told += [text for _, text in cursor.messages]
        progress = [text for text in told if "percent processed" in text]
        equal("progress", len(progress), 4)
        error = raises("a log that is too recent", pyodbc.Error, lambda: cursor.execute(restore_log(log, name)))
        # pyodbc shows the first record of the chain
        true("4305", "4305" in str(error))
        equal("the session goes on", one(cursor, "SELECT 7"), 7)


def transactions(driver):
    with connect(driver, autocommit=False) as connection:
        cursor = connection.cursor()
        equal("one is open", one(cursor, "SELECT @@TRANCOUNT"), 1)
        cursor.execute("CREATE TABLE #t (a int); INSERT #t VALUES (1)")
        connection.commit()
        cursor.execute("INSERT #t VALUES (2)")
        connection.rollback()
        equal("rolled back", one(cursor, "SELECT COUNT(*) FROM #t"), 1)


def cancel(driver):
    with connect(driver) as connection:
        cursor = connection.cursor()
        began = time.monotonic()
        threading.Timer(0.5, cursor.cancel).start()
        raises("a cancelled statement", pyodbc.Error, lambda: cursor.execute("WAITFOR DELAY '00:00:30'").fetchall())
        true("in time", time.monotonic() - began < 10)
        equal("the session goes on", one(connection.cursor(), "SELECT 7"), 7)
    with connect(driver) as connection:
        connection.timeout = 1
        began = time.monotonic()
        raises("a timeout", pyodbc.Error, lambda: connection.cursor().execute("WAITFOR DELAY '00:00:30'"))
        true("in time", time.monotonic() - began < 15)
        connection.timeout = 0
        equal("the session goes on after it", one(connection.cursor(), "SELECT 8"), 8)
    with connect(driver) as connection:
        cursor = connection.cursor()
        cursor.execute(MANY_ROWS).fetchone()
        cursor.close()
        equal("a result left unread", one(connection.cursor(), "SELECT 9"), 9)


here = drivers()
if "--drivers" in sys.argv:
    print(here)
    sys.exit(0 if here else 1)
for driver in here.items():
    for check in (logins, batches, types, calls, chains, transactions, cancel):
        run(f"{driver[0]}: {check.__name__}", lambda: check(driver))
finish()
