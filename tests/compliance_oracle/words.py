"""Whether a customer's reply, in their own words, takes a channel back: yes, no or unsure."""

import re
import unicodedata

PER_SE = {"stop", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe"}
PER_SE |= {"stop all", "stopall", "please stop", "stop please"}
OTHER_TONGUES = {
    *("alto", "pare", "parar", "basta", "baja", "darme de baja", "detener", "cancelar"),
    *("stopp", "abmelden", "abbestellen", "aufhoren", "schluss", "ende", "kundigen", "austragen"),
    *("arret", "arreter", "arretez", "desabonner", "desinscrire", "desinscription", "resilier"),
    *("pare", "sair", "cancelar", "descadastrar", "remover"),
    *("ferma", "fermare", "smettila", "cancella", "annulla", "disiscrivimi", "disiscriviti", "basta"),
    *("stoppen", "afmelden", "uitschrijven", "einde", "opzeggen"),
    *("stoppa", "sluta", "avsluta", "avregistrera", "avanmal"),
}
POLITE = {
    "please",
    "pls",
    "plz",
    "por favor",
    "bitte",
    "svp",
    "s il vous plait",
    "per favore",
    "alstublieft",
    "aub",
    "tack",
}

CHANNELS = {
    "sms": r"\b(text\w*|txt\w*|sms\w*)\b",
    "message": r"\b(messag\w*|mensaj\w*|mensag\w*|nachricht\w*|messagg\w*|bericht\w*|meddeland\w*)\b",
    "email": r"\b(e mail\w*|email\w*|mail\w*|correo\w*|courriel\w*|mejl\w*)\b",
    "call": r"\b(call\w*|phon\w*|ring\w*|llam\w*|anruf\w*|anzurufen|appel\w*|ligar|ligue\w*|telefon\w*|chiam\w*|bel|bellen)\b",
    "letter": r"\b(letters?|carta\w*|briefe?|courriers?|lettere?)\b",
    "all": r"\b(contact\w*|contatt\w*|contat\w*|kontakt\w*|leave me alone|dejenme en paz|molest\w*)\b",
}
TAKES_BACK = re.compile(
    r"\b(stop|stopp|quit|cease|do not|don t|dont|never|no longer|no more|unsubscribe|opt me out|opt out|remove|take me off"
    r"|leave me|dejen|deje|no me|no quiero|ya no|pare|paren|parem|nao me|nao quero|mais mensagens|nicht mehr|keine"
    r"|horen sie|arretez|arreter|cessez|ne m|ne me|plus de|non voglio|non mi|smett\w+|basta|niet meer|geen|hou op"
    r"|stoppa|sluta|inte|inga)\b"
)
OTHER_SENSE = re.compile(
    r"\b(bus stop|stop by|stopped by|stopping by|stop in|stop over|stop at|truck stop|non stop|end of|at the end|weekend"
    r"|cancel(led)? (my|the) (order|flight|appointment|subscription)|stop (my|the) (payment|direct debit|standing order)"
    r"|quit my job)\b"
)
NAMED = re.compile(r"\b(" + "|".join(sorted(PER_SE | OTHER_TONGUES, key=len, reverse=True)) + r")\b")


def plain(text: str) -> str:
    """Lower case, without accents and punctuation, single spaces."""
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(mark))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare).split())


def takes_back(text: str, channel: str) -> tuple[str, set[str]]:
    """`yes`, `no` or `unsure`, and which channels (`all` = every one).

    A per-se word "is an opt-out when it is the whole reply (case, punctuation, please ignored); inside a sentence the
    meaning decides; a plain other sense is no opt-out; unsure = that channel is denied until a person has read it."
    """
    said = plain(text)
    for word in sorted(POLITE, key=len, reverse=True):
        said = re.sub(rf"(^|\s){word}(\s|$)", " ", said).strip()
    if said in PER_SE | OTHER_TONGUES:
        return "yes", {channel}
    other = OTHER_SENSE.search(said) is not None
    named = {name for name, pattern in CHANNELS.items() if re.search(pattern, said)}
    if "message" in named:
        named = (named - {"message"}) or {channel}
    if TAKES_BACK.search(said) and named and not other:
        return "yes", {"all"} if "all" in named else named
    if other or not NAMED.search(said):
        return "no", set()
    return "unsure", {channel}
