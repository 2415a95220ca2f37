"""Who may reach what: one declared table of processes, and the rules that are printed from it. Holds nothing, changes nothing."""
