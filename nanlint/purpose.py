"""What code is for, by its name and its folder: through tests and the preparation of data nothing is trained."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from nanlint.roots import MARKERS

_FILE = re.compile(
    r"test_.*|.*_test|tests?|conftest|(.*_)?(datasets?|data_?loaders?|preprocess\w*|data_utils)"
    r"|(val|valid|validation|test|eval|evaluation)_metrics?|(.*_)?(eval|evaluat\w+|scalers?|running_mean_std)"
    r"|normali[sz]ers?|(\w*_)?beam(_\w*)?_decod\w+|(\w*_)?beam_search\w*",
    re.IGNORECASE,
)
_TEST = re.compile(r"test_.*|.*_test|tests?|conftest", re.IGNORECASE)
_FOLDERS = frozenset(
    "data dataset datasets dataloader dataloaders data_loader data_loaders loader loaders preprocess preprocessing"
    " export exporter exporters eval evaluation validation metric metrics benchmark benchmarks doc docs".split()
)
_MATHEMATICS = re.compile(
    r"\w*(so3|se3|rotation|rigid|quaternion|geometr|diffus|interpolant)\w*", re.IGNORECASE
)
"""Files of formulas that losses use, too, whatever folder they are kept in."""
_TESTS = frozenset("test tests testing unittests unit_tests integration_tests".split())
_FUNCTION = re.compile(
    r"_*(get|build|prepare|make|compute|generate|create|assign|encode)_(\w+_)?targets?(_single\w*)?"
    r"|_*(reset_parameters|init(ial|iali[sz]e)?(_\w+)?(?<!__)|\w+_init_?)"
    r"|\w*(nms|predicted_b?boxes|detections|predict_by_feat\w*)"
    r"|generate|predict(_step)?|validation_step|test_step|infer(ence)?"
    r"|(\w+_)?sampler|effective_sample_size|(split_)?gelman_rubin"
    r"|(\w+_)?statistics|average_(pitch|energy|features|over_durations)"
    r"|_*(scale|transform|sample|reset|make|generate)_noise"
    r"|_*unsafe_\w+",
    re.IGNORECASE,
)
_CLASS = re.compile(
    r"\w*(Sampler|Scheduler|Corrector|Assigner|BeamSearch\w*|CEM\w*|MPPI\w*|Scaler|Normali[sz]er|Standardi[sz]er|RunningMeanStd|RunningStats?)"
)
_LOADED = re.compile(r"(data|dataset|graph|adj|adj_t|g|split_edge|batch)\b|[\w.]*(Dataset|load\w*)\(")
_GRADIENT = re.compile(r"grad_(in|out)(puts?)?|exp_avg(_sq)?|d_p")
"""What hooks of backward are handed, and the steps of optimisers."""
_NOISE = re.compile(r"noise_?schedule|diffusion|denois", re.IGNORECASE)
"""What files that add noise to their data speak of."""
_LEVEL = re.compile(
    r"([\w.]+\()?(ts?|times?|timesteps?)\)?(\[.*)?|[\w.]*noise_schedule\b.*|(alpha|sigma|gamma|snr)s?_([ts]|bar|cumprod)",
    re.IGNORECASE,
)
"""What the amount of it is called."""
_BACKWARD = re.compile(r"\bbackward\b|gradcheck|\bautograd\b|requires_grad|\bfunc\.grad\b|\.grad\b|\boptim\b")


def is_untrained(path: str) -> bool:
    """Whether a file is one of tests, as pytest and unittest have them, prepares data, or belongs to documentation."""
    folder, file = os.path.split(path)
    stem = os.path.splitext(file)[0]
    folders = _TESTS if _MATHEMATICS.fullmatch(stem) is not None else _FOLDERS | _TESTS
    return _FILE.fullmatch(stem) is not None or not folders.isdisjoint(_within_project(folder))


def is_among_tests(path: str) -> bool:
    """Whether a file is in a folder of tests: what these differentiate is the code that they test."""
    return not _TESTS.isdisjoint(_within_project(os.path.dirname(path)))


def is_named_test(file: str) -> bool:
    """Whether a file is one of tests by its own name, without a folder."""
    return _TEST.fullmatch(os.path.splitext(file)[0]) is not None


def _within_project(folder: str) -> Iterator[str]:
    """The names of the folders around a file, from the inside, as far as they belong to its project."""
    while not any(os.path.exists(os.path.join(folder, marker)) for marker in MARKERS):
        folder, name = os.path.split(folder)
        if not name:
            return
        yield name


def is_apart_from_training(function: str, owner: str = "", parameters: Iterable[str] = ()) -> bool:
    """Whether a function, of the class `owner` if of one, makes what training starts from, compares with or leads to.

    Targets, first values, samples and detections are computed without a gradient whether or not the code says so;
    what is handed a gradient, as hooks of backward are, runs while one is made. What is called unsafe is guarded by
    whoever calls it.
    """
    named = _FUNCTION.fullmatch(function) is not None or _CLASS.fullmatch(owner) is not None
    return named or any(map(_GRADIENT.fullmatch, parameters))


def is_main(function: str) -> bool:
    """Whether a function is what a script runs, by its name."""
    return function in ("main", "_main", "run", "load_data", "prepare_data")


def is_loaded(name: str) -> bool:
    """Whether a value is read from what a script has loaded, by what that is called: `data.adj_t`, `dataset[0]`."""
    return _LOADED.match(name) is not None


def speaks_of_noise(text: str) -> bool:
    """Whether a file is about adding noise to data, by how much is drawn at random."""
    return _NOISE.search(text) is not None


def is_noise_level(name: str) -> bool:
    """Whether something is the time at which noise is looked at, or made of that by a schedule."""
    return _LEVEL.fullmatch(name) is not None


def asks_for_gradients(lines: Iterable[str]) -> bool:
    """Whether some code runs backward, or makes a tensor for it."""
    return any(_BACKWARD.search(line) for line in lines)
