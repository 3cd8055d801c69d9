"""VisitCue's own judgement and wiring: the review, the cards' sentences, the app, the command line.

It may import `cds_hooks` and `mappings`. The rules are plain functions over frozen facts; IO stands at the edges.
"""
