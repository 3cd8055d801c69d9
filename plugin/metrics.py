"""What is counted, for Prometheus. Every label value comes from a closed list of ours, never from a caller.

With several worker processes each writes its counts to a file of its own in the folder that the environment variable
PROMETHEUS_MULTIPROC_DIR names (`plugin/serving.py` makes it before the library is imported), and whichever worker is
asked adds them up.
"""

import functools
import os
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from cds_hooks.prefetch import Empty, Prefetched, Present
from cds_hooks.request import HookRequest
from cds_hooks.service import Service
from plugin.answer import Answer, Gather

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SHARED = "PROMETHEUS_MULTIPROC_DIR"
SERVE = "serve"
"""The route that answers hooks."""

disable_created_metrics()  # type: ignore[no-untyped-call]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: a review takes about one millisecond, and reading missing prefetch up to some seconds."""

COUNTED = CollectorRegistry()
REQUESTS = Counter(
    "visitcue_requests", "Requests by route, service and HTTP status.", ("route", "service", "status"), registry=COUNTED
)
SECONDS = Histogram(
    "visitcue_request_seconds",
    "Time from the request's arrival to its answer.",
    ("route", "service"),
    buckets=BUCKETS,
    registry=COUNTED,
)
REFUSALS = Counter(
    "visitcue_refusals",
    "Issues of refused requests, by HTTP status and FHIR issue type.",
    ("status", "reason"),
    registry=COUNTED,
)
CARDS = Counter("visitcue_cards", "Cards by finding and level.", ("finding", "level"), registry=COUNTED)
PREFETCH = Counter(
    "visitcue_prefetch",
    "Prefetch keys by service and by where their data came from.",
    ("service", "outcome"),
    registry=COUNTED,
)
FEEDBACK = Counter("visitcue_feedback", "Feedback on cards, by what the user did.", ("outcome",), registry=COUNTED)
TRUST = Counter(
    "visitcue_untrusted", "Requests whose token was not accepted, by the reason.", ("reason",), registry=COUNTED
)


@functools.cache
def _counter(counter: Counter, *labels: object) -> Counter:
    """The counter of these labels. The library's own look-up costs three times as much as the counting."""
    return counter.labels(*labels)


@functools.cache
def _histogram(route: str, service: str) -> Histogram:
    return SECONDS.labels(route, service)


def count_request(route: str, service: str, status: int, seconds: float, reasons: Iterable[str]) -> None:
    """Count one request; `reasons` are the FHIR issue types of a refusal."""
    _counter(REQUESTS, route, service, status).inc()
    _histogram(route, service).observe(seconds)
    for reason in reasons:
        _counter(REFUSALS, status, reason).inc()


def count_cards(answered: Answer) -> None:
    """Count the cards of an answer."""
    findings = [finding for one in answered.reviewed for finding in one.findings]
    for finding in (*findings, *answered.whole):
        _counter(CARDS, finding.code, finding.level).inc()


def count_feedback(accepted: int, overridden: int) -> None:
    """Count what users did with as many cards."""
    _counter(FEEDBACK, "accepted").inc(accepted)
    _counter(FEEDBACK, "overridden").inc(overridden)


def count_untrusted(reason: str) -> None:
    """Count a request whose token was not accepted; `reason` is from a closed list of the caller of this function."""
    TRUST.labels(reason).inc()


def counted(gather: Gather) -> Gather:
    """The same gathering, with each prefetch key counted by where its data came from."""

    def counting(service: Service, request: HookRequest) -> dict[str, Prefetched]:
        found = gather(service, request)
        asked = bool(request.fhir_server)
        numbers: dict[str, int] = {}
        for key, value in found.items():
            outcome = _outcome(request.prefetch[key], value, asked=asked)
            numbers[outcome] = numbers.get(outcome, 0) + 1
        for outcome, number in numbers.items():
            _counter(PREFETCH, service.id, outcome).inc(number)
        return found

    return counting


def _outcome(sent: Prefetched, found: Prefetched, *, asked: bool) -> str:
    if type(sent) is Present:
        return "sent"
    if type(sent) is Empty:
        return "empty"
    if type(found) is Present:
        return "fetched"
    if type(found) is Empty:
        return "fetched-empty"
    return "not-fetched" if asked else "missing"


def begin(services: Iterable[str]) -> None:
    """Set what is sure to be counted to 0, so that the first count is seen as an increase."""
    for service in services:
        REQUESTS.labels(SERVE, service, 200)
        SECONDS.labels(SERVE, service)
    count_feedback(0, 0)


def exposition(editions: dict[str, str]) -> bytes:
    """Everything that is counted, in Prometheus' text format; `editions` become labels of the build, by name."""
    registry = CollectorRegistry()
    folder = os.environ.get(SHARED, "")
    if folder:
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
    else:
        registry.register(COUNTED)
    registry.register(_Build(editions))
    registry.register(_Processes(_workers(folder)))
    return generate_latest(registry)


class _Build(Collector):
    """Which build with which rules answers; always 1, for the labels are what it says."""

    def __init__(self, editions: dict[str, str]) -> None:
        self._labels = {"version": version("visitcue"), **editions}

    def collect(self) -> Iterator[Metric]:
        told = GaugeMetricFamily("visitcue_build_info", "The version and the editions in use.", labels=[*self._labels])
        told.add_metric(list(self._labels.values()), 1)
        yield told


class _Processes(Collector):
    """Memory, processor time and open files of each worker. One that has ended says nothing."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids

    def collect(self) -> Iterator[Metric]:
        told: dict[str, Metric] = {}
        for pid in self._pids:
            for one in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                metric = told.setdefault(one.name, Metric(one.name, one.documentation, one.type))
                for sample in one.samples:
                    metric.add_sample(sample.name, {"pid": str(pid)}, sample.value)
        yield from told.values()


def _workers(folder: str) -> list[int]:
    """The processes that count: this one, or all that have a file in the folder."""
    if not folder:
        return [os.getpid()]
    return sorted(int(file.stem.rpartition("_")[2]) for file in Path(folder).glob("counter_*.db"))
