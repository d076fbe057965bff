"""Values that tell of health, belief or life: codes by their form, terms only under a name that asks for them."""

from detectors.classify.recognizers.recognizer import Recognizer

_HEALTH = "user.health_and_medical"

RECOGNIZERS: tuple[Recognizer, ...] = (
    Recognizer(name="icd-10", category=_HEALTH, pattern=r"[A-TV-Za-tv-z]\d[0-9A-Za-z](?:\.[0-9A-Za-z]{1,4})?", hidden=True,
        keys=("icd", "icd10", "icdcode", "diagnosiscode", "dx", "dxcode", "primarydiagnosis", "conditioncode"), finds=("E11.9", "F32"), spares=("U07", "1234")),
    Recognizer(name="national-drug-code", category=_HEALTH, pattern=r"\d{4,5}-\d{3,4}-\d{1,2}|\d{10,11}", numbers=True, hidden=True, keys=("ndc", "ndccode", "drugcode", "rxnorm", "pzn"), finds=("0002-8215-01",), spares=("12",)),
    Recognizer(name="blood-type", category=_HEALTH, pattern=r"(?:A|B|AB|O|a|b|ab|o)(?:[+\-]| ?(?:positive|negative|pos|neg|Rh[+\-]))", hidden=True, keys=("bloodtype", "bloodgroup", "blutgruppe", "groupesanguin"), finds=("AB+", "O negative"), spares=("C+",)),
    Recognizer(name="health-term", category=_HEALTH, valid="health_term", pattern=r"[^\"{}<>]{3,160}", hidden=True,
        keys=("reason", "condition", "conditions", "interest", "topic", "segment", "audience", "answer", "treatment", "therapy", "concern", "concerns", "skinconcern", "skinconcerns", "healthconcern", "symptom", "goal", "usedfor", "quizanswer"),
        finds=("pregnancy", "type 2 diabetes", "IVF consultation", "antidepressants"), spares=("blue shirts", "running", "summer sale")),
    Recognizer(name="religious-term", category="user.demographic.religious_belief", valid="religious_term", pattern=r"[^\"{}<>]{3,80}", hidden=True, keys=("faith", "mealpreference", "dietaryreligion", "congregation", "worship"),
        finds=("halal", "Roman Catholic", "kosher"), spares=("vegetarian", "vegan")),
    Recognizer(name="orientation-term", category="user.demographic.sexual_orientation", valid="orientation_term", pattern=r"[^\"{}<>]{3,60}", hidden=True, keys=("orientation", "interestedin", "lookingfor", "attractedto"),
        finds=("gay", "bisexual"), spares=("landscape", "portrait", "shoes")),
    Recognizer(name="political-term", category="user.demographic.political_opinion", valid="political_term", pattern=r"[^\"{}<>]{3,60}", hidden=True, keys=("party", "affiliation", "votesfor", "ideology"),
        finds=("Social Democrats", "republican", "Green Party"), spares=("birthday party for two", "third")),
    Recognizer(name="biometric-template", category="user.biometric", pattern=r"[A-Za-z0-9+/=_\-]{32,65536}", hidden=True, keys=("biometric", "biometrics", "facevector", "faceid", "facedata", "fingerprintdata", "fingerprintimage", "palmprint", "irisdata", "voicesample", "selfie", "livenessdata"),
        finds=("QUJD" * 12,), spares=("enabled", "true")),
)  # fmt: skip
"""A condition named by a product (`diabetic socks`) is the shop's stock; a name that asks about the person makes it the person's."""
