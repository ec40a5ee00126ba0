"""`antiphon plugin new`: the beginning of a plugin of one's own."""

from __future__ import annotations

from pathlib import Path

import typer

from antiphon.cli.terminal import say


def add_commands(app: typer.Typer) -> None:
    """Add `antiphon plugin`."""
    plugin = typer.Typer(help="Write a plugin of your own.", no_args_is_help=True)
    plugin.command("new")(new_plugin)
    # Typer would make a group of one command that command.
    plugin.callback()(lambda: None)
    app.add_typer(plugin, name="plugin")


def new_plugin(
    context: typer.Context,
    name: str = typer.Argument(..., help="What presets will call the generator, such as canon-2."),
    folder: Path = typer.Option(Path(), "--in", help="Where to make its folder, antiphon-NAME; here, unless given."),
) -> None:
    """Write a distribution that brings a generator, keeps the rules and passes the kit: a beginning for your own."""
    import shlex
    import sys

    from antiphon.errors import AntiphonError
    from antiphon.plugins.host import Plugins, load_plugins
    from antiphon.plugins.template import distribution_name, plugin_files

    files = plugin_files(name)
    plugins = context.obj if isinstance(context.obj, Plugins) else load_plugins()
    if name in plugins.generators:
        there = plugins.generators[name].origin
        raise AntiphonError(f"there is a generator {name!r} already, of {there}; choose another name")
    target = folder / distribution_name(name)
    if target.exists():
        raise AntiphonError(f"{target} is there already; choose another name, or another place with --in")
    try:
        for path, text in files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_text(text, encoding="utf-8")
            say(f"wrote {target / path}")
    except OSError as error:
        raise AntiphonError(f"{target} cannot be written ({error.strerror}); choose another place with --in") from error
    python, place = shlex.quote(sys.executable), shlex.quote(str(target))
    say("\nInstall it editable, so that what you change counts from the next start on:")
    say(f"  {python} -m pip install -e {place}")
    say("Then look, play, and check the rules (with pytest installed):")
    say(f"  antiphon plugins\n  antiphon jam {name}\n  {python} -m pytest {place}")
