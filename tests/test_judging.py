"""What speaks against a witness: findings that are there but not shown, and their likes that are."""

from __future__ import annotations

import textwrap

import pytest

from nanlint import engine
from nanlint.analysis import analyse
from nanlint.config import Config
from nanlint.finding import Confidence
from nanlint.source import Source, from_bytes

HEAD = "import torch\nimport torch.nn.functional as F\nimport numpy as np\n"


def shown(body: str) -> list[Confidence]:
    """The confidences of the findings in a module, the most certain first."""
    text = HEAD + textwrap.dedent(body)
    return sorted(
        (f.confidence for f in analyse(from_bytes("m.py", text.encode()), Config())), key=lambda c: c.rank
    )


def is_shown(body: str) -> bool:
    """Whether anything is shown by default."""
    return any(confidence is not Confidence.LOW for confidence in shown(body))


RATIO = """
    def f(new, old, gain, valid):
        ratio = (new - old).exp()
        return torch.where({condition}, ratio, torch.ones_like(ratio))
"""


@pytest.mark.parametrize("condition", ["gain < 0", "gain.isnan()", "(gain < 0) & valid"])
def test_what_overflows_is_not_meant_by_a_condition_on_something_else(condition: str) -> None:
    assert set(shown(RATIO.format(condition=condition))) <= {Confidence.LOW}


@pytest.mark.parametrize("condition", ["new - old < 20", "ratio < 3", "valid", "valid > 0.5"])
def test_what_overflows_is_meant_by_one_on_itself_and_by_a_mask(condition: str) -> None:
    assert is_shown(RATIO.format(condition=condition))


def test_an_exponent_that_is_infinite_with_the_poison_is_not_far_fetched() -> None:
    body = """
        def f(z, shape):
            tail = (1 + 1 / shape) * torch.log(1 + shape * z) + (1 + shape * z) ** (-1 / shape)
            return torch.where(shape.abs() < 1e-3, z + torch.exp(-z), tail)
    """
    assert is_shown(body)


ATTENTION = """
    class Attention(torch.nn.Module):
        def forward(self, score, bias, seen):
            score = score.masked_fill(~seen, float("-inf")){and_more}
            return torch.softmax(score / self.temperature, dim=-1).nan_to_num()
"""


def test_what_is_filled_has_no_gradient_and_a_setting_wants_none() -> None:
    assert not is_shown(ATTENTION.format(and_more=""))
    assert is_shown(ATTENTION.format(and_more=" + bias"))


DEGREE = """
    def f(adj):
        adj = adj + {loops}
        scale = adj.sum(dim=1) ** -0.5
        scale[torch.isinf(scale)] = 0.0
        return scale[:, None] * adj
"""


def test_a_node_with_a_loop_has_a_degree() -> None:
    assert not is_shown(DEGREE.format(loops="torch.eye(len(adj))"))
    assert is_shown(DEGREE.format(loops="adj.t()"))


def test_a_trained_parameter_stays_small() -> None:
    body = """
        class Field(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.deviation = torch.nn.Parameter(torch.ones(()))

            def forward(self):
                return torch.exp(self.deviation * {scale}).clamp(max=1e6)
    """
    assert not is_shown(body.format(scale=10.0))
    assert is_shown(body.format(scale=15.0))


def test_calibrated_intrinsics_are_positive() -> None:
    body = "def f(x, intrinsics):\n    return torch.where(x > 0, x / intrinsics[..., 0], 0.0)"
    assert not is_shown(body)
    assert is_shown(body.replace("intrinsics", "extrinsics"))


@pytest.mark.parametrize("divisor", ["2 * mass", "mass * bandwidth", "mass[i] * 2", "mass**2"])
def test_a_product_of_what_is_positive_by_its_name_is_so_too(divisor: str) -> None:
    body = f"def f(x, mass, bandwidth, i):\n    return torch.where(x > 0, x / ({divisor}), 0.0)"
    assert not is_shown(body)
    assert is_shown(body.replace("mass", "width"))


LOSS = "def f({parameters}):\n    return torch.where({name} > 0, {name}.sqrt(), 0.0)"


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ("y, y_hat", "y"),
        ("y_pred, y", "y"),
        ("output, target, areas", "areas"),
        ("pred, label, loss_weight", "loss_weight"),
    ],
)
def test_what_a_loss_compares_with_or_weighs_by_has_no_gradient(parameters: str, name: str) -> None:
    assert shown(LOSS.format(parameters=parameters, name=name)) == []


@pytest.mark.parametrize(
    ("parameters", "name"),
    [("y, x", "y"), ("y, y_hat", "y_hat"), ("areas, target", "areas"), ("input, target, var", "var")],
)
def test_what_it_predicts_and_what_is_no_loss_does(parameters: str, name: str) -> None:
    assert is_shown(LOSS.format(parameters=parameters, name=name))


def test_what_a_constraint_makes_is_positive() -> None:
    body = """
        class Kernel:
            def scaled(self, x):
                scale = self.raw_scale_constraint.transform(self.raw_scale)
                return torch.where(scale > 1, x / scale, x)
    """
    assert shown(body) == []
    assert is_shown(body.replace("_constraint.transform(self.raw_scale)", "_module.make(self.raw_scale)"))


