"""Reckoned once for the same record: frames are kept from merge to merge, and every drawing asks them the
same questions."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Concatenate, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
# Answers of one function, and of how many records: the one that is shown, and the one before it.
_MOST, _RECORDS = 64, 2


def once(reckon: Callable[Concatenate[R, P], T]) -> Callable[Concatenate[R, P], T]:
    """`reckon(record, …)` as long as it is that very record; further arguments have to be hashable. What it
    gives is shared: nobody may change it."""
    known: OrderedDict[tuple[int, object, object], tuple[object, T]] = OrderedDict()
    records: OrderedDict[int, object] = OrderedDict()
    guard = Lock()

    def ask(record: R, *args: P.args, **named: P.kwargs) -> T:
        key = (id(record), args, tuple(named.items()))
        with guard:
            held = known.get(key)
        # Held with the record itself: as long as it lives no other can have its id.
        if held is None or held[0] is not record:
            held = (record, reckon(record, *args, **named))
            with guard:
                known[key] = held
                records[id(record)] = record
                records.move_to_end(id(record))
                while len(records) > _RECORDS:
                    gone, _old = records.popitem(last=False)
                    for old in [one for one in known if one[0] == gone]:
                        del known[old]
                while len(known) > _MOST:
                    known.popitem(last=False)
        return held[1]

    return cast(Callable[Concatenate[R, P], T], wraps(reckon)(ask))
