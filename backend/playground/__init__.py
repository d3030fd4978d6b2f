"""A neural network playground: small PyTorch networks that train while you change them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.client import AsyncClient, Client

__version__ = "0.1.0"
__all__ = ["AsyncClient", "Client", "__version__"]


def __getattr__(name: str) -> Any:
    """The client is imported when somebody asks for it: a server has no use for it."""
    if name in ("AsyncClient", "Client"):
        from playground import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
