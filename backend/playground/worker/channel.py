"""A worker's end of the socket. It never blocks: training does not wait for whoever reads."""

import socket
from collections import deque
from collections.abc import Hashable
from select import POLLIN, POLLOUT, poll

from playground.messages.worker import Mail, Order, Report, read_order
from playground.messages.protocol import Assembler, prefixed

READ_BYTES = 1 << 20


class Line:
    """Letters are sent in order. Pictures follow them, and a newer one replaces one that is still unsent."""

    def __init__(self, sock: socket.socket):
        sock.setblocking(False)
        self._socket = sock
        self._poll = poll()
        self._assembler = Assembler()
        self._partial = memoryview(b"")
        self._letters: deque[bytes] = deque()
        self._pictures: dict[Hashable, bytes] = {}

    def post(self, mail: Mail[Report]) -> None:
        self._letters.append(mail.encode())

    def show(self, slot: Hashable, mail: Mail[Report]) -> None:
        self._pictures[slot] = mail.encode()

    def exchange(self, timeout: float | None) -> list[Mail[Order]]:
        """Sends what the socket takes, and returns the orders that have come.

        Waits up to `timeout` seconds for something to do, and with None as long as need be.
        Raises EOFError once the other end is gone.
        """
        try:
            unsent = self._send()
            self._poll.register(self._socket, POLLIN | POLLOUT if unsent else POLLIN)
            self._poll.poll(None if timeout is None else timeout * 1000)
            return [read_order(message) for message in self._assembler.feed(self._receive())]
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EOFError from error

    def _send(self) -> bool:
        """Whether something is left that the socket did not take."""
        while self._partial or self._next():
            try:
                self._partial = self._partial[self._socket.send(self._partial) :]
            except BlockingIOError:
                return True
        return False

    def _next(self) -> bool:
        if self._letters:
            message = self._letters.popleft()
        elif self._pictures:
            message = self._pictures.pop(next(iter(self._pictures)))
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
