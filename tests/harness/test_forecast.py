import json
from dataclasses import replace

import pytest

from helpers import TINY, TINY_RECALL, tiny
from randformer.harness import forecast


@pytest.fixture
def recorded(monkeypatch, tmp_path):
    """A function that stores how long a run took."""
    monkeypatch.setattr(forecast, "ROOT", tmp_path)

    def store(run, seconds: float, profile: str = "laptop"):
        folder = tmp_path / "results" / profile / run.problem / run.key
        folder.mkdir(parents=True)
        for name, content in (("run.json", {"config": run.config}), ("provenance.json", {"cpu_seconds": seconds})):
            (folder / name).write_text(json.dumps(content), encoding="utf-8")
        forecast.measured.cache_clear()
        return folder

    yield store
    forecast.measured.cache_clear()


@pytest.fixture(autouse=True)
def read_plainly(monkeypatch):
    """Checksums are the business of records' own tests."""
    monkeypatch.setattr(forecast.records, "read_json", lambda path: json.loads(path.read_text(encoding="utf-8")))


def test_a_training_takes_as_long_as_the_one_most_like_it_in_proportion_to_its_length(recorded):
    recorded(TINY, 10.0)
    recorded(replace(TINY, network=replace(TINY.network, width=99)), 1000.0)
    assert forecast.expected([tiny(5)]) == pytest.approx(10)  # another repetition
    assert forecast.expected([tiny(0, q=9)]) == pytest.approx(10)  # q costs nothing
    twice = replace(TINY, training=replace(TINY.training, steps=2 * TINY.training.steps))
    assert forecast.expected([twice]) == pytest.approx(20)
    more = replace(twice, objective=replace(TINY.objective, m=5 * TINY.objective.m))
    assert forecast.expected([twice, more]) == pytest.approx(20 + 100)


def test_of_trainings_that_are_as_like_the_one_of_about_its_length_counts(recorded):
    for factor, seconds in ((1, 10.0), (100, 600.0)):
        recorded(replace(TINY, training=replace(TINY.training, steps=factor * TINY.training.steps)), seconds)
    asked = replace(TINY, training=replace(TINY.training, steps=200 * TINY.training.steps))
    assert forecast.expected([asked]) == pytest.approx(1200)


def test_records_of_every_profile_count_and_damaged_ones_do_not(recorded):
    folder = recorded(TINY, 10.0, "smoke")
    assert forecast.expected([TINY]) == 10
    (folder / "provenance.json").write_text("{}", encoding="utf-8")
    forecast.measured.cache_clear()
    assert forecast.expected([TINY]) is None


def test_what_it_means_is_told_in_a_line(recorded):
    runs = [tiny(k) for k in range(6)]
    assert forecast.told(runs, 3, 2) == "6 runs to train (3 reused)"  # nothing like it was measured
    recorded(TINY, 2800.0)
    assert forecast.told(runs, 3, 2) == "6 runs to train, about 2 h 20 min on 2 cores (3 reused)"
    assert forecast.told(runs, 3, 2, 0.25) == "6 runs to train, about 35 min on 2 cores (3 reused)"  # checkpoints
    assert forecast.told(runs[:1], 0, 2) == "1 run to train, about 47 min on 2 cores (0 reused)"
    assert forecast.told(runs, 3, None) == "6 runs to train (3 reused)"
    assert forecast.told([], 9, 2) == "no runs to train (9 reused)"
    assert forecast.told([TINY_RECALL], 0, 1) == "1 run to train (0 reused)"


@pytest.mark.parametrize(("seconds", "words"), [(0.1, "1 s"), (59.4, "59 s"), (60, "1 min"), (3600, "1 h 0 min")])
def test_a_duration_is_in_words(seconds, words):
    assert forecast.duration(seconds) == words


def test_configs_are_compared_entry_by_entry():
    old, new = forecast.flat({"a": {"b": 1, "c": 2}, "d": 3}), forecast.flat({"a": {"b": 1, "c": 4}})
    assert old == {"a.b": 1, "a.c": 2, "d": 3}
    assert forecast.differences(old, new) == ["a.c (2, now 4)", "d (3, now None)"]
    assert forecast.differences(old, new, ("d",)) == ["a.c (2, now 4)"]
