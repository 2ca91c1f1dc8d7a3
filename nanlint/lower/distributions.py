"""What a distribution declares of its parameters: `arg_constraints`, which torch checks whenever one is made."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from nanlint import regions as R
from nanlint.graph import Leaf, Value
from nanlint.lower.remembered import remembered
from nanlint.lower.things import Class
from nanlint.regions import Region

_DECLARATION = "arg_constraints"
_CONSTRAINTS: dict[str, Region] = {
    "boolean": R.TRUTH,
    "corr_cholesky": R.interval(-1.0, 1.0),
    "nonnegative": R.NONNEGATIVE & R.FINITE,
    "nonnegative_integer": R.NONNEGATIVE & R.FINITE,
    "positive": R.POSITIVE & R.FINITE,
    "positive_integer": R.above(1.0, closed=True) & R.FINITE,
    "simplex": R.UNIT,
    "unit_interval": R.UNIT,
}
"""The regions of `torch.distributions.constraints`, element by element."""


_DISTRIBUTIONS = frozenset(
    """
    Bernoulli Beta Binomial Categorical Cauchy Chi2 ContinuousBernoulli Dirichlet Exponential FisherSnedecor Gamma
    Geometric Gumbel HalfCauchy HalfNormal Independent InverseGamma Kumaraswamy LKJCholesky Laplace LogNormal
    LogisticNormal LowRankMultivariateNormal MixtureSameFamily Multinomial MultivariateNormal NegativeBinomial Normal
    OneHotCategorical Pareto Poisson RelaxedBernoulli RelaxedOneHotCategorical StudentT TransformedDistribution
    Uniform VonMises Weibull Wishart
    """.split()
)
"""The classes of `torch.distributions`, whose `sample` is made without gradients; `rsample` is not."""


def is_distribution(value: Value) -> bool:
    """Whether a value is an object of one of torch's distributions, by the call that makes it: `D.Normal(...)`."""
    called = value.node.func if isinstance(value, Leaf) and isinstance(value.node, ast.Call) else None
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in _DISTRIBUTIONS


def declared(ancestry: list[Class]) -> dict[str, Region]:
    """The region of each constrained parameter, by the class nearest to the object."""
    found: dict[str, Region] = {}
    for cls in ancestry:
        for key, region in _declared_by(cls.node).items():
            found.setdefault(key, region)
    return found


@remembered
def _declared_by(node: ast.ClassDef) -> dict[str, Region]:
    """What a class declares, which is asked for at each call of a method."""
    found: dict[str, Region] = {}
    for key, value in _entries(node):
        region = _region(value)
        if region is not None:
            found.setdefault(key, region)
    return found


def comparisons(region: Region) -> Iterator[tuple[str, float]]:
    """The comparisons with numbers that put a finite value into a region without gaps, as (`gt`, 0.0)."""
    low, high = region.intervals[0], region.intervals[-1]
    if math.isfinite(low.lo):
        yield ("gt" if low.lo_open else "ge"), low.lo
    if math.isfinite(high.hi):
        yield ("lt" if high.hi_open else "le"), high.hi


def _entries(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for statement in node.body:
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
            continue
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        named = any(isinstance(target, ast.Name) and target.id == _DECLARATION for target in targets)
        if named and isinstance(statement.value, ast.Dict):
            for key, value in zip(statement.value.keys, statement.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value


def _region(constraint: ast.expr) -> Region | None:
    """The region of `constraints.positive`, or of `positive` if that is how it was imported."""
    if isinstance(constraint, ast.Attribute):
        return _CONSTRAINTS.get(constraint.attr)
    return _CONSTRAINTS.get(constraint.id) if isinstance(constraint, ast.Name) else None
