"""Mutants of a small pure module: the same source with one thing wrong, for every one thing that can be.

The operators:

* negate a condition; make it always true; make it always false;
* drop one condition of an `and` or an `or`; swap `and` and `or`;
* swap `is` and `is not`, `in` and `not in`; move the border of `<`, `<=`, `>` and `>=`, or turn it round;
* put every other member of the same enum (Basis, Reason, Action, Standing, Ground ... obligations too) in the place of one;
* remove an element of a set or a tuple; drop one side of a union; intersect instead;
* drop a statement, a return, a case of a match;
* count up instead of down, multiply instead of divide; move a number by one.

Mutated are functions and constants. Left alone are imports, annotations, decorators, docstrings, members of enums, and
`_SENTENCES` (words about reasons, no reasons). Two ways of writing the same mutant count as one.
"""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from types import CodeType, ModuleType

_LEFT_ALONE = frozenset({"_SENTENCES", "_MADE_HERE"})
_SWAPPED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Sub: ast.Add,
    ast.Add: ast.Sub,
    ast.Div: ast.Mult,
    ast.Mult: ast.Div,
    ast.BitOr: ast.BitAnd,
}

Variants = Iterator[tuple[str, ast.AST]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong module, not yet run."""

    operator: str
    line: int
    now: str
    """The mutated part as it reads now."""
    code: CodeType

    def load(self) -> ModuleType:
        """The wrong module, run. It is nowhere registered, so nothing imports it by accident."""
        module = ModuleType("mutant")
        exec(self.code, module.__dict__)  # noqa: S102  # our own source with one thing changed
        return module

    def __str__(self) -> str:
        return f"line {self.line}, {self.operator}: {self.now}"


def mutants(module: ModuleType) -> Iterator[Mutant]:
    """Every mutant of a module. Each is compiled while the change stands in the one tree, then the change is undone."""
    tree = ast.parse(inspect.getsource(module))
    enums = {name: thing for name, thing in vars(module).items() if isinstance(thing, type) and issubclass(thing, Enum)}
    seen = {ast.unparse(tree)}
    for root in _mutated(tree):
        for holder, field, index, node in list(_places(root)):
            for operator, changed in list(_variants(node, holder, field, enums)):
                _put(holder, field, index, ast.copy_location(changed, node))
                text = ast.unparse(tree)
                if text not in seen:
                    seen.add(text)
                    line = getattr(node, "lineno", 0)
                    code = compile(ast.fix_missing_locations(tree), "<mutant>", "exec")
                    yield Mutant(operator, line, ast.unparse(changed), code)
                _put(holder, field, index, node)


def _mutated(tree: ast.Module) -> Iterator[ast.AST]:
    """The parts that are mutated: constants and functions, methods too."""
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) if name not in _LEFT_ALONE:
                yield statement
            case ast.FunctionDef():
                yield statement
            case ast.ClassDef():
                yield from (inner for inner in statement.body if isinstance(inner, ast.FunctionDef))


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every place below a node where something stands that could be something else."""
    for field, value in ast.iter_fields(node):
        if field in {"decorator_list", "args", "annotation", "returns", "targets"} and not isinstance(node, ast.Call):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield node, field, index, child
                yield from _places(child)


def _put(holder: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(holder, field, node)
    else:
        getattr(holder, field)[index] = node


def _variants(node: ast.AST, holder: ast.AST, field: str, enums: dict[str, type[Enum]]) -> Variants:
    if isinstance(node, ast.expr) and _is_condition(node, holder, field):
        yield from _conditions(node)
    match node:
        case ast.Compare() | ast.BoolOp() | ast.BinOp():
            yield from _operations(node)
        case ast.Attribute() | ast.Set() | ast.Tuple() | ast.Constant():
            yield from _values(node, enums)
        case ast.Match(subject=subject, cases=cases):
            for one in cases:
                yield "a case less", ast.Match(subject, [case for case in cases if case is not one])
        case ast.If() | ast.Return() | ast.Assign() | ast.Raise():
            yield "a statement less", ast.Pass()


def _operations(node: ast.Compare | ast.BoolOp | ast.BinOp) -> Variants:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=compared):
            for other in _SWAPPED.get(type(op), ()):
                yield "another comparison", ast.Compare(left, [other()], compared)
        case ast.BoolOp():
            yield from _junctions(node)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _COUNTED:
            yield "another sum", ast.BinOp(left, _COUNTED[type(op)](), right)
            yield "one side only", left
            yield "one side only", right


def _values(node: ast.Attribute | ast.Set | ast.Tuple | ast.Constant, enums: dict[str, type[Enum]]) -> Variants:
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=member) if name in enums:
            for other in enums[name]:
                if other.name != member:
                    yield "another member", ast.Attribute(ast.Name(name, ast.Load()), other.name, ast.Load())
        case ast.Set() | ast.Tuple():
            yield from _fewer(node)
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            yield "another number", ast.Constant(number + 1)
            yield "another number", ast.Constant(number - 1)


def _is_condition(node: ast.expr, holder: ast.AST, field: str) -> bool:
    if isinstance(node, ast.Compare | ast.BoolOp) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
        return True
    asked = isinstance(holder, ast.If | ast.IfExp) and field == "test"
    return (
        asked or isinstance(holder, ast.BoolOp) or (isinstance(holder, ast.UnaryOp) and isinstance(holder.op, ast.Not))
    )


def _conditions(node: ast.expr) -> Variants:
    if isinstance(node, ast.UnaryOp):
        yield "negated", node.operand
    else:
        yield "negated", ast.UnaryOp(ast.Not(), node)
    yield "always true", ast.Constant(value=True)
    yield "always false", ast.Constant(value=False)


def _junctions(node: ast.BoolOp) -> Variants:
    yield "and for or, or for and", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for value in node.values:
        rest = [other for other in node.values if other is not value]
        yield "a condition less", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _fewer(node: ast.Set | ast.Tuple) -> Variants:
    for element in node.elts:
        rest = [other for other in node.elts if other is not element]
        if isinstance(node, ast.Tuple):
            yield "an element less", ast.Tuple(rest, ast.Load())
        elif rest:
            yield "an element less", ast.Set(rest)
        else:
            yield "an element less", ast.Call(ast.Name("set", ast.Load()), [], [])
