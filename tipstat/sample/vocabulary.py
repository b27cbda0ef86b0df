"""What is sent in coded columns, how often, and the forms and citizenships as sets of bits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tipstat.classification import Offence, code_list, correspondence
from tipstat.sample.records import Choice, Coded, Ints

#: Forms of exploitation as sent and their shares; several in one cell are one scheme.
_PURPOSES = (
    ("SEX_PROSTITUTION", 34.0),
    ("LAB_FORCED", 18.0),
    ("LAB_DOMESTIC", 6.0),
    ("BEGGING", 5.0),
    ("CRIME", 5.0),
    ("SEX_PORNOGRAPHY", 3.0),
    ("LAB_SERVITUDE", 3.0),
    ("MARRIAGE", 3.0),
    ("SEX", 2.0),
    ("LAB_NFS", 2.0),
    ("OTHER", 2.0),
    ("ORGAN", 1.0),
    ("ADOPTION", 1.0),
    ("MILITARY", 0.5),
    ("SURROGACY", 0.5),
    ("SEX_PROSTITUTION;SEX_PORNOGRAPHY", 3.0),
    ("SEX_PROSTITUTION;LAB_DOMESTIC", 2.0),
    ("LAB_FORCED;LAB_SERVITUDE", 2.0),
    ("BEGGING;CRIME", 2.0),
    ("_U", 2.0),
    ("", 3.0),
)
_FORMS = tuple(dict.fromkeys(f for text, _ in _PURPOSES for f in text.split(";") if len(f) > 2))

SEX = Choice(
    (
        ("F", "F", 50.0),
        ("M", "M", 36.0),
        ("Female", "F", 3.0),
        ("Masculino", "M", 2.0),
        ("O", "O", 1.0),
        ("_U", "_U", 4.0),
        ("", "_U", 4.0),
        ("femal", "_U", 0.0),
    )
)
AGE_GROUP = Choice(
    (
        ("", "_U", 40.0),
        ("Y0T17", "Y0T17", 15.0),
        ("Y_GE18", "Y_GE18", 20.0),
        ("Y15T29", "Y15T29", 15.0),
        ("Y30T44", "Y30T44", 10.0),
    )
)
EVENT_STATUS = Choice(
    (
        ("RECORDED", "RECORDED", 90.0),
        ("REQUALIFIED", "REQUALIFIED", 4.0),
        ("UNFOUNDED", "UNFOUNDED", 3.0),
        ("CANCELLED", "CANCELLED", 2.0),
        ("_U", "_U", 1.0),
    )
)
CROSS_BORDER = Choice(
    (
        ("DOMESTIC", "DOMESTIC", 50.0),
        ("CROSS_BORDER", "CROSS_BORDER", 40.0),
        ("_U", "_U", 5.0),
        ("", "_U", 5.0),
    )
)
ATTEMPTED = Choice(
    (("COMPLETED", "COMPLETED", 90.0), ("ATTEMPTED", "ATTEMPTED", 6.0), ("", "_U", 4.0))
)
VICTIM_STATUS = Choice(
    (
        ("PRESUMED", "PRESUMED", 26.0),
        ("PENDING", "PENDING", 6.0),
        ("IDENTIFIED", "IDENTIFIED", 36.0),
        ("FORMAL", "FORMAL", 20.0),
        ("REJECTED", "REJECTED", 4.0),
        ("SUSPENDED", "SUSPENDED", 2.0),
        ("WITHDRAWN", "WITHDRAWN", 2.0),
        ("DECLINED", "DECLINED", 2.0),
        ("_U", "_U", 2.0),
    )
)
JUSTICE_STATUS = Choice(
    (
        ("CONTACT", "CONTACT", 45.0),
        ("CHARGED", "CHARGED", 30.0),
        ("ALLEGED", "ALLEGED", 12.0),
        ("DISCONTINUED", "DISCONTINUED", 8.0),
        ("JUVENILE", "JUVENILE", 3.0),
        ("_U", "_U", 2.0),
    )
)
LEGAL_STATUS = Choice(
    (
        ("NATURAL", "NATURAL", 92.0),
        ("LEGAL_PRIVATE", "LEGAL_PRIVATE", 4.0),
        ("LEGAL_PUBLIC", "LEGAL_PUBLIC", 1.0),
        ("", "_U", 3.0),
    )
)
LEGAL_ENTITIES = ("LEGAL_PRIVATE", "LEGAL_PUBLIC")
POPULATION_SCOPE = Choice(
    (
        ("DETECTED_HERE", "DETECTED_HERE", 85.0),
        ("", "DETECTED_HERE", 12.0),
        ("REPATRIATED", "REPATRIATED", 3.0),
    )
)
OUTCOME = Choice(
    (
        ("CONVICTED_TIP", "CONVICTED_TIP", 58.0),
        ("CONVICTED_OTHER", "CONVICTED_OTHER", 12.0),
        ("ACQUITTED", "ACQUITTED", 18.0),
        ("DISMISSED", "DISMISSED", 5.0),
        ("DROPPED", "DROPPED", 7.0),
        ("guilty?", "_I", 0.0),
    )
)


def plain(*shares: tuple[str, float]) -> Choice:
    """A choice of codes that enter no figure of the truth as anything but themselves."""
    return Choice(tuple((code, code or "_U", share) for code, share in shares))


STATUS_DECIDED_BY = plain(("POLICE", 5), ("NON_POLICE_GOVERNMENT", 3), ("NGO", 1), ("", 1))
AGE_BASIS = plain(("DOCUMENTED", 5), ("ASSESSED", 2), ("APPARENT", 1), ("", 2))
ACT = plain(("RECRUITMENT", 5), ("RECRUITMENT;TRANSPORTATION", 3), ("HARBOURING", 2), ("", 1))
MEANS = plain(("DECEPTION", 5), ("COERCION;VIOLENCE", 2), ("ABUSE_VULNERABILITY", 2), ("", 1))
ROLE = plain(("EXPLOITER", 5), ("RECRUITER", 3), ("RECRUITER;TRANSPORTER", 1), ("", 1))
RELATIONSHIP = plain(("ACQUAINTANCE", 4), ("FAMILY", 2), ("CURRENT_PARTNER", 2), ("", 1))
PRINCIPAL = plain(("Y", 1), ("N", 0))
CASE_STATUS = plain(("COURT", 4), ("CLOSED_CONVICTION", 4), ("CLOSED_OTHER", 2))
CHARGE_STATUS = plain(("AS_FILED", 8), ("REQUALIFIED", 1), ("", 1))
STAGE = plain(("TRIAL", 1), ("PROSECUTION", 0), ("APPEAL", 0))
INSTANCE = plain(("FIRST", 1), ("SECOND", 0))
YES_NO = plain(("Y", 1), ("N", 1), ("", 0))
SANCTION = plain(("CUSTODIAL", 7), ("FINE", 2), ("SUSPENDED", 1), ("LIFE", 0.1))
CURRENCY = plain(("USD", 1), ("", 0))
CONSENT = plain(("CONSENT", 7), ("GUARDIAN", 2), ("LEGAL_BASIS", 1), ("NONE", 0))
CHANNEL = plain(("TELEPHONE", 5), ("WEB", 2), ("IN_PERSON", 2), ("", 1))
SUBJECT = plain(("TIP", 3), ("TIP_RELATED", 2), ("OTHER", 4), ("_U", 1))
STATUS_STAGE = plain(("FIRST", 1), ("SECOND", 0))
DIRECTION = plain(("INCOMING", 6), ("OUTGOING", 4))
ENTITY_TYPE = plain(("POLICE", 5), ("NGO", 3), ("HEALTH", 2), ("", 1))
REASON = plain(("ADDITIONAL_SERVICES", 8), ("MIGRATION_RELOCATION", 1), ("OTHER", 1))
SERVICE = plain(("SHELTER", 4), ("COUNSELLING", 3), ("HEALTH_PHYSICAL", 2), ("LEGAL_ASSISTANCE", 2))
PHASE = plain(("IMMEDIATE", 4), ("INTERMEDIATE", 4), ("LONGER_TERM", 2))
SERVICE_OUTCOME = plain(("PROVIDED", 8), ("OFFERED", 1), ("DECLINED", 1))


@dataclass(frozen=True)
class Labels:
    """Codes as the bits of a number; the last ones are those of an unknown.

    Attributes:
        names: code of each bit.
        n_unknown: how many of the last bits count only where no other is set.
    """

    names: tuple[str, ...]
    n_unknown: int = 1

    @property
    def unknown(self) -> int:
        """The bit of a value that is not known."""
        return 1 << (len(self.names) - self.n_unknown)

    @property
    def known(self) -> int:
        """The bits of all values that are known."""
        return self.unknown - 1

    def preferring_known(self, sets: Ints) -> Ints:
        """Sets of bits without the unknown where something is known."""
        return np.where(sets & self.known, sets & self.known, sets)

    def bits(self, cell: str) -> int:
        """The bits of a cell as sent; 0 for one that names nothing known."""
        return sum(1 << self.names.index(code) for code in cell.split(";") if code in self.names)


FINE = Labels((*_FORMS, "_U", "_NS"), n_unknown=2)
NOT_SEPARABLE = 1 << (len(FINE.names) - 1)
ICCS = Labels(("02041", "02042", "02043", "02044", "0204"))
UNODC = Labels(("SEX", "LAB", "OTHER", "_U"))
PURPOSE = Choice(tuple((text, text or "_U", share) for text, share in _PURPOSES))
EVENT_PURPOSE = Choice(
    tuple((text, text or "_U", 0.0 if len(text) < 3 else share) for text, share in _PURPOSES)
)


def bits_of(column: Coded, labels: Labels) -> Ints:
    """The known codes of a column of cells, as bits."""
    sets = np.array([labels.bits(text) & labels.known for text, _, _ in column.choice.options])
    return sets[column.positions]


@dataclass(frozen=True)
class Country:
    """What depends on the country: its law, its citizenships and the maps of forms.

    Attributes:
        area: ISO 3166-1 alpha-3 code.
        law: the articles in force.
    """

    area: str
    law: tuple[Offence, ...]

    @cached_property
    def citizenship(self) -> Choice:
        """Citizenships as sent: own, foreign, two at once, none, not known."""
        own, (one, other) = self.area, self.neighbours
        cells = (
            own,
            one,
            other,
            f"{own};{one}",
            f"{one};{other}",
            "STATELESS",
            "_U",
            "",
            "Ruritan",
        )
        shares = (50.0, 20.0, 14.0, 3.0, 1.0, 1.0, 4.0, 4.0, 0.0)
        return Choice(tuple((c, c, s) for c, s in zip(cells, shares, strict=True)))

    @property
    def neighbours(self) -> tuple[str, str]:
        """Two other countries."""
        codes = [c.code for c in code_list("country").codes if c.code not in (self.area, "XXA")]
        return ("XXB", "XXC") if self.area == "XXA" else (codes[0], codes[1])

    @cached_property
    def citizens(self) -> Labels:
        """The citizenships that a figure can show."""
        return Labels((self.area, *self.neighbours, "STATELESS", "_U"))

    @cached_property
    def legal_article(self) -> Choice:
        """Articles as sent; the code is the ICCS code where it is trafficking, else ``-``."""
        listed = [
            (a.offence_code, a.iccs_code if _is_tip(a.relation, a.iccs_code) else "-", 1.0)
            for a in self.law
        ]
        return Choice((*listed, ("ART-999", "-", 0.0)))

    def articles(self, group: str) -> Ints:
        """Positions of the articles of an ICCS group; of all that are trafficking if none is."""
        codes = [code for _, code, share in self.legal_article.options if share]
        found = [n for n, code in enumerate(codes) if code[:5] == group]
        return np.array(found or [n for n, code in enumerate(codes) if code != "-"] or [0])

    def classes(self, sets: Ints, labels: Labels) -> Ints:
        """Sets of fine forms as sets of their classes; the unknown stays unknown."""
        name = "form_iccs" if labels is ICCS else "form_unodc"
        rows = sorted(correspondence(f"map_{name}"), key=lambda row: row["area"] == self.area)
        target = {row["form"]: row[name] for row in rows if row["area"] in ("", self.area)}
        mapped = np.zeros_like(sets)
        for position, form in enumerate(FINE.names):
            bit = 1 << labels.names.index(target[form])
            mapped |= np.where(sets & (1 << position), bit, 0)
        return mapped


def _is_tip(relation: str, iccs_code: str) -> bool:
    """Whether an article stands under 0204 (STATISTICS section 5)."""
    return relation in ("TIP_SPECIFIC", "TIP_OTHER_ARTICLE") and iccs_code.startswith("0204")
