// Save each line of the contact's list as soon as it is changed. Without this script the button at the end does it.

const form = document.querySelector("[data-review]");
const WITHOUT_DETAIL = ["", "keep", "delete"];
let waiting = Promise.resolve();

function toggle(line) {
  const detail = line.querySelector("[data-detail]");
  if (!detail) return;
  detail.hidden = WITHOUT_DETAIL.includes(line.querySelector("select").value);
  if (detail.hidden) detail.querySelector("input").value = "";
}

function tell(line, text, failed) {
  const outcome = line.querySelector("[role=status]");
  outcome.classList.toggle("failed", failed);
  outcome.textContent = text;
}

function isUnfinished(line) {
  const detail = line.querySelector("[data-detail]");
  return detail && !detail.hidden && !detail.querySelector("input").value.trim();
}

async function save(line) {
  const data = new URLSearchParams();
  data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  for (const field of line.querySelectorAll("select, input")) data.append(field.name, field.value);
  try {
    const response = await fetch(form.getAttribute("action") || window.location.href, {
      method: "POST",
      body: data,
      headers: { Accept: "application/json" },
      redirect: "manual",
    });
    if (!(response.headers.get("Content-Type") || "").startsWith("application/json")) {
      window.location.reload(); // the session is over: the page says how to go on
      return;
    }
    const error = (await response.json()).errors[line.dataset.line];
    tell(line, error || form.dataset.saved, Boolean(error));
    if (!error) line.querySelector(".errors")?.remove();
  } catch {
    tell(line, form.dataset.failed, true);
  }
}

if (form) {
  form.querySelectorAll("[data-line]").forEach(toggle);
  form.addEventListener("change", ({ target }) => {
    const line = target.closest("[data-line]");
    toggle(line);
    if (target.tagName === "SELECT" && isUnfinished(line)) {
      tell(line, "", false);
      line.querySelector("[data-detail] input").focus();
      return;
    }
    waiting = waiting.then(() => save(line)); // one after the other: the newest answer is saved last
  });
}
