"""The language of detections: Sigma rules and correlations (specification 2.1) as small typed values, and as SQL.

    rule    what a rule is, once it is understood
    parse   YAML -> rules, correlations and faults, through pySigma
    sql     a rule's condition -> an SQL expression over columns that the caller names
    lint    what is doubtful about a rule
    official  which ids of ATT&CK and D3FEND there are

Pure: text in, values or text out. What the specification leaves open is decided here, once: windows slide and are exact,
time is the event's own, and an event that arrives late counts where it belongs.
"""
