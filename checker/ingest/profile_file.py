"""The profile of a province [省级配置]: one TOML file that says how it writes messages and values; both readers open it here."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from checker.model.errors import Fault, InputError
from checker.model.files import SETTINGS_FILE, MissingFileError, UnfitFileError, read_once
from checker.model.toml_document import parse_toml

MESSAGE_KEYS = (
    "body", "infcode_as_text", "vola_bhvr_type", "time_limit_ms", "result", "err_msg_when_ok", "undetermined", "not_judged", "not_reviewed", "local_codes",
    "feedback_reason", "infno", "nodes", "fields", "codes",
)  # fmt: skip
"""What of the file says how messages are written (checker/service/national/profile.py)."""
VALUE_KEYS = ("care_groups", "insurance_groups", "institution_ranks", "online")
"""What of it says what values mean (provincial.py)."""
KEYS = ("name", *MESSAGE_KEYS, *VALUE_KEYS)

_FOLDER = Path(__file__).with_name("profiles")
_NATIONAL = _FOLDER / "national.toml"


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """The national document, the one that lies on it, and how the latter is called in faults."""

    national: Mapping[str, Any]
    written: Mapping[str, Any]
    file: str

    @property
    def name(self) -> str:
        """What the profile calls itself."""
        return str(self.written.get("name", self.national["name"]))


def open_profile(path: Path | None, faults: list[Fault]) -> ProfileFile:
    """Open a TOML file, or a profile that comes with the program by its name (`hainan`); without a path nothing lies on the national one.

    Notes keys that no reader knows, and a name that is none. Raises InputError where the file cannot be read.
    """
    national = _document(_NATIONAL)
    if path is None:
        return ProfileFile(national, {}, "")
    shipped = _FOLDER / f"{path}.toml"
    if path.suffix == "" and len(path.parts) == 1 and shipped.is_file():
        path = shipped
    written = _document(path)
    faults += [Fault(path.name, key, unknown_key(key, KEYS)) for key in written if key not in KEYS]
    name = written.get("name", "")
    if "name" in written and not (isinstance(name, str) and name.strip()):
        faults.append(Fault(path.name, "name", f"值为 {name!r}，应为文本（a text is expected）"))
    return ProfileFile(national, written, path.name)


def refuse(faults: Sequence[Fault]) -> None:
    """Raise InputError with every fault, where there is any."""
    if faults:
        raise InputError("\n".join(str(fault) for fault in faults))


def unknown_key(key: str, known: Sequence[str]) -> str:
    """The message on a key that nobody knows, with the nearest or all."""
    near = get_close_matches(key, known, 1, 0.6)
    hint = f"，是否指 {near[0]}" if near else f"，可写的有 {'、'.join(known)}"
    return f"没有这个键{hint}（unknown key）"


def is_texts(found: object) -> bool:
    """Whether a value is an array of texts, none of them empty."""
    return isinstance(found, list) and all(isinstance(word, str) and word.strip() for word in found)


def _document(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_once(path, SETTINGS_FILE).decode("utf-8"))
    except MissingFileError as error:
        names = "、".join(sorted(file.stem for file in _FOLDER.glob("*.toml")))
        raise InputError(
            f"{path}：省级配置打不开，没有这个文件，请给出 TOML 文件，或自带配置的名称：{names}（cannot open the profile）"
        ) from error
    except UnfitFileError as error:
        raise InputError(f"{path}：{error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}：省级配置不是 UTF-8 文本，请另存为 UTF-8（the profile is not UTF-8）") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}：省级配置不是 TOML（{error}），请改正（the profile is not TOML）") from error
