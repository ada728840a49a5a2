"""One address for one article, however it was linked to: what tells two rows of news apart.

Two forms: `clean` is what a person may click (nothing in it says who sent them), `canonical` is what is
compared (scheme, `www`, AMP and mobile editions do not make another article).
"""

import re
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

# Parameters that say where a reader came from, never what is read; in lower case.
_TRACKING = frozenset(
    (
        "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "igshid", "mc_cid",
        "mc_eid", "_ga", "_gl", "cmp", "cmpid", "ncid", "ref", "ref_", "ref_src", "ref_url", "referrer",
        "source", "__source", "src", "smid", "smtyp", "partner", "mod", "srnd", "sref", "ftcamp", "ftag",
        "guccounter", "guce_referrer", "guce_referrer_sig", ".tsrc", "tsrc", "soc_src", "soc_trk", "spm",
        "taid", "xtor", "wt.mc_id", "mkt_tok", "traffic_source", "oc", "feed", "rss", "from", "share",
    )
)  # fmt: skip
_TRACKING_FAMILIES = ("utm_", "at_", "hsa_", "pk_", "mtm_", "piwik_")
# Parameters by which a page is asked for in another edition.
_EDITION = frozenset(("amp", "outputtype", "mobile"))
# Google's own redirects and the Korean portals name the article in what elsewhere is tracking.
_KEEPS_ALL = re.compile(r"(^|\.)(naver|daum|google)\.(com|net)$")
_EDITION_HOST = re.compile(r"^(?:(?:www|m|mobile|amp)\.)+(?=[^.]+\.)")
# An AMP cache has the address of the article in its path.
_AMP_CACHE = re.compile(
    r"^https?://(?:[^/]+\.cdn\.ampproject\.org/[a-z]/|www\.google\.[a-z.]+/amp/)(?:s/)?(?=[^/]+\.)"
)
_DEFAULT_PORT = {"http": 80, "https": 443}
# `/amp/story`, `/story/amp`, `/story.amp`, `/story.amp.html`; a word such as `/amplifier` is none.
_AMP_PATH = re.compile(r"^/amp(?=/.)|/amp/?$|\.amp(?=\.html?$)|\.amp$|(?<=/)amp/(?=[^/]+$)", re.I)


def clean(link: str) -> str:
    """The link without what says who sent the reader, and without user names. Raises ValueError for what
    is no http address."""
    parts = _split(link)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    port = "" if parts.port in (None, _DEFAULT_PORT[parts.scheme]) else f":{parts.port}"
    return urlunsplit((parts.scheme, host + port, parts.path or "/", _query(parts, frozenset()), ""))


def canonical(link: str) -> str:
    """What is the same for every link to one article. Raises ValueError for what is no http address."""
    parts = _split(_AMP_CACHE.sub("https://", clean(link)))
    host = _EDITION_HOST.sub("", str(parts.hostname))
    port = f":{parts.port}" if parts.port else ""
    path = parts.path
    # Of `/amp/a.amp.html` both go.
    while (shorter := _AMP_PATH.sub("", path)) != path:
        path = shorter
    path = re.sub(r"/{2,}", "/", path).rstrip("/")
    pairs = sorted(parse_qsl(_query(parts, _EDITION), keep_blank_values=True))
    return urlunsplit(("https", host + port, path, urlencode(pairs), ""))


def _split(link: str) -> SplitResult:
    parts = urlsplit(link.strip())
    # Both raise ValueError of their own for `http://[` and for a port that is none.
    if parts.scheme not in _DEFAULT_PORT or not parts.hostname or parts.port == 0:
        raise ValueError("no http address")
    return parts


def _query(parts: SplitResult, besides: frozenset[str]) -> str:
    """The parameters that name what is read, in their order and as they were written."""
    whole = _KEEPS_ALL.search(str(parts.hostname))
    kept = []
    for pair in filter(None, parts.query.split("&")):
        name = pair.partition("=")[0].lower()
        tracks = name.startswith(_TRACKING_FAMILIES) or (name in _TRACKING and not whole)
        if not tracks and name not in besides:
            kept.append(quote(pair, safe="%=+:/?@!$'()*,;~-._[]"))
    return "&".join(kept)
