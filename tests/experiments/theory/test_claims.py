from randformer.experiments.theory.claims import CLAIMS, Evidence
from randformer.report.claims import judge


def test_one_exception_is_enough():
    def verdicts(games=(True, True), saved=(0.0, 5.0), mixing=(True,) * 2):
        return [judge(claim, Evidence(list(games), list(saved), list(mixing)))["verdict"] for claim in CLAIMS]

    assert verdicts() == ["replicated", "replicated"]
    assert verdicts(games=(True, False))[0] == "not replicated: contradicted"
    assert verdicts(saved=(3.0, -1e-3))[0] == "not replicated: contradicted"
    assert verdicts(saved=(3.0, -1e-9))[0] == "replicated"  # to rounding
    assert verdicts(mixing=(True, False)) == ["replicated", "not replicated: contradicted"]
