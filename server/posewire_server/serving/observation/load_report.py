"""Describes the load of a server to load balancers, as ORCA defines."""

from __future__ import annotations

from typing import Any

from posewire_server.serving.messages import orca
from posewire_server.serving.scheduling.load import ServiceLoad

# Below it, the averages are too old to say how fast the server is. Balancers give a server that
# reports zero the mean of the others' weights.
_LEAST_RESULTS_PER_SEC = 0.01


def load_report(load: ServiceLoad) -> Any:
    """Return an OrcaLoadReport.

    `application_utilization` is that of the busiest model, since all models share the machine.
    """
    report = orca.OrcaLoadReport()
    models = load.models.values()
    results_per_sec = sum(each.results_per_sec for each in models)
    if results_per_sec > _LEAST_RESULTS_PER_SEC:
        report.rps_fractional = results_per_sec
        report.application_utilization = max(each.utilization for each in models)
    report.named_metrics["queue_depth"] = sum(each.waiting for each in models)
    report.named_metrics["streams"] = load.streams
    return report
