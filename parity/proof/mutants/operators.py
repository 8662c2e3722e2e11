"""The mutation operators: small changes to a piece of a syntax tree, as data.

An operator is a function from a site to whatever may stand in the place of its node. To add one, write it and give it a
row in `OPERATORS`. Nothing here knows what the code means, except for the two tables of names.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

PER_MILLE = 1e-3
"""By how much a floating-point number is changed: far more than rounding, far less than an eye would see."""


@dataclass(frozen=True, slots=True)
class Site:
    """A piece of a syntax tree, and what an operator has to know of its surroundings.

    `modules` are the names under which the file has imported modules, `bound` the names that the function has bound
    before, and `refuses` says that the piece refuses bad arguments.
    """

    node: ast.AST
    parent: ast.AST
    modules: frozenset[str]
    bound: frozenset[str]
    returns: str
    refuses: bool


Change = Callable[[Site], Iterator[ast.AST]]


ARITHMETIC: Mapping[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult, ast.Div),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
}

COMPARISONS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}

WORDS: Mapping[str, tuple[str, ...]] = {
    "backward": ("ortho", "forward"),
    "forward": ("ortho", "backward"),
    "ortho": ("backward", "forward"),
}
"""Words that are arguments of calls, and the words that could stand there."""

_TWINS = (
    ("sum", "mean"),
    ("reduce_sum", "reduce_mean"),
    ("reduce_all", "reduce_any"),
    ("all", "any"),
    ("amax", "amin"),
    ("real", "imag"),
    ("cos", "sin"),
    ("fftshift", "ifftshift"),
    ("fft2", "ifft2"),
    ("fft2d", "ifft2d"),
    ("square", "abs"),
    ("minimum", "maximum"),
    ("log", "exp"),
    ("ones", "zeros"),
    ("ones_like", "zeros_like"),
)

NAMES: Mapping[str, tuple[str, ...]] = {
    **{one: (other,) for twins in _TWINS for one, other in (twins, twins[::-1])},
    "tf.exp": ("tf.math.log",),
    "tf.floor": ("tf.round", "tf.math.ceil"),
    "tf.math.divide_no_nan": ("tf.divide",),
    "tf.math.lgamma": ("tf.math.digamma",),
    "tf.math.angle": ("tf.abs",),
    "tf.tensor_scatter_nd_add": ("tf.tensor_scatter_nd_update",),
    "reduce_prod": ("reduce_sum",),
    "sqrt": ("square",),
    "floor": ("round", "ceil"),
    "round": ("floor",),
    "lgamma": ("digamma",),
    "angle": ("abs",),
}
"""Functions and attributes, and those that are easily taken for them; a dotted name goes before the bare one."""

FRAMEWORKS = frozenset({"tf", "torch"})

OF_SHAPES = frozenset({"shape", "zeros_like", "ones_like", "is_tensor", "get_static_value", "is_complex"})
"""Functions of a framework to which the sign of an argument is nothing."""


def _arithmetic(site: Site) -> Iterator[ast.AST]:
    match site.node:
        case ast.BinOp(left, operator, right):
            yield from (ast.BinOp(left, other(), right) for other in ARITHMETIC.get(type(operator), ()))
        case ast.AugAssign(target, operator, value):
            yield from (ast.AugAssign(target, other(), value) for other in ARITHMETIC.get(type(operator), ()))


def _operand_alone(site: Site) -> Iterator[ast.AST]:
    if isinstance(site.node, ast.BinOp):
        yield site.node.left
        yield site.node.right


def _comparison(site: Site) -> Iterator[ast.AST]:
    if not isinstance(site.node, ast.Compare):
        return
    for place, operator in enumerate(site.node.ops):
        for other in COMPARISONS[type(operator)]:
            ops = [*site.node.ops[:place], other(), *site.node.ops[place + 1 :]]
            yield ast.Compare(site.node.left, ops, site.node.comparators)


def _boolean(site: Site) -> Iterator[ast.AST]:
    match site.node:
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not() | ast.Invert(), operand):
            yield operand


def _sign(site: Site) -> Iterator[ast.AST]:
    match site.node:
        case ast.UnaryOp(ast.USub(), operand):
            yield operand
        case ast.Return(value) if value is not None and _is_number(value, site.returns):
            yield ast.Return(_negative(value))
        case ast.Name() if _is_taken_as_a_value(site):
            yield _negative(site.node)


def _number(site: Site) -> Iterator[ast.AST]:
    match site.node:
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.Constant(float(value)):
            yield ast.Constant(value * (1 + PER_MILLE))


def _word(site: Site) -> Iterator[ast.AST]:
    match site.node, site.parent:
        case ast.Constant(str(value)), ast.Call() | ast.keyword():
            yield from (ast.Constant(other) for other in WORDS.get(value, ()))


def _name(site: Site) -> Iterator[ast.AST]:
    match site.node:
        case ast.Attribute(value, attribute):
            dotted = NAMES.get(ast.unparse(site.node))
            if dotted is not None:
                yield from (ast.parse(other, mode="eval").body for other in dotted)
            else:
                yield from (ast.Attribute(value, other, ast.Load()) for other in NAMES.get(attribute, ()))
        case ast.Name(name) if isinstance(site.parent, ast.Call) and site.node is site.parent.func:
            yield from (ast.Name(other, ast.Load()) for other in NAMES.get(name, ()) if name in ("any", "all"))


def _exchange(site: Site) -> Iterator[ast.AST]:
    match site.node:
        case ast.Call(function, arguments, keywords):
            pairs = list(enumerate(pairwise(arguments)))
            if _is_where(site.node):
                pairs = pairs[1:]  # a condition in the place of a value would only be of the wrong type
            for place, (one, other) in pairs:
                if _are_alike(one, other):
                    exchanged = [*arguments[:place], other, one, *arguments[place + 2 :]]
                    yield ast.Call(function, exchanged, keywords)
        case ast.Tuple(elements, ast.Load()) if not _names_axes_to_reduce(site.parent):
            for place, (one, other) in enumerate(pairwise(elements)):
                if not any(isinstance(element, ast.Constant) and _is_no_number(element) for element in (one, other)):
                    exchanged = [*elements[:place], other, one, *elements[place + 2 :]]
                    yield ast.Tuple(exchanged, ast.Load())


def _branch_alone(site: Site) -> Iterator[ast.AST]:
    if isinstance(site.node, ast.Call) and _is_where(site.node):
        yield from site.node.args[1:]


def _call_dropped(site: Site) -> Iterator[ast.AST]:
    match site.node, site.parent:
        case ast.Call(), ast.Expr() | ast.Raise():
            return
        case ast.Call(ast.Attribute(value), _), _ if not _is_module(value, site.modules):
            yield value
        case ast.Call(_, [first, *_]), _ if not isinstance(first, ast.Starred | ast.GeneratorExp):
            yield first


def _keyword_dropped(site: Site) -> Iterator[ast.AST]:
    if isinstance(site.node, ast.Call):
        keywords = site.node.keywords
        for place in range(len(keywords)):
            yield ast.Call(site.node.func, site.node.args, [*keywords[:place], *keywords[place + 1 :]])


def _slice_bound(site: Site) -> Iterator[ast.AST]:
    if not isinstance(site.node, ast.Slice):
        return
    lower, upper, step = site.node.lower, site.node.upper, site.node.step
    yield from (ast.Slice(moved, upper, step) for moved in _moved(lower, 1))
    yield from (ast.Slice(lower, moved, step) for moved in _moved(upper, -1))


def _condition(site: Site) -> Iterator[ast.AST]:
    match site.node:
        case ast.If(_, body, orelse):
            yield from (ast.If(ast.Constant(always), body, orelse) for always in (True, False))
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)


def _statement_deleted(site: Site) -> Iterator[ast.AST]:
    match site.node:
        case ast.AugAssign() | ast.Expr() | ast.Raise():
            yield ast.Pass()
        case ast.Assign(targets):
            names = {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
            if names <= site.bound:
                yield ast.Pass()


OPERATORS: Mapping[str, Change] = {
    "arithmetic": _arithmetic,
    "operand alone": _operand_alone,
    "comparison": _comparison,
    "boolean": _boolean,
    "sign": _sign,
    "number": _number,
    "word": _word,
    "name": _name,
    "exchange": _exchange,
    "branch alone": _branch_alone,
    "call dropped": _call_dropped,
    "keyword dropped": _keyword_dropped,
    "slice bound": _slice_bound,
    "condition": _condition,
    "statement deleted": _statement_deleted,
}


def _negative(value: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), value)


def _is_number(value: ast.expr, annotation: str) -> bool:
    """Whether something returned has a sign: not several things, a truth value, or a word."""
    has_none = isinstance(value, ast.Tuple | ast.List | ast.Compare | ast.BoolOp | ast.Constant | ast.JoinedStr)
    return not has_none and not any(word in annotation for word in ("str", "tuple", "list", "None"))


def _is_taken_as_a_value(site: Site) -> bool:
    """Whether a name is an argument of a framework's function that looks at more than its shape."""
    call = site.parent
    if not isinstance(call, ast.Call) or site.node not in call.args or site.refuses:
        return False
    function = call.func
    if not isinstance(function, ast.Attribute) or not _is_module(function, site.modules & FRAMEWORKS):
        return False
    return function.attr not in OF_SHAPES


