"""The forms of variants side by side."""

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from parkade.apps.api.schemas.form import View
from parkade.domain.ab.verdicts import Finding
from parkade.domain.intervals import CONFIDENCE

if TYPE_CHECKING:
    from parkade.domain.ab.quantiles import Quantile
    from parkade.domain.intervals import Interval
    from parkade.services.experiments import Compared, Experiment, Part, Shadowed


class ShareView(View):
    """A share, 0 to 1, with the interval that it lies in."""

    value: float | None = Field(description="null: there is nothing to take it of.")
    low: float
    high: float

    @classmethod
    def of(cls, value: float | None, interval: "Interval") -> "ShareView":
        """Write a share."""
        return cls(value=value, low=interval.low, high=interval.high)


class QuantileView(View):
    """A latency that a share of the requests does not pass, with the interval that it lies in."""

    name: str = Field(examples=["p99"])
    seconds: float | None = Field(description="null: nothing was measured.")
    low: float | None = Field(description="seconds. null: too few requests to say it.")
    high: float | None = Field(description="seconds. null: too few requests to say it.")

    @classmethod
    def of(cls, quantile: "Quantile") -> "QuantileView":
        """Write a quantile of microseconds."""
        return cls(
            name=quantile.name,
            seconds=_seconds(quantile.value),
            low=_seconds(quantile.low),
            high=_seconds(quantile.high),
        )


class VariantResultView(View):
    """How one variant, or inference component, did."""

    name: str
    shadow: bool = Field(description="It gets copies; nobody sees its answers.")
    component: bool = Field(description="It is an inference component, which callers name.")
    weight: float | None = Field(
        description="As it is now; null: the endpoint has it no more, or it is a component."
    )
    share_wanted: float | None = Field(
        description="Of the requests, by the weights as they are now; of a shadow, of those that "
        "are copied."
    )
    share: float | None = Field(description="Of the requests, as it was.")
    requests: int
    errors: int = Field(description="Requests without a good answer of the model.")
    errors_4xx: int
    errors_5xx: int
    error_rate: ShareView
    latency: list[QuantileView] = Field(description="Of the time in the model's container.")

    @classmethod
    def of(cls, part: "Part") -> "VariantResultView":
        """Write how a variant did."""
        return cls(
            name=part.name,
            shadow=part.shadow,
            component=part.component,
            weight=part.weight,
            share_wanted=part.share_wanted,
            share=part.share,
            requests=part.count.requests,
            errors=part.count.errors,
            errors_4xx=part.errors_4xx,
            errors_5xx=part.errors_5xx,
            error_rate=ShareView.of(part.count.rate, part.count.interval()),
            latency=[QuantileView.of(each) for each in part.latencies],
        )


class ComparedView(View):
    """One variant beside the baseline, the variant with the greatest weight."""

    variant: str
    baseline: str
    difference: ShareView = Field(description="Its error rate less the baseline's, -1 to 1.")
    finding: str = Field(
        description="fewer_errors, more_errors, no_difference (none that matters), not_enough or "
        "no_requests.",
        examples=["not_enough"],
    )
    requests_needed: int | None = Field(
        description="not_enough: about how many further requests, to both, would end it."
    )
    verdict: str = Field(examples=["not enough requests yet: about 4,200 more"])

    @classmethod
    def of(cls, compared: "Compared", rates: dict[str, float | None]) -> "ComparedView":
        """Write what is to be said of a variant beside the baseline."""
        verdict = compared.verdict
        one, other = rates[compared.name], rates[compared.baseline]
        return cls(
            variant=compared.name,
            baseline=compared.baseline,
            difference=ShareView.of(
                None if one is None or other is None else one - other, verdict.difference
            ),
            finding=verdict.finding,
            requests_needed=verdict.needed,
            verdict=_words(compared),
        )


class AgreementView(View):
    """How far a shadow's captured answers are those of the production variant."""

    shadow: str
    production: str
    pairs: int = Field(description="Requests of which both answers were captured and compared.")
    agree: int
    share: ShareView
    unpaired: int = Field(
        description="Captured requests that the shadow has no answer to: not copied, or failed."
    )
    unreadable: int = Field(description="Captured lines that cannot be read.")
    complete: bool = Field(description="false: only the newest were compared.")

    @classmethod
    def of(cls, shadowed: "Shadowed") -> "AgreementView":
        """Write an agreement."""
        told = shadowed.agreement
        return cls(
            shadow=shadowed.shadow,
            production=shadowed.production,
            pairs=told.pairs,
            agree=told.agree,
            share=ShareView.of(told.share, told.interval),
            unpaired=told.unpaired,
            unreadable=told.unreadable,
            complete=told.complete,
        )


class ExperimentView(View):
    """The variants of an endpoint side by side."""

    endpoint_name: str
    start: datetime
    end: datetime
    confidence: float = Field(description="Of every interval here.")
    variants: list[VariantResultView]
    comparisons: list[ComparedView]
    agreement: list[AgreementView]
    agreement_reason: str | None = Field(
        description="Why the shadow's answers were not compared; null: they were, or there is none."
    )

    @classmethod
    def of(cls, experiment: "Experiment") -> "ExperimentView":
        """Write variants side by side."""
        rates = {each.name: each.count.rate for each in experiment.parts}
        return cls(
            endpoint_name=experiment.endpoint_name,
            start=experiment.period.start,
            end=experiment.period.end,
            confidence=CONFIDENCE,
            variants=[VariantResultView.of(each) for each in experiment.parts],
            comparisons=[ComparedView.of(each, rates) for each in experiment.compared],
            agreement=[AgreementView.of(each) for each in experiment.shadowed],
            agreement_reason=experiment.without_pairs or None,
        )


def _seconds(microseconds: float | None) -> float | None:
    return None if microseconds is None else microseconds / 1e6


def _words(compared: "Compared") -> str:
    verdict = compared.verdict
    match verdict.finding:
        case Finding.NO_REQUESTS:
            return "one of them has had no requests"
        case Finding.NOT_ENOUGH:
            return f"not enough requests yet: about {verdict.needed:,} more"
        case Finding.FEWER_ERRORS:
            return f"{compared.name} has fewer errors than {compared.baseline}"
        case Finding.MORE_ERRORS:
            return f"{compared.name} has more errors than {compared.baseline}"
        case Finding.NO_DIFFERENCE:
            most = verdict.difference.reach
            return (
                f"no difference seen; if there is one, it is below {100 * most:.2g} in 100 requests"
            )
