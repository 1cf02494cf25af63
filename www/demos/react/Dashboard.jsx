import { useEffect, useState } from "react";
import { useConnection, usePublish, useShadow, useSubscription } from "iot.wasm/react";

const ROOMS = ["kitchen", "bedroom", "greenhouse", "cellar"];
const SIMULATED = ["kitchen", "bedroom"]; // this page simulates the sensors of these rooms
const SILENCE = 4000; // milliseconds without a message, after which a sensor counts as off

/** The whole page. It keeps the client connected while it is mounted. */
export function Dashboard({ server }) {
  const { state, error } = useConnection(server);
  const [shown, setShown] = useState(SIMULATED);
  const toggle = (room) => setShown((rooms) => (rooms.includes(room) ? rooms.filter((r) => r !== room) : [...rooms, room]));
  return (
    <>
      <header>
        <a href="../../">All demos</a>
        <h1>Rooms with React</h1>
        <State state={state} />
      </header>
      <main>
        {error && <p id="problem" className="wide" role="alert">{error.message}</p>}
        <fieldset className="wide" aria-label="Rooms">
          {ROOMS.map((room) => (
            <label key={room}><input type="checkbox" name={room} checked={shown.includes(room)} onChange={() => toggle(room)} /> {room}</label>
          ))}
        </fieldset>
        {ROOMS.filter((room) => shown.includes(room)).map((room) => <Room key={room} room={room} />)}
        <Lamp />
        <Messages />
      </main>
    </>
  );
}

/** The state of the connection. */
function State({ state }) {
  const texts = { idle: "Loading …", connecting: "Connecting …", connected: "Connected", reconnecting: "Connection lost, connecting again …", closed: "Disconnected" };
  const look = { connected: "connected", reconnecting: "lost", closed: "lost" }; // see demos.css
  return <p id="state" role="status" data-state={look[state] ?? "connecting"}>{texts[state]}</p>;
}

// ---- a room and its sensor

/** One room. The measurements arrive from any window, also from the demo "Sensors". A hidden room has no subscription. */
function Room({ room }) {
  const topic = `public/sensors/${room}/measurement`;
  const message = useSubscription(topic);
  const fresh = useFresh(message);
  const measured = measurementOf(message);
  useSensor(SIMULATED.includes(room) ? topic : null, message);
  if (!fresh || !measured) return <section id={room}><h2>{room}</h2><p>No sensor</p></section>;
  return (
    <section id={room}>
      <h2>{room}</h2>
      <p className="value">{measured.temperature.toFixed(1)} °C</p>
      <meter min="0" max="40" value={measured.temperature} aria-label="Temperature" />
      <p className="value">{measured.humidity.toFixed(0)} %</p>
      <meter min="0" max="100" value={measured.humidity} aria-label="Humidity" />
    </section>
  );
}

/** Returns the measurement in a message. Anyone can publish, so the message may contain something else. */
function measurementOf(message) {
  try {
    const { temperature, humidity } = message.json();
    if (Number.isFinite(temperature) && Number.isFinite(humidity)) return { temperature, humidity };
  } catch {} // no message, or no JSON
}

/** Returns whether the message has arrived in the last seconds. */
function useFresh(message) {
  const [old, setOld] = useState(undefined);
  useEffect(() => {
    const timer = setTimeout(() => setOld(message), SILENCE);
    return () => clearTimeout(timer);
  }, [message]);
  return message !== old;
}

/** Simulates a sensor: it measures when nothing has arrived for a while. Of several windows, the first one measures. */
function useSensor(topic, message) {
  const publish = usePublish();
  useEffect(() => {
    if (!topic) return;
    const drift = (value, step, low, high) => Math.min(high, Math.max(low, value + step * (Math.random() - 0.5)));
    const timer = setInterval(() => {
      const { temperature, humidity } = measurementOf(message) ?? { temperature: 20, humidity: 50 };
      const json = { temperature: drift(temperature, 1, 10, 35), humidity: drift(humidity, 2, 20, 90) };
      publish(topic, { json }).catch(() => {}); // a measurement without a connection is lost
    }, 1200 + 600 * Math.random());
    return () => clearInterval(timer);
  }, [publish, topic, message]);
}

// ---- the lamp

/** The lamp of the demo "Light bulb". The switch changes what is desired, and the lamp reports what it does. */
function Lamp() {
  const { desired, reported, delta, error, update } = useShadow("demo-lamp");
  const [problem, setProblem] = useState();
  const on = desired?.on === true;
  const desire = () => update({ desired: { on: !on } }).then(() => setProblem(undefined), setProblem);
  return (
    <section id="lamp">
      <h2>Lamp</h2>
      <p className="value">{reported?.on === true ? "On" : "Off"}</p>
      <p><button type="button" role="switch" aria-checked={on} onClick={desire}>Light: {on ? "on" : "off"}</button></p>
      <p role="status">{delta ? "The lamp has not followed yet. Is it plugged in?" : "The lamp does what is desired."}</p>
      <p><a href="../../lamp.html" target="_blank">Open the lamp</a></p>
      {(problem ?? error) && <p role="alert">{(problem ?? error).message}</p>}
    </section>
  );
}

// ---- the messages

/** The last messages of all windows, and a form to send one. Without a connection, a message of QoS 1 waits. */
function Messages() {
  const messages = useSubscription("public/rooms/messages", { qos: 1, keep: 5 });
  const publish = usePublish();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState();
  const send = (event) => {
    event.preventDefault();
    setText("");
    publish("public/rooms/messages", text, { qos: 1 }).then(() => setProblem(undefined), setProblem);
  };
  return (
    <section id="messages">
      <h2>Messages</h2>
      <form onSubmit={send}>
        <label>Message <input name="text" value={text} onChange={(event) => setText(event.target.value)} required /></label>
        <button>Send</button>
      </form>
      <ol>{messages.map((message, i) => <li key={i}>{message.text()}</li>)}</ol>
      {problem && <p role="alert">{problem.message}</p>}
    </section>
  );
}
