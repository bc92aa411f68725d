// The Worker as `cargo xtask bench` measures what happens while time passes: with a clock, a schedule and a queue that its
// driver moves. It is another entry before the one that is deployed, so nothing of this is in a deployment.
//
// `POST /bench` takes `ahead` (by how many seconds the clock is ahead), `tick`, and `tasks`, which are done as one batch of
// the queue. What is sent to the queue is the answer: the platform's own queue is not the Worker's to pay for.
//
// What is asked below `/other` is answered by a second isolate (the binding OTHER), which has a memory of its own.

import worker from "./worker.js";

export { Partition } from "./worker.js";

const now = Date.now;
let ahead = 0;
Date.now = () => now() + ahead * 1000;

// What waits for the driver, each task once.
let sent = new Map();
const queue = {
  async sendBatch(messages) {
    for (const { body } of messages) sent.set(JSON.stringify(body), body);
  },
};
let bindings;

async function drive(request) {
  const asked = JSON.parse(await request.text());
  ahead = asked.ahead;
  if (bindings.OTHER) {
    // The time is for everybody, the tasks are for one.
    const time = JSON.stringify({ ahead, tick: false, tasks: [] });
    await bindings.OTHER.fetch("http://other/bench", { method: "POST", body: time });
  }
  let failed = 0;
  if (asked.tick) await worker.scheduled({}, bindings);
  const retry = () => (failed += 1);
  const messages = asked.tasks.map((body) => ({ body, ack() {}, retry }));
  if (messages.length > 0) await worker.queue({ messages }, bindings);
  const answer = { sent: [...sent.values()], failed };
  sent = new Map();
  return Response.json(answer);
}

export default {
  fetch(request, env) {
    bindings ??= { ...env, TASKS: queue };
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/other/")) {
      return bindings.OTHER.fetch(new Request(request.url.replace("/other/", "/"), request));
    }
    return pathname === "/bench" ? drive(request) : worker.fetch(request, bindings);
  },
};