@pytest.mark.parametrize(
    ("name", "likely"), [("log_std", False), ("log_base_noise", False), ("energy", True)]
)
def test_the_logarithms_that_are_trained_stay_small(name: str, likely: bool) -> None:
    assert is_shown(f"def f({name}):\n    return {name}.exp().clamp(max=100.0)") is likely


ROUTED = """
    def f(logits, hidden, mask, row, column):
        weights, chosen = torch.topk({weights}, 2, dim=-1)
        weights = weights / weights.sum(dim=-1, keepdim=True)
        row, column = torch.where(mask[0])
        return hidden * weights[row, column, None]
"""


@pytest.mark.parametrize("weights", ["F.softmax(logits, dim=-1)", "logits.softmax(-1)"])
def test_the_largest_of_what_a_softmax_gives_have_a_sum(weights: str) -> None:
    assert not is_shown(ROUTED.format(weights=weights))
    assert is_shown(ROUTED.format(weights="logits.square()"))


KNOT = """
    def f(level, left, weight, step):
        width = weight * step
        inside = left + (level - left) / width
        return torch.where({condition}, {other}, inside)
"""


@pytest.mark.parametrize("condition", ["level < left", "level < weight", "(level - left).abs() < 1"])
@pytest.mark.parametrize("other", ["left", "left * weight"])
def test_a_condition_on_what_is_made_of_the_same_inputs_says_nothing_of_a_pole(
    condition: str, other: str
) -> None:
    assert shown(KNOT.format(condition=condition, other=other)) == [Confidence.LOW]


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ("width == 0", "left"),
        ("-width >= 0", "left"),
        ("weight * step < level", "left"),
        ("torch.sign(width) <= 0", "left"),
        ("level < left", "left * width"),
        ("mask", "left"),
    ],
)
def test_a_condition_on_the_pole_itself_and_another_side_made_of_it_do(condition: str, other: str) -> None:
    assert is_shown(KNOT.format(condition=condition, other=other))


@pytest.mark.parametrize(
    ("filled", "likely"), [("index_fill(0, torch.tensor([0]), 0.0)", True), ("[i]", False)]
)
def test_places_that_are_overwritten_are_meant_and_places_that_are_not_picked_are_not(
    filled: str, likely: bool
) -> None:
    assert is_shown(f"def f(time, i):\n    return (2 * time).sqrt().{filled}".replace(".[", "[")) is likely


SIGN = """
    def f(x, side):
        root = x.sqrt()
        return torch.where(side < 0, {taken}, root)
"""


@pytest.mark.parametrize("taken", ["-root", "root", "-(-root)", "root.neg()"])
def test_a_value_that_is_taken_with_either_sign_is_not_dropped(taken: str) -> None:
    assert shown(SIGN.format(taken=taken)) == []


def test_a_value_that_something_else_replaces_is_dropped() -> None:
    assert is_shown("def f(x):\n    root = x.sqrt()\n    return torch.where(x <= 0, -x, root)")


ROUNDED = """
    def f(area, aspect):
        side = (area / aspect).sqrt(){rounded}
        return torch.where(area > 0, side, torch.ones_like(side))
"""


@pytest.mark.parametrize("rounded", [".round()", ".floor()", ".sign()", ".round().clamp(max=9)"])
def test_what_only_rounding_leads_to_is_trained_by_nobody(rounded: str) -> None:
    found = shown(ROUNDED.format(rounded=rounded))
    assert set(found) == {Confidence.LOW}


def test_without_rounding_it_is_shown() -> None:
    assert is_shown(ROUNDED.format(rounded=""))


def test_a_path_that_does_not_round_counts() -> None:
    assert is_shown("def f(x):\n    r = 1 / x\n    return torch.where(x > 0, r.round() + r, 0.0)")


USED_TWICE = """
    def f(x, width):
        position = x / width
        bent = torch.where(position > 0.5, position ** 2, position)
        return bent{also}
"""


def test_a_value_that_is_broken_without_the_selector_is_no_witness() -> None:
    found = shown(USED_TWICE.format(also=" + position"))
    assert set(found) <= {Confidence.LOW}


GUARDED_ELSEWHERE = """
    def f(x, y):
        inverse = 1 / x
        small = torch.where(x > 0, inverse, 0.0)
        return small + {other}
"""


def test_a_second_selector_repairs_the_value_there() -> None:
    assert is_shown(GUARDED_ELSEWHERE.format(other="torch.where(x > 0, y * inverse, y)"))


def test_the_other_use_counts_only_if_it_is_broken() -> None:
    assert is_shown(GUARDED_ELSEWHERE.format(other="torch.tanh(inverse)"))
    assert not is_shown(GUARDED_ELSEWHERE.format(other="inverse * 2"))


def test_the_other_use_counts_only_where_it_is_reached() -> None:
    body = """
        def f(x, y, flag: bool):
            inverse = 1 / x
            if flag:
                return inverse
            return torch.where(x > 0, inverse, y)
    """
    assert is_shown(body)


METRIC = """
    class Precision(Metric):
        is_differentiable = {differentiable}

        def compute(self, hits, total):
            ratio = hits / total
            return torch.where(total > 0, ratio, torch.zeros_like(ratio))
"""


def test_a_metric_that_is_not_differentiable_has_no_gradient() -> None:
    assert shown(METRIC.format(differentiable="False")) == []
    assert is_shown(METRIC.format(differentiable="True"))


SETTINGS = """
    def loss(logits, mask: torch.Tensor, {parameter}):
        return torch.where(mask != 0, logits / {setting}, 0.0)
"""


