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
