"""Where a customer is, in codes: what is no code is unknown, and New York City is known by its names and ZIP codes."""

import re
from functools import lru_cache

COUNTRIES = frozenset(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA
    CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB
    GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG
    KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB
    SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US
    UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW""".split()
)
"""ISO 3166-1 alpha-2."""

US_STATES = frozenset(
    """AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR
    PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR UM VI AA AE AP""".split()
)
"""ISO 3166-2:US, and the three of military addresses."""

BOROUGHS = frozenset({"new york", "new york city", "nyc", "brooklyn", "bronx", "queens", "staten island", "manhattan"})
LOCALITIES = frozenset(
    """arverne|astoria|bayside|breezy point|cambria heights|college point|corona|east elmhurst|elmhurst|far rockaway|
    flushing|forest hills|fresh meadows|glen oaks|howard beach|jackson heights|jamaica|kew gardens|little neck|
    long island city|maspeth|middle village|oakland gardens|ozone park|queens village|rego park|richmond hill|ridgewood|
    rockaway park|saint albans|south ozone park|south richmond hill|springfield gardens|st albans|sunnyside|whitestone|
    woodhaven|woodside""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
"""Names that the post uses in Queens and nowhere else in the state."""

_ZIP = re.compile(r"^\s*([0-9]{5})(?:[\s-]?[0-9]{4})?\s*$")
_ZIP_PREFIXES = ("100", "101", "102", "103", "104", "111", "112", "113", "114", "116")
_ZIPS = ("11004", "11005")
_NO_LETTER = re.compile(r"[^a-z]+")


def country_code(said: str | None) -> str | None:
    """ISO 3166-1 alpha-2 in capitals; None when it is none."""
    code = said.strip().upper() if said else ""
    return code if code in COUNTRIES else None


def state_code(said: str | None, country: str | None) -> str | None:
    """ISO 3166-2 without the country, in capitals; None when it is none of the United States' or nothing at all."""
    code = said.strip().upper() if said else ""
    if country is not None and code.startswith(country + "-"):
        code = code[len(country) + 1 :]
    if country == "US" and code not in US_STATES:
        return None
    return code or None


@lru_cache(maxsize=16_384)
def is_new_york_city(city: str | None, zip_code: str | None) -> bool | None:
    """Whether a place in the state of New York is in one of the five boroughs; None when neither city nor ZIP says."""
    name = _NO_LETTER.sub(" ", (city or "").partition(",")[0].casefold()).strip()
    found = _ZIP.match(zip_code or "")
    if name.removeprefix("the ") in BOROUGHS or name in LOCALITIES:
        return True
    if found is not None:
        return found[1].startswith(_ZIP_PREFIXES) or found[1] in _ZIPS
    return False if name else None
