"""Options and arguments that make no sense."""

import sys

from tests.conditions.condition import Done, Place, condition

REFUSED = {
    ("run", "--limit", "nan"): "'--limit': expected a finite number, got 'nan'",
    ("run", "--limit", "inf"): "'--limit': inf is not in the range",
    ("run", "--examples", "-5"): "'--examples': -5 is not in the range",
    ("run", "--jobs", "1000000000"): "'--jobs': 1000000000 is not in the range",
    ("run", "--shard", "0/0"): "shard: expected a number from 1 to the number of shards, got 0/0",
    (
        "run",
        "losses.mae",
        "--case",
        f"odd/{'9' * 5000}",
    ): "case: expected a seed of at most 18 digits, got one of",
    ("run", "--report", ""): "--report: expected something to be said, got ''",
    ("run", "--report=/dev/null"): "'--report': expected a folder, got a file: /dev/null",
    ("run", ""): "argument 1: expected something to be said, got ''",
    ("check", "--accept-weaker", " "): "--accept-weaker: expected something to be said, got ' '",
    ("bench", "--sizes", "9" * 5000): "sizes: expected whole numbers from 8 to 4096",
    ("pipeline", "x", "--seed", "9" * 30): "'--seed': 999999999999999999999999999999 is not in the range",
    ("init", "--package", 'a"b', "--framework", "numpy"): "--package: expected a name that Python can import",
    ("init", "--package", "a", "--subject", "x]", "--framework", "numpy"): "--subject: expected letters, digits",
}


def _refused(arguments: tuple[str, ...], says: str) -> None:
    shown = " ".join(word if len(word) < 40 else f"{word[:8]}…" for word in arguments)

    def arrange(place: Place) -> Done:
        return place.parity(*arguments)

    arrange.__module__, arrange.__name__ = __name__, shown
    condition(f"`parity {shown}`", code=2, says=says)(arrange)


for given, said in REFUSED.items():
    _refused(given, said)


@condition("`pytest --parity-examples -5`", code=4, says="--parity-examples: expected a whole number")
def negative_examples(place: Place) -> Done:
    return place.process([sys.executable, "-m", "pytest", "--parity-examples", "-5"])
