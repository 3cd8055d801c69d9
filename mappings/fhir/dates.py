"""FHIR dates and times: partial ones are legal, and a day is never taken for midnight."""

import datetime as dt
import functools
import re

from mappings.fhir.datatypes import Period
from mappings.visit import Interval

_LONGEST = dt.timedelta(hours=12)
_PARTIAL = re.compile(r"^\d{4}(?:-(?:0[1-9]|1[0-2]))?$")
_TIME = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}")


@functools.lru_cache(maxsize=8192)
def day_of(text: str | None) -> dt.date | None:
    """The calendar day that a FHIR date or dateTime names in its own zone; None for a partial or broken one."""
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None


def is_broken(text: str | None) -> bool:
    """Whether something stands where a date belongs that is none; a year, or a year and month, is a partial date."""
    return bool(text) and day_of(text) is None and not _PARTIAL.match(text or "")


@functools.lru_cache(maxsize=8192)
def instant_of(text: str | None) -> dt.datetime | None:
    """The moment that a FHIR dateTime names; None where it has no time of day or cannot be read."""
    if not text or not _TIME.match(text):
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def interval_of(period: Period | None) -> Interval | str | None:
    """The block of time of a Period: None where it has no times of day, a sentence where it is wrong.

    One that ends at the instant at which it starts is a time stamp: it says when, and not how long.
    """
    if period is None:
        return None
    start, end = instant_of(period.start), instant_of(period.end)
    if start is None or end is None:
        for text in (period.start, period.end):
            if is_broken(text) or (text and len(text) > len("2026-03-02") and instant_of(text) is None):
                return "its times cannot be read; expected such as 2026-03-02T09:00:00-05:00"
        return None
    if (start.tzinfo is None) != (end.tzinfo is None):
        return "its start and end do not both have a time zone"
    if end < start:
        return f"it ends ({period.end}) before it starts ({period.start})"
    if end - start > _LONGEST:
        return f"it lasts more than twelve hours ({period.start} to {period.end}); expected one service's own time"
    return None if end == start else Interval(start, end)


def naive(interval: Interval) -> bool:
    """Whether the block has no time zone, so that it cannot be compared with one that has."""
    return interval.start.tzinfo is None