@pytest.mark.parametrize(
    ("parameter", "setting"),
    [
        ("args", "args.temperature"),
        ("optim_cfg", "optim_cfg.scale"),
        ("width: float", "width"),
        ("image", "(image.shape[-1] - 1)"),
        ("low: float", "torch.linspace(low, 1.0, 5)[0]"),
        ("temperature", "temperature"),
    ],
)
def test_a_setting_that_is_zero_is_the_callers_to_avoid(parameter: str, setting: str) -> None:
    assert not is_shown(SETTINGS.format(parameter=parameter, setting=setting))


def test_a_tensor_that_is_zero_is_not() -> None:
    assert is_shown(SETTINGS.format(parameter="width: torch.Tensor", setting="width"))


def test_a_temperature_that_the_code_compares_with_zero_may_be_zero() -> None:
    body = """
        def f(field, temperature):
            return torch.where(temperature > 0, torch.tanh(field / temperature), field)
    """
    assert is_shown(body)


OFFSET = """
    def f(x, y, mask):
        raw = F.pad(0.001 + x, (1, 1), value=0.5)
        return torch.where({condition}, y / raw.sum(), y)
"""


def test_a_small_offset_speaks_against_zero_wherever_the_sum_goes() -> None:
    assert not is_shown(OFFSET.format(condition="mask"))


def test_scalar_functions_of_numpy_are_known() -> None:
    body = """
        class Cut:
            def __init__(self, cut=1.0):
                self.edge = np.tanh(cut)

            def forward(self, x):
                out = torch.zeros_like(x)
                inside = (x < self.edge) & (x > -self.edge)
                out[inside] = torch.log(1 - x[inside] ** 2)
                out[~inside] = x[~inside]
                return out
    """
    assert not is_shown(body)


def test_gradients_that_are_off_stay_off_behind_a_call() -> None:
    body = """
        @torch.no_grad()
        def embed(model, text):
            return model(text)

        def score(model, text, other):
            weight = embed(model, text)
            mean = weight / (weight + {other})
            return torch.where(torch.isnan(mean), 0.0, mean)
    """
    assert not is_shown(body.format(other="weight"))
    assert is_shown(body.format(other="other"))


STEPS = """
    def f(knots, x, mask: torch.Tensor):
        width = knots[..., 1:] - knots[..., :-1]
        position = x / width
        return torch.where({condition}, position, x)
"""


def test_knots_that_coincide_are_nobodys_input_unless_the_condition_asks() -> None:
    assert not is_shown(STEPS.format(condition="mask > x"))
    assert is_shown(STEPS.format(condition="width > 0"))


def test_pixels_next_to_each_other_may_be_the_same() -> None:
    body = """
        def f(image, flat: torch.Tensor):
            rise = (image[..., 1:] - image[..., :-1]).abs().sqrt()
            return torch.where(flat, 0.0, rise)
    """
    assert is_shown(body)


def test_what_a_loop_fills_with_numbers_has_no_gradient() -> None:
    body = """
        def f(n: int, start: float):
            u = torch.zeros(n)
            for j in torch.arange(n, 0, -1):
                u[j - 1] = ((u[j] ** 2 + start) - 1).sqrt()
            return u[(u >= 0.002) & (u <= 80)]
    """
    assert not is_shown(body)


INTERVAL = """
    def f(x, {low}, {high}):
        return torch.where(x > {low}, (x - {low}) / ({high} - {low}), {high} - {low})
"""


@pytest.mark.parametrize(("low", "high"), [("start", "end"), ("x_min", "x_max"), ("near", "far")])
def test_an_interval_without_length_is_nobodys_input(low: str, high: str) -> None:
    assert not is_shown(INTERVAL.format(low=low, high=high))


def test_other_differences_may_be_zero() -> None:
    assert is_shown(INTERVAL.format(low="alpha", high="beta"))


def test_an_interval_may_be_empty_where_the_code_compares_its_ends() -> None:
    body = """
        def f(x, low, high):
            return torch.where(high > low, (x - low) / (high - low), x)
    """
    assert is_shown(body)


# --- what bounds, and what they say nothing of --------------------------------------------------------------------


@pytest.mark.parametrize(
    "result",
    [
        "(x / y).clamp(-1, 1)",
        "(x ** y).clamp(max=10.0)",
        "torch.relu(x / (y - 1))",
        "(new - old).exp().clamp(0.8, 1.2)",
        "torch.exp(0.5 * (new - old)).clamp(max=10.0)",
        "mask * (x / y)",
    ],
)
def test_a_pole_that_nothing_in_the_code_speaks_of_is_unlikely(result: str) -> None:
    assert not is_shown(f"def f(x, y, new, old, mask):\n    return {result}\n")


@pytest.mark.parametrize(
    "result",
    [
        "x.sqrt().clamp(min=0.1)",
        "x.log().clamp(min=-10)",
        "(x ** 0.5).clamp(min=0.1)",
        "x.exp().clamp(max=10.0)",
        "(1 / x).clamp(max=10.0)",
        "(x / y.relu()).clamp(max=10.0)",
        "torch.nan_to_num(x / y)",
        "(x > 0) * torch.log(x)",
        "mask * x.abs().sqrt()",
    ],
)
def test_a_pole_that_the_code_is_written_for_is_not(result: str) -> None:
    assert is_shown(f"def f(x, y, mask):\n    return {result}\n")


