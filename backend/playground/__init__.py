"""A neural network playground: small PyTorch networks that train while you change them."""

__version__ = "0.1.0"
