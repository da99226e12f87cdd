"""Zones as masks on the 30 m grid: townships, redline, reserves, farmland, town boundary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from . import places
from .frame import CELL_M, SEED, Frame, drop_small, fill_small
from .noise import fractal
from .relief import BLOCK, Relief
from .waters import Course

CELL_KM2 = CELL_M**2 / 1e6
REDLINE_KM2 = 568.74
TOWN_KM2 = 548.0
FARMLAND_KM2 = 178.0
PRIORITY_KM2 = 1010.0
RESERVES_KM2 = 302.82

Clean = Callable[[np.ndarray], np.ndarray]


@dataclass
class Terrain:
    """The inputs of the zoning: the frame, heights and heights above the valley floor on the 30 m grid."""

    frame: Frame
    height: np.ndarray
    above: np.ndarray

    @classmethod
    def of(cls, relief: Relief) -> Terrain:
        """Interpolate a relief to the 30 m grid."""
        return cls(relief.frame, relief.fine(relief.height), relief.fine(relief.above))

    def noise(self, wavelength_m: float, seed: int, octaves: int = 5, gain: float = 0.5) -> np.ndarray:
        """Draw a random field by its longest wavelength."""
        return fractal(self.frame.shape, wavelength_m / CELL_M, SEED + seed, octaves, gain)

    def coarse_noise(self, wavelength_m: float, seed: int, octaves: int = 3) -> np.ndarray:
        """Draw a smooth field on 90 m blocks."""
        rows, cols = (n // BLOCK for n in self.frame.shape)
        field = fractal((rows, cols), wavelength_m / CELL_M / BLOCK, SEED + seed, octaves)
        return field.repeat(BLOCK, 0).repeat(BLOCK, 1)


def take(score: np.ndarray, share: np.ndarray, km2: float, clean: Clean, cell_km2: float = CELL_KM2) -> np.ndarray:
    """Choose the cells of highest score, so many that just under `km2` remain after cleaning."""
    ranked = np.sort(score[np.isfinite(score) & (share > 0)])
    low, high = 0, len(ranked) - 1
    best = np.zeros(score.shape, dtype=bool)
    for _ in range(14):
        middle = (low + high) // 2
        mask = clean((score >= ranked[middle]) & (share > 0))
        if share[mask].sum() * cell_km2 <= km2:
            best, high = mask, middle
        else:
            low = middle
    return best


def townships(terrain: Terrain) -> np.ndarray:
    """Give every cell the number (from 1) of its township."""
    frame = terrain.frame
    rows, cols = (n // BLOCK for n in frame.shape)
    x, y = (v[:, 1::BLOCK] if k == 0 else v[1::BLOCK] for k, v in enumerate(frame.xy))
    wx, wy = (fractal((rows, cols), 5000 / 90, SEED + 20 + k, 5) * 950 for k in (0, 1))
    scores = []
    for name in places.TOWNSHIPS:
        own = [
            np.hypot(x + wx - px, y + wy - py) - bonus
            for (px, py), bonus in ((frame.points([at])[0], bonus) for at, bonus in places.ANCHORS[name])
        ]
        scores.append(np.minimum.reduce(own))
    labels = np.argmin(scores, axis=0) + 1
    loose = np.zeros(labels.shape, dtype=bool)
    for number in range(1, len(scores) + 1):
        parts, _ = ndimage.label(labels == number)
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        loose |= (parts > 0) & (parts != sizes.argmax())
    nearest = ndimage.distance_transform_edt(loose, return_distances=False, return_indices=True)
    return labels[tuple(nearest)].repeat(BLOCK, 0).repeat(BLOCK, 1)


def redline_score(terrain: Terrain, reserves: np.ndarray) -> np.ndarray:
    """Score high land near the rims, with noise down to single cells."""
    frame = terrain.frame
    score = np.clip(terrain.above, 0, 900) / 620 + 0.75 * np.exp(-frame.rim_m / 5200)
    score += 0.36 * terrain.noise(5200, 30, 4) + 0.42 * terrain.noise(1100, 31, 6, 0.64)
    for place, reach, lift in places.REDLINE_BUMPS:
        score += lift * np.exp(-((frame.near(place) / reach) ** 2))
    for seat in places.TOWNSHIPS.values():
        score -= 2.5 * np.exp(-((frame.near(seat) / 2200) ** 2))
    score -= 1.2 * np.exp(-terrain.above / 18)
    on_land = [2 * k + 1 for k, r in enumerate(places.RESERVES) if r[0] not in places.RIVER_RESERVES]
    score += 1.1 * np.isin(reserves, on_land + [v + 1 for v in on_land])
    return score.astype(np.float32)


def tidy_redline(mask: np.ndarray) -> np.ndarray:
    """Remove patches under 4 ha and fill holes under 1.4 ha."""
    return fill_small(drop_small(mask, 45), 16)


def functions(terrain: Terrain) -> np.ndarray:
    """Give every cell the number (from 1) of the nearest centre in FUNCTIONS, with irregular borders."""
    wx = terrain.coarse_noise(4000, 40) * 900
    near = [terrain.frame.near(at) for _, at in places.FUNCTIONS]
    return np.argmin([d + wx * (1 if k % 2 else -1) for k, d in enumerate(near)], axis=0) + 1


def reserves(terrain: Terrain, courses: dict[str, Course]) -> np.ndarray:
    """Label the reserves, on 90 m blocks: 2k+1 the core of reserve k, 2k+2 the rest of it."""
    frame = terrain.frame
    rows, cols = (n // BLOCK for n in frame.shape)
    share = frame.share.reshape(rows, BLOCK, cols, BLOCK).mean((1, 3))
    labels = np.zeros((rows, cols), dtype=np.int32)
    order = sorted(range(len(places.RESERVES)), key=lambda k: places.RESERVES[k][4])
    for k in order:
        _, _, kind, _, km2 = places.RESERVES[k]
        taken = labels > 0
        near_taken = ndimage.binary_dilation(taken, iterations=2)
        score = np.where(near_taken, -60000, _reserve_score(terrain, courses, k))
        score = np.where(taken, -np.inf, ndimage.gaussian_filter(score, 1.7))
        own = np.where(taken, 0, share)
        whole = take(score, own, km2, _one_part, BLOCK**2 * CELL_KM2)
        labels[whole] = 2 * k + 2
        if kind == "自然保护区":
            depth = ndimage.distance_transform_edt(whole) * CELL_M * BLOCK
            inner = np.where(whole, score + 0.9 * np.minimum(depth, 1500), -np.inf)
            core = take(inner, np.where(whole, share, 0), km2 * 0.5, _one_part, BLOCK**2 * CELL_KM2)
            labels[core & whole] = 2 * k + 1
    return labels.repeat(BLOCK, 0).repeat(BLOCK, 1)


def _reserve_score(terrain: Terrain, courses: dict[str, Course], k: int) -> np.ndarray:
    """Nearness of each 90 m block to reserve k: to its middle, or to its reach of a river."""
    frame = terrain.frame
    name, _, _, middle, _ = places.RESERVES[k]
    pick = (slice(1, None, BLOCK), slice(1, None, BLOCK))
    away = frame.near(middle)[pick]
    if name in places.RIVER_RESERVES:
        river = np.ones(frame.shape, dtype=bool)
        river[frame.cell(*courses[places.RIVER_RESERVES[name]].line.T)] = False
        aside = ndimage.distance_transform_edt(river)[pick] * CELL_M * 13
        return -np.maximum(away, aside) + 350 * terrain.coarse_noise(900, 50 + k)[pick]
    lift = np.clip(terrain.above[pick], 0, 800) * 3.5
    return lift - away + 2300 * terrain.coarse_noise(5200, 50 + k, 4)[pick]


def _one_part(mask: np.ndarray) -> np.ndarray:
    """Keep the largest group and fill its holes."""
    parts, _ = ndimage.label(mask)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return fill_small(parts == sizes.argmax(), 400) if sizes.max() else mask


def town_score(terrain: Terrain) -> np.ndarray:
    """Score low land near the town seats."""
    frame = terrain.frame
    far = np.full(frame.shape, np.inf, dtype=np.float32)
    for name, seat in places.TOWNSHIPS.items():
        weight = {"连州镇": 0.5, "星子镇": 0.62, "三水瑶族乡": 1.7, "瑶安瑶族乡": 1.5}.get(name, 0.85)
        far = np.minimum(far, frame.near(seat) * weight)
    score = -np.clip(terrain.above, 0, 250) / 55 - far / 4600 + 0.42 * terrain.coarse_noise(3400, 60, 4)
    return ndimage.gaussian_filter(score, 3).astype(np.float32)


def farmland(terrain: Terrain, town: np.ndarray, banned: np.ndarray) -> np.ndarray:
    """Choose patches on flat land outside the inner towns."""
    frame = terrain.frame
    inner = take(np.where(banned, -np.inf, town), frame.share * ~banned, 365.0, _tidy_town)
    inner = ndimage.binary_dilation(inner, iterations=6)
    for name, seat in places.TOWNSHIPS.items():
        inner |= frame.near(seat) < (5200 if name == "连州镇" else 1700)
    near_rim = frame.rim_m < 400
    score = terrain.noise(1000, 70, 4, 0.45) - np.clip(terrain.above - 12, 0, 300) / 22
    score[banned | inner | near_rim] = -np.inf
    share = np.where(banned | inner | near_rim, 0, frame.share)
    return take(score, share, FARMLAND_KM2, _tidy_farmland)


def town(terrain: Terrain, score: np.ndarray, banned: np.ndarray) -> np.ndarray:
    """Choose the cells of the town boundary, a little more than declared: the excess is cut off later."""
    share = np.where(banned | (terrain.frame.rim_m < 900), 0, terrain.frame.share)
    return take(np.where(share > 0, score, -np.inf), share, TOWN_KM2 + 1.0, _tidy_town)


def _tidy_town(mask: np.ndarray) -> np.ndarray:
    opened = ndimage.binary_opening(mask, iterations=4)
    return drop_small(fill_small(opened, 250), 900) & mask


def _tidy_farmland(mask: np.ndarray) -> np.ndarray:
    return drop_small(ndimage.binary_opening(mask, iterations=2), 60)


def priority(terrain: Terrain, redline: np.ndarray, score: np.ndarray, banned: np.ndarray) -> np.ndarray:
    """Enclose the redline in a smoother area of 90 m blocks, with small holes filled."""
    block = ndimage.gaussian_filter(np.where(redline, 1.0, 0.0).astype(np.float32), 12)
    wide = block + 0.16 * ndimage.gaussian_filter(score, 6)
    rows, cols = (n // BLOCK for n in terrain.frame.shape)
    wide = wide.reshape(rows, BLOCK, cols, BLOCK).mean((1, 3)).repeat(BLOCK, 0).repeat(BLOCK, 1)
    blocked = banned.reshape(rows, BLOCK, cols, BLOCK).any((1, 3)).repeat(BLOCK, 0).repeat(BLOCK, 1)
    share = np.where(blocked, 0, terrain.frame.share)
    extra = take(np.where(share > 0, wide, -np.inf), share, PRIORITY_KM2 - 60, lambda m: drop_small(m, 600))
    both = redline | extra
    return both | (fill_small(both, 450) & ~banned)


def fit_redline(mask: np.ndarray, score: np.ndarray, terrain: Terrain, frozen: np.ndarray) -> np.ndarray:
    """Add or remove whole cells on the rim of the redline, best first, until its area is the declared one.

    `frozen` cells are left as they are.
    """
    share = terrain.frame.share
    mask = mask.copy()
    for _ in range(40):
        gap = REDLINE_KM2 - float(share[mask].sum()) * CELL_KM2
        if abs(gap) < CELL_KM2 * 0.5:
            break
        grown = ndimage.binary_dilation(mask) & ~mask if gap > 0 else ndimage.binary_dilation(~mask) & mask
        rim = np.flatnonzero((grown & (share > 0.999) & ~frozen).ravel())
        best = rim[np.argsort(score.ravel()[rim] * (-1 if gap > 0 else 1), kind="stable")]
        count = max(1, int(abs(gap) / CELL_KM2 + 0.5))
        mask.ravel()[best[: min(count, max(1, len(best) // 4))]] = gap > 0
    return mask
