"""Why a contact was denied, for people: a rule's own sentence, or what must be known and is not."""

from models.compliance.packs import Rules, rule_named

MISSING = {
    "no_contact_point": "No usable contact point of this channel is known.",
    "unknown_city": "It is not known whether the customer is in New York City: neither city nor ZIP code.",
    "unknown_collector_role": "It is not known whether this is a creditor or a third party.",
    "unknown_country": "It is not known in which country the customer is.",
    "unknown_debt_class": "It is not known whether the debt is a consumer's or a business's.",
    "unknown_state": "It is not known in which state the customer is.",
    "unknown_time_zones": "It is not known which time it is where the customer is.",
}
LIMITS = {
    "tenant:contact_hours": "Outside the tenant's own contact hours.",
    "tenant:max_contacts_per_7_days": "The tenant's limit of contacts in 7 days is reached.",
    "tenant:min_hours_between_contacts": "The last contact was too short a time ago.",
}
STRATEGY = {
    "strategy:caps": "The strategy's cap of this channel for the day is reached.",
    "strategy:hours": "Outside the hours that the strategy keeps for this action.",
    "strategy:offers": "The strategy does not offer this action to such an account.",
    "strategy:prices": "The strategy has no prices in this currency.",
}
"""What denies an action without being a law's or a tenant's limit."""


def reason_of(name: str, rules: Rules = ()) -> str:
    """The sentence of an id that denied; `rules` = those that were evaluated, a tenant's own among them."""
    sentence = MISSING.get(name) or LIMITS.get(name) or STRATEGY.get(name)
    if sentence is not None:
        return sentence
    rule = rule_named(name) or next((rule for rule in rules if rule.id == name), None)
    return "See the rule of that name." if rule is None else rule.denies or rule.says
