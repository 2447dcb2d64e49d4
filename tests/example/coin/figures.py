"""The figure: success on the worse coin, a point per run."""


def figure_coin(table):
    worst = table[(table["measure"] == "worst input") & table["answer"].isin(["A_r0", "A_R"])]
    return worst.plot.scatter("answer", "value", ylabel="right on the worse coin [%]", ylim=(-4, 104)).figure
