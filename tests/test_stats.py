"""Statistics against reference values: scipy's and statsmodels' own, and cases worked by hand."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as sp

from consult.stats.calibration import calibration
from consult.stats.clusters import MOST, clustered, of_codes
from consult.stats.intervals import mean, proportion, wilson
from consult.stats.labels import classify
from consult.stats.paired import Difference, holm, paired, smallest_shown
from consult.stats.repeats import flip_rate, pass_hat_k


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (88, 100), (1, 3)])
def test_wilson_is_that_of_statsmodels(k: int, n: int) -> None:
    from statsmodels.stats.proportion import proportion_confint

    assert wilson(k / n, n) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-9)


def test_standard_error_is_the_plain_one_where_each_cluster_has_one_value() -> None:
    values = [0.1, 0.5, 0.9, 0.4, 0.7]
    assert clustered(values, range(5)).error == pytest.approx(sp.sem(values))


def test_values_that_agree_within_a_scenario_tell_no_more_than_one_of_them() -> None:
    hits = [1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1]
    once = proportion(hits, range(12))
    five = proportion([h for h in hits for _ in range(5)], [n for n in range(12) for _ in range(5)])
    assert (five.low, five.high) == pytest.approx((once.low, once.high), abs=0.01)
    alone = proportion([h for h in hits for _ in range(5)], range(60))
    assert alone.high - alone.low < 0.6 * (five.high - five.low)


def test_all_right_is_no_certainty() -> None:
    i = proportion([1] * 50, [n // 5 for n in range(50)])
    assert i.high == pytest.approx(1)
    assert 0.6 < i.low < proportion([1] * 50, range(50)).low < 1


def test_mean_interval_is_near_students_where_that_is_right() -> None:
    values = np.random.default_rng(3).normal(5, 2, 60).tolist()
    i = mean(values, range(60), "x")
    low, high = sp.t.interval(0.95, 59, np.mean(values), sp.sem(values))
    assert i.mean == pytest.approx(np.mean(values))
    assert (i.low, i.high) == pytest.approx((low, high), abs=0.12)


def test_the_order_of_rows_changes_nothing() -> None:
    values, names = [0.1, 0.2, 0.35, 0.7, 0.9, 0.3], ["a", "b", "a", "c", "d", "b"]
    back = [4, 2, 0, 5, 3, 1]
    assert mean(values, names) == mean([values[n] for n in back], [names[n] for n in back])


def test_few_or_equal_values() -> None:
    assert isnan(mean([0.4, 0.5], ["a", "a"]).low)
    assert (mean([2, 2, 2], "abc").low, mean([2, 2, 2], "abc").high) == (2, 2)
    with pytest.raises(ValueError, match="2 values, but 1 clusters"):
        mean([1, 2], ["a"])
    with pytest.raises(ValueError, match="not finite"):
        mean([1, nan], ["a", "b"])


@pytest.mark.parametrize(("gained", "lost"), [(9, 2), (5, 5), (1, 0), (12, 30), (0, 8)])
def test_mcnemar_is_that_of_statsmodels(gained: int, lost: int) -> None:
    from statsmodels.stats.contingency_tables import mcnemar

    a = [0] * gained + [1] * lost + [1] * 20
    b = [1] * gained + [0] * lost + [1] * 20
    table = [[20, lost], [gained, 0]]
    expected = mcnemar(table, exact=True).pvalue
    assert paired(a, b, range(len(a)), binary=True).p == pytest.approx(expected)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_clustered_mcnemar_counts_every_flip_of_signs(sums: list[int]) -> None:
    a = [float(x < 0) for s in sums for x in [np.sign(s)] * max(abs(s), 1)]
    b = [float(x > 0) for s in sums for x in [np.sign(s)] * max(abs(s), 1)]
    names = [n for n, s in enumerate(sums) for _ in range(max(abs(s), 1))]
    flips = np.array(np.meshgrid(*[[-1, 1]] * len(sums))).reshape(len(sums), -1)
    expected = np.mean(np.abs(np.abs(sums) @ flips) >= abs(sum(sums)))
    assert paired(a, b, names, binary=True).p == pytest.approx(expected)


def test_a_difference_in_one_scenario_alone_is_not_told_apart() -> None:
    a, b = [0] * 40, [1] * 20 + [0] * 20
    assert paired(a, b, [0] * 20 + list(range(1, 21)), binary=True).verdict == "not told apart"
    assert paired(a, b, range(40), binary=True).verdict == "better"
    assert paired(b, a, range(40), binary=True).verdict == "worse"


def test_a_score_against_itself_and_against_a_better_one() -> None:
    base = np.random.default_rng(1).normal(0.5, 0.2, 40)
    same = paired(base.tolist(), base.tolist(), range(40))
    assert (same.p, same.verdict, same.mean) == (1.0, "not told apart", 0.0)
    more = (base + 0.1 + np.random.default_rng(2).normal(0, 0.05, 40)).tolist()
    d = paired(base.tolist(), more, range(40))
    assert d.verdict == "better"
    assert d.low < 0.1 < d.high
    with pytest.raises(ValueError, match="pair them by cell"):
        paired([1.0], [1.0, 2.0], [0])


def test_interval_and_test_agree() -> None:
    for seed in range(40):
        chance = np.random.default_rng(seed)
        a, b = chance.normal(0, 1, 30), chance.normal(0.5, 1, 30)
        d = paired(a.tolist(), b.tolist(), range(30), seed)
        assert (d.low > 0 or d.high < 0) == (d.p < 0.05), seed


def test_smallest_difference_is_that_of_a_power_calculation() -> None:
    """One-sample t: at the difference given the power is 0.8, within the usual approximation."""
    values = np.random.default_rng(5).normal(0, 1, 50)
    least = smallest_shown(clustered(values.tolist(), range(50)))
    ncp = least / sp.sem(values)
    crit = sp.t.ppf(0.975, 49)
    power = 1 - sp.nct.cdf(crit, 49, ncp) + sp.nct.cdf(-crit, 49, ncp)
    assert power == pytest.approx(0.8, abs=0.01)


def test_holm() -> None:
    from statsmodels.stats.multitest import multipletests

    def of(p: float) -> Difference:
        return Difference(0, 1, 1, 0, 2, p, 1, 10, 10, "x")

    done = holm({"a": of(0.01), "b": of(0.04), "c": of(0.03), "d": of(nan)})
    assert [done[n].adjusted for n in "abc"] == pytest.approx([0.03, 0.06, 0.06])
    assert isnan(done["d"].adjusted)
    assert [done[n].adjusted for n in "abc"] == pytest.approx(multipletests([0.01, 0.04, 0.03], method="holm")[1])
    assert [done[n].verdict for n in "abcd"] == ["better", *["not told apart"] * 3]


def test_labels_by_hand() -> None:
    """Two of three a right, b once right and once abstained, c answered for a."""
    r = classify(["a", "a", "a", "b", "b"], ["a", "a", "c", "b", None])
    assert (r.n, r.abstained, r.accuracy) == (5, 1, 0.6)
    assert (r.labels["a"].precision, r.labels["a"].recall) == (1, pytest.approx(2 / 3))
    assert r.macro_f1 == pytest.approx((0.8 + 2 / 3) / 2)
    assert r.weighted_f1 == pytest.approx((0.8 * 3 + 2 / 3 * 2) / 5)
    assert r.confusion["b", "(none)"] == 1


def test_calibration_by_hand() -> None:
    c = calibration([0.95, 0.95, 0.55, 0.55, 1.0], [1, 1, 0, 1, 1])
    assert [b.n for b in c.bins] == [0, 0, 0, 0, 0, 2, 0, 0, 0, 3]
    assert c.ece == pytest.approx((2 * abs(0.55 - 0.5) + 3 * abs(2.9 / 3 - 1)) / 5)
    assert c.brier == pytest.approx((0.0025 * 2 + 0.55**2 + 0.45**2 + 0) / 5)
    with pytest.raises(ValueError, match="outside"):
        calibration([1.2], [1])


def test_repeats_by_hand() -> None:
    assert pass_hat_k({"a": [1, 1, 0, 1], "b": [1, 1, 1, 1]}, 2) == pytest.approx((3 / 6 + 1) / 2)
    assert pass_hat_k({"a": [1]}, 2) is None
    assert flip_rate({"a": ["x", "x", "y"], "b": ["x", "x"], "c": ["z"]}) == pytest.approx((2 / 3) / 2)
    assert flip_rate({"a": ["x"]}) is None


def test_values_by_number_of_cluster_are_the_same() -> None:
    values, names = np.array([0.1, 0.2, 0.35, 0.7, 0.9]), np.array([3, 0, 3, 1, 0])
    by_name, by_number = clustered(values.tolist(), names.tolist()), of_codes(values, names)
    assert by_number.sums == pytest.approx(by_name.sums)
    assert by_number.sizes.tolist() == by_name.sizes.tolist()


def test_very_many_clusters_are_put_together_without_changing_what_they_say() -> None:
    values = np.random.default_rng(8).normal(3, 1, 5000)
    c = of_codes(values, np.arange(5000))
    assert (c.pooled().count, c.pooled().mean) == (MOST, pytest.approx(c.mean))
    assert c.pooled().error == pytest.approx(c.error, rel=0.15)
    low, high = sp.t.interval(0.95, 4999, c.mean, c.error)
    i = mean(values.tolist(), range(5000))
    assert (i.low, i.high) == pytest.approx((low, high), abs=0.2 * c.error)


def test_a_resample_that_differs_by_rounding_alone_is_no_spread() -> None:
    """One scenario of 60 differs: without a look at rounding the limits were millions."""
    values = [0.3] * 59 + [0.7]
    i = mean(values, range(60))
    assert 0 < i.low < i.mean < i.high < 2


@pytest.mark.parametrize(("gained", "lost"), [(900, 820), (500, 500), (700, 600)])
def test_mcnemar_of_very_many_is_near_the_exact_one(gained: int, lost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = [0] * gained + [1] * lost, [1] * gained + [0] * lost
    exact = paired(a, b, range(len(a)), binary=True).p
    monkeypatch.setattr("consult.stats.paired.EXACT", 10)
    assert paired(a, b, range(len(a)), binary=True).p == pytest.approx(exact, rel=0.03)


def test_no_difference_seen_is_no_difference_known() -> None:
    d = paired([1] * 30, [1] * 30, range(30), binary=True)
    assert d.low < -0.05 < 0.05 < d.high
    assert d.smallest > 0.05


def test_the_interval_of_pairs_is_that_of_bonett_and_price() -> None:
    """Their formula for 12 gained, 5 lost of 60, with t for z."""
    n, gained, lost = 60, 12, 5
    a, b = [0] * gained + [1] * lost + [1] * 43, [1] * gained + [0] * lost + [1] * 43
    p12, p21 = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = sp.t.ppf(0.975, n + 1) * np.sqrt((p12 + p21 - (p12 - p21) ** 2) / (n + 1))
    d = paired(a, b, range(n), binary=True)
    assert (d.low, d.high) == pytest.approx((p12 - p21 - half, p12 - p21 + half))
