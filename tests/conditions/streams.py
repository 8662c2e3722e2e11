"""The standard streams and the text that goes through them."""

from tests.conditions.condition import Done, Place, condition

LIST = "parity contracts list"


@condition("nobody reads the output", code=0, says="")
def unread(place: Place) -> Done:
    return place.shell(f"{LIST} | true; exit ${{PIPESTATUS[0]}}")


@condition("one line of the output of a failing check is read", code=3, says="manifest.json: expected")
def half_read(place: Place) -> Done:
    return place.shell("mkdir fixtures; parity golden verify --fixtures fixtures | head -1; exit ${PIPESTATUS[0]}")


@condition("nobody reads what is said of an error", code=2, says="2")
def unread_errors(place: Place) -> Done:
    return place.shell("parity contracts show x 2>&1 >/dev/null | true; code=${PIPESTATUS[0]}; echo $code; exit $code")


@condition("the output is closed", code=3, says="the standard output is closed: expected one to print to")
def closed_output(place: Place) -> Done:
    return place.shell(f"{LIST} >&-")


@condition("the input and the errors are closed", code=0, says="losses.mae")
def closed_rest(place: Place) -> Done:
    return place.shell(f"{LIST} <&- 2>&-")


@condition("the disk is full", code=3, says="parity: the output cannot be written: No space left on device")
def full(place: Place) -> Done:
    return place.shell(f"{LIST} >/dev/full")


@condition("the disk is full, for the errors", code=0, says="losses.mae")
def full_of_errors(place: Place) -> Done:
    return place.shell(f"{LIST} 2>/dev/full")


@condition("the output is ASCII", code=0, says="\\u03a3")
def ascii_output(place: Place) -> Done:
    return place.parity("contracts", "show", "losses.poisson_nll", environment={"PYTHONIOENCODING": "ascii"})


@condition("the output is Latin 1", code=0, says="\\u03a3")
def latin_output(place: Place) -> Done:
    return place.parity("contracts", "show", "losses.poisson_nll", environment={"PYTHONIOENCODING": "latin-1"})


@condition("the locale is C, and Python takes it at its word", code=0, says="\\u03a3")
def c_locale(place: Place) -> Done:
    c = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    return place.parity("contracts", "show", "losses.poisson_nll", environment=c)


@condition("an argument is not UTF-8", code=2, says="unknown contract 'losses.\\udcff'")
def foreign_argument(place: Place) -> Done:
    return place.parity("contracts", "show", b"losses.\xff")


@condition("the terminal has no columns", code=0, says="losses.mae")
def no_columns(place: Place) -> Done:
    terminal = {"COLUMNS": "0", "TERM": "dumb", "FORCE_COLOR": "1"}
    return place.parity("contracts", "list", environment=terminal)
