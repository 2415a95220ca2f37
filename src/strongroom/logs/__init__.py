"""Logs that others wrote, as columns. One file a format; `files`, `s3`, `parquet` and `nfdump` touch media.

    files     PATH -> Source -> blocks of bytes, and back again: (source, offset, length) -> the bytes
    units     blocks -> units: lines, or the elements of one JSON document, each with its offset; `datagrams` of NetFlow
    record    the columns, and what an unreadable unit is
    formats   the list of formats, and which of them a sample is written in
    read      a source in a format -> batches of rows, with everything unreadable counted

What formats have in common stands in `web` (requests), `network` (flows), `objects` (stores), `waf` (guards); `members` and `cells`
read JSON's members and CSV's cells.

A format is a function from one unit to one row, or to several. It never raises for what a log says: an unreadable unit is a value
with a reason, and is counted and shown. Nothing from a log is ever executed, imported or rendered.
"""
