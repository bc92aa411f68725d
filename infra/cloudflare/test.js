// The Worker as the tests run it: with a clock that they move, and a way to put messages into its queue. It is another
// entry before the one that is deployed, so nothing of this is in a deployment.
//
// `TEST_CLOCK` says by how many seconds the clock is ahead. Everything in this isolate asks Date.now: the wasm module and
// the Durable Objects.

import worker from "./worker.js";

export { Partition } from "./worker.js";

const now = Date.now;
let ahead = 0;
Date.now = () => now() + ahead * 1000;

async function follow(env) {
  const reply = await env.TEST_CLOCK.fetch("http://clock/");
  ahead = Number(await reply.text());
}

export default {
  async fetch(request, env, context) {
    await follow(env);
    const { pathname } = new URL(request.url);
    if (pathname === "/test/tasks" && request.method === "POST") {
      await env.TASKS.send(JSON.parse(await request.text()));
      return new Response();
    }
    return worker.fetch(request, env, context);
  },
  async scheduled(event, env, context) {
    await follow(env);
    return worker.scheduled(event, env, context);
  },
  async queue(batch, env, context) {
    await follow(env);
    return worker.queue(batch, env, context);
  },
};
