#!/bin/sh
# Rewrites the hash-locked requirements. Run when a dependency in pyproject.toml changes; needs uv on the PATH.
# Releases wait a week before they may enter a lock: a poisoned release is usually found within days.
set -eu
cd "$(dirname "$0")"
newer_than=$(date -u -d '7 days ago' +%Y-%m-%dT00:00:00Z)
common="--universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q"
# shellcheck disable=SC2086
uv pip compile pyproject.toml --all-extras --group build $common --exclude-newer "$newer_than" -o requirements/runtime.txt
# shellcheck disable=SC2086
uv pip compile pyproject.toml --all-extras --group build --group test $common --exclude-newer "$newer_than" \
  -c requirements/runtime.txt -o requirements/dev.txt
# shellcheck disable=SC2086
uv pip compile requirements/convert.in $common --exclude-newer "$newer_than" -o requirements/convert.txt
# shellcheck disable=SC2086
uv pip compile requirements/spark.in $common --exclude-newer "$newer_than" -o requirements/spark.txt