def test_a_cutoff_is_positive_unless_a_number_is_asked_for() -> None:
    body = "def f(x, cutoff: torch.Tensor):\n    return torch.where({}, x.cos() / cutoff, 0.0)\n"
    assert not is_shown(body.format("x < cutoff"))
    assert is_shown(body.format("cutoff > 0"))


@pytest.mark.parametrize(("offset", "shown"), [("50.0", False), ("0.1", False), ("1.0", True), ("2.0", True)])
def test_an_added_number_keeps_away_from_zero(offset: str, shown: bool) -> None:
    body = f"def f(x, y):\n    return torch.where(y > 0, 1 / (x.sin() * 100 + {offset}), x)\n"
    assert is_shown(body) is shown


INDICES = """
    def f(x, y, order):
        ratio = x / y.mul(2.0)
        {line}
        return ratio.index_select(0, order)
"""


def test_what_indices_leave_out_is_like_what_they_take() -> None:
    assert shown(INDICES.format(line="pass")) == [Confidence.LOW]


def test_indices_that_come_of_the_values_may_avoid_the_pole() -> None:
    assert is_shown(INDICES.format(line="order = (y > 0).nonzero().squeeze(1)"))


MASKED = "def f(x, mask):\n    return ({value} * mask).sum()"


def test_a_product_that_is_nan_in_forward_already_is_seen_without_help() -> None:
    assert shown(MASKED.format(value="x.exp()")) == [Confidence.LOW]


def test_a_ratio_of_two_policies_may_be_anything_where_it_is_masked() -> None:
    assert is_shown("def f(new, old, mask):\n    return ((new - old).exp() * mask).sum()")


CLIPPED = "def f({new}, {old}, low, high):\n    return ({new} - {old}).exp().clamp(0.8, 1.2).sum()"


@pytest.mark.parametrize(
    ("new", "old", "shown"),
    [("log_prob", "old_log_prob", True), ("logp", "logp_old", True), ("q", "v", False)],
)
def test_a_policy_may_leave_far_behind_what_its_ratio_is_clipped_to(new: str, old: str, shown: bool) -> None:
    assert is_shown(CLIPPED.format(new=new, old=old)) is shown


def test_nor_does_it_need_a_name_where_what_it_leaves_behind_is_held_fixed() -> None:
    assert is_shown(
        "def f(policy, agent):\n    return (policy - agent.detach()).exp().clamp(0.1, 10.0).sum()"
    )


COSINE = "def f(x, y, z):\n    return ({product} / ({length}.norm() * y.norm())).clamp(-1, 1)"


@pytest.mark.parametrize(
    "product", ["(x @ y)", "torch.dot(x, y)", "torch.einsum('i,i->', x, y)", "x.matmul(y)"]
)
def test_a_cosine_of_nothing_is_no_number(product: str) -> None:
    assert not is_shown(COSINE.format(product=product, length="x"))
    assert is_shown(COSINE.format(product=product, length="z").replace("y.norm()", "2"))


REGISTERED = """
    class Sharpness(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_parameter("slope", {value})

        def forward(self, x):
            return x * torch.exp(self.slope * 15.0).clamp(1e-6, 1e6)
"""


@pytest.mark.parametrize(
    ("value", "shown"),
    [("torch.nn.Parameter(torch.tensor(0.3))", True), ("torch.nn.Parameter(x, requires_grad=False)", False)],
)
def test_a_parameter_is_trained_whichever_way_it_is_registered(value: str, shown: bool) -> None:
    assert is_shown(REGISTERED.format(value=value)) is shown


RECORDED = """
    class Step:
        def f(self, x, sink):
            size = x.norm()
            share = torch.nan_to_num(x / size)
            {use}
            return (x * x).sum()
"""


@pytest.mark.parametrize(
    "use",
    [
        'metrics = {"share": share}; sink.flush(metrics)',
        'metrics = {}; metrics["share"] = share; sink.flush(metrics)',
        'self.stats["share"] = share',
        "self.stats.append(share)",
        'self.train_metrics["share"].append(share)',
        "self.train_accuracy(share, x)",
    ],
)
def test_nobody_differentiates_what_is_kept_to_be_shown(use: str) -> None:
    assert shown(RECORDED.format(use=use)) == []


@pytest.mark.parametrize(
    "use",
    [
        'parts = {"share": share}; sink.flush(parts)',
        'self.parts["share"] = share',
        "self.parts.append(share)",
        "self.head(share, x)",
    ],
)
def test_but_perhaps_what_is_kept_under_another_name(use: str) -> None:
    assert is_shown(RECORDED.format(use=use))


@pytest.mark.parametrize(("box", "shown"), [("aabb", False), ("bounds", False), ("pair", True)])
def test_bounds_are_not_both_the_same(box: str, shown: bool) -> None:
    part = f"(x - {box}[0]) / ({box}[1] - {box}[0])"
    body = f"def f(x, mask, {box}):\n    return torch.where(mask, {part}, x)\n"
    assert is_shown(body) is shown


MEANS = "def f(x, mask):\n    return x / {divisor} * mask"


def test_a_mean_over_nothing_is_seen_in_forward() -> None:
    assert shown(MEANS.format(divisor="mask.sum(0)")) == [Confidence.LOW]


