# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The package for a review meeting
#
# A committee meets on some fifty projects of the plan. The chair needs the list of projects that cannot go on, the reviewer a
# document per project, the surveyor a layer for QGIS, the office a workbook, and all of them a map. One screening gives all of
# them, and each file names its data and rules.
#
# The city is the reference city: **schematic** data, not to be used for approval.

# %%
import datetime as dt
from pathlib import Path

import matplotlib.image as mpimg
import matplotlib.pyplot as plt
import pandas as pd

import lzgis as lz

pd.set_option("display.max_colwidth", 50)
folder = Path("meeting")

# %% [markdown]
# ## 1. Which projects?
#
# The sites are read once; assumptions are listed.

# %%
city = lz.open_catalogue(lz.reference_city())
sites = lz.read_sites(city.root / "sites.gpkg")
for problem in sites.problems:
    print(problem)
print(len(sites.frame), "projects;", sites.frame.geom_type.value_counts().to_dict())

# %% [markdown]
# ## 2. What are the verdicts on the day of the meeting?

# %%
report = lz.screen(sites, city, as_of="2026-11-21", made_at=dt.datetime(2026, 11, 20, 16, 0))
report.verdicts["verdict"].value_counts().rename("projects").to_frame()

# %%
colours = {"存在禁止性冲突": "#d7191c", "需进一步论证": "#fdae61", "核查不完整": "#b07aa1", "未发现冲突": "#1a9641"}
english = {"存在禁止性冲突": "prohibited", "需进一步论证": "needs proof", "核查不完整": "incomplete", "未发现冲突": "none found"}
counts = report.verdicts["verdict"].value_counts().reindex(colours).fillna(0)
figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5), width_ratios=[1, 2])
left.barh([english[v] for v in counts.index], counts, color=list(colours.values()))
left.invert_yaxis()
left.set_xlabel("projects")
report.layers["city"].frame.boundary.plot(ax=right, color="#666666", linewidth=1)
report.layers["redline"].frame.plot(ax=right, color="#f7c6c0", linewidth=0)
points = report.sites.geometry.representative_point()
for verdict, colour in colours.items():
    chosen = points[(report.verdicts["verdict"] == verdict).to_numpy()]
    if len(chosen):
        chosen.plot(ax=right, color=colour, markersize=28, edgecolor="black", linewidth=0.4, label=english[verdict])
right.legend(loc="lower right", title="verdict (pale red: redline)", fontsize=8)
right.set(title="Schematic data; not to be used for approval", xlabel="longitude", ylabel="latitude")
plt.show()

# %% [markdown]
# ## 3. What goes on the agenda first?
#
# One line per project with the rules that forbid it, the most severe verdict first. A project whose check is incomplete goes on
# the agenda too: it is not known to be free of conflicts.

# %%
order = {verdict: rank for rank, verdict in enumerate(colours)}
titles = {rule.id: rule.title for rule in report.book.rules}


def named(rules: tuple[str, ...]) -> str:
    """Titles of rules."""
    return "；".join(titles[rule] for rule in rules)


agenda = report.verdicts.assign(
    rank=report.verdicts["verdict"].map(order),
    forbids=report.verdicts["prohibited"].map(named),
    not_checked_for=report.verdicts["not_checked"].map(named),
).sort_values(["rank", "site_id"])
agenda[["site_id", "site_name", "verdict", "forbids", "not_checked_for"]].head(12).reset_index(drop=True)

# %% [markdown]
# Does a verdict depend on a digitising error? The ladder gives the verdict with overlaps up to 0, 50, 200 and 1000 m²
# disregarded. The verdicts of these projects change:

# %%
ladder = report.verdicts[report.verdicts["ladder"].map(lambda steps: len(set(steps)) > 1)]
pd.DataFrame(ladder["ladder"].tolist(), index=ladder["site_name"], columns=[f"≤ {a:g} m²" for a in report.book.tolerance.ladder_m2])

# %% [markdown]
# ## 4. What was not checked, and why?
#
# The committee must know what was not checked, and can ask the owners for missing layers before the meeting.

# %%
missing = [p for p in report.problems if p.level == "warning"]
print("\n".join(str(problem) for problem in missing))

# %% [markdown]
# ## 5. Which files does each participant get?
#
# The workbook is for the office, the GeoPackage for QGIS, the page with the map for the meeting room (it needs no network), and
# the JSON for a re-check with a new version of the data.

# %%
for name in ("report.xlsx", "findings.gpkg", "map.html", "report.json"):
    path = lz.export(report, folder / name)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# The overview and a map of each of the two projects at the top of the agenda are drawn for paper, with legend, scale, source
# and date. A map number (审图号) is printed only if the user gives one.

# %%
overview = lz.write_maps(report, folder / "maps", language="en")
first = agenda["site_id"].iloc[:2].tolist()
details = lz.write_maps(report, folder / "maps", first, language="en")
for path in (*overview, *details):
    print(path)
figure, ax = plt.subplots(figsize=(12, 8.5), layout="constrained")
ax.imshow(mpimg.imread(details[0]), interpolation="antialiased")
ax.set_axis_off()
plt.show()

# %% [markdown]
# ## 6. What does the reviewer get?
#
# A Word document per project: the facts are filled in, the judgement (符合情况, 说明) is left to the person who signs. Here
# for the same two projects.

# %%
few = lz.screen(sites.frame[sites.frame["id"].isin(first)], city, as_of="2026-11-21")
for path in lz.export_projects(few, folder / "projects", ["docx"]):
    print(f"{path}  {path.stat().st_size / 1e3:.0f} kB")

# %% [markdown]
# ## 7. Which data were used?
#
# Each file contains the SHA-256 of every source, which identifies the versions that the meeting used.

# %%
pd.DataFrame([(s.role, s.name, s.version, s.sha256[:12]) for s in report.provenance.sources][:6], columns=["role", "file", "version", "sha256"])
