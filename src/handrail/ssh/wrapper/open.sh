# Opens a run on this host, and says what the host is like.
hr_open
hr_say open $hr_facts
