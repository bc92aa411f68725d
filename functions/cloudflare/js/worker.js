// The module that Cloudflare loads: hands events to the wasm module. The head of a request goes as one text, because
// crossings between JavaScript and wasm cost more than what is done on either side.

import * as wasm from "./index.js";
import { TooLargeError, lines, read } from "./host.js";

// More than any form, admin document or SCIM message that we read: what is a little too long is refused by the router, in
// the form that its caller reads.
const BODY_LIMIT = 2 * 1024 * 1024;

// A panic leaves the wasm instance in an unknown state. The request that hit it fails; the next one gets a new instance.
let broken = false;

function notice(error) {
  if (error instanceof WebAssembly.RuntimeError) broken = true;
}

// A panic in a future surfaces in a microtask, where no caller can catch it.
addEventListener("error", (event) => notice(event.error));

function enter(act) {
  if (broken) {
    broken = false;
    wasm.__wbg_reset_state();
  }
  try {
    return act();
  } catch (error) {
    notice(error);
    throw error;
  }
}

function serve(request, env, body) {
  // Path and query, as an HTTP/1.1 request line has them.
  const path = request.url.slice(request.url.indexOf("/", 8));
  const head = `${request.method}\n${path}\n${lines(request.headers)}`;
  return enter(() => wasm.fetch(env, head, body));
}

async function serveBody(request, env) {
  try {
    return await serve(request, env, await read(request.body, BODY_LIMIT));
  } catch (error) {
    if (error instanceof TooLargeError) return new Response("the request body is too large\n", { status: 413 });
    throw error;
  }
}

async function work(message, env) {
  let done = false;
  try {
    done = await enter(() => wasm.work(env, JSON.stringify(message.body)));
  } catch (error) {
    console.error(JSON.stringify({ level: "error", message: "work.broke", error: error.name }));
  }
  if (done) message.ack();
  else message.retry();
}

export default {
  fetch(request, env) {
    return request.body === null ? serve(request, env, undefined) : serveBody(request, env);
  },
  scheduled(_event, env) {
    return enter(() => wasm.scheduled(env));
  },
  // Side by side: a task that waits for a slow provider holds up no other.
  async queue(batch, env) {
    await Promise.all(batch.messages.map((message) => work(message, env)));
  },
};

export { Partition } from "./partition.js";
