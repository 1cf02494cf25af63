// This script renders the page of its folder without a browser and prints the HTML. The process ends by itself only if
// rendering has opened no socket and started no timer.
import { render } from "./app.js";

for (const name of ["window", "document"]) if (name in globalThis) throw new Error(`Node has a ${name}`);
console.log(await render({ endpoint: "iot.example" }));
