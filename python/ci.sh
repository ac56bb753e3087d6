#!/bin/bash
# Builds the Python package, and runs its tests and Tornado's own on it.
set -euo pipefail
cd "$(dirname "$0")"
venv=${SQUALL_VENV:-target/venv}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
python=$venv/bin/python
"$venv/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.9,<2' 'tornado==6.5.*' 'mypy>=1.18,<3' typing_extensions
cargo fmt --check
cargo clippy --quiet -- -D warnings
VIRTUAL_ENV=$(realpath "$venv") "$venv/bin/maturin" develop --quiet
"$venv/bin/mypy" --strict squall/*.pyi squall/platform/*.pyi
modules="squall.gen squall.concurrent squall.ioloop squall.locks squall.queues squall.platform.asyncio squall.testing"
MYPYPATH=. "$venv/bin/stubtest" $modules --ignore-missing-stub --allowlist tests/stubtest_allowed.txt
"$python" tests/cycles.py
"$python" tests/soundness.py
"$python" tests/asyncio_side.py
"$python" tests/test_tools.py
"$python" tests/test_examples.py
"$python" tests/test_docs.py
"$python" tests/random_programs.py
"$python" tests/tornado_suite.py
"$python" tests/tornado_suite.py --gc gen concurrent locks queues
"$python" tests/tornado_suite.py httpclient httpserver iostream web
