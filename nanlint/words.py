"""The words by which triage knows selectors and singular ops: the tests hold them against the catalogue, which takes
too long to import for files that hold neither."""

from __future__ import annotations


def _both(words: str) -> frozenset[str]:
    """The words, and their forms in place."""
    return frozenset(form for word in words.split() for form in (word, f"{word}_"))


SELECTING = _both(
    """
    where masked_fill masked_scatter masked_select index_put index_fill clamp clamp_min clamp_max clip relu relu6
    hardtanh threshold maximum minimum fmax fmin max min amax amin nan_to_num gather index_select take take_along_dim
    topk kthvalue nanmean nansum
    """
)
"""Calls that drop elements."""

PRODUCTS = _both("mul multiply addcmul")
"""Calls that drop elements where one argument is a mask."""

SINGULAR = _both(
    """
    div divide true_divide remainder fmod sqrt rsqrt reciprocal pow float_power log log2 log10 log1p exp exp2 expm1
    logit entr xlogy xlog1py asin arcsin acos arccos sinh cosh acosh arccosh atanh arctanh hypot lgamma gammaln digamma
    psi polygamma mvlgamma multigammaln zeta gammainc igamma gammaincc igammac erfcx erfinv log_ndtr ndtri i0 i1
    addcdiv det logdet slogdet inv_ex ctc_loss CTCLoss
    """
)
"""Calls that have a poison set."""

LAYERS = frozenset({"ReLU", "ReLU6", "Hardtanh", "Threshold"})
"""Modules of `torch.nn` that are selectors where they are called."""

SELECTORS = SELECTING | PRODUCTS | LAYERS
