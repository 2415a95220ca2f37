"""The courier: the one program that reaches outside. It carries the keeper's bytes; it can delay, not forge.

It holds no secret and no key. It connects only to the hosts on its own list, whatever the keeper asks, so that even a
keeper that is owned has no way out through it. Checkpoints are shown to witnesses from here (`publish.py`); mail and
alerts will travel through here too.
"""
