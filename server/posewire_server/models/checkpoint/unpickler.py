"""`pickle.Unpickler`, restricted to what tensors are written with.

`find_class` alone does not make it safe. It allocates a memo as long as the highest index, and
dicts hash any key: tuples nested in each other take exponential time or overflow the C stack, and
numbers of equal hash take quadratic time. So all opcodes are checked first, and EMPTY_DICT becomes
a call of our own dict. Without a real dict, BUILD cannot set an attribute of anything.
"""

from __future__ import annotations

import io
import pickle
import pickletools

from posewire_server.models.checkpoint.tensor import Storage
from posewire_server.models.checkpoint.torch_names import find_name, make_storage
from posewire_server.models.errors import DamagedCheckpointError, RefusedCheckpointError

# HigherHRNet-W32 has 0.3 MB and 65 000 opcodes. At the limits, reading takes 7 s and 0.2 GB.
MAX_PICKLE_BYTES = 2**24
MAX_OPCODES = 2**20
# PyTorch's longest number is its magic number, of 80 bits.
_MAX_NUMBER_BITS = 128

_NAMES = """
    PROTO FRAME STOP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT
    BINUNICODE SHORT_BINUNICODE BINUNICODE8 MARK EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS BINPUT LONG_BINPUT MEMOIZE
    BINGET LONG_BINGET GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID
""".split()  # noqa: SIM905
_ALL_OPCODES = {each.code.encode("latin-1"): each for each in pickletools.opcodes}
OPCODES = {code: opcode for code, opcode in _ALL_OPCODES.items() if opcode.name in _NAMES}

_OWN_DICT = b"ccollections\nOrderedDict\n)R"
_ERRORS = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
)


def unpickle(stream: io.BytesIO) -> tuple[object, dict[str, Storage]]:
    """Return the value of the next pickle in `stream` and the storages it refers to, by key."""
    unpickler = _Unpickler(io.BytesIO(_check_opcodes(stream)))
    try:
        return unpickler.load(), unpickler.storages
    except _ERRORS as error:
        raise DamagedCheckpointError(f"pickle cannot be read: {error!s:.200}") from error


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> object:
        return find_name(module, name)

    def persistent_load(self, persistent_id: object) -> Storage:
        storage = make_storage(persistent_id)
        known = self.storages.setdefault(storage.key, storage)
        if known != storage:
            raise DamagedCheckpointError(f"{storage}, elsewhere {known}, want one of them")
        return storage


def _check_opcodes(stream: io.BytesIO) -> bytes:
    """Read one pickle and return it without frames and with our dict for every EMPTY_DICT."""
    checked = bytearray()
    for count in range(MAX_OPCODES):
        start = stream.tell()
        name, argument = _read_opcode(stream)
        if isinstance(argument, int):
            _check_number(name, argument, opcodes_before=count)
        if name == "EMPTY_DICT":
            checked += _OWN_DICT
        elif name != "FRAME":
            checked += stream.getbuffer()[start : stream.tell()]
        if name == "STOP":
            return bytes(checked)
    raise RefusedCheckpointError(f"pickle has more than {MAX_OPCODES} opcodes")


def _read_opcode(stream: io.BytesIO) -> tuple[str, object]:
    start = stream.tell()
    code = stream.read(1)
    opcode = OPCODES.get(code)
    if opcode is None and code:
        name = _ALL_OPCODES[code].name if code in _ALL_OPCODES else repr(code)
        raise RefusedCheckpointError(
            f"pickle opcode {name} at byte {start}, want only those of tensors"
        )
    try:
        if opcode is None:
            raise EOFError("no STOP")
        if opcode.name == "GLOBAL":  # whose reader in pickletools resolves escapes
            return opcode.name, (stream.readline(), stream.readline())
        return opcode.name, opcode.arg.reader(stream) if opcode.arg else None
    except (EOFError, ValueError) as error:
        raise DamagedCheckpointError(
            f"pickle is cut at byte {start}: {error!s:.200}; "
            f"want it whole, and at most {MAX_PICKLE_BYTES} bytes"
        ) from error


def _check_number(name: str, number: int, *, opcodes_before: int) -> None:
    if name.endswith("BINPUT") and number > opcodes_before:
        raise RefusedCheckpointError(
            f"pickle puts memo {number} after {opcodes_before} opcodes, want them numbered in turn"
        )
    if name == "LONG1" and number.bit_length() > _MAX_NUMBER_BITS:
        raise RefusedCheckpointError(
            f"pickle has a number of {number.bit_length()} bits, want at most {_MAX_NUMBER_BITS}"
        )
