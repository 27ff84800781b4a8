"""When one more model fits, on a process whose size is told by the test."""

from pathlib import Path

from parkade.runtime.container.budget import WORTH_COLLECTING, Budget

MIB = 1024 * 1024
A, B, C = (Path(name) for name in "abc")


class Process:
    """A process of a size; `limit` is in MiB, as all numbers here."""

    def __init__(self, *, size, limit):
        self.size = size
        self.budget = Budget(limit * MIB if limit else None, lambda: int(self.size * MIB))

    def load(self, folder, grows, sizes=(), *, alone=True):
        """Load a model if there is room; return its size in MiB, or why there is none."""
        mark = self.budget.mark(folder, [size * MIB for size in sizes])
        if self.budget.refuses(mark):
            return "refused"
        self.size += grows
        size = self.budget.charge(mark, folder, alone=alone)
        if self.budget.exceeded(mark):
            self.size -= grows
            self.budget.undo()
            return "exceeded"
        return size / MIB

    def unload(self, size, falls, *, alone=True):
        before = int(self.size * MIB)
        self.size -= falls
        self.budget.free(size * MIB, before, alone=alone)


def test_without_a_limit_everything_fits():
    process = Process(size=100, limit=None)
    assert process.load(A, 1_000_000) == 1_000_000


def test_at_the_limit_nothing_is_tried():
    process = Process(size=100, limit=100)
    assert process.load(A, 0) == "refused"


def test_what_grows_over_the_limit_is_exceeded_and_not_tried_again_before_there_is_room():
    process = Process(size=80, limit=100)
    assert process.load(A, 30) == "exceeded"
    assert process.load(A, 30) == "refused"
    process.size = 60
    assert process.load(A, 30) == 30


def test_an_unknown_model_is_taken_for_one_like_the_others():
    process = Process(size=95, limit=100)
    assert process.load(A, 4, [10, 10, 90]) == "refused"
    assert process.load(A, 4, [3, 3, 90]) == 4


def test_a_single_other_model_is_no_measure():
    assert Process(size=95, limit=100).load(A, 4, [60]) == 4


def test_what_a_model_left_is_used_by_the_next():
    """The process does not shrink, and still there is room for one."""
    process = Process(size=90, limit=100)
    assert process.load(A, 9) == 9
    process.unload(9, falls=0)
    assert process.load(B, 0, [9, 9]) == 9
    assert process.load(C, 0, [9, 9]) == "refused"


def test_what_cannot_be_used_again_is_counted_once_only():
    process = Process(size=90, limit=100)
    process.load(A, 9)
    process.unload(9, falls=0)
    assert process.load(B, 9, [9, 9]) == "exceeded"
    assert process.load(C, 9, [9, 9]) == "refused"


def test_libraries_are_not_counted_as_left_by_the_model_that_brought_them():
    process = Process(size=50, limit=100)
    assert process.load(A, 49, alone=False) == 49
    process.unload(49, falls=1, alone=False)
    assert process.load(B, 0.5, [9, 9]) == "refused"
    # Nor does it need as much when it comes again.
    assert process.load(A, 0.5) == 0.5


def test_what_falls_during_a_load_is_not_missed_in_its_size():
    process = Process(size=50, limit=100)
    mark = process.budget.mark(A, [])
    process.size += 20
    process.unload(15, falls=15)
    assert process.budget.charge(mark, A, alone=True) == 20 * MIB


def test_garbage_is_looked_for_when_enough_has_not_come_back():
    process = Process(size=50, limit=100)
    process.unload(1, falls=0)
    assert not process.budget.is_worth_collecting()
    process.unload(2, falls=0)
    assert process.budget.is_worth_collecting()
    process.budget.collected(int(process.size * MIB))
    assert not process.budget.is_worth_collecting()
    assert Budget(None).is_worth_collecting() is False
    assert WORTH_COLLECTING < 100 * MIB // 64
