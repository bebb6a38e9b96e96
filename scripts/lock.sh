#!/usr/bin/env bash
# Renew the locked dependencies. Needs uv, which is used for nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet pyproject.toml "$@"; }
compile --group build -o requirements.lock
compile --group dev --constraint requirements.lock -o requirements-dev.lock
