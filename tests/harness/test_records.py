import json
import os

import pytest
import safetensors.torch
import torch

from clones import contents
from helpers import tiny
from randformer.harness import records
from randformer.harness.records import RecordError

CPU = torch.device("cpu")


@pytest.fixture
def stored(tmp_path):
    """A trained run and the folder of its record, with an evaluation."""
    run = tiny(fixed=True)
    trained, _ = run.train([run], CPU, tmp_path / "cache", lambda steps: None)
    folder = tmp_path / "results" / run.key
    records.write_record(folder, run, trained[run], CPU, {"commit": "abc", "cpu_seconds": 1.0})
    records.write_evaluation(folder, 1, records.read_record(folder, run)["weights"], {"average": 0.5})
    return run, trained[run], folder


def test_what_is_written_is_read(stored):
    run, trained, folder = stored
    record = records.read_record(folder, run)
    assert torch.equal(record["parameters"], run.restore(trained.tensors)["parameters"])
    assert torch.equal(record["seed"], trained.tensors["seed"])
    assert record["config"]["model"] == {"q": 3.0, "m": 1, "fixed_seed": True}
    assert record["trained_on"]["device"] == "cpu"
    assert record["loss_history"] == trained.content["loss_history"]
    assert len(record["loss_history"]) == run.training.steps
    assert records.read_evaluation(folder, 1) == {"average": 0.5}


def test_the_key_is_the_configs_and_nothing_elses():
    assert tiny(0).key == tiny(0).key
    different = [tiny(0), tiny(1), tiny(0, q=4), tiny(0, fixed=True), tiny(0, steps=21), tiny(0, learning_rate=2e-3)]
    assert len({run.key for run in different}) == len(different)


def test_every_cut_and_every_flipped_bit_is_noticed(stored):
    """Each file cut at several places, and a bit flipped at about 150 places of each."""
    run, _, folder = stored
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        damaged = [whole[: len(whole) * part // 5] for part in range(5)]
        damaged += [flip(whole, i, i % 8) for i in range(0, len(whole), max(1, len(whole) // 150))]
        for data in damaged:
            path.write_bytes(data)
            with pytest.raises(RecordError, match=path.name):
                read_all(folder, run)
        path.write_bytes(whole)
        read_all(folder, run)


def flip(data: bytes, byte: int, bit: int) -> bytes:
    return data[:byte] + bytes([data[byte] ^ 1 << bit]) + data[byte + 1 :]


def read_all(folder, run):
    records.read_record(folder, run)
    records.read_evaluation(folder, 1)


def test_flipped_white_space_is_the_only_bit_that_may_pass(stored):
    """read_json looks at content: JSON that says the same thing is the same record."""
    _, _, folder = stored
    text = (folder / "run.json").read_text(encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(json.loads(text)), encoding="utf-8")
    assert records.read_json(folder / "run.json")["weights"]


@pytest.mark.parametrize("name", ["run.json", "evaluation.json", "provenance.json"])
@pytest.mark.parametrize("text", ["[]", "7", '{"checksum": 1}', '{"x": NaN, "checksum": ""}', "[" * 100_000, "\xff"])
def test_json_that_says_something_else_is_damage(stored, name, text):
    run, _, folder = stored
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(RecordError, match=f"{name} is damaged"):
        read_all(folder, run)


def test_sound_files_with_the_wrong_content_are_refused(stored):
    """Checksums fit, but an entry is missing, or the weights are those of another network."""
    run, _, folder = stored
    for name in ("evaluation.json", "run.json"):
        records.write_json(folder / name, {"config": run.config})
        with pytest.raises(RecordError, match="is damaged"):
            read_all(folder, run)
    data = safetensors.torch.save({"output.w": torch.zeros(2, 2)})
    (folder / "weights.safetensors").write_bytes(data)
    records.write_json(folder / "run.json", {"config": run.config, "weights": records.sha256(data)})
    with pytest.raises(RecordError, match=r"weights\.safetensors is damaged"):
        records.read_record(folder, run)


def test_a_folder_in_the_place_of_a_file_is_damage(stored):
    run, _, folder = stored
    (folder / "weights.safetensors").unlink()
    (folder / "weights.safetensors").mkdir()
    with pytest.raises(RecordError, match=r"weights\.safetensors is damaged"):
        records.read_record(folder, run)


def test_a_foreign_record_is_refused(stored):
    _, _, folder = stored
    with pytest.raises(RecordError, match="another run's"):
        records.read_record(folder, tiny(1, fixed=True))


@pytest.mark.parametrize("name", ["run.json", "weights.safetensors", "provenance.json", "evaluation.json"])
def test_a_missing_file_is_named(stored, name):
    run, _, folder = stored
    (folder / name).unlink()
    with pytest.raises(RecordError, match=f"{name} is missing"):
        read_all(folder, run)


def test_other_weights_and_other_versions_are_not_this_evaluation(stored):
    _, _, folder = stored
    with pytest.raises(RecordError, match="version 1, not 2"):
        records.read_evaluation(folder, 2)
    records.write_evaluation(folder, 1, "0" * 64, {})
    with pytest.raises(RecordError, match="other weights"):
        records.read_evaluation(folder, 1)


def test_a_record_that_cannot_be_replaced_stays(stored, monkeypatch):
    """The disk fills while a record is written: the error is told, the old record is whole, nothing is left over."""
    run, trained, folder = stored
    before = contents(folder)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        records.write_record(folder, run, trained, CPU, {})
    with pytest.raises(OSError, match="No space left"):
        records.write_json(folder / "run.json", {})
    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_records_hold_no_number_that_json_cannot_tell():
    with pytest.raises(ValueError, match="JSON"):
        records.canonical({"loss": float("nan")})


def test_an_evaluation_that_is_not_finite_is_told_as_that(stored):
    _, _, folder = stored
    before = contents(folder)
    with pytest.raises(RecordError, match="numbers that are not finite: the training diverged"):
        records.write_evaluation(folder, 1, "0" * 64, {"average": float("inf")})
    assert contents(folder) == before
