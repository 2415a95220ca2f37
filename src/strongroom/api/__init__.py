"""The FHIR R4 REST API: one of the apps before the door. Holds ciphertext and random ids; keys pass through, one at a
time.

Handlers are thin: parse, ask the door, render. What a client may do is decided by the keeper alone; nothing in this
room looks at who is asking, and an attacker who owns this process gets what the users active at that moment could read,
within their budgets, each release logged.
"""
