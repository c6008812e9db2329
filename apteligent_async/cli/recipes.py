"""``apteligent recipes``: what comes with the package to be pulled again and again, and its text to be copied."""

from __future__ import annotations

from apteligent_async.bulk.recipes.recipe import find_recipe, recipe_names, recipe_text
from apteligent_async.cli.showing.output import open_console

__all__ = ["recipes"]


def recipes(name: str | None = None, /) -> None:
    """List the recipes, or print one, to be copied and changed.

        apteligent recipes
        apteligent recipes grouped > ours.toml
        apteligent watch --recipe ours.toml

    Args:
        name: Recipe to print.

    """
    if name is not None:
        print(recipe_text(name), end="")
        return
    console = open_console(as_json=False)
    for each in map(find_recipe, recipe_names()):
        console.print(f"{each.name:10} every {each.every_minutes:3} min  {each.about}", soft_wrap=True)
