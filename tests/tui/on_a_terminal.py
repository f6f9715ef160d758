"""A program for test_terminal.py: the real application on a real (pseudo) terminal, over the fake session.

`python on_a_terminal.py FOLDER WHAT`: `hostile` shows a run full of hostile text, `raise` has a key that raises.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
sys.path.insert(0, ROOT)

from tests.tui.desk import FakeDesk  # noqa: E402
from tests.tui.fake import FakeSession  # noqa: E402
from tests.tui.test_hostile import decided, fails, poisoned  # noqa: E402

from handrail.engine import messages as m  # noqa: E402
from handrail.tui.drive import run_app  # noqa: E402
from handrail.tui.pages.run import RunPage  # noqa: E402


class Marked(FakeSession):
    """Writes down what it was asked, for the test to read."""

    async def close(self) -> None:
        await asyncio.sleep(0)
        await super().close()
        words = [type(i).__name__ for i in self.submitted] + ["held" if self.state.held else "driven", "closed"]
        (self.folder / "asked.txt").write_text(" ".join(words))


def main() -> int:
    """Show it."""
    folder, what = Path(sys.argv[1]), sys.argv[2]
    session = poisoned(folder) if what.startswith("hostile") else Marked(folder)
    if what == "hostile":
        fails(session)
    elif what == "hostile-decide":
        decided(session)
    elif what == "raise":

        def boom(_: RunPage) -> None:
            password = "a-secret-in-a-local"
            raise ZeroDivisionError(password.upper()[:0] + "boom")

        RunPage.do_hint = boom  # type: ignore[assignment,method-assign]
    else:
        session.to_stage("sync")
        session.submit(m.Go())
        session.begin("sync/hold")
    return run_app(FakeDesk(), session)


if __name__ == "__main__":
    sys.exit(main())