def test_a_root_of_no_elements_is_not() -> None:
    assert is_shown("def f(x, mask):\n    return (x.sum(0).abs().sqrt() * mask).sum()")


ARRAYS = """
    def scaled(a):
        distance = torch.as_tensor(a) ** 0.5
        return distance / distance.max()

    def f({parameters}):
        m = scaled({argument})
        return m / m.max()
"""


def test_what_is_made_of_arrays_has_no_gradient() -> None:
    with_array = ARRAYS.format(parameters="", argument="np.arange(3)")
    assert len(shown(with_array)) < len(shown(ARRAYS.format(parameters="x", argument="x")))


APART = "def f(x, y, kind):\n    power = {power}\n    return torch.where({condition}, power, 1.0)"


def test_a_comparison_of_something_else_says_nothing_of_a_pole() -> None:
    assert shown(APART.format(power="(x * y) ** -0.3", condition="kind > x.abs().sum()")) == [Confidence.LOW]


@pytest.mark.parametrize("condition", ["kind == 0", "kind > 0", "(kind != 2) & (kind < 5)", "kind.bool()"])
def test_one_of_other_inputs_is_as_good_as_a_mask(condition: str) -> None:
    assert is_shown(APART.format(power="(x * y) ** -0.3", condition=condition))
    assert not is_shown(APART.format(power="(x * y).exp()", condition=condition))


def test_positions_up_to_a_length_are_a_mask() -> None:
    body = APART.format(power="(x * y) ** -0.3", condition="torch.arange(4) < kind[:, None]")
    assert is_shown(body)


def test_what_is_undefined_outside_of_an_interval_is_met_there() -> None:
    body = "def f(x, low, high):\n    y = (low + high * x).{op}()\n    return torch.where((x > 0) & (x < 1), y, x)"
    assert is_shown(body.format(op="sqrt"))
    assert not is_shown(body.format(op="reciprocal"))


def test_one_of_the_same_values_does() -> None:
    assert is_shown(APART.format(power="(x * y) ** -0.3", condition="x > 0"))


AXES = """
    def f(shape, mask):
        values, vectors = torch.linalg.eigh({matrix})
        return torch.where({condition}, vectors, torch.zeros_like(vectors))
"""


@pytest.mark.parametrize(
    ("matrix", "condition"),
    [
        ("shape", "mask"),
        ("shape", "vectors > 0"),
        ("shape", "torch.det(vectors) > 0"),
        ("torch.where(mask, shape, torch.eye(3))", "values.amax(-1) - values.amin(-1) > 1e-5"),
        ("shape + torch.diag(torch.arange(3.0))", "values.amax(-1) - values.amin(-1) > 1e-5"),
    ],
)
def test_eigenvalues_are_seldom_equal_where_nothing_asks_about_them(matrix: str, condition: str) -> None:
    assert not is_shown(AXES.format(matrix=matrix, condition=condition))


@pytest.mark.parametrize(
    "condition", ["values.amax(-1) - values.amin(-1) > 1e-5", "values.amax(-1) != values.amin(-1)"]
)
def test_but_may_be_where_something_does(condition: str) -> None:
    assert is_shown(AXES.format(matrix="shape.mT @ shape", condition=condition))


BESIDE_A_LOSS = """
    def f(log_prob, old_log_prob, advantage):
        ratio = torch.exp(log_prob - old_log_prob)
        clipped = advantage * ratio.clamp(0.8, 1.2)
        loss = -torch.min(advantage * ratio, clipped).mean()
        return loss, {shown}
"""


def test_what_is_shown_beside_a_loss_breaks_nothing() -> None:
    assert is_shown(BESIDE_A_LOSS.format(shown="0.0"))
    assert is_shown(BESIDE_A_LOSS.format(shown="ratio.mean() / 2"))
    assert is_shown(BESIDE_A_LOSS.format(shown="(ratio - 1).detach()"))
    assert not is_shown(BESIDE_A_LOSS.format(shown="ratio - 1"))


@pytest.mark.parametrize(
    ("made", "is_likely"),
    [
        ("return torch.where(x > 0, x.log(), -torch.inf)", False),
        ("y = torch.where(x > 0, x.log(), -torch.inf)\n        return y * 2, x", False),
        ("return x.log().masked_fill(x <= 0, float('inf'))", False),
        ("return torch.where(x > 0, x.log(), -torch.inf).exp()", True),
        ("return torch.where(x > 0, x.log(), -torch.inf).softmax(0)", True),
        ("return torch.where(x > 0, x.log(), -100.0)", True),
    ],
)
def test_an_infinity_that_is_returned_is_no_fine_value(made: str, is_likely: bool) -> None:
    assert (
        is_shown(f"""
    def f(x):
        {made}
    """)
        is is_likely
    )


@pytest.mark.parametrize(("high", "is_likely"), [("(high - x) / d", True), ("(high - x) / e", False)])
def test_who_orders_two_quotients_by_one_divisor_counts_on_their_infinities(
    high: str, is_likely: bool
) -> None:
    assert (
        is_shown(f"""
    def f(x, d, e, low, high):
        return torch.maximum((low - x) / d, {high}).amin(dim=-1)
    """)
        is is_likely
    )


