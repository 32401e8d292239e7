"""Where the service keeps what it has to remember, unless somebody says where."""

from __future__ import annotations

from pathlib import Path

IN_PLACE = Path("liangku-data")
"""A folder of this name is used where it is there already, in the folder from which the program is called; it is made nowhere."""
SAID = "当前文件夹里已有的 liangku-data，否则是本用户的数据文件夹（liangku-data here where it exists, else the user's data folder）"
"""The default, as help tells it."""


def default_data() -> Path:
    """The folder of the data: `liangku-data` here where it exists, else this user's own, where the system keeps such things."""
    if IN_PLACE.is_dir():
        return IN_PLACE
    from platformdirs import user_data_path

    return user_data_path("liangku", appauthor=False)
