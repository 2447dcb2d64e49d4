import base64
import json
from pathlib import Path

import numpy as np
import pytest

from randformer.harness.checks import BadInput
from randformer.site import networks


@pytest.fixture(scope="module")
def page():
    return networks.exported()


def test_the_page_has_the_weights_and_seeds_of_every_repetition(page):
    for problem in networks.PROBLEMS:
        for kind, alike in networks.models(problem).items():
            assert [one["name"] for one in page[problem][kind]] == [str(model.run) for model in alike]
            assert [model.run.run_index for model in alike] == list(range(len(alike)))
            for one, model in zip(page[problem][kind], alike, strict=True):
                weights = np.frombuffer(base64.b64decode(one["weights"]), "<f4")
                assert np.array_equal(weights, model.parameters[0].numpy())
                assert (one["seed"] is None) == (kind == "random")
                assert one["seed"] is None or one["seed"] == model.fixed_seed.flatten().tolist()


def test_all_models_of_a_problem_are_of_the_sizes_that_the_page_says(page):
    for problem in networks.PROBLEMS:
        for alike in networks.models(problem).values():
            for model in alike:
                assert vars(model.run.network) == page[problem]["network"]
                assert model.run.shapes == page[problem]["shapes"]
                assert model.run.task.n == page[problem]["task"]["n"]


def test_the_mixture_is_one(page):
    chances = [one["chance"] for one in page["gridworld"]["mixture"]]
    assert sum(chances) == pytest.approx(1, abs=1e-4)
    assert chances == sorted(chances, reverse=True)
    assert all(set(one["walk"]) == set(range(25)) for one in page["gridworld"]["mixture"])


@pytest.mark.parametrize("content", [None, "{", '{"walks": [[0, 2]], "mixture": [1]}', '{"mixture": [1]}'])
def test_a_mixture_that_is_none_is_told(tmp_path: Path, monkeypatch, content):
    monkeypatch.setattr(networks.game, "STORED", tmp_path)
    if content:
        (tmp_path / "search_5x5_2.json").write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=r"search_5x5_2\.json: no solved game .* makes it"):
        networks.mixture(5)


def test_the_script_is_one_constant(page):
    name, content = networks.script().split(" = ", 1)
    assert name == "const NETWORKS"
    assert json.loads(content.removesuffix(";\n")) == json.loads(json.dumps(page))
