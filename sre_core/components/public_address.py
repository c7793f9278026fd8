"""Which addresses anybody may name: those of the public internet, and none of this machine or its networks."""

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from sre_core.errors import ComponentError

__all__ = ["check_public_host", "is_public"]

# The special-purpose registries of IANA. `ipaddress.is_global` differs between patch versions of Python, so that the
# lists stand here.
_SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        # The platform address of Azure: looks public, and every machine there reaches its own agent by it.
        "168.63.129.16/32",
    )
)
# All that is global lies in 2000::/3; these are what is not, within it.
_GLOBAL_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_LOCAL_NAMES = ("localhost", "local", "localdomain", "internal", "home.arpa")


def is_public(address: str) -> bool:
    """Whether an IP address, as a resolver gives it, is one of the public internet.

    An IPv4 address inside one of IPv6 (mapped, 6to4, NAT64) counts as itself. What is no address is not public.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def check_public_host(host: str, public: Callable[[str], bool] = is_public) -> None:
    """Raise ComponentError for a host that no stranger may name, as far as can be told without resolving it.

    `host` is that of a parsed URL, without brackets; `public` says which addresses are. Names are checked again when
    they are resolved; forms of addresses that only some libraries read as such (`2130706433`, `0x7f.1`) are refused.
    """
    name = host.lower()
    if ":" in name or _ends_in_number(name):
        if not public(_strict(name)):
            raise _refused(host, "is no address of the public internet")
    elif not _NAME.fullmatch(name):
        raise _refused(host, "is an odd way to write a host")
    elif any(name == local or name.endswith(f".{local}") for local in _LOCAL_NAMES):
        raise _refused(host, "is a name of this machine or its network")


def _refused(host: str, why: str) -> ComponentError:
    return ComponentError(
        f"a request to {host!r} is refused: the host {why}",
        hint="only a host that stands in the author's own text, not in an input, may be one of a private network",
    )


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _SPECIAL_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address in _MAPPED or address in _NAT64:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFF_FFFF))
    if address in _SIX_TO_FOUR:
        return _is_public_v4(IPv4Address((int(address) >> 80) & 0xFFFF_FFFF))
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)


def _ends_in_number(name: str) -> bool:
    """Whether browsers would take the name for an IPv4 address: the last part is a number, also a hexadecimal one."""
    last = name.removesuffix(".").rpartition(".")[2]
    if last.isdigit():
        return True
    return last.startswith("0x") and all(digit in "0123456789abcdef" for digit in last[2:])


def _strict(name: str) -> str:
    """The name if it is an address in its usual form, else ""."""
    if ":" in name:
        return name
    try:
        return str(IPv4Address(name))
    except AddressValueError:
        return ""
