"""Measures the time of a frame with the clients in Python, Go and C++, and with gRPC alone.

Prints a Markdown table: run it through `make bench-clients`, with nothing else on the machine. The
programs posebench of the clients stream a JPEG to a server whose network is a stub, and the same
bytes to a bare echo server, which returns as many of them as a result has. They take turns, so
that other load on the machine affects all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import grpc

from posewire.v1 import image_pb2, pose_service_pb2, pose_service_pb2_grpc, stream_pb2
from tests.bench.machine import measured_on
from tests.bench.overhead import SIZE, camera_jpeg
from tests.reference.echo_server import echo_server
from tests.reference.stub_server import PEOPLE, stub_server

ROOT = Path(__file__).parents[2]
PROGRAMS: dict[str, list[str]] = {
    "Python": [sys.executable, "-m", "tests.bench.posebench"],
    "Go": [str(ROOT / "build" / "clients" / "go" / "posebench")],
    "C++": [str(ROOT / "build" / "clients" / "cpp" / "posebench")],
}
TURN_TIMEOUT_SECS = 600

# What one turn of a program prints: figures of the stream and of the echo.
Turn = dict[str, dict[str, float]]

STREAM, ECHO = "posewire", "echo"
P50, BEYOND, CPU = "p50_millis", "beyond_server_p50_millis", "cpu_millis_per_frame"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="turns of each program")
    parser.add_argument("--frames", type=int, default=200, help="frames of each turn")
    parser.add_argument("--window", type=int, default=1, help="maximum number in flight")
    parser.add_argument("--rate", type=float, default=50.0, help="frames per second")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write each turn as a JSON line")
    arguments = parser.parse_args()
    programs = {name: command for name, command in PROGRAMS.items() if is_built(command[0])}
    for name in PROGRAMS.keys() - programs.keys():
        print(f"No {PROGRAMS[name][0]}: make examples builds it.", file=sys.stderr)
    jpeg = camera_jpeg()
    with tempfile.TemporaryDirectory() as directory, servers(jpeg) as (server, echo):
        image = Path(directory) / "image.jpg"
        image.write_bytes(jpeg)
        plan = ["--frames", arguments.frames, "--window", arguments.window]
        plan += ["--rate", arguments.rate, "--server", server, "--echo", echo, "--json", image]
        turns: dict[str, list[Turn]] = {name: [] for name in programs}
        for _ in range(arguments.rounds):
            for name, command in programs.items():
                turns[name].append(run([*command, *map(str, plan)]))
    if arguments.json:
        lines = [json.dumps(turn) + "\n" for each in turns.values() for turn in each]
        arguments.json.write_text("".join(lines))
    print(f"{measured_on(f'Python gRPC {grpc.__version__}')};")
    print(
        f"{PEOPLE} people in a JPEG of {len(jpeg)} bytes and {SIZE[0]}×{SIZE[1]} pixels, at most "
        f"{arguments.rate:g} a second; medians of {arguments.rounds} turns of {arguments.frames}.\n"
    )
    print(table(turns))
    print("\nLoad average: " + ", ".join(f"{load:.2f}" for load in os.getloadavg()) + ".")


def is_built(program: str) -> bool:
    return Path(program).exists()


@contextmanager
def servers(jpeg: bytes) -> Iterator[tuple[str, str]]:
    """The addresses of the server with the stub and of the bare echo server."""
    with (
        stub_server() as server,
        echo_server(answer_bytes=outcome_bytes(server.address, jpeg)) as echo,
    ):
        yield server.address, echo.address


def outcome_bytes(address: str, jpeg: bytes) -> int:
    """The size of the message with the outcome of the JPEG."""
    image = image_pb2.Image(encoded=image_pb2.EncodedImage(data=jpeg))
    requests = [
        pose_service_pb2.StreamPosesRequest(config=stream_pb2.StreamConfig()),
        pose_service_pb2.StreamPosesRequest(frame=stream_pb2.Frame(frame_id=1, image=image)),
    ]
    with grpc.insecure_channel(address) as channel:
        stub = pose_service_pb2_grpc.PoseServiceStub(channel)
        *_, outcome = stub.StreamPoses(iter(requests), timeout=TURN_TIMEOUT_SECS)
        return outcome.ByteSize()


def run(command: list[str]) -> Turn:
    done = subprocess.run(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=TURN_TIMEOUT_SECS,
    )
    turn: Turn = json.loads(done.stdout)
    return turn


def table(turns: dict[str, list[Turn]]) -> str:
    def medians(stream: str, figure: str) -> list[float]:
        """One for each client."""
        return [median(turn[stream][figure] for turn in each) for each in turns.values()]

    def ratios(figure: str, floor: str) -> list[float]:
        """Of each turn's stream and echo, because both have met the same load."""
        return [
            median(turn[STREAM][figure] / turn[ECHO][floor] for turn in each)
            for each in turns.values()
        ]

    rows = {
        "round trip p50, ms": medians(STREAM, P50),
        "– without the server's own time": medians(STREAM, BEYOND),
        "bare echo p50, ms": medians(ECHO, P50),
        "**round trip without the server's time, times the echo**": ratios(BEYOND, P50),
        "CPU of the client per frame, ms": medians(STREAM, CPU),
        "CPU of the bare echo per frame, ms": medians(ECHO, CPU),
        "**CPU, times the echo**": ratios(CPU, CPU),
    }
    lines = [f"| | {' | '.join(turns)} |", "|---" * (1 + len(turns)) + "|"]
    for name, values in rows.items():
        lines.append(f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
