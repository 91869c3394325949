// The done page: ask how far the transfer is, 2 seconds apart at first and up to 15, until it is active; then once a
// minute until the new server has seen the owner.

const region = document.querySelector("[data-state]");
const FIRST = 2000;
const LONGEST = 15000;
const CALMLY = 60000;

const stage = () => region.querySelector("[data-stage]").dataset.stage;

async function ask(wait) {
  await new Promise((resolve) => { setTimeout(resolve, wait); });
  if (!document.hidden) {
    try {
      const response = await fetch(region.dataset.state, { redirect: "manual", headers: { Accept: "text/html" } });
      if (response.status !== 200) return; // signed out meanwhile: the page stays as it is
      const before = stage();
      const next = document.createElement("template");
      next.innerHTML = await response.text();
      const now = next.content.querySelector("[data-stage]");
      // Exchanged only when something changed, or a screen reader would say it all again.
      if (now && now.dataset.stage !== before) region.replaceChildren(next.content);
    } catch {
      // No network for a moment: ask again.
    }
  }
  again(wait);
}

function again(wait) {
  if (stage() === "seen") return;
  ask(stage() === "active" ? CALMLY : Math.min(wait * 1.4, LONGEST));
}

if (region) again(FIRST / 1.4);
