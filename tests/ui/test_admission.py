import threading
import time

import pytest

from ui.runtime.admission import Admission, FullError, Gate


def nothing(place, seconds):
    """Wait without a word."""


def in_threads(*works):
    """Run functions at once; returns when all are done."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def wait_until(true):
    """Wait, for a few seconds at most, until something holds."""
    for _ in range(1_000):
        if true():
            return
        time.sleep(0.005)
    raise AssertionError("it never came to hold")


def test_only_a_few_compute_at_once():
    admission, inside, most = Admission(short=(2, 30)), [], []

    def work():
        with admission.run(nothing):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    in_threads(*[work] * 12)
    assert max(most) == 2
    assert (admission.short.held, admission.short.waiting) == (0, 0)
    assert admission.short.served == 12


def test_first_come_first_served():
    gate, order, threads = Gate(1, 30), [], []
    gate.take(nothing)

    def work(number):
        gate.take(nothing)
        order.append(number)
        gate.give()

    for number in range(8):
        threads.append(threading.Thread(target=work, args=(number,)))
        threads[-1].start()
        wait_until(lambda number=number: gate.waiting == number + 1)
    gate.give()
    for thread in threads:
        thread.join(5)
    assert order == list(range(8))
    assert gate.held == 0


def test_beyond_the_bound_one_is_told_when_to_come_back():
    gate = Gate(1, 1)
    gate.take(nothing)
    waiting = threading.Thread(target=lambda: (gate.take(nothing), gate.give()))
    waiting.start()
    wait_until(lambda: gate.waiting == 1)
    with pytest.raises(FullError) as full:
        gate.take(nothing)
    assert full.value.seconds > 0
    assert gate.refused == 1
    gate.give()
    waiting.join(5)
    assert gate.held == 0


def test_who_waits_is_told_the_place_and_a_time():
    gate, told = Gate(1, 5), []
    gate.take(nothing)
    waiting = threading.Thread(target=lambda: gate.take(lambda *note: told.append(note)))
    waiting.start()
    wait_until(lambda: told)
    gate.give()
    waiting.join(5)
    assert told[0] == (1, gate.wait(1))


def test_who_leaves_the_queue_costs_nobody_a_place():
    gate = Gate(1, 5)
    gate.take(nothing)

    def leave(place, seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gate.take(leave)
    assert (gate.held, gate.waiting) == (1, 0)
    gate.give()
    gate.take(nothing)
    assert gate.held == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_who_leaves_a_run_gives_the_place_back(error):
    admission = Admission(short=(1, 1))
    for _ in range(3):
        with pytest.raises(error), admission.run(nothing):
            raise error
    assert admission.short.held == 0


def test_a_run_within_a_run_needs_no_second_place():
    admission = Admission(short=(1, 0))
    with admission.run(nothing), admission.run(nothing):
        assert admission.short.held == 1
    assert admission.short.held == 0


def test_a_short_run_never_waits_for_a_long_one():
    admission, done = Admission(short=(1, 5), long=(1, 5)), threading.Event()

    def long():
        with admission.run(nothing), admission.long_job(nothing):
            assert done.wait(5)

    def short():
        wait_until(lambda: admission.long.held == 1)
        with admission.run(nothing):
            done.set()

    in_threads(long, short)
    assert done.is_set()
    assert (admission.short.held, admission.long.held) == (0, 0)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_after_a_long_job_a_page_goes_on_in_its_turn(error):
    admission, held = Admission(short=(1, 5)), []

    def page():
        with admission.run(nothing):
            try:
                with admission.long_job(nothing):
                    held.append((admission.short.held, admission.long.held))
                    if error is not None:
                        raise error
            except ValueError:
                pass
            held.append((admission.short.held, admission.long.held))

    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            page()
        assert held == [(0, 1)]
    else:
        page()
        assert held == [(0, 1), (1, 0)]
    assert (admission.short.held, admission.long.held) == (0, 0)


def test_a_run_that_takes_long_moves_on_if_others_wait(monkeypatch):
    monkeypatch.setattr("ui.runtime.admission.LONG_AFTER", 0.05)
    admission, done = Admission(short=(1, 5), long=(1, 5)), threading.Event()

    def late():
        with admission.run(nothing):
            while not done.wait(0.02):
                admission.lengthen(nothing)

    def short():
        wait_until(lambda: admission.short.held == 1)
        with admission.run(nothing):
            assert admission.long.held == 1
            done.set()

    in_threads(late, short)
    assert done.is_set()
    assert (admission.short.held, admission.long.held) == (0, 0)


def test_nothing_is_held_during_a_download():
    admission = Admission(short=(1, 5))
    with admission.run(nothing):
        with admission.outside():
            assert admission.short.held == 0
        assert admission.short.held == 1


def test_a_job_of_many_parts_lets_others_go_between_them():
    admission, order = Admission(long=(1, 5)), []

    def hours():
        with admission.run(nothing), admission.long_job(nothing):
            wait_until(lambda: admission.long.waiting == 1)
            for part in range(3):
                admission.give_way(nothing)
                order.append(part)

    def minutes():
        wait_until(lambda: admission.long.held == 1)
        with admission.run(nothing), admission.long_job(nothing):
            order.append("minutes")

    in_threads(hours, minutes)
    assert order == ["minutes", 0, 1, 2]
    assert (admission.short.held, admission.long.held) == (0, 0)
