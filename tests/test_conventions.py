"""Settings: whichever way they are read, their names say what those of parameters say."""

from __future__ import annotations

import pytest

from nanlint import engine
from nanlint import regions as R
from nanlint.config import Config
from nanlint.finding import Confidence, Finding
from nanlint.lower.conventions import is_count_name, is_in_settings, is_of_object, named, named_in
from nanlint.source import Source

SPELLINGS = {
    "{}": "x, {}",
    "args.{}": "x, args",
    "cfg.loss.{}": "x, cfg",
    "cfg.model.loss.{}": "x, cfg",
    'hparams["{}"]': "x, hparams",
    'cfg["loss"]["{}"]': "x, cfg",
    'cfg["loss"].{}': "x, cfg",
    'cfg.get("{}")': "x, cfg",
    'cfg.loss.get("{}", 1e-6)': "x, cfg",
    'kwargs["{}"]': "x, **kwargs",
    'kwargs.get("{}", 1e-6)': "x, **kwargs",
    'kwargs.pop("{}", 1e-6)': "x, **kwargs",
    'getattr(cfg, "{}", 1e-6)': "x, cfg",
    "self.{}": "self, x",
    "self.config.{}": "self, x",
    'self.hparams["{}"]': "self, x",
    'self.hparams.get("{}", 1e-6)': "self, x",
}
"""How a setting is read, and the parameters of a function that reads it so."""


def checked(parameters: str, body: str) -> list[Finding]:
    """All findings, low ones too, in a method with these parameters that returns `body`."""
    text = f"import torch\n\n\nclass Loss:\n    def f({parameters}):\n        return {body}\n"
    if not parameters.startswith("self"):
        text = f"import torch\n\n\ndef f({parameters}):\n    return {body}\n"
    return list(engine.check(Source("loss.py", text), Config(confidence=Confidence.LOW)))


# --- what stays silent ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_offset_is_positive(spelling: str) -> None:
    offset = spelling.format("eps")
    parameters = SPELLINGS[spelling].format("eps")
    assert checked(parameters, f"torch.where(x > 0, torch.log(x.abs() + {offset}), 0.0)") == []


@pytest.mark.parametrize("spelling", [name for name in SPELLINGS if "1e-6" in name])
def test_a_number_as_the_default_is_a_sign_of_a_positive_number(spelling: str) -> None:
    assert checked(SPELLINGS[spelling], f"torch.where(x > 0, x / {spelling.format('scale')}, 0.0)") == []


# --- what is found -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling", [name for name in SPELLINGS if name not in ("{}", 'kwargs["{}"]') and "1e-6" not in name]
)
def test_a_setting_at_its_singular_value_is_the_callers_to_avoid(spelling: str) -> None:
    found = checked(SPELLINGS[spelling], f"torch.where(x > 0, x / {spelling.format('scale')}, 0.0)")
    assert [finding.confidence for finding in found] == [Confidence.LOW]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_mask_is_one_however_it_is_read(spelling: str) -> None:
    parameters = SPELLINGS[spelling].format("mask")
    (found,) = checked(parameters, f"(1.0 / x) * {spelling.format('mask')}")
    assert found.code == "NAN102"


@pytest.mark.parametrize("read", ["batch.gap", "batch.pair.gap", 'batch["gap"]', 'batch["pair"].gap'])
def test_what_is_read_from_data_may_have_any_value(read: str) -> None:
    (found,) = checked("batch", f"torch.where({read} > 0, 1.0 / {read}, 0.0)")
    assert found.confidence is Confidence.HIGH
    assert list(found.witness.inputs) == [read]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("scale", False),
        ("self.scale", False),
        ("self.config.scale", True),
        ("batch.scale", False),
        ("self.model(*args, **kwargs).scale", False),
        ("parser.parse_args().scale", True),
        ('load(path(args), lab...["scale"]', False),
        ("cfg.scale", True),
        ("training_args.loss.scale", True),
        ('hparams["scale"]', True),
        ("config", False),
        ("", False),
    ],
)
def test_names_of_settings(name: str, expected: bool) -> None:
    assert is_in_settings(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("self", False), ("scale", False), ("self.scale", True), ("self.state.scale", True), ("x.self", False)],
)
def test_names_of_attributes_of_self(name: str, expected: bool) -> None:
    assert is_of_object(name) is expected


@pytest.mark.parametrize("name", ["eps", "cfg.eps", "cfg.loss.eps", 'cfg["eps"]', 'cfg["loss"]["eps"]'])
def test_the_last_part_of_a_name_speaks(name: str) -> None:
    assert named(name) == named("eps") is not None


@pytest.mark.parametrize(
    "name", ["alphas_cumprod", "alpha_bar", "sqrt_alphas_cumprod", "betas", "alphas_cumprod_prev"]
)
def test_the_noise_of_a_step_is_positive_and_not_trained(name: str) -> None:
    said = named(f"self.scheduler.{name}[t]")
    assert said is not None
    assert not said.grad
    assert said.region.lo > 0.0
    assert checked("self, x, t", f"torch.nan_to_num(x / self.scheduler.{name}[t] ** 0.5)") == []


@pytest.mark.parametrize(
    "name", ["inv_freq", "vocab_size", "beam_size", "head_dim", "in_channels", "grid_shape"]
)
def test_frequencies_and_sizes_are_positive(name: str) -> None:
    assert checked(f"x, {name}", f"torch.where(x > 0, x / {name}, x)") == []


def test_the_logarithm_of_a_ratio_of_signal_to_noise_does_not_overflow() -> None:
    assert checked("x, log_snr", "log_snr.exp().clamp(max=5.0)") == []
    assert checked("x, log_dur_pred", "log_dur_pred.exp().clamp(max=5.0)") == []


@pytest.mark.parametrize("name", ["alpha", "beta", "alphabet"])
def test_other_values_of_such_names_may_be(name: str) -> None:
    assert named(name) is None


def test_the_elements_of_something_are_called_what_that_is() -> None:
    assert named("model.predict(x, long_argument....distances[:, 0]") == named("distances")
    assert named("model.predict(x, long_argument....distances") == named("distances")


def test_lengths_are_distances_where_bonds_are_spoken_of() -> None:
    assert named_in("batch.lengths", "self.r_max = 5.0") is None
    assert named_in("batch.lengths", "pack_padded_sequence") == named("lengths")
    assert named_in("weights", "self.r_max = 5.0") == named("weights")


@pytest.mark.parametrize(
    ("name", "is_mask"),
    [
        ("is_padded", True),
        ("valid_rays", True),
        ("in_bounds", True),
        ("point_visible", True),
        ("masked", True),
        ("mask_logits", True),
        ("in_quaternion", False),
        ("on_diagonal", True),
        ("observed_values", False),
        ("selected_logits", False),
        ("x_padded", False),
        ("x_observed", False),
        ("valid_probs", False),
        ("keep_probs_mask", True),
        ("active_power", False),
    ],
)
def test_a_mask_is_told_by_where_a_word_stands_in_its_name(name: str, is_mask: bool) -> None:
    said = named(name)
    assert (said is not None and said.region <= R.TRUTH) is is_mask


@pytest.mark.parametrize(
    ("name", "is_count"),
    [
        ("n_valid", True),
        ("num_x", True),
        ("counts", True),
        ("n_normalized", False),
        ("n_hat", False),
        ("n_x", False),
    ],
)
def test_a_normal_is_no_number_of_anything(name: str, is_count: bool) -> None:
    assert is_count_name(name) is is_count
