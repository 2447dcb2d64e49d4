"""What 00_start_here.ipynb shows: the rules, and what its two models did before the reader's eyes."""

from collections.abc import Iterable

import pandas as pd

from randformer.report.claims import Claim
from randformer.report.tables import chosen


def rules(claims: Iterable[Claim]) -> pd.DataFrame:
    """A row for each claim of the first edition, none that was added: id, claim, replicated if, notebook."""
    rows = [(claim.id, claim.claim, claim.rule, claim.notebook) for claim in claims if not claim.added]
    return pd.DataFrame(rows, columns=["id", "claim", "replicated if", "notebook"])


def one_run_each(table: pd.DataFrame) -> pd.DataFrame:
    """One run of each model, as tables.tidy has them, in percent: a row for each answer, a column for each measure."""
    shown = chosen(table, measure=["average", "95th percentile", "worst input", "inputs at 0"])
    return shown.pivot(index="answer", columns="measure", values="value").round(1).rename_axis(columns=None)


def observed(fixed: dict, randomized: dict) -> dict[str, bool]:
    """What can be told of one run of each model, from their evaluations."""
    single = randomized["success"]
    return {
        "some cycle always defeats the fixed seed": fixed["success"]["worst"] == 0,
        "some cycle always defeats the random seeds": single["zero_share"] > 0,
        "a vote over 30 seeds beats one seed on the average cycle": randomized["majority30"]["average"]
        > single["average"],
    }
