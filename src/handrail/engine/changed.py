"""`replace` for the frozen data of the engine: like `dataclasses.replace`, which a fold of 100,000 events spends its time in.

It copies the fields and does not call `__init__`; so it may be used only for data without `__post_init__`, without slots and without
cached properties, of which an old value would be copied too. Type checkers see the function of the standard library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import replace as replace
else:

    def replace(value: Any, /, **changes: Any) -> Any:  # noqa: ANN401  whatever it is, it stays that
        """Return a copy with some fields changed; raise TypeError for a name that is no field."""
        made = object.__new__(value.__class__)
        kept = made.__dict__
        kept.update(value.__dict__)
        size = len(kept)
        kept.update(changes)
        if len(kept) != size:
            raise TypeError(
                f"{value.__class__.__name__} has no field {', '.join(changes.keys() - value.__dict__.keys())}"
            )
        return made
