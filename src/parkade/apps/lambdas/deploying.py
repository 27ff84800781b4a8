"""What the deployer's steps are built on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.adapters.aws.nudging import Nudge
from parkade.apps.lambdas.deployer import Steps
from parkade.apps.lambdas.meterwork import Ground, Work
from parkade.apps.parts import deploying as deployments
from parkade.apps.parts import waking as slumber
from parkade.services.deploying.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from parkade.apps.settings import FunctionSettings


class _ByTheMachine:
    """Has nothing carried out: the state machine that calls does it, step by step."""

    def require_able(self) -> None:
        """Do nothing: who calls is able."""

    def carry_out(self, record_id: str) -> None:
        """Do nothing."""

    def nudge(self) -> None:
        """Do nothing."""


def steps(settings: FunctionSettings) -> Steps:
    """Return what answers the states."""
    sweep = settings.sweep
    # What a deployment buys is started by the sweep, which need not wait for its minute.
    ground = Ground.of(settings)
    changed = Nudge(ground.account, sweep) if sweep else _nothing
    work = Work(ground, changed=changed)
    waking = slumber.build(
        slumber.Ports(
            stores=work.stores,
            book=work.stores.book,
            hosting=work.hosting,
            terms=work.upkeep.terms,
            usage=work.usage,
            clock=work.clock,
            refusal=work.upkeep.affording.refusal,
            hourly=lambda name, config: work.money.prices.hourly(
                work.money.machines.wanted(name, config)
            ),
            changed=changed,
        )
    )
    deploying = deployments.build(
        deployments.Ports(
            stores=work.stores,
            provisioner=work.maker.provisioner,
            history=work.history,
            notices=work.notices,
            clock=work.clock,
            meter=work.meter,
            terms=work.upkeep.terms,
            waking=waking.asks,
            scaling=work.maker.scaling,
            money=work.money,
            file=lambda: work.file,
            spawn=_spawn,
            changed=changed,
            carrier=_ByTheMachine(),
        )
    )
    return Steps(deploying.deployer, Walk(deploying.desk), work.clock)


def _nothing() -> None:
    """Tell nobody: the next minute's sweep comes by itself."""


def _spawn(task: Coroutine[object, object, object]) -> None:
    """Begin nothing: a function has no background."""
    task.close()
