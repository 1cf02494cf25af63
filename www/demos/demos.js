// Functions of all demos. Each demo shows the state of its connection in the element #state, and its errors in the
// element #problem.

/** Shows the state of a client, after each change. */
export function showState(client) {
  client.addEventListener("connecting", ({ detail: { attempt } }) => show("connecting", attempt > 1 ? "Connecting again …" : "Connecting …"));
  client.addEventListener("connected", () => {
    show("connected", "Connected");
    showProblem();
  });
  client.addEventListener("disconnected", ({ detail: { retryInMs } }) => {
    if (retryInMs !== undefined) show("lost", `Connection lost, next attempt in ${Math.ceil(retryInMs / 1000)} s`);
  });
  client.addEventListener("closed", () => show("lost", "Disconnected"));
}

function show(state, text) {
  const output = document.querySelector("#state");
  output.dataset.state = state;
  output.textContent = text;
}

/** Shows an error. Without an argument, the function hides the previous error. */
export function showProblem(error) {
  const output = document.querySelector("#problem");
  output.textContent = error ? error.message : "";
  output.hidden = !error;
}

/** Sets the text of an element if it differs, because a screen reader may read each change. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Returns the JSON object in a message. Everyone can publish, so the message may contain something else: then it returns {}. */
export function objectIn(message) {
  try {
    return Object(message.json());
  } catch {
    return {};
  }
}

// A page that fails before it connects would show "Loading …" forever. The usual reason is that its server has no
// local.json, because it is not the local stand-in.
for (const type of ["error", "unhandledrejection"]) {
  addEventListener(type, ({ error, reason = error }) => { // an event has one of the two
    if (document.querySelector("#state").dataset.state) return;
    show("lost", "Not connected");
    showProblem({ message: `${reason?.message}. This page is made for the local stand-in: go run serve.go. Its last paragraph describes how to use AWS.` });
  });
}