@pytest.mark.parametrize(
    ("bounded", "is_likely"),
    [
        ("(1 / x).clamp(max=10.0)", True),
        ("(-x.reciprocal()).clamp(min=-10.0)", True),
        ("(v + 3.0 / x * dt).clamp(-8.0, 8.0)", False),
    ],
)
def test_bounds_speak_of_a_reciprocal_that_they_are_put_on(bounded: str, is_likely: bool) -> None:
    assert (
        is_shown(f"""
    def f(x, v, dt):
        return {bounded}
    """)
        is is_likely
    )


@pytest.mark.parametrize(("names", "is_likely"), [("low, high", False), ("first, other", True)])
def test_the_ends_of_an_interval_are_in_order(names: str, is_likely: bool) -> None:
    one, other = names.split(", ")
    assert (
        is_shown(f"""
    def f(x, {names}):
        gap = {other} - {one}
        return torch.where(gap > -1, torch.log1p(gap), x)
    """)
        is is_likely
    )


def test_a_divisor_that_underflows_is_not_what_bounds_are_for() -> None:
    assert not is_shown("""
    def f(x, y):
        return (y / (torch.sigmoid(x) + 0.0).clamp(min=1e-30)).clamp(max=1.0)
    """)


@pytest.mark.parametrize(
    ("base", "returned", "is_likely"),
    [
        ("torch.full_like(x, float('nan'))", "out", False),
        ("torch.full_like(x, float('nan'))", "(out * 2).clamp(-1, 1)", False),
        ("torch.full_like(x, float('nan'))", "out.nan_to_num()", True),
        ("torch.zeros_like(x)", "out", True),
    ],
)
def test_what_is_marked_by_nan_is_no_fine_value(base: str, returned: str, is_likely: bool) -> None:
    assert (
        is_shown(f"""
    def f(x, y):
        ratio = x / y
        out, ok = {base}, y != 0
        out[ok] = ratio[ok]
        return {returned}
    """)
        is is_likely
    )


@pytest.mark.parametrize(("where", "is_likely"), [("p.cumsum(0) > u", False), ("x > u", True)])
def test_what_is_picked_where_a_sum_passes_a_number_is_not_0(where: str, is_likely: bool) -> None:
    assert (
        is_shown(f"""
    def f(logits, x, u):
        p = x.abs()
        width = u / p[{where}]
        return torch.where(p[{where}] > 0.1, width, 0.0)
    """)
        is is_likely
    )


def test_trained_parameters_stay_small_whatever_they_are_cast_to() -> None:
    assert not is_shown("""
    class Head(torch.nn.Module):
        def forward(self, x):
            return torch.exp(self.log_base_noise.to(x.dtype) + x.clamp(-3, 3)).clamp(0.1, 2.0)
    """)


def test_what_is_squared_is_no_largest_number() -> None:
    assert not is_shown("""
    def f(x, size):
        scale = size.detach().clamp(min=torch.finfo(x.dtype).tiny).reciprocal()
        return torch.where(size > 0.5, (x * scale).square(), x)
    """)


WEIGHTED = """
    def f(x, weights, low):
        return torch.where({condition}, (weights * x * x).sum(-1).sqrt(), 1.0)
"""


@pytest.mark.parametrize(
    ("condition", "is_likely"),
    [
        ("weights.sum(-1) > 0", True),
        ("weights.sum(-1) > low", False),
    ],
)
def test_where_no_weight_is_left_a_weighted_sum_is_0(condition: str, is_likely: bool) -> None:
    assert is_shown(WEIGHTED.format(condition=condition)) is is_likely


@pytest.mark.parametrize(("root", "is_likely"), [("x.abs()", True), ("y.abs()", False)])
def test_a_sign_is_a_mask_for_what_is_made_of_the_same(root: str, is_likely: bool) -> None:
    assert (
        is_shown(f"""
    def f(x, y):
        return torch.sign(x) * torch.sqrt({root})
    """)
        is is_likely
    )


@pytest.mark.parametrize(("annotation", "is_likely"), [("int", False), ("torch.Tensor", True)])
def test_whole_numbers_are_no_fractions(annotation: str, is_likely: bool) -> None:
    assert (
        is_shown(f"""
    def f(x: torch.Tensor, order: {annotation}):
        return torch.where(x > 0, x.abs().pow(order), x)
    """)
        is is_likely
    )


@pytest.mark.parametrize("active", ["t < lengths", "lengths > t"])
def test_a_step_beyond_a_length_is_padding_whichever_side_it_is_written_on(active: str) -> None:
    assert is_shown(f"""
    def f(p, lengths):
        total = 0
        for t in range(p.shape[1]):
            total = total + torch.where({active}, p[:, t].log(), torch.zeros_like(p[:, t]))
        return total
    """)


def test_a_sigmoid_that_is_gone_is_nobodys_padding() -> None:
    picked = """
        def f(level, lig_mask):
            return torch.sqrt(torch.sigmoid({level}))[lig_mask]
    """
    assert not is_shown(picked.format(level="level"))
    assert is_shown(picked.format(level="level").replace("torch.sigmoid", "torch.square"))


@pytest.mark.parametrize(("condition", "is_likely"), [("done == 0", False), ("base > 0", True)])
def test_who_raises_to_a_computed_power_has_positive_bases(condition: str, is_likely: bool) -> None:
    body = """
        def f(base: torch.Tensor, steps: torch.Tensor, done: torch.Tensor, x):
            return torch.where({condition}, torch.pow(base + 1e-3, steps), x)
    """
    assert is_shown(body.format(condition=condition)) is is_likely


