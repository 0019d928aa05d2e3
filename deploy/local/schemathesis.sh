#!/usr/bin/env bash
# Holds a running Tipoff against its description: requests made from openapi.yaml,
# good ones and broken ones, must never be answered with a 5xx, nor with a status, a
# type or a body that is not described. They post data: not for a Tipoff that
# anybody uses. Needs python3 with venv, and PyPI.
#
#   schemathesis.sh http://host:5000 [KEY]
#
# SCHEMATHESIS_SECONDS   how long at the most (default: 60)
# SCHEMATHESIS_SEED      of the requests      (default: 1)
set -euo pipefail

url=${1:?usage: schemathesis.sh http://host:5000 [KEY]}
key=${2:-}
version=4.32.5
seconds=${SCHEMATHESIS_SECONDS:-60}

venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
"$venv/bin/pip" install -q --disable-pip-version-check "schemathesis==$version"

header=()
if [ -n "$key" ]; then header=(--header "X-API-Key: $key"); fi
description=$(cd "$(dirname "$0")/../.." && pwd)/http/openapi.yaml
# The stream of the status has no end, so a request for it would not be answered.
cd "$venv" # it leaves files where it runs
"$venv/bin/schemathesis" run "$description" --url "$url" "${header[@]}" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --exclude-path /v1/status/stream \
  --phases examples,coverage,fuzzing --mode all --seed "${SCHEMATHESIS_SEED:-1}" --max-time "$seconds" \
  --continue-on-failure --request-timeout 20 --generation-database none
