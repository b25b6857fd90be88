"""Break something every second around a server that honest clients use: `make chaos`.

With `--steady` nothing is broken: `make soak`. Both end with the same checks: every frame that a
client sent had exactly one outcome, in order, unless the client was killed; the server holds as
much memory, as many file descriptors and threads as after a warm-up, within 20 MiB; it logged no
error but those of the runner that fails on purpose; and it still answers. Its log is left in
build/chaos or build/soak.

The warm-up breaks everything once, so that pools and caches have their size. Memory is compared
when no client is connected, after descriptors and threads have not changed for 5 seconds.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from posewire_client import Client, Tls
from tests.chaos.breaker import Breaker
from tests.chaos.client_group import ClientGroup, Report
from tests.chaos.footprint import Footprint, quiet_footprint, settled_footprint
from tests.chaos.honest_client import PATIENCE_SECS
from tests.chaos.numbered_image import is_result_of, numbered_image
from tests.chaos.proxy import Proxy
from tests.chaos.server_log import injected_errors, unexpected_lines
from tests.reference.certificates import Identity, make_identity
from tests.reference.server_process import ServerProcess, server_process

_STUB = "tests.reference.stub_server"
# Together with LATEST streams that send more than that allows.
_STUB_ARGUMENTS = ("--faults", "--capacity", "2", "--secs", "0.02")
_BREAK_SECS = 1.0
_WARM_UP_SECS = 10.0


class Run:
    """A server, its clients and what breaks them."""

    def __init__(
        self, server: ServerProcess, clients: ClientGroup, breaker: Breaker, identity: Identity
    ) -> None:
        self._server = server
        self._clients = clients
        self._breaker = breaker
        self._tls = Tls(root_certificates=identity.certificate.read_bytes())
        self.failures: list[str] = []

    def warm_up(self) -> Footprint:
        """Break everything once under load; return what the idle server then holds."""
        self._clients.start()
        self._wait(_WARM_UP_SECS)
        for _ in range(self._breaker.kinds):
            self._break_one()
        self._finish()
        return quiet_footprint(self._server)

    def load(self, secs: float, *, is_steady: bool) -> Report:
        """Keep the clients busy for this time."""
        self._clients.start()
        ends = time.monotonic() + secs
        while time.monotonic() < ends:
            if is_steady:
                self._wait(min(_BREAK_SECS, ends - time.monotonic()))
            else:
                self._break_one()
        return self._finish()

    def check(self, report: Report, before: Footprint, after: Footprint, log: str) -> None:
        """Record all that is wrong in the end."""
        if not report.outcomes.total():
            self.failures.append("no frame was answered")
        self.failures += self._breaker.failures
        if not self._breaker.has_cut:
            self.failures.append("the proxy cut no connection")
        if not injected_errors(log):
            self.failures.append("the log has no error of the runner, which was made to throw")
        self.failures += after.growth_since(before)
        self.failures += [f"in the log: {line}" for line in unexpected_lines(log)]
        self.failures += [] if self._is_answering() else ["the server does not answer"]

    def _break_one(self) -> None:
        self._breaker.break_one()
        self._wait(_BREAK_SECS)

    def _wait(self, secs: float) -> None:
        time.sleep(max(secs, 0.0))
        if (code := self._server.process.poll()) is not None:
            sys.exit(f"the server ended with {code}")

    def _finish(self) -> Report:
        report = self._clients.stop()
        self._breaker.close()
        self.failures += report.violations
        return report

    def _is_answering(self) -> bool:
        with Client(
            self._server.address,
            tls=self._tls,
            timeout_secs=PATIENCE_SECS,
        ) as client:
            ready = client.is_ready(timeout_secs=PATIENCE_SECS)
            return ready and is_result_of(client.estimate(numbered_image(1)), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--steady", action="store_true", help="break nothing after the warm-up")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one")
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    name = "soak" if arguments.steady else "chaos"
    print(f"{name}: seed {seed}", flush=True)
    log = Path("build", name, "server.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        identity = make_identity(Path(folder, "server"))
        failures = _run(
            name,
            identity,
            log,
            random.Random(seed),
            arguments.seconds,
            is_steady=arguments.steady,
        )
    for failure in failures:
        print(f"{name}: FAILED: {failure}", flush=True)
    if failures:
        sys.exit(1)
    print(f"{name}: every frame had exactly one outcome, in order; the server still answers")


def _run(
    name: str,
    identity: Identity,
    log: Path,
    chance: random.Random,
    secs: float,
    *,
    is_steady: bool,
) -> list[str]:
    """Return what went wrong."""
    tls = ("--tls-cert", str(identity.certificate), "--tls-key", str(identity.key))
    with (
        log.open("w") as stderr,
        server_process(_STUB, *_STUB_ARGUMENTS, *tls, stderr=stderr) as server,
        Proxy(server.address) as proxy,
        ClientGroup([server.address, proxy.address], identity.certificate) as clients,
    ):
        breaker = Breaker(chance, server, proxy, clients, identity.certificate.read_bytes())
        run = Run(server, clients, breaker, identity)
        before = run.warm_up()
        print(f"{name}: after the warm-up: {before}", flush=True)
        report = run.load(secs, is_steady=is_steady)
        after = settled_footprint(server, before)
        run.check(report, before, after, log.read_text())
        peak = server.peak_resident_bytes / (1 << 20)
        print(f"{name}: after {secs:.0f} s: {after}; peak {peak:.1f} MiB")
        outcomes = ", ".join(f"{count} {kind}" for kind, count in report.outcomes.items())
        print(f"{name}: {report.clients} clients sent {report.sent} frames: {outcomes}")
        broken = ", ".join(f"{kind} {count}" for kind, count in sorted(breaker.counts.items()))
        print(f"{name}: broken, with the warm-up: {broken}")
        errors = injected_errors(log.read_text())
        print(f"{name}: {proxy.cuts} connections cut; {errors} errors of the runner in the log")
        return run.failures


if __name__ == "__main__":
    main()