def test_the_sum_of_the_squares_of_weights_is_not_0() -> None:
    body = """
        def f(logits, least: float):
            w = {weights}
            size = 1.0 / (w * w).sum(dim=-1)
            return torch.where(size < least, 1.0 / size, torch.zeros_like(size))
    """
    assert not is_shown(body.format(weights="torch.softmax(logits, dim=-1)"))
    assert is_shown(body.format(weights="logits"))


def test_each_op_has_a_proof_of_its_own() -> None:
    body = """
        def generator(u, theta: float):
            return (-torch.log(u)) ** theta

        def copula(u, v, theta: float):
            total = generator(u, theta) + generator(v, theta)
            value = torch.exp(-(total ** (1.0 / theta)))
            return torch.where((u == 1.0) & (v == 1.0), torch.ones_like(value), value)

        def loss(u, v):
            return copula(u, v, {theta}).mean()
    """
    # the root is singular for large exponents, the power for small ones
    assert all(is_shown(body.format(theta=theta)) for theta in ("0.5", "2.0"))


@pytest.mark.parametrize(
    ("divisor", "confidence"),
    [
        # a variance, a norm and a sum of squares end at 0, where all elements are equal or 0
        ("y.var(dim=(1, 2, 3))", Confidence.HIGH),
        ("y.square().sum(1)", Confidence.HIGH),
        # a value that may be anything else as well is 0 by chance
        ("y", Confidence.LOW),
    ],
)
def test_bounds_on_a_quotient_are_met_where_the_range_of_the_divisor_ends(
    divisor: str, confidence: Confidence
) -> None:
    text = f"import torch\n\n\ndef f(x, y):\n    return (x / {divisor}).clip(min=0.1, max=10)\n"
    (finding,) = engine.check(Source("m.py", text), Config(confidence=Confidence.LOW))
    assert finding.confidence is confidence


def test_an_unlikely_op_on_the_way_does_not_end_the_search_for_a_likely_one() -> None:
    text = (
        "import torch\n\n\ndef f(x, low, high):\n    x = (x - low) / (high - low) * 2 - 1\n"
        "    size = torch.linalg.norm(x, dim=-1, keepdim=True)\n    slope = (2 * size - 1) / size**2\n"
        "    slope[size.squeeze(-1) <= 1] = 1.0\n    return slope\n"
    )
    (finding,) = engine.check(Source("m.py", text), Config())
    assert "`(2 * size - 1) / size**2`" in finding.message


@pytest.mark.parametrize(
    ("condition", "is_found"),
    [
        # the mask says nothing of the distance, whatever else is asked
        ("torch.logical_and(real > 0.5, r < 3.0)", True),
        ("(real > 0.5) & (torch.arange(4) < n)", True),
        # where a mask ends and the poison lies is one and the same
        ("torch.arange(4) < n", True),
    ],
)
def test_a_mask_beside_a_question_says_what_counts(condition: str, is_found: bool) -> None:
    text = f"import torch\n\n\ndef f(r, real, n):\n    return torch.where({condition}, 1.0 / r, torch.zeros_like(r))\n"
    assert bool(list(engine.check(Source("m.py", text), Config()))) is is_found


def test_a_row_of_one_element_has_no_deviation_where_it_is_kept_either() -> None:
    text = (
        "import torch\n\n\ndef f(x, lengths):\n    gone = torch.arange(x.shape[1]) >= lengths[:, None]\n"
        "    spread = (x.square().sum(1, keepdim=True) / (lengths[:, None] - 1)).sqrt()\n"
        "    return (x / spread).masked_fill(gone, 0.0)\n"
    )
    found = engine.check(Source("m.py", text), Config())
    assert all("lengths = 1.0" not in one.message for one in found), found


@pytest.mark.parametrize(
    ("divisor", "is_likely"),
    [
        # what bounds a quotient says nothing of a divisor that is 0, nor of the root in it
        ("torch.sqrt(y @ y.T)", False),
        ("torch.sqrt(variance)", False),
        ("torch.sqrt((y * y).sum(-1))", True),
    ],
)
def test_bounds_on_a_quotient_say_nothing_of_a_root_that_divides(divisor: str, is_likely: bool) -> None:
    text = f"import torch\n\n\ndef f(x, y, variance):\n    return (x / {divisor}).clamp(-1, 1)\n"
    assert bool(list(engine.check(Source("m.py", text), Config()))) is is_likely


def test_a_random_number_is_not_0() -> None:
    text = (
        "import torch\n\n\ndef f(scale):\n    drawn = torch.rand(5)\n"
        "    return (scale * drawn.log()).clamp(min={})\n"
    )
    assert not list(engine.check(Source("m.py", text.format("-5.0")), Config()))


@pytest.mark.parametrize(
    ("operand", "is_likely"),
    [
        # who asks if there are any counts something, which is never negative
        ("torch.lgamma(x + 0.5)", False),
        ("x.sum(1).log()", True),
    ],
)
def test_a_sum_that_is_asked_to_be_more_than_0_is_not_less(operand: str, is_likely: bool) -> None:
    text = f"import torch\n\n\ndef f(x):\n    return torch.where(x.sum(1) > 0, {operand}, 0.0)\n"
    assert bool(list(engine.check(Source("m.py", text), Config()))) is is_likely


