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
# # May this be built here?
#
# A planner has a project and wants to know, before anyone signs anything: does it lie in the ecological redline, in a
# reserve, in a drinking-water zone, too near to a road? By how much, under which clause? And what was *not* checked?
#
# The city below is the reference city that comes with lzgis: the outline is that of Lianzhou 连州市, everything inside it is
# **schematic**. Replace the folder by your own and the rest of this page stays as it is.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import lzgis as lz

pd.set_option("display.max_colwidth", 60)

# %% [markdown]
# ## 1. What the city holds
#
# A city is a folder: layers, a catalogue that says what they are, a rule book. Opening it reads nothing yet.

# %%
city = lz.open_catalogue(lz.reference_city())
print(city.city.name, "-", city.city.notice)
pd.DataFrame(
    [(name, layer.title, layer.status, layer.basis) for name, layer in city.layers.items()],
    columns=["layer", "title", "status", "where it comes from"],
)

# %% [markdown]
# Documents declare figures: so many square kilometres of redline, so many control units. lzgis measures every one of them
# and puts the two side by side. It never scales a layer to make a figure come true; where they differ, that is something
# to ask the owner of the layer about.

# %%
pd.DataFrame(
    [
        (m.layer, m.declared.what, m.declared.value, round(m.measured, 4), "yes" if m.holds else "no", m.declared.basis)
        for name in city.layers
        for m in lz.measure_declared(city, name)
    ],
    columns=["layer", "figure", "declared", "measured", "holds", "declared by"],
)

# %% [markdown]
# ## 2. The project
#
# The plan's annex lists projects; their places are in `sites.gpkg`. `read_sites` takes what planners have (GeoPackage,
# shapefile, zip, ...) and says what it had to assume. We take project P12, works on small rivers.

# %%
sites = lz.read_sites(city.root / "sites.gpkg")
for problem in sites.problems:
    print(problem)
project = sites.frame[sites.frame["id"] == "P12"]
project[["id", "name", "activity"]]

# %% [markdown]
# ## 3. The answer
#
# All rules in force on the day are asked: those of the nation, the province and the city.

# %%
report = lz.screen(project, city, as_of="2026-11-21")
verdict = report.verdicts.iloc[0]
print(verdict["site_name"], "→", verdict["verdict"])
print(f"length {verdict['site_length_m']:,.0f} m")
print("forbidden by:       ", ", ".join(report.book.rule(rule).title for rule in verdict["prohibited"]))
print("needs a procedure:  ", ", ".join(report.book.rule(rule).title for rule in verdict["conditional"]))

# %% [markdown]
# Why? Each finding names the rule, the feature, the figure and the clause. `margin` is how far past the limit it lies: metres
# short of a distance (of the required one and, where the layer holds centrelines, half the road's width), metres inside an
# area.


# %%
def hits(report: lz.Report) -> pd.DataFrame:
    """Findings that matter, the gravest rule first."""
    found = report.findings
    found = found[found["state"].isin(["涉及", "疑似边界误差"]) & (found["severity"] != "notice")]
    shown = ["rule", "severity", "feature_name", "length_m", "distance_m", "required_m", "half_width_m", "margin", "basis"]
    return found[shown].sort_values(["severity", "rule"], ascending=[False, True]).round(1).reset_index(drop=True)


hits(report)

# %% [markdown]
# The next constraint that it does not touch, and how far away it is:

# %%
nearest = report.book.rule(verdict["nearest_rule"])
print(f"{nearest.title}: {verdict['nearest_m']:,.0f} m")

# %% [markdown]
# ## 4. What was not checked
#
# A rule that could not be checked never counts as passed. The city lacks some layers that rules ask for:

# %%
for problem in report.problems:
    print(f"{problem.level}: {problem}")

# %% [markdown]
# For this project none of them matters. For others of the plan they do, and their verdict says so: 核查不完整, not 未发现冲突.

# %%
plan = lz.screen(sites, city, as_of="2026-11-21")
print(plan.verdicts["verdict"].value_counts().to_string())
unchecked = plan.findings[plan.findings["state"] == "未核查"]
unchecked[["site_name", "rule", "reason", "layer", "unchecked_share"]].drop_duplicates(["site_name", "rule"]).head(8)

# %% [markdown]
# ## 5. Where it is
#
# The geometry of a finding is the conflicting part of the site, so a map needs nothing else. Here is the longest stretch
# inside a first-class drinking-water zone.

# %%
inside = report.findings[report.findings["rule"].eq("water-source-first") & report.findings["state"].eq("涉及")]
conflict = inside.sort_values("length_m").tail(1)
west, south, east, north = conflict.total_bounds
middle_x, middle_y, half = (west + east) / 2, (south + north) / 2, 0.8 * max(east - west, north - south)

figure, axes = plt.subplots(figsize=(8, 6))
for name, colour in (("drinking_water_zones", "#9ecae1"), ("redline", "#fcae91"), ("rivers", "#4292c6")):
    layer = report.layers[name]
    layer.frame.plot(ax=axes, color=colour, edgecolor="#555555", linewidth=0.5, alpha=0.6)
    axes.plot([], [], color=colour, linewidth=6, alpha=0.6, label=layer.spec.title_en)
project.plot(ax=axes, color="black", linewidth=1.5, label="project P12")
conflict.plot(ax=axes, color="#d7191c", linewidth=4, label=f"conflict, {conflict['length_m'].iloc[0]:,.0f} m")
axes.set(xlim=(middle_x - 1.5 * half, middle_x + 1.5 * half), ylim=(middle_y - half, middle_y + half))
axes.set(xlabel="longitude (CGCS2000)", ylabel="latitude", title="Schematic data; not to be used for approval")
axes.locator_params(nbins=5)
axes.ticklabel_format(useOffset=False)
axes.legend(loc="lower left")
plt.show()

# %% [markdown]
# ## 6. The day decides the law
#
# On 15 August 2026 the Ecological and Environmental Code 生态环境法典 took the place of several laws. Rules are dated, so the
# same question of the day before cites what was in force then.

# %%
before = lz.screen(project, city, as_of="2026-08-14")
cited = {
    day: set("；".join(hits(one)["basis"]).split("；"))
    for day, one in (("2026-08-14", before), ("2026-11-21", report))
}
print("cited only before:", "；".join(sorted(cited["2026-08-14"] - cited["2026-11-21"])))
print("cited only now:   ", "；".join(sorted(cited["2026-11-21"] - cited["2026-08-14"])))
print("cited on both days:", len(cited["2026-08-14"] & cited["2026-11-21"]))
assert cited["2026-08-14"] != cited["2026-11-21"]

# %% [markdown]
# ## 7. The files to hand on
#
# A workbook for the file, a GeoPackage for QGIS, a page with a map that opens without a network. Every one names its sources,
# their fingerprints, the rule book and the day.

# %%
folder = Path("out")
folder.mkdir(exist_ok=True)
for name in ("report.xlsx", "findings.gpkg", "map.html"):
    path = lz.export(report, folder / name)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# 未发现冲突 would not mean 合规: the answer rests on the layers and rules named above, and replaces no approval.
