"""By how much every claim of the chapters holds.

    python -m notebooks.claims --arithmetics 07    chapter 07 under other processors' arithmetic
    python -m notebooks.claims --seeds 10          every chapter, ten times, with the seeds of its cells moved

Writes margins.json and margins.md: in how many runs each claim held, its smallest margin, and how far the
margin moved. A claim is near where that margin is under twice what it moved by: another machine may
decide it otherwise. How a margin is found: margins.py.
A run of the same code that is in build/margins already is not run again; after a change in reference/ delete
that folder.
"""

import argparse
import ast
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path

from notebooks import arithmetic
from notebooks.build import FOLDER, chapters, replace_whole
from notebooks.kernel import prepare_environment
from notebooks.margins import measured, run

RUNS = FOLDER.parent / "build" / "margins"
TABLE = FOLDER / "margins.json"
NEAR = 2  # times what the margin moved by: the five of a normal variable span 2.3 deviations
SHIFT = 1000
HEAD = (
    "# By how much the claims hold\n\nMade by `python -m notebooks.claims`; margins.json has every claim.\n"
)
TITLES = {"arithmetics": "Under other arithmetic", "seeds": "From other seeds"}

# All chapters, under every setting, on all cores


def settings(chosen: argparse.Namespace) -> dict[str, tuple[dict, int]]:
    """Name -> (environment, shift of the seeds) of every run of a chapter."""
    if chosen.arithmetics:
        return {name: (arithmetic.environment(name), 0) for name in arithmetic.names()}
    return {f"seed {k}": (dict(os.environ), SHIFT * k) for k in range(1, chosen.seeds + 1)}


def run_all(sources: list[Path], wanted: dict[str, tuple[dict, int]]) -> None:
    """Run every chapter under every setting, as many at once as there are cores; say how far it is."""
    todo = [(source, name) for source in sources for name in wanted if not _is_there(source, name)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(_start, source, name, *wanted[name]): (source, name) for source, name in todo}
        for k, done in enumerate(as_completed(runs), start=1):
            source, name = runs[done]
            print(f"{k} of {len(todo)}: {source.stem}, {name}: {done.result():.0f} s", flush=True)


def _result(source: Path, name: str) -> Path:
    return RUNS / source.stem / f"{name}.json"


@cache
def _code(source: Path) -> str:
    """The sum of what is run. Prose, and the evidence that claims print, may change."""
    code = "\n".join(ast.unparse(tree) for _, tree in measured(source))
    return hashlib.sha256(code.encode()).hexdigest()


def _is_there(source: Path, name: str) -> bool:
    path = _result(source, name)
    return path.exists() and json.loads(path.read_text(encoding="utf-8"))["code"] == _code(source)


def _start(source: Path, name: str, env: dict, shift: int) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "notebooks.claims", "--one", str(source), name, str(shift)]
    env = {**env, "MPLBACKEND": "Agg", "PYTHONPATH": str(FOLDER.parent)}
    done = subprocess.run(command, env=env, cwd=FOLDER, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{source.stem}, {name}: {done.stderr[-2000:]}")
    return time.perf_counter() - began


def _one(source: Path, name: str, shift: int) -> None:
    code, claims = _code(source), run(source, shift)
    path = _result(source, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_whole(path, json.dumps({"code": code, "claims": claims}, indent=1) + "\n")


# The table


def gather(source: Path, names: list[str]) -> list[dict]:
    """For each claim of a chapter in how many runs it held, its smallest margin, and what that moved by."""
    found: dict[tuple[str, int], list[dict]] = {}
    for name in names:
        seen: Counter[str] = Counter()
        for entry in json.loads(_result(source, name).read_text(encoding="utf-8"))["claims"]:
            seen[entry["claim"]] += 1
            found.setdefault((entry["claim"], seen[entry["claim"]]), []).append(entry)
    return [_row(sentence, entries, len(names)) for (sentence, _), entries in found.items()]


def _row(sentence: str, entries: list[dict], n_runs: int) -> dict:
    held = sum(entry["holds"] for entry in entries)
    row = {"claim": sentence, "held": held, "of": n_runs, "margin": None, "part": None, "moved": None}
    if known := [entry for entry in entries if entry["margin"] is not None]:
        smallest = min(known, key=lambda entry: entry["margin"])
        margins = [entry["margin"] for entry in known]
        row |= {**smallest, "claim": sentence, "moved": max(margins) - min(margins)}
        del row["holds"]
    return {key: float(f"{x:.3g}") if isinstance(x, float) else x for key, x in row.items()}


def is_near(row: dict) -> bool:
    """Whether another machine may decide the claim otherwise: it failed once, or held by too little."""
    return row["held"] < row["of"] or (row["margin"] is not None and row["margin"] < NEAR * row["moved"])


def table(rows: dict[str, list[dict]], about: str) -> str:
    """One line for each chapter and one for each claim that is near, in Markdown."""
    lines = [f"## {about}", ""]
    lines += ["| chapter | claims | held in every run | near |", "| --- | --- | --- | --- |"]
    for chapter, claims in rows.items():
        always = sum(row["held"] == row["of"] for row in claims)
        lines.append(f"| {chapter} | {len(claims)} | {always} | {sum(map(is_near, claims))} |")
    lines += ["", "| | claim that is near | held | smallest margin | moved by |"]
    lines += ["| --- | --- | --- | --- | --- |"]
    lines += [
        f"| {chapter[:2]} | {r['claim']} | {r['held']} of {r['of']} | {r['margin']} | {r['moved']} |"
        for chapter, claims in rows.items()
        for r in filter(is_near, claims)
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    """Run what is not there yet, and write the tables."""
    if arguments[:1] == ["--one"]:
        source, name, shift = arguments[1:]
        prepare_environment()
        return _one(Path(source), name, int(shift))
    parser = argparse.ArgumentParser(prog="python -m notebooks.claims")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--arithmetics", action="store_true", help="under other processors' arithmetic")
    which.add_argument("--seeds", type=int, metavar="N", help="with N other seeds")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="beginnings of names; none: all")
    chosen = parser.parse_args(arguments)
    wanted = settings(chosen)
    sources = [s for s in chapters() if not chosen.chapters or s.name.startswith(tuple(chosen.chapters))]
    run_all(sources, wanted)
    kind = "arithmetics" if chosen.arithmetics else "seeds"
    there = [s for s in chapters() if all(_is_there(s, name) for name in wanted)]
    kept = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    kept[kind] = kept.get(kind, {}) | {source.stem: gather(source, list(wanted)) for source in there}
    kept[kind] = dict(sorted(kept[kind].items()))
    replace_whole(TABLE, json.dumps(kept, indent=1) + "\n")
    pages = [table(kept[kind], title) for kind, title in TITLES.items() if kind in kept]
    replace_whole(TABLE.with_suffix(".md"), "\n".join([HEAD, *pages]))


if __name__ == "__main__":
    main(sys.argv[1:])
