"""What a preset's tables say of their keys: the place, the words, and the way to a plan and back."""

from __future__ import annotations

from dataclasses import fields
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo

from antiphon.presets.schema import Table
from antiphon.presets.values import SAME, Allowed, Meaning


def field_at(table: type[Table], path: tuple[str | int, ...]) -> tuple[type[Table], FieldInfo | None]:
    """The table around `path`, and the declared key that `path` leads to or into; `None` if there is no such key."""
    field, named = None, False
    for part in path:
        if isinstance(part, str):
            if field is not None:
                inner = _table_in(field.annotation)
                if inner is None:
                    break
                table = inner
                if get_origin(field.annotation) is dict and not named:
                    named = True  # It is the name that the file gives to one of several such tables.
                    continue
            field, named = table.model_fields.get(part), False
            if field is None:
                break
    return table, field


def allowed(field: FieldInfo) -> str:
    """What the values of a key may be, in words."""
    return _describe(field.annotation, field.metadata)


def plan_values(table: Table, kind: type[Any]) -> dict[str, Any]:
    """What `table` says, as a plan's dataclass `kind` has it: the keys that both have.

    A key that is a table of its own stays one.
    """
    declared = type(table).model_fields
    return {
        field.name: None
        if (value := getattr(table, field.name)) is None
        else _meaning(declared[field.name]).to_plan(value)
        for field in fields(kind)
        if field.name in declared
    }


def file_values(table: type[Table], plan: object, **elsewhere: object) -> dict[str, Any]:
    """What a file says where `plan` holds a part of a plan, key by key in the order of `table`.

    Tables of their own are left out, and what is None. `elsewhere`: values of keys that a plan keeps under another
    name.
    """
    found = {}
    for key, field in table.model_fields.items():
        inner = _table_in(field.annotation) is not None or get_origin(field.annotation) is dict
        value = elsewhere[key] if key in elsewhere else None if inner else getattr(plan, key, None)
        if value is not None:
            found[key] = _meaning(field).to_file(value)
    return found


def _meaning(field: FieldInfo) -> Meaning:
    """The last that is declared: of the key, or else of its type."""
    kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if get_origin(kind) is Annotated]
    declared = [*(item for kind in kinds for item in get_args(kind)[1:]), *field.metadata]
    return next((item for item in reversed(declared) if isinstance(item, Meaning)), SAME)


def _table_in(annotation: Any) -> type[Table] | None:
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Table):
            return kind
    return None


def _describe(annotation: Any, metadata: list[Any]) -> str:
    for item in metadata:
        if isinstance(item, Allowed):
            return item.text
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        extra = [part for item in arguments[1:] for part in (item.metadata if isinstance(item, FieldInfo) else [item])]
        return _describe(arguments[0], [*metadata, *extra])
    if origin is Literal:
        return " or ".join(f"'{choice}'" for choice in arguments)
    if NoneType in arguments:
        return _describe(next(kind for kind in arguments if kind is not NoneType), metadata)
    if origin is list:
        longest = next((item.max_length for item in metadata if isinstance(item, MaxLen)), None)
        return f"a list, {_span(1, longest)} of: {_describe(arguments[0], [])}"
    if origin is dict or _table_in(annotation):
        return "a table"
    if annotation is str:
        return "text" if any(isinstance(item, MinLen) for item in metadata) else "text, or nothing"
    if annotation is bool:
        return "true or false"
    low = next((item.ge for item in metadata if isinstance(item, Ge)), None)
    high = next((item.le for item in metadata if isinstance(item, Le)), None)
    words = "a whole number" if annotation is int else "a number"
    return words if low is None else f"{words}, {_span(low, high)}"


def _span(low: Any, high: Any) -> str:
    return f"{low} or more" if high is None else f"{low} to {high}"
