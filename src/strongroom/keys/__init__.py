"""Who may have a key, and against which receipt. Only the keeper, and the wiring that builds it, come in here."""
