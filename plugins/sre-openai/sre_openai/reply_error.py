"""What a server says went wrong, inside a reply that began well."""

from typing import Any

__all__ = ["ReplyError"]


class ReplyError(Exception):
    """Carries the server's own description, of any form; it never leaves the connector."""

    def __init__(self, error: Any) -> None:
        super().__init__("the server reports an error")
        self.error = error
