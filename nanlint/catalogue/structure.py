"""What the analysis has to know of the rest of torch: calls that compute nothing singular, as tables.

Names are those of functions in `torch` (or the namespace given) and of Tensor methods alike.
"""

from __future__ import annotations

from nanlint import regions as R
from nanlint.regions import Region

SAME_ELEMENTS = frozenset(
    """
    view reshape flatten unflatten ravel squeeze unsqueeze expand expand_as view_as reshape_as permute transpose t
    swapaxes swapdims movedim moveaxis contiguous clone to type type_as cuda cpu double float half bfloat16 repeat
    repeat_interleave tile broadcast_to flip fliplr flipud roll rot90 alias conj resolve_conj resolve_neg real
    positive requires_grad_ retain_grad pin_memory share_memory_ as_tensor asarray atleast_1d atleast_2d atleast_3d
    unbind chunk split tensor_split hsplit vsplit dsplit unfold narrow diagonal diag diag_embed tril triu sort
    as_strided detach_ to_dense coalesce squeeze_ unsqueeze_ transpose_ t_ contiguous_ swapaxes_ adjoint
    """.split()
)
"""Elements pass unchanged, wherever they end up: from one element's point of view the identity."""

COPIED = frozenset("clone repeat repeat_interleave tile flip fliplr flipud roll rot90 tril triu sort".split())
"""Those of them that never share their storage with what they were made of."""

TRANSPOSED = frozenset({"T", "mT", "H", "mH", "real"})
"""Attributes that do the same."""

DETACHED = frozenset({"detach", "data", "detach_"})
"""Same values, no gradient."""

FILLED: dict[str, Region] = {
    "zeros": R.ZERO,
    "zeros_like": R.ZERO,
    "new_zeros": R.ZERO,
    "ones": R.TRUE,
    "ones_like": R.TRUE,
    "new_ones": R.TRUE,
    "eye": R.TRUTH,
    "rand": R.interval(0.0, 1.0, False, True),
    "rand_like": R.interval(0.0, 1.0, False, True),
    "randn": R.interval(-8.0, 8.0),
    "randn_like": R.interval(-8.0, 8.0),
    "empty": R.FINITE,
    "empty_like": R.FINITE,
    "new_empty": R.FINITE,
    "arange": R.FINITE,
    "randint": R.FINITE,
    "randperm": R.NONNEGATIVE & R.FINITE,
    "tril_indices": R.NONNEGATIVE & R.FINITE,
    "triu_indices": R.NONNEGATIVE & R.FINITE,
    "bernoulli": R.TRUTH,
    "multinomial": R.NONNEGATIVE & R.FINITE,
    "hann_window": R.UNIT,
    "hamming_window": R.UNIT,
    "one_hot": R.TRUTH,
}
"""New tensors without gradient, and their values."""

COUNTS = frozenset(
    """
    argmax argmin argsort argwhere nonzero count_nonzero searchsorted bucketize numel size dim ndimension nelement
    long int short byte char bincount histc unique element_size storage_offset stride get_device
    """.split()
)
"""Integer results: no gradient flows through them."""

SELECTING = frozenset(
    """
    where masked_fill masked_scatter masked_select index_put index_fill clamp clamp_min clamp_max clip relu relu6
    hardtanh threshold maximum minimum fmax fmin max min amax amin nan_to_num gather index_select take take_along_dim
    topk kthvalue mul multiply addcmul
    """.split()
)
"""Names of calls that may drop elements, without the underscore of the in-place forms."""

CONTRACTING = {
    "matmul": 0,
    "mm": 0,
    "bmm": 0,
    "mv": 0,
    "dot": 0,
    "vdot": 0,
    "inner": 0,
    "einsum": 0,
    "tensordot": 0,
    "addmm": 1,
    "baddbmm": 1,
}
"""Sums of products, by how many of their tensors are no factors: where one factor is a mask, it drops elements."""
COVERING = frozenset({"eye", "tril", "triu", "one_hot", "tril_", "triu_"})
"""Makers of matrices of zeros and ones with a one for each element: summed up, they leave nothing out."""
PICKING = frozenset({"gather", "index_select", "take", "take_along_dim"})
"""Elements chosen by index: the others are dropped."""

PYTHON_RESULTS = frozenset({"item", "tolist", "numpy"})
"""Leaves torch: a Python or numpy value."""

SIZES = frozenset({"shape", "ndim", "dtype", "device", "layout", "grad_fn"})
"""Attributes that are no tensors."""
FLAGS = frozenset(
    {"is_cuda", "requires_grad", "is_leaf", "is_sparse", "is_mps", "is_cpu", "is_quantized", "is_nested"}
)
"""Attributes that are true or false."""

_INF = float("inf")
SATURATES: dict[str, tuple[float, ...]] = {
    "exp": (0.0, _INF),
    "exp2": (0.0, _INF),
    "expm1": (-1.0, _INF),
    "sinh": (-_INF, _INF),
    "cosh": (_INF,),
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "erf": (-1.0, 1.0),
    "erfc": (0.0, 2.0),
    "softplus": (0.0,),
}
"""Values that these ops have for no real number: only overflow, underflow or rounding brings them there."""

