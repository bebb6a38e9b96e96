#!/usr/bin/env bash
# Install what the tests run against: Chromium, PostgreSQL 15 with PostGIS 3, R with its references.
# Does nothing where all of it is there. Elsewhere than in CI a refusal is told and the tests that
# need the tool are skipped with that reason; in CI it is a failure.
set -u
wanted=()
[ -x /usr/bin/chromium-headless-shell ] || wanted+=(chromium-headless-shell fonts-liberation)
[ -f /usr/share/postgresql/15/extension/postgis.control ] || wanted+=(postgresql-15-postgis-3)
Rscript -e 'library(glmnet); library(MASS)' >/dev/null 2>&1 || wanted+=(r-cran-glmnet r-cran-mass)
[ ${#wanted[@]} -eq 0 ] && exit 0
echo "installing for the tests: ${wanted[*]}" >&2
refused() {
  echo "could not install ${wanted[*]}: $1; tests that need them will be skipped" >&2
  [ -z "${CI:-}" ] || exit 1
  exit 0
}
command -v apt-get >/dev/null || refused "no apt-get on this machine"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null || refused "not root and no sudo without a password"
  as_root="sudo -n"
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq || refused "apt-get update failed"
$as_root apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null || refused "apt-get install failed"
