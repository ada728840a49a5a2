"""The words that the text modules count, written for this project in English and Korean.

`LEXICON_VERSION` goes into every row that was computed with them; any change of a list changes it.
"""

LEXICON_VERSION = "2026.1"
