"""The arrows between modules point down only, and nothing in the package does what it must never do.

A rule looks at sources alone, a dict of module name -> text, so that it can be tried on a broken house.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# The approaches that an approach may import, because its idea builds on theirs.
BUILDS_ON = {
    "relation": {"prototypical"},
    "meta_sgd": {"maml"},
    "reptile": {"maml"},
    "triplet": {"siamese"},
}

# Each floor and those it may import. What stands in scratch/ or pytorch/ and not in FLOOR is an approach.
GROUND = {
    "contracts": set(),
    "episodes": {"contracts"},
    "params": {"contracts"},
    "rules": {"contracts", "params"},
    "progress": set(),
    "evaluation": {"contracts", "episodes", "progress"},
    "verification": {"contracts", "episodes", "evaluation"},
    "meta_train": {"contracts", "params", "progress", "rules"},
}
ROOMS = {
    **GROUND,
    "tasks": {"tasks", "contracts", "episodes", "progress"},
    "baselines": {"episodes", "params"},
    "results": {"contracts"},
    "doctor": {"tasks", "scratch.autodiff"},
    "checks": {"checks"},
    "plotting": {"plotting"},
    "figures": {"figures", "plotting", *GROUND},
    "widgets": {"figures", "plotting"},
    "grade": {"grade", "checks"},
    "scratch.autodiff": {"scratch.autodiff"},
    "scratch.floor": {"scratch.floor", "scratch.autodiff", *GROUND},
    "scratch.approach": {"scratch.floor", "scratch.autodiff", *GROUND},
    "pytorch.machine": {"pytorch.machine", "results", *GROUND},
    "pytorch.floor": {"pytorch.floor", *GROUND},
    "pytorch.approach": {"pytorch.floor", "pytorch.machine", *GROUND},
}
FLOOR = {"nn", "unroll", "batches"}
# What has no twin on the other side, and why.
ONE_SIDED = {
    "scratch.autodiff": "the engine; PyTorch brings its own",
    "pytorch.machine": "devices, files of weights and speed are PyTorch's matter; NumPy has one device",
    "pytorch.nn.modules": "networks as nn.Module and as functions are two things in PyTorch alone",
}
# The levels of experiments/: a file may import what stands lower. The rest are methods and what they share.
LEVELS = ("saving", "training", "runner", "bench columns")
ONLY_IN = {"torch": "pytorch", "ipywidgets": "widgets", "matplotlib": "plotting figures", "sklearn": "tasks"}
FORBIDDEN_NAMES = {"utils", "core", "base", "helpers", "common", "misc", "numpy", "torch"}
GENERATORS = {"default_rng", "Generator", "SeedSequence", "PCG64", "Philox"}

Sources = dict[str, str]


def sources(*folders: str) -> Sources:
    """Module name -> text of every Python file in these folders."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return {_module_name(path): path.read_text(encoding="utf-8") for path in paths}


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(text: str, modules: Sources) -> set[str]:
    """What a text imports, in functions too: a module of the house by its full name, else the library."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {_nearest(name, modules) for name in names}


def _nearest(name: str, modules: Sources) -> str:
    while name not in modules and "." in name:
        name = name.rpartition(".")[0]
    return name


def room(module: str) -> str:
    """The floor a module of `reference` stands on."""
    parts = module.removeprefix("reference").strip(".").split(".")
    if parts[0] not in ("scratch", "pytorch") or len(parts) == 1:
        return parts[0]
    if parts[:2] in (["scratch", "autodiff"], ["pytorch", "machine"]):
        return ".".join(parts[:2])
    return f"{parts[0]}.{'floor' if parts[1] in FLOOR else 'approach'}"


def arrows_point_down(modules: Sources) -> Iterator[str]:
    """A module imports from below, and an approach another one only where it builds on it."""
    for module, text in modules.items():
        for target in imported(text, modules) - {module}:
            here, there = room(module), room(target)
            name, other = module.rpartition(".")[2], target.rpartition(".")[2]
            allowed = there in ROOMS.get(here, set()) or (here == there and other in BUILDS_ON.get(name, ()))
            if target.split(".")[0] in ("notebooks", "tests", "experiments", "datasets"):
                yield f"{module} imports {target}, which stands above it"
            elif target in modules and not allowed:
                yield f"{module} imports {target}: {here} must not know {there}"


def has_no_cycle(modules: Sources) -> Iterator[str]:
    """No module imports itself by way of others. (A package that gathers its own modules does not count.)"""
    graph = {
        m: {t for t in imported(text, modules) if not f"{m}.".startswith(f"{t}.")}
        for m, text in modules.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"import cycle: {' -> '.join(error.args[1])}"


def keeps_libraries_in_their_place(modules: Sources) -> Iterator[str]:
    """torch in pytorch/ alone, ipywidgets in widgets.py alone, and so on."""
    for module, text in modules.items():
        place = module.split(".")[1] if "." in module else ""
        for library in imported(text, modules) & ONLY_IN.keys():
            if place not in ONLY_IN[library].split():
                yield f"{module} imports {library}; only {ONLY_IN[library]} may"


def names_say_something(modules: Sources) -> Iterator[str]:
    """No module or folder is called utils or the like."""
    for module in modules:
        for name in FORBIDDEN_NAMES & set(module.split(".")):
            if module != "reference.scratch.autodiff.core":
                yield f"{module} is called {name}"


def has_no_global_randomness(modules: Sources) -> Iterator[str]:
    """Every draw comes from a generator that was passed in."""
    for module, text in modules.items():
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Attribute):
                continue
            owner, name = ast.unparse(node.value), node.attr
            legacy = owner in {"np.random", "numpy.random"} and name not in GENERATORS
            if legacy or (owner in {"torch", "torch.random"} and name in {"manual_seed", "seed"}):
                yield f"{module}:{node.lineno} uses the global {owner}.{name}"
        if "random" in imported(text, modules):
            yield f"{module} imports random"


def draws_are_seeded(modules: Sources) -> Iterator[str]:
    """No generator takes its seed from the clock, but in a wrong answer that is to be told so."""
    for module, text in modules.items():
        if ".answers." in module:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node).endswith("default_rng()"):
                yield f"{module}:{node.lineno} draws without a seed"


def runs_no_foreign_code(modules: Sources) -> Iterator[str]:
    """No pickle and nothing that opens one, no eval or exec."""
    for module, text in modules.items():
        if found := imported(text, modules) & {
            "pickle",
            "dill",
            "joblib",
            "cloudpickle",
            "shelve",
            "marshal",
        }:
            yield f"{module} imports {', '.join(found)}"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.keyword) and (node.arg, ast.unparse(node.value)) in {
                ("allow_pickle", "True"),
                ("weights_only", "False"),
                ("known_hash", "None"),
            }:
                yield f"{module}:{node.lineno} says {node.arg}={ast.unparse(node.value)}"
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in {"eval", "exec"}
                and module != "notebooks.margins"  # it runs the chapters, which are ours
            ):
                yield f"{module}:{node.lineno} calls {node.func.id}"


def says_what_it_is(modules: Sources) -> Iterator[str]:
    """Every module begins with a docstring; that of an approach says how it differs from its paper."""
    for module, text in modules.items():
        tree = ast.parse(text)
        doc = ast.get_docstring(tree) or ""
        if tree.body and not doc:
            yield f"{module} has no docstring"
        if room(module).endswith(".approach") and "Differs from the paper:" not in doc:
            yield f"{module} does not say 'Differs from the paper:'"


def keeps_annotations(modules: Sources) -> Iterator[str]:
    """Shapes in annotations are checked at run time, which annotations turned into strings would weaken."""
    for module, text in modules.items():
        if "from __future__ import annotations" in text:
            yield f"{module} imports annotations from __future__"


def both_sides_have_every_file(modules: Sources) -> Iterator[str]:
    """scratch/ and pytorch/ hold the same files under the same names, but for those declared one-sided."""
    names = {
        side: {m.removeprefix(f"reference.{side}.") for m in modules if m.startswith(f"reference.{side}.")}
        for side in ("scratch", "pytorch")
    }
    for side, other in (("scratch", "pytorch"), ("pytorch", "scratch")):
        for name in sorted(names[side]):
            declared = any(f"{side}.{name}.".startswith(f"{one}.") for one in ONE_SIDED)
            if declared == (name in names[other]):
                yield f"{side}.{name} " + (
                    "has a twin; take it from ONE_SIDED" if declared else "has no twin"
                )


def experiments_stand_on_one_runner(modules: Sources) -> Iterator[str]:
    """A method -> runner -> training -> saving; no script imports a script."""
    for module, text in modules.items():
        if not module.startswith("experiments."):
            continue
        for target in imported(text, modules) - {module}:
            if not target.startswith("experiments."):
                continue
            if _level(target) > _level(module) or (_level(target) == _level(module) < len(LEVELS)):
                yield f"{module} imports {target}, which stands above it"
            elif _level(target) == len(LEVELS) and _is_script(modules[target]):
                yield f"{module} imports {target}, which is a script"


def _level(module: str) -> int:
    name = module.removeprefix("experiments.")
    return next((i for i, names in enumerate(LEVELS) if name in names.split()), len(LEVELS))


def _is_script(text: str) -> bool:
    """Whether it runs something when it is run: its last statement is a guard or a call of main."""
    last = ast.unparse(ast.parse(text).body[-1:])
    return "__name__" in last or ".main(" in last


def every_module_has_a_test_of_its_name(modules: Sources) -> Iterator[str]:
    """reference/a/b.py is tested by tests/a/test_b.py; what holds for both sides stands in tests/both/."""
    for module, text in modules.items():
        _, *folders, name = module.split(".") if "." in module else ("", module)
        if not module.startswith("reference.") or not _says_something(text):
            continue
        both = ["both", *folders[1:]] if folders[:1] in (["scratch"], ["pytorch"]) else folders
        named = {".".join(["tests", *place, f"test_{name}"]) for place in (folders, both)}
        if not named & modules.keys():
            yield f"{module}: no {max(named)}"


def _says_something(text: str) -> bool:
    """Whether it defines anything: a package that gathers its modules does not."""
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in ast.parse(text).body)


RULES = (
    arrows_point_down,
    has_no_cycle,
    keeps_libraries_in_their_place,
    names_say_something,
    has_no_global_randomness,
    draws_are_seeded,
    runs_no_foreign_code,
    says_what_it_is,
    keeps_annotations,
    both_sides_have_every_file,
    experiments_stand_on_one_runner,
    every_module_has_a_test_of_its_name,
)


LOOKS_AT = {
    draws_are_seeded: ["reference", "tests"],
    experiments_stand_on_one_runner: ["experiments"],
    every_module_has_a_test_of_its_name: ["reference", "tests"],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule):
    assert list(rule(sources(*LOOKS_AT.get(rule, ["reference"])))) == []


@pytest.mark.parametrize(
    "rule", [runs_no_foreign_code, has_no_global_randomness], ids=lambda rule: rule.__name__
)
def test_what_stands_around_the_package_keeps_it_too(rule):
    assert list(rule(sources("experiments", "datasets", "notebooks"))) == []


def test_importing_the_package_imports_nothing_heavy():
    heavy = "{'numpy', 'torch', 'matplotlib', 'sklearn', 'ipywidgets', 'PIL', 'pooch', 'tqdm'}"
    code = f"import sys, reference; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


DOC = '"""Differs from the paper: nothing."""\n'
MAML, SGD = "reference.scratch.maml", "reference.scratch.meta_sgd"
BROKEN = [
    (arrows_point_down, {MAML: "from reference.scratch import reptile", "reference.scratch.reptile": ""}),
    (arrows_point_down, {MAML: "import reference.pytorch.nn", "reference.pytorch.nn": ""}),
    (
        arrows_point_down,
        {"reference.pytorch.maml": "from reference.scratch.nn import mlp", "reference.scratch.nn": ""},
    ),
    (arrows_point_down, {"reference.scratch.unroll": f"def f():\n    from {MAML} import adapt", MAML: ""}),
    (
        arrows_point_down,
        {"reference.episodes": "from reference import evaluation", "reference.evaluation": ""},
    ),
    (arrows_point_down, {"reference.tasks.bank": f"import {MAML}", MAML: ""}),
    (arrows_point_down, {"reference.evaluation": "from experiments.tables import omniglot"}),
    (arrows_point_down, {"reference.attic": "from reference.nn import x", "reference.nn": ""}),
    (
        has_no_cycle,
        {"reference.tasks.a": "import reference.tasks.b", "reference.tasks.b": "import reference.tasks.a"},
    ),
    (keeps_libraries_in_their_place, {MAML: "import torch.nn as nn"}),
    (keeps_libraries_in_their_place, {MAML: "def f():\n    from torch import nn"}),
    (keeps_libraries_in_their_place, {"reference.plotting": "from ipywidgets import interact"}),
    (keeps_libraries_in_their_place, {MAML: "import matplotlib.pyplot as plt"}),
    (names_say_something, {"reference.tasks.utils": ""}),
    (names_say_something, {"reference.torch.maml": ""}),
    (has_no_global_randomness, {MAML: "import numpy as np\nnp.random.seed(0)"}),
    (has_no_global_randomness, {MAML: "import numpy as np\nx = np.random.rand(3)"}),
    (has_no_global_randomness, {MAML: "import torch\ntorch.manual_seed(0)"}),
    (has_no_global_randomness, {MAML: "from random import shuffle"}),
    (draws_are_seeded, {"tests.test_a": "import numpy as np\nrng = np.random.default_rng()"}),
    (runs_no_foreign_code, {MAML: "import pickle"}),
    (runs_no_foreign_code, {MAML: "import numpy as np\nnp.load(f, allow_pickle=True)"}),
    (runs_no_foreign_code, {MAML: "import torch\ntorch.load(f, weights_only=False)"}),
    (runs_no_foreign_code, {MAML: "eval('1')"}),
    (says_what_it_is, {"reference.tasks.a": "x = 1"}),
    (says_what_it_is, {MAML: '"""Learns to learn."""'}),
    (keeps_annotations, {MAML: f"{DOC}from __future__ import annotations"}),
    (both_sides_have_every_file, {MAML: DOC}),
    (both_sides_have_every_file, {"reference.scratch.autodiff": "", "reference.pytorch.autodiff": ""}),
    (
        experiments_stand_on_one_runner,
        {"experiments.training": "from experiments import runner", "experiments.runner": ""},
    ),
    (
        experiments_stand_on_one_runner,
        {"experiments.runner": "from experiments.a.maml import TASKS", "experiments.a.maml": ""},
    ),
    (
        experiments_stand_on_one_runner,
        {
            "experiments.a.reptile": "from experiments.a import maml",
            "experiments.a.maml": "runner.main(MAML)",
        },
    ),
    (every_module_has_a_test_of_its_name, {MAML: "def adapt(): pass"}),
    (every_module_has_a_test_of_its_name, {MAML: "def adapt(): pass", "tests.scratch.test_reptile": ""}),
    (every_module_has_a_test_of_its_name, {MAML: "def adapt(): pass", "tests.test_maml": ""}),
]


@pytest.mark.parametrize(
    ("rule", "house"), BROKEN, ids=[f"{r.__name__}-{i}" for i, (r, _) in enumerate(BROKEN)]
)
def test_a_broken_house_is_noticed(rule, house):
    assert list(rule(house))


def test_every_rule_is_tried_on_a_broken_house():
    assert {rule for rule, _ in BROKEN} == set(RULES)


def test_what_is_allowed_passes():
    house = {
        "reference": '"""A map."""',
        MAML: f"{DOC}from reference.scratch.autodiff import grad\nfrom reference.episodes import Episode",
        SGD: f"{DOC}from reference.scratch import maml\nimport numpy as np\nrng = np.random.default_rng(0)",
        "reference.pytorch.maml": f"{DOC}import torch\nmodel.eval()",
        "reference.pytorch.meta_sgd": f"{DOC}from reference.pytorch.maml import adapt",
        "reference.scratch.autodiff": "'The engine.'\nfrom reference.scratch.autodiff.tensor import grad",
        "reference.scratch.autodiff.tensor": "'A tensor.'",
        "reference.episodes": "'Nouns.'",
        "experiments.a.maml": "from experiments import runner, training\nrunner.main(MAML)",
        "experiments.runner": "from experiments import training",
        "experiments.training": "",
    }
    for rule in RULES:
        folders = LOOKS_AT.get(rule, ["reference"])
        assert list(rule({m: text for m, text in house.items() if m.split(".")[0] in folders})) == []


def test_a_new_method_is_new_files_alone():
    """A learner on both sides, its test and its run, beside what is there: no rule and no table changes."""
    learner = (
        f"{DOC}from reference.episodes import Episode, check_support\nfrom reference.params import Params\n"
        "from reference.rules import Rule\nfrom reference.{side}.nn import mlp\n"
        "from reference.{side}.unroll import unroll, value_and_grad\n\ndef adapt(): ..."
    )
    new = {
        "reference.scratch.new_learner": learner.format(side="scratch").replace(", value_and_grad", ""),
        "reference.pytorch.new_learner": learner.format(side="pytorch"),
        "tests.both.test_new_learner": "def test_it(): ...",
        "experiments.omniglot.new_learner": "from experiments import runner\n"
        "from experiments.omniglot.data import banks\n"
        "from reference.pytorch import new_learner\nrunner.main(EXPERIMENT)",
    }
    for rule in RULES:
        house = sources(*LOOKS_AT.get(rule, ["reference"]))
        house |= {m: text for m, text in new.items() if m.split(".")[0] in LOOKS_AT.get(rule, ["reference"])}
        assert list(rule(house)) == []
