// What htmx does not do: the live budget, clocks that move, and lines drawn from the tables that the server sent.
"use strict";

(function () {
  const SILENT_AFTER_MS = 5000;

  function ageWords(seconds) {
    const units = [[90, 1, "s"], [5400, 60, "min"], [129600, 3600, "h"], [Infinity, 86400, "days"]];
    const [, unit, name] = units.find(([below]) => seconds < below);
    return `${Math.round(seconds / unit)}\u202f${name}`;
  }

  function followBudget(panel) {
    const announcer = document.getElementById("announcer");
    const silence = document.getElementById("silence");
    const stateIn = () => panel.firstElementChild.dataset;
    let state = stateIn().state;
    let heardAt = Date.now();
    let source = null;

    function hear(event) {
      heardAt = Date.now();
      if (event.type === "budget") {
        panel.innerHTML = event.data;
      }
      if (stateIn().state !== state) {
        state = stateIn().state;
        announcer.textContent = stateIn().announcement;
      }
    }

    function connect() {
      heardAt = Date.now();
      source = new EventSource(panel.dataset.stream);
      source.addEventListener("budget", hear);
      source.addEventListener("beat", hear);
    }

    // Browsers open few connections to one server: those that nobody looks at must not keep the others waiting.
    function follow() {
      source?.close();
      source = null;
      if (!document.hidden) {
        connect();
      }
    }

    // Browsers come again by themselves after a break, but not where somebody has answered with an error.
    function watch() {
      if (source === null) {
        return;
      }
      const silentMs = Date.now() - heardAt;
      silence.hidden = silentMs < SILENT_AFTER_MS;
      silence.textContent = silence.hidden
        ? ""
        : `No word from the server: the budget above is as of ${ageWords(silentMs / 1000)} ago.`;
      if (source.readyState === EventSource.CLOSED && !silence.hidden) {
        connect();
      }
    }

    follow();
    setInterval(watch, 1000);
    document.addEventListener("visibilitychange", follow);
    addEventListener("pagehide", () => source?.close());
  }

  // A page that nobody looks at costs no calls; what it left out is asked for when somebody looks again.
  function restWhileHidden() {
    const missed = new Set();
    document.body.addEventListener("htmx:beforeRequest", (event) => {
      const panel = event.detail.elt;
      if (document.hidden && panel.matches("[hx-trigger^='every']")) {
        event.preventDefault();
        missed.add(panel);
      }
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        missed.forEach((panel) => panel.isConnected && htmx.trigger(panel, "seen"));
        missed.clear();
      }
    });
  }

  const shownAt = new WeakMap();

  function secondsShown(element) {
    if (!shownAt.has(element)) {
      shownAt.set(element, Date.now());
    }
    return (Date.now() - shownAt.get(element)) / 1000;
  }

  function moveClocks() {
    for (const age of document.querySelectorAll("[data-age]")) {
      age.textContent = ageWords(Number(age.dataset.age) + secondsShown(age));
    }
    for (const rest of document.querySelectorAll("[data-left]")) {
      rest.textContent = ageWords(Math.max(Number(rest.dataset.left) - secondsShown(rest), 0));
    }
  }

  const plots = new Set();

  function optionsOf(place, width) {
    const style = getComputedStyle(place);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--rule"), width: 1 }, ticks: { show: false } };
    const digits = Number(place.dataset.digits);
    const wide = new Intl.NumberFormat("en", { maximumFractionDigits: digits });
    const number = (value) => wide.format(value).replaceAll(",", "\u202f");
    const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
    const day = (seconds) =>
      new Date(seconds * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
    return {
      width,
      height: 200,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false },
      scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high || 1) * 1.1] } },
      axes: [
        { ...axis, values: (_, splits) => splits.map(day), space: 70, size: 34 },
        { ...axis, values: (_, splits) => splits.map((value) => short.format(value)), size: 48 },
      ],
      series: [
        { label: "Day", value: (plot, at) => day(at ?? plot.data[0].at(-1)) },
        {
          label: place.dataset.title,
          stroke: colour("--line"),
          fill: colour("--under"),
          width: 2,
          points: { show: false },
          value: (plot, _, series, place) => {
            const value = plot.data[series].at(place ?? -1);
            return value === null || value === undefined ? "–" : number(value);
          },
        },
      ],
    };
  }

  function draw(place) {
    const rows = [...place.closest("section").querySelectorAll("tr[data-at]")];
    const days = rows.map((row) => Date.parse(`${row.dataset.at}Z`) / 1000);
    const values = rows.map((row) => (row.dataset.value === "" ? null : Number(row.dataset.value)));
    place.replaceChildren();
    const plot = new uPlot(optionsOf(place, place.clientWidth), [days, values], place);
    plots.add({ place, plot });
  }

  function drawNew() {
    for (const drawn of plots) {
      if (!drawn.place.isConnected) {
        drawn.plot.destroy();
        plots.delete(drawn);
      }
    }
    for (const place of document.querySelectorAll(".plot:empty")) {
      draw(place);
    }
  }

  function drawAnew() {
    for (const { place, plot } of plots) {
      plot.destroy();
      place.replaceChildren();
    }
    plots.clear();
    drawNew();
  }

  function fit() {
    for (const { place, plot } of plots) {
      plot.setSize({ width: place.clientWidth, height: plot.height });
    }
  }

  function markChosen() {
    const chosen = new URLSearchParams(location.search).get("app");
    for (const link of document.querySelectorAll("#apps tbody a")) {
      if (new URL(link.href).searchParams.get("app") === chosen) {
        link.setAttribute("aria-current", "true");
      } else {
        link.removeAttribute("aria-current");
      }
    }
  }

  // Who reads with the ears, or goes on by keyboard, is taken to what was asked for.
  function leadToApp(event) {
    if (event.detail.requestConfig.elt.matches("#apps a")) {
      document.getElementById("app-title")?.focus({ preventScroll: true });
    }
  }

  addEventListener("DOMContentLoaded", () => {
    followBudget(document.getElementById("budget"));
    restWhileHidden();
    setInterval(moveClocks, 1000);
    addEventListener("resize", fit);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAnew);
    document.body.addEventListener("htmx:afterSettle", drawNew);
    document.body.addEventListener("htmx:afterSettle", markChosen);
    document.body.addEventListener("htmx:afterSettle", leadToApp);
    document.body.addEventListener("htmx:pushedIntoHistory", markChosen);
  });
})();
