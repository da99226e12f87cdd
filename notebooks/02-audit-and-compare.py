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
# # A new version of the redline
#
# The plan says that the redline will be adjusted and that the published version prevails. When a new file arrives: is it in
# order? What does it change? Which of the projects screened last month have another verdict now, and why?
#
# The city is the reference city and **schematic**. The "new version" is made on this page.

# %%
import shutil
from pathlib import Path

import geopandas as gpd
import matplotlib.pyplot as plt
import pandas as pd
import shapely

import lzgis as lz

pd.set_option("display.max_colwidth", 70)
old = lz.open_catalogue(lz.reference_city())

# %% [markdown]
# ## 1. Are the present layers in order?
#
# An audit compares the layers with each other: the three lines must not overlap, the units must tile the city, the redline
# must lie in the priority units, figures must match the declared ones. The reference city contains three planted conflicts.
# The audit finds them, with place and size, and no others.

# %%
audit = lz.audit(old, as_of="2026-11-21")
audit.conflicts[["rule", "state", "area_m2", "mean_width_m", "place", "what"]].round(2).reset_index(drop=True)

# %% [markdown]
# The width matters as much as the area: an overlap 0.8 m wide is 疑似边界误差, a difference between two drawings. An overlap
# 87 m wide needs a decision.

# %%
red, town = (old.load(name).layer.frame for name in ("redline", "town_boundary"))
figure, axes = plt.subplots(1, len(audit.conflicts), figsize=(14, 4.5), layout="constrained")
for ax, row in zip(axes, audit.conflicts.itertuples(), strict=True):
    west, south, east, north = row.geometry.bounds
    margin = 0.7 * max(east - west, north - south)
    old.load("control_units").layer.frame.plot(ax=ax, color="#eef3ea", edgecolor="#8aa083", linewidth=0.8)
    red.plot(ax=ax, color="#e60000", alpha=0.3)
    town.plot(ax=ax, color="#c500ff", alpha=0.3)
    gpd.GeoSeries([row.geometry]).plot(ax=ax, color="black")
    ax.set(xlim=(west - margin, east + margin), ylim=(south - margin, north + margin), xticks=[], yticks=[], xlabel="", ylabel="")
    ax.set_title(f"{row.rule}\n{row.area_m2:,.0f} m², {row.mean_width_m:.1f} m wide", fontsize=9)
figure.suptitle("Conflicts (black); redline red, town boundary violet")
plt.show()

# %% [markdown]
# ## 2. What were the verdicts last month?
#
# The projects were screened, and the report was saved.

# %%
report = lz.screen(old.root / "sites.gpkg", old, as_of="2026-11-21")
saved = lz.export(report, Path("last-month") / "report.json")
report.verdicts["verdict"].value_counts().rename("projects").to_frame()

# %% [markdown]
# ## 3. The new version
#
# On this page it is made by hand: redline is removed around a project that overlaps it, and added around a project
# without a conflict.

# %%
folder = Path("new-version")
shutil.copytree(old.root, folder, dirs_exist_ok=True)
caught = report.findings[(report.findings["rule"] == "redline") & (report.findings["state"] == "涉及")]
released = caught.sort_values("area_m2").iloc[0]
clear = report.verdicts[report.verdicts["verdict"].eq("未发现冲突") & report.verdicts["site_id"].str.startswith("P")]
sites = report.sites.set_index("id").geometry
single = clear[sites[clear["site_id"]].geom_type.eq("Polygon").to_numpy()]
added_id = single.sort_values("site_area_m2", ascending=False)["site_id"].iloc[0]
print("released around:", released["site_name"])
print("added around:   ", report.sites.set_index("id").loc[added_id, "name"])

