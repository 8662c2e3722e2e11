"""The score as a page: totals first, then what else would have noticed, by contract, and defect by defect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from parity._ground.codes import AGREE, DISAGREE
from parity.proof.score.baselines import BASELINES
from parity.proof.score.result import DefectScore, Look, Score, ScoreRun, Seen, accuracy, mean_share

_NAMED = 8
"""So many contracts of a run are named, where it is one of several."""


def page(score: Score) -> str:
    """Everything in Markdown: the summary, then each contract and each defect."""
    return _filled(score, whole=True)


def summary(score: Score) -> str:
    """One screen of it in Markdown, and the commands that show the rest and bring it up to date."""
    return _filled(score, whole=False)


def totals(score: Score) -> str:
    """The score in a few lines."""
    return "\n".join(f"{what}: {number}" for what, number in _totals(score))


def _filled(score: Score, *, whole: bool) -> str:
    asked = any(d.pytest is not None for d in score.defects)
    looks = [look for look in Look if any(look in d.seen for d in score.defects)]
    return _template().render(
        score=score,
        whole=whole,
        totals=_totals(score),
        baselines=_baselines(score),
        causes=_causes(score.explained),
        wrong=[d for d in score.explained if d.explained and not d.explained.is_right],
        looks=[*looks, *(["pytest"] * asked)],
        matrix=_matrix(score.defects, looks, asked),
        counted=partial(_counted, runs=len(score.runs)),
    )


@cache
def _template() -> Template:
    """The template. What it is given has its bars escaped, which would end a cell; a missing name is an error."""
    environment = Environment(
        loader=PackageLoader("parity.proof.score"),
        undefined=StrictUndefined,
        finalize=lambda given: str(given).replace("|", "\\|"),
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "caught": lambda defects: _of(sum(d.caught for d in defects), len(defects)),
        "silent": lambda rewrites: _of(sum(r.silent for r in rewrites), len(rewrites)),
        "rightly": lambda defects: _of(*accuracy(defects)),
        "flagged": lambda seen: sum(s.caught > 0 for s in seen),
        "noticed": lambda seen: _of(sum(s.caught > 0 for s in seen), len(seen)),
        "share": lambda seen: f"{sum(s.caught for s in seen) / max(1, sum(s.tried for s in seen)):.1%}",
        "mean": lambda seen: f"{mean_share(seen):.1%}",
        "first_looks": _first_looks,
        "small": _small,
        "made_with": _made_with,
    }
    return environment.get_template("score.md.j2")


def _totals(score: Score) -> Iterator[tuple[str, str]]:
    defects, rewrites = score.defects, score.rewrites
    yield "defects caught", _of(sum(d.caught for d in defects), len(defects))
    yield "their side named, and no other", _of(sum(d.sided for d in defects), len(defects))
    yield "missed", ", ".join(f"{d.defect} in {d.stack}" for d in score.missed) or "none"
    if score.misattributed:
        yield "blamed on another side too", ", ".join(f"{d.defect} in {d.stack}" for d in score.misattributed)
    yield "rewrites that stayed silent", _of(sum(r.silent for r in rewrites), len(rewrites))
    yield "false alarms", ", ".join(score.false_alarms) or "none"
    yield "caught by one example picked at random", f"{mean_share([d.any_column for d in defects]):.1%}"
    asked = [d for d in defects if d.pytest is not None]
    if asked:
        yield "caught by pytest -m parity", _of(sum(d.pytest == DISAGREE for d in asked), len(asked))
    if score.explained:
        yield "explained rightly", _of(*accuracy(score.explained))
    drawn = " or ".join(str(examples) for examples in sorted({run.examples for run in score.runs}))
    yield "examples", f"the strata of each contract and {drawn or 0} drawn besides, fewer of a costly one"
    yield "seconds", f"{score.seconds:,}"


def _baselines(score: Score) -> Iterator[tuple[str, list[Seen], list[Seen]]]:
    """Of each tolerance the correct examples that it flags, and the defects that it notices."""
    for name in (baseline.name for baseline in BASELINES):
        alarms = [contract.alarms[name] for contract in score.contracts if name in contract.alarms]
        yield name, alarms, [defect.baselines[name] for defect in score.defects if name in defect.baselines]


def _causes(asked: Sequence[DefectScore]) -> Iterator[tuple[str, list[DefectScore]]]:
    """The defects whose cause was asked: with an explanation, with none, and those of each file."""
    yield "that have an explanation", [d for d in asked if d.explained and d.explained.right]
    yield "that have none: “unexplained” is right", [d for d in asked if d.explained and not d.explained.right]
    for file in dict.fromkeys(d.defect.split(".")[0] for d in asked):
        yield f"`{file}`", [d for d in asked if d.defect.startswith(f"{file}.")]


def _matrix(defects: Sequence[DefectScore], looks: Sequence[Look], asked: bool) -> Iterator[tuple[str, list[str]]]:
    """A row for each defect: its name, and what each way of looking sees of it in the stacks."""
    by_name: dict[str, list[DefectScore]] = {}
    for defect in defects:
        by_name.setdefault(defect.defect, []).append(defect)
    for name, group in by_name.items():
        cells = [[_cell(d.seen.get(look), look) for d in group] for look in looks]
        cells += [[_code(d.pytest) for d in group]] if asked else []
        alone = "" if len(group) > 1 else f" ({group[0].stack})"
        yield f"`{name}`{alone}", [_either(each) for each in cells]


def _either(cells: Sequence[str]) -> str:
    return " / ".join(cells if len(set(cells)) > 1 else cells[:1])


def _code(code: int | None) -> str:
    return {None: "–", AGREE: "·", DISAGREE: "yes"}.get(code, f"exit {code}")


def _cell(seen: Seen | None, look: Look) -> str:
    if seen is None:
        return "–"
    if not seen.caught:
        return "·"
    if look is Look.STAGE:
        return "named"
    return f"{seen.caught}" if look is Look.POOLED else f"{seen.caught}/{seen.tried}"


def _first_looks(defects: Sequence[DefectScore]) -> str:
    first = [defect.first_column for defect in defects]
    return ", ".join(f"{look} {first.count(look)}" for look in Look if look in first) or "–"


def _counted(run: ScoreRun, runs: int) -> str:
    """How many contracts a run scored and, where it is short and one of several, which."""
    names = [contract.contract for contract in run.contracts]
    return str(len(names)) if runs == 1 or len(names) > _NAMED else ", ".join(f"`{name}`" for name in names)


def _made_with(run: ScoreRun) -> str:
    return ", ".join(said if said.startswith(name) else f"{name} {said}" for name, said in run.environment.items())


def _of(number: int, whole: int) -> str:
    return f"{number:,} of {whole:,}" + (f" ({number / whole:.1%})" if whole else "")


def _small(number: float | None) -> str:
    if number is None:
        return "–"
    return "exact" if number < 1e-30 else f"{number:.0e}"
