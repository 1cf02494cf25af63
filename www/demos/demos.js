// What the demos share: each one shows the state of its connection in the element #state, and its errors in
// the element #problem.

/** Shows the state of a client, from now on. */
export function showState(client) {
  const output = document.querySelector("#state");
  const show = (state, text) => {
    output.dataset.state = state;
    output.textContent = text;
  };
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

/** Shows an error. Without an error, hides the last one. */
export function showProblem(error) {
  const output = document.querySelector("#problem");
  output.textContent = error ? error.message : "";
  output.hidden = !error;
}
