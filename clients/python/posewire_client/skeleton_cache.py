"""The skeletons that a server has described."""

from __future__ import annotations

from posewire_client.backoff import is_transient
from posewire_client.errors import DeadlineExceededError, ProtocolError, StatusError
from posewire_client.model import Model
from posewire_client.skeleton import Skeleton

# For how long the description of a model may delay the first result with it.
DESCRIBE_SECS = 5.0
_MAX_MODELS = 64  # more of them than a server has; none can make the cache grow further


class SkeletonCache:
    """The skeleton of each model and version, or None where the server describes none.

    The response for a single image names its model but does not describe it.
    """

    def __init__(self) -> None:
        self._skeletons: dict[tuple[str, str], Skeleton | None] = {}

    def add(self, model: Model) -> Model:
        """Remember the skeleton, and return the model."""
        self.put(model.name, model.version, model.skeleton)
        return model

    def put(self, name: str, version: str, skeleton: Skeleton | None) -> None:
        """Remember the skeleton, instead of all others if there are too many."""
        if len(self._skeletons) >= _MAX_MODELS:
            self._skeletons = {}
        self._skeletons[name, version] = skeleton

    def put_failure(self, name: str, version: str, error: ProtocolError | StatusError) -> None:
        """Remember that the server describes no skeleton, unless the error may pass."""
        if isinstance(error, StatusError) and (
            is_transient(error) or isinstance(error, DeadlineExceededError)
        ):
            return
        self.put(name, version, None)

    def has(self, name: str, version: str) -> bool:
        """Whether there is no need to ask the server."""
        return (name, version) in self._skeletons

    def get(self, name: str, version: str) -> Skeleton | None:
        """Return the skeleton, or None if it is not known."""
        return self._skeletons.get((name, version))
