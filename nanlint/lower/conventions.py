"""What names and annotations say of an unknown value: the conventions that PyTorch code keeps."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from nanlint import regions as R
from nanlint.graph import Kind, Leaf
from nanlint.regions import Region
from nanlint.words import MASK_NAME


@dataclass(frozen=True)
class Said:
    """What is said of a value: its kind (None for no torch value at all), its region, whether gradient flows."""

    kind: Kind | None
    region: Region = R.FINITE
    grad: bool = False


_COUNT = R.interval(0.0, 1e6)
_SMALL = R.interval(1e-12, 1e-3)
_SETTING = R.interval(1e-6, 1e6)
"""A Python number that nothing else is known of: settings such as cut-offs, scales and temperatures are positive."""

_NAMES: tuple[tuple[re.Pattern[str], Said], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), said)
    for pattern, said in (
        # small positive numbers
        (r"(^|_)(eps|epsilon|tiny|jitter|tol|atol|rtol)\d*$|^(eps|tiny)_|_eps$", Said(Kind.NUMBER, _SMALL)),
        # how large layers, vocabularies and batches are
        (
            r"(^|_)(vocab|vocabulary|batch|beam|hidden|embed|embedding|block|chunk|kernel|window|patch|head|context)_size$"
            r"|(^|_)(kernel|in|out|input|output|image|img|grid|batch|patch|target)_shape$"
            r"|(^|_)dim$|_channels$|^d_(model|k|v|head|ff)$|^n_embd$",
            Said(Kind.NUMBER, R.interval(1.0, 1e6)),
        ),
        # masks: which elements count
        (
            MASK_NAME,
            Said(Kind.UNKNOWN, R.TRUTH),
        ),
        # integers: how many, and which
        (
            r"^(num|n|nb)_|(^|_)(lens|numel|index|indices|idx|idxs|ids?|edge_index)$",
            Said(Kind.UNKNOWN, _COUNT),
        ),
        # how often something has occurred, and what has been summed up of it
        (
            r"^(row|col|bin)count$|^(tp|fp|fn|tn|tps|fps|fns|tns)$|^(true|false)_(positive|negative)s?$",
            Said(Kind.UNKNOWN, _COUNT),
        ),
        (r"^sums?_|_sums?$", Said(Kind.UNKNOWN, R.FINITE)),
        # how long sequences are
        (
            r"(^|_)(seq|enc|dec|input|output|src|tgt|target|query|token|text|mel|wav|audio|chunk|frame)s?_(len|length)s?$"
            r"|^(lens|lengths|seqlens?|cu_seqlens|[iox]lens?)$",
            Said(Kind.UNKNOWN, _COUNT),
        ),
        # the frequencies of rotary embeddings
        (r"(^|_)inv_freqs?$|^freqs_cis$", Said(Kind.UNKNOWN, R.interval(1e-9, 1.0))),
        # the logarithm of a ratio of signal to noise
        (r"(^|_)log_?snr$", Said(Kind.UNKNOWN, R.interval(-50.0, 50.0), True)),
        # the logarithm of how many frames something takes
        (r"(^|_)log_?dur(ation)?s?(_|$)", Said(Kind.UNKNOWN, R.interval(-50.0, 50.0), True)),
        # how much noise a diffusion adds in each step
        (
            r"^(sqrt_)?(one_minus_)?(alphas|betas|alphas?_(cum\w*|bars?|hats?))(_prev|_next|_t)?$",
            Said(Kind.UNKNOWN, R.interval(1e-6, 1.0)),
        ),
        # constants handed to a helper
        (r"^ones?$", Said(Kind.UNKNOWN, R.TRUE)),
        (r"^zeros?$", Said(Kind.UNKNOWN, R.ZERO)),
        # what a loss compares with
        (
            r"(^|_)(target|label|ground_truth|groundtruth)s?$|^gt(_|$)|_gt$|^y_true$",
            Said(Kind.UNKNOWN, R.FINITE),
        ),
        # logarithms of probabilities, of a policy that is not trained and of one that is
        (
            r"^(old|ref|reference|behaviou?r|sampling)_(per_token_)?(log_?probs?|log_?ps?|logits)$",
            Said(Kind.UNKNOWN, R.interval(-1e6, 0.0)),
        ),
        (
            r"(^|_)(log_?probs?|log_?p|logps?|per_token_logps?|log_?likelihoods?)(_|$)|logprobs?$",
            Said(Kind.UNKNOWN, R.interval(-1e6, 0.0), True),
        ),
        # what cannot be negative
        (
            r"(^|_)(std|stddev|nanstd|sigmas?|norm|norms|dist|dists|distance|distances|radius|radii|r_?vdw|r_?cov|density|densities|transmittance|optical_depth)$",
            Said(Kind.UNKNOWN, R.interval(0.0, 1e6), True),
        ),
        # what comes from an environment or is counted, and what nothing is trained through
        (
            r"(^|_)(obs|observations?|rewards?|dones?|confmat|confusion_matrix)$|(^|_)rewards?_per_",
            Said(Kind.UNKNOWN, R.FINITE),
        ),
        # gradients
        (r"^grads?$", Said(Kind.UNKNOWN, R.FINITE)),
        # what is no tensor
        (r"(^|_)(df|dataframe|series)(_|$)|^(logger|logging|writer|pbar|log)$", Said(None)),
    )
)
_WHOLE = R.point(1.0, 2.0, 3.0) | R.interval(4.0, 1e6)
"""Whole numbers, as far as it matters: between the first few are the exponents that are singular."""
_ANNOTATIONS: tuple[tuple[re.Pattern[str], Said], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"\bBoolTensor\b", Said(Kind.TENSOR, R.TRUTH)),
        (r"\b(LongTensor|IntTensor|ByteTensor)\b", Said(Kind.TENSOR, R.FINITE)),
        (r"Tensor\b|\bParameter\b", Said(Kind.TENSOR, R.FINITE, True)),
        (
            r"^(Optional\[)?(Union\[)?(([lL]ist|[tT]uple|Sequence|Iterable)\[)+(int|float|bool)\b(?!.*Tensor)",
            Said(Kind.UNKNOWN, R.FINITE),
        ),
        (r"^(Optional\[)?bool\b", Said(Kind.NUMBER, R.TRUTH)),
        (r"^(Optional\[)?int\b(?!.*float)", Said(Kind.NUMBER, _WHOLE)),
        (r"^(Optional\[)?(float|int|complex|Number|number)\b", Said(Kind.NUMBER, _SETTING)),
        # of a dictionary only its keys are strings
        (
            r"\b(ndarray|NDArray|DataFrame|Series|Path|Callable|Logger|Module)\b|^(?!.*\b[dD]ict\b).*\bstr\b",
            Said(None),
        ),
    )
)


_OF_NUMBERS = re.compile(
    r"^((Optional|Union|[Tt]uple|[Ll]ist|Sequence|Iterable)\[)*(float|int|bool|Number|number|Real)\b(?!.*Tensor)"
)
_LIST = re.compile(r"^(?:Optional\[)?(?:[Ll]ist|Sequence|Iterable|Collection)\[(int|float)\b")
_COUNTED = re.compile(r"(^|_)(lengths?|counts?|sizes?|labels?|degrees?|steps?)$", re.IGNORECASE)


def counts_something(name: str) -> bool:
    """Whether something called `name` is an integer where it is converted to float (`lengths.float()`)."""
    return _COUNTED.search(name) is not None


@lru_cache(maxsize=1 << 13)
def named(name: str) -> Said | None:
    """What the last part of a name says (`eps` in `cfg.loss.eps` and `cfg["eps"]`); None if nothing."""
    last = _last_part(name)
    return next((said for pattern, said in _NAMES if pattern.search(last)), None)


def named_in(name: str, text: str) -> Said | None:
    """The same in a file with this text: where that speaks of bonds, `lengths` are no numbers of elements."""
    said = named(name)
    distance = said is not None and _last_part(name) == "lengths" and _BONDS.search(text) is not None
    return None if distance else said


_BONDS = re.compile(r"\b(r_(max|cut|cutoff)|cutoff|radial\w*|edge_(vectors?|vec|index|lengths?)|atoms?)\b")
_PART = re.compile(r"\w+")
_ARGUMENTS = re.compile(r"\([^()]*?(\)|\.\.\.)")
"""The arguments of a call in a name, or as much of them as is left of a long one."""
_ELEMENTS = re.compile(r"""\[[^\[\]"']*\]$""")
"""The subscript at the end of a name that is no key: `[t]`, `[:, 0]`."""


def _parts(name: str) -> list[str]:
    """`cfg`, `loss` and `eps` of `cfg.loss["eps"]`; of a call without its arguments, of elements what they are of."""
    name, found = _ELEMENTS.sub("", name), 1
    while found:
        name, found = _ARGUMENTS.subn("", name)
    return _PART.findall(name)


def _last_part(name: str) -> str:
    return (_parts(name) or [name])[-1]


_SETTINGS = re.compile(
    r"(^|_)(cfg|configs?|configuration|conf|args|opts?|options|settings?|flags|parser|hparams|hps|hyper_?params?)$",
    re.IGNORECASE,
)


def holds_settings(name: str) -> bool:
    """Whether something called `name` is where a program keeps its settings: `cfg`, `self.config`, `training_args`."""
    return _SETTINGS.search(_last_part(name)) is not None


def is_in_settings(name: str) -> bool:
    """Whether a name is that of something in settings: `cfg.loss.scale`, `hparams["scale"]`."""
    return any(map(holds_settings, _parts(name)[:-1]))


def is_of_object(name: str) -> bool:
    """Whether a name is that of an attribute of `self`, or of an attribute of one."""
    parts = _parts(name)
    return len(parts) > 1 and parts[0] in ("self", "cls")


def is_given_setting(leaf: Leaf) -> bool:
    """Whether an input is a setting by its name: one among settings, or an attribute that nothing assigns."""
    return not leaf.opaque and (is_in_settings(leaf.name) or is_of_object(leaf.name))


def number_by_default(default: bool | float) -> Said:
    """What is said of a setting that is looked up with a default: a flag, a positive number, or the default."""
    if isinstance(default, bool):
        return Said(Kind.NUMBER, R.TRUTH)
    return Said(Kind.NUMBER, _SETTING | R.point(float(default)))


def annotated(text: str) -> Said | None:
    """What an annotation says; None if nothing."""
    return next((said for pattern, said in _ANNOTATIONS if pattern.search(text)), None) if text else None


def of_each(text: str) -> Said | None:
    """What an annotation says of the elements of a list of numbers; None if it is no such one."""
    found = _LIST.match(text)
    return annotated(found[1]) if found is not None and "Tensor" not in text else None


def may_be_number(annotation: ast.expr | None) -> bool:
    """Whether a parameter is a number, or a list or tuple of some, by its annotation; it may be without one."""
    return annotation is None or _OF_NUMBERS.search(unparsed(annotation)) is not None


@lru_cache(maxsize=1 << 12)
def unparsed(node: ast.expr) -> str:
    """The text of an annotation, which is asked for at each call."""
    return ast.unparse(node)


_PREDICTED = re.compile(r"(_|^)(hat|pred|preds|predictions?)$|^pred_", re.IGNORECASE)
_COMPARED = re.compile(r"(^|_)(target|label|ground_truth|gt)s?$|^gt_|^y_true$", re.IGNORECASE)
_WEIGHT = re.compile(r"(^|_)(weights?|areas?|beta)$", re.IGNORECASE)


def is_beside_prediction(name: str, names: Sequence[str]) -> bool:
    """Whether a parameter, among all the `names` of a function's, is what a loss compares with, or what that weighs.

    So is `y` beside `y_hat`, and `areas` after `target`.
    """
    if name in ("y", "y_insample"):
        return any(map(_PREDICTED.search, names))
    before = names[: names.index(name)]
    return _WEIGHT.search(name) is not None and any(map(_COMPARED.search, before))


_OF_NORMALS = "normali[sz]ed|normed|hat|vec|vector|dir|unit|norm|dot|cross|inv|sq|squared|sqrt|[xyzijk]{1,2}"
_COUNTS = re.compile(
    rf"^(num|nb)_[a-z]|^n_(?!({_OF_NORMALS})(_|$))[a-z]|(^|_)counts?$",
    re.IGNORECASE,
)
"""Names of counts; a vector `n` may be normalized, have a length, and three coordinates."""


def is_count_name(name: str) -> bool:
    """Whether something called `name` says how many."""
    return _COUNTS.search(name) is not None


_RECORDS = re.compile(
    r"(^|_)(metrics?|stats?|statistics|logs?|log_dict|logging_outputs?|infos?|summary|summaries|diagnostics|meters?)$",
    re.IGNORECASE,
)


def keeps_records(name: str) -> bool:
    """Whether something called `name` is where a program keeps what it shows: `metrics["norm"]`, `self.stats`."""
    return _RECORDS.search(_last_part(name)) is not None


def is_record(node: ast.expr) -> bool:
    """Whether an expression is of something that keeps records, or of an element of it."""
    while isinstance(node, ast.Subscript):
        node = node.value
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return keeps_records(name)


_MEASURES = re.compile(r"(^|_)(metrics?|accuracy|acc)$", re.IGNORECASE)


def measures(name: str) -> bool:
    """Whether a function called `name` measures what it is given, to be shown: `self.train_accuracy(scores, y)`."""
    return _MEASURES.search(name) is not None
