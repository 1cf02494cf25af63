import { hydrateRoot } from "react-dom/client";
import { app, render } from "./app.js";
import { prepare, report } from "./watch.js";

const options = await prepare();
const root = document.querySelector("#root");
root.innerHTML = await render(options);
hydrateRoot(root, app(options), { onRecoverableError: report });
