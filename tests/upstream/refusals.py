"""How FRED and Yahoo say no: name → (status, body, content type). Clients tell them apart by these words."""

from json import dumps
from xml.sax.saxutils import quoteattr

XML = "text/xml; charset=UTF-8"
JSON = "application/json;charset=utf-8"
TEXT = "text/html;charset=utf-8"
Refusal = tuple[int, bytes, str]

_READ = "Read https://fred.stlouisfed.org/docs/api/api_key.html for more information."
# Name → (status, message in XML, message in JSON).
_FRED: dict[str, tuple[int, str, str]] = {
    "no_key": (400, "Bad Request.  Variable api_key has not been set.",
               f"Bad Request.  Variable api_key is not set.  {_READ}"),
    "key": (400, *2 * (f"Bad Request.  The value for variable api_key is not registered.  {_READ}",)),
    "malformed_key": (400, *2 * ("Bad Request.  The value for variable api_key is not a 32 character "
                                 f"alpha-numeric lower-case string.  {_READ}",)),
    "series": (400, *2 * ("Bad Request.  The series does not exist.",)),
    "rate_limited": (429, *2 * ("Too Many Requests.  Exceeded Rate Limit",)),
}  # fmt: skip


def fred_error(code: int, message: str, file_type: str = "xml") -> Refusal:
    """FRED's envelope of an error; XML unless JSON was asked for."""
    if file_type == "json":
        return (
            code,
            dumps({"error_code": code, "error_message": message}, separators=(",", ":")).encode(),
            JSON,
        )
    text = f'<?xml version="1.0" encoding="utf-8" ?>\n<error code="{code}" message={quoteattr(message)} />\n'
    return code, text.encode(), XML


def fred(name: str, file_type: str = "xml") -> Refusal:
    """One of FRED's own: `no_key`, `key`, `malformed_key`, `series`, `rate_limited`. Raises KeyError."""
    code, in_xml, in_json = _FRED[name]
    return fred_error(code, in_json if file_type == "json" else in_xml, file_type)


def yahoo_error(status: int, code: str, description: str, part: str = "chart") -> Refusal:
    """Yahoo's envelope of an error."""
    body = {part: {"result": None, "error": {"code": code, "description": description}}}
    return status, dumps(body, separators=(",", ":")).encode(), JSON


_YAHOO: dict[str, Refusal] = {
    "rate_limited": (429, b"Too Many Requests\r\n", TEXT),
    "invalid_crumb": yahoo_error(401, "Unauthorized", "Invalid Crumb", "finance"),
    "no_data": yahoo_error(404, "Not Found", "No data found, symbol may be delisted"),
}


def yahoo(name: str) -> Refusal:
    """One of Yahoo's: `rate_limited`, `invalid_crumb`, `no_data`. Raises KeyError."""
    return _YAHOO[name]
