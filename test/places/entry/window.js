import { here, runModule } from "./page.js";

await here("window", runModule);
