"""The folder of a Space: its files, repeated builds, and folders that are refused."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from subprocess import run

import pytest
import yaml
from huggingface_hub import SpaceHardware

from playground.catalog.catalog import Catalog
from playground.engines.zerogpu.cancel_flags import CancelFlags
from playground.engines.zerogpu.gpu_function import VARIABLE
from playground.engines.zerogpu.models import GpuModels
from playground.errors import InvalidValue, Unknown
from playground.settings import Settings
from playground.spaces.build import Built, Options, build_space
from playground.spaces.marker import MARKER, built_code, read_marker
from playground.spaces.recipe import CPU, GPU, GPU_MEMORY, RUNNING, ZEROGPU, ZEROGPU_HARDWARE, read_recipe
from playground.spaces.requirements import OF_ZEROGPU, pins, space_requirements
from playground.spaces.sources import code_fingerprint
from tests.support.paths import ROOT

REQUIREMENTS = (ROOT / "requirements.txt").read_text()
TEST_REQUIREMENTS = (ROOT / "tests" / "requirements.txt").read_text()
SMALL_TOGETHER = ("galpaca-6.7b", "24gb", "laptop", "mamba-gpt-3b", "minotaur-mpt-7b")
"""Models of long contexts, whose weights alone are far smaller than a GPU."""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    settings = Settings()
    return Catalog.load(settings.card_folders, settings.template_folders)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a few files of each sort."""
    root = tmp_path_factory.mktemp("checkout")
    for path in (
        "app.py", "LICENSE", "playground/__init__.py", "playground/ui/assets/keys.js", "playground/stub.pyi",
        "playground/__pycache__/a.pyc", "playground/.secret", "playground/pocket/train.py",
        "playground/pocket/weights/pocket-galpaca/model.safetensors", "prompts/templates/galpaca.toml",
        "tests/test_a.py", "docs/page.md", "benchmarks/README.md", "data/playground.db", ".env",
        "docs/pictures/compare.png",
    ):  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"this is {path}")
    (root / "requirements.txt").write_text(REQUIREMENTS)
    return root


