from randformer.experiments.theory.claims import CLAIMS, Evidence
from randformer.report.claims import judge


def test_one_exception_is_enough():
    def verdicts(games=(True, True), saved=(0.0, 5.0), mixing=(True,) * 2):
        evidence = Evidence(list(games), list(saved), [0.0] * 100, list(mixing))
        return [judge(claim, evidence)["verdict"] for claim in CLAIMS[:2]]

    assert verdicts() == ["replicated", "replicated"]
    assert verdicts(games=(True, False))[0] == "not replicated: contradicted"
    assert verdicts(saved=(3.0, -1e-3))[0] == "not replicated: contradicted"
    assert verdicts(saved=(3.0, -1e-9))[0] == "replicated"  # to rounding
    assert verdicts(mixing=(True, False)) == ["replicated", "not replicated: contradicted"]


def test_a_seed_that_was_lucky_is_told():
    """T3: 200 of 200 models, 192 of 200, 180 of 200, of which the loss is at most 1 % above that of random seeds."""

    def verdict(bad: int) -> str:
        carried = [-1.5] * bad + [-0.9] * (200 - bad)
        return judge(CLAIMS[2], Evidence([True], [1.0], carried, [True]))["verdict"]

    assert [verdict(bad) for bad in (0, 8, 20)] == ["replicated", "partly", "not replicated: contradicted"]
