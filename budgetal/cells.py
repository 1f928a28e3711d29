"""Text in CSV cells that a spreadsheet must not run."""

import re

# A quote mark before the trigger counts too: otherwise "'=x" and an escaped "=x" would read the same.
_TRIGGER = re.compile(r"'*[=+\-@\t\r\n]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n]")


def escape_cell(text: str) -> str:
    """A quote mark before text that begins with = + - @, tab or line break (CSV injection, OWASP)."""
    return f"'{text}" if _TRIGGER.match(text) else text


def unescape_cell(text: str) -> str:
    """Inverse of `escape_cell`, for those who read the file back."""
    return text[1:] if _ESCAPED.match(text) else text
