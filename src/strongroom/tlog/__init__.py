"""The public format of the log: entries, tree, tiles, signed checkpoints, proofs (C2SP). Pure; no I/O."""
