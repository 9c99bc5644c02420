"""Why something was decided, in words; a reason that nobody has words for is told as it stands."""

from collections.abc import Iterable

REASONS = {
    "awaiting_answer": "an answer may still come",
    "below_minimum": "too little is owed to ask for it",
    "best_is_denied": "the best action is denied",
    "drawn_to_learn": "drawn at random, to learn from it",
    "due_before_going_live": "it was due before the tenant went live",
    "held_out": "held out of contact, to compare with",
    "money_on_account": "money lies on the account that nobody has applied",
    "no_contact_policy": "the policy contacts nobody",
    "no_further_contact": "automatic contact has had its chance",
    "no_step_due": "no step is due",
    "nothing_may_be_chased": "nothing that is owed may be chased",
    "nothing_offered_yet": "no action is offered yet",
    "nothing_owed": "nothing is owed",
    "nothing_worth_it": "no action is worth its cost",
    "on_hold": "the account is on hold",
    "payment_on_its_way": "a payment is on its way",
    "payments_feed_stale": "payments have not been heard of for too long",
    "plan": "a payment plan stands",
    "promise": "a promise to pay is open",
    "reply_to_read": "a reply waits for a person",
    "step_denied": "the step is denied",
    "step_due": "a step is due",
    "steps_exhausted": "all steps have been taken",
    "vip": "the customer is a person's to talk to",
    "with_a_person": "a person has the account",
    "worth_it": "worth more than its cost",
}


def reasons_in_words(reasons: Iterable[str]) -> str:
    """The reasons of a decision as one line; sentences of rules stay as they are."""
    told = [REASONS.get(reason, reason.replace("_", " ").removesuffix(".")) for reason in reasons]
    if len(told) > 1 and told[0].endswith("denied"):
        return f"{told[0]}: {'; '.join(told[1:])}"
    return "; ".join(told) or "no reason was given"
