"""Writes the files beside it, each with numpy (2.4.6 last): python make.py. The same numpy writes the same bytes."""

import pathlib

import numpy as np
from numpy.lib import format as npy

here = pathlib.Path(__file__).parent
values = np.array([[-1.5, 0.25, 3.0], [65504.0, 0.0, -2.0]])

np.save(here / "float64.npy", values)
np.save(here / "float32_fortran_big_endian.npy", np.asfortranarray(values.astype(">f4")))
np.save(here / "float16.npy", values.astype("<f2"))
np.save(here / "bool_no_axes.npy", np.array(True))
np.save(here / "uint8_no_rows.npy", np.zeros((0, 4), "u1"))
np.save(here / "int64_beyond_f64.npy", np.array([2**53 + 1, -(2**63)]))
np.save(here / "uint64_beyond_i64.npy", np.array([2**64 - 1], "u8"))
np.save(here / "complex.npy", values.astype("c16"))
np.save(here / "record.npy", np.zeros(2, [("a", "<f8"), ("b", "<i4")]))
np.save(here / "object.npy", np.array([None, "text"], object), allow_pickle=True)
for version in [(2, 0), (3, 0)]:
    with open(here / f"version{version[0]}.npy", "wb") as file:
        npy.write_array(file, values, version)

arrays = {
    "x": np.arange(24, dtype="u1").reshape(3, 2, 4),
    "y": np.array([7, 2, 7], ">i2"),
    "weights": np.asfortranarray(values),
    "zeros": np.zeros((10, 100)),
}
np.savez(here / "stored.npz", **arrays)
np.savez_compressed(here / "packed.npz", **arrays)
