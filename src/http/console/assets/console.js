// Says in the status line whether the server-sent events of this page arrive, and to screen readers what is new. All else is htmx.
(() => {
  const texts = { open: "Live", interrupted: "Live updates are interrupted; connecting again" };
  const show = (state) => {
    const line = document.getElementById("connection");
    if (line && line.dataset.state !== state) {
      line.dataset.state = state;
      line.textContent = texts[state];
    }
  };
  // Only a changed text is read out: the content is replaced more often.
  document.addEventListener("htmx:afterSettle", () => {
    const content = document.querySelector("[data-summary]");
    const line = document.getElementById("updates");
    if (content && line && line.textContent !== content.dataset.summary) {
      line.textContent = content.dataset.summary;
    }
  });
  document.addEventListener("htmx:sseOpen", () => show("open"));
  document.addEventListener("htmx:sseError", () => show("interrupted"));
  document.addEventListener("htmx:sseClose", () => show("interrupted"));
})();
