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
  // Scroll positions are kept when content is replaced. The focus is kept by htmx, of elements with an id.
  const scrolled = () => document.querySelectorAll("[id][tabindex='0']");
  let offsets = new Map();
  document.addEventListener("htmx:beforeSwap", () => {
    offsets = new Map([...scrolled()].map((part) => [part.id, [part.scrollLeft, part.scrollTop]]));
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const part of scrolled()) {
      const [left, top] = offsets.get(part.id) ?? [0, 0];
      part.scrollTo({ left, top, behavior: "instant" });
    }
  });
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