_ANY = R.FINITE
OPAQUE: dict[str, Region] = {
    "softmax": R.UNIT,
    "softmin": R.UNIT,
    "gumbel_softmax": R.UNIT,
    "log_softmax": R.interval(-1e6, 0.0),
    "normalize": R.interval(-1.0, 1.0),
    "cosine_similarity": R.interval(-1.0, 1.0),
    "pairwise_distance": R.NONNEGATIVE & R.FINITE,
    "cdist": R.NONNEGATIVE & R.FINITE,
    "pdist": R.NONNEGATIVE & R.FINITE,
    "dist": R.NONNEGATIVE & R.FINITE,
    "var": R.NONNEGATIVE & R.FINITE,
    "std": R.NONNEGATIVE & R.FINITE,
    "dropout": _ANY,
    "matmul": _ANY,
    "mm": _ANY,
    "bmm": _ANY,
    "mv": _ANY,
    "dot": _ANY,
    "vdot": _ANY,
    "inner": _ANY,
    "outer": _ANY,
    "einsum": _ANY,
    "tensordot": _ANY,
    "baddbmm": _ANY,
    "addmm": _ANY,
    "cross": _ANY,
    "det": _ANY,
    "linear": _ANY,
    "conv1d": _ANY,
    "conv2d": _ANY,
    "conv3d": _ANY,
    "interpolate": _ANY,
    "grid_sample": _ANY,
    "pad": _ANY,
    "softplus": R.NONNEGATIVE & R.FINITE,
    "layer_norm": _ANY,
    "mse_loss": R.NONNEGATIVE & R.FINITE,
    "l1_loss": R.NONNEGATIVE & R.FINITE,
    "smooth_l1_loss": R.NONNEGATIVE & R.FINITE,
    "huber_loss": R.NONNEGATIVE & R.FINITE,
    "binary_cross_entropy": R.NONNEGATIVE & R.FINITE,
    "binary_cross_entropy_with_logits": R.NONNEGATIVE & R.FINITE,
    "cross_entropy": R.NONNEGATIVE & R.FINITE,
    "nll_loss": _ANY,
    "kl_div": _ANY,
}
"""Differentiable and regular, with values in the region; their value is not computed from their arguments.

Functions that have a row as well are here for the calls that are not of that row, such as `softplus` with a `beta`.
"""

DEGENERATE: dict[str, str] = {
    "logdet": "a singular matrix",
    "slogdet": "a singular matrix",
    "cond": "a matrix of zeros",
    "inv_ex": "a singular matrix",
    "solve_ex": "a singular matrix",
    "cholesky_ex": "a singular matrix",
    "cholesky_solve": "a singular matrix",
    "solve_triangular": "a singular matrix",
    "triangular_solve": "a singular matrix",
    "lu": "a singular matrix",
    "lu_factor_ex": "a singular matrix",
    "qr": "linearly dependent columns",
    "eig": "equal eigenvalues",
    "eigh": "equal eigenvalues",
    "svd": "equal singular values",
    "svd_lowrank": "equal singular values",
    "pca_lowrank": "equal singular values",
    "householder_product": "a singular reflector",
    "orgqr": "a singular reflector",
    "std": "a single element",
    "var": "a single element",
    "std_mean": "a single element",
    "var_mean": "a single element",
    "cov": "a single observation",
    "corrcoef": "a constant row",
    "ctc_loss": "a target longer than its input",
    "lp_pool1d": "a window whose powers have a negative sum",
    "lp_pool2d": "a window whose powers have a negative sum",
    "lp_pool3d": "a window whose powers have a negative sum",
    "kl_div": "a target of 0, whose own gradient it is",
    "binary_cross_entropy": "a prediction of 0 or 1, in the target's own gradient",
    "poisson_nll_loss": "a target of 0, whose own gradient it is",
}
"""Ops on several elements whose backward makes nan of an upstream 0, and at what.

A single element has nothing to say of most of them; those that it has are rows in `matrices.py`.

`inv`, `solve`, `cholesky` and `lu_factor` are not here, for they raise an exception at a singular matrix; `det`,
`pinv`, `svdvals`, `eigvalsh` and the norms are not, for their gradients are finite everywhere.
"""

MODULES: dict[str, str | Region] = {
    "Softplus": "softplus",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "ReLU": "relu",
    "ReLU6": "relu6",
    "LogSigmoid": "logsigmoid",
    "Softmax": R.UNIT,
    "LogSoftmax": R.interval(-1e6, 0.0),
    "Hardsigmoid": "hardsigmoid",
    "Hardswish": "hardswish",
    "Hardshrink": "hardshrink",
    "Softshrink": "softshrink",
    "Softsign": "softsign",
    "Tanhshrink": "tanhshrink",
    "SiLU": "silu",
    "GELU": "gelu",
    "Mish": "mish",
    "SELU": "selu",
    "ELU": "elu",
    "CELU": "celu",
    "LeakyReLU": "leaky_relu",
    "Threshold": "threshold",
    "Hardtanh": "hardtanh",
    "CTCLoss": "ctc_loss",
    "Identity": "identity",
    "Dropout": "identity",
    "Parameter": R.FINITE,
}
"""`torch.nn` modules: the function in `torch.nn.functional` that calling one is, with its settings after its operands,
or the region of its result."""

LOGGING = frozenset(
    """
    print log debug info warning warn error critical exception add_scalar add_scalars add_histogram add_image log_dict
    log_metrics write set_postfix set_description update_metrics format isinstance issubclass type id repr str hash
    hasattr len callable
    """.split()
)
"""Calls that show a value or look at it: no gradient comes back from them."""
