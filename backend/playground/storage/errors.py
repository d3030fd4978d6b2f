"""What can go wrong with the database."""

from http import HTTPStatus

from playground.errors import Problem
from playground.i18n import Text, say


class StorageRefused(Exception):
    """The database cannot be used, and the server does not start; nothing in it was changed."""

    def __init__(self, reason: Text):
        super().__init__(reason.text)
        self.reason = reason


class StorageFailed(Problem):
    """The database does not take or give something now. It was not written, and may be tried again."""

    def __init__(self, reason: Text):
        text = say("problem.storage", reason=reason)
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, text, headers={"Retry-After": "5"})
        self.reason = reason
