"""Floor 5: one run, wired. It owns the tasks and the files of a run; front ends see it through `api` only."""
