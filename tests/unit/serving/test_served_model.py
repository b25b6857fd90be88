from __future__ import annotations

from pathlib import Path

import openvino as ov

from posewire_server.estimation.runner import RunnerOptions
from posewire_server.models.installed import installed_model
from posewire_server.serving.frames.served_model import load_models
from tests.reference.colour_network import colour_network


def test_models_that_have_not_changed_stay(tmp_path: Path) -> None:
    path = tmp_path / "colours.xml"
    ov.save_model(colour_network(), path)
    model, options = installed_model(str(path)), RunnerOptions(inference_num_threads=1)
    (first,) = load_models([model], options)
    assert load_models([model], options, serving=[first]) == [first]
    other_options = RunnerOptions(inference_num_threads=2)
    assert load_models([model], other_options, serving=[first]) != [first]
    ov.save_model(colour_network(least_cosine=0.9), path)
    assert load_models([model], options, serving=[first]) != [first]
