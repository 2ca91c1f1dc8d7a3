"""What a file is for: findings in tests and in the preparation of data are shown only where gradients are asked for."""

from __future__ import annotations

import pytest

from nanlint import engine
from nanlint.config import Config
from nanlint.finding import Confidence
from nanlint.purpose import asks_for_gradients, is_among_tests, is_apart_from_training, is_untrained
from nanlint.source import Source

HAZARD = "import torch\n\n\ndef f(x):\n    y = torch.where(x > 0, x.sqrt(), 0.0)\n"


def confidences(path: str, text: str) -> list[Confidence]:
    """How sure what is found in a file of this path is."""
    return [one.confidence for one in engine.check(Source(path, text), Config(confidence=Confidence.LOW))]


@pytest.mark.parametrize(
    "path",
    [
        "loss.py",
        "src/attest.py",
        "latest/model.py",
        "contest.py",
        "database/losses.py",
        "nn/transforms.py",
        "trainer.py",
        "metric_learning.py",
        "nn/metrics.py",
        "student_normaliser.py",
        "data/so3_utils.py",
        "pkg/data/rotation_conversions.py",
    ],
)
def test_code_that_may_be_trained(path: str) -> None:
    assert not is_untrained(path)
    assert confidences(path, HAZARD + "    return y\n") == [Confidence.HIGH]


@pytest.mark.parametrize("line", ["return x.sqrt()", "backwards = x", "gradient = 1", "grade(x)"])
def test_code_that_asks_for_no_gradient(line: str) -> None:
    assert not asks_for_gradients([line])


@pytest.mark.parametrize(
    "path",
    [
        "tests/model.py",
        "pkg/testing/reference.py",
        "test_model.py",
        "pkg/model_test.py",
        "conftest.py",
        "pkg/datasets/shapes.py",
        "pkg/data/encoders.py",
        "tests/rotation_conversions.py",
        "pkg/exporters/mesh.py",
        "pkg/metrics/overlap.py",
        "benchmark/scripts/loss.py",
        "mesh/validation/quality.py",
        "train_dataset.py",
        "dataloader.py",
        "preprocess_audio.py",
        "validation_metrics.py",
        "evaluate.py",
        "common/_scalers.py",
        "normalizer.py",
        "running_mean_std.py",
        "ctc_beam_decoding.py",
    ],
)
def test_tests_and_data_carry_no_gradient(path: str) -> None:
    assert is_untrained(path)
    assert confidences(path, HAZARD + "    return y\n") == [Confidence.LOW]


@pytest.mark.parametrize(
    "line",
    ["y.sum().backward()", "torch.autograd.gradcheck(f, x)", "x.requires_grad_()", "assert x.grad is None"],
)
def test_but_a_function_that_asks_for_gradients_does(line: str) -> None:
    text = HAZARD.replace("y = ", f"y = x\n    {line}\n    y = ")
    assert confidences("test_model.py", f"{text}    return y\n") == [Confidence.HIGH]


def test_in_a_folder_of_tests_it_is_the_tested_code_that_is_differentiated() -> None:
    text = HAZARD.replace("y = ", "y = x\n    y.sum().backward()\n    y = ")
    assert is_among_tests("tests/reference.py")
    assert confidences("tests/reference.py", f"{text}    return y\n") == [Confidence.LOW]


@pytest.mark.parametrize(
    "name", ["target_loss", "retarget", "evaluate", "sample_loss", "sample", "get_target_network"]
)
def test_functions_that_may_be_trained_through(name: str) -> None:
    assert not is_apart_from_training(name)
    assert confidences("model.py", HAZARD.replace("def f", f"def {name}") + "    return y\n") == [
        Confidence.HIGH
    ]


@pytest.mark.parametrize(
    "name",
    [
        "get_targets",
        "_get_targets_single",
        "build_bbox_targets",
        "init_weights",
        "knn_init_",
        "_unsafe_log_prob",
        "robust_statistics",
        "predict_step",
        "average_over_durations",
        "generate",
        "deterministic_sampler",
        "_scale_noise",
        "effective_sample_size",
    ],
)
def test_functions_that_make_what_training_starts_from(name: str) -> None:
    assert is_apart_from_training(name)
    assert confidences("model.py", HAZARD.replace("def f", f"def {name}") + "    return y\n") == [
        Confidence.LOW
    ]


