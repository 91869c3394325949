// The new-password page: tick the rules live, judge the strength, show and hide, suggest, and never send the form twice.

import { watchCapsLock } from "./caps-lock.js";
import { broken, rulesOf } from "./rules.js";
import { strengthMeter } from "./strength.js";
import { suggestion } from "./suggestions.js";

const form = document.querySelector("[data-password]");
const input = form.elements.password;
const list = form.querySelector("[data-rules]");
const rules = rulesOf(list);
const words = rules.find((rule) => rule.words)?.words.split(" ") ?? [];
const judge = strengthMeter(form.querySelector("[data-strength]"), words);
const progress = form.querySelector("[data-progress]");

function tick() {
  const open = new Set(broken(rules, input.value));
  const empty = input.value === "";
  for (const { name, item } of rules) {
    const quiet = "quiet" in item.dataset;
    const mark = !empty && open.has(name);
    item.toggleAttribute("data-kept", !empty && !open.has(name) && !quiet);
    // "Not yet" is no reproach while somebody is still typing: only what must go away is shown in red at once.
    item.toggleAttribute("data-broken", mark && (quiet || name === "words"));
    if (quiet) item.hidden = !mark;
    const spoken = item.querySelector(".visually-hidden");
    if (spoken) spoken.remove();
  }
  // What only the server can tell was about the password before this one.
  for (const item of list.querySelectorAll("[data-rule]")) {
    if (!rules.some((rule) => rule.item === item)) item.remove();
  }
  input.removeAttribute("aria-invalid");
  judge(input.value, open.size === 0);
  progress.textContent = empty ? "" : open.size ? `${progress.dataset.left} ${open.size}` : progress.dataset.none;
}

function show(visible) {
  const button = form.querySelector("[data-show]");
  input.type = visible ? "text" : "password";
  button.setAttribute("aria-pressed", String(visible));
  button.textContent = visible ? button.dataset.labelHide : button.dataset.labelShow;
}

function suggest() {
  const text = suggestion((drawn) => broken(rules, drawn).length === 0);
  form.querySelector("[data-suggestion]").textContent = text;
  form.querySelector("[data-offer]").hidden = text === "";
}

input.addEventListener("input", tick);
if (input.value) tick(); // typed, or filled in by a password manager, before this module arrived
watchCapsLock(input, form.querySelector("[data-caps]"));

const eye = form.querySelector("[data-show]");
eye.hidden = false;
eye.addEventListener("click", () => { show(input.type === "password"); input.focus(); });

suggest();
form.querySelector("[data-next]").addEventListener("click", suggest);
form.querySelector("[data-take]").addEventListener("click", () => {
  input.value = form.querySelector("[data-suggestion]").textContent;
  show(true);
  tick();
  input.focus();
});

form.addEventListener("submit", () => {
  const button = form.querySelector("[type=submit]");
  show(false); // so that the browser offers to save it
  button.disabled = true;
  button.textContent = button.dataset.busy;
});

// A page from the back-and-forward cache carries the name of the sending before: fetch a fresh one.
window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
