"""Replies that customers write, and whether each is an opt-out by the words of the specification: yes, no or unsure."""

YES = {
    # A TC-2 word as the whole reply; case, punctuation and please are ignored.
    "STOP": {"sms"},
    "stop": {"sms"},
    "Stop.": {"sms"},
    "STOP!!!": {"sms"},
    "  stop  ": {"sms"},
    "Please stop": {"sms"},
    "Stop, please.": {"sms"},
    "Quit": {"sms"},
    "END": {"sms"},
    "revoke": {"sms"},
    "opt out": {"sms"},
    "Opt-out": {"sms"},
    "OPT OUT PLEASE": {"sms"},
    "cancel": {"sms"},
    "Unsubscribe": {"sms"},
    '"stop"': {"sms"},
    # "Inside a sentence the meaning decides."
    "pls stop texting me": {"sms"},
    "Please stop sending me text messages": {"sms"},
    "do not text me again": {"sms"},
    "I don't want any more texts from you": {"sms"},
    "no more texts please": {"sms"},
    "quit texting this number": {"sms"},
    "Take me off your text list": {"sms"},
    # "An opt-out may arrive on another channel than the one that it names."
    "Stop calling me": {"call"},
    "please don't call me any more": {"call"},
    "Never phone me again": {"call"},
    "Stop emailing me": {"email"},
    "do not send me any more e-mails": {"email"},
    "Don't call or text me": {"call", "sms"},
    "Do not contact me again": {"all"},
    # "And in another language."
    "ALTO": {"sms"},
    "Por favor, dejen de enviarme mensajes": {"sms"},
    "No me llamen más": {"call"},
    "Stopp": {"sms"},
    "Bitte keine Nachrichten mehr": {"sms"},
    "Rufen Sie mich nicht mehr an, keine Anrufe mehr": {"call"},
    "Arrêtez de m'envoyer des messages": {"sms"},
    "Ne m'appelez plus": {"call"},
    "Pare de me mandar mensagens": {"sms"},
    "Não me liguem mais, por favor não ligar": {"call"},
    "Smettetela di mandarmi messaggi": {"sms"},
    "Non chiamatemi più, non mi chiamate": {"call"},
    "Stuur mij geen berichten meer": {"sms"},
    "Sluta skicka meddelanden": {"sms"},
}
"""Text of an SMS -> the channels that it takes back."""

NO = (
    # "A plain other sense is no opt-out."
    "I will stop by the office tomorrow to pay",
    "the bus stop is next to your office",
    "I can pay at the end of the month",
    "My job ends on Friday, I will pay after that",
    "I will pay on Friday",
    "Thanks, got it",
    "Can you call me tomorrow?",
    "Please text me the amount",
    "How much do I owe?",
    "Ok",
    "Pagaré el viernes",
    "Ich zahle am Freitag",
    "Je paierai vendredi",
)

UNSURE = (
    # Denied until a person has read it.
    "stop it",
    "enough, stop this nonsense",
    "I want to cancel",
)
