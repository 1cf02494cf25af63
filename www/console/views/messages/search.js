import { SYNTAX } from "../../core/messages/search.js";
import { $, h } from "../../ui/dom.js";
import { openDialog } from "./dialog.js";

/**
 * The search field of the list.
 * @param {import("../../main.js").App} app
 * @param {import("../../core/messages/results.js").Results} results
 * @param {() => void} changed is called after a new search has begun
 */
export function mountSearch(app, results, changed) {
  const field = $("search"), problem = $("search-problem"), found = $("found");

  const search = () => {
    try {
      results.search(field.value);
      problem.textContent = "";
      field.removeAttribute("aria-invalid");
    } catch (error) {
      problem.textContent = error.message;
      field.setAttribute("aria-invalid", "true");
    }
    problem.hidden = !problem.textContent;
    changed();
  };
  let timer;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 120);
  });
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    search();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      $("messages").focus();
    }
    if (event.key !== "Escape" || !field.value) return;
    event.preventDefault();
    field.value = "";
    search();
  });

  $("search-help").addEventListener("click", () => openDialog("Search", [
    h("p", {}, "A message is found if all terms are true."),
    h("table", {}, h("tbody", {}, SYNTAX.map(([term, meaning]) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, term)), h("td", {}, meaning))))),
  ]));
  app.commands.add({
    id: "search", title: "Search the messages", keys: "/",
    run() {
      const focus = () => {
        app.commands.run("list");
        field.focus();
        field.select();
      };
      if (!$("view-messages").hidden) return focus();
      // The page moves the focus to the new view.
      addEventListener("hashchange", focus, { once: true });
      app.show("messages");
    },
  });
  app.findMessages = (expression) => {
    app.commands.run("search");
    field.value = expression;
    search();
  };

  return {
    /** Shows the number of results. */
    show() {
      found.textContent = results.query ? `${results.size.toLocaleString()} found${results.searching ? `, ${Math.floor(results.progress * 100)} % searched` : ""}` : "";
    },
  };
}
