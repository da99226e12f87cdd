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
# A planner has a project and wants to know: does it lie in the ecological redline, in a reserve, in a drinking-water zone,
# or too near to a road? By how much, and under which clause? And what was *not* checked?
#
# The city on this page is the reference city that comes with lzgis. The outline is that of Lianzhou 连州市; everything inside
# it is **schematic**. With the folder of another city, the rest of the page stays the same.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import lzgis as lz

pd.set_option("display.max_colwidth", 60)

# %% [markdown]
# ## 1. What is in the city?
#
# A city is a folder with layers, a catalogue that describes them, and a rule book. Opening it reads no layer yet.

# %%
city = lz.open_catalogue(lz.reference_city())
print(city.city.name, "-", city.city.notice)
pd.DataFrame(
    [(name, layer.title, layer.status, layer.basis) for name, layer in city.layers.items()],
    columns=["layer", "title", "status", "where it comes from"],
)

# %% [markdown]
# Documents declare figures, such as the area of the redline or the number of control units. lzgis measures each of them
# and shows both. It never scales a layer to match a figure. If they differ, ask the owner of the layer.

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
# ## 2. Which project is it?
#
# The annex of the plan lists projects; their geometries are in `sites.gpkg`. `read_sites` reads the formats that planners use
# (GeoPackage, shapefile, zip, ...) and lists its assumptions. This page screens project P12, works on small rivers.

# %%
sites = lz.read_sites(city.root / "sites.gpkg")
for problem in sites.problems:
    print(problem)
project = sites.frame[sites.frame["id"] == "P12"]
project[["id", "name", "activity"]]

# %% [markdown]
# ## 3. What is the answer?
#
# All rules in force on the day are checked: national, provincial and municipal ones.

# %%
report = lz.screen(project, city, as_of="2026-11-21")
verdict = report.verdicts.iloc[0]
print(verdict["site_name"], "→", verdict["verdict"])
print(f"length {verdict['site_length_m']:,.0f} m")
print("forbidden by:       ", ", ".join(report.book.rule(rule).title for rule in verdict["prohibited"]))
print("needs a procedure:  ", ", ".join(report.book.rule(rule).title for rule in verdict["conditional"]))

# %% [markdown]
# Each finding names the rule, the feature, the figure and the clause. `margin` is the amount by which the limit is missed: the
# metres that a distance is too short (for centrelines, half the width of the road is added to the required distance), or the
# length inside an area.


# %%
def hits(report: lz.Report) -> pd.DataFrame:
    """Findings in conflict, the most severe rule first."""
    found = report.findings
    found = found[found["state"].isin(["涉及", "疑似边界误差"]) & (found["severity"] != "notice")]
    shown = ["rule", "severity", "feature_name", "length_m", "distance_m", "required_m", "half_width_m", "margin", "basis"]
    return found[shown].sort_values(["severity", "rule"], ascending=[False, True]).round(1).reset_index(drop=True)


hits(report)

# %% [markdown]
# The nearest constraint that the project does not touch, and its distance:

# %%
nearest = report.book.rule(verdict["nearest_rule"])
print(f"{nearest.title}: {verdict['nearest_m']:,.0f} m")

# %% [markdown]
# ## 4. What was not checked?
#
# A rule that could not be checked never counts as passed. The city lacks some layers that rules need:

# %%
for problem in report.problems:
    print(f"{problem.level}: {problem}")

# %% [markdown]
# None of them concerns this project. Other projects of the plan are concerned, and their verdict is 核查不完整, not 未发现冲突.

# %%
plan = lz.screen(sites, city, as_of="2026-11-21")
print(plan.verdicts["verdict"].value_counts().to_string())
unchecked = plan.findings[plan.findings["state"] == "未核查"]
unchecked[["site_name", "rule", "reason", "layer", "unchecked_share"]].drop_duplicates(["site_name", "rule"]).head(8)

# %% [markdown]
# ## 5. Where is the conflict?
#
# The geometry of a finding is the conflicting part of the site. The map shows the longest stretch
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
# ## 6. Which law applies on which day?
#
# On 15 August 2026 the Ecological and Environmental Code 生态环境法典 replaced several laws. Rules are dated: a screening as of
# the day before cites the laws that were in force then.

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
# ## 7. How are the results handed over?
#
# As a workbook for the records, a GeoPackage for QGIS, and a page with a map that opens without a network. Each names its
# sources with their SHA-256, the rule book and the day.

# %%
folder = Path("out")
folder.mkdir(exist_ok=True)
for name in ("report.xlsx", "findings.gpkg", "map.html"):
    path = lz.export(report, folder / name)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# 未发现冲突 does not mean 合规: the answer depends on the layers and rules listed, and replaces no approval.
