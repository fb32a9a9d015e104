"""mssql-python: Microsoft's own, over its ODBC driver 18. The other checks of that driver are in odbc_client.py."""

import datetime
import decimal
import uuid

import mssql_python

from checks import (
    HOST, MANY_ROWS, NAME, PASSWORD, PORT, ROWS, equal, finish, full_and_last_log, raises, restore, restore_log, run,
    true,
)


def connect(extra="Encrypt=no;", autocommit=True, password=PASSWORD):
    password = "{" + password.replace("}", "}}") + "}"
    return mssql_python.connect(f"Server={HOST},{PORT};UID=sa;PWD={password};{extra}", autocommit=autocommit)


def one(connection, sql, *parameters):
    cursor = connection.cursor()
    cursor.execute(sql, *parameters)
    return cursor.fetchone()[0]


def logins():
    for extra in ("Encrypt=no;", "Encrypt=yes;TrustServerCertificate=yes;"):
        connection = connect(extra + "Database=msdb;")
        equal(extra, one(connection, "SELECT DB_NAME()"), "msdb")
        equal("server name", one(connection, "SELECT @@SERVERNAME"), NAME)
        connection.close()
    error = raises("a wrong password", mssql_python.Error, lambda: connect(password="wrong"))
    true("says who", "Login failed for user 'sa'." in str(error))
    error = raises("TLS from the first byte, with an unknown authority", mssql_python.Error, lambda: connect("Encrypt=strict;"))
    true("the certificate is looked at", "certificate" in str(error).lower())


def statements():
    connection = connect()
    cursor = connection.cursor()
    cursor.execute("SELECT 1 AS a; SELECT N'x' AS b")
    equal("first set", [tuple(row) for row in cursor.fetchall()], [(1,)])
    equal("there is a second", cursor.nextset(), True)
    equal("second set", [tuple(row) for row in cursor.fetchall()], [("x",)])
    cursor.execute(MANY_ROWS)
    equal("many packets", len(cursor.fetchall()), ROWS)
    at = datetime.datetime(2026, 11, 20, 21, 4, 5, 123456)
    for value in (
        True, 7, 1 << 40, 1.5, "\u53f0\u5317", "x" * 10_000, b"\x00\x01" * 10_000, decimal.Decimal("-1.50"), at, at.date(),
        uuid.UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF"), None,
    ):
        cursor.execute("SELECT ?", value)
        equal(f"parameter {str(value)[:20]}", cursor.fetchone()[0], value)
    cursor.execute("SELECT name FROM sys.databases WHERE name = ?", "MSDB")
    equal("collation", [tuple(row) for row in cursor.fetchall()], [("msdb",)])
    cursor.execute("CREATE TABLE #t (a int, b varbinary(20))")
    cursor.executemany("INSERT #t VALUES (?, ?)", [(n, None) for n in range(20)])
    equal("many at once", one(connection, "SELECT COUNT(*) FROM #t"), 20)
    error = raises("no such table", mssql_python.Error, lambda: cursor.execute("SELECT * FROM dbo.nothing"))
    true("named", "Invalid object name 'dbo.nothing'." in str(error))
    equal("the session goes on", one(connection, "SELECT 7"), 7)
    full, log = full_and_last_log(lambda sql: one(connection, sql))
    cursor.execute(restore(full, "WireMssqlPython"))
    while cursor.nextset():
        pass
    error = raises("a log that is too recent", mssql_python.Error, lambda: cursor.execute(restore_log(log, "WireMssqlPython")))
    true("4305", "too recent to apply" in str(error))
    connection.close()


def transactions():
    connection = connect(autocommit=False)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE #t (a int); INSERT #t VALUES (1)")
    equal("one is open", one(connection, "SELECT @@TRANCOUNT"), 1)
    connection.commit()
    cursor.execute("INSERT #t VALUES (2)")
    connection.rollback()
    equal("rolled back", one(connection, "SELECT COUNT(*) FROM #t"), 1)
    connection.close()


for check in (logins, statements, transactions):
    run(check.__name__, check)
finish()
