// The wait after several wrong tries: count it down. The page says in words how long it is, without this too. Nothing is
// sent or allowed by it, and whoever is too early is just told so again.

// Seconds that a screen reader is told, and not each of them.
const SPOKEN = [30, 10];

// 75 → "1:15"
export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function countDown(line) {
  const said = line.querySelector("[role=status]");
  const running = line.querySelector("[data-running]");
  const end = Date.now() + Number(line.dataset.countdown) * 1000;
  let before = Infinity;

  const tick = () => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    running.querySelector("strong").textContent = clock(left);
    // A sleeping tab may skip some: each is said once when it has been passed.
    if (left > 0 && SPOKEN.some((mark) => left <= mark && mark < before)) said.textContent = `${said.dataset.left} ${left}`;
    before = left;
    if (left > 0) {
      setTimeout(tick, (end - Date.now()) % 1000 || 1000);
      return;
    }
    running.hidden = true;
    line.classList.replace("warn", "good");
    said.classList.remove("visually-hidden");
    said.textContent = said.dataset.over;
  };

  line.hidden = false;
  tick();
}
