"""What happened: typed events, an append-only log, and the questions one asks of it."""
