"""Writes files/: tensors as Python's safetensors and NumPy write them. Run: python3 make_files.py"""
import os, numpy as np
from safetensors.numpy import save_file

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files")
os.makedirs(here, exist_ok=True)
w = (np.arange(6, dtype=np.float32) - 2.5).reshape(2, 3)
tensors = {
    "layer.weight": w,
    "layer.bias": np.array([0.1, np.nan, np.inf], dtype=np.float32),
    "wide": np.array([1 / 3, -1e300], dtype=np.float64),
    "steps": np.array(7, dtype=np.int32),
    "mask": np.array([True, False, True]),
    "empty": np.zeros((0, 4), dtype=np.float32),
}
save_file(tensors, os.path.join(here, "own.safetensors"), metadata={"framework": "gradgate é"})
save_file({
    "half": np.array([1.5, -0.0, 65504, 6e-8, np.inf], dtype=np.float16), "long": np.array([[1, -2]], dtype=np.int64),
    "byte": np.array([0, 255], dtype=np.uint8), "short": np.array([-3], dtype=np.int16),
}, os.path.join(here, "other.safetensors"))
np.save(os.path.join(here, "c.npy"), w)
np.save(os.path.join(here, "fortran.npy"), np.asfortranarray(np.arange(24, dtype=np.float64).reshape(2, 3, 4)))
np.save(os.path.join(here, "big.npy"), np.array([1, -2, 300], dtype=">i4"))
np.save(os.path.join(here, "scalar.npy"), np.array(2.5, dtype=np.float32))
np.savez(os.path.join(here, "plain.npz"), w=w, mask=tensors["mask"])
np.savez_compressed(os.path.join(here, "packed.npz"), w=w, long=np.arange(300))
