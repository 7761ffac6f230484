"""A run and the baseline in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

from benchmarks.report import Results
from benchmarks.run import Row

# Told apart by people who see colours differently, and in grey.
NOW, THEN, AIM = "#8fbcdb", "#1c2b36", "#d1495b"
ROW_INCHES = 0.36
# The ends of the scale; at the right one stand the figures.
LEAST, FIGURES_AT = 0.001, 4.0
NAMES = {"mariadb": "MariaDB", "sqlite": "SQLite"}


def draw(found: Results, before: Results | None, path: Path) -> None:
    """Write the picture: a panel a database, a bar a case, on a logarithmic scale of Y."""
    kinds = list(found.databases)
    longest = max(len(rows) for rows in found.databases.values())
    figure, panels = plt.subplots(
        1,
        len(kinds),
        figsize=(4 + 5.2 * len(kinds), 1.9 + ROW_INCHES * longest),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for panel, kind in zip(panels[0], kinds, strict=True):
        _panel(panel, found.databases[kind], _then(before, kind))
        panel.set_title(NAMES.get(kind, kind), fontsize=12, fontweight="bold")
    figure.suptitle(
        f"Calls a second, as a share of Y (an empty Flask answer) · {found.users:,} users,"
        f" {found.rows / 1e6:g} million phone book rows",
        fontsize=12,
    )
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.savefig(path, dpi=110, facecolor="white")
    plt.close(figure)


def _panel(panel: Any, rows: Sequence[Row], then: dict[str, float]) -> None:
    places = list(range(len(rows)))
    panel.barh(places, [row.ratio for row in rows], height=0.56, color=NOW, label="this run", zorder=2)
    for row, place in zip(rows, places, strict=True):
        panel.text(FIGURES_AT, place, f"{row.ratio:.3f}", va="center", ha="right", fontsize=9)
    _ticks(panel, {place: then[row.name] for row, place in _both(rows, places) if row.name in then}, THEN)
    _ticks(panel, {place: row.aim for row, place in _both(rows, places) if row.aim}, AIM)
    panel.set_yticks(places, [row.name for row in rows], fontsize=9)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_xscale("log")
    panel.set_xlim(LEAST, FIGURES_AT)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g} Y"))
    panel.grid(axis="x", color="#e3e7ea", zorder=0)
    panel.tick_params(length=0)
    for side in ("top", "right", "left"):
        panel.spines[side].set_visible(False)


def _ticks(panel: Any, at: dict[int, float], color: str) -> None:
    label = "aim" if color == AIM else "baseline"
    panel.scatter(
        list(at.values()), list(at), marker="|", s=240, linewidths=2.4, color=color, label=label, zorder=3
    )


def _both(rows: Sequence[Row], places: Sequence[int]) -> zip[tuple[Row, int]]:
    return zip(rows, places, strict=True)


def _then(before: Results | None, kind: str) -> dict[str, float]:
    return {row.name: row.ratio for row in before.databases.get(kind, ())} if before else {}
