"""The score as a page: totals first, then what else would have noticed, by contract, and defect by defect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from parity._ground.codes import AGREE, DISAGREE
from parity.proof.score.baselines import BASELINES
from parity.proof.score.result import DefectScore, Look, Score, ScoreRun, Seen, accuracy, mean_share

TITLE = "# The score\n\nWhat the harness catches, what it never flags, and how well it names the cause."


def page(score: Score) -> str:
    """Everything in Markdown: the summary, then each contract and each defect."""
    return _joined(*_summary(score), _wrong(score), _contracts(score), _matrix(score), _runs(score))


def summary(score: Score) -> str:
    """One screen of it in Markdown, and the commands that show the rest and bring it up to date."""
    told = (
        "`parity defects score --stored` prints the rest: every defect, and the causes that are named wrongly. "
        "`parity defects score CONTRACT... --write` brings the rows of these contracts up to date, of all of them if "
        "you name none. [defects.md](defects.md) says how the score is made and read."
    )
    return _joined(*_summary(score), _runs(score), told)


def _joined(*parts: str) -> str:
    return "\n\n".join(filter(None, (TITLE, *parts))) + "\n"


def _summary(score: Score) -> tuple[str, ...]:
    return _totals(score), _baselines(score), _causes(score)


def _runs(score: Score) -> str:
    """Which rows are of which run."""
    rows = [
        (
            _counted(run, len(score.runs)),
            f"{run.seconds:,}",
            f"`{run.sources[:12]}`" if run.sources else "not recorded",
            ", ".join(said if said.startswith(name) else f"{name} {said}" for name, said in run.environment.items()),
        )
        for run in score.runs
    ]
    return "## Made by\n\n" + _table(("contracts", "seconds", "sources", "with"), rows)


def _counted(run: ScoreRun, runs: int) -> str:
    """How many contracts a run scored and, where it is short and one of several, which."""
    names = [contract.contract for contract in run.contracts]
    return str(len(names)) if runs == 1 or len(names) > _NAMED else ", ".join(f"`{name}`" for name in names)


_NAMED = 8


def totals(score: Score) -> str:
    """The score in a few lines."""
    return "\n".join(f"{what}: {number}" for what, number in _total_rows(score))


def _totals(score: Score) -> str:
    return _table(("", ""), _total_rows(score))


def _total_rows(score: Score) -> Iterator[tuple[str, str]]:
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


def _baselines(score: Score) -> str:
    alarms = {b.name: [c.alarms[b.name] for c in score.contracts if b.name in c.alarms] for b in BASELINES}
    seen = {b.name: [d.baselines[b.name] for d in score.defects if b.name in d.baselines] for b in BASELINES}
    rows = [
        (
            f"`{name}`",
            f"{_share(alarms[name]):.1%}",
            f"{sum(s.caught > 0 for s in alarms[name])} of {len(alarms[name])}",
            f"{mean_share(seen[name]):.1%}",
            _of(sum(s.caught > 0 for s in seen[name]), len(seen[name])),
        )
        for name in alarms
    ]
    one = [d.any_column for d in score.defects]
    rows.append(
        (
            "the harness",
            "0.0%" if not score.false_alarms else "see above",
            "0",
            f"{mean_share(one):.1%}",
            _of(sum(d.caught for d in score.defects), len(score.defects)),
        )
    )
    return (
        "## What a tolerance would have noticed\n\n"
        "The wrong stack's results held to the right one's by a fixed tolerance, as a test by hand would do it, on the "
        "same examples. A defect counts as noticed in an example where the tolerance flags it and does not flag the "
        "correct code. Such a test looks at no gradient and can name no side.\n\n"
        + _table(
            (
                "rule",
                "correct examples flagged",
                "contracts with a false alarm",
                "caught by one example",
                "by any example",
            ),
            rows,
        )
    )


def _causes(score: Score) -> str:
    asked = score.explained
    if not asked:
        return "## Causes\n\nNo cause was asked."
    named = [d for d in asked if d.explained and d.explained.right]
    unnamed = [d for d in asked if d.explained and not d.explained.right]
    rows = [
        ("that have an explanation", _of(*accuracy(named))),
        ("that have none: “unexplained” is right", _of(*accuracy(unnamed))),
    ]
    files = dict.fromkeys(d.defect.split(".")[0] for d in asked)
    rows += [(f"`{file}`", _of(*accuracy(d for d in asked if d.defect.startswith(f"{file}.")))) for file in files]
    return "## Causes\n\nThe first cause that a diagnosis names, against those that are right.\n\n" + _table(
        ("defects", "named rightly"), rows
    )


def _wrong(score: Score) -> str:
    """The defects whose cause was named wrongly; nothing where there are none."""
    wrong = [
        (f"`{d.defect}`", d.stack, d.explained.cause or "unexplained", " / ".join(d.explained.right) or "unexplained")
        for d in score.explained
        if d.explained and not d.explained.is_right
    ]
    return "## Explained wrongly\n\n" + _table(("defect", "stack", "said", "right"), wrong) if wrong else ""


def _contracts(score: Score) -> str:
    rows = [
        (
            f"`{c.contract}`",
            str(c.examples),
            _of(sum(d.caught for d in c.defects), len(c.defects)) if c.defects else "–",
            _first_columns(c.defects),
            _of(sum(r.silent for r in c.rewrites), len(c.rewrites)) if c.rewrites else "–",
            _small(c.epsilon),
            _small(c.pooled),
        )
        for c in score.contracts
    ]
    headings = ("contract", "examples", "caught", "first seen by", "rewrites silent", "ε_min", "pooled")
    return (
        "## By contract\n\n"
        "Defects and rewrites are counted in each stack apart. ε_min is the smallest relative defect that one example "
        "shows, of the least sensitive quantity in its best example; pooled, the smallest common gain that all do.\n\n"
        + _table(headings, rows)
    )


def _matrix(score: Score) -> str:
    columns = [column for column in Look if any(column in d.seen for d in score.defects)]
    asked = any(d.pytest is not None for d in score.defects)
    by_name: dict[str, list[DefectScore]] = {}
    for defect in score.defects:
        by_name.setdefault(defect.defect, []).append(defect)
    rows = [
        (
            f"`{name}`" + ("" if len(group) > 1 else f" ({group[0].stack})"),
            *(_either([_cell(d.seen.get(column), column) for d in group]) for column in columns),
            *([_either([_code(d.pytest) for d in group])] if asked else []),
        )
        for name, group in by_name.items()
    ]
    return (
        "## Defect by defect\n\n"
        "How many of the examples show it, by way of looking: a result in float32 or float64, a gradient in either, a "
        "law of one stack alone, a golden; whether the stages of a composition name it; in how many quantities a "
        "common gain is found. ·: tried, and not seen; –: nothing to try. Two entries are TensorFlow's and PyTorch's, "
        "where they differ.\n\n" + _table(("defect", *columns, *(["pytest"] * asked)), rows)
    )


def _either(cells: Sequence[str]) -> str:
    return " / ".join(cells if len(set(cells)) > 1 else cells[:1])


def _code(code: int | None) -> str:
    return {None: "–", AGREE: "·", DISAGREE: "yes"}.get(code, f"exit {code}")


def _cell(seen: Seen | None, column: str) -> str:
    if seen is None:
        return "–"
    if not seen.caught:
        return "·"
    if column == Look.STAGE:
        return "named"
    return f"{seen.caught}" if column == Look.POOLED else f"{seen.caught}/{seen.tried}"


def _first_columns(defects: Sequence[DefectScore]) -> str:
    first = [defect.first_column for defect in defects]
    found = [(column, first.count(column)) for column in Look if column in first]
    return ", ".join(f"{column} {number}" for column, number in found) or "–"


def _share(seen: Iterable[Seen]) -> float:
    seen = tuple(seen)
    return sum(s.caught for s in seen) / max(1, sum(s.tried for s in seen))


def _of(number: int, whole: int) -> str:
    return f"{number:,} of {whole:,}" + (f" ({number / whole:.1%})" if whole else "")


def _small(number: float | None) -> str:
    if number is None:
        return "–"
    return "exact" if number < 1e-30 else f"{number:.0e}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
