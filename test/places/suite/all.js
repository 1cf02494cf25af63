/** This module imports all tests in the order in which they run. load.js is the first, because its first test needs a module that has not fetched the wasm. */
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
