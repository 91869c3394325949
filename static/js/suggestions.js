// Suggestions for a password: four words of the page's language, two digits, hyphens, one capital. Long instead of hard
// to type. The words are typed alike on German and English keyboards: no umlauts, no y or z, which change places.

const GERMAN = `
adler ahorn alarm album algen altar amber ampel anker apfel april arena atlas atoll auster autor bagger balkon ballon
bambus banane barren basis basalt becher beere berg besen beton bieber bikini birke birne bison blume boden bogen bohne
boot borke brief brot bruder brunnen buche bukett burg butter cello chor clown dachs dackel dattel delfin diele dinkel
dorf drache draht drossel eiche eimer eisen elch elefant enkel ente erbse erde esche esel eule fabrik faden falke
farbe farn feder feige felder felsen fenster feuer figur filter finger fisch flagge flamme flasche flieder flocke
floss forelle forst frosch fuchs funke gabel galerie gans garten gebirge geige gipfel giraffe glas glocke gold gondel
granit grille gurke hafen hafer hagel halm hammer hamster harfe hasel hecht hecke heide helm herbst hirsch hobel holunder
honig horn hummel igel iltis insel iris jacke jaguar januar kabel kaffee kajak kakao kaktus kamel kamin kanal kanne
karotte karte kastanie kater kegel keller kerbel kern kessel kiefer kiesel kino kirsche klarinette klee koala koffer
kompass koralle korb korn kranich kreide krokus kugel kuchen kupfer lachs lampe laterne laube lauch lavendel leder lehm
leiter lerche libelle liege linde linse lotse luchs magnet mandel mantel marmor marder melone meteor miete mineral mohn
moor moos morgen motor muschel nadel nagel nebel nelke nest nudel oase ofen olive onkel opal orgel orkan otter palme
panda panther paprika park pastell pelikan perle pfad pfeffer pilot pinie pinsel pirol planet platane polar pollen
quelle rabe radar rakete regal regen reis rettich ring robbe roggen rose rubin ruder safran sahne salbei sand sattel
schach schirm segel sellerie senf silber sirup socke sofa sonett spaten specht spinat stadion steg storch strand sturm
tafel talent tanne tapete tasse teich teller tempel thunfisch tiger tomate tonne torte traube tulpe tunnel turm ufer ulme
vanille vogel vulkan waage wabe wal wald walnuss wandern weide welle wespe wiese wind winter wolke wolle
`.trim().split(/\s+/);

const WORDS = document.documentElement.lang === "en" ? (await import("./words-en.js")).WORDS : GERMAN;
const DIGITS = "23456789";

// A whole number from 0 to below `limit`, every one as likely as the other.
function below(limit) {
  const most = 2 ** 32 - (2 ** 32 % limit);
  const [value] = crypto.getRandomValues(new Uint32Array(1));
  return value < most ? value % limit : below(limit);
}

function draw() {
  const drawn = new Set(); // four different ones: twice the same looks like a mistake
  while (drawn.size < 4) drawn.add(WORDS[below(WORDS.length)]);
  const words = [...drawn];
  const capital = below(4);
  words[capital] = words[capital][0].toUpperCase() + words[capital].slice(1);
  words[below(4)] += DIGITS[below(DIGITS.length)] + DIGITS[below(DIGITS.length)];
  return words.join("-");
}

// A suggestion that `passes`; drawn again while a word happens to be one the rules forbid.
export function suggestion(passes) {
  for (let tries = 0; tries < 200; tries += 1) {
    const drawn = draw();
    if (passes(drawn)) return drawn;
  }
  return "";
}
