// The part that never sleeps, and does next to nothing: watches ConfigMaps that are labelled `sample: greeting` and
// posts a CloudEvent for each change to the reconciler. A change counts as told only once the reconciler has answered
// 2xx; until then it is told again, so none is lost while the reconciler sleeps, starts, crashes or is replaced. What
// has been told is written down in the API, so that none is lost either, deletions included, while this program itself
// is not there. A change may be told twice: whoever reconciles has to bear that.
import { createServer } from "node:http";
import { call, events, send } from "./api.mjs";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const SELECTOR = "labelSelector=sample%3Dgreeting";
const RECONCILER = "/apis/serving.knative.dev/v1/namespaces/default/services/reconciler";
/** Where it is written down how far this has come. */
const STATE = "greeting-source";
const RETRY_MS = 1_000;
const GONE = 410;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What was told so far: the version of the API up to which, and of each object there is, by uid, its own. */
async function readState() {
  try {
    const { data } = await call("GET", `${CONFIG_MAPS}/${STATE}`);
    return { version: data.version, known: new Map(Object.entries(JSON.parse(data.known))) };
  } catch (error) {
    if (error.status !== 404) throw error;
    const data = { version: "", known: "{}" };
    await call("POST", CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: STATE }, data });
    return { version: "", known: new Map() };
  }
}

async function writeState({ version, known }) {
  const data = { version, known: JSON.stringify(Object.fromEntries(known)) };
  await call("PATCH", `${CONFIG_MAPS}/${STATE}`, { data });
}

/** Posts one event, in the CloudEvents HTTP binding (binary mode). Returns whether it has been taken. */
async function post(type, object) {
  const { name, uid, resourceVersion } = object.metadata;
  const { status } = await call("GET", RECONCILER);
  const url = new URL(status?.url ?? "http://none.invalid");
  const headers = {
    Host: url.host,
    "Content-Type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": `${uid}.${resourceVersion}.${type}`,
    "ce-source": CONFIG_MAPS,
    "ce-type": `dev.rouse.sample.${type}`,
    "ce-subject": name,
  };
  // All of *.localhost is this machine, also where the resolver does not know it.
  const where = { host: "127.0.0.1", port: url.port || 80, method: "POST", path: "/", headers };
  const answer = await send(where, JSON.stringify(object));
  console.log(`${type} ${name}: ${answer.status}`);
  return answer.status >= 200 && answer.status < 300;
}

/** Tells it until it is taken, then writes that down. */
async function tell(state, type, object) {
  for (;;) {
    try {
      if (await post(type, object)) break;
    } catch (error) {
      console.log(`${type} ${object.metadata.name}: ${error.message}`);
    }
    await pause(RETRY_MS);
  }
  const { uid, name, resourceVersion } = object.metadata;
  if (type === "deleted") state.known.delete(uid);
  else state.known.set(uid, { name, resourceVersion });
}

/** What has changed since the last time, by comparing: where there is no version to go on from, or none any more. */
async function compare(state) {
  const { items, metadata } = await call("GET", `${CONFIG_MAPS}?${SELECTOR}`);
  const there = new Set(items.map((object) => object.metadata.uid));
  for (const object of items) {
    const before = state.known.get(object.metadata.uid);
    if (before?.resourceVersion === object.metadata.resourceVersion) continue;
    await tell(state, before === undefined ? "added" : "changed", object);
  }
  for (const [uid, { name, resourceVersion }] of [...state.known]) {
    if (!there.has(uid)) await tell(state, "deleted", { metadata: { uid, name, resourceVersion } });
  }
  state.version = metadata.resourceVersion;
  await writeState(state);
}

/** Every change from the version on, one after the other, until the API ends the watch. */
async function watch(state) {
  const query = `${SELECTOR}&watch=1&allowWatchBookmarks=true&resourceVersion=${state.version}`;
  for await (const { type, object } of events(`${CONFIG_MAPS}?${query}`)) {
    if (type === "ERROR") throw Object.assign(new Error(object.message), { status: object.code });
    state.version = object.metadata.resourceVersion;
    if (type === "BOOKMARK") continue;
    if (type === "DELETED") await tell(state, "deleted", object);
    else await tell(state, state.known.has(object.metadata.uid) ? "changed" : "added", object);
    await writeState(state);
  }
}

async function follow() {
  const state = await readState();
  for (;;) {
    if (state.version === "") await compare(state);
    try {
      await watch(state);
    } catch (error) {
      if (error.status !== GONE) throw error;
      state.version = ""; // the API has forgotten that version
    }
  }
}

// A service has to listen to be ready; this one has nothing to say.
createServer((_, response) => response.end("watching\n")).listen(Number(process.env.PORT));
process.once("SIGTERM", () => process.exit(0));
for (;;) {
  try {
    await follow();
  } catch (error) {
    console.log(`again in a second: ${error.message}`);
    await pause(RETRY_MS);
  }
}
