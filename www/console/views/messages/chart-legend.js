import { button, h } from "../../ui/dom.js";

/** Returns a value as text with at most 6 significant digits, or with all digits of an integer. */
export function numberText(value) {
  if (value === undefined || value === null) return "";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString();
  const size = Math.abs(value);
  return size >= 1e9 || size < 1e-4 ? value.toExponential(3) : value.toLocaleString(undefined, { maximumSignificantDigits: 6 });
}

const COLUMNS = ["Series", "At cursor", "Last", "Min", "Max", "Mean", "Points"];

/**
 * The table of the series with their figures. The user can change a colour, hide a series and remove it.
 * @param {HTMLElement} root
 * @param {{ onchange(): void, onremove(series: any): void }} options
 */
export function mountLegend(root, { onchange, onremove }) {
  const body = h("tbody", {});
  root.append(h("table", { id: "chart-legend" },
    h("caption", { class: "hidden" }, "Series of the chart. The figures are those of the shown time."),
    h("thead", {}, h("tr", {}, COLUMNS.map((name, i) => h("th", { scope: "col", class: i ? "figure" : "" }, name)), h("td", {}))),
    body));

  const rowOf = (series) => h("tr", {},
    h("th", { scope: "row" }, h("div", {},
      h("input", { type: "checkbox", checked: !series.hidden, "aria-label": `Show ${series.name}`, onchange: (event) => ((series.hidden = !event.target.checked), onchange()) }),
      h("input", { type: "color", value: series.colour, "aria-label": `Colour of ${series.name}`, onchange: (event) => ((series.colour = event.target.value), onchange()) }),
      h("span", { class: "mono" }, series.name))),
    COLUMNS.slice(1).map(() => h("td", { class: "figure" })),
    h("td", {}, button("×", () => onremove(series), { class: "icon", "aria-label": `Remove ${series.name}` })));

  return {
    /** Makes the rows. @param {import("../../core/messages/series.js").Series[]} list */
    make(list) {
      body.replaceChildren(...list.map(rowOf));
    },
    /** Shows the figures. @param {import("../../core/messages/sampling.js").Sample["figures"]} figures */
    show(figures) {
      figures.forEach((all, i) => {
        const cells = body.rows[i].cells, { last, min, max, mean, count } = all ?? { count: 0 };
        [numberText(last), numberText(min), numberText(max), numberText(mean), count.toLocaleString()].forEach((text, column) => {
          if (cells[column + 2].textContent !== text) cells[column + 2].textContent = text;
        });
      });
    },
    /** Shows the values at the cursor. @param {(number | null | undefined)[]} values */
    showCursor(values) {
      values.forEach((value, i) => (body.rows[i].cells[1].textContent = numberText(value)));
    },
  };
}
