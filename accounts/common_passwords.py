"""Passwords that satisfy the composition rule and are guessed first, German and English.

Lists of leaked passwords are short ones: of those with twelve characters and all three classes nearly every one is a
well-known word with a year or a row of digits behind it. So the list here is built of the two halves instead of being
written out: a word, or a word twice, then a tail, then perhaps one mark. It stands for several hundred thousand
passwords and is compared with the whole password in any case.
"""

import re

# Words people choose, beginning with those that lead every published list of German and English passwords.
WORDS = """
passwort password passwd kennwort losungswort zugang geheim geheimnis secret master admin administrator root
test tester testpasswort hallo hallowelt hello helloworld willkommen welcome servus gruessgott moin
ichliebedich iloveyou liebe lover schatz schatzi schatzilein engel teufel sonne sonnenschein sunshine mond
stern sterne himmel regenbogen blume schmetterling qwertz qwertzui qwertzuiop qwerty qwertyuiop asdf asdfgh
asdfghjkl asdfjkl yxcv yxcvbn yxcvbnm zxcvbn zxcvbnm abc abcd abcde abcdef abcdefg abcdefgh aaa aaaa qaywsx
qaywsxedc qazwsx sommer winter fruehling fruehjahr frühling herbst summer spring autumn januar jaenner jänner
februar maerz märz april mai juni juli august september oktober november dezember montag dienstag mittwoch
donnerstag freitag samstag sonntag january february march june july october december monday tuesday wednesday
thursday friday saturday sunday computer internet laptop handy telefon drucker email mailbox postfach outlook
thunderbird webmail office buero büro firma arbeit chef sekretariat verwaltung fussball fußball football
baseball bayern bayernmuenchen bayernmünchen borussia dortmund schalke rapid rapidwien austria austriawien
sturm oesterreich österreich deutschland schweiz germany wien vienna graz linz salzburg innsbruck klagenfurt
villach bregenz berlin hamburg muenchen münchen koeln köln frankfurt stuttgart london paris familie mama papa
oma opa kinder katze kater hund hundi pferd maus mausi hase hasi tiger loewe löwe dragon monkey shadow
superman batman pokemon starwars michael michaela thomas andreas stefan stephan peter martin markus christian
christina daniel daniela alexander alexandra sebastian florian johannes josef franz hans anna maria martina
claudia sabine sandra nicole julia katharina elisabeth manuela birgit karin monika franziska jessica jennifer
princess prinzessin mustang mercedes porsche ferrari volkswagen trustno letmein whatever freedom nothing
superstar changeme changeit neuespasswort meinpasswort mypassword einszweidrei startpasswort start initial
default guest gast benutzer user demo muster mustermann maxmustermann
""".split()  # noqa: SIM905 - a list of quoted words nobody would read

# What stands behind them: rows of digits, keyboard rows, years, months with years, dates.
TAILS = r"""
    \d{1,3} | 1234\d{0,6} | 4321 | 54321 | 654321 | (\d)\1{2,7} | (?:12|123|abc|321){1,3}
  | (?:0?[1-9]|1[0-2])?(?:19|20)\d\d | (?:19|20)\d\d(?:0[1-9]|1[0-2])
  | (?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)?\d\d
"""

_WORD = "|".join(sorted({re.escape(word) for word in WORDS}, key=len, reverse=True))
_COMMON = re.compile(rf"(?:{_WORD})(?:[-_.]?(?:{_WORD}))? [-_.@!]? (?:{TAILS})? [a-z!?.*+\#$]?", re.VERBOSE)
_DIGITS_FIRST = re.compile(rf"(?:{TAILS}) [-_.]? (?:{_WORD})(?:[-_.]?(?:{_WORD}))? [!?.]?", re.VERBOSE)


def is_common(password: str) -> bool:
    """Whether the whole password, in any case, is one of those that are guessed first."""
    folded = password[:64].lower()
    return len(password) <= 64 and bool(_COMMON.fullmatch(folded) or _DIGITS_FIRST.fullmatch(folded))
