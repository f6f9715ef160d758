#!/bin/sh
# Build the wheel, install it into an environment of its own, and drill from it: what is shipped is what was tested.
#
#   tests/packaging/check_wheel.sh [PYTHON]      (default: .venv/bin/python of the checkout)
#
# It needs no network: the dependencies are those of PYTHON's environment. It takes about a minute, so it is no part of
# the test suite; run it before a release, and after a change to what pyproject.toml ships.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
python=${1:-$root/.venv/bin/python}
work=$(mktemp -d)
estate=
finish() {
  status=$?
  [ -z "$estate" ] || "$estate" -m handrail_sim down "$HANDRAIL_HOME/estates/wheel" >/dev/null 2>&1 || :
  rm -rf "$work"
  [ "$status" -eq 0 ] && echo "the wheel is sound" || echo "the wheel is NOT sound (exit $status)" >&2
}
trap finish EXIT
say() { printf '== %s\n' "$*"; }

say "build"
cp -r "$root/src" "$root/runbooks" "$root/pyproject.toml" "$root/README.md" "$root/LICENSE" "$root/NOTICE" "$work/"
"$python" -m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir "$work/dist" "$work"

say "what is in it"
"$python" - "$work/dist" "$root/runbooks" <<'PYTHON'
import sys, zipfile
from pathlib import Path

archive = zipfile.ZipFile(next(Path(sys.argv[1]).glob("*.whl")))
inside = {name.removeprefix("handrail/shipped/") for name in archive.namelist() if name.startswith("handrail/shipped/")}
there = {
    path.relative_to(sys.argv[2]).as_posix()
    for path in Path(sys.argv[2]).rglob("*")
    if path.is_file() and path.suffix != ".pyc"
}
assert inside == there, f"shipped and not shipped: {sorted(inside ^ there)}"
names = {name.rpartition("/")[2] for name in archive.namelist() if ".dist-info/licenses/" in name}
assert names == {"LICENSE", "NOTICE"}, names
assert not [name for name in archive.namelist() if name.startswith("tests/") or name.endswith(".pyc")]
PYTHON

say "install, beside the dependencies of $python"
"$python" -m venv --without-pip "$work/fresh"
fresh=$work/fresh/bin/python
site=$("$fresh" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# Inside a .pth file a path is only added: the .pth files it holds (an editable Handrail) are not read.
"$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$site/dependencies.pth"
"$python" -m pip --python "$fresh" install --quiet --no-deps --no-index --no-compile "$work"/dist/*.whl
cd "$work"
"$fresh" -c 'import handrail, handrail_sim, sys; assert handrail.__file__.startswith(sys.prefix), handrail.__file__'

# What an installer that knows no modes leaves behind: no stand-in is marked as a program.
find "$site/handrail/shipped" -type f -exec chmod 644 {} +

HANDRAIL_HOME=$work/home
export HANDRAIL_HOME
handrail=$work/fresh/bin/handrail
say "ask it"
"$handrail" --version
"$handrail" --help > /dev/null
"$handrail" explain no-way-back > /dev/null
"$handrail" doctor || :
for runbook in "$site"/handrail/shipped/*.toml; do
  [ ! -e "$runbook" ] || "$handrail" lint "$runbook"
done

if [ -e "$site/handrail/shipped/puppet-failover.toml" ]; then
  say "drill"
  "$handrail" drill puppet-failover --auto
  say "drill, and all the way back (exit 4)"
  code=0
  "$handrail" drill puppet-failover --auto --undo || code=$?
  [ "$code" -eq 4 ]
else
  say "no runbook is shipped yet: bring an estate up"
  estate=$fresh
  "$handrail" estate up wheel
  "$fresh" -m handrail_sim ctl "$HANDRAIL_HOME/estates/wheel" exec web01 'puppet agent -t' |
    "$python" -c 'import json, sys; answer = json.load(sys.stdin); assert answer["rc"] in (0, 2), answer'
  "$handrail" estate down wheel
fi
