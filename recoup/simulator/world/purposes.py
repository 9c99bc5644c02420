"""What each random number of the world is drawn for; every use has a number of its own, so that none is used twice."""

from enum import IntEnum


class Purpose(IntEnum):
    """`*_N` is a normal number and takes the next one too. Per invoice or channel: add its place to the base."""

    TENANT = 1
    PLACE = 2
    HABIT = 3
    EARLY_N = 10
    DUE_N = 12
    LATE_N = 14
    FADES_N = 16
    TIRES_N = 18
    TOUCHY_N = 20
    PROMISES_N = 22
    KEEPS_N = 24
    PLAN_N = 26
    PART_N = 28
    HOUR_N = 30
    MOVED_N = 40
    AMOUNT_N = 60
    DUE_DAY = 80
    FIRST_DUE = 90
    SECOND = 91
    AGAIN = 92
    EMAIL = 100
    PHONE = 101
    POST = 102
    WRONG = 103
    MOMENT = 104
    DISPUTES = 110
    DISPUTE_DAY = 120

    PAYS = 200
    PAYS_AT = 201
    PAYS_PART = 202
    PAYS_HOW_MUCH = 203
    BOUNCES = 204
    GOES_BACK = 205
    GOES_BACK_AFTER = 206
    PROMISE_KEPT = 207
    INSTALMENT = 208
    BANKRUPT = 210
    DIES = 211
    ATTORNEY = 212
    BREATHING = 213
    FRAUD = 214
    HELD = 215
    HELD_FOR = 216
    VULNERABLE = 217
    HARDSHIP = 218
    CONSENT = 219
    WRITES = 220
    WRITES_WHAT = 221
    STOPS = 222
    RESOLVED_AFTER = 223
    OUTCOME = 224
    LIFE_AT = 225

    DELIVERED = 300
    NOTICED = 310
    ANSWERED = 320
    SAID = 330
    PROMISED = 340
    PROMISED_DAYS = 350
    COMPLAINED = 360
    OPTED_OUT = 370
    CEASED = 380
    DISPUTED = 390
    TOOK_PLAN = 400
    DECLARED = 410
    DELAY = 420
    WORDS = 430
    CLICKED = 440
    AGENT = 450
    TALKED = 460
