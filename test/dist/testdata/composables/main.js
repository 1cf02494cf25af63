import { app, render } from "./app.js";
import { prepare, report } from "./watch.js";

const options = await prepare();
const root = document.querySelector("#root");
root.innerHTML = await render(options);
const vue = app(options);
vue.config.errorHandler = report;
vue.mount(root);
