"""A server's metrics, as Prometheus reads them."""

from __future__ import annotations

import http.client
import socket
import urllib.request
from collections import Counter
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

TIMEOUT = 20

Labels = frozenset[tuple[str, str]]
Samples = Mapping[str, Mapping[Labels, float]]


def scrape(address: str) -> dict[str, dict[Labels, float]]:
    """Return all samples of a server, by name and labels."""
    return parse_samples(read_metrics(address))


def read_metrics(address: str) -> str:
    """Return the text at HOST:PORT or unix:PATH."""
    if address.startswith("unix:"):
        return _read_from_socket(address.removeprefix("unix:"))
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=TIMEOUT) as response:
        text: str = response.read().decode()
        return text


def _read_from_socket(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(path)
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: server\r\n\r\n")
        with http.client.HTTPResponse(connection) as response:
            response.begin()
            assert response.status == 200, response.status
            return response.read().decode()


def parse_samples(text: str) -> dict[str, dict[Labels, float]]:
    samples: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            by_labels = samples.setdefault(sample.name, {})
            labels = frozenset(sample.labels.items())
            assert labels not in by_labels, f"{sample.name} {sample.labels} twice"
            by_labels[labels] = sample.value
    return samples


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return the sum of the samples that have these labels."""
    wanted = labels.items()
    return sum(each for have, each in samples[name].items() if wanted <= have)


def frame_counts(address: str) -> Counter[tuple[str, str, str]]:
    """Return the frames by model, outcome and reason."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for labels, number in scrape(address)["posewire_frames_total"].items():
        named = dict(labels)
        counts[named["model"], named["outcome"], named["reason"]] = int(number)
    return +counts
