import { $, h } from "./dom.js";

/**
 * Shows the view that the fragment of the URL names, like #/packets. The module and the stylesheet of a view are loaded
 * when it is shown for the first time.
 * @param {import("../main.js").App} app
 */
export function mountViews(app) {
  const links = [...document.querySelectorAll("#views [data-view]")];
  const names = links.map((link) => link.dataset.view);
  const mounted = new Map(); // name → a promise of the object that mount() has returned
  let current;

  const load = async (name) => {
    const root = $(`view-${name}`) ?? $("main").appendChild(h("div", { id: `view-${name}`, class: `view ${name}-view` }));
    if (name !== "messages") {
      await new Promise((resolve) => document.head.append(h("link", { rel: "stylesheet", href: `console/css/${name}.css`, onload: resolve, onerror: resolve })));
    }
    const { mount } = await import(`../views/${name}/${name}.js`);
    return mount(root, app) ?? {};
  };

  const show = (name) => {
    if (!names.includes(name)) name = names[0];
    if (name === current) return;
    const before = current;
    current = name;
    document.documentElement.dataset.view = name; // early.js has set it for the first paint
    for (const link of links) {
      if (link.dataset.view === name) document.title = `${link.textContent} · iot.wasm`;
      if (link.dataset.view === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    for (const view of document.querySelectorAll(".view")) view.hidden = view.id !== `view-${name}`;
    mounted.get(before)?.then((view) => view.hide?.());
    const first = !mounted.has(name);
    if (first) mounted.set(name, load(name));
    mounted.get(name).then((view) => {
      if (current === name) view.show?.();
    }, (error) => {
      mounted.delete(name);
      app.showError(error);
    });
  };

  const follow = () => show(location.hash.replace(/^#\/?/, "").split("/")[0]);
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the fragment names the view
    $("main").focus();
  });
  addEventListener("hashchange", () => {
    follow();
    $("main").focus({ preventScroll: true });
  });
  for (const link of links) {
    const { view } = link.dataset;
    app.commands.add({ id: `view-${view}`, title: `Go to: ${link.textContent}`, run: () => (location.hash = `#/${view}`) });
  }
  app.show = (name) => (location.hash = `#/${name}`);
  app.commands.inView = (name, work) => {
    if (current === name) return work();
    addEventListener("hashchange", work, { once: true }); // a change of the view moves the focus, so work comes after it
    app.show(name);
  };
  // The messages are mounted in any case, because the form and the list of subscriptions belong to them.
  if (follow(), current !== "messages") mounted.set("messages", load("messages").then((view) => (view.hide?.(), view)));
  // A form of the messages that the user submits before they are mounted is submitted again afterwards.
  const messages = (app.ready = mounted.get("messages"));
  const later = (event) => {
    event.preventDefault();
    messages.then(() => event.target.requestSubmit(event.submitter));
  };
  document.addEventListener("submit", later, true);
  messages.finally(() => document.removeEventListener("submit", later, true)).catch(app.showError);
}
