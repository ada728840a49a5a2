"""What the stored rows are: every table of the store as data, from which SQL is built.

Units: prices, caps, volumes and TVL in USD; changes in percent; dates are the upstream's own day
(crypto: UTC). Every table also carries `PROVENANCE`.
"""

from dataclasses import dataclass

PROVENANCE: tuple[tuple[str, str], ...] = (
    ("source", "VARCHAR"),
    ("run_id", "VARCHAR"),
    ("observed_at", "TIMESTAMPTZ"),
    ("provisional", "BOOLEAN"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """A stored table. `columns` are (name, DuckDB type) without PROVENANCE; `key` names some of them;
    those of `once` are written with the row and never again by a merge."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]
    once: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that are not part of the key: what a revision can change."""
        return tuple(name for name, _ in self.columns if name not in (*self.key, *self.once))

    @property
    def all_columns(self) -> tuple[tuple[str, str], ...]:
        """Columns and provenance, in the order of the table."""
        named = {name for name, _ in self.columns}
        return self.columns + tuple(column for column in PROVENANCE if column[0] not in named)


CRYPTO_PRICE = Table(
    "crypto_price",
    (
        ("coin", "VARCHAR"),
        ("date", "DATE"),
        ("symbol", "VARCHAR"),
        ("name", "VARCHAR"),
        ("rank", "INTEGER"),
        ("price", "DOUBLE"),
        ("market_cap", "DOUBLE"),
        ("volume", "DOUBLE"),
        ("change_24h", "DOUBLE"),
        ("change_7d", "DOUBLE"),
        ("change_30d", "DOUBLE"),
    ),
    ("coin", "date"),
)

PROTOCOL_TVL = Table(
    "protocol_tvl",
    (
        ("protocol", "VARCHAR"),
        ("date", "DATE"),
        ("name", "VARCHAR"),
        ("category", "VARCHAR"),
        ("tvl", "DOUBLE"),
        ("change_1d", "DOUBLE"),
        ("change_7d", "DOUBLE"),
    ),
    ("protocol", "date"),
)

OBSERVATION = Table(
    "observation",
    (("series", "VARCHAR"), ("date", "DATE"), ("value", "DOUBLE"), ("note", "VARCHAR")),
    ("series", "date"),
)

SERIES = Table(
    "series",
    (
        ("series", "VARCHAR"),
        ("title", "VARCHAR"),
        ("unit", "VARCHAR"),
        ("frequency", "VARCHAR"),
        ("upstream", "VARCHAR"),
        ("url", "VARCHAR"),
        ("licence", "VARCHAR"),
        ("restates", "BOOLEAN"),
    ),
    ("series",),
)

# Sources of which the name ends so filled days in later, whole ones from what an upstream keeps of them.
PAST = ".history"

# `replaced` holds the values that stood before, as JSON; `known_at` is since when they were known.
REVISION = Table(
    "revision",
    (
        ("table_name", "VARCHAR"),
        ("key", "VARCHAR"),
        ("known_at", "TIMESTAMPTZ"),
        ("replaced", "JSON"),
        ("was_provisional", "BOOLEAN"),
    ),
    ("table_name", "key", "known_at"),
)

RECEIPT = Table(
    "receipt",
    (
        ("run_id", "VARCHAR"),
        ("step", "VARCHAR"),
        ("table_name", "VARCHAR"),
        ("fetched", "BIGINT"),
        ("inserted", "BIGINT"),
        ("updated", "BIGINT"),
        ("unchanged", "BIGINT"),
        ("duplicate", "BIGINT"),
        ("rejected", "BIGINT"),
        ("committed_at", "TIMESTAMPTZ"),
    ),
    ("run_id", "step"),
)

# Ids of the news pipeline begin so; the others are the headlines that the StressIndex counts.
NEWS = "news-"
# `provisional`: the feed gave no time that could be believed, and ours stands for it. Of the news pipeline
# alone: `outlet`; `story`, the id of the first that told it, and `mentions`, found by the brief's step.
NEWS_ITEM = Table(
    "news_item",
    (
        ("id", "VARCHAR"),
        ("published_at", "TIMESTAMPTZ"),
        ("feed", "VARCHAR"),
        ("title", "VARCHAR"),
        ("link", "VARCHAR"),
        ("topics", "VARCHAR"),
        ("tone", "DOUBLE"),
        ("outlet", "VARCHAR"),
        ("story", "VARCHAR"),
        ("mentions", "VARCHAR"),
    ),
    ("id",),
    # An item without a date would else be of every run's own minute, one of two feeds now of this, now of
    # that one.
    once=("published_at", "feed", "outlet", "story", "mentions"),
)

# `tone`: concern per 100 words; `stance`: −1 dovish to 1 hawkish; both by the lists of that version.
FED_SPEECH = Table(
    "fed_speech",
    (
        ("id", "VARCHAR"),
        ("published_at", "TIMESTAMPTZ"),
        ("feed", "VARCHAR"),
        ("speaker", "VARCHAR"),
        ("title", "VARCHAR"),
        ("link", "VARCHAR"),
        ("text", "VARCHAR"),
        ("tone", "DOUBLE"),
        ("stance", "DOUBLE"),
        ("words", "INTEGER"),
        ("lexicon_version", "VARCHAR"),
    ),
    ("id",),
)

_INDEX = (
    ("date", "DATE"),
    ("index", "DOUBLE"),
    ("index_market_only", "DOUBLE"),
    ("percentile", "DOUBLE"),
    ("band", "VARCHAR"),
    ("coverage", "DOUBLE"),
    ("set_label", "VARCHAR"),
    ("move", "DOUBLE"),
    ("coverage_effect", "DOUBLE"),
    ("alerts", "VARCHAR"),
    ("weights_version", "VARCHAR"),
    ("lexicon_version", "VARCHAR"),
)
_MODULE = (
    ("date", "DATE"),
    ("module", "VARCHAR"),
    ("score", "DOUBLE"),
    ("weight", "DOUBLE"),
    ("contribution", "DOUBLE"),
    ("move", "DOUBLE"),
    ("status", "VARCHAR"),
)
_INPUT = (
    ("date", "DATE"),
    ("input", "VARCHAR"),
    ("module", "VARCHAR"),
    ("raw", "DOUBLE"),
    ("percentile", "DOUBLE"),
    ("as_of", "DATE"),
    ("age", "INTEGER"),
    ("status", "VARCHAR"),
    ("weight", "DOUBLE"),
    ("contribution", "DOUBLE"),
)

# What was published on its day: the newest values, and once and for all the first ones. Points 0 to
# 100; coverage 0 to 1; alerts as JSON, [[kind, about, points], …].
STRESS_INDEX = Table(
    "stress_index",
    (
        *_INDEX,
        ("first_index", "DOUBLE"),
        ("first_percentile", "DOUBLE"),
        ("first_seen", "TIMESTAMPTZ"),
    ),
    ("date",),
    once=("first_index", "first_percentile", "first_seen"),
)
STRESS_MODULE = Table("stress_module", _MODULE, ("date", "module"))
STRESS_INPUT = Table("stress_input", _INPUT, ("date", "input"))
# The same numbers, computed later over the whole past: replaced as a whole, never mixed with the above.
STRESS_REPLAY = Table("stress_replay", _INDEX, ("date",))
STRESS_REPLAY_MODULE = Table("stress_replay_module", _MODULE, ("date", "module"))
STRESS_REPLAY_INPUT = Table("stress_replay_input", _INPUT, ("date", "input"))

# The sentences of a morning: `message` is a gettext id that `values` (JSON) fill; what each is about is the
# row `row_key` (JSON) of `table_name`, or `link`. Replaced as a whole when anything behind it changed.
BRIEF = Table(
    "brief",
    (
        ("date", "DATE"),
        ("n", "INTEGER"),
        ("part", "VARCHAR"),
        ("message", "VARCHAR"),
        ("values", "VARCHAR"),
        ("table_name", "VARCHAR"),
        ("row_key", "VARCHAR"),
        ("link", "VARCHAR"),
    ),
    ("date", "n"),
)

# Internal: days that an upstream was asked for and has no value of.
ABSENT = Table("absent", (("series", "VARCHAR"), ("date", "DATE")), ("series", "date"))

# What a check said of a subject (a series, a column) of a step's rows: `state` pass, warn or fail, the
# `value` that was judged, and the bounds that it has crossed, or would cross next. `message` is a gettext id
# that `values` (JSON) fill.
CHECK_RESULT = Table(
    "check_result",
    (
        ("step", "VARCHAR"),
        ("name", "VARCHAR"),
        ("subject", "VARCHAR"),
        ("state", "VARCHAR"),
        ("value", "DOUBLE"),
        ("low", "DOUBLE"),
        ("high", "DOUBLE"),
        ("message", "VARCHAR"),
        ("values", "VARCHAR"),
    ),
    ("run_id", "step", "name", "subject"),
)

OBSERVED: tuple[Table, ...] = (CRYPTO_PRICE, PROTOCOL_TVL, OBSERVATION, NEWS_ITEM, FED_SPEECH)
PUBLISHED: tuple[Table, ...] = (STRESS_INDEX, STRESS_MODULE, STRESS_INPUT)
REPLAYED: tuple[Table, ...] = (STRESS_REPLAY, STRESS_REPLAY_MODULE, STRESS_REPLAY_INPUT)
BY_NAME: dict[str, Table] = {table.name: table for table in (*OBSERVED, SERIES, *PUBLISHED)}
