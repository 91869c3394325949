// Something a worker has in hand, an import or a domain on mailcow: ask every two seconds how far it is, and load the
// page anew when that is over.

const region = document.querySelector("[data-progress]");
const WAIT = 2000;

async function ask() {
  await new Promise((resolve) => { setTimeout(resolve, WAIT); });
  if (!document.hidden) {
    try {
      const response = await fetch(region.dataset.progress, { redirect: "manual" });
      if (response.status !== 200) return; // signed out meanwhile: the page stays as it is
      const now = await response.json();
      if (now.state !== region.dataset.state) {
        window.location.reload();
        return;
      }
      const shown = region.querySelector("[data-done]");
      if (shown) {
        shown.textContent = now.done;
        region.querySelector("progress").value = now.done;
      }
    } catch {
      // No network for a moment: ask again.
    }
  }
  ask();
}

if (region) ask();
