"""A restricted unpickler, which knows tensors and calls nothing that a file names.

It does not stand on `pickle.Unpickler`, which obeys a file in more than names: it makes room for
as many memo entries as the highest index says and for as many bytes as BYTEARRAY8 says, and hashes
whatever comes as a dict's key. Here values are inert (`pickled.py`), and an opcode's time and room
do not grow with the values that it is given, which a file can repeat without end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from posewire_server.models.checkpoint.pickle_stream import PickleStream
from posewire_server.models.checkpoint.pickled import PickledDict, Reducer, described
from posewire_server.models.checkpoint.tensor import Storage
from posewire_server.models.checkpoint.torch_names import allowed_name, storage_of
from posewire_server.models.errors import DamagedCheckpointError, RefusedCheckpointError

# HigherHRNet-W32 takes 65 000. So many take 3 seconds and 0.12 GB at the worst.
MAX_OPCODES = 2**20


class Unpickler:
    """Reads one pickle; `storages` are those that it refers to, by key."""

    def __init__(self, stream: PickleStream) -> None:
        self.storages: dict[str, Storage] = {}
        self._stream = stream
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[int, object] = {}

    def load(self) -> object:
        """The pickled value; raises `CheckpointError` for what is not needed to hold tensors."""
        for _ in range(MAX_OPCODES):
            name, argument = self._stream.next_opcode()
            if name == "STOP":
                return self._pop()
            STEPS[name](self, argument)
        raise RefusedCheckpointError(f"pickle has more than {MAX_OPCODES} opcodes")

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _pop(self) -> object:
        self._top()
        return self._stack.pop()

    def _top(self) -> object:
        bottom = self._marks[-1] if self._marks else 0
        if len(self._stack) <= bottom:
            raise DamagedCheckpointError("pickle takes a value that it has not given")
        return self._stack[-1]

    def _mark(self) -> None:
        self._marks.append(len(self._stack))

    def _pop_to_mark(self) -> list[object]:
        if not self._marks:
            raise DamagedCheckpointError("pickle goes back to a mark that it has not set")
        mark = self._marks.pop()
        values = self._stack[mark:]
        del self._stack[mark:]
        return values

    def _push_tuple(self, length: int) -> None:
        values = [self._pop() for _ in range(length)]
        self._push(tuple(reversed(values)))

    def _append(self, values: list[object]) -> None:
        target = self._top()
        if not isinstance(target, list):
            raise DamagedCheckpointError(f"pickle appends to {described(target)}, want a list")
        target.extend(values)

    def _set_items(self, values: list[object]) -> None:
        target = self._top()
        if not isinstance(target, PickledDict) or len(values) % 2:
            raise DamagedCheckpointError(
                f"pickle sets {len(values)} keys and values in {described(target)}, "
                "want pairs in a dict"
            )
        target.items.extend(zip(values[::2], values[1::2], strict=True))

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def _put(self, index: int) -> None:
        self._memo[index] = self._top()

    def _get(self, index: int) -> None:
        if index not in self._memo:
            raise DamagedCheckpointError(f"pickle gets memo {index}, which it has not put")
        self._push(self._memo[index])

    def _push_global(self, name: tuple[str, str]) -> None:
        self._push(allowed_name(*name))

    def _push_stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise DamagedCheckpointError(
                f"pickle names {described(module)}, {described(name)}, want two strings"
            )
        self._push(allowed_name(module, name))

    def _refuse_instance(self, name: tuple[str, str]) -> None:
        found = allowed_name(*name)
        raise RefusedCheckpointError(f"pickle makes an instance of {described(found)}")

    def _reduce(self) -> None:
        arguments, reducer = self._pop(), self._pop()
        if not isinstance(reducer, Reducer) or not isinstance(arguments, tuple):
            raise RefusedCheckpointError(
                f"pickle calls {described(reducer)} with {described(arguments)}, "
                "want what rebuilds a tensor with a tuple"
            )
        self._push(reducer.build(arguments))

    def _build(self) -> None:
        """Drops the attributes of an OrderedDict: a state dict has its `_metadata` there."""
        state, target = self._pop(), self._top()
        if not isinstance(target, PickledDict) or not isinstance(state, PickledDict):
            raise RefusedCheckpointError(
                f"pickle sets the state of {described(target)} to {described(state)}, "
                "want a dict's to a dict"
            )

    def _push_storage(self) -> None:
        storage = storage_of(self._pop())
        known = self.storages.setdefault(storage.key, storage)
        if known != storage:
            raise DamagedCheckpointError(f"{storage}, elsewhere {known}, want one of them")
        self._push(storage)


_Step = Callable[[Unpickler, Any], None]


def _without_argument(step: Callable[[Unpickler], None]) -> _Step:
    return lambda unpickler, _: step(unpickler)


def _pushes(value: object) -> _Step:
    return lambda unpickler, _: unpickler._push(value)


def _nothing(unpickler: Unpickler, argument: object) -> None:
    """PROTO and FRAME are for readers that act differently on them."""


STEPS: dict[str, _Step] = {
    "PROTO": _nothing,
    "FRAME": _nothing,
    "NONE": _pushes(None),
    "NEWTRUE": _pushes(True),
    "NEWFALSE": _pushes(False),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"), Unpickler._push),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"), Unpickler._push),
    "MARK": _without_argument(Unpickler._mark),
    "EMPTY_TUPLE": _pushes(()),
    "TUPLE": lambda unpickler, _: unpickler._push(tuple(unpickler._pop_to_mark())),
    "TUPLE1": lambda unpickler, _: unpickler._push_tuple(1),
    "TUPLE2": lambda unpickler, _: unpickler._push_tuple(2),
    "TUPLE3": lambda unpickler, _: unpickler._push_tuple(3),
    "EMPTY_LIST": lambda unpickler, _: unpickler._push([]),
    "APPEND": lambda unpickler, _: unpickler._append([unpickler._pop()]),
    "APPENDS": lambda unpickler, _: unpickler._append(unpickler._pop_to_mark()),
    "EMPTY_DICT": lambda unpickler, _: unpickler._push(PickledDict()),
    "SETITEM": _without_argument(Unpickler._set_item),
    "SETITEMS": lambda unpickler, _: unpickler._set_items(unpickler._pop_to_mark()),
    "BINPUT": Unpickler._put,
    "LONG_BINPUT": Unpickler._put,
    "MEMOIZE": lambda unpickler, _: unpickler._put(len(unpickler._memo)),
    "BINGET": Unpickler._get,
    "LONG_BINGET": Unpickler._get,
    "GLOBAL": Unpickler._push_global,
    "INST": Unpickler._refuse_instance,
    "STACK_GLOBAL": _without_argument(Unpickler._push_stack_global),
    "REDUCE": _without_argument(Unpickler._reduce),
    "BUILD": _without_argument(Unpickler._build),
    "BINPERSID": _without_argument(Unpickler._push_storage),
}
