#!/usr/bin/env bash
# What our T-SQL parser accepts, Microsoft's parsers accept; what the product itself sends, too.
#
# DRBOOK_TSQL_ORACLE = the command that judges files (default: ../shared/tools/tsql_oracle.py in a virtual environment
# that is made here). Without it nothing is judged, and that is said. DRBOOK_TSQL_MUTATIONS = how many broken statements.
set -euo pipefail
cd "$(dirname "$0")/.."

oracle=${DRBOOK_TSQL_ORACLE:-}
if [ -z "$oracle" ]; then
    tool=../shared/tools/tsql_oracle.py
    if [ ! -f "$tool" ]; then
        echo "T-SQL oracle: skipped, there is no $tool and DRBOOK_TSQL_ORACLE is not set"
        exit 0
    fi
    venv=${TSQL_ORACLE_HOME:-$HOME/.cache/tsql-oracle}/venv
    if ! { [ -x "$venv/bin/python" ] || python3 -m venv "$venv"; } \
        || ! "$venv/bin/pip" install -q pythonnet==3.2.1 \
        || ! { "$venv/bin/python" "$tool" --selftest >/dev/null 2>&1 || "$venv/bin/python" "$tool" --install >/dev/null; }; then
        echo "T-SQL oracle: skipped, it cannot be installed here (Linux, Python 3.10 and a package index are needed)"
        exit 0
    fi
    oracle="$venv/bin/python $tool"
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
DRBOOK_TSQL_ACCEPTED=$folder DRBOOK_TSQL_MUTATIONS=${DRBOOK_TSQL_MUTATIONS:-2000} \
    cargo test --locked --lib -q tsql >/dev/null
echo "T-SQL oracle: $(wc -l <"$folder/accepted.jsonl") batches that our parser accepted"

# one parser alone may be wrong (DISPUTED); both together are right
judge() {
    # shellcheck disable=SC2086 # the oracle is a command with its arguments
    $oracle --versions "$1" "${@:2}" >"$folder/answer" 2>&1 || true
    tail -1 "$folder/answer"
    if ! tail -1 "$folder/answer" | grep -q ' 0 invalid'; then
        grep INVALID "$folder/answer" | head -40
        return 1
    fi
}
judge 150 "$folder/accepted.jsonl"
mapfile -t shipped < <(find assets/sql -name '*.sql' | sort)
judge 150 "${shipped[@]}"
