"""``space``: write the folder of a Hugging Face Space, and check a running one.

Boundary: reads arguments and prints; `spaces` does the work.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import playground
from playground.catalog.catalog import Catalog
from playground.cli.printing import print_json, print_result
from playground.cli.report import default_report
from playground.errors import HubError, InvalidValue
from playground.hub import listed_files
from playground.records import ModelCard
from playground.report.document import document
from playground.report.report import TITLE
from playground.report.writing import read_page
from playground.settings import Settings
from playground.settings_sources import add_flags
from playground.spaces.build import Built, Options, build_space
from playground.spaces.check import HUB, Access, check_space, space_url
from playground.spaces.front_matter import check_space_id
from playground.spaces.judging import Expected, SpacePoint
from playground.spaces.recipe import CPU, KINDS, STATIC, read_recipe
from playground.spaces.sources import code_fingerprint
from playground.spaces.static import build_static


def add(command: argparse.ArgumentParser) -> None:
    """Add the arguments of ``space build`` and ``space check``."""
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    words = "write the folder that is pushed to a Space"
    build = actions.add_parser("build", help=words, description=words)
    build.add_argument("folder", metavar="DIR", type=Path, help="a new or empty folder, or one of an earlier build")
    build.add_argument("--kind", default=CPU, help=f"{', '.join(KINDS)} [{CPU}]")
    build.add_argument(
        "--models",
        default="",
        help="card ids or line-ups to preload from the hub, comma separated; with --kind cpu: of the line-up laptop",
    )
    build.add_argument(
        "--space", default="", metavar="OWNER/NAME", help="the Space, for its link preview and its README"
    )
    build.add_argument(
        "--torch-index", default="", metavar="URL", help="with --kind cpu: an index with CPU builds of torch"
    )
    build.add_argument(
        "--report", type=Path, metavar="FILE", help="with --kind static: a file of `report`; default: a report of --db"
    )
    build.add_argument("--replace", action="store_true", help="overwrite files that changed since the last build")
    build.add_argument(
        "--json", action="store_true", help="one object {kind, folder, files, bytes, code, hardware, models}"
    )
    add_flags(build, "db", "cards", "templates", "prior", "count_chosen")
    build.set_defaults(run=run_build)
    words = "look at a running Space from outside"
    check = actions.add_parser("check", help=words, description=words)
    check.add_argument("url", metavar="URL", help="an address, a Space's page on the hub, or owner/name")
    check.add_argument("--frame", default=HUB, metavar="ORIGIN", help=f"the site that frames the page [{HUB}]")
    check.add_argument("--json", action="store_true", help="one object {url, ok, points: [{name, ok, found, cure}]}")
    check.set_defaults(run=run_check)


def run_build(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Write the folder and print the next steps."""
    if arguments.kind == STATIC:
        return _run_static(arguments, settings, out)
    if arguments.report is not None:
        raise InvalidValue(f"--report is for --kind {STATIC}; a Space of another kind makes its own pages")
    catalog = Catalog.load(settings.card_folders, settings.template_folders)
    models = tuple(name.strip() for name in arguments.models.split(",") if name.strip())
    recipe = read_recipe(arguments.kind, models, catalog)
    files, whole = _files_to_preload(recipe.cards)
    options = Options(arguments.space, arguments.torch_index, arguments.replace, files)
    built = build_space(arguments.folder, recipe, catalog, options)
    text = "".join(
        f"{repo} is preloaded whole, with files that it does not need: {why}\n" for repo, why in whole.items()
    )
    print_result({**asdict(built), "preloaded_whole": whole}, text + _next_steps(built, options), arguments.json, out)
    return 0


def _files_to_preload(cards: Sequence[ModelCard]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return the needed files by repository, as the hub lists them, and why not by repository that it did not list.

    Raises:
        CheckpointError: a repository lacks what a model needs.
    """
    files: dict[str, tuple[str, ...]] = {}
    whole: dict[str, str] = {}
    for card in cards:
        try:
            files[card.repo] = listed_files(card.repo, card.revision)
        except HubError as error:
            whole[card.repo] = str(error)
    return files, whole


def _run_static(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Write the folder of a static Space, whose page is a report."""
    if arguments.models or arguments.torch_index:
        raise InvalidValue("--models and --torch-index are for Spaces that run models; a static one shows a report")
    space = check_space_id(arguments.space) if arguments.space else "OWNER/NAME"
    page = document(default_report(settings)).encode() if arguments.report is None else read_page(arguments.report)
    built = build_static(arguments.folder, page, TITLE, replace=arguments.replace)
    steps = (
        f"{built.folder}: {built.files} files, {built.bytes / 1e6:,.1f} MB, a Space of kind {built.kind}\n"
        "It shows the report alone. `publish` writes the votes as data, to a dataset of the hub.\n"
        "Next:\n"
        f"  hf repos create {space} --type space --space-sdk static\n"
        f"  hf upload {space} {built.folder} . --type space"
    )
    print_result(asdict(built), steps, arguments.json, out)
    return 0


def _next_steps(built: Built, options: Options) -> str:
    space = options.space_id or "OWNER/NAME"
    torch = (
        "torch is its default build, with gigabytes of CUDA libraries that a CPU does not need. For the CPU build add "
        "--torch-index\nwith the address that pytorch.org's installation page shows for pip and CPU.\n"
        if built.kind == CPU and not options.torch_index
        else ""
    )
    size = f"{built.files} files, {built.bytes / 1e6:,.1f} MB"
    return (
        f"{built.folder}: {size}, a Space of kind {built.kind}, build {built.code}\n"
        f"{torch}Next:\n"
        f"  hf repos create {space} --type space --space-sdk gradio --flavor {built.hardware}\n"
        f"  hf upload {space} {built.folder} . --type space\n"
        f"  python -m playground space check {space}"
    )


def run_check(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """Print each point as it is known, the cure below a failed one; return 1 if any failed."""
    url = space_url(arguments.url)
    gradio = importlib.metadata.version("gradio")
    expected = Expected(playground.__version__, gradio, code_fingerprint(), arguments.frame)
    access = Access(os.environ.get("HF_TOKEN", ""), settings.password)
    points: list[SpacePoint] = []
    for point in check_space(url, expected, access):
        points.append(point)
        if not arguments.json:
            print(_line(point), file=out, flush=True)
    failed = sum(not point.ok for point in points)
    if arguments.json:
        print_json({"url": url, "ok": not failed, "points": [asdict(point) for point in points]}, out)
    else:
        print(f"{url}: {f'{failed} of {len(points)} points failed' if failed else 'all is well'}", file=out)
    return 1 if failed else 0


def _line(point: SpacePoint) -> str:
    line = f"{'ok' if point.ok else 'failed':<8}{point.name:<26}{point.found}"
    return f"{line}\n{'':<34}{point.cure}" if point.cure else line
