r"""How many views each arm of a test needs, for a rise of a rate to be seen.

Two proportions, two-sided, with Cohen's effect size :math:`h = 2\arcsin\sqrt{p_2} - 2\arcsin\sqrt{p_1}`
(Cohen, 1988, Statistical Power Analysis for the Behavioral Sciences, section 6.2), solved by statsmodels.
"""

from __future__ import annotations

import math

from mezzotint.catalog.brief import Trial
from mezzotint.errors import UsageError


def views_needed(trial: Trial) -> int:
    """Of each arm.  Raises UsageError where statsmodels is not installed."""
    try:
        from statsmodels.stats.power import NormalIndPower
        from statsmodels.stats.proportion import proportion_effectsize
    except ImportError as error:
        raise UsageError("sample sizes are solved by statsmodels; pip install 'mezzotint[catalog]'") from error
    effect = proportion_effectsize(trial.rate * (1 + trial.lift), trial.rate)
    found = NormalIndPower().solve_power(effect, power=trial.power, alpha=trial.alpha, ratio=1.0)
    return math.ceil(float(found))
