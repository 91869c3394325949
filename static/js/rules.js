// The rules of the new password, read from the data the server wrote into the page (accounts/password_policy.py).
// The server has the last word; it also knows the rules that need more than the password.

function kept(rule, password) {
  const characters = [...password];
  const lowered = password.toLowerCase();
  return (
    (!rule.least || characters.length >= Number(rule.least)) &&
    (!rule.most || characters.length <= Number(rule.most)) &&
    (!rule.wants || new RegExp(rule.wants, "u").test(password)) &&
    (!rule.refuses || !new RegExp(rule.refuses, "u").test(password)) &&
    (!rule.categories || !rule.categories.split(" ").some((name) => new RegExp(`\\p{${name}}`, "u").test(password))) &&
    (!rule.words || !rule.words.split(" ").some((word) => lowered.includes(word)))
  );
}

// The names of the rules a password breaks. `rules` are objects with name, least, most, wants, refuses, categories, words.
export function broken(rules, typed) {
  const password = typed.normalize("NFC");
  return rules.filter((rule) => !kept(rule, password)).map((rule) => rule.name);
}

// The rules of a list: <li data-rule="short" data-least="12">. Those without data are for the server alone.
export function rulesOf(list) {
  return [...list.querySelectorAll("[data-rule]")]
    .map((item) => ({ ...item.dataset, name: item.dataset.rule, item }))
    .filter((rule) => rule.least || rule.most || rule.wants || rule.refuses || rule.categories || rule.words);
}