@pytest.mark.parametrize(
    "owner",
    [
        "GridSampler",
        "DDIMScheduler",
        "RewardScaler",
        "RunningMeanStd",
        "Normalizer",
        "LangevinCorrector",
        "BeamSearchDecoder",
        "CEMOptimizer",
        "MPPI",
        "TargetAssigner",
    ],
)
def test_methods_of_what_samples_schedules_or_scales(owner: str) -> None:
    method = HAZARD.replace("\ndef f(x)", f"\nclass {owner}:\n    def draw(self, x)").replace(
        "    y =", "        y ="
    )
    assert is_apart_from_training("draw", owner)
    assert not is_apart_from_training("draw", "Resampling")
    assert confidences("model.py", method + "        return y\n") == [Confidence.LOW]


def test_a_hook_of_backward_runs_while_a_gradient_is_made() -> None:
    hook = HAZARD.replace("def f(x)", "def rescale(module, x, grad_output)")
    assert confidences("model.py", hook + "    return grad_output * y\n") == [Confidence.LOW]
    step = HAZARD.replace("def f(x)", "def adapt(x, exp_avg_sq)")
    assert confidences("model.py", step + "    return exp_avg_sq * y\n") == [Confidence.LOW]


def test_a_function_in_one_that_makes_first_values_is_there_for_them() -> None:
    inner = "".join(f"    {line}\n" if line else "\n" for line in (HAZARD + "    return y").splitlines()[2:])
    text = "import torch\n\ndef {}(module):\n" + inner + "    return f(module.weight)\n"
    assert confidences("model.py", text.format("init_weights")) == [Confidence.LOW]
    assert confidences("model.py", text.format("forward")) == [Confidence.HIGH]


SCRIPT = """
import torch

{head}
    adj = data.adj.set_diag()
    degree = {degree}
    scale = degree ** -0.5
    scale[scale == float("inf")] = 0
    torch.optim.Adam(model.parameters())
    data.adj = adj * scale
"""


@pytest.mark.parametrize(
    ("head", "degree", "confidence"),
    [
        ("def main(data, model):", "adj.sum(1)", Confidence.LOW),
        ("if True:", "adj.sum(1)", Confidence.LOW),
        ("def main(model):\n    data = GraphDataset('ours')[0]", "adj.sum(1)", Confidence.LOW),
        ("def train(data, model):", "adj.sum(1)", Confidence.HIGH),
        ("def main(data, model):", "model(adj)", Confidence.HIGH),
    ],
)
def test_a_script_prepares_what_it_has_loaded(head: str, degree: str, confidence: Confidence) -> None:
    assert confidences("train.py", SCRIPT.format(head=head, degree=degree)) == [confidence]


@pytest.mark.parametrize(
    ("head", "confidence"),
    [
        ("if True:", Confidence.LOW),
        ("def main(agent):", Confidence.LOW),
        ("def loss(agent):", Confidence.HIGH),
    ],
)
def test_a_script_samples_what_it_compares_with_itself(head: str, confidence: Confidence) -> None:
    text = (
        f"import torch\n\n{head}\n    ratio = (agent.log_prob(a) - old_log_prob).exp()\n"
        "    torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean().backward()\n"
    )
    assert set(confidences("train.py", text)) == {confidence}


@pytest.mark.parametrize(
    ("level", "confidence"),
    [
        ("self.noise_schedule.SNR(t)", Confidence.LOW),
        ("self.snr(t)", Confidence.LOW),
        ("gamma_t", Confidence.LOW),
        ("self.snr(x)", Confidence.HIGH),
        ("energy", Confidence.HIGH),
    ],
)
def test_how_much_noise_is_added_is_drawn(level: str, confidence: Confidence) -> None:
    text = (
        "import torch\n\n\nclass Diffusion:\n"
        f"    def weight(self, x, t, gamma_t, energy):\n        return {level}.sqrt().clamp(min=1e-3)\n"
    )
    assert confidences("model.py", text) == [confidence]
    if "schedule" not in level:
        assert confidences("model.py", text.replace("Diffusion", "Rays")) == [Confidence.HIGH]


def test_the_step_of_an_optimiser_is_handed_a_gradient() -> None:
    assert is_apart_from_training("expm", "Manifold", ["p", "d_p", "lr"])
    assert not is_apart_from_training("expm", "Manifold", ["p", "v", "lr"])
