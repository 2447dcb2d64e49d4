import numpy as np
import pytest

from randformer.report.intervals import ANY, PERCENT, POSITIVE, interval


def test_one_run_has_no_interval_and_equal_runs_a_point():
    assert all(np.isnan(interval([3.0], PERCENT)))
    assert interval([3.0, 3.0, 3.0], PERCENT) == (3, 3)


def test_runs_at_0_or_100_have_the_interval_of_a_proportion():
    """Clopper and Pearson's, of 0 in 5 by hand: (1 - p)^5 = 0.025."""
    assert interval([0.0] * 5, PERCENT) == (0, pytest.approx(100 * (1 - 0.025 ** (1 / 5))))
    assert interval([100.0] * 5, PERCENT) == (pytest.approx(100 * 0.025 ** (1 / 5)), 100)
    assert interval([100, 0, 0], PERCENT) == pytest.approx((0.84, 90.6), abs=0.05)


def test_two_runs_are_hardly_any():
    """Student's t has 12.7 with one degree of freedom; with many runs it is 1.96."""
    assert interval([1.0, 2.0], ANY) == pytest.approx((1.5 - 12.706 / 2, 1.5 + 12.706 / 2), abs=0.01)
    values = np.random.default_rng(1).normal(5, 2, 400)
    assert interval(values.tolist(), PERCENT) == pytest.approx((values.mean() - 0.196, values.mean() + 0.196), abs=0.02)


def test_an_interval_ends_where_values_do():
    """99 and 100 %: Student's t alone says 93.1 to 105.9; a difference of two percentages may be that."""
    assert interval([99.0, 100.0], PERCENT) == (pytest.approx(93.147, abs=1e-3), 100)
    assert interval([99.0, 100.0], ANY) == pytest.approx((93.147, 105.853), abs=1e-3)
    assert interval([0.0, 1.0], POSITIVE) == (0, pytest.approx(6.853, abs=1e-3))
    assert interval([0.0] * 5, ANY) == (0, 0)  # no proportion


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("kind", ["normal", "bimodal"])
def test_the_mean_is_covered_as_often_as_stated(n, kind):
    """2,000 samples of n runs: of a normal value, and of one that is 100 in seven runs of ten and 0 in the others."""
    generator = np.random.default_rng(n)
    if kind == "normal":
        mean, samples = 60, generator.normal(60, 10, (2000, n))
    else:
        mean, samples = 70, 100 * generator.binomial(1, 0.7, (2000, n))
    ends = np.array([interval(sample.tolist(), PERCENT) for sample in samples])
    assert ((ends[:, 0] <= mean) & (mean <= ends[:, 1])).mean() >= 0.935
