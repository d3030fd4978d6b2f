"""A worker's end of the socket. It never blocks: training does not wait for whoever reads."""

import socket
from collections import deque
from collections.abc import Hashable
from select import POLLIN, POLLOUT, poll

from playground.messages.codec import Assembler, prefixed
from playground.messages.worker import Envelope, Event, Request, read_request

READ_BYTES = 1 << 20


class Channel:
    """Messages are sent in order. The latest of each slot follow, and replace one that is still unsent."""

    def __init__(self, sock: socket.socket):
        sock.setblocking(False)
        self._socket = sock
        self._poll = poll()
        self._assembler = Assembler()
        self._partial = memoryview(b"")
        self._messages: deque[bytes] = deque()
        self._latest: dict[Hashable, bytes] = {}

    def send(self, envelope: Envelope[Event]) -> None:
        self._messages.append(envelope.encode())

    def send_latest(self, slot: Hashable, envelope: Envelope[Event]) -> None:
        self._latest[slot] = envelope.encode()

    def exchange(self, timeout: float | None) -> list[Envelope[Request]]:
        """Sends what the socket takes, and returns the requests that have come.

        Waits up to `timeout` seconds for something to do, and with None as long as need be.
        Raises EOFError once the other end is gone.
        """
        try:
            unsent = self._write()
            self._poll.register(self._socket, POLLIN | POLLOUT if unsent else POLLIN)
            self._poll.poll(None if timeout is None else timeout * 1000)
            return [read_request(message) for message in self._assembler.feed(self._receive())]
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EOFError from error

    def _write(self) -> bool:
        """Whether something is left that the socket did not take."""
        while self._partial or self._next():
            try:
                self._partial = self._partial[self._socket.send(self._partial) :]
            except BlockingIOError:
                return True
        return False

    def _next(self) -> bool:
        if self._messages:
            message = self._messages.popleft()
        elif self._latest:
            message = self._latest.pop(next(iter(self._latest)))
        else:
            return False
        self._partial = memoryview(prefixed(message))
        return True

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            raise EOFError
        return data
