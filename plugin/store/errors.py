"""What can be wrong with the store.

StoreError             the store cannot be used as it is configured; nothing is served
  StoreUnavailable     it cannot be reached now; whoever asked may ask again
"""


class StoreError(Exception):
    """The store cannot be used; the message is one sentence for whoever runs the service, without a password."""


class StoreUnavailable(StoreError):
    """The store does not answer, or refuses what it is asked, at the moment."""
