"""markov: corpus to model to text.

    import markov_cli
    model = markov_cli.train(["book.txt"], order=3)
    model.save("book.npz")
    for text in model.generate(5, seed=1):
        print(text.text)

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Constraints",
    "Follower",
    "Followers",
    "MarkovError",
    "Mixed",
    "Model",
    "Text",
    "__version__",
    "export_arpa",
    "export_counts",
    "export_markovify",
    "import_arpa",
    "import_counts",
    "import_markovify",
    "merge",
    "prune",
    "prune_by_entropy",
    "trace",
    "train",
    "train_file",
    "update",
]

if TYPE_CHECKING:
    from .api.combine import merge, prune, prune_by_entropy, update
    from .api.convert import (
        export_arpa,
        export_counts,
        export_markovify,
        import_arpa,
        import_counts,
        import_markovify,
    )
    from .api.mixed import Mixed
    from .api.model import Constraints, Follower, Followers, Model, Text
    from .api.trace import trace
    from .api.train import train, train_file
    from .errors import MarkovError

_WHERE = {
    "api.combine": ("merge", "prune", "prune_by_entropy", "update"),
    "api.convert": (
        "export_arpa",
        "export_counts",
        "export_markovify",
        "import_arpa",
        "import_counts",
        "import_markovify",
    ),
    "api.mixed": ("Mixed",),
    "api.model": ("Constraints", "Follower", "Followers", "Model", "Text"),
    "api.trace": ("trace",),
    "api.train": ("train", "train_file"),
    "errors": ("MarkovError",),
}


def __getattr__(name: str) -> Any:
    for module, names in _WHERE.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
