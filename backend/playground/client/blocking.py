"""The same client for scripts that wait: each method is the asynchronous one, run by a thread of its own.

That thread has its own event loop, so that this works in a notebook too, whose loop is busy with the cell.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from playground.client.client import AsyncClient
from playground.client.errors import Gone
from playground.client.run import AsyncRun
from playground.client.session import AsyncSession
from playground.client.sweep import AsyncSweep

if TYPE_CHECKING:
    from playground.client.notebook import SessionWidget

P = ParamSpec("P")
T = TypeVar("T")


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="playground-client", daemon=True)
        self._thread.start()

    def run(self, awaitable: Awaitable[T]) -> T:
        """Waits for it; an interrupt ends it."""
        future = asyncio.run_coroutine_threadsafe(_as_coroutine(awaitable), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def start(self, awaitable: Awaitable[Any]) -> None:
        """Does not wait for it; it ends with the loop."""
        asyncio.run_coroutine_threadsafe(_as_coroutine(awaitable), self._loop)

    @property
    def runs(self) -> bool:
        return self._loop.is_running()

    def stop(self) -> None:
        if self.runs:
            self.run(_cancel_others())
            self.run(self._loop.shutdown_asyncgens())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _as_coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable


class Blocking:
    """Stands before an asynchronous object: `inner`."""

    def __init__(self, loop: Loop, inner: Any):
        self._loop = loop
        self._inner = inner

    def __repr__(self) -> str:
        return repr(self._inner).replace("<Async", "<", 1)


B = TypeVar("B", bound=Blocking)


def waits(method: Callable[Concatenate[Any, P], Awaitable[T]]) -> Callable[Concatenate[Any, P], T]:
    """The method, and its result."""

    @functools.wraps(method)
    def call(self: Blocking, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._loop.run(method(self._inner, *args, **kwargs))

    return call


def makes(
    kind: Callable[[Loop, Any], B], method: Callable[Concatenate[Any, P], Awaitable[Any]]
) -> Callable[Concatenate[Any, P], B]:
    """The method, and its result as one that blocks too."""

    @functools.wraps(method)
    def call(self: Blocking, *args: P.args, **kwargs: P.kwargs) -> B:
        return kind(self._loop, self._loop.run(method(self._inner, *args, **kwargs)))

    return call


def yields(
    method: Callable[Concatenate[Any, P], AsyncIterator[T]],
) -> Callable[Concatenate[Any, P], Iterator[T]]:
    """The method, and one after the other what it yields."""

    @functools.wraps(method)
    def call(self: Blocking, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        return _each(self._loop, method(self._inner, *args, **kwargs))

    return call


def lists(
    kind: Callable[[Loop, Any], B], method: Callable[Concatenate[Any, P], AsyncIterator[Any]]
) -> Callable[Concatenate[Any, P], Iterator[B]]:
    """The method, and one after the other what it yields, as ones that block too."""

    @functools.wraps(method)
    def call(self: Blocking, *args: P.args, **kwargs: P.kwargs) -> Iterator[B]:
        return (kind(self._loop, item) for item in _each(self._loop, method(self._inner, *args, **kwargs)))

    return call


def _each(loop: Loop, stream: AsyncIterator[T]) -> Iterator[T]:
    try:
        while True:
            try:
                yield loop.run(anext(stream))
            except StopAsyncIteration:
                return
    finally:
        if loop.runs:
            loop.run(cast("Coroutine[Any, Any, None]", stream.aclose()))  # pyright: ignore[reportAttributeAccessIssue]


class Reads(Generic[T]):
    """An attribute that is asked for when it is read: the result of the method."""

    def __init__(self, method: Callable[[Any], Awaitable[T]]):
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, blocking: None, owner: type[Blocking]) -> Reads[T]: ...
    @overload
    def __get__(self, blocking: Blocking, owner: type[Blocking]) -> T: ...
    def __get__(self, blocking: Blocking | None, owner: type[Blocking]) -> Reads[T] | T:
        return self if blocking is None else blocking._loop.run(self._method(blocking._inner))


class Has(Generic[T]):
    """An attribute that is there already."""

    def __init__(self, name: str):
        self._name = name

    @overload
    def __get__(self, blocking: None, owner: type[Blocking]) -> Has[T]: ...
    @overload
    def __get__(self, blocking: Blocking, owner: type[Blocking]) -> T: ...
    def __get__(self, blocking: Blocking | None, owner: type[Blocking]) -> Has[T] | T:
        return self if blocking is None else getattr(blocking._inner, self._name)


def _session(loop: Loop, inner: AsyncSession) -> Session:
    return Session(loop, inner)


def _run(loop: Loop, inner: AsyncRun) -> Run:
    return Run(loop, inner)


class Session(Blocking):
    """A network that trains on the server. It ends there with `with`, with `delete`, or when nobody has used
    it for long."""

    id = Has[str]("id")
    key = Has["str | None"]("key")
    url = Has[str]("url")
    config = Reads(AsyncSession.config)
    metrics = Reads(AsyncSession.metrics)
    timeline = Reads(AsyncSession.timeline)
    history = Reads(AsyncSession.history)
    weights = Reads(AsyncSession.weights)
    scores = Reads(AsyncSession.scores)
    look = waits(AsyncSession.look)
    maps = waits(AsyncSession.maps)
    change = waits(AsyncSession.change)
    step = waits(AsyncSession.step)
    play = waits(AsyncSession.play)
    pause = waits(AsyncSession.pause)
    reset = waits(AsyncSession.reset)
    speed = waits(AsyncSession.speed)
    set_weights = waits(AsyncSession.set_weights)
    undo = waits(AsyncSession.undo)
    redo = waits(AsyncSession.redo)
    restore = waits(AsyncSession.restore)
    branch = makes(_session, AsyncSession.branch)
    save = makes(_run, AsyncSession.save)
    export = waits(AsyncSession.export)
    watch = yields(AsyncSession.watch)
    delete = waits(AsyncSession.delete)

    @functools.cached_property
    def widget(self) -> SessionWidget:
        """Shows it live in a notebook. Raises ImportError without anywidget."""
        from playground.client.notebook import SessionWidget

        return SessionWidget(self._inner, self._loop.start)

    def _ipython_display_(self) -> None:
        """In Jupyter, whatever shows what a cell ends with: live, and with a picture that stays."""
        try:
            from playground.client.display import show
        except ImportError:
            print(repr(self))  # noqa: T201
        else:
            show(self)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Gone):
            self.delete()


class Run(Blocking):
    """A config and its changes on the way, up to an end; the server keeps it."""

    id = Has[str]("id")
    key = Has["str | None"]("key")
    info = Has["dict[str, Any]"]("info")
    state = Has[str]("state")
    metrics = Has["dict[str, float | None]"]("metrics")
    history = Reads(AsyncRun.history)
    weights = Reads(AsyncRun.weights)
    refresh = waits(AsyncRun.refresh)
    wait = waits(AsyncRun.wait)
    events = yields(AsyncRun.events)
    file = waits(AsyncRun.file)
    export = waits(AsyncRun.export)
    describe = waits(AsyncRun.describe)
    cancel = waits(AsyncRun.cancel)
    open = makes(Session, AsyncRun.open)


class Sweep(Blocking):
    """A space of configs, and what its points have come to; the server keeps it."""

    id = Has[str]("id")
    key = Has["str | None"]("key")
    info = Has["dict[str, Any]"]("info")
    state = Has[str]("state")
    best = Has["list[dict[str, Any]]"]("best")
    trials = Reads(AsyncSweep.trials)
    importance = Reads(AsyncSweep.importance)
    frame = waits(AsyncSweep.frame)
    refresh = waits(AsyncSweep.refresh)
    wait = waits(AsyncSweep.wait)
    events = yields(AsyncSweep.events)
    cancel = waits(AsyncSweep.cancel)
    open = makes(Session, AsyncSweep.open)


class Client(Blocking):
    """The playground at `url`; by default the one that `PLAYGROUND_SERVER` names, or that of this machine.

    A call that was under way when the server stopped is repeated for `patience` seconds where that is safe.
    Calls raise Refused with what the server said, Gone for what is not there, Unreachable if nobody answers.
    """

    def __init__(self, url: str | None = None, *, timeout: float = 60.0, patience: float = 30.0):
        super().__init__(Loop(), AsyncClient(url, timeout=timeout, patience=patience))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; what trains on the server goes on."""
        self._loop.run(self._inner.close())
        self._loop.stop()

    url = Has[str]("url")
    session = makes(Session, AsyncClient.session)
    join = makes(Session, AsyncClient.join)
    run = makes(Run, AsyncClient.run)
    find_run = makes(Run, AsyncClient.find_run)
    runs = lists(Run, AsyncClient.runs)
    sweep = makes(Sweep, AsyncClient.sweep)
    find_sweep = makes(Sweep, AsyncClient.find_sweep)
    sweeps = lists(Sweep, AsyncClient.sweeps)
