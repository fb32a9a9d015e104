#!/usr/bin/env bash
# Asks a sandbox of its own with clients that others wrote.
#
#   tests/clients/run.sh                      every client that can be had here; those that cannot are named
#   tests/clients/run.sh --required pytds …   these and no others; one that cannot be had is a failure
#
# DRBOOK: the program (else target/debug/drbook, built when it is not there). CLIENTS_FOLDER: where clients are
# installed (else target/clients). Ends with non-zero status when a check failed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
all="pytds pymssql freetds mssql_python odbc tedious"
required=0
[ "${1:-}" = --required ] && { required=1; shift; }
wanted="${*:-$all}"
folder=${CLIENTS_FOLDER:-$root/target/clients}
mkdir -p "$folder" && folder=$(cd "$folder" && pwd)
log=$folder/log
: >"$log"

if [ -z "${DRBOOK:-}" ]; then
    DRBOOK=$root/target/debug/drbook
    [ -x "$DRBOOK" ] || (cd "$root" && cargo build --locked) || exit 1
fi

# The clients -------------------------------------------------------------------------------------------------

as_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
apt() { as_root && { apt-get install -y "$@" || { apt-get update && apt-get install -y "$@"; }; } >>"$log" 2>&1; }

python=$folder/python/bin/python
have_python() {
    [ -x "$python" ] && "$python" -m pip --version >/dev/null 2>&1 && return
    command -v python3 >/dev/null || apt python3 || return
    rm -rf "$folder/python"
    python3 -m venv "$folder/python" >>"$log" 2>&1 || { apt python3-venv && python3 -m venv "$folder/python" >>"$log" 2>&1; }
}
pip() { have_python && "$python" -m pip install --quiet --disable-pip-version-check "$@" >>"$log" 2>&1; }
npm_package() {
    command -v npm >/dev/null || return
    mkdir -p "$folder/node" && (cd "$folder/node" && npm install --silent --no-audit --no-fund --prefix . "$@" >>"$log" 2>&1)
}

# Installs a client: `why` says what was missing when it cannot be had.
have() {
    case $1 in
    pytds) why="python-tds from PyPI"; pip 'python-tds>=1.17,<2' 'pyOpenSSL>=24' ;;
    pymssql) why="pymssql from PyPI"; pip 'pymssql>=2.3,<3' ;;
    mssql_python) why="mssql-python from PyPI, which carries Microsoft's ODBC driver 18"; pip 'mssql-python>=1,<2' ;;
    odbc)
        why="pyodbc from PyPI, and FreeTDS' ODBC driver (tdsodbc) or Microsoft's (mssql-python)"
        pip 'pyodbc>=5,<6' || return
        pip 'mssql-python>=1,<2'
        ls /usr/lib/*/odbc/libtdsodbc.so >/dev/null 2>&1 || apt tdsodbc
        "$python" "$here/odbc_client.py" --drivers >>"$log" 2>&1
        ;;
    freetds)
        why="tsql and bsqldb (freetds-bin)"
        { command -v tsql && command -v bsqldb; } >/dev/null || apt freetds-bin || return
        have_python
        ;;
    tedious) why="npm with tedious and mssql"; npm_package 'tedious@>=18' 'mssql@>=11' ;;
    *) why="a client of that name"; false ;;
    esac
}
ask() {
    case $1 in
    tedious) NODE_PATH=$folder/node/node_modules timeout 120 node "$here/tedious_client.cjs" ;;
    *) PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 timeout 120 "$python" "$here/$1_client.py" ;;
    esac
}

# The sandbox -------------------------------------------------------------------------------------------------

state=$(mktemp -d)
estate=$state/estate.yaml
sandbox=
stop() {
    [ -n "$sandbox" ] && kill "$sandbox" 2>/dev/null && wait "$sandbox" 2>/dev/null
    rm -rf "$state"
}
trap stop EXIT
export SANDBOX_PASSWORD="Rehëarse's ${RANDOM}${RANDOM}" SANDBOX_NAME=PRODSQL1
serve() {
    : >"$estate"
    DRBOOK_SANDBOX_PASSWORD=$SANDBOX_PASSWORD "$DRBOOK" sandbox serve --world biztalk --state "$state/world" \
        >"$estate" 2>>"$log" &
    sandbox=$!
    for _ in $(seq 300); do
        grep -qx ready "$estate" && break
        kill -0 "$sandbox" 2>/dev/null || break
        sleep 0.1
    done
    grep -qx ready "$estate" || { echo "the sandbox does not start:"; tail -5 "$log"; exit 1; }
    of() { awk -v key="$1:" -v name="  $SANDBOX_NAME:" '$0 == name { on = 1 } on && $1 == key { print $2; exit }' <(sed '1,/^servers:/d' "$estate"); }
    SANDBOX_PORT=$(of port)
    SANDBOX_CA=$(of ca)
    export SANDBOX_PORT SANDBOX_CA
}

# The asking --------------------------------------------------------------------------------------------------

serve
failed=
skipped=
for client in $wanted; do
    if ! have "$client"; then
        if [ $required = 1 ]; then
            echo "$client: FAILED, cannot be had here: $why"
            tail -5 "$log"
            failed="$failed $client"
        else
            echo "$client: skipped, cannot be had here: $why"
            skipped="$skipped $client"
        fi
        continue
    fi
    echo "$client"
    ask "$client" || failed="$failed $client"
done
[ -n "$skipped" ] && echo "skipped:$skipped"
if [ -n "$failed" ]; then
    echo "FAILED:$failed"
    exit 1
fi
echo "every client that was asked was answered as it should be"
