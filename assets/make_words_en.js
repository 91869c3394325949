// Print static/js/words-en.js: `node make_words_en.js > ../static/js/words-en.js` (after `make meter`).
//
// The words of English suggestions: 512 of EFF's long word list for passphrases (CC BY 3.0 US), as
// @zxcvbn-ts/language-common packs it, which everybody knows: they are among the most frequent of language-en. Of four
// to six letters, without y and z, which change places on German keyboards; of these every so-many-th, so that no two
// begin too much alike. The same packages give the same file.

import { dictionary } from "@zxcvbn-ts/language-common";
import { dictionary as english } from "@zxcvbn-ts/language-en";

const COUNT = 512;
const FREQUENT = 12_000;
const WIDTH = 116;

// Nobody wants to meet these in a password that a provider suggests.
const UNSEEMLY = new Set(
  `racism racist hate hated poison maggot curse rage abuse crime prison killer rabid gross vomit idiot moron drunk drug
  whore naked nude nudity slut erotic hostel hell damn death dead dying lethal murder victim weapon pistol rifle grenade
  blood bleed corpse coffin grave tumor cancer virus fatal evil devil demon satan panic terror horror gore stab slap
  punch strip thong bra arson cartel chemo diaper womb riot graves perish stench hunk`.trim().split(/\s+/),
);

const known = new Set(english["commonWords-en"].slice(0, FREQUENT));
const fitting = dictionary["diceware-common"]
  .filter((word) => /^[a-x]{4,6}$/.test(word) && known.has(word) && !UNSEEMLY.has(word))
  .sort();
const words = Array.from({ length: COUNT }, (_, place) => fitting[Math.floor((place * fitting.length) / COUNT)]);

const lines = [""];
for (const word of words) {
  if (`${lines.at(-1)} ${word}`.length > WIDTH) lines.push("");
  lines.push(`${lines.pop()} ${word}`.trim());
}

console.log(`// Words for suggestions on English pages: from EFF's long word list (CC BY 3.0 US). Made by assets/make_words_en.js.

export const WORDS = \`
${lines.join("\n")}
\`.trim().split(/\\s+/);`);
