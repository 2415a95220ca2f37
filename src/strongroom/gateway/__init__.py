"""A reverse proxy for portals that are not rebuilt: nothing passes that is not described in `gateway.toml`.

    target.read(raw)            one spelling of a path and its query, or a refusal
    contract.check(request)     which described route this is, which document and whose; or a refusal
    upstream.Upstream           the portal behind: asked in one framing, believed in none that is not strict
    proxy.Proxy                 the order of things, for each request

A refusal is a value with a status, a stable name and a sentence (`refusal`). Nothing here imports the store's other rooms
of their own accord: the portal behind may be anybody's.
"""
