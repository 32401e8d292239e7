"""What the service counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 2, 5, 10)


class Metrics:
    """The counters of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = Counter("liangku_requests", "Requests answered", ["channel", "outcome"], registry=registry)
        self._findings = Counter("liangku_findings", "Findings shown", ["rule", "verdict", "level"], registry=registry)
        self._seconds = Histogram(
            "liangku_request_seconds",
            "From the message read to its answer",
            ["channel"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._feedback = Counter("liangku_feedback", "Feedback taken", ["decision"], registry=registry)
        self._tickets = Counter("liangku_tickets", "Answers given without review", ["reason"], registry=registry)
        self._refused = Counter("liangku_refused", "Requests refused", ["code"], registry=registry)
        self._reloads = Counter("liangku_reloads", "Rules and knowledge replaced", ["outcome"], registry=registry)
        self._edition = Gauge("liangku_edition", "The edition in use", ["version", "rules"], registry=registry)
        self.open_tickets = Gauge("liangku_open_tickets", "Tickets not judged yet", registry=registry)
        self.acknowledged = Counter("liangku_acknowledged", "Findings not shown again", registry=registry)
        # Looking a label up takes longer than counting.
        self._known: dict[tuple[object, ...], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def answered(self, channel: str, outcome: str, seconds: float) -> None:
        """Count an answer."""
        self._count(self._requests, channel, outcome)
        timer = self._timers.get(channel)
        if timer is None:
            timer = self._timers[channel] = self._seconds.labels(channel)
        timer.observe(seconds)

    def finding(self, rule: str, verdict: str, level: str | None) -> None:
        """Count a finding shown."""
        self._count(self._findings, rule, verdict, level or "")

    def feedback(self, decision: str) -> None:
        """Count a decision."""
        self._count(self._feedback, decision)

    def ticket(self, reason: str) -> None:
        """Count an answer without review."""
        self._count(self._tickets, reason)

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._count(self._refused, code)

    def reloaded(self, outcome: str) -> None:
        """Count a change of edition, or one that failed."""
        self._count(self._reloads, outcome)

    def edition(self, version: str, rules: str) -> None:
        """Say which edition is in use."""
        self._edition.clear()
        self._edition.labels(version, rules[:12]).set(1)

    def _count(self, counter: Counter, *labels: str) -> None:
        key = (id(counter), *labels)
        held = self._known.get(key)
        if held is None:
            held = self._known[key] = counter.labels(*labels)
        held.inc()
