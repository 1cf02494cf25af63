import { framed } from "./framed.js";

await framed("sandbox", { sandbox: "allow-scripts" });
