"""Networks that train in the background: a stack of a sweep, a patch of a map of trainability."""

from playground.messages import worker as messages
from playground.messages.codec import Arrays
from playground.messages.events import Divergence
from playground.messages.stacks import GoOn, OpenPatch, OpenStack, PatchTrained, RowEnd, RowTrained
from playground.messages.tables import unpack
from playground.messages.worker import Event, Request
from playground.training.rows import Measured, Row, Rows
from playground.training.trainability import Patch
from playground.worker.reports import Send


class _Unwatched:
    """What the two have in common: nobody looks at them, and there is nothing to save, for a second worker
    that trains them anew comes to the same numbers."""

    def __init__(self, session: str, number: int, send: Send):
        self.session = session
        self.number = number
        self.ended = False
        self._send = send

    def open(self, request: int) -> None:
        self._tell(messages.Answer(step=0, epoch=0.0), request=request)

    def fail(self, detail: str) -> None:
        """After a failure that nobody foresaw: it is over."""
        self.ended = True
        self._tell(messages.SessionFailed(detail=detail))

    def _tell(self, event: Event, arrays: Arrays | None = None, request: int = 0) -> None:
        self._send(event, arrays or {}, request)


class StackRun(_Unwatched):
    """It trains row by row, and makes the network of a row when it is its turn."""

    def __init__(self, session: str, opening: OpenStack, arrays: Arrays, device: str, send: Send):
        super().__init__(session, opening.number, send)
        measured = Measured(opening.by_epochs, opening.every)
        self._maker = Rows(measured, unpack(opening.tables, arrays), device)
        self._wanted = {row.row: row for row in opening.rows}
        self._rows: dict[int, Row] = {}
        self._left = [row.row for row in opening.rows]
        """Rows that have not come to `until`; the first of them trains."""
        self._until = opening.until

    @property
    def idle(self) -> bool:
        """Whether it waits to be told how to go on."""
        return not self._left

    def train(self, deadline: float) -> None:
        number = self._left[0]
        try:
            row = self._rows.get(number)
            if row is None:
                wanted = self._wanted.pop(number)
                row = self._rows[number] = self._maker.begin(wanted.config, wanted.seed)
            row.go_on(self._until)
            if row.due:
                row.train(deadline)
        except Exception as error:  # those beside it go on
            self._left.remove(number)
            self._rows.pop(number, None)
            detail = f"{type(error).__name__}: {error}"
            self._tell(RowTrained(row=number, step=0, columns=[], end=RowEnd.FAILED, detail=detail))
            return
        if not row.due:
            self._left.remove(number)
            self._arrived(number, row)

    def _arrived(self, number: int, row: Row) -> None:
        """A row is as far as it may go, or as it can."""
        diverged, samples = row.diverged, row.take()
        where = None
        if diverged:
            where = Divergence(step=diverged.step, layer=diverged.layer, **diverged.detail.as_detail)
        end = RowEnd.DIVERGED if diverged else RowEnd.STOPPED if row.stopped else RowEnd.UNTIL
        step, columns = row.loop.state.step, list(samples.columns)
        trained = RowTrained(row=number, step=step, columns=columns, end=end, diverged=where)
        self._tell(trained, {"samples": samples.rows.copy()})
        if row.over:
            del self._rows[number]

    def handle(self, request: Request, number: int, _: Arrays) -> None:
        """Goes on with all rows but those that are dropped."""
        if not isinstance(request, GoOn):
            raise TypeError(f"a stack does not take {request.type}")
        self._until = request.until
        for dropped in request.dropped:
            self._rows.pop(dropped, None)
            self._wanted.pop(dropped, None)
        self._left = sorted([*self._rows, *self._wanted])
        self._tell(messages.Answer(step=0, epoch=0.0), request=number)


class PatchRun(_Unwatched):
    idle = False

    def __init__(self, session: str, opening: OpenPatch, arrays: Arrays, device: str, send: Send):
        super().__init__(session, opening.number, send)
        tables = unpack(opening.tables, arrays)
        self._patch = Patch(opening.configs, opening.scales, opening.rates, opening.steps, tables, device)

    def train(self, deadline: float) -> None:
        first, measures, self.ended = self._patch.train(deadline)
        if len(measures):
            self._tell(PatchTrained(first=first, done=self.ended), {"measures": measures})

    def handle(self, request: Request, number: int, _: Arrays) -> None:
        raise TypeError(f"a patch does not take {request.type}")
