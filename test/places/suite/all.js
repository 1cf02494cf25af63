/** Every test, in the order in which they run. The first finds the wasm not yet fetched. */
import "./load.js";
import "./pure.js";
import "./connect.js";
import "./publish.js";
import "./subscribe.js";
import "./session.js";
import "./signals.js";
import "./options.js";
import "./buffers.js";
import "./order.js";
import "./sockets.js";
import "./crash.js";
import "./frames.js";
import "./members.js";
import "./request.js";
import "./globals.js";
