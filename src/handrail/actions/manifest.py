"""Manifests: what a tree holds, by content; and what a copy would add, change and remove. Pure, but for the script's text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from typing import Final

from handrail.base.frozen import dataclass

# $@ directories. For each: a line "D<TAB>path as resolved<TAB>device<TAB>device of its parent<TAB>inode", then a line for every
# entry: "E<TAB>type<TAB>mode<TAB>owner:group<TAB>sha256 or link<TAB>path relative to it". Names with a line break are refused.
SCRIPT: Final = r"""
LC_ALL=C; export LC_ALL
for d in "$@"; do
  r=$(readlink -f -- "$d") && [ -d "$r" ] || { printf 'M\t%s\n' "$d"; continue; }
  printf 'D\t%s\t%s\t%s\t%s\n' "$r" "$(stat -c %d -- "$r")" "$(stat -c %d -- "$r/..")" "$(stat -c %i -- "$r")"
  cd -- "$r" || exit 3
  if [ -n "$(find . -name '*
*' -print -quit)" ]; then echo "a name with a line break in $r" >&2; exit 4; fi
  find . -xdev \( -type d -printf 'E\td\t%m\t%u:%g\t-\t%P\n' \) -o \( -type l -printf 'E\tl\t-\t%u:%g\t%l\t%P\n' \) \
    -o \( ! -type f -printf 'E\to\t%m\t%u:%g\t-\t%P\n' \)
  find . -xdev -type f -printf 'F\t%m\t%u:%g\t%P\n'
  find . -xdev -type f -exec sha256sum -bz -- {} + | tr '\0' '\n' | sed 's/ \*\.\//\t/; s/^/H\t/'
done
"""


_TABS: Final = {"E": 4, "F": 2, "H": 1}  # tabs before the name


@dataclass(frozen=True)
class Entry:
    """One file, folder or link. `content` is the SHA-256 of a file, the target of a link, "-" of a folder."""

    kind: str
    mode: str
    owner: str
    content: str


@dataclass(frozen=True)
class Tree:
    """One directory as resolved, with what it holds by relative path ("" is itself)."""

    path: str
    device: str
    parent_device: str
    inode: str
    entries: dict[str, Entry]

    @property
    def is_mount(self) -> bool:
        """Tell whether it is a mount point: such a directory cannot be exchanged."""
        return self.device != self.parent_device

    @property
    def files(self) -> int:
        """Return how many files it holds."""
        return sum(1 for entry in self.entries.values() if entry.kind == "f")


@dataclass(frozen=True)
class Difference:
    """What makes one tree like another, by relative path."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.added or self.changed or self.removed)


class UnreadableError(Exception):
    """A manifest that cannot be read: its text says why."""


def parse(text: str) -> tuple[Tree, ...]:
    """Return the trees of a manifest, in the order asked; raise `UnreadableError` for a directory that is missing."""
    trees: list[Tree] = []
    files: dict[str, tuple[str, str]] = {}
    for line in text.split("\n")[:-1]:  # a name may hold anything else that Python calls the end of a line
        kind, _, rest = line.partition("\t")
        parts = rest.split("\t", _TABS.get(kind, -1))  # and tabs
        if kind == "M":
            raise UnreadableError(f"{parts[0]} is missing, or is no directory")
        if kind == "D":
            trees.append(Tree(parts[0], parts[1], parts[2], parts[3], {}))
            files = {}
        elif kind == "E" and trees:
            trees[-1].entries[parts[4]] = Entry(parts[0], parts[1], parts[2], parts[3])
        elif kind == "F" and trees:
            files[parts[2]] = (parts[0], parts[1])
        elif kind == "H" and trees and len(parts) == 2:
            mode, owner = files.get(parts[1], ("?", "?"))
            trees[-1].entries[parts[1]] = Entry("f", mode, owner, parts[0])
        else:
            raise UnreadableError(f"a line that is not understood: {line[:80]!r}")
    return tuple(trees)


def without(tree: Tree, patterns: Iterable[str]) -> Tree:
    """Return a tree without the entries whose name matches one of the shell patterns."""
    wanted = tuple(patterns)
    kept = {p: e for p, e in tree.entries.items() if not any(_hit(p, w) for w in wanted)}
    return Tree(tree.path, tree.device, tree.parent_device, tree.inode, kept)


def _hit(path: str, pattern: str) -> bool:
    return any(fnmatch(part, pattern) for part in path.split("/") if part) or fnmatch(path, pattern)


def difference(source: Tree, target: Tree) -> Difference:
    """Return what has to happen at the target; folders are compared too, by mode and owner."""
    here, there = source.entries, target.entries
    return Difference(
        added=tuple(sorted(p for p in here if p not in there)),
        changed=tuple(sorted(p for p in here if p in there and here[p] != there[p])),
        removed=tuple(sorted(p for p in there if p not in here)),
    )


def kept(trees: Sequence[Tree]) -> tuple[int, ...]:
    """Return which trees neither lie inside another one, nor are an earlier one reached by another path."""
    inside = {
        n for n, tree in enumerate(trees) for m, other in enumerate(trees) if n != m and _holds(other, m, tree, n)
    }
    return tuple(n for n in range(len(trees)) if n not in inside)


def _holds(outer: Tree, at: int, inner: Tree, place: int) -> bool:
    if outer.path == inner.path:
        return at < place
    return inner.path.startswith(outer.path.rstrip("/") + "/")


def backwards(name: str, source: str, target: str) -> str:
    """Return why a file would go backwards, or nothing: a hexadecimal serial by value, anything else by its lines."""
    here, there = source.strip(), target.strip()
    try:
        lower = int(here, 16) < int(there, 16)
    except ValueError:
        lower = len(here.splitlines()) < len(there.splitlines())
        return f"{name} has {len(here.splitlines())} lines, the copy {len(there.splitlines())}" if lower else ""
    return f"{name} is {here[:20]}, the copy is {there[:20]} already" if lower else ""
