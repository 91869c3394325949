"""Who takes part in the campaign of the demo: seven customers with seventeen domains, each at another point of its way.

Days are counted from today: -12 is twelve days ago, 9 is in nine days.
"""

from dataclasses import dataclass, field


def _names(text: str) -> list[str]:
    return text.split("|")


GERMAN = _names(
    "Anna Brandner|Lukas Eder|Sophie Fuchs|Maximilian Gruber|Julia Haas|David Hofer|Lena Huber|Paul Kern|Sarah Koller|"
    "Tobias Lang|Katharina Leitner|Florian Maier|Magdalena Mayr|Stefan Moser|Theresa Pichler|Andreas Reiter|"
    "Elisabeth Riegler|Michael Schmid|Johanna Steiner|Thomas Wagner|Barbara Wimmer|Christoph Winkler|Eva Zauner|"
    "Gerhard Böhm|Renate Jäger|Günther Köck|Ingrid Lehner|Jörg Müllner|Ursula Nöbauer|Herbert Öller|Petra Pöll|"
    "Franz Rössler|Sabine Schörghofer|Helmut Traxler|Monika Vögel|Wolfgang Würth|Klaus Ziegler|Gabriele Auer"
)
ENGLISH = _names(
    "Amelia Ashworth|Oliver Barnes|Grace Campbell|Henry Dawson|Isla Edwards|Jack Fletcher|Freya Gibson|George Hughes|"
    "Poppy Ingram|Arthur Jenkins|Ruby Knight|Leo Lambert|Florence Marsh|Alfie Norris|Evelyn Osborne|Theo Palmer|"
    "Maisie Quinn|Oscar Reid|Harriet Shaw|Freddie Turner|Alice Underwood|Noah Vaughan|Daisy Walsh|Edward Young"
)


@dataclass(frozen=True)
class Cast:
    """A customer."""

    name: str
    contact_name: str
    contact_email: str
    language: str = "de"

    @property
    def names(self) -> list[str]:
        """Who works there."""
        return ENGLISH if self.language == "en" else GERMAN


@dataclass(frozen=True)
class Plot:
    """What has happened to a domain, and when. `done` is the share of owners, in percent, who have a new password.

    `blocked` and `waiting` name why pushes did not arrive, one owner each; `returned` the status of each mail that
    came back, `refused` how many were not accepted.
    """

    name: str
    customer: Cast
    people: int
    shared: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    imported: int = -30
    announced: int | None = None
    unheard: bool = False
    invited: int | None = None
    done: int = 0
    moved: int = 0
    plan: dict[str, int] = field(default_factory=dict)
    blocked: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    refused: int = 0
    excluded: int = 0
    cases: tuple[tuple[str, str], ...] = ()
    paused: int | None = None
    why_paused: str = ""
    cut_over: int | None = None
    finished: int | None = None
    findings: tuple[tuple[str, str, str, dict[str, str | int]], ...] = ()
    made: int | None = None


STEINMETZ = Cast("Steinmetz Hölzl KG", "Rosa Hölzl", "rosa@steinmetz-hölzl.example")
GEMEINDE = Cast("Marktgemeinde Sankt Veit am Fluss", "Amtsleiter Peter Rainer", "amtsleitung@gemeinde-stveit.example")
KANZLEI = Cast("Kanzlei Brandstätter & Partner", "Mag. Elena Brandstätter", "kanzlei@kanzlei-brandstätter.example")
HAFNER = Cast("Hafner Maschinenbau AG", "Jürgen Hafner", "it@hafner-maschinenbau.example")
WEINGUT = Cast("Weingut Straßer", "Veronika Straßer", "veronika@weingut-straßer.example")
HARBOUR = Cast("Harbour & Finch Ltd", "Imogen Finch", "imogen.finch@harbourfinch.example", "en")
KLINIK = Cast("Tagesklinik Lindenhof", "Dr. Friedrich Lindner", "verwaltung@tagesklinik-lindenhof.example")