def _is_no_number(constant: ast.Constant) -> bool:
    return constant.value is None or isinstance(constant.value, str)


def _is_where(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "where" and len(call.args) == 3


def _are_alike(one: ast.expr, other: ast.expr) -> bool:
    """Whether two arguments can be taken for each other: neither is a word, nor are shape, axes or a dtype."""
    unlike = (ast.Tuple, ast.List, ast.ListComp, ast.Starred, ast.Constant, ast.JoinedStr)
    return not any(isinstance(argument, unlike) or _is_dtype(argument) for argument in (one, other))


def _is_dtype(argument: ast.expr) -> bool:
    return isinstance(argument, ast.Attribute) and ("dtype" in argument.attr or argument.attr.startswith("float"))


def _names_axes_to_reduce(parent: ast.AST) -> bool:
    """Whether a tuple lists axes whose order has no meaning: those of a sum, a shift or a transform."""
    return isinstance(parent, ast.keyword) and parent.arg in ("dim", "axis", "axes")


def _is_module(value: ast.expr, modules: frozenset[str]) -> bool:
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name) and value.id in modules


def _moved(bound: ast.expr | None, absent: int) -> Iterator[ast.expr]:
    """A bound of a slice moved by one; a constant is left to the operator for numbers."""
    if bound is None:
        yield ast.Constant(absent) if absent >= 0 else _negative(ast.Constant(-absent))
    elif not any(isinstance(part, ast.Constant) for part in (bound, getattr(bound, "operand", None))):
        yield ast.BinOp(bound, ast.Add(), ast.Constant(1))
        yield ast.BinOp(bound, ast.Sub(), ast.Constant(1))
