"""The bytes of one answer as they arrive: decompressed here, counted here, never beyond the cap.

A decoder that decompresses whole chunks lets 500 KB become 500 MB before anybody has counted, and
takes a gzip stream that was cut off for a whole one.
"""

import re
import zlib
from collections.abc import Mapping

_GZIP = b"\x1f\x8b"
_STEP = 1 << 18


class TooLarge(Exception):
    """More bytes than the cap."""


class Broken(Exception):
    """The body ended early or is damaged."""


class Unasked(Exception):
    """An encoding that was not asked for: more than one layer, or an unknown one."""


class Body:
    """Takes what comes off the wire with `feed`; `whole` gives the plain bytes."""

    def __init__(self, headers: Mapping[str, str], cap: int, *, sized: bool = True) -> None:
        """`headers` have lower-case names; `sized`: the length that they promise is to be kept.
        Raises Unasked, TooLarge."""
        self._encoding = headers.get("content-encoding", "").strip().lower() or "identity"
        if self._encoding not in ("identity", "gzip", "x-gzip", "deflate"):
            raise Unasked
        length = headers.get("content-length", "") if "transfer-encoding" not in headers else ""
        self._length = int(length) if sized and re.fullmatch("[0-9]{1,18}", length) else 0
        if self._length > cap:
            raise TooLarge
        self._cap = cap
        self._wire = 0
        self._plain = bytearray()
        self._inflate: zlib._Decompress | None = None

    def feed(self, data: bytes) -> None:
        """Raises TooLarge, Broken."""
        self._wire += len(data)
        if self._wire > self._cap:
            raise TooLarge
        if self._encoding == "identity":
            self._plain += data
            return
        try:
            self._expand(data)
        except zlib.error:
            raise Broken from None

    def sofar(self) -> bytes:
        """The plain bytes that have come, whole or not."""
        return bytes(self._plain)

    def whole(self) -> bytes:
        """The plain bytes, once the peer has ended. Raises Broken, Unasked."""
        if self._wire < self._length:
            raise Broken
        if self._wire and self._encoding != "identity":
            if self._inflate is None or not self._inflate.eof:
                raise Broken
            if self._plain.startswith(_GZIP):
                raise Unasked
        return bytes(self._plain)

    def _expand(self, data: bytes) -> None:
        full = False
        while data or full:
            if self._inflate is None or self._inflate.eof:
                # gzip may be several members in a row; anything else after the end is padding.
                if self._inflate is not None and (self._encoding == "deflate" or data[0] != _GZIP[0]):
                    return
                self._inflate = zlib.decompressobj(self._window(data[0]))
            limit = min(self._cap + 1 - len(self._plain), _STEP)
            out = self._inflate.decompress(data, limit)
            self._plain += out
            if len(self._plain) > self._cap:
                raise TooLarge
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            # Output may wait inside although all input was taken.
            full = len(out) == limit and not self._inflate.eof

    def _window(self, first: int) -> int:
        if self._encoding != "deflate":
            return 16 + zlib.MAX_WBITS
        # "deflate" means zlib, but some servers send it bare.
        return zlib.MAX_WBITS if first & 0x0F == 8 else -zlib.MAX_WBITS
