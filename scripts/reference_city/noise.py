"""Smooth random fields, the same for the same seed on every machine."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def _basis(count: int, step: float, offset: float) -> tuple[sparse.csr_matrix, int]:
    """Cubic B-spline weights of `count` samples, `step` lattice cells apart."""
    at = offset + np.arange(count) * step
    base = np.floor(at).astype(int)
    t = at - base
    weights = [
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    ]
    size = int(base[-1]) + 4
    rows = np.tile(np.arange(count), 4)
    cols = np.concatenate([base + k for k in range(4)])
    return sparse.csr_matrix((np.concatenate(weights), (rows, cols)), shape=(count, size)), size


def smooth(shape: tuple[int, int], cells: float, rng: np.random.Generator) -> np.ndarray:
    """Draw one octave: a random lattice `cells` cells wide, interpolated; mean 0 and deviation 1."""
    tall, m = _basis(shape[0], 1 / cells, rng.random())
    wide, n = _basis(shape[1], 1 / cells, rng.random())
    field = (wide @ (tall @ rng.standard_normal((m, n))).T).T
    return (field / 0.4794).astype(np.float32)  # 0.4794: mean deviation of the spline of white noise


def fractal(shape: tuple[int, int], cells: float, seed: int, octaves: int = 5, gain: float = 0.5) -> np.ndarray:
    """Sum octaves of halving size; mean near 0, deviation near 1."""
    rng = np.random.default_rng(seed)
    total = np.zeros(shape, dtype=np.float32)
    power = 0.0
    for k in range(octaves):
        size = cells / 2**k
        if size < 1:
            break
        total += gain**k * smooth(shape, size, rng)
        power += gain ** (2 * k)
    return total / np.float32(np.sqrt(power))


def wander(count: int, wavelength: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a smooth random walk of `count` samples for the meanders of a line; about -1 to 1."""
    basis, size = _basis(max(count, 2), 1 / wavelength, rng.random())
    values = basis @ (rng.uniform(0.55, 1.0, size) * np.where(np.arange(size) % 2, 1, -1) * 1.6)
    return np.asarray(values)[:count]