@pytest.mark.parametrize("length", ["lengths", "lengths - 2", "lengths - width + 1", "lengths // 2"])
def test_padding_is_told_by_what_is_left_of_a_length(length: str) -> None:
    text = (
        "import torch\n\n\ndef f(x, lengths, width=3):\n"
        "    spread = (x - x.mean(-1, keepdim=True)).square().mean(-1).sqrt()\n"
        f"    return spread.masked_fill(torch.arange(x.shape[1]) >= {length}, 0.0)\n"
    )
    assert list(engine.check(Source("m.py", text), Config()))


@pytest.mark.parametrize("empty", ["~mask.any(-1)", "mask.sum(-1) == 0", "~adjacency.any(-1)"])
def test_the_weights_of_a_row_without_any_are_divided_by_0(empty: str) -> None:
    text = (
        "import torch\n\n\ndef f(scores, mask, adjacency):\n"
        f"    gone = {empty}\n    mask = {empty.split('.')[0].lstrip('~')}\n"
        "    weights = scores.exp() * mask\n    weights = weights / weights.sum(-1, keepdim=True)\n"
        "    return torch.where(gone[..., None], torch.zeros_like(weights), weights)\n"
    )
    (finding,) = engine.check(Source("m.py", text), Config())
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    ("probabilities", "picked", "is_likely"),
    [
        ("probs * action_mask", "p.log().gather(-1, action)", True),
        ("probs * legal", "p.log()[torch.arange(len(action)), action]", True),
        ("probs * available / (probs * available).sum(-1)", "torch.log(p).gather(-1, action)", True),
        ("probs", "p.log().gather(-1, action)", False),
        ("probs * legal + 1e-8", "p.log().gather(-1, action)", False),
        ("probs * legal", "p.gather(-1, action).log()", False),
    ],
)
def test_what_a_mask_has_made_0_is_there_where_others_are_picked(
    probabilities: str, picked: str, is_likely: bool
) -> None:
    text = (
        "import torch\n\n\ndef f(probs, action_mask, legal, available, action):\n"
        f"    p = {probabilities}\n    return {picked}.sum()\n"
    )
    assert bool(list(engine.check(Source("m.py", text), Config()))) is is_likely


@pytest.mark.parametrize(
    ("divisor", "mask", "is_likely"),
    [
        # where a mask says that there is nothing, targets are 0
        ("target", "valid", True),
        ("gt.abs()", "valid", True),
        ("count", "valid", False),
        ("target", "pred > 3", False),
    ],
)
def test_targets_are_left_blank_where_a_mask_drops(divisor: str, mask: str, is_likely: bool) -> None:
    text = (
        "import torch\n\n\ndef f(pred, target, gt, count: int, valid):\n"
        f"    error = (pred - target).abs() / {divisor}\n    return torch.where({mask}, error, 0.0)\n"
    )
    assert bool(list(engine.check(Source("m.py", text), Config()))) is is_likely


@pytest.mark.parametrize(
    "bounded", ["depth.clamp(0.1, 100)", "depth.clamp(max=100)", "(-depth).clamp(-1, 0)"]
)
def test_a_reciprocal_may_have_two_bounds(bounded: str) -> None:
    text = f"import torch\n\n\ndef f(x):\n    depth = 1.0 / x\n    return {bounded}\n"
    assert list(engine.check(Source("m.py", text), Config()))


def test_the_complement_of_an_input_is_a_mask() -> None:
    text = (
        "import torch\n\n\ndef f(x, m):\n    y = x / x.square().sum(1, keepdim=True).sqrt()\n"
        "    y[~m] = 0\n    return y\n"
    )
    assert list(engine.check(Source("m.py", text), Config()))


@pytest.mark.parametrize(
    ("count", "is_likely"),
    [
        # a batch of nothing but padding is no batch; a row may be
        ("mask.sum()", False),
        ("torch.sum(mask)", False),
        ("mask.sum(1, keepdim=True)", True),
    ],
)
def test_something_is_left_of_a_batch(count: str, is_likely: bool) -> None:
    text = (
        "import torch\n\n\ndef f(x, mask):\n"
        f"    mean = (x * mask).sum() / {count}\n"
        "    return (x - mean).masked_fill(mask == 0, 0.0)\n"
    )
    assert bool(list(engine.check(Source("m.py", text), Config()))) is is_likely


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "torch.where(r / size < 1, torch.exp(-1 / (1 - (r / size) ** 2)), 0.0)",
            "`-1 / (1 - (r / size) ** 2)`",
        ),
        ("torch.where(r >= 0, torch.exp(-r / size), torch.exp(r / size))", "`torch.exp("),
        # there is nothing else
        ("torch.where(r > 0, r / size, 0.0)", "`r / size`"),
    ],
)
def test_an_input_that_would_have_to_be_0_is_not_told_beside_others(body: str, told: str) -> None:
    text = f"import torch\n\n\ndef f(r, size):\n    return {body}\n"
    found = engine.check(Source("m.py", text), Config(confidence=Confidence.LOW))
    assert all(told in one.message for one in found), found
    assert found


def test_numbers_of_a_witness_are_short() -> None:
    text = (
        "import torch\n\n\ndef f(r, size):\n    u = r / size\n"
        "    return torch.where(u < 1, torch.exp(-1 / (1 - u**2)), torch.zeros_like(u))\n"
    )
    (finding,) = engine.check(Source("m.py", text), Config())
    assert all(abs(at) >= 0.01 for at in finding.witness.inputs.values() if at)
