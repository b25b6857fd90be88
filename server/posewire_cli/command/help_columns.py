"""Layout of help texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions, RenderableType


class HelpColumns:
    """Formats help as two plain columns, without boxes or colours."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        # Imported here because only help needs them, and every command would wait for them.
        from cyclopts.help import DescriptionRenderer
        from rich.table import Table

        if not panel.entries:
            return
        describe = DescriptionRenderer()
        table = Table.grid("", "", "", padding=(0, 2, 0, 0))
        for entry in panel.entries:
            table.add_row("", _label(entry), describe(_without_false(entry)))
        _print(console, options, f"\n{panel.title}:")
        _print(console, options, table)

    def render_usage(self, console: Console, options: ConsoleOptions, usage: object) -> None:
        _print(console, options, f"Usage: {usage}")
        console.print()

    def render_description(
        self, console: Console, options: ConsoleOptions, description: RenderableType
    ) -> None:
        _print(console, options, description)


def _label(entry: HelpEntry) -> str:
    # Cyclopts 4, the last for Python 3.10, does not name the types of values.
    return ", ".join(getattr(entry, "display_labels_with_metavar", entry.all_options))


def _without_false(entry: HelpEntry) -> HelpEntry:
    """Remove the default of a flag."""
    return entry.copy(default=None) if entry.default == "False" else entry


def _print(console: Console, options: ConsoleOptions, content: RenderableType) -> None:
    """Print content without styles and trailing blanks."""
    lines = console.render_lines(content, options)
    text = "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)
    console.print(text.rstrip(), markup=False, highlight=False, soft_wrap=True)
