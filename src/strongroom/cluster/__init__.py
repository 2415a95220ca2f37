"""A hunt on many machines: the same readers, the same SQL, the same findings as on one.

    hunt     the whole of it, as the one who asks runs it: who reads what, which step comes when, what is made of the shares
    part     what a part of the work does: read files, settle events, answer the steps of detections, fetch events
    piece    what goes between machines: rows for one part, packed
    steps    which steps of all detections are to be done, and where
    local    every part in this process, one after the other
    spark    every part as a task of Apache Spark

Each part has the embedded engine of a hunt on one machine. What is spread is the rows, not the meaning of the SQL.
"""
