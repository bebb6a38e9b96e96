#!/usr/bin/env bash
# Say in one line what this machine lacks to set up Safer Ground; say nothing if it lacks nothing.
set -u
python=${PYTHON:-python3}
missing() { echo "Safer Ground cannot be set up here: $1" >&2; exit 1; }
command -v "$python" >/dev/null || missing "Python 3.11 or later is missing (Debian: apt-get install python3 python3-venv, or set PYTHON=...)"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || missing "$("$python" --version) is too old; Python 3.11 or later is needed (set PYTHON=...)"
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing "Python's venv module is missing (Debian: apt-get install python3-venv)"
command -v npm >/dev/null || missing "npm is missing; Node.js 20 or later is needed for the browser assets"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null \
  || missing "Node.js $(node --version 2>/dev/null || echo '(none)') is too old; 20 or later is needed for the browser assets"
