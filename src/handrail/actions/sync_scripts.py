"""The shell that a sync sends: copy, send, receive, exchange. POSIX sh; needs tar, find, stat, readlink and cp of any Linux."""

from __future__ import annotations

from typing import Final


def staged(path: str, tag: str) -> str:
    """Return where a directory's new tree is staged, and its old one kept: beside it, on the same file system."""
    return f"{path}.handrail-{tag}"


# $1 live, $2 staged, $3... relative paths that are gone at the source (deepest last in the list is removed first).
COPY: Final = r"""
set -eu
live=$1; staged=$2; shift 2
rm -rf -- "$staged"
cp -a -- "$live" "$staged"
i=$#
while [ "$i" -gt 0 ]; do
  eval "gone=\${$i}"
  rm -rf -- "$staged/$gone"
  i=$((i - 1))
done
"""

# $1 directory; the relative paths stand NUL-separated on standard input, an empty one is the directory itself.
SEND: Final = r"""
set -eu
cd -- "$1"
sed -z 's/^$/./; s|^\([^.]\)|./\1|' | tar --create --file=- --no-recursion --null --verbatim-files-from --files-from=- --format=pax
"""

# $1 directory; what is unpacked replaces what is there, links and all, with mode and owner by name. Not --unlink-first:
# it stumbles over a folder that only gets another mode.
RECEIVE: Final = r"""
set -eu
cd -- "$1"
tar --extract --file=- --preserve-permissions --same-owner --delay-directory-restore
"""

# $1 in|out, $2 tag, $3... live directories. Which tree is the old one is told by its inode, noted before the first exchange,
# so that a second run finishes what a first one began, and never turns it round.
EXCHANGE: Final = r"""
set -eu
way=$1; tag=$2; shift 2
swap() {
  if command -v python3 >/dev/null 2>&1 && python3 - "$1" "$2" <<'P'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
try:
    done = libc.renameat2(-100, os.fsencode(sys.argv[1]), -100, os.fsencode(sys.argv[2]), 2)
except AttributeError:
    done = -1
sys.exit(0 if done == 0 else 1)
P
  then return 0; fi
  mv -T -- "$1" "$2.swap"; mv -T -- "$2" "$1"; mv -T -- "$2.swap" "$2"
}
for live in "$@"; do
  other=$live.handrail-$tag
  mark=$live.handrail-$tag.old
  if [ ! -e "$live" ] && [ -d "$other.swap" ] && [ -d "$other" ]; then mv -T -- "$other" "$live"; fi
  if [ -d "$other.swap" ] && [ ! -e "$other" ]; then mv -T -- "$other.swap" "$other"; fi
  if [ ! -e "$mark" ]; then
    if [ "$way" = out ]; then rm -rf -- "$other"; continue; fi
    stat -c %i -- "$live" > "$mark.new"; sync -- "$mark.new" 2>/dev/null || true; mv -- "$mark.new" "$mark"
  fi
done
for live in "$@"; do
  [ ! -e "$live.handrail-$tag.old" ] || [ -d "$live.handrail-$tag" ] || [ "$way" = out ] || {
    echo "$live.handrail-$tag is gone: nothing was exchanged" >&2
    exit 5
  }
done
for live in "$@"; do
  other=$live.handrail-$tag
  mark=$live.handrail-$tag.old
  [ -e "$mark" ] || continue
  now=$(stat -c %i -- "$live"); old=$(cat -- "$mark")
  if [ "$way" = in ] && [ "$now" = "$old" ]; then swap "$live" "$other"; fi
  if [ "$way" = out ] && [ "$now" != "$old" ]; then swap "$live" "$other"; fi
done
if [ "$way" = out ]; then
  for live in "$@"; do rm -rf -- "$live.handrail-$tag" "$live.handrail-$tag.old"; done
fi
for live in "$@"; do sync -- "$live/.." 2>/dev/null || true; done
"""

# $1 tag, $2... live directories: says for each whether the live tree is "new" or "old".
LOOK: Final = r"""
set -eu
tag=$1; shift
for live in "$@"; do
  mark=$live.handrail-$tag.old
  if [ ! -e "$mark" ]; then echo old
  elif [ ! -e "$live" ]; then echo missing
  elif [ "$(stat -c %i -- "$live")" = "$(cat -- "$mark")" ]; then echo old
  else echo new; fi
done
"""

# $1 this run, $2... live directories: takes away what copies of other runs have left beside them, but not of a run whose folder
# is still on this host (it may be undone, or owes something), and not of the one that was over last. Says what it took away.
TIDY: Final = r"""
set -eu
run=$1; shift
work=${0%/runs/*}
[ "$work" != "$0" ] || exit 0
over() {
  tag=${1#"$2".handrail-}; tag=${tag%.old}
  case $tag in *[!A-Za-z0-9-]* | *-*[!0-9]) return 1 ;; *-*) ;; *) return 1 ;; esac
  theirs=${tag%-*}
  [ "$theirs" != "$run" ] && [ ! -d "$work/runs/$theirs" ]
}
for live in "$@"; do
  newest=; kept=
  for mark in "$live".handrail-*.old; do
    [ -f "$mark" ] && over "$mark" "$live" || continue
    if [ -z "$newest" ] || [ "$mark" -nt "$newest" ]; then newest=$mark; kept=$theirs; fi
  done
  for tree in "$live".handrail-*; do
    [ -e "$tree" ] && [ ! -L "$tree" ] && over "$tree" "$live" || continue
    [ "$theirs" != "$kept" ] || continue
    rm -rf -- "$tree"
    case $tree in *.old) ;; *) echo "$tree" ;; esac
  done
done
"""