frame = gpd.read_file(folder / "redline.gpkg")
hole = shapely.buffer(released["geometry"], 0.002)
patch = shapely.box(*shapely.buffer(sites[added_id], 0.001).bounds)
frame["geometry"] = shapely.difference(frame.geometry.to_numpy(), hole)
more = {"id": ["HX441882999"], "name": ["新增红线区"], "function": [frame["function"].iloc[0]], "township": [""]}
addition = gpd.GeoDataFrame(more, geometry=[shapely.difference(patch, frame.geometry.union_all())], crs=frame.crs)
frame = pd.concat([frame, addition], ignore_index=True)
(folder / "redline.gpkg").unlink()
frame.to_file(folder / "redline.gpkg", layer="redline", engine="pyogrio")
new = lz.open_catalogue(folder)

# %% [markdown]
# ## 4. What does it change?
#
# Gains and losses are listed separately: a net change near zero may consist of two large ones.

# %%
change = lz.diff(old, new, as_of="2026-11-21")
change.totals[change.totals["layer"] == "redline"].T

# %%
change.changes[["layer", "feature_id", "feature_name", "change", "gained_m2", "lost_m2", "place"]].round(1)

# %%
figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
newer = new.load("redline").layer.frame
shown = [("released", released["site_id"], released["geometry"]), ("added", added_id, sites[added_id])]
for ax, (title, site, place) in zip(axes, shown, strict=True):
    west, south, east, north = shapely.buffer(place, 0.005).bounds
    newer.plot(ax=ax, color="#f4b8b0")
    red.boundary.plot(ax=ax, color="#a80000", linewidth=1, linestyle="--")
    gpd.GeoSeries([sites[site]]).plot(ax=ax, color="#333333")
    ax.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[], xlabel="", ylabel="", title=f"{title}: project {site}")
figure.suptitle("Old redline dashed, new one filled, the project dark. Schematic data.")
plt.show()

# %% [markdown]
# Rules can apply to a change too: the area of the redline must not shrink (面积不减少).

# %%
caught_now = change.findings[change.findings["state"] == "涉及"]
print("rules checked:", ", ".join(change.findings["rule"].unique()))
caught_now[["rule", "severity", "what"]].reset_index(drop=True)

# %% [markdown]
# ## 5. Is the new version in order?
#
# It is audited like the old one before it is used. New entries of the list were caused by it. The SHA-256 in the catalogue is
# still that of the old file, which gives a warning.

# %%
again = lz.audit(new, as_of="2026-11-21")
for problem in again.problems:
    if problem.level == "warning":
        print(problem)
known = set(audit.conflicts["rule"] + audit.conflicts["feature_id"] + audit.conflicts["other_id"])
fresh = again.conflicts
fresh = fresh[~(fresh["rule"] + fresh["feature_id"] + fresh["other_id"]).isin(known)]
fresh[["rule", "state", "area_m2", "place", "what"]].round(1).reset_index(drop=True)

# %% [markdown]
# ## 6. Which verdicts change?
#
# The report of last month contains everything that a re-check needs. Only answers that can have changed are computed again;
# the result equals that of a full screening.

# %%
recheck = lz.recheck(saved, new, old=old)
print(f"checked again: {recheck.recomputed} of {recheck.recomputed + recheck.reused} answers")
recheck.verdict_changes.drop(columns=[c for c in ("activity",) if c in recheck.verdict_changes])

# %%
full = lz.screen(old.root / "sites.gpkg", new, as_of="2026-11-21")
assert recheck.verdicts["verdict"].tolist() == full.verdicts["verdict"].tolist()
recheck.changes

# %% [markdown]
# Each line gives the answer before and after, and the feature that caused the change. Only these projects need another look.
#
# ## 7. How are the results handed over?
#
# The audit and the comparison are written as a workbook, a GeoPackage, JSON, and a page with a map that opens without a
# network. They show added, removed and moved features, gains and losses, and the projects whose verdict differs.

# %%
for path in (lz.export_audit(again, Path("out") / "audit.html"), lz.export_audit(again, Path("out") / "audit.xlsx")):
    print(path)
for name in ("diff.html", "diff.xlsx", "diff.gpkg"):
    print(lz.export_diff(change, Path("out") / name, recheck=recheck))
