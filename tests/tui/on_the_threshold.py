"""A program for test_threshold.py: `python on_the_threshold.py FOLDER WHAT` stands on the threshold, and is ended there.

`waits` until a signal comes; `fails` while the screen is imported; `crosses` as home does, and waits; `asks` something on the
shell's screen first; `resumes` a run that is not there, as the command does.
"""

from __future__ import annotations

import os
import signal
import sys

from handrail.tui.threshold import Threshold

if sys.argv[2] == "resumes":
    os.environ["HANDRAIL_HOME"] = f"{sys.argv[1]}/home"
    from handrail.cli.main import main

    sys.argv[1:] = ["resume", "nothing"]
    main()

with Threshold() as threshold:
    early = sorted(set(sys.modules) & {"textual", "rich", "pydantic", "asyncssh"})
    sys.stdout.write(f"\x1b]2;ready {early}\x07")
    sys.stdout.flush()
    if sys.argv[2] == "fails":
        raise ImportError("nothing of the screen")
    if sys.argv[2] == "asks":
        threshold.leave()
        sys.stdout.write("\x1b]2;asked\x07")
        sys.stdout.flush()
    if sys.argv[2] == "crosses":
        threshold.cross()
        sys.stdout.write("\x1b]2;crossed\x07")
        sys.stdout.flush()
    signal.pause()
