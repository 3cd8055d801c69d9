"""The kinds of findings by subject; `plugin.finding_list` is the closed list of them all."""
