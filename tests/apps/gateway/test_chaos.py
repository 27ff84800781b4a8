"""Everything at once, and afterwards nothing is left over."""

from __future__ import annotations

import random
import signal
import threading
from typing import TYPE_CHECKING

import psutil

from parkade.apps import link
from tests.apps.gateway.stand import echo, head, invocation, read_answers, stand, wait_for

if TYPE_CHECKING:
    from tests.apps.gateway.stand import Stand

ROUNDS = 40


def misbehave(house: Stand, seed: int, wrong: list[object], turns: list[int]) -> None:
    """Be one caller after the other: good, impatient, pipelining, lying, hanging up."""
    chance = random.Random(seed)  # noqa: S311  repeatable is what it must be
    for number in range(ROUNDS):
        turns[seed] = number
        body = b"%d-%d" % (seed, number)
        with house.connect() as caller:
            match chance.randrange(6):
                case 0:
                    caller.sendall(invocation(body)[: chance.randrange(200)])
                case 1:
                    caller.sendall(invocation(b"30"))
                case 2:
                    caller.sendall(invocation(body, endpoint="nowhere") + b"\0garbage")
                case 3:
                    caller.sendall(head("PUT", "/v1/x", "Content-Length: 100000") + bytes(5000))
                case 4:
                    caller.sendall(invocation(body) + head("GET", "/v1/x") + invocation(body))
                    answers = read_answers(caller, 3)
                    if [each.body for each in answers] != [body, b"", body]:
                        wrong.append(answers)
                case _:
                    for _ in range(chance.randrange(5)):
                        caller.sendall(invocation(body))
                        answers = read_answers(caller, 1)
                        if answers[0].body != body:
                            wrong.append(answers)
    turns[seed] = ROUNDS


def through(hit: int, turn: int) -> bool:
    return turn > hit or turn == ROUNDS


def test_after_a_storm_nothing_is_left_over() -> None:
    with stand() as house:
        workers = {name: house.worker_process(name) for name in ("a", "b", "c")}
        house.play_control(echo)
        house.push(endpoints={"e": house.view("a", "b", "c")})
        assert house.process is not None
        gateway = psutil.Process(house.process.pid)
        before = gateway.num_fds()
        wrong: list[object] = []
        turns = [0] * 10
        callers = [
            threading.Thread(target=misbehave, args=(house, seed, wrong, turns))
            for seed in range(len(turns))
        ]
        for caller in callers:
            caller.start()
        for turn in range(6):
            name = "abc"[turn % 3]
            left = [each for each in "abc" if each != name]
            workers[name].send_signal(signal.SIGKILL)
            workers[name].wait()
            # A request is given to a second worker, not to a third: whoever was hit by this one is
            # to be through before the next.
            hit = list(turns)
            house.push(endpoints={"e": house.view(*left)})
            workers[name] = house.worker_process(name)
            variants = (house.variant("main", *left), house.variant(f"new{turn}", name))
            house.push(endpoints={"e": link.EndpointView(variants=variants)})
            wait_for(lambda hit=hit: all(map(through, hit, turns)), "callers to be through")
        for caller in callers:
            caller.join()
        assert not wrong
        house.push(endpoints={})
        wait_for(lambda: not any(used["in_flight"] for used in house.usage.values()))
        wait_for(lambda: gateway.num_fds() <= before, "all connections to be closed")
