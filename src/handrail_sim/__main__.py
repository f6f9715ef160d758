"""`python -m handrail_sim`."""

import sys

from handrail.base.library_search import search_swiftly

search_swiftly()  # before anything here imports asyncssh

from handrail_sim.cli import main  # noqa: E402

sys.exit(main())
