"""Passwords: hashed with argon2id, compared in the same time whether there is an account or not."""

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from budgetal.errors import ConfigError

SHORTEST, LONGEST = 10, 200
# The low-memory parameters of RFC 9106: 64 MiB and three passes.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
# Strangers may ask for as many comparisons as they like; each takes 64 MiB.
_AT_ONCE = threading.BoundedSemaphore(2)


def check_password(password: str, name: str) -> str:
    """The password itself. Raises ConfigError for one that is guessed too easily."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(f"A password has {SHORTEST} to {LONGEST} characters: a few words are good ones")
    if name.casefold() in password.casefold() or len(set(password)) < SHORTEST // 2:
        raise ConfigError("This password is guessed easily: leave your name out, and use different characters")
    return password


def hash_password(password: str) -> str:
    """What is kept of a password: its salted argon2id hash, with parameters."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def is_right(password: str, hashed: str | None) -> bool:
    """Whether `password` is the one that was hashed; None takes as long and is never right."""
    with _AT_ONCE:
        try:
            return _HASHER.verify(hashed or _nobodys(), password[:LONGEST]) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_hex(16))
