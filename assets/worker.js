// The strength meter's worker: zxcvbn, which takes its time with unusual passwords and must not hold up typing.
// It is asked { password, words, language } and answers { score, advice, common }: whether it is on the server's list.

import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { dictionary, graphs, passwords, translations } from "words";

// Its time grows steeply; a password that is weak is weak at its beginning.
const LONGEST = 64;

const lists = Object.fromEntries(Object.entries(dictionary).map(([name, words]) => [name, words.split("\n")]));
const meters = {};

// One piece of text, searched as a whole: a set of its 80,000 lines would take a telephone's memory.
function unfolded(lines) {
  let before = "";
  const entries = lines.map((line) => (before = before.slice(0, parseInt(line[0], 36)) + line.slice(1)));
  return `\n${entries.join("\n")}\n`;
}

const list = unfolded(passwords.split("\n"));

// accounts/common_passwords.py says the same.
function isCommon(password) {
  const folded = password.normalize("NFC").toLowerCase().replaceAll("ß", "ss");
  return !folded.includes("\n") && list.includes(`\n${folded}\n`);
}

function meter(language) {
  meters[language] ??= new ZxcvbnFactory({
    dictionary: lists,
    graphs,
    translations: translations[language] ?? translations.en,
    maxLength: LONGEST,
  });
  return meters[language];
}

onmessage = ({ data: { password, words, language } }) => {
  const { score, feedback } = meter(language).check(password, words);
  postMessage({ score, advice: feedback.warning || feedback.suggestions[0] || "", common: isCommon(password) });
};
