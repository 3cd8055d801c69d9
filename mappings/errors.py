"""What can be wrong with the files of an installation.

RuleFileError    a rule file or table is not as it must be; nothing is served from it
"""


class RuleFileError(Exception):
    """A rule file is not as it must be; the message names file, path and what was expected."""