def build(folder: Path, catalog: Catalog, root: Path, kind: str = CPU, options: Options | None = None) -> Built:
    return build_space(folder, read_recipe(kind, (), catalog), catalog, options or Options(), root)


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_folder_holds_what_runs_and_nothing_else(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    built = build(tmp_path / "space", catalog, small)
    assert set(content(tmp_path / "space")) == {
        ".gitattributes", MARKER, "LICENSE", "README.md", "app.py", "compare.png", "requirements.txt",
        "playground/__init__.py", "playground/ui/assets/keys.js",
        "playground/pocket/weights/pocket-galpaca/model.safetensors", "prompts/templates/galpaca.toml",
    }  # fmt: skip
    assert built.files == 11
    assert built.bytes == sum(len(b) for name, b in content(tmp_path / "space").items() if name != MARKER)


def test_second_build_changes_no_byte(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    first = build(tmp_path / "space", catalog, small)
    before, times = content(tmp_path / "space"), {f: f.stat().st_mtime_ns for f in (tmp_path / "space").rglob("*.*")}
    assert build(tmp_path / "space", catalog, small) == first
    assert content(tmp_path / "space") == before
    build(tmp_path / "other", catalog, small)
    assert content(tmp_path / "other") == before
    unchanged = [file for file, time in times.items() if file.name != MARKER and file.stat().st_mtime_ns == time]
    assert len(unchanged) == len(times) - 1


def test_later_build_removes_what_the_checkout_lost_and_keeps_what_was_added(
    small: Path, catalog: Catalog, tmp_path: Path
) -> None:
    space, gone = tmp_path / "space", small / "playground" / "old" / "gone.py"
    (space / ".git").mkdir(parents=True)
    gone.parent.mkdir()
    gone.write_text("gone")
    build(space, catalog, small)
    assert (space / "playground" / "old" / "gone.py").is_file()
    gone.unlink()
    (space / "cards.toml").write_text("mine")
    build(space, catalog, small)
    assert not (space / "playground" / "old").exists()
    assert (space / "cards.toml").read_text() == "mine"
    assert (space / ".git").is_dir()
    assert "gone.py" not in (space / MARKER).read_text()


def test_folder_with_other_files_is_refused_and_left_alone(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("three years")
    with pytest.raises(InvalidValue, match=r"not empty and not an earlier build: it holds thesis.tex; name a new"):
        build(tmp_path, catalog, small)
    assert content(tmp_path) == {"thesis.tex": b"three years"}


def test_file_is_refused_as_a_folder(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "space").write_text("")
    with pytest.raises(InvalidValue, match="is a file; name a folder"):
        build(tmp_path / "space", catalog, small)


def test_folder_inside_the_code_is_refused(small: Path, catalog: Catalog) -> None:
    with pytest.raises(InvalidValue, match="inside of the code that is copied"):
        build(small / "prompts" / "space", catalog, small)
    assert not (small / "prompts" / "space").exists()


def test_changed_file_stops_the_build_until_it_may_be_replaced(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    build(tmp_path, catalog, small)
    (tmp_path / "README.md").write_text("title: My arena")
    (tmp_path / "LICENSE").unlink()
    with pytest.raises(InvalidValue, match=r": README.md changed since the last build .* add --replace"):
        build(tmp_path, catalog, small)
    assert (tmp_path / "README.md").read_text() == "title: My arena"
    build(tmp_path, catalog, small, options=Options(replace=True))
    assert "Compare open instruction models" in (tmp_path / "README.md").read_text()
    assert (tmp_path / "LICENSE").is_file(), "a deleted file comes back"


def test_interrupted_build_can_be_repeated(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    build(tmp_path / "whole", catalog, small)
    half = tmp_path / "half"
    half.mkdir()
    marker = read_marker(tmp_path / "whole")
    assert marker is not None
    (half / MARKER).write_text(replace(marker, code="").text())  # as it stands before the first file
    (half / "app.py").write_text("an older one")
    build(half, catalog, small)
    assert content(half) == content(tmp_path / "whole")


@pytest.mark.parametrize("text", ["", "[]", '{"kind": "cpu"}', '{"kind": "cpu", "code": "", "files": 1}', "\xff"])
def test_damaged_marker_is_refused(small: Path, catalog: Catalog, tmp_path: Path, text: str) -> None:
    (tmp_path / MARKER).write_bytes(text.encode("latin-1"))
    with pytest.raises(InvalidValue, match="cannot be read as the record of an earlier build"):
        build(tmp_path, catalog, small)
    assert built_code(tmp_path) == ""


def test_marker_that_names_a_file_outside_deletes_nothing(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    space = tmp_path / "space"
    build(space, catalog, small)
    document = json.loads((space / MARKER).read_text())
    document["files"]["../precious"] = "0"
    (space / MARKER).write_text(json.dumps(document))
    with pytest.raises(InvalidValue, match="outside of the folder"):
        build(space, catalog, small)
    assert (tmp_path / "precious").is_file()


def test_code_is_known_by_a_fingerprint(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    built = build(tmp_path, catalog, small)
    assert built.code == built_code(tmp_path) == code_fingerprint(small)
    assert build(tmp_path / "gpu", catalog, small, GPU).code == built.code, "the kind is not code"
    keys = small / "playground" / "ui" / "assets" / "keys.js"
    words = keys.read_text()
    keys.write_text("other")
    assert code_fingerprint(small) != built.code
    keys.write_text(words)


# The README and its settings


def front_matter(folder: Path) -> dict:
    text = (folder / "README.md").read_text()
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("---\n")[1])


@pytest.mark.parametrize("kind", RUNNING)
def test_settings_block_agrees_with_pins_files_and_the_hubs_rules(
    small: Path, catalog: Catalog, tmp_path: Path, kind: str
) -> None:
    build(tmp_path, catalog, small, kind)
    block = front_matter(tmp_path)
    assert (block["sdk"], block["sdk_version"]) == ("gradio", pins(REQUIREMENTS)["gradio"])
    assert tuple(map(int, block["python_version"].split("."))) >= (3, 11)
    assert (tmp_path / block["app_file"]).is_file()
    assert block["license"] == "apache-2.0"
    assert len(block["short_description"]) <= 60  # the hub refuses a push with a longer one
    assert block["hf_oauth"] is True
    assert block["suggested_hardware"] in {hardware.value for hardware in SpaceHardware}
    assert all(isinstance(value, str) for value in block["models"])
    recipe = read_recipe(kind, (), catalog)
    assert block["preload_from_hub"] == [card.repo for card in recipe.cards]
    assert set(block["preload_from_hub"]) <= set(block["models"])
    assert "thumbnail" not in block


def test_space_that_is_named_has_a_picture_in_link_previews(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    build(tmp_path, catalog, small, options=Options(space_id="ada/play"))
    assert front_matter(tmp_path)["thumbnail"] == "https://huggingface.co/spaces/ada/play/resolve/main/compare.png"
    assert 'Client("ada/play")' in (tmp_path / "README.md").read_text()
    with pytest.raises(InvalidValue, match="'play' is no Space; valid: owner/name"):
        build(tmp_path / "other", catalog, small, options=Options(space_id="play"))
    assert not (tmp_path / "other").exists()


def test_readme_links_to_nothing_that_is_left_out(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    build(tmp_path, catalog, small, GPU)
    for target in re.findall(r"\]\(([^)]+)\)", (tmp_path / "README.md").read_text()):
        assert target.startswith("https://huggingface.co/") or (tmp_path / target).is_file()


# Kinds and models


@pytest.mark.parametrize(("kind", "why"), [("static", "runs no models"), ("tpu", "there is no kind")])
def test_other_kinds_are_refused_in_words(catalog: Catalog, kind: str, why: str) -> None:
    with pytest.raises(InvalidValue, match=rf"{why}.*valid: cpu, gpu, zerogpu"):
        read_recipe(kind, (), catalog)


@pytest.mark.parametrize(
    ("kind", "models", "error"),
    [
        (CPU, ("orca-mini-13b",), "names orca-mini-13b; valid for --kind cpu: pocket, laptop, or two or more of smol"),
        (CPU, ("smollm2-135m",), "names smollm2-135m; valid for --kind cpu"),
        (CPU, ("laptop", "pocket"), "valid for --kind cpu"),
        (GPU, ("orca-mini-13b",), "needs two models or more"),
        (GPU, ("orca-mini-13b", "pocket-galpaca"), "pocket-galpaca is not on the hub"),
        (ZEROGPU, SMALL_TOGETHER, r"the models need 106 GB together, and ZeroGPU has 96 GB"),
    ],
)
def test_models_that_do_not_suit_are_refused(catalog: Catalog, kind: str, models: tuple[str, ...], error: str) -> None:
    with pytest.raises(InvalidValue, match=error):
        read_recipe(kind, models, catalog)


def test_space_on_a_cpu_preloads_the_line_up_for_a_laptop(catalog: Catalog) -> None:
    laptop = catalog.line_ups["laptop"].models
    assert [card.id for card in read_recipe(CPU, (), catalog).cards] == list(laptop)
    assert [card.id for card in read_recipe(CPU, laptop[:2], catalog).cards] == list(laptop[:2])
    assert read_recipe(CPU, (), catalog).hardware == "cpu-basic"


def test_only_files_that_are_named_are_preloaded(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    first, second = read_recipe(CPU, (), catalog).cards[:2]
    options = Options(files={first.repo: ("config.json", "model.safetensors")})
    build_space(tmp_path, read_recipe(CPU, (first.id, second.id), catalog), catalog, options, small)
    assert front_matter(tmp_path)["preload_from_hub"] == [f"{first.repo} config.json,model.safetensors", second.repo]


def test_space_of_pocket_models_preloads_nothing(small: Path, catalog: Catalog, tmp_path: Path) -> None:
    build_space(tmp_path, read_recipe(CPU, ("pocket",), catalog), catalog, Options(), small)
    assert "preload_from_hub" not in front_matter(tmp_path)
    assert "Five pocket models" in (tmp_path / "README.md").read_text()


def test_unknown_model_is_refused_by_name(catalog: Catalog) -> None:
    with pytest.raises(Unknown, match="no-such-model"):
        read_recipe(GPU, ("orca-mini-13b", "no-such-model"), catalog)


@pytest.mark.parametrize(
    ("models", "hardware"),
    [
        (("mamba-gpt-3b", "openalpaca-7b-2bt"), "l40sx1"),
        (("mamba-gpt-3b", "qwen3-4b"), "l4x1"),
        (("orca-mini-13b", "openalpaca-7b-2bt"), "l40sx1"),
        (("galpaca-30b", "orca-mini-13b"), "a100-large"),
    ],
)
def test_hardware_is_the_smallest_that_holds_the_models(
    catalog: Catalog, models: tuple[str, ...], hardware: str
) -> None:
    assert read_recipe(GPU, models, catalog).hardware == hardware


def test_hardware_names_are_the_hubs() -> None:
    assert {ZEROGPU_HARDWARE, *(name for name, _ in GPU_MEMORY)} <= {hardware.value for hardware in SpaceHardware}


def test_models_of_zerogpu_are_those_of_a_gpu_and_their_number_is_not_bound_to_half_of_it(catalog: Catalog) -> None:
    assert read_recipe(ZEROGPU, (), catalog).cards == read_recipe(GPU, (), catalog).cards
    five = ("openalpaca-7b-2bt", "openalpaca-7b-3bt", "minotaur-mpt-7b", "mamba-gpt-3b", "galpaca-6.7b")
    assert len(read_recipe(ZEROGPU, five, catalog).cards) == 5


@pytest.mark.parametrize("models", [SMALL_TOGETHER, SMALL_TOGETHER[1:], ("galpaca-30b", "orca-mini-13b"), ("five",)])
def test_space_on_zerogpu_is_built_for_models_that_its_engine_loads(catalog: Catalog, models: tuple[str, ...]) -> None:
    engine = GpuModels(1, {VARIABLE: "true"}, CancelFlags(1))
    fits = [fit.fits for fit in engine.plan(catalog.line_up(models)).values()]
    if all(fits):
        assert read_recipe(ZEROGPU, models, catalog).cards == catalog.line_up(models)
    else:
        with pytest.raises(InvalidValue, match="the models need"):
            read_recipe(ZEROGPU, models, catalog)


def test_quantized_model_is_refused_on_zerogpu(tmp_path: Path, catalog: Catalog) -> None:
    text = (ROOT / "playground" / "catalog" / "cards" / "orca-mini-13b.toml").read_text()
    (tmp_path / "small.toml").write_text(text.replace('id = "orca-mini-13b"', 'id = "small"\nquantization = "4bit"'))
    settings = Settings(cards=str(tmp_path))
    more = Catalog.load(settings.card_folders, settings.template_folders)
    with pytest.raises(InvalidValue, match="small is quantized, which ZeroGPU cannot load"):
        read_recipe(ZEROGPU, ("small", "mamba-gpt-3b"), more)


# Requirements


def test_requirements_are_our_pins_but_for_what_the_hub_limits(catalog: Catalog) -> None:
    ours, spaces = pins(REQUIREMENTS), pins(space_requirements(REQUIREMENTS, read_recipe(CPU, (), catalog)))
    assert {name for name in ours if ours[name] != spaces[name]} == {"pydantic"}
    assert ours.keys() == spaces.keys()


def test_zerogpu_has_the_torch_that_it_supports_and_the_package_that_lends_the_gpu(catalog: Catalog) -> None:
    ours, theirs = pins(REQUIREMENTS), pins(space_requirements(REQUIREMENTS, read_recipe(ZEROGPU, (), catalog)))
    assert {name: version for name, version in theirs.items() if version != ours.get(name)} == {
        "pydantic": "2.12.5", **OF_ZEROGPU
    }  # fmt: skip
    assert pins(TEST_REQUIREMENTS)["spaces"] == OF_ZEROGPU["spaces"], "the tests run with another one"


def test_torch_comes_from_the_given_index(catalog: Catalog) -> None:
    cpu = read_recipe(CPU, (), catalog)
    lines = space_requirements(REQUIREMENTS, cpu, "https://wheels.example/cpu").splitlines()
    assert lines[1] == "--extra-index-url https://wheels.example/cpu"
    with pytest.raises(InvalidValue, match="'wheels'; valid: an address"):
        space_requirements(REQUIREMENTS, cpu, "wheels")
    with pytest.raises(InvalidValue, match="--torch-index is for --kind cpu"):
        space_requirements(REQUIREMENTS, read_recipe(GPU, (), catalog), "https://wheels.example/cpu")


def test_requirement_without_a_pin_is_refused(catalog: Catalog) -> None:
    with pytest.raises(InvalidValue, match="'torch>=2'; a Space needs pins"):
        space_requirements("gradio==6.31.0\ntorch>=2\n", read_recipe(CPU, (), catalog))


# The real checkout


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> Path:
    folder = tmp_path_factory.mktemp("real")
    build_space(folder, read_recipe(CPU, (), catalog), catalog, Options())
    return folder


@pytest.mark.slow
def test_built_program_imports_every_module_of_the_page(real: Path) -> None:
    code = "import app, playground.ui.site, playground.engines.local.worker.main, playground.cli; print('here')"
    done = run([sys.executable, "-c", code], cwd=real, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.strip() == "here", done.stderr


def test_built_folder_is_small_and_has_no_machine_in_it(real: Path) -> None:
    files = content(real)
    assert sum(map(len, files.values())) < 60e6
    assert not [name for name in files if name.startswith(("tests/", "docs/", "benchmarks/", "data/"))]
    assert not [name for name, data in files.items() if str(ROOT).encode() in data]
