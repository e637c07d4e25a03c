"""markov: corpus to model to text.

    import markov_cli
    model = markov_cli.train(["book.txt"], order=3)
    model.save("book.npz")
    for text in model.generate(5, seed=1):
        print(text.text)

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

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
    from .api import Follower, Followers, Model, Text, train
    from .changing import merge, prune, prune_by_entropy, update
    from .constraining import Constraints
    from .errors import MarkovError
    from .exchange import (
        export_arpa,
        export_counts,
        export_markovify,
        import_arpa,
        import_counts,
        import_markovify,
    )
    from .large import train_file
    from .mixing import Mixed
    from .tracing import trace


def __getattr__(name: str) -> Any:
    if name == "MarkovError":
        from .errors import MarkovError

        return MarkovError
    if name in ("merge", "prune", "prune_by_entropy", "update"):
        from . import changing

        return getattr(changing, name)
    if name.startswith(("export_", "import_")) and name in __all__:
        from . import exchange

        return getattr(exchange, name)
    if name == "train_file":
        from .large import train_file

        return train_file
    if name == "Mixed":
        from .mixing import Mixed

        return Mixed
    if name == "trace":
        from .tracing import trace

        return trace
    if name == "Constraints":
        from .constraining import Constraints

        return Constraints
    if name in __all__:
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
