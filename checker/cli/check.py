"""`liangku check`: one prescription or sale in, the answer before it is made."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from checker.cli.options import json_option, knowledge_options, language_option, profile_option, repair_option
from checker.cli.output import print_json
from checker.cli.prescription_file import read_documents
from checker.cli.terms_options import terms_of, terms_options
from checker.cli.typed import read_age, read_day, read_id_number, read_item, read_moment, reads
from checker.ingest import values
from checker.ingest.prescription import STAGES
from checker.knowledge.resolve import read_crosswalks
from checker.model.china_time import china_now
from checker.model.errors import ExitCode, halves
from checker.model.shown import shown
from checker.precheck.counter import Precheck
from checker.precheck.documents import Checked, check_each, check_one
from checker.report.counter import answer_lines
from checker.rulebook.plan import LEVEL_RANK

_EXAMPLE = "liangku check --item XG04CBA088A001010101467 --sex 女 --birth 1990-05-01"
_ONE_OF = (("birth", "age", "id_number"), ("insured_birth", "insured_age"), ("earlier", "no_earlier"))
_FAILING = ("definite", "suspect", "notice", "undetermined", "unjudged")


_SEX, _DATE, _NUMBER = "男|女|M|F", "DATE", "N"


@click.command("check")
@click.argument("file", required=False, metavar="[FILE|-]")
@click.option(
    "--item",
    multiple=True,
    metavar="CODE_OR_NAME",
    help="国家医保编码或受限项目的名称，可多次给出（code or name; repeat）",
)
@click.option("--sex", metavar=_SEX, callback=reads(values.read_sex), help="患者性别（patient's sex）")
@click.option("--birth", metavar=_DATE, callback=reads(read_day), help="患者出生日期（patient's birth date）")
@click.option(
    "--age",
    metavar=_NUMBER,
    callback=reads(read_age),
    help="患者年龄：周岁，或 8月、15天（age in completed years, or months or days）",
)
@click.option(
    "--id-number", metavar=_NUMBER, callback=reads(read_id_number), help="患者身份证号，取其性别和出生日期（ID number）"
)
@click.option("--newborn", is_flag=True, help="为新生儿开的，登记的可能是母亲（the record may be the mother's）")
@click.option(
    "--on", metavar=_DATE, callback=reads(read_moment), help="服务日期，默认现在（service date, default now）"
)
@click.option(
    "--insured-sex",
    metavar=_SEX,
    callback=reads(values.read_sex),
    help="参保人性别，与患者不是同一人时（the insured's, where not the patient）",
)
@click.option(
    "--insured-birth",
    metavar=_DATE,
    callback=reads(read_day),
    help="参保人出生日期（the insured's birth date）",
)
@click.option(
    "--insured-age",
    metavar=_NUMBER,
    callback=reads(read_age),
    help="参保人年龄，写法同 --age（the insured's age, written as for --age）",
)
@click.option("--diagnosis", multiple=True, metavar="ICD", help="诊断编码，可多次给出（diagnosis; repeat）")
@terms_options
@knowledge_options
@profile_option
@repair_option
@click.option(
    "--stage",
    type=click.Choice(STAGES),
    default="dispense",
    show_default=True,
    help="开方、售药还是结算；处方自己写明的优先（where the prescription does not say）",
)
@click.option(
    "--fail-on",
    type=click.Choice(_FAILING),
    default="undetermined",
    show_default=True,
    help="从哪一级起退出码为 1：明确违规、可疑、提示，任何疑点和无法判断，或再加上没有判断的（from which level on the exit code is 1; "
    "unjudged: also where something was not judged）",
)
@json_option
@language_option
@click.pass_context
def command(
    ctx: click.Context, /, file: str | None, kb: tuple[Path, ...], crosswalk: tuple[Path, ...], rules: tuple[Path, ...], only_rules: bool,
    region: str | None, as_of: date | None, profile: Path | None, repair: bool, stage: str, fail_on: str, as_json: bool, lang: str, **asked: Any,
) -> int:  # fmt: skip
    """开方、售药、结算之前查一次：能不能用，为什么，怎么办。

    FILE 是 JSON 处方（对象，或对象的数组），- 表示从标准输入读；没有 FILE 时由选项组成一张处方。

    \b
    例 Examples:
      liangku check 处方.json
      liangku check --item XG04CBA088A001010101467 --sex 女 --birth 1990-05-01
      liangku check --item 爱普列特片 --sex F --age 35 --diagnosis N40.x00 --json
      liangku check --item 安宫牛黄丸 --care-type 急诊 --insurance 职工医保
    """
    given = [name for name in asked if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    _refuse_mixture(file, given)
    now = china_now()
    read_first = None if file is None else read_documents(file)
    mapped = read_crosswalks(crosswalk)
    for note in mapped.notes if mapped else ():
        click.echo(shown(halves(note)[lang == "en"]), err=True)
    precheck = Precheck.open(
        kb=kb,
        crosswalk=mapped,
        rules=rules,
        only_rules=only_rules,
        language=lang,
        region=region,
        as_of=as_of,
        repair=repair,
        profile=profile,
    )
    documents, is_list, source = read_first or (
        [_document(asked, repair=repair, is_mapped=precheck.index.is_mapped)], False, "check"
    )  # fmt: skip
    # One of several that cannot be read must not keep the others from being answered.
    answered = (
        check_each(precheck, documents, source=source, stage=stage, now=now)
        if is_list
        else [check_one(precheck, documents[0], source=source, stage=stage, now=now)]
    )
    answers = [each.answer for each in answered]
    if as_json:
        print_json(answers if is_list else answers[0])
    else:
        _print(answered, lang, is_file=file is not None)
    if any("error" in answer for answer in answers) or not any(answer["checked_lines"] for answer in answers):
        return ExitCode.BAD_INPUT
    return ExitCode.FINDINGS if any(_fails(answer, fail_on) for answer in answers) else ExitCode.CLEAR


def _fails(answer: Mapping[str, Any], fail_on: str) -> bool:
    if fail_on in ("undetermined", "unjudged"):
        return bool(answer["verdict"] != "clear" or (fail_on == "unjudged" and answer["not_judged"]))
    return answer["level"] is not None and LEVEL_RANK[answer["level"]] >= LEVEL_RANK[fail_on]


def _refuse_mixture(file: str | None, given: Sequence[str]) -> None:
    options = "、".join(_option(name) for name in given)
    if file is not None and given:
        raise click.UsageError(
            f"FILE 与 {options} 不能同时给出：处方写在文件里，或者全部用选项（give a file or options, not both）"
        )
    if file is None and "item" not in given:
        missing = f"有 {options}，缺少 --item" if given else "没有给出处方"
        raise click.UsageError(
            f"{missing}；例如（nothing to check, for example）：{_EXAMPLE}，或 liangku check 处方.json"
        )
    for ways in _ONE_OF:
        doubled = [_option(name) for name in ways if name in given]
        if len(doubled) > 1:
            raise click.UsageError(f"{' 与 '.join(doubled)} 只能给出一个（give only one of them）")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _document(asked: Mapping[str, Any], *, repair: bool, is_mapped: Callable[[str], bool]) -> dict[str, Any]:
    """The prescription that the options describe; `is_mapped` tells whether the crosswalk has a code."""
    lines = [read_item(item, "--item", repair=repair, is_mapped=is_mapped) for item in asked["item"]]
    patient = {
        "sex": asked["sex"], "birth_date": asked["birth"], "age": asked["age"], "id_number": asked["id_number"],
        "newborn": asked["newborn"] or None,
    }  # fmt: skip
    return {
        "service_time": asked["on"],
        "patient": patient,
        "insured": {
            "sex": asked["insured_sex"],
            "birth_date": asked["insured_birth"],
            "age": asked["insured_age"],
        },
        "diagnoses": list(asked["diagnosis"]),
        **terms_of(asked),
        # All are asked about on the command line, so that their places are their ids.
        "lines": [{"line_id": str(place), **line} for place, line in enumerate(lines, 1)],
    }


def _print(answered: Sequence[Checked], language: str, *, is_file: bool) -> None:
    # Only a terminal gets colours, and only one that wants them; click takes them out elsewhere.
    colour = False if os.environ.get("NO_COLOR") else None
    for number, (prescription, answer) in enumerate(answered, 1):
        if len(answered) > 1:
            gap = "" if number == 1 else "\n"
            total = len(answered)
            told = f"prescription {number} of {total}" if language == "en" else f"第 {number} 张处方，共 {total} 张"
            click.echo(f"{gap}== {told} ==", color=colour)
        if prescription is None:
            click.echo(shown(f"错误（error）：{answer['error']['message']}"), color=colour)
            continue
        for line in answer_lines(prescription, answer, language, is_file=is_file):
            click.echo(line, color=colour)
