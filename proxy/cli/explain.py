"""`crossfade explain`: what becomes of one call, value by value, without sending anything."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from proxy.cli.ending import DEFAULT_PATH, Exit, loaded, told

if TYPE_CHECKING:
    from proxy.cli.given import Given
    from proxy.config.model import Config
    from proxy.explain import Explanation
    from proxy.mapping.api import Source

_EXAMPLE = "https://api.example.com"


def explain(  # noqa: PLR0913, PLR0917 - each option of a command is an argument
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE|-]", help="A request as text, or a body; - is standard input."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="The configuration file, if there is one."),
    ] = None,
    method: Annotated[str, typer.Option(help="The method, where the input is a body.")] = "",
    target: Annotated[str, typer.Option(help="Path and query, where the input is a body.")] = "",
    body: Annotated[Path | None, typer.Option(metavar="FILE", help="The body, instead of FILE.")] = None,
    answer: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="v2.1's answer to each call, in order; with a status line or without."
        ),
    ] = None,
    har: Annotated[Path | None, typer.Option(metavar="FILE", help="A HAR file, instead of FILE.")] = None,
    entry: Annotated[int, typer.Option(help="The entry of the HAR file, counted from 1.", min=1)] = 1,
    output: Annotated[bool, typer.Option("--output", help="Print the translation alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole record as JSON.")] = False,
) -> None:
    """Show what becomes of a call, value by value: from where, by which rule, and why. Nothing is sent."""
    from proxy.errors import ConfigError  # noqa: PLC0415 - `--help` does not wait for it

    with told():
        if sum(one is not None for one in (file, body, har)) > 1:
            raise ConfigError("FILE, --body and --har each give the request; choose one of them")
        if output and as_json:
            raise ConfigError("--output and --json exclude each other; choose one of them")
        text = _read(har or body or file, asked_for=bool(method or target))
        given = _har(text, entry, config) if har else _given(text, method, target)
        shown = _explained(given, config, [_content(one) for one in answer or []])
    if isinstance(shown, str):
        typer.echo(shown, err=output)
        if output:
            sys.stdout.buffer.write(given.call.body)
        return
    _print(shown, output=output, as_json=as_json)
    raise typer.Exit(Exit.NO if shown.refusal else Exit.OK)


def _read(place: Path | str | None, *, asked_for: bool) -> bytes:
    """The input; a call that is named by options and has no input has no body."""
    if place is None and asked_for:
        return b""
    if place in {None, "-"}:
        return sys.stdin.buffer.read()
    return _content(Path(place or ""))


def _content(path: Path) -> bytes:
    from proxy.errors import ConfigError  # noqa: PLC0415 - `--help` does not wait for it

    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; name another file") from None


def _given(text: bytes, method: str, target: str) -> Given:
    from proxy.cli.given import from_text  # noqa: PLC0415 - `--help` does not wait for it

    return from_text(text, method, target)


def _har(text: bytes, entry: int, config: Path | None) -> Given:
    from proxy.cli.given import from_har  # noqa: PLC0415 - `--help` does not wait for it

    return from_har(text, entry, _source(_config(config, "")).api.v2_1.prefix.encode())


def _explained(given: Given, path: Path | None, texts: list[bytes]) -> Explanation | str:
    """The explanation, or a sentence on where the call goes as it came."""
    from proxy.cli.asking import asked  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.cli.given import answer_from_text  # noqa: PLC0415 - see above
    from proxy.config.mapped import compiled  # noqa: PLC0415 - `--help` does not wait for it
    from proxy.errors import Refused  # noqa: PLC0415 - see above
    from proxy.explain import Explanation, explain, refused  # noqa: PLC0415 - see above
    from proxy.mapping.declared import catalogue  # noqa: PLC0415 - see above

    config = _config(path, given.origin)
    source = _source(config)
    mapping = compiled(source, config)
    try:
        request = asked(source, mapping, config, given.call)
    except Refused as refusal:
        return Explanation(None, refusal=refused(refusal))
    if isinstance(request, str):
        return request
    usual = min((status for status in request.endpoint.answers if status < 300), default=200)
    answers = [answer_from_text(one, usual) for one in texts] or given.answers
    return explain(mapping, catalogue(source), request, answers)


def _config(path: Path | None, origin: str) -> Config:
    from proxy.cli.asking import unconfigured  # noqa: PLC0415 - `--help` does not wait for it

    if path is None and not DEFAULT_PATH.exists():
        return unconfigured(origin or _EXAMPLE)
    return loaded(path or DEFAULT_PATH).config


def _source(config: Config) -> Source:
    from proxy.mapping.api import SHIPPED, load  # noqa: PLC0415 - `--help` does not wait for it

    return load(Path(config.mappings) if config.mappings else SHIPPED)


def _print(shown: Explanation, *, output: bool, as_json: bool) -> None:
    from proxy.cli import explaining  # noqa: PLC0415 - `--help` does not wait for it

    if as_json:
        typer.echo(json.dumps(explaining.as_json(shown), indent=2, ensure_ascii=False))
    elif not output:
        explaining.print_explanation(shown, sys.stdout)
    elif shown.refusal:
        typer.echo("\n".join(explaining.refusal_lines(shown.refusal)), err=True)
    else:
        sys.stdout.buffer.write(explaining.translation(shown))
