"""Floor 2: reports. What a run came to, as frozen data and in four forms: JSON, Markdown, HTML, text. No I/O, no clock."""
