"""The built-in issuer: signs people in with a password and a one-time code, and programs with a key of their own.

A program by itself: it holds credentials and the key that signs access tokens, and has no way to the keeper, the
catalogue or the documents. Whoever owns it can mint tokens; what those can take is bounded by the keeper's budgets.
The password grant is the default of an embedded store until there are passkeys; a store with an identity provider of
its own switches this off.
"""
