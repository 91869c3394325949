// Pages of the desk that move by themselves: ask for the same page every few seconds, and put what changed into the
// parts with data-live. How a page takes part is told in migration/desk/live.py. Without this it is loaded by hand.

const FASTEST = 5000;
const SLOWEST = 30000;
const AFTER_ERRORS = 300000;
// A screen reader hears of changes so often at most.
const SAID_EVERY = 30000;
// What somebody did to an element is his, and not the page's.
const OWN = new Set(["open", "checked", "selected"]);

let tag = "";
let wait = FASTEST;
let timer = 0;
let saidAt = 0;

// A box that stands for something else is another box: a tick must not move on to another mailbox.
function sameKind(old, fresh) {
  if (!old || old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return false;
  if (old.nodeType !== Node.ELEMENT_NODE) return true;
  return old.id === fresh.id && (old.nodeName !== "INPUT" || old.getAttribute("value") === fresh.getAttribute("value"));
}

// Make `old` like `fresh` in place: focus, a marked text, ticks and what is unfolded stay. Returns whether it changed.
function become(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue === fresh.nodeValue) return false;
    old.nodeValue = fresh.nodeValue;
    return true;
  }
  let changed = false;
  for (const { name, value } of fresh.attributes) {
    if (!OWN.has(name) && old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
      changed = true;
    }
  }
  for (const { name } of [...old.attributes]) {
    if (!OWN.has(name) && !fresh.hasAttribute(name)) {
      old.removeAttribute(name);
      changed = true;
    }
  }
  const wanted = [...fresh.childNodes];
  wanted.forEach((child, place) => {
    const moved = child.id && document.getElementById(child.id);
    if (moved && moved.parentNode === old && moved !== old.childNodes[place]) {
      old.insertBefore(moved, old.childNodes[place]);
      changed = true;
    }
    const here = old.childNodes[place];
    if (sameKind(here, child)) {
      changed = become(here, child) || changed;
    } else {
      old.insertBefore(document.importNode(child, true), here || null);
      changed = true;
    }
  });
  while (old.childNodes.length > wanted.length) {
    old.lastChild.remove();
    changed = true;
  }
  return changed;
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const focused = document.activeElement;
  let changed = false;
  for (const part of document.querySelectorAll("[data-live]")) {
    const fresh = page.querySelector(`[data-live="${part.dataset.live}"]`);
    if (fresh) changed = become(part, fresh) || changed;
  }
  // A row that moved takes the focus along.
  if (document.activeElement !== focused && focused.isConnected) focused.focus({ preventScroll: true });
  return changed;
}

function say() {
  const line = document.querySelector("[data-live-said]");
  if (!line || Date.now() - saidAt < SAID_EVERY) return;
  saidAt = Date.now();
  line.textContent = "";
  setTimeout(() => { line.textContent = line.dataset.liveSaid; }, 100);
}

// Returns false when there is nothing more to ask for: signed out, or the page is gone.
async function ask() {
  const headers = { "X-Live": "1" };
  if (tag) headers["If-None-Match"] = tag;
  try {
    const response = await fetch(window.location.href, { headers, redirect: "manual", cache: "no-store" });
    if (response.status === 304) {
      wait = Math.min(wait * 1.5, SLOWEST);
    } else if (response.status === 200) {
      tag = response.headers.get("ETag") || "";
      if (show(await response.text())) {
        wait = FASTEST;
        say();
      }
    } else if (response.status < 500) {
      return false;
    } else {
      wait = Math.min(wait * 2, AFTER_ERRORS);
    }
  } catch {
    wait = Math.min(wait * 2, AFTER_ERRORS); // no network for a moment
  }
  return true;
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (document.hidden) return; // goes on when somebody looks again
    if (await ask()) later();
  }, wait * (0.9 + Math.random() * 0.2));
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  wait = FASTEST;
  later();
});
if (document.querySelector("[data-live]")) later();
