from __future__ import annotations

import numpy as np
import pytest

from tests.chaos.numbered_image import numbered_image
from tests.reference.faulty_runner import Fault, InjectedFaultError
from tests.reference.stub_server import PEOPLE, stub_model


def test_only_images_of_a_fault_fail() -> None:
    pipeline = stub_model(capacity=1, secs=0.0, has_faults=True).pipeline
    with pytest.raises(InjectedFaultError):
        pipeline.estimate(Fault.THROW.image)
    assert len(pipeline.estimate(Fault.NAN.image).poses) == 0
    assert len(pipeline.estimate(numbered_image(1)).poses) == PEOPLE


def test_without_faults_no_image_fails() -> None:
    pipeline = stub_model(capacity=1, secs=0.0).pipeline
    for fault in Fault:
        assert len(pipeline.estimate(np.array(fault.image)).poses) == PEOPLE
