import json
import math
from dataclasses import dataclass, field, replace

import pytest

from clones import ROOT
from helpers import TINY, TINY_GRIDWORLD, TINY_RECALL
from randformer.core.transformer import Network
from randformer.experiments.registry import declared
from randformer.harness.records import key
from randformer.harness.serial import encoded


@dataclass(frozen=True)
class Wider(Network):
    """A network of tomorrow."""

    dropout: float = 0.0
    rates: tuple = field(default_factory=tuple)


@pytest.mark.parametrize("run", [TINY, TINY_RECALL, TINY_GRIDWORLD], ids=str)
def test_a_field_added_later_changes_no_key_but_where_it_is_used(run):
    wider = replace(run, network=Wider(**vars(run.network)))
    assert wider.key == run.key
    assert replace(run, network=replace(wider.network, dropout=0.1)).config["network"]["dropout"] == 0.1
    assert replace(run, network=replace(wider.network, dropout=0.1)).key != run.key


def test_a_field_of_the_first_edition_stands_there_at_its_default_too():
    later = ("initial_scale", "truncated")
    assert encoded(Network()) == {name: value for name, value in vars(Network()).items() if name not in later}


def test_what_json_cannot_say_has_a_name():
    assert encoded(math.inf) == "inf"


def test_the_keys_of_the_committed_records_are_those_of_the_declared_runs():
    """A key that changes makes a record worthless; a record that no run asks for is of no use either."""
    stored = {path.parent.name for path in (ROOT / "results" / "laptop").glob("*/*/run.json")}
    assert stored == {run.key for run in declared("laptop")}


def test_the_key_of_a_stored_config_is_its_folder():
    for path in (ROOT / "results" / "laptop").glob("*/*/run.json"):
        assert key(json.loads(path.read_bytes())["config"]) == path.parent.name, path
