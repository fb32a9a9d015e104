"""FreeTDS' own programs: tsql, bsqldb, fisql, as a person at a shell uses them."""

import os
import re
import shutil
import subprocess
import tempfile

from checks import HOST, NAME, PASSWORD, PORT, equal, finish, run, true

FOLDER = tempfile.mkdtemp()
CONFIGURATION = os.path.join(FOLDER, "freetds.conf")


def configure(version="7.4", encryption="request"):
    with open(CONFIGURATION, "w", encoding="utf-8") as file:
        file.write(
            f"[sandbox]\nhost = {HOST}\nport = {PORT}\ntds version = {version}\nencryption = {encryption}\n"
            "client charset = UTF-8\n"
        )


def told(program, text, *arguments, password=PASSWORD):
    environment = dict(os.environ, FREETDSCONF=CONFIGURATION, LC_ALL="C.UTF-8")
    command = [program, "-S", "sandbox", "-U", "sa", "-P", password, *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, env=environment, check=False)
    return done.returncode, done.stdout + done.stderr


def tsql():
    for encryption in ("off", "request", "require"):
        configure(encryption=encryption)
        _, text = told("tsql", "SELECT @@SERVERNAME, DB_NAME()\ngo\n", "-D", "msdb")
        true(f"encryption {encryption}", f"{NAME}\tmsdb" in text)
    for version in ("7.2", "7.3", "7.4"):
        configure(version)
        _, text = told("tsql", "SELECT N'é台', CAST('2026-11-20' AS date)\ngo\n")
        true(f"TDS {version}", "é台\t" in text and re.search(r"2026-11-20|Nov 20 2026", text))
    configure()
    _, text = told("tsql", "SELECT 1\ngo\nSELECT 1/0\ngo\nSELECT * FROM nothing\ngo\nSELECT 7\ngo\n")
    true("one row", "(1 row affected)" in text)
    true("8134", "Msg 8134 (severity 16, state 1)" in text)
    true("208", "Msg 208 (severity 16, state 1)" in text and "Invalid object name 'nothing'." in text)
    true("and on", "\n7\n" in text)
    _, text = told("tsql", "PRINT 'hello'\nRAISERROR('low', 10, 1)\nUSE msdb\ngo\n")
    true("messages", "hello" in text and "low" in text)
    _, text = told("tsql", "RESTORE DATABASE x FROM DISK = 'C:\\nothing.bak'\ngo\n")
    first, last = text.find("Msg 3201"), text.find("Msg 3013")
    true("a whole chain in its order", 0 <= first < last)
    code, text = told("tsql", "", password="wrong")
    true("a wrong password", code != 0 and "Login failed for user 'sa'." in text)
    configure("7.1")
    _, text = told("tsql", "")
    true("TDS 7.1 is told what it lacks", "not modelled: TDS 7.1" in text)
    configure()


def bsqldb():
    code, text = told("bsqldb", "SELECT name FROM sys.databases WHERE database_id <= 4 ORDER BY database_id\ngo\n", "-h")
    equal("ends well", code, 0)
    equal("rows", [line.strip() for line in text.splitlines() if line.strip() in ("master", "tempdb", "model", "msdb")],
          ["master", "tempdb", "model", "msdb"])


def fisql():
    _, text = told("fisql", "SELECT 41 + 1\ngo\nEXEC sp_executesql N'SELECT @a', N'@a int', 5\ngo\nexit\n")
    true("a sum", re.search(r"\b42\b", text))
    true("a call", re.search(r"\b5\b", text))


def bulk():
    if not shutil.which("freebcp"):
        return
    data = os.path.join(FOLDER, "rows")
    with open(data, "w", encoding="utf-8") as file:
        file.write("1\n")
    environment = dict(os.environ, FREETDSCONF=CONFIGURATION)
    command = ["freebcp", "BizTalkMgmtDb.dbo.adm_Server", "in", data, "-c", "-S", "sandbox", "-U", "sa", "-P", PASSWORD]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)
    true("bulk load is refused", done.returncode != 0)


for check in (tsql, bsqldb, fisql, bulk):
    program = check.__name__
    if program == "bulk" or shutil.which(program):
        run(program, check)
shutil.rmtree(FOLDER)
finish()
