// The sign-in page: put the focus where something is missing, group the first-login password while it is typed.
// The page works without this; the server ignores blanks, dashes and case.

import { watchCapsLock } from "./caps-lock.js";
import { countDown } from "./wait.js";

const IGNORED = /[\s\u00ad\u200b-\u200d\u2060\ufeff.\-\u2010-\u2015\u2212]+/g;
const LENGTH = 16;

// "kfp7mrt4x" becomes "kfp7-mrt4-x"; what is longer than a first-login password is left alone.
export function grouped(typed) {
  const symbols = typed.replace(IGNORED, "");
  return symbols.length > LENGTH ? typed : (symbols.match(/.{1,4}/g) || []).join("-");
}

const wait = document.querySelector("[data-countdown]");
if (wait) countDown(wait);

const form = document.querySelector("[data-sign-in]");
if (form) {
  const address = form.elements.address;
  const secret = form.elements.secret;
  (address.value ? secret : address).focus();
  watchCapsLock(secret, form.querySelector("[data-caps]"));
  secret.addEventListener("input", (event) => {
    // Only while typing at the end: whoever corrects in the middle must keep his place.
    const atEnd = secret.selectionStart === secret.value.length;
    if (atEnd && event.inputType !== "deleteContentBackward") secret.value = grouped(secret.value);
  });
}