PLOTS = (
    Plot(
        "steinmetz-hölzl.example",
        *(STEINMETZ, 6, ("office", "buchhaltung"), ("scanner",)),
        imported=-58,
        announced=-55,
        invited=-48,
        done=100,
        moved=100,
        plan={"invite_on": -48, "deadline": -27, "cut_over_on": -26, "ends_on": -10},
        cut_over=-26,
        finished=-10,
    ),
    Plot(
        "hölzl-grabsteine.example",
        *(STEINMETZ, 2, ("info",)),
        imported=-50,
        announced=-47,
        invited=-40,
        done=100,
        moved=70,
        excluded=1,
        plan={"invite_on": -40, "deadline": -22, "cut_over_on": -21, "ends_on": -5},
        cut_over=-21,
        finished=-5,
    ),
    Plot(
        "gemeinde-stveit.example",
        *(GEMEINDE, 30, ("bauamt", "meldeamt", "standesamt", "info", "buchhaltung"), ("drucker", "fax", "monitoring")),
        imported=-30,
        announced=-22,
        invited=-12,
        done=55,
        moved=15,
        plan={"invite_on": -12, "deadline": 9, "cut_over_on": 10, "ends_on": 40},
        blocked=("quota", "policy"),
        waiting=("missing",),
        returned=("5.2.2",),
        cases=(("shared", "Das Postfach lesen wir zu dritt, Bauamt und Bauhof."),),
    ),
    Plot(
        "volksschule-stveit.example",
        *(GEMEINDE, 15, ("direktion", "hort"), ("scanner",)),
        imported=-45,
        announced=-38,
        invited=-31,
        done=62,
        moved=30,
        plan={"invite_on": -31, "deadline": -4, "cut_over_on": -3, "ends_on": 21},
        returned=("5.1.1",),
        excluded=1,
        cases=(("not_mine", "Ich bin seit dem Sommer in Pension, das Postfach gehört der neuen Direktorin."),),
    ),
    Plot("feuerwehr-stveit.example", *(GEMEINDE, 10, ("kommando",), ("alarm",)), imported=-6),
    Plot(
        "musikverein-stveit.example",
        *(GEMEINDE, 5, ("vorstand",)),
        imported=-6,
        plan={"announce_on": 3, "invite_on": 10, "deadline": 31, "cut_over_on": 32, "ends_on": 62},
    ),
    Plot(
        "kanzlei-brandstätter.example",
        *(KANZLEI, 10, ("sekretariat", "kanzlei", "fristen"), ("kopierer",)),
        imported=-28,
        announced=-20,
        invited=-14,
        done=45,
        moved=10,
        plan={"invite_on": -14, "deadline": 12, "cut_over_on": 13, "ends_on": 45},
        paused=-5,
        why_paused="Große Verhandlung bis Monatsende: bitte niemandem schreiben, bis Frau Brandstätter anruft.",
    ),
    Plot(
        "brandstaetter-mediation.example",
        *(KANZLEI, 3, ("termine",)),
        imported=-9,
        announced=-3,
        plan={"announce_on": -3, "invite_on": 5, "deadline": 26, "cut_over_on": 27, "ends_on": 57},
    ),
    Plot(
        "hafner-maschinenbau.example",
        *(HAFNER, 34, ("verkauf", "einkauf", "bewerbungen"), ("nagios", "erp", "scanner")),
        imported=-42,
        announced=-33,
        invited=-24,
        done=92,
        moved=60,
        plan={"invite_on": -24, "deadline": 2, "cut_over_on": 4, "ends_on": 30},
        blocked=("authsource",),
        waiting=("timeout",),
        excluded=1,
    ),
    Plot(
        "hafner-service.example",
        *(HAFNER, 7, ("dispo",)),
        imported=-42,
        announced=-36,
        invited=-29,
        done=88,
        moved=75,
        plan={"invite_on": -29, "deadline": -5, "cut_over_on": -2, "ends_on": 20},
        cut_over=-2,
    ),
    Plot(
        "hafner-ausbildung.example",
        *(HAFNER, 8),
        imported=-8,
        announced=-2,
        unheard=True,
        plan={"announce_on": -2, "invite_on": 6, "deadline": 27, "cut_over_on": 28, "ends_on": 58},
    ),
    Plot(
        "weingut-straßer.example",
        *(WEINGUT, 7, ("bestellung", "keller"), ("kamera",)),
        imported=-15,
        announced=-8,
        invited=-1,
        done=15,
        plan={"invite_on": -1, "deadline": 20, "cut_over_on": 21, "ends_on": 50},
        returned=("5.1.1", "5.7.1"),
        refused=1,
    ),
    Plot(
        "heuriger-strasser.example",
        *(WEINGUT, 3, ("reservierung",)),
        imported=-4,
        findings=(
            ("stop", "mailbox_is_alias", "reservierung", {"goto": "veronika@weingut-strasser.example"}),
            ("stop", "quota_sum", "", {"need": 8192, "left": 4096}),
            ("note", "domain_exists", "", {}),
        ),
    ),
    Plot(
        "harbourfinch.example",
        *(HARBOUR, 18, ("accounts", "bookings", "crew"), ("scanner",)),
        imported=-26,
        announced=-18,
        invited=-10,
        done=65,
        moved=20,
        plan={"invite_on": -10, "deadline": 11, "cut_over_on": 12, "ends_on": 40},
        blocked=("policy", "quota", "not_stored"),
        waiting=("missing", "server_error"),
        cases=(("delete", "We closed the Dover office; nobody needs this one."), ("not_decider", "")),
    ),
    Plot(
        "finch-logistics.example",
        *(HARBOUR, 9, ("dispatch",)),
        imported=-12,
        announced=-6,
        invited=0,
        plan={"invite_on": 0, "deadline": 22, "cut_over_on": 23, "ends_on": 50},
        made=-5,
    ),
    Plot(
        "harbour-events.example",
        *(HARBOUR, 4, ("hello",)),
        imported=-40,
        announced=-32,
        invited=-25,
        done=100,
        moved=60,
        plan={"invite_on": -25, "deadline": -1, "cut_over_on": 0, "ends_on": 28},
    ),
    Plot(
        "tagesklinik-lindenhof.example",
        *(KLINIK, 20, ("ordination", "labor", "empfang"), ("fax", "monitor")),
        imported=-3,
        announced=-1,
        plan={"announce_on": -1, "invite_on": 7, "deadline": 28, "cut_over_on": 29, "ends_on": 60},
    ),
)
