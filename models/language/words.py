"""A customer's text as plain words: without case, accents, disguises, quoted mails and signatures, whatever was typed.

Everything here takes time in proportion to the text, and no text makes it raise.
"""

import re
import unicodedata

CLAUSE, SENTENCE = ",", "."
"""What stands among the words where a clause or a sentence ends."""

_TOKEN = re.compile(r"[^\W_]+|[.!?;:\n\u2026|]|,|\u060c")
_INVISIBLE = re.compile(
    "[\u0300-\u036f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]+"
)
_LETTERS = str.maketrans(
    {"ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "æ": "ae", "Æ": "ae", "œ": "oe", "\u0131": "i", "đ": "d"}
)
_LOOKALIKES = str.maketrans("абеосрхтукмнѕіјзвАВЕОСРХТУКМНЅІЈ", "abeocpxtykmhsijzbabeocpxtykmhsij")
_LEET = str.maketrans("01345$@", "oieassa")
_MAIL = re.compile(r"\be[\s\u2010-\u2015-]?mail")
_CONTRACTED = re.compile(r"n['\u2018\u2019\u02bc\u00b4`]t\b")
_APOSTROPHE = re.compile(r"['\u2018\u2019\u201b\u02bc\u00b4`]")
_LONG = re.compile(r"([a-z])\1{2,}")
_LETTERED = re.compile(r"\b(?:[a-z][ .*_-]){3,}[a-z]\b")

_QUOTED = re.compile(
    r"\n[ \t]*>|\n[ \t]*-{2,} ?(?:original|urspr|mensaje|message|messaggio|oorspronkelijk|forwarded)"
    r"|\n[ \t]*(?:on|am|le|el|il|em|op|den|dnia|w dniu)\b[^\n]{6,200}"
    r"(?:wrote|schrieb|a ecrit|escribio|ha scritto|escreveu|schreef|skrev|napisal\w*)[^\n]{0,40}:"
    r"|\n[ \t]*(?:from|von|de|da|van|fran|od): [^\n]*\n"
)
_SENT_FROM = re.compile(
    r"\n[ \t]*(?:sent from|sent with|get outlook|gesendet von|von meinem|envoye de|enviado desde|enviado do|inviato da"
    r"|verzonden vanaf|skickat fran|wyslano z)\b[^\n]*"
)
_REACTION = re.compile(
    r"\s*(?:liked|loved|disliked|laughed at|emphasi[sz]ed|questioned|reacted \S{1,12} to|removed an? \w+ from)\s*"
    r"[\"\u201c\u00ab].*[\"\u201d\u00bb]\s*",
    re.DOTALL,
)


def plain(text: str) -> str:
    """The text in small letters without accents, invisible characters and full width; what is quoted below it is cut."""
    if text.isascii():
        small = text.lower()
    else:
        small = _INVISIBLE.sub("", unicodedata.normalize("NFKD", text.translate(_LETTERS))).casefold()
        small = _INVISIBLE.sub("", small)
    if "\n" in small:
        found = _QUOTED.search(small)
        if found is not None and small[: found.start()].strip():
            small = small[: found.start()]
        small = _SENT_FROM.sub("", small)
    return small


def is_reaction(small: str) -> bool:
    """Whether it is a telephone's report that somebody put a sign on our own message, which it quotes."""
    return _REACTION.fullmatch(small) is not None


def words(small: str) -> list[str]:
    """The words of a `plain` text, with `CLAUSE` and `SENTENCE` where one ends."""
    if "mail" in small:
        small = _MAIL.sub("email", small)
    small = _APOSTROPHE.sub(" ", _CONTRACTED.sub("nt", small))
    return [_word(found) for found in _TOKEN.findall(small)]


def _word(found: str) -> str:
    if found.isascii():
        if found.isalpha():
            return found
        if found.isalnum():
            return found if found.isdigit() or not found[0].isalpha() else found.translate(_LEET)
        return CLAUSE if found == "," else SENTENCE
    if found == "\u060c":
        return CLAUSE
    if found == "\u2026":
        return SENTENCE
    turned = found.translate(_LOOKALIKES)
    return turned if turned.isascii() else found


def spelt_out(small: str) -> str:
    """The text with words that were written letter by letter (s.t.o.p, S T O P) put together."""
    return _LETTERED.sub(lambda found: re.sub(r"[ .*_-]", "", found.group()), small)


def shortened(small: str) -> str:
    """The text with every letter that was held down written once: stoooop, stopppp."""
    return _LONG.sub(r"\1", small)
