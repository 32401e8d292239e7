"""The orders of an encounter as items, grouped by their time; history, refunds, self-paid and repeated lines told apart."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from checker.ingest import values
from checker.ingest.prescription import Item, is_negative
from checker.ingest.scope import is_nothing, is_whole
from checker.model.errors import InputError
from checker.model.schema import Kind
from checker.service.national import members
from checker.service.national.nodes import Holder
from checker.service.national.notes import Notes
from checker.service.national.profile import Profile
from checker.service.national.unread import Unread

Seen = dict[Item, Holder | set[object]]
"""The orders that came before: an item, and its order, or the contents of all orders that have it."""
LINES_MAX = 2_000
_BEHAVIOURS = {"0": False, "1": True}
"""What an order is for (drord_bhvr): others, and a drug to take home."""
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+", re.ASCII)


@dataclass(slots=True)
class Count:
    """What was not judged, and why; `lines` are those of the encounters in question that are not history."""

    lines: int = 0
    context: int = 0
    refunds: int = 0
    self_paid: int = 0
    repeated: int = 0
    unread: list[Unread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Moment:
    """A service time and where it came from: the order, the visit (`is_fallback`), or only the message or the clock."""

    time: datetime
    is_fallback: bool
    is_kept: bool
    """False where the same request, sent again, would have another time."""


@dataclass(slots=True)
class Group:
    """The items of one time, and those of other times or of the history that stand in the same prescriptions."""

    moment: Moment
    items: list[Item] = field(default_factory=list)
    beside: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders of an encounter: one group for each time; of which history they tell, None where of none; and all of them with their times,
    where these are of several times."""

    groups: list[Group]
    history: tuple[Item, ...] | None
    of_visit: tuple[Item, ...]


_NEVER = Moment(datetime.min, is_fallback=True, is_kept=False)
"""The time of what has none."""


class TooManyLines(InputError):
    """More orders than one message may have: none of them is judged."""


def read_orders(
    orders: Sequence[Holder],
    otherwise: Moment,
    profile: Profile,
    notes: Notes,
    count: Count,
    seen: Seen,
    about: Unread,
) -> Orders:
    """The items of orders, one group for each time, in the order of the message. `otherwise` is the time of an order without one, `about` says
    whose order it is that cannot be read.

    Raises TooManyLines.
    """
    return _Orders(otherwise, profile, notes, count, seen, about).read(orders)


def read_history(orders: Sequence[Holder], otherwise: Moment | None, profile: Profile, notes: Notes) -> list[Item]:
    """The items of orders of an encounter that is past, each with its time; what says none, or cannot be read, is noted and left out.

    They belong to no prescription of the encounter asked about, whatever numbers they have.
    """
    nobody = Unread(None, None, None, "", is_order=True)
    reader = _Orders(otherwise or _NEVER, profile, notes, Count(), {}, nobody)
    return [item._replace(prescription_id=None) for order in orders if (item := reader.past(order)) is not None]


