"""The words by which triage knows selectors and singular ops: the tests hold them against the catalogue, which takes
too long to import for files that hold neither."""

from __future__ import annotations

import re
from functools import lru_cache


def _both(words: str) -> frozenset[str]:
    """The words, and their forms in place."""
    return frozenset(form for word in words.split() for form in (word, f"{word}_"))


WORD = "nanlint:"
"""Every comment to nanlint begins with it."""

SELECTING = _both(
    """
    where masked_fill masked_scatter masked_select index_put index_fill clamp clamp_min clamp_max clip relu relu6
    hardtanh threshold maximum minimum fmax fmin max min amax amin nan_to_num gather index_select take take_along_dim
    topk kthvalue sort median scatter nanmedian quantile nanquantile nanmean nansum tril triu diagonal
    fill_diagonal diagonal_scatter
    """
)
"""Calls that drop elements."""

BOUNDING = _both(
    "clamp clamp_min clamp_max clip relu relu6 hardtanh threshold maximum minimum fmax fmin max min amax amin"
)
"""Those of them that no mask decides, but the dropped values themselves."""

PRODUCTS = _both("mul multiply addcmul matmul mm bmm mv dot vdot inner einsum tensordot addmm baddbmm")
"""Calls that drop elements where one argument is a mask."""

SINGULAR = _both(
    """
    div divide true_divide remainder fmod sqrt rsqrt reciprocal pow float_power log log2 log10 log1p exp exp2 expm1
    logit entr xlogy xlog1py asin arcsin acos arccos sinh cosh acosh arccosh atanh arctanh hypot lgamma gammaln digamma
    psi polygamma mvlgamma multigammaln zeta gammainc igamma gammaincc igammac erfcx erfinv log_ndtr ndtri i0 i1
    addcdiv det logdet slogdet inv_ex eigh svd ctc_loss CTCLoss
    """
)
"""Calls that have a poison set."""

WEIGHING = frozenset("softmax log_softmax logsumexp logcumsumexp Softmax LogSoftmax".split())
"""Calls that are singular where all that they are given is minus infinity: where the text has any infinity."""

LAYERS = frozenset({"ReLU", "ReLU6", "Hardtanh", "Threshold"})
"""Modules of `torch.nn` that are selectors where they are called."""

SELECTORS = SELECTING | PRODUCTS | LAYERS

_SAYING = """
    mask masks pad padding paddings valid invalid keep kept is has are inside outside finite missing present not on
    legal illegal allowed available avail
    """.split()
"""Words that say of whatever stands with them that it is a mask: `valid_rays`, `is_on_screen`."""
_SAYING_LAST = "active visible matched".split()
"""Words that do so at the end of a name: what is called `observed_values` are values."""
_SAYING_ALONE = "masked padded unpadded selected observed in".split()
"""Words that do so where they stand alone: `x_padded` is an `x`."""
_SAID = "bounds? range frame image view domain box surface sphere screen front".split()
"""What something is `in_`."""
_VALUES = "probs? logits? scores? loss(es)? values? depths? distances? features? embeddings?".split()
"""What is no mask, whatever is said of it."""
MASK_NAME = (
    rf"^(?!(?!.*mask).*_({'|'.join(_VALUES)})$)(.*_)?({'|'.join(_SAYING)})(_|$)"
    rf"|(^|_)({'|'.join(_SAYING_LAST)})$|^({'|'.join(_SAYING_ALONE)})$"
    rf"|(^|_)in_({'|'.join(_SAID)})$|mask[a-z0-9]?$|mask_"
)
"""A pattern for names that say which elements count."""

NUMERIC = _both(
    """
    sign sgn fix floor ceil round trunc acosh arccosh
    int long short byte char uint8 int8 int16 int32 int64
    tensor as_tensor asarray new_tensor scalar_tensor full full_like new_full
    """
)
"""Names with which numbers come that may be 0 or one other: masks in a product, and indices in a subscript."""

MASKING = (
    NUMERIC
    | _both(
        """
    all any bitwise_and bitwise_not bitwise_or bitwise_xor eq ne lt le gt ge less less_equal greater greater_equal
    not_equal isclose isfinite isinf isnan isposinf isneginf isin isreal signbit logical_and logical_not logical_or
    logical_xor equal heaviside
    eye tril triu bernoulli one_hot scatter bool
    nonzero argwhere flatnonzero triu_indices tril_indices where masked_fill sample rsample
    """
    )
    | {"BoolTensor", "Bernoulli"}
)
"""Names with which values come that are 0 or one other number, where no comparison is written."""


RANKING = frozenset({"argmax", "argmin", "argsort", "sort", "topk", "max", "min"})
"""Calls that give indices of the larger or smaller elements, which say as masks do what a subscript leaves out."""


_INFINITY = re.compile(r"(?<![A-Za-z0-9])(inf|infty|infinity|Inf)(?![A-Za-z0-9])")


def writes_infinity(text: str) -> bool:
    """Whether a text has an infinity: `float("-inf")`, `-torch.inf`."""
    return _INFINITY.search(text) is not None


@lru_cache(maxsize=1 << 14)
def may_say_mask(name: str) -> bool:
    """Whether `MASK_NAME` may match a name: sooner told than by the pattern."""
    lower = name.lower()
    return "mask" in lower or not _WORDS_OF_MASKS.isdisjoint(lower.split("_"))


_WORDS_OF_MASKS = frozenset([*_SAYING, *_SAYING_LAST, *_SAYING_ALONE])
