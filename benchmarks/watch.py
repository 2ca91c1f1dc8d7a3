"""What `nanlint.proof.watch` costs a training step: against a plain one, and against torch's detect_anomaly.

    python benchmarks/watch.py

The three take turns step by step; the medians are compared.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn

from nanlint.proof import watch

ROUNDS = 100
WARM_UP = 10

Context = Callable[[], AbstractContextManager[object]]


def networks() -> dict[str, tuple[nn.Module, Tensor]]:
    """Small models, where the cost of Python counts most, with a batch for each."""
    perceptron = nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1)
    )
    block = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
    return {
        "MLP, 3 layers of 128, batch of 64": (perceptron, torch.randn(64, 64)),
        "transformer block, width 64, 8 sequences of 32": (block, torch.randn(8, 32, 64)),
    }


def step(model: nn.Module, batch: Tensor, optimiser: torch.optim.Optimizer, context: Context) -> float:
    """Seconds that one training step takes inside the context."""
    start = perf_counter()
    with context():
        optimiser.zero_grad()
        model(batch).square().mean().backward()
        optimiser.step()
    return perf_counter() - start


def ratios(model: nn.Module, batch: Tensor) -> tuple[float, float]:
    """How many times a plain step a watched one takes, and one under detect_anomaly."""
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)
    contexts: list[Context] = [
        nullcontext,
        lambda: watch(model),
        lambda: torch.autograd.detect_anomaly(check_nan=True),
    ]
    times: list[list[float]] = [[], [], []]
    for number in range(WARM_UP + ROUNDS):
        for context, taken in zip(contexts, times, strict=True):
            seconds = step(model, batch, optimiser, context)
            if number >= WARM_UP:
                taken.append(seconds)
    plain, watched, anomaly = map(median, times)
    return watched / plain, anomaly / plain


def main() -> None:
    """Print a line for each model."""
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for name, (model, batch) in networks().items():
        watched, anomaly = ratios(model, batch)
        print(f"{name}: watch {watched:.2f} times a plain step, detect_anomaly {anomaly:.2f} times")


if __name__ == "__main__":
    main()
