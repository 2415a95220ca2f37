"""Who may do what: facts in, Permit or Deny out. Pure and total; deny by default; no I/O."""
