// How strong the password is and one piece of advice, by zxcvbn in a worker that is fetched with the first character.
// Where it was not built or does not arrive, or data is to be saved, nothing is shown: the server decides anyway.

// Returns a function to call with the password and whether it keeps the rules.
export function strengthMeter(box, words) {
  if (!box || navigator.connection?.saveData) return () => {};
  const verdict = box.querySelector("[data-verdict]");
  const language = document.documentElement.lang;
  let worker = null;
  let now = "";
  let kept = false;
  let asked = null;

  function show(score, advice) {
    box.dataset.score = score;
    const text = score === "" ? "" : `${box.dataset[`level${score}`]}. ${advice}`.trim();
    if (verdict.textContent !== text) verdict.textContent = text; // read out once, not at every key
  }

  function ask() {
    if (now === "") { show("", ""); return; }
    worker ??= start();
    if (asked !== null) return; // the answer to the one before asks again
    asked = now;
    worker.postMessage({ password: asked, words, language });
  }

  function start() {
    const started = new Worker(box.dataset.strength);
    started.onmessage = ({ data: { score, advice, common } }) => {
      const late = asked !== now;
      asked = null;
      if (late) ask();
      else if (common) show(0, box.dataset.common);
      else show(kept ? score : Math.min(score, 2), advice); // nothing is good that the server will refuse
    };
    started.onerror = () => { now = ""; show("", ""); };
    return started;
  }

  return (password, keepsRules) => {
    now = password;
    kept = keepsRules;
    ask();
  };
}
