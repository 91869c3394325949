// The strength meter's worker: zxcvbn, which takes its time with unusual passwords and must not hold up typing.
// It is asked { password, words, language } and answers { score, advice }.

import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { dictionary, graphs, translations } from "words";

// Its time grows steeply; a password that is weak is weak at its beginning.
const LONGEST = 64;

const lists = Object.fromEntries(Object.entries(dictionary).map(([name, words]) => [name, words.split("\n")]));
const meters = {};

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
  postMessage({ score, advice: feedback.warning || feedback.suggestions[0] || "" });
};
