"""The table of the samplers: at every level of light the least p-value of each sampler, and the errors that would be
seen.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from parity.judging.samplers import FALSE_ALARM, MISSED, Judged, Judgement, visible_mean, visible_variance
from parity.report.terminal import bare_table


def sampler_table(judgement: Judgement) -> RenderableType:
    """A row for each level of light, wrong samplers in red; then every failure, and the verdict."""
    sources = list(dict.fromkeys(one.sampler.source for one in judgement.judged))
    table = bare_table("photons")
    for name in ("counts", "mean", "variance", *sources):
        table.add_column(name, justify="right")
    for level in dict.fromkeys(one.level for one in judgement.judged):
        here = [one for one in judgement.judged if one.level == level]
        mean, draws = here[0].mean, here[0].draws
        visible = (see(mean, draws, judgement.threshold) for see in (visible_mean, visible_variance))
        by_source = ([one for one in here if one.sampler.source == source] for source in sources)
        table.add_row(
            f"{level:g}",
            f"{draws:,}",
            *(f"{error:.1e}" for error in visible),
            *(_least(found, judgement.threshold) for found in by_source),
        )
    return Group(
        table, Text(_legend(judgement), "dim"), Text(), *map(Text, judgement.failures), Text(_verdict(judgement))
    )


def _least(found: list[Judged], threshold: float) -> Text:
    if any(one.fault for one in found):
        return Text("fault", "bold red")
    p = min(min(one.p.values()) for one in found)
    return Text(f"{p:.1e}", "" if p >= threshold else "bold red")


def _legend(judgement: Judgement) -> str:
    return (
        "counts: drawn by each sampler. mean, variance: the relative error that is missed with a probability of "
        f"{MISSED:g}. Others: the least p-value of a source; below {judgement.threshold:.1e} it convicts."
    )


def _verdict(judgement: Judgement) -> str:
    samplers = len({one.sampler.name for one in judgement.judged})
    tests = sum(len(one.p) for one in judgement.judged)
    if not judgement.agrees:
        names = dict.fromkeys(one.sampler.name for one in judgement.judged if judgement.convicts(one))
        return f"{len(names)} of {samplers} samplers are not Poisson's: {', '.join(names)}"
    said = "1 sampler is" if samplers == 1 else f"{samplers} samplers are"
    return f"{said} Poisson's: {tests} tests, which together raise a false alarm with a probability of {FALSE_ALARM:g}"
