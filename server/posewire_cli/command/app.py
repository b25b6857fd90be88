"""The subcommands and their descriptions. A subcommand is imported when it is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, Parameter

from posewire_cli.command.configuration import add_configuration
from posewire_cli.command.help_columns import HelpColumns
from posewire_cli.errors import UsageError

_VERBOSE = "--verbose, anywhere on the line, logs progress and prints tracebacks."

# Cyclopts takes the usual name, -, for an option.
_STDIN = "/dev/stdin"

# The parameter of commands that read their options again while they run.
_READ_OPTIONS = "read_options"


def run(arguments: Sequence[str], before_command: Callable[[], object]) -> int:
    """Run one subcommand and return its exit code. Raises `UsageError` for wrong usage."""
    arguments = [_STDIN if each == "-" else each for each in arguments]
    try:
        command, bound, injected = app.parse_args(arguments)
        before_command()
        if _READ_OPTIONS in injected:
            bound.arguments[_READ_OPTIONS] = partial(_read_options, arguments)
        code: int | None = command(*bound.args, **bound.kwargs)
    except (CycloptsError, UsageError) as error:
        words = " ".join(["posewire", *app.parse_commands(arguments)[0]])
        raise UsageError(f"{str(error).rstrip('.')}\nSee '{words} --help'.") from error
    return code or 0


def _read_options(arguments: Sequence[str]) -> Mapping[str, Any]:
    """Read the options of a command again, by parameter. Raises `UsageError`."""
    try:
        _, bound, _ = app.parse_args(arguments)
    except CycloptsError as error:
        raise UsageError(str(error).rstrip(".")) from error
    bound.apply_defaults()
    return bound.arguments


def _refuse(*command: Annotated[str, Parameter(show=False)]) -> int:
    raise UsageError(f"unknown command {command[0]!r}" if command else "no command given")


def _version() -> str:
    from importlib.metadata import version  # slow, and needed for nothing else

    return f"posewire {version('posewire')}"


def _epilogue(example: str) -> str:
    return f"{_VERBOSE}\n\nExample: posewire {example}"


app = App(
    name="posewire",
    version=_version,
    help="Frames in, typed multi-person poses out.",
    help_epilogue=_epilogue("models fetch human-pose-estimation-0005"),
    help_format="plaintext",
    help_formatter=HelpColumns(),
    default_command=_refuse,
    default_parameter=Parameter(negative=(), allow_repeating=True),  # the last one counts
    group_parameters=Group("Options", sort_key=0),
    config=add_configuration,
    # The caller reports errors.
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
)

app.command(
    "posewire_cli.command.demo:demo",
    name="demo",
    sort_key=1,
    help="""Try posewire on a bundled image and video.

Starts a server with the bundled demo model, sends it an image and a video of
drawn people through the client, draws their poses, and stops the server.
Nothing is downloaded. The demo model is trained on drawn people only: its
poses in photographs are wrong.""",
    help_epilogue=_epilogue("demo --output posewire-demo"),
)
app.command(
    "posewire_cli.command.predict:predict",
    name="predict",
    sort_key=2,
    help="""Find people in image files.

Prints the people in each image (JPEG, PNG, WebP, BMP). An image that is missing
or fails is reported on stderr; the others are still processed, and the exit code
is 1. Output directories keep the tree below a directory or pattern.

COCO image ids are taken from the file names if these are distinct numbers;
otherwise images are numbered from 1.""",
    help_epilogue=_epilogue("predict --model demo --annotated drawn photos/ 'more/*.png'"),
)
app.command(
    "posewire_cli.command.stream:stream",
    name="stream",
    sort_key=3,
    help="""Find people in a video, camera or network stream.

Prints a summary at the end. Ctrl-C stops early and finishes the output files.
The image ids of COCO results are frame numbers, from 0.

Lossless delivery processes every frame. Latest skips frames that waited while a
newer one arrived, and plays files in real time.""",
    help_epilogue=_epilogue("stream --model demo --annotated drawn.mp4 video.mp4"),
)
app.command(
    "posewire_cli.command.serve:serve_models",
    name="serve",
    sort_key=4,
    help="""Serve models over gRPC until SIGTERM or Ctrl-C.

Prints the address once the models are ready. The first signal stops accepting
calls and finishes those in progress; the second exits immediately.

SIGHUP reads certificates, tokens, --config and models again. Changed models are
loaded beside the old ones and then take over; calls and streams in progress
keep theirs. Certificates and tokens are also read when their files change.

Options may also be set in the environment, such as --max-streams by
POSEWIRE_SERVE_MAX_STREAMS, and in a TOML file given by --config. The command
line takes precedence over the environment, and the environment over the file.""",
    help_epilogue=_epilogue("serve --model demo --address 0.0.0.0:50051"),
)
app.command(
    "posewire_cli.command.eval:evaluate_model",
    name="eval",
    sort_key=6,
    help="""Measure the accuracy of a model on annotated images or videos.

With --images, reports COCO average precision (AP) and recall (AR) over all images in the
annotation file and all poses, whatever their score. Then lists precision and
recall at OKS 0.5 for several values of min_pose_score.

With --results FILE, poses are kept in FILE.journal until the run is complete;
running the same command again resumes an interrupted run. The reference
decoding follows Open Model Zoo's accuracy checker, except that poses are mapped
back to the image exactly.

With --video, people are followed as `posewire stream --track` does. Reports
HOTA with its parts DetA and AssA, IDF1 and MOTA by the OKS of poses with an id,
and how often a person's id changes. Annotations need a track_id, and images a
frame_id: the number of the frame, from 0.""",
    help_epilogue=_epilogue(
        "eval --model demo --images val2017 \\\n"
        "             --annotations annotations/person_keypoints_val2017.json"
    ),
)
app.command(
    "posewire_cli.command.bench:bench",
    name="bench",
    sort_key=7,
    help="""Measure the latency and throughput of a server.

The load generator uses CPU time too: measured from another machine, a server
is faster.""",
    help_epilogue=_epilogue("bench --model demo --calls stream --seconds 10"),
)

_models = App(
    name="models",
    sort_key=5,
    help="List, download and convert models.",
    help_epilogue=_epilogue("models list"),
    default_command=_refuse,
)
app.command(_models)

_models.command(
    "posewire_cli.command.models.list:list_models",
    name="list",
    sort_key=1,
    help="List known models and which are installed.",
    help_epilogue=_epilogue("models list --json"),
)
_models.command(
    "posewire_cli.command.models.fetch:fetch",
    name="fetch",
    sort_key=2,
    help="""Download a model and print its path.

Verifies checksums and converts the model if needed. An interrupted download
resumes. Proxies are read from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY,
certificates from SSL_CERT_FILE.

A mirror serves each file at MIRROR/NAME/FILE, which is the layout of the cache
directory: to make one, run `python -m http.server --directory CACHE` where the
model is installed. `posewire models list --json` lists the files.""",
    help_epilogue=_epilogue("models fetch higher-hrnet-w32 --precision fp16"),
)
_models.command(
    "posewire_cli.command.models.convert:convert",
    name="convert",
    sort_key=3,
    help="""Convert a HigherHRNet checkpoint to OpenVINO and print its path.

PyTorch is not required, and no code in the checkpoint is executed.""",
    help_epilogue=_epilogue("models convert --checkpoint pose_higher_hrnet_w48_640.pth"),
)
_models.command(
    "posewire_cli.command.models.path:print_path",
    name="path",
    sort_key=4,
    help="Print the path of an installed model.",
    help_epilogue=_epilogue("models path demo"),
)
