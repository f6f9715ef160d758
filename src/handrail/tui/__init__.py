"""Floor 6: the Textual front end. It shows snapshots and submits intents; it decides nothing and opens no connection.

A page is painted by pure functions into lines of safe text (`text`), and one canvas widget puts the changed rows on the
screen. There is no markup, and no widget that could parse any.
"""
