// Build the strength meter's worker into build/static/strength/, which the portal serves when it is there.
// `npm ci` before it; `make meter` does both.

import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

import * as common from "@zxcvbn-ts/language-common";
import german from "@zxcvbn-ts/language-de";
import * as english from "@zxcvbn-ts/language-en";

const FOLDER = new URL("../build/static/strength/", import.meta.url);

// The lists begin with the most frequent words. What stands further behind makes hardly a difference for a password of
// twelve characters, but half of the download.
const MOST = 12_000;

const dictionary = Object.fromEntries(
  [
    ...Object.entries(common.dictionary),
    ...Object.entries(english.dictionary),
    ...Object.entries(german.dictionary).map(([name, words]) => [`${name}-de`, words]),
  ]
    .filter(([name]) => !name.startsWith("diceware"))
    .map(([name, words]) => [name, words.slice(0, MOST).join("\n")]),
);

// The server's own list, each line without the beginning it shares with the line before: a tenth of its size.
async function commonPasswords() {
  const list = await readFile(new URL("../accounts/common_passwords.txt", import.meta.url), "utf8");
  let before = "";
  return list.trim().split("\n").map((line) => {
    let shared = 0;
    while (shared < 35 && shared < line.length && line[shared] === before[shared]) shared += 1;
    before = line;
    return shared.toString(36) + line.slice(shared);
  }).join("\n");
}

const passwords = await commonPasswords();

// import … from "words": the data of the packages, cut, and our list.
const words = {
  name: "words",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^words$/ }, () => ({ path: "words", namespace: "words" }));
    onLoad({ filter: /.*/, namespace: "words" }, () => ({
      loader: "json",
      contents: JSON.stringify({
        dictionary,
        passwords,
        graphs: common.adjacencyGraphs,
        translations: { de: german.translations, en: english.translations },
      }),
    }));
  },
};

// The licences of what is inside go with it.
async function licences() {
  const texts = [];
  const own = await readdir(new URL("node_modules/@zxcvbn-ts/", import.meta.url));
  for (const folder of [...own.map((name) => `@zxcvbn-ts/${name}`), "fastest-levenshtein"]) {
    const at = new URL(`node_modules/${folder}/`, import.meta.url);
    for (const name of (await readdir(at)).filter((file) => /^(LICEN|NOTICE|THIRD_PARTY)/i.test(file)).sort()) {
      texts.push(`${folder}: ${name}\n\n${await readFile(new URL(name, at), "utf8")}`);
    }
  }
  return texts.join("\n\n");
}

await rm(FOLDER, { recursive: true, force: true });
await build({
  entryPoints: [new URL("worker.js", import.meta.url).pathname],
  outfile: new URL("worker.js", FOLDER).pathname,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2020",
  charset: "utf8",
  plugins: [words],
});
await writeFile(new URL("licences.txt", FOLDER), await licences());
