"""Sealing and opening: large documents in chunks, small things whole, each bound to what it is. Pure; no I/O."""
