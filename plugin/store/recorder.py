"""Writing shown cards behind the answer: a bounded queue, and a thread that empties it in batches.

A request pays for an append to a list in memory. What waits when the process is killed is lost, half a second at the
most; a process that is asked to end writes it first.
"""

import datetime as dt
import math
import threading
import time
from collections import deque
from multiprocessing import util

import structlog

from plugin.store import retention, shown
from plugin.store.engine import Engine
from plugin.store.errors import StoreUnavailable
from plugin.store.shown import ShownCard

WAITING_AT_MOST = 20_000
"""Cards that wait while the store cannot be reached, some 10 MB; those that come then are counted and not kept."""
BATCH = 500
EVERY_SECONDS = 0.5
TIDY_SECONDS = 6 * 3600
"""How often each process removes what is older than the setting keep_days."""


class Recorder:
    """Takes cards from any thread and never keeps one waiting.

    `lost` counts the cards that found the queue full since the process began.
    """

    def __init__(self, engine: Engine, keep_days: int) -> None:
        self.lost = 0
        self._engine = engine
        self._keep_days = keep_days
        self._queue: deque[ShownCard] = deque()
        self._writing = threading.Lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._tidied = -math.inf
        self._failing = False

    @property
    def waiting(self) -> int:
        """How many cards are not written yet."""
        return len(self._queue)

    def note(self, cards: list[ShownCard]) -> None:
        """Take these cards; they are written within a second."""
        if len(self._queue) + len(cards) > WAITING_AT_MOST:
            self.lost += len(cards)
            return
        self._queue.extend(cards)
        # Only now, not when the service is made: a thread does not come along into a process that is forked.
        if self._thread is None or not self._thread.is_alive():
            self._begin()

    def flush(self) -> None:
        """Write all that waits, now; raises StoreUnavailable, and what could not be written waits on."""
        with self._writing:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                try:
                    shown.write(self._engine, batch)
                except StoreUnavailable:
                    self._queue.extendleft(reversed(batch))
                    raise

    def close(self) -> None:
        """End the thread once it has written what waits."""
        self._ending.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def _begin(self) -> None:
        with self._writing:
            if self._thread is not None and self._thread.is_alive():
                return
            # The server's workers are processes of multiprocessing, which end without a look at atexit. Its own list
            # is gone through by both kinds of process.
            util.Finalize(None, self.close, exitpriority=100)
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._ending.wait(EVERY_SECONDS):
            self._write()
            self.tidy()
        self._write()

    def _write(self) -> None:
        """Writes what waits; says so once when that begins to fail, and once when it works again."""
        try:
            self.flush()
        except StoreUnavailable as error:
            if not self._failing:
                structlog.get_logger().warning("store failing", error=str(error), waiting=self.waiting)
            self._failing = True
        else:
            if self._failing:
                structlog.get_logger().info("store works again", lost=self.lost)
            self._failing = False

    def tidy(self) -> None:
        """Remove what is older than the setting says, if that was not done in the last hours."""
        if not self._keep_days or time.monotonic() - self._tidied < TIDY_SECONDS:
            return
        self._tidied = time.monotonic()
        before = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=self._keep_days)
        try:
            retention.prune(self._engine, before)
        except StoreUnavailable as error:
            structlog.get_logger().warning("store not pruned", error=str(error))
