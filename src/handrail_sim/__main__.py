"""`python -m handrail_sim`."""

import sys

from handrail_sim.cli import main

sys.exit(main())
