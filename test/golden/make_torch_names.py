"""Writes torch-names.json: the public names of PyTorch's modules, without Python's own modules in them. Run: python3 make_torch_names.py"""
import functorch, json, os, types, torch

spaces = {"torch": torch, "Tensor": torch.Tensor, "nn": torch.nn, "functional": torch.nn.functional, "optim": torch.optim,
          "lr_scheduler": torch.optim.lr_scheduler, "linalg": torch.linalg, "fft": torch.fft, "special": torch.special,
          "distributions": torch.distributions, "sparse": torch.sparse, "func": functorch}  # functorch became torch.func


def public(space):
    names = [n for n in dir(space) if not n.startswith("_")]
    return [n for n in names if not isinstance(getattr(space, n, None), types.ModuleType)]


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch-names.json"), "w") as out:
    json.dump({"version": torch.__version__, **{name: public(space) for name, space in spaces.items()}}, out, indent=0)
