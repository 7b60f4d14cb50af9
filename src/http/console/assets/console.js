// Says in the status line whether the server-sent events of this page arrive. All else is htmx.
(() => {
  const texts = { open: "Live", interrupted: "Live updates are interrupted; connecting again" };
  const show = (state) => {
    const line = document.getElementById("connection");
    if (line && line.dataset.state !== state) {
      line.dataset.state = state;
      line.textContent = texts[state];
    }
  };
  document.addEventListener("htmx:sseOpen", () => show("open"));
  document.addEventListener("htmx:sseError", () => show("interrupted"));
  document.addEventListener("htmx:sseClose", () => show("interrupted"));
})();