class _Orders:
    def __init__(
        self, otherwise: Moment, profile: Profile, notes: Notes, count: Count, seen: Seen, about: Unread
    ) -> None:
        self._otherwise, self._notes, self._count, self._seen, self._about = otherwise, notes, count, seen, about
        self._names = profile.fields
        self._moments: dict[str, Moment] = {}
        self._groups: dict[Moment, Group] = {}
        self._prescribed: dict[str, list[tuple[Moment | None, Item]]] = {}
        self._history: list[Item] = []
        self._has_history = False

    def read(self, orders: Sequence[Holder]) -> Orders:
        groups, prescribed = self._groups, self._prescribed
        for order in orders:
            try:
                self._take(order)
            except TooManyLines:
                raise
            except InputError as error:
                self._take_unread(order, error)
        for moment, group in groups.items():
            numbers = dict.fromkeys(item.prescription_id for item in group.items if item.prescription_id is not None)
            beside = (entry for number in numbers for entry in prescribed[number])
            group.beside = tuple(item for other, item in beside if other != moment)
        of_visit: list[Item] = []
        if len(groups) > 1:
            of_visit = [item._replace(service_time=each.moment.time) for each in groups.values() for item in each.items]
        history = tuple(self._history) if self._has_history else None
        return Orders(list(groups.values()), history, tuple(of_visit))

    def past(self, order: Holder) -> Item | None:
        """An order of the history with its time; None, noted, where it has none or cannot be read."""
        try:
            members.refuse_twofold(order.value, order.path, frozenset())
            item, moment = self._item(order, is_history=True), self._moment(order)
        except InputError as error:
            self._notes.add(f"{error}，没有算作历史医嘱（not counted as history）")
            return None
        if moment.is_kept:
            return item._replace(service_time=moment.time)
        self._notes.add(f"{order.path} 没有可用的时间，没有算作历史医嘱（no usable time: not counted as history）")
        return None

    def _take(self, order: Holder) -> None:
        """Take an order among the items. Raises InputError naming the path of what is needed and cannot be read."""
        count, names, notes = self._count, self._names, self._notes
        members.refuse_twofold(order.value, order.path, frozenset())
        if members.read_flag(order.value, names["curr_drord_flag"], order.path, notes) is False:
            self._has_history = True
            item, moment = self._item(order, is_history=True), self._moment(order)
            count.context += 1
            if moment.is_kept:
                item = item._replace(service_time=moment.time)
                # What stands in a prescription with others is told there.
                self._history.append(item._replace(prescription_id=None))
            self._prescribe(None, item)
            return
        count.lines += 1
        if count.lines > LINES_MAX:
            raise TooManyLines(
                f"本次医嘱超过 {LINES_MAX} 行，请分次发送（more than {LINES_MAX} lines: send them in parts）"
            )
        is_self_paid = self._is_self_paid(order)
        item, moment = self._item(order, is_self_paid=is_self_paid), self._moment(order)
        if self._is_repeated(item, order):
            count.repeated += 1
            notes.add("内容完全相同的医嘱只审核一次（identical orders are judged once）")
            return
        if not item.judged:
            if is_self_paid:
                count.self_paid += 1
            else:
                count.refunds += 1
        self._put(moment, item)

    def _take_unread(self, order: Holder, error: InputError) -> None:
        """An order that cannot be read is not judged, but stands beside the others so far as it says what it is."""
        rx_id = None
        try:
            rx_id = members.read_text(order.value, self._names["rx_id"], order.path)
            item, moment = self._item(order, is_history=True), self._moment(order)
            if self._is_repeated(item, order):
                return
            self._put(moment, item)
        except InputError:
            pass
        self._count.unread.append(self._about._replace(rx_id=rx_id, message=str(error)))

    def _put(self, moment: Moment, item: Item) -> None:
        group = self._groups.get(moment)
        if group is None:
            group = self._groups[moment] = Group(moment)
        group.items.append(item)
        self._prescribe(moment, item)

    def _prescribe(self, moment: Moment | None, item: Item) -> None:
        if item.prescription_id is not None:
            self._prescribed.setdefault(item.prescription_id, []).append((moment, item))

    def _is_self_paid(self, order: Holder) -> bool:
        """Whether the fund pays nothing of an order: its flag says so or, where it has no flag that can be read, what is paid privately is all
        of a sum that is not 0 and nothing is told to be in scope."""
        flag = members.read_flag(order.value, self._names["self_paying_flag"], order.path, self._notes, Kind.SELF_PAID)
        if flag is not None:
            return flag
        own, total, in_scope = (
            self._number(order, name, needed=False) for name in ("ownpay_amt", "sumamt", "inscp_scp_amt")
        )
        # What is in scope contradicts that: then nobody knows, and it is judged.
        return is_whole(total, own) and not is_nothing(total) and (in_scope is None or is_nothing(in_scope))

    def _item(self, order: Holder, *, is_self_paid: bool = False, is_history: bool = False) -> Item:
        names, holder, path = self._names, order.value, order.path
        code = members.read_text(holder, names["hilist_code"], path)
        quantity = self._number(order, "cnt", needed=not is_history)
        # Where there is no quantity either, nothing says whether it is taken back.
        amount = self._number(order, "sumamt", needed=quantity is None and not is_history)
        is_refund = is_negative(quantity) or is_negative(amount)
        return Item(
            members.read_text(holder, names["rx_id"], path),
            None if code is None else values.read_code(code),
            members.read_text(holder, names["hilist_name"], path),
            quantity,
            amount,
            self._number(order, "inscp_scp_amt", needed=False),
            judged=not (is_refund or is_self_paid or is_history),
            is_refund=is_refund and not is_history,
            prescription_id=members.read_text(holder, names["rxno"], path),
            prescriber=members.read_text(holder, names["drord_dr_name"], path),
            is_discharge_drug=self._is_discharge_drug(order),
            is_maternity_fee=members.read_flag(holder, names["matn_fee_flag"], path, self._notes),
            prescriber_institution_level=members.read_noted(
                holder, names["prescriber_institution_level"], path, self._notes
            ),
            days_supply=self._decimal(order, "prd_days"),
            unit_price=self._decimal(order, "pric"),
            is_self_paid=is_self_paid,
        )

    def _is_discharge_drug(self, order: Holder) -> bool | None:
        """Whether it is taken home, by its flag or what the order is for; None where neither tells."""
        flag = members.read_flag(order.value, self._names["dscg_tkdrug_flag"], order.path, self._notes)
        if flag is not None:
            return flag
        return _BEHAVIOURS.get(
            members.read_noted(order.value, self._names["drord_bhvr"], order.path, self._notes) or ""
        )

    def _number(self, order: Holder, name: str, *, needed: bool) -> str | None:
        """A number; where it is text but no number, an error if `needed`, else NULL and a note."""
        names = self._names[name]
        text = members.read_text(order.value, names, order.path)
        if text is None:
            return None
        try:
            return values.read_number(text)
        except ValueError as error:
            if needed:
                raise members.cannot_read(
                    order.value, names, order.path, what=f"{error}，例如 12 或 12.5", english="not a number"
                ) from None
            self._notes.add(f"{order.path}.{name} 不是数字，按未提供处理（not a number: taken as not given）")
            return None

    def _decimal(self, order: Holder, name: str) -> Decimal | None:
        """A number to reckon with; NULL and a note where it is none."""
        text = self._number(order, name, needed=False)
        return None if text is None else Decimal(text)

    def _is_repeated(self, item: Item, order: Holder) -> bool:
        """True where an order with all members equal came before. Only orders whose items are equal are looked at so closely."""
        seen = self._seen
        before = seen.get(item)
        if before is None:
            seen[item] = order
            return False
        if isinstance(before, Holder):
            before = seen[item] = {_content(before)}
        content = _content(order)
        if content in before:
            return True
        before.add(content)
        return False

    def _moment(self, order: Holder) -> Moment:
        names = self._names["drord_begn_date"]
        text = members.read_text(order.value, names, order.path)
        if text is None:
            return self._otherwise
        moment = self._moments.get(text)
        if moment is None:
            try:
                time = members.read_service_time(text)
            except ValueError:
                time = None
            if time is None:
                self._notes.add(
                    f"{order.path}.drord_begn_date 不是可用的时间，改用下一来源（no usable time: the next source is taken）"
                )
            moment = self._otherwise if time is None else Moment(time, is_fallback=False, is_kept=True)
            self._moments[text] = moment
        return moment


def _content(order: Holder) -> object:
    """What an order says: copies that differ in how they write a number, a blank or an empty member say the same."""
    told = {name: _said(value) for name, value in order.value.items()}
    said = {name: value for name, value in told.items() if value not in (None, "")}
    try:
        return frozenset(said.items())
    except TypeError:
        pass  # a member is itself an array or object
    try:
        return json.dumps(said, sort_keys=True)
    except RecursionError:
        raise InputError(f"{order.path} 的嵌套过深（nested too deeply）") from None


def _said(value: object) -> object:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value).strip()
        return text.rstrip("0").rstrip(".") if _DECIMAL.fullmatch(text) else text
    return value
