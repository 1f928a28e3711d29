"""Under which addresses a project is served: everything else that a browser may call it is refused."""

import re
import socket
from collections.abc import Collection, Iterable

import psutil

from budgetal.errors import ConfigError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104
_NAME = re.compile(r"(https?://)?([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:[0-9]{1,5})?", re.IGNORECASE)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    return host in LOOPBACK


def origins(host: str, port: int, allowed: Iterable[str]) -> list[str]:
    """Where the server may be found, as "http://127.0.0.1:8000": its own addresses and the names in `allowed`.

    An allowed name is "labels.example.org", at the server's port, or a whole address as "https://labels.example.org".
    Raises ConfigError for one that is neither.
    """
    own = [*LOOPBACK, *(_interfaces() if host in EVERYWHERE else [host])]
    return list(dict.fromkeys([*(f"http://{shown(name)}:{port}" for name in own), *(_named(n, port) for n in allowed)]))


def by_host(origins: Collection[str]) -> dict[str, str]:
    """The origin of each `Host` header. Raises ValueError for what is no origin."""
    for origin in origins:
        if "://" not in origin:
            raise ValueError(f"{origin!r} is no origin: write http://{origin}")
    return {_without_default_port(origin).partition("://")[2]: _without_default_port(origin) for origin in origins}


def shown(host: str) -> str:
    """As it is written in an address."""
    return f"[{host}]" if ":" in host else host


def _named(name: str, port: int) -> str:
    found = _NAME.fullmatch(name)
    if found is None:
        raise ConfigError(f"Cannot allow {name!r}: give a host name, or an address such as https://labels.example.org")
    return name.lower() if found[1] else f"http://{name.lower()}{'' if found[4] else f':{port}'}"


def _without_default_port(origin: str) -> str:
    # Browsers leave it out.
    default = ":443" if origin.startswith("https:") else ":80"
    return origin.removesuffix(default)


def _interfaces() -> list[str]:
    families = (socket.AF_INET, socket.AF_INET6)
    found = [one.address for many in psutil.net_if_addrs().values() for one in many if one.family in families]
    return [address for address in found if "%" not in address]
