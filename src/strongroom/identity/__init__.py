"""Who is asking: tokens, signed contexts, key-bound proofs, revoked sessions, officers' acts.

This room knows who; what they may do is `authz`. It has a memory (pinned keys, revoked sessions, proofs already used)
and no network: issuers' keys arrive through a pipe that the courier holds and cannot read or change (`fetch`). Two
files touch a medium: `keyfile` (private keys on disk) and `socket` (the keeper's end of the courier's pipe).
"""
