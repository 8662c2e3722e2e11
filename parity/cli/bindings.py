"""`parity bindings` writes, lists and tries what binds a subject to the contracts."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from parity._ground.codes import AGREE, exit_code
from parity._ground.errors import CheckNotMade, UsageError
from parity.cli.options import SubjectName, engage
from parity.contracts.cases.case import forced
from parity.contracts.contract import Contract
from parity.contracts.declared import REGISTRY
from parity.physics.precision import FLOAT64
from parity.report.terminal import bare_table, console, counted
from parity.stacks import declared
from parity.stacks.base import Framework, OutsideDomain, StackError
from parity.stacks.bindings import declared_in, stub
from parity.stacks.subjects import Subject

subject_option = click.option(
    "--subject", "name", type=SubjectName(), metavar="NAME", help="Take this subject.  [default: the only one]"
)


@click.group("bindings")
def bindings_group() -> None:
    """Write, list and try what binds your code to the contracts.

    A binding is a function in a file of yours, which calls your code with the arguments of a contract.
    """


@bindings_group.command("list")
def list_command() -> int:
    """List the contracts, and the line that binds each.

    Every subject has a column, with the conventions that each binding states. Nothing is run.
    """
    subjects = _bound_subjects()
    bound = {subject.name: declared_in(_file(subject)) for subject in subjects}
    table = bare_table("contract", *bound)
    for contract in REGISTRY.values():
        lines = [found.get(contract.name, found.get(contract.address)) for found in bound.values()]
        table.add_row(contract.name, *("–" if line is None else Text(line.words) for line in lines))
    out = console()
    out.print(table)
    for subject in subjects:
        known = {name for contract in REGISTRY.values() for name in (contract.name, contract.address)}
        unknown = [name for name in bound[subject.name] if name not in known]
        for name in unknown:
            out.print(f"{_file(subject)}: binds '{name}', which is no contract", style="red", soft_wrap=True)
        number = sum(c.name in bound[subject.name] or c.address in bound[subject.name] for c in REGISTRY.values())
        out.print(f"{subject.name} binds {number} of {counted(len(REGISTRY), 'contract')}", soft_wrap=True)
    return AGREE


@bindings_group.command("new")
@click.argument("names", nargs=-1, required=True, metavar="CONTRACT...")
@subject_option
def new_command(names: tuple[str, ...], name: str | None) -> int:
    """Append a stub for each contract to the file of bindings.

    The stub says what your function is given, and what it returns: kinds, units and layouts.
    """
    subject = _one_subject(name)
    file, contracts = _file(subject), REGISTRY.select(names)
    bound = declared_in(file)
    for contract in contracts:
        if contract.name in bound:
            raise UsageError(
                f"{contract.name}: expected no binding, got one in {file}, line {bound[contract.name].line}"
            )
    text = "".join(f"\n\n{stub(contract, subject.framework, subject.package)}" for contract in contracts)
    with file.open("a", encoding="utf-8") as opened:
        opened.write(text)
    console().print(f"{counted(len(contracts), 'stub')} written to {file}", soft_wrap=True)
    return AGREE


@bindings_group.command("check")
@click.argument("names", nargs=-1, metavar="[CONTRACT]...")
@subject_option
def check_command(names: tuple[str, ...], name: str | None) -> int:
    """Say of every binding whether it can be held.

    The command calls it on one case of each stratum. A binding must lead to code of your package, return what the
    contract returns, and raise nothing by itself. Whether the numbers are right is not asked here: `parity run` does
    that.

    The exit code is 3 if a binding cannot be held.
    """
    subject = _one_subject(name)
    (framework,) = engage((subject.name,))
    contracts = [contract for contract in REGISTRY.select(names) if framework.binds(contract)]
    found = {contract.name: _tried(framework, contract) for contract in contracts}
    table = bare_table("contract", "binding")
    for contract, said in found.items():
        table.add_row(contract, Text(said or _can_be_held(framework, REGISTRY[contract]), "red" if said else "green"))
    out = console()
    out.print(table)
    off = [contract for contract, said in found.items() if said]
    out.print(f"{len(found) - len(off)} of {counted(len(found), 'binding')} can be held", soft_wrap=True)
    return exit_code(unchecked=bool(off) or not found)


def _can_be_held(framework: Framework, contract: Contract) -> str:
    """To which conventions, of all names."""
    stated = (framework.conventions(contract, entry).words for entry in (None, *framework.named(contract)))
    words = "; ".join(dict.fromkeys(word for words in stated for word in words))
    return f"can be held, to {words}" if words else "can be held"


def _tried(framework: Framework, contract: Contract) -> str:
    """Why a binding cannot be held; "" where it can."""
    claimed, _ = framework.domain.restricted(contract)
    outside, cases = 0, tuple(forced(claimed))
    for case in cases:
        try:
            inputs = case.inputs()
            for entry in (None, *framework.entries_of(contract, inputs, FLOAT64)):
                terms = framework.conventions(contract, entry)
                framework.evaluate(terms.contract or contract, terms.given(inputs), FLOAT64, entry=entry)
        except OutsideDomain:
            outside += 1
        except StackError as error:
            return f"{case.name}: {error}"
        except CheckNotMade as error:
            return str(error)
    return "claims no stratum: every case is outside" if outside == len(cases) else ""


def _bound_subjects() -> tuple[Subject, ...]:
    found = tuple(subject for subject in declared().values() if subject.bindings)
    if not found:
        raise UsageError(f"expected a subject with bindings in {Path.cwd()}, got none: parity init writes one")
    return found


def _one_subject(name: str | None) -> Subject:
    subjects = {subject.name: subject for subject in _bound_subjects()}
    if name is None and len(subjects) > 1:
        raise UsageError(f"--subject: expected one of {', '.join(subjects)}, got nothing")
    if name is not None and name not in subjects:
        raise UsageError(f"--subject: expected one with bindings, got '{name}'")
    return subjects[name] if name else next(iter(subjects.values()))


def _file(subject: Subject) -> Path:
    assert subject.bindings
    return subject.bindings
