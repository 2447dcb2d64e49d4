from randformer.experiments.recall import paper


def test_the_values_read_off_are_of_each_other():
    """More votes are better, the average is above the 95th percentile, and N = 10 and 11 fit into memory."""
    one, five, thirty = (paper.FIGURE_1C[f"A_R{vote}"] for vote in ("", "-majority(5)", "-majority(30)"))
    assert all(one[n] <= five[n] <= thirty[n] for n in paper.NS)
    assert {n for n, value in paper.FIGURE_1C["A_r0"].items() if value} == {10, 11}
    for figure in (paper.FIGURE_3A, paper.FIGURE_3B):
        for answer, worst in figure["95th percentile"].items():
            average = figure["average"].get(answer, {})
            assert all(average[n] >= worst[n] for n in worst if n in average)
    assert paper.FIGURE_3B["95th percentile"]["A_R"][20] == paper.FIGURE_1C["A_R"][20]
