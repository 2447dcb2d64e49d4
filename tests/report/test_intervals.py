import numpy as np
import pytest

from randformer.report.intervals import bootstrap


def test_the_interval_of_one_run_is_unknown_and_of_equal_runs_a_point():
    assert all(np.isnan(bootstrap([3.0])))
    assert bootstrap([3.0, 3.0, 3.0]) == (3, 3)


def test_the_interval_is_the_one_of_the_resampled_mean():
    """Two runs at 0 and 1: a resample's mean is 0, 1/2, 1 with odds 1:2:1. Many runs: mean +- 1.96 standard errors."""
    assert bootstrap([0.0, 1.0]) == (0, 1)
    assert bootstrap([0.0, 1.0], confidence=0.4) == (0.5, 0.5)
    values = np.random.default_rng(1).normal(5, 2, 400)
    low, high = bootstrap(values.tolist())
    assert low == pytest.approx(values.mean() - 1.96 * values.std() / 20, abs=0.02)
    assert high == pytest.approx(values.mean() + 1.96 * values.std() / 20, abs=0.02)
