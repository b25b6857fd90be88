"""One line in the log for every call of PoseService."""

from __future__ import annotations

import json
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Mapping
from time import monotonic
from typing import Any

from posewire_server.serving.access.caller import host_of
from posewire_server.serving.observation.call import Call, FrameEnd, Metadata

# The logger of these lines; `--log-format` and `--verbose` set its level.
CALLS = "posewire_server.calls"

_LOG = logging.getLogger(CALLS)

_MAX_ERROR = 200  # characters
# Lines a second in the long run, and at once: of one host's streams or other calls, and of all.
_HOST_RATE, _HOST_BURST = 10.0, 200
_TOTAL_RATE, _TOTAL_BURST = 50.0, 1000
_MAX_HOSTS = 1024


class LineBudget:
    """Allows `rate` lines a second in the long run, and `burst` at once."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: int, *, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = float(burst)
        self._at = now

    def has_line(self, now: float) -> bool:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        return self._left >= 1

    def take_line(self) -> None:
        self._left -= 1


class CallLog:
    """Logs calls when they end, each with its fields; belongs to one event loop.

    Lines above the limits, of a host or of all hosts, are left out; the next line has their number.
    """

    def __init__(self, service: str, *, clock: Callable[[], float] = monotonic) -> None:
        self._service = service
        self._clock = clock
        self._total = LineBudget(_TOTAL_RATE, _TOTAL_BURST, now=clock())
        # Of hosts and whether the call is a stream, least recent first.
        self._budgets: OrderedDict[Hashable, LineBudget] = OrderedDict()
        self._unlogged = 0

    def start_call(self, call: Call, metadata: Metadata) -> None:
        """Do nothing: calls are logged at their end."""

    def end_frame(self, call: Call, frame: FrameEnd) -> None:
        """Do nothing: the call counts its frames."""

    def end_call(self, call: Call) -> None:
        if call.method.service != self._service or not _LOG.isEnabledFor(logging.INFO):
            return
        if not self._take_line(call):
            self._unlogged += 1
            return
        fields = call_fields(call)
        if self._unlogged:
            fields["unlogged_calls"], self._unlogged = self._unlogged, 0
        _LOG.info("%s", _as_text(fields), extra={"fields": fields})

    def _take_line(self, call: Call) -> bool:
        now = self._clock()
        budgets = (self._budget_of(call, now), self._total)
        if not all(each.has_line(now) for each in budgets):
            return False
        for each in budgets:
            each.take_line()
        return True

    def _budget_of(self, call: Call, now: float) -> LineBudget:
        key = (host_of(call.peer), call.method.type)
        budget = self._budgets.pop(key, None) or LineBudget(_HOST_RATE, _HOST_BURST, now=now)
        self._budgets[key] = budget
        if len(self._budgets) > _MAX_HOSTS:
            self._budgets.popitem(last=False)
        return budget


def call_fields(call: Call) -> dict[str, Any]:
    """Return the fields of the log line of a call that has ended."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for labels, count in call.frames.items():
        outcomes[labels.outcome] += count
        if labels.reason:
            reasons[labels.reason] += count
    fields = {
        "method": call.method.name,
        "peer": call.peer,
        "caller": call.caller,
        "request_id": call.request_id,
        "model": call.model,
        "code": call.code,
        "reason": call.reason,
        "error": call.error[:_MAX_ERROR],
        "duration_secs": round(call.age_secs, 6),
        "frames": dict(outcomes),
        "frame_reasons": dict(reasons),
    }
    return {name: value for name, value in fields.items() if value not in ("", {})}


def _as_text(fields: Mapping[str, Any]) -> str:
    """Join fields as NAME=VALUE; text of the client is quoted, and so stays on the line."""
    parts = []
    for name, value in fields.items():
        if isinstance(value, dict):
            parts += [f"{name}.{each}={count}" for each, count in value.items()]
        else:
            parts.append(f"{name}={json.dumps(value) if name == 'error' else value}")
    return " ".join(parts)
