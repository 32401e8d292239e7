"""What the service counts, for Prometheus."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 2, 5, 10)
_COUNTERS = {
    "liangku_requests": ("Requests answered", ("channel", "outcome")),
    "liangku_findings": ("Findings shown", ("rule", "verdict", "level")),
    "liangku_feedback": ("Feedback taken", ("decision",)),
    "liangku_tickets": ("Answers given without review", ("reason",)),
    "liangku_refused": ("Requests refused", ("code",)),
    "liangku_reloads": ("Rules and knowledge replaced", ("outcome",)),
    "liangku_acknowledged": ("Findings not shown again", ()),
    "liangku_failures": ("Failures of what goes on beside the answers", ("chore",)),
}


class Metrics:
    """The counts of one service; all of them are made and read in the one thread of its event loop."""

    def __init__(self) -> None:
        # Kept as plain numbers, told when asked for: counting stands in the way of every answer.
        self._counted: dict[str, Counter[tuple[str, ...]]] = {name: Counter() for name in _COUNTERS}
        self._counted["liangku_acknowledged"][()] = 0
        self._seconds: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}
        self._edition = ("", "")
        self.open_tickets = 0
        self.checks: Callable[[], Mapping[str, Mapping[str, Any]]] = dict
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def answered(self, channel: str, outcome: str, seconds: float) -> None:
        """Count an answer."""
        self._counted["liangku_requests"][channel, outcome] += 1
        buckets = self._seconds.get(channel)
        if buckets is None:
            buckets = self._seconds[channel] = [0] * (len(_SECONDS) + 1)
            self._sums[channel] = 0.0
        buckets[bisect_left(_SECONDS, seconds)] += 1
        self._sums[channel] += seconds

    def finding(self, rule: str, verdict: str, level: str | None) -> None:
        """Count a finding shown."""
        self._counted["liangku_findings"][rule, verdict, level or ""] += 1

    def feedback(self, decision: str) -> None:
        """Count a decision."""
        self._counted["liangku_feedback"][(decision,)] += 1

    def ticket(self, reason: str) -> None:
        """Count an answer without review."""
        self._counted["liangku_tickets"][(reason,)] += 1

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._counted["liangku_refused"][(code,)] += 1

    def reloaded(self, outcome: str) -> None:
        """Count a change of edition, or one that failed."""
        self._counted["liangku_reloads"][(outcome,)] += 1

    def acknowledged(self, findings: int) -> None:
        """Count findings that are not shown again."""
        self._counted["liangku_acknowledged"][()] += findings

    def failed(self, chore: str) -> None:
        """Count a failure beside the answers."""
        self._counted["liangku_failures"][(chore,)] += 1

    def edition(self, version: str, rules: str) -> None:
        """Say which edition is in use."""
        self._edition = (version, rules[:12])

    def collect(self) -> Iterator[Metric]:
        """All that was counted, as Prometheus takes it."""
        for name, (told, labels) in _COUNTERS.items():
            counter = CounterMetricFamily(name, told, labels=labels)
            for values, number in self._counted[name].items():
                counter.add_metric(values, number)
            yield counter
        seconds = HistogramMetricFamily(
            "liangku_request_seconds", "From the message read to its answer", labels=("channel",)
        )
        for channel, buckets in self._seconds.items():
            total, cumulated = 0, []
            for bound, number in zip((*map(str, _SECONDS), "+Inf"), buckets, strict=True):
                total += number
                cumulated.append((bound, float(total)))
            seconds.add_metric((channel,), cumulated, self._sums[channel])
        yield seconds
        edition = GaugeMetricFamily("liangku_edition", "The edition in use", labels=("version", "rules"))
        edition.add_metric(self._edition, 1)
        yield edition
        checks = self.checks()
        healthy = GaugeMetricFamily("liangku_healthy", "1 where a check of /health is well", labels=("check",))
        for name, check in checks.items():
            healthy.add_metric((name,), float(check["ok"]))
        yield healthy
        if "disk" in checks:
            yield GaugeMetricFamily("liangku_disk_free_bytes", "Room on the disk", value=checks["disk"]["free_bytes"])
            yield GaugeMetricFamily("liangku_audit_records", "Records of the log", value=checks["log"]["records"])
        yield GaugeMetricFamily("liangku_open_tickets", "Tickets not judged yet", value=self.open_tickets)
