"""nanlint: finds PyTorch code whose gradient is NaN although its value is fine."""

__version__ = "0.1.0"
