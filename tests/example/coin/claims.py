"""The claim, judged by the table of all answers; its rule was fixed before the runs."""

from coin import NOTEBOOK
from randformer.report.claims import Claim, Condition
from randformer.report.tables import of_run


def worst(answer):
    return lambda table: of_run(table, answer, "worst input", 20)


RULE = "worse coin: A_r0 {0} %, A_R {1} %"
CONDITIONS = Condition(worst("A_r0"), "==", 0), Condition(worst("A_R"), ">=", 40)
CLAIMS = (Claim("X1", "A random guess holds half the time", "the game's value: 50", RULE, CONDITIONS, NOTEBOOK),)
