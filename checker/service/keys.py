"""Access keys [访问密钥]: who may ask, from which addresses, what, and for which institutions."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROLES = ("check", "admin")
_DIGEST = 64
_KNOWN = ("name", "sha256", "roles", "addresses", "institutions")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Key:
    """Its name, the SHA-256 of the key, and what it may do. Without `sha256` whoever asks from its addresses is let in.

    `addresses`: none for all. `institutions`: the numbers that it may send messages of, none for all.
    """

    name: str
    sha256: str | None
    roles: tuple[str, ...]
    addresses: tuple[Network, ...] = ()
    institutions: frozenset[str] = frozenset()

    def may_come_from(self, address: str) -> bool:
        """Whether it may be used from this address."""
        if not self.addresses:
            return True
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        # A server that listens on both calls an address of IPv4 ::ffff:10.0.0.1.
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return any((mapped or found) in network for network in self.addresses)


def read_keys(entries: object, faults: list[str]) -> tuple[Key, ...]:
    """The keys of a settings file; what is wrong with them is added to the faults."""
    if not isinstance(entries, list):
        faults.append("key：应写作一个或几个 [[key]]（write tables [[key]]）")
        return ()
    keys = tuple(_key(entry, f"key[{number}]", faults) for number, entry in enumerate(entries))
    names = [key.name for key in keys]
    faults += [
        f"key：名称 {name} 出现两次，请改名（twice the same name）"
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    return keys


def _key(entry: object, place: str, faults: list[str]) -> Key:
    held: Mapping[str, Any] = entry if isinstance(entry, dict) else {}
    name, sha256, roles = held.get("name"), held.get("sha256"), held.get("roles", ["check"])
    if not isinstance(name, str) or not name:
        faults.append(f"{place}.name：应写一个名称（a name）")
    addresses = _addresses(held, place, faults)
    institutions = _texts(held, "institutions", place, faults)
    if sha256 is None and held.get("addresses"):
        # The allow-list is what lets in.
        pass
    elif not isinstance(sha256, str) or len(sha256) != _DIGEST or not set(sha256) <= set("0123456789abcdef"):
        faults.append(
            f"{place}.sha256：应为 64 位小写十六进制；用 liangku serve --new-key 生成，或者只写 addresses"
            "（make one with --new-key, or give addresses alone）"
        )
    if not isinstance(roles, list) or not roles or not all(role in ROLES for role in roles):
        faults.append(f"{place}.roles：应为 {'、'.join(ROLES)} 中的一个或几个（some of the roles）")
        roles = []
    if sha256 is None and "admin" in roles:
        faults.append(
            f"{place}.roles：只凭地址不能管理，请写 sha256（an address alone may not administer: it needs a key）"
        )
    if unknown := sorted(set(held) - set(_KNOWN)):
        faults.append(f"{place}：没有这个设置：{'、'.join(unknown)}（unknown setting）")
    digest = sha256 if isinstance(sha256, str) else None
    return Key(str(name), digest, tuple(str(role) for role in roles), addresses, frozenset(institutions))


def _addresses(held: Mapping[str, Any], place: str, faults: list[str]) -> tuple[Network, ...]:
    networks: list[Network] = []
    for text in _texts(held, "addresses", place, faults):
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError:
            faults.append(
                f"{place}.addresses：“{text[:50]}”不是地址或网段，例如 10.1.2.3 或 10.1.0.0/16，网段的主机位应为 0"
                "（no address or network; the host bits of a network are 0）"
            )
    return tuple(networks)


def _texts(held: Mapping[str, Any], name: str, place: str, faults: list[str]) -> list[str]:
    found = held.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not found or not all(isinstance(text, str) and text.strip() for text in found):
        # An empty list would let in all where none was meant.
        faults.append(
            f"{place}.{name}：应为至少一项的文字数组，不限制就不写（an array of at least one text; leave it out for no limit）"
        )
        return []
    return [text.strip() for text in found]
