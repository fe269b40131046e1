// The part that never sleeps, and does next to nothing: watches ConfigMaps that are labelled `sample: greeting` and
// posts a CloudEvent for each change to the reconciler. A change counts as told only once the reconciler has answered
// 2xx; until then it is told again, so none is lost while the reconciler sleeps, starts, crashes or is replaced. After
// a restart of its own it tells everything there is: whoever reconciles has to bear hearing a thing twice.
import { createServer } from "node:http";
import { call, send } from "./api.mjs";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps?labelSelector=sample%3Dgreeting";
const RECONCILER = "/apis/serving.knative.dev/v1/namespaces/default/services/reconciler";
const PERIOD_MS = 500;
const RETRY_MS = 1_000;

/** What the reconciler knows of: the version of each object it has answered for. */
const told = new Map();

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Posts one event, in the CloudEvents HTTP binding (binary mode). Returns whether it has been taken. */
async function tell(type, object) {
  const { name, resourceVersion } = object.metadata;
  const { status } = await call("GET", RECONCILER);
  const url = new URL(status?.url ?? "http://none.invalid");
  const headers = {
    Host: url.host,
    "Content-Type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": `${name}.${resourceVersion}`,
    "ce-source": "/api/v1/namespaces/default/configmaps",
    "ce-type": `dev.rouse.sample.${type}`,
    "ce-subject": name,
  };
  // All of *.localhost is this machine, also where the resolver does not know it.
  const where = { host: "127.0.0.1", port: url.port || 80, method: "POST", path: "/", headers };
  const answer = await send(where, JSON.stringify(object));
  console.log(`${type} ${name}: ${answer.status}`);
  return answer.status >= 200 && answer.status < 300;
}

/** Everything that has changed since it was last told, by comparing: what no watch shows is found as well. */
async function tellChanges() {
  const { items } = await call("GET", CONFIG_MAPS);
  const there = new Set();
  for (const object of items) {
    const { uid, resourceVersion } = object.metadata;
    there.add(uid);
    if (told.get(uid)?.metadata.resourceVersion === resourceVersion) continue;
    if (!(await tell(told.has(uid) ? "changed" : "added", object))) throw new Error("not taken");
    told.set(uid, object);
  }
  for (const [uid, object] of told) {
    if (there.has(uid)) continue;
    if (!(await tell("deleted", object))) throw new Error("not taken");
    told.delete(uid);
  }
}

async function watch() {
  for (;;) {
    try {
      await tellChanges();
      await pause(PERIOD_MS);
    } catch (error) {
      console.log(`again in a second: ${error instanceof Error ? error.message : error}`);
      await pause(RETRY_MS);
    }
  }
}

// A service has to listen to be ready; this one has nothing to say.
createServer((_, response) => response.end("watching\n")).listen(Number(process.env.PORT));
process.once("SIGTERM", () => process.exit(0));
await watch();
