"""Findings out of events: what was taken, by whom, and which bytes of which log prove it.

    hunt         the whole of it: sources -> events -> detections -> findings
    duckdb       the engine that holds the events, and spills when they are many
    detection    what a detection is: a head for people, and SQL that says which events are hits
    rules        rule files -> detections (Sigma)
    watch        logs that grow -> live -> alerts; `sqlite` keeps its state, `messenger` tells (syslog, webhook, smtp)
    parts        a detection in steps, so that many machines can take it in parts
    stage        the steps on one machine: tables, that later detections share
    sliding      Sigma's rules and correlations, folded by a watch
    live         the same detections over events as they come
    correlation  SQL of Sigma's correlations
    walk         ids asked for in a row
    relay        ids asked for in a row by several who take turns
    order        people read in the order of a list
    unlisted     documents fetched that had not been listed
    campaign     many accounts or addresses with one thing in common, over a forecast
    borrowed     a login that reads from a place where it never was
    newcomer     a role or key that reads from a store for the first time
    peers        what is much among principals of one kind
    wide         many documents or people for one principal, against peers and its own past
    egress       many bytes, likewise
    flows        bytes by the network's count: served to clients, sent to where nothing was ever sent
    books        readings that one of application, web server and stores lacks
    surge        far more than usual for an hour of the week, by everybody or one role
    silence      a log that is silent for longer than ever
    foreign      people to whom a login has no relation, where a table tells relations
    finding      hits -> findings, grouped by whom they are about, ranked
    group        findings that are one campaign
    evidence     a finding's bytes, opened again
    suppress     what somebody chose to quieten, with author, reason and end
    kept         what was read of each file, for a hunt that is interrupted or repeated
    proof        a rule file's own events, run
    lint         rule files, looked over
    converter    a program of its own: rules into other systems' languages
    say          findings in sentences
    shape        findings for programs; ocsf as OCSF events, spreadsheet as tables
    page         findings as a page: series and forecast count what draw draws, markup keeps text text

Every detection writes the same small table of hits (detection, about, fired, event); everything a finding says is counted
from that table and from the events, in the same way for all.
"""
