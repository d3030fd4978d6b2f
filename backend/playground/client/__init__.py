"""Scripts the playground over its REST API and websocket; imports neither PyTorch nor the server.

    from playground import Client

    with Client() as playground, playground.session(data="spiral", hidden=[8, 8]) as session:
        session.step(epochs=50)
        session.change(optimizer="sgd", batch_size=20)
        print(session.history["test_loss"])

`AsyncClient` is the same with `await`.
"""

from playground.client.blocking import Client, Run, Session, Sweep
from playground.client.client import AsyncClient
from playground.client.errors import Gone, PlaygroundError, Refused, Unreachable
from playground.client.history import History
from playground.client.live import Moment
from playground.client.run import AsyncRun
from playground.client.session import AsyncSession
from playground.client.sweep import AsyncSweep

__all__ = [
    "AsyncClient",
    "AsyncRun",
    "AsyncSession",
    "AsyncSweep",
    "Client",
    "Gone",
    "History",
    "Moment",
    "PlaygroundError",
    "Refused",
    "Run",
    "Session",
    "Sweep",
    "Unreachable",
]
