// The done page: ask how far the transfer is, 2 seconds apart at first and up to 15, until it is active.

const region = document.querySelector("[data-state]");
const FIRST = 2000;
const LONGEST = 15000;

async function ask(wait) {
  await new Promise((resolve) => { setTimeout(resolve, wait); });
  if (!document.hidden) {
    try {
      const response = await fetch(region.dataset.state, { redirect: "manual", headers: { Accept: "text/html" } });
      if (response.status !== 200) return; // signed out meanwhile: the page stays as it is
      const before = region.querySelector("[data-stage]").dataset.stage;
      const next = document.createElement("template");
      next.innerHTML = await response.text();
      const stage = next.content.querySelector("[data-stage]");
      // Exchanged only when something changed, or a screen reader would say it all again.
      if (stage && stage.dataset.stage !== before) region.replaceChildren(next.content);
    } catch {
      // No network for a moment: ask again.
    }
  }
  if (region.querySelector("[data-stage]").dataset.stage !== "active") ask(Math.min(wait * 1.4, LONGEST));
}

if (region && region.querySelector("[data-stage]").dataset.stage !== "active") ask(FIRST);
