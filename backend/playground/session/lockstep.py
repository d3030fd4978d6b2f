"""Sessions that take the same steps at the same time, whatever their speed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from secrets import token_hex
from typing import TYPE_CHECKING

from playground import limits
from playground.errors import ValidationFailed, fault
from playground.i18n import say
from playground.messages import worker as messages
from playground.messages.commands import Command, Pause, Play, Reset, Restore, SetSpeed, Step
from playground.messages.events import Result, StateChanged

if TYPE_CHECKING:
    from playground.session.session import Session

FOR_ALL = (Play, Pause, SetSpeed, Step)


class Lockstep:
    """At most `limits.TOGETHER` members; most sessions are alone in theirs. Playing, its speed and steps are
    those of all; whoever starts anew or goes back goes by itself from there."""

    def __init__(self, *members: Session):
        self.name = token_hex(4) if len(members) > 1 else ""
        self.members = list(members)

    def others(self, session: Session) -> list[str]:
        return [member.id for member in self.members if member is not session]

    async def perform(self, session: Session, command: Command) -> Result:
        """Whatever `Session.perform` returns and raises."""
        if isinstance(command, Reset | Restore) and len(self.members) > 1:
            await leave(session)
        if len(self.members) < 2 or not isinstance(command, FOR_ALL):
            return await session.perform(command)  # at once: a task of its own would come after a later reset
        members = [session, *(member for member in self.members if member is not session)]
        result, *_ = await asyncio.gather(*(member.perform(command) for member in members))
        return result

    def check_room(self) -> None:
        """Raises `ValidationFailed` where there is none for one more."""
        if len(self.members) >= limits.TOGETHER:
            raise ValidationFailed(fault("together", say("rule.together", limit=limits.TOGETHER)))

    def forget(self, session: Session) -> None:
        """It has ended, or goes by itself."""
        if session in self.members:
            self.members.remove(session)
            self.tell()

    def tell(self) -> None:
        """Who is in it, to everybody who watches."""
        for member in self.members:
            member.viewers.tell(StateChanged(**dict(member.state)))


async def join(session: Session, other: Session) -> None:
    """It goes in lock-step with the other one from now on: whoever is behind is trained as far as the other.

    Raises `ValidationFailed` where there is no room, or where the two do not come from one session.
    """
    company = other.lockstep
    if session in company.members:
        return
    if session.family != other.family:
        raise ValidationFailed(fault("session", say("rule.not_related")))
    company.check_room()
    await leave(session)
    await named(other)
    session.lockstep = company
    company.members.append(session)
    await session.read(messages.SetLockstep(name=company.name))
    state = other.state
    await session.perform(SetSpeed(**state.speed.model_dump()))
    await session.perform(Play() if state.playing else Pause())
    company.tell()


def regroup(sessions: Iterable[Session]) -> None:
    """Those whose lock-steps have one name were in one before the server started, and are again."""
    companies: dict[str, Lockstep] = {}
    for session in sessions:
        if name := session.lockstep.name:
            session.lockstep = companies.setdefault(name, session.lockstep)
            if session not in session.lockstep.members:
                session.lockstep.members.append(session)


async def named(session: Session) -> None:
    """Its lock-step has a name from now on, so that others can go with it."""
    company = session.lockstep
    if not company.name:
        company.name = token_hex(4)
        await session.read(messages.SetLockstep(name=company.name))


async def leave(session: Session) -> None:
    """It goes by itself from now on."""
    company = session.lockstep
    if len(company.members) == 1:
        return
    session.lockstep = Lockstep(session)
    company.forget(session)
    await session.read(messages.SetLockstep(name=""))
    session.lockstep.tell()
