"""The same judgment as pandas users would write it: read the columns, keep the limited codes, merge, judge by columns.

`python -m benchmarks.with_pandas FILES... --out FILE`. Patterns are resolved over the distinct codes of a file, so that
the merge is by equality.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.knowledge import LEVELS, load
from benchmarks.shared import KNOWLEDGE, LINE, PERSON, RENAMED


def _limited(codes: pd.Series, points: pd.DataFrame) -> pd.DataFrame:
    """Return each distinct code with the points that cover it."""
    parts = []
    for length, some in points.groupby(points["pattern"].str.len()):
        key = codes.str[:length]
        fitting = codes[key.isin(set(some["pattern"]))]
        parts.append(
            pd.DataFrame({"med_list_codg": fitting, "pattern": fitting.str[:length]}).merge(some, on="pattern")
        )
    found = pd.concat(parts, ignore_index=True)
    return found[(found["matched_by"] == "family") | (found["med_list_codg"] == found["pattern"])]


def _judge(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the findings among lines that already carry a point and a person."""
    day = lines["fee_ocur_time"].astype("datetime64[s]").dt.normalize()
    birth = pd.to_datetime(lines["brdy"]).astype("datetime64[s]")
    days = (day - birth).dt.days
    months = 12 * (day.dt.year - birth.dt.year) + day.dt.month - birth.dt.month - (day.dt.day < birth.dt.day)
    known = (days >= 0) & (months < 131 * 12)
    mothers = (lines["nwb_flag"] == "1") & ~days.between(0, 28)
    sex = lines["gend"].map({"1": "male", "2": "female"})
    outside = (
        (months < lines["min_months"]) | (days < lines["min_days"])
        | (months >= lines["max_months"]) | (days >= lines["max_days"])
    )  # fmt: skip
    of_sex, of_age = ~lines["has_age"], lines["has_age"]
    # In a pharmacy the settlement tells who paid, not who takes it.
    nobody = ~mothers & lines["by_holder"] & (lines["subject"] == "就诊人")
    has_minimum = (lines["min_months"] > 0) | (lines["min_days"] > 0)
    violated = (of_sex & ~mothers & ~nobody & sex.notna() & (sex != lines["sex"])) | (
        of_age & ~mothers & ~nobody & known & outside
    )
    unknown = nobody | (of_sex & (mothers | sex.isna())) | (of_age & ((mothers & has_minimum) | (~mothers & ~known)))
    weight = lines["weight"] - (of_age & lines["lenient"] & months.between(168, 215)).astype(int)
    lowest = pd.concat([weight, lines["cap"]], axis=1).min(axis=1)
    lines = lines.assign(
        verdict="violation", level=lowest.map(dict(enumerate(LEVELS))), birth=birth, mothers=mothers, nobody=nobody
    )
    lines.loc[unknown, "verdict"] = "undetermined"
    lines.loc[lines["exempt"], "verdict"] = "exempt"
    lines.loc[unknown | lines["exempt"], "level"] = None
    lines = lines[violated | unknown]
    reason = pd.Series("birth_impossible", index=lines.index)
    reason[lines["birth"].isna()] = "birth_missing"
    reason[~lines["has_age"]] = "sex_missing"
    reason[lines["nobody"]] = "patient_unknown"
    reason[lines["mothers"]] = "newborn"
    reason[lines["no_header"]] = "header_missing"
    reason[violated[lines.index]] = None
    action = lines["level"].map({"definite": "recover", "suspect": "review"}).fillna("note")
    lines = lines.assign(reason_code=reason, action=action, scope="line")
    order = ["matched_by", "length", "valid_from", "point_id"]
    lines = lines.assign(length=lines["pattern"].str.len()).sort_values(order, ascending=[True, False, False, True])
    lines = lines.drop_duplicates(["number", "rule_id"]).rename(columns=RENAMED)
    kept = [
        *RENAMED.values(), "rule_id", "rule_code", "point_id", "matched_by",
        "verdict", "level", "action", "reason_code", "scope",
    ]  # fmt: skip
    return lines[kept]


def run(files: list[str], out: str, settlements: str | None = None, knowledge: Path = KNOWLEDGE) -> int:
    """Judge the lines of `files` and write the findings; return how many there are."""
    points = pd.DataFrame([{name: getattr(p, name) for name in p.__slots__} for p in load(knowledge)])
    limited, parts = [], []
    for file in files:
        lines = pd.read_parquet(
            file, columns=[*LINE, "med_type"] if settlements else LINE + PERSON, dtype_backend="pyarrow"
        )
        hot = _limited(lines["med_list_codg"].drop_duplicates().astype("str"), points)
        limited.append(hot)
        lines = lines[lines["med_list_codg"].isin(set(hot["med_list_codg"]))]
        parts.append(lines[(lines["vali_flag"] == "1") & (lines["cnt"] >= 0) & (lines["det_item_fee_sumamt"] >= 0)])
    hot = pd.concat(limited, ignore_index=True).drop_duplicates()
    lines = pd.concat(parts, ignore_index=True)
    texts = [name for name in LINE + PERSON if name in lines and pd.api.types.is_string_dtype(lines[name].dtype)]
    lines = lines.astype({**dict.fromkeys(texts, "str"), "fee_ocur_time": "datetime64[us]"})
    lines = lines.drop(columns="vali_flag").reset_index(names="number")
    if settlements:
        headers = pd.read_parquet(settlements, columns=["setl_id", "vali_flag", *PERSON])
        headers = headers[headers["vali_flag"] == "1"].drop(columns="vali_flag")
        lines = lines.merge(headers, on="setl_id", how="left", indicator=True)
        lines = lines.assign(
            no_header=lines.pop("_merge") == "left_only",
            by_holder=lines.pop("med_type").astype("str").str.startswith("41"),
        )
    else:
        lines = lines.assign(no_header=False, by_holder=False)
    lines = lines[lines["refd_setl_flag"] != "1"].merge(hot, on="med_list_codg")
    day = lines["fee_ocur_time"].dt.date
    lines = lines[(day >= lines["valid_from"]) & (day < lines["valid_to"])]
    found = _judge(lines)
    found.to_parquet(out, index=False)
    return len(found)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--out", required=True)
    parser.add_argument("--settlements")
    parser.add_argument("--kb", type=Path, default=KNOWLEDGE)
    args = parser.parse_args()
    print(run(args.files, args.out, args.settlements, args.kb))


if __name__ == "__main__":
    main()
