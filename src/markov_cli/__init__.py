"""markov: corpus to model to text.

    import markov_cli
    model = markov_cli.train(["book.txt"], order=3)
    model.save("book.npz")
    for text in model.generate(5, seed=1):
        print(text.text)

Nothing heavy is imported before it is used.

The rooms of the package, from the bottom to the top; a room imports only rooms that stand above it in this list:

    errors      what can go wrong, and exit codes
    arrays      whole-array steps that know nothing of text: sorting, threads, memory, arrays on disk
    text        bytes to ids and back: sources, tokenizers, sequences, vocabularies
    counting    ids to sorted n-gram counts
    model       the table of an n-gram model, its file, its smoothed probabilities
    training    text to model file: in memory, on disk, on a cluster
    sampling    a distribution, a seed and an automaton to ids
    scoring     a distribution and ids to bits
    evidence    the part of a text that a table, or another text, holds
    inspecting  figures of a table, followers of a history, verification of a file
    formats     files of other programs
    generation  a person's request to texts
    api         the Python functions that users import
    render      results to plain text, tables, JSON and HTML; the only room that uses rich
    cli         commands and options; the only room that uses Click
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "AnswerIsNo",
    "AuditReport",
    "AuditSource",
    "AuditedOrder",
    "Canaries",
    "Canary",
    "CanaryGroup",
    "CanaryReport",
    "CertainString",
    "Classified",
    "CommonNgram",
    "ConfusionTable",
    "Constraints",
    "CorpusFigures",
    "EntropyPruning",
    "Export",
    "Follower",
    "FollowerBin",
    "Followers",
    "Forgotten",
    "GroupModel",
    "GuardFigures",
    "HeldoutFigures",
    "HistoryError",
    "HistoryFollowers",
    "InspectedOrder",
    "Inspection",
    "LengthCount",
    "Marker",
    "MarkovError",
    "Membership",
    "Mixture",
    "Model",
    "ModelFileError",
    "ModelLike",
    "ModelSummary",
    "NeedsCounts",
    "OptionError",
    "OrderInCorpus",
    "PageModel",
    "PromptMatch",
    "RebuiltText",
    "RepairCounts",
    "Result",
    "Score",
    "ScoredCanary",
    "SequenceMembership",
    "Session",
    "SessionState",
    "StreamedToken",
    "Text",
    "TextError",
    "TextScore",
    "TokenScore",
    "TraceFigures",
    "TraceReport",
    "TraceSource",
    "TracedFragment",
    "TrainedFile",
    "TrainedGroups",
    "TunedMixture",
    "TunedModel",
    "TunedPart",
    "UnitScore",
    "Verification",
    "__version__",
    "audit",
    "classify",
    "confusion",
    "explore",
    "export_arpa",
    "export_counts",
    "export_markovify",
    "forget",
    "import_arpa",
    "import_counts",
    "import_markovify",
    "import_model",
    "inspect",
    "inspect_history",
    "make_canaries",
    "member",
    "merge",
    "page",
    "prune",
    "prune_by_entropy",
    "rebuild",
    "score",
    "score_canaries",
    "score_texts",
    "score_tokens",
    "score_units",
    "static_mixture",
    "trace",
    "train",
    "train_file",
    "train_groups",
    "tune",
    "tune_mixture",
    "update",
    "update_file",
    "verify",
    "vocabulary",
]

if TYPE_CHECKING:
    from .api.audit import audit, member, rebuild
    from .api.audit_results import (
        AuditedOrder,
        AuditReport,
        AuditSource,
        CertainString,
        CorpusFigures,
        HeldoutFigures,
        Membership,
        OrderInCorpus,
        RebuiltText,
        SequenceMembership,
    )
    from .api.canary import (
        CanaryGroup,
        CanaryReport,
        ScoredCanary,
        make_canaries,
        score_canaries,
    )
    from .api.combine import (
        EntropyPruning,
        merge,
        prune,
        prune_by_entropy,
        static_mixture,
        update,
        update_file,
    )
    from .api.confusion import ConfusionTable, confusion
    from .api.convert import (
        Export,
        export_arpa,
        export_counts,
        export_markovify,
    )
    from .api.explore import explore
    from .api.forget import Forgotten, forget
    from .api.groups import GroupModel, TrainedGroups, train_groups
    from .api.importing import (
        import_arpa,
        import_counts,
        import_markovify,
        import_model,
    )
    from .api.inspect import (
        CommonNgram,
        FollowerBin,
        HistoryFollowers,
        InspectedOrder,
        Inspection,
        Verification,
        inspect,
        inspect_history,
        verify,
        vocabulary,
    )
    from .api.mixture import Mixture
    from .api.model import Model, ModelLike, StreamedToken
    from .api.page import PageModel, page
    from .api.results import (
        GuardFigures,
        LengthCount,
        Marker,
        ModelSummary,
        RepairCounts,
        Result,
    )
    from .api.score import (
        classify,
        score,
        score_texts,
        score_tokens,
        score_units,
        tune_mixture,
    )
    from .api.score_results import (
        Classified,
        Score,
        TextScore,
        TokenScore,
        TunedMixture,
        UnitScore,
    )
    from .api.trace import (
        TracedFragment,
        TraceFigures,
        TraceReport,
        TraceSource,
        trace,
    )
    from .api.train import TrainedFile, train, train_file
    from .api.tune import TunedModel, TunedPart, tune
    from .errors import (
        AnswerIsNo,
        HistoryError,
        MarkovError,
        ModelFileError,
        NeedsCounts,
        OptionError,
        TextError,
    )
    from .evidence.corpus.canary import Canaries, Canary
    from .generation.prompt import PromptMatch
    from .generation.request import Constraints
    from .generation.session import Session, SessionState
    from .generation.texts import Text
    from .inspecting.followers import Follower, Followers

_WHERE = {
    "api.audit": (
        "audit",
        "member",
        "rebuild",
    ),
    "api.audit_results": (
        "AuditReport",
        "AuditSource",
        "AuditedOrder",
        "CertainString",
        "CorpusFigures",
        "HeldoutFigures",
        "Membership",
        "OrderInCorpus",
        "RebuiltText",
        "SequenceMembership",
    ),
    "api.canary": (
        "CanaryGroup",
        "CanaryReport",
        "ScoredCanary",
        "make_canaries",
        "score_canaries",
    ),
    "api.combine": (
        "EntropyPruning",
        "merge",
        "prune",
        "prune_by_entropy",
        "static_mixture",
        "update",
        "update_file",
    ),
    "api.confusion": ("ConfusionTable", "confusion"),
    "api.convert": (
        "Export",
        "export_arpa",
        "export_counts",
        "export_markovify",
    ),
    "api.explore": ("explore",),
    "api.forget": ("Forgotten", "forget"),
    "api.importing": (
        "import_arpa",
        "import_counts",
        "import_markovify",
        "import_model",
    ),
    "api.groups": (
        "GroupModel",
        "TrainedGroups",
        "train_groups",
    ),
    "api.inspect": (
        "CommonNgram",
        "FollowerBin",
        "HistoryFollowers",
        "InspectedOrder",
        "Inspection",
        "Verification",
        "inspect",
        "inspect_history",
        "verify",
        "vocabulary",
    ),
    "api.mixture": ("Mixture",),
    "api.model": ("Model", "ModelLike", "StreamedToken"),
    "api.page": ("PageModel", "page"),
    "api.results": (
        "GuardFigures",
        "LengthCount",
        "Marker",
        "ModelSummary",
        "RepairCounts",
        "Result",
    ),
    "api.trace": (
        "TraceFigures",
        "TraceReport",
        "TraceSource",
        "TracedFragment",
        "trace",
    ),
    "api.train": ("TrainedFile", "train", "train_file"),
    "api.tune": (
        "TunedModel",
        "TunedPart",
        "tune",
    ),
    "errors": (
        "AnswerIsNo",
        "HistoryError",
        "MarkovError",
        "ModelFileError",
        "NeedsCounts",
        "OptionError",
        "TextError",
    ),
    "evidence.corpus.canary": ("Canaries", "Canary"),
    "generation.prompt": ("PromptMatch",),
    "generation.request": ("Constraints",),
    "generation.texts": ("Text",),
    "inspecting.followers": ("Follower", "Followers"),
    "generation.session": ("Session", "SessionState"),
    "api.score": (
        "classify",
        "score",
        "score_texts",
        "score_tokens",
        "score_units",
        "tune_mixture",
    ),
    "api.score_results": (
        "Classified",
        "Score",
        "TextScore",
        "TokenScore",
        "TunedMixture",
        "UnitScore",
    ),
}


def __getattr__(name: str) -> Any:
    for module, names in _WHERE.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
