import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import {
  ConfigMapKind,
  DeploymentKind,
  HttpKubeClient,
  isKubeError,
  type KubeError,
  NamespaceKind,
  PodAutoscalerKind,
  RealClock,
  SeededRandom,
  type WatchEvent,
} from "../src/index.ts";

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly contentType: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}
type Answer = (seen: Seen, response: ServerResponse) => void;

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request) if (Buffer.isBuffer(part)) parts.push(part);
  const text = Buffer.concat(parts).toString("utf8");
  return text === "" ? undefined : JSON.parse(text);
}

/** An API of the test's own answers, and a client of it. */
async function api(answer: Answer) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = "", url = "" } = request;
      const { "content-type": contentType, authorization } = request.headers;
      const one = { method, url, contentType, authorization, body };
      seen.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = new HttpKubeClient({
    clock: new RealClock(),
    random: new SeededRandom(1),
    server: {
      protocol: "http:",
      host: "127.0.0.1",
      port: address.port,
      basePath: "",
      authorization: () => "Bearer secret",
    },
  });
  return {
    seen,
    client,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
const json = (response: ServerResponse, code: number, body: unknown): void => {
  response.writeHead(code, { "Content-Type": "application/json" }).end(JSON.stringify(body));
};
const map = (name: string, resourceVersion = "5") => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { namespace: "default", name, uid: `uid-${name}`, resourceVersion },
  data: { a: "b" },
});
const ref = { namespace: "default", name: "one" };

describe("calls", () => {
  test("go to the paths of Kubernetes, with credentials", async () => {
    await using world = await api((_, response) => json(response, 200, map("one")));
    const { client, seen } = world;
    await client.get(ConfigMapKind, ref);
    await client.create(ConfigMapKind, map("one"));
    await client.update(ConfigMapKind, map("one"));
    await client.get(DeploymentKind, ref);
    await client.get(NamespaceKind, { namespace: "", name: "default" });
    const operations = [{ op: "add", path: "/spec/replicas", value: 2 }] as const;
    await client.patch(DeploymentKind, ref, { kind: "json", operations }, "scale");
    await client.patch(ConfigMapKind, ref, { kind: "merge", body: { data: { a: "c" } } });
    await client.delete(ConfigMapKind, ref, { propagation: "Foreground", uid: "u", gracePeriodSeconds: 0 });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /api/v1/namespaces/default/configmaps/one",
      "POST /api/v1/namespaces/default/configmaps",
      "PUT /api/v1/namespaces/default/configmaps/one",
      "GET /apis/apps/v1/namespaces/default/deployments/one",
      "GET /api/v1/namespaces/default",
      "PATCH /apis/apps/v1/namespaces/default/deployments/one/scale",
      "PATCH /api/v1/namespaces/default/configmaps/one",
      "DELETE /api/v1/namespaces/default/configmaps/one",
    ]);
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set(["Bearer secret"]));
    expect(seen[5]).toMatchObject({ contentType: "application/json-patch+json", body: operations });
    expect(seen[6]?.contentType).toBe("application/merge-patch+json");
    expect(seen[7]?.body).toEqual({
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: "Foreground",
      gracePeriodSeconds: 0,
      preconditions: { uid: "u" },
    });
  });

  test("lists are read page by page where the API has no streams, and their items know what they are", async () => {
    await using world = await api(({ url }, response) => {
      if (url.includes("sendInitialEvents")) {
        json(response, 422, { kind: "Status", code: 422, reason: "Invalid", message: "forbidden" });
        return;
      }
      const { apiVersion: _, kind: __, ...item } = map(url.includes("continue=next") ? "two" : "one");
      const metadata = url.includes("continue=next")
        ? { resourceVersion: "9" }
        : { resourceVersion: "9", continue: "next" };
      json(response, 200, { kind: "ConfigMapList", metadata, items: [item] });
    });
    const list = await world.client.list(ConfigMapKind, { labelSelector: "a=b" });
    expect(list.resourceVersion).toBe("9");
    expect(list.items.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([
      ["ConfigMap", "one"],
      ["ConfigMap", "two"],
    ]);
    expect(Object.isFrozen(list.items[0]?.data)).toBe(true);
    expect(world.seen[1]?.url).toBe("/api/v1/configmaps?labelSelector=a%3Db&limit=500");
    await world.client.list(ConfigMapKind);
    expect(world.seen.filter(({ url }) => url.includes("sendInitialEvents"))).toHaveLength(1);
  });

  test("P-117: lists are streams, which end with a bookmark that says so; one that is cut is begun anew", async () => {
    let rounds = 0;
    await using world = await api((_, response) => {
      const event = (type: string, object: object): void => {
        response.write(`${JSON.stringify({ type, object })}\n`);
      };
      response.writeHead(200, { "Content-Type": "application/json" });
      rounds++;
      event("ADDED", map("one", "3"));
      event("BOOKMARK", { metadata: { resourceVersion: "4" } });
      if (rounds === 1) {
        response.end();
        return;
      }
      event("ADDED", map("two", "5"));
      const annotations = { "k8s.io/initial-events-end": "true" };
      event("BOOKMARK", {
        kind: "ConfigMap",
        apiVersion: "v1",
        metadata: { resourceVersion: "9", annotations },
      });
    });
    const list = await world.client.list(ConfigMapKind, { namespace: "default", labelSelector: "a" });
    expect(list.resourceVersion).toBe("9");
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(["one", "two"]);
    const query = new URL(world.seen[0]?.url ?? "", "http://api").searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      labelSelector: "a",
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: "true",
    });
    expect(query.has("resourceVersion")).toBe(false);
  });

  test("a stream that ends in the middle of an event is an error, not a shorter list", async () => {
    await using world = await api((_, response) => {
      response.writeHead(200).end('{"type":"ADDED","object":{"meta');
    });
    await expect(world.client.list(ConfigMapKind)).rejects.toMatchObject({ name: "KubeError" });
  });

  test.each([
    { code: 404, reason: "NotFound", status: "NotFound" },
    { code: 409, reason: "Conflict", status: "Conflict" },
    { code: 409, reason: "AlreadyExists", status: "AlreadyExists" },
    { code: 410, reason: "Expired", status: "Gone" },
    { code: 422, reason: "Invalid", status: "Invalid" },
    { code: 500, reason: "InternalError", status: "InternalError" },
  ] as const)("a $code of $status is the error $reason", async ({ code, reason, status }) => {
    const body = { kind: "Status", code, reason: status, message: "because" };
    await using world = await api((_, response) => json(response, code, body));
    const error: unknown = await world.client.get(ConfigMapKind, ref).catch((thrown: unknown) => thrown);
    expect(isKubeError(error, reason)).toBe(true);
    expect(String(error)).toContain("because");
  });

  test("an API that is not there, or answers nonsense, is an error too", async () => {
    const world = await api((_, response) => response.writeHead(503).end("<html>"));
    await expect(world.client.get(ConfigMapKind, ref)).rejects.toMatchObject({
      reason: "ServiceUnavailable",
    });
    await world[Symbol.asyncDispose]();
    await expect(world.client.get(ConfigMapKind, ref)).rejects.toMatchObject({
      reason: "ServiceUnavailable",
    });
  });
});

describe("a watch", () => {
  function watching(world: Awaited<ReturnType<typeof api>>, resourceVersion = "5") {
    const events: WatchEvent<{ apiVersion: string; kind: string; metadata: { name: string } }>[] = [];
    let tell = (): void => {};
    let close: (reason: KubeError | undefined) => void = () => {};
    const closed = new Promise<KubeError | undefined>((resolve) => (close = resolve));
    const watch = world.client.watch(
      ConfigMapKind,
      { namespace: "default", resourceVersion },
      {
        event: (event) => {
          events.push(event);
          tell();
        },
        closed: (reason) => close(reason),
      },
    );
    const arrived = (count: number): Promise<void> =>
      new Promise((resolve) => {
        tell = () => {
          if (events.length >= count) resolve();
        };
        tell();
      });
    return { watch, events, arrived, closed };
  }

  test("reads events however they are cut, and begins anew where it ended", async () => {
    let rounds = 0;
    await using world = await api((_, response) => {
      rounds++;
      response.writeHead(200, { "Content-Type": "application/json" });
      if (rounds > 1) return; // the second one stays open
      const line = `${JSON.stringify({ type: "ADDED", object: map("größer", "6") })}\n`;
      const bytes = Buffer.from(line);
      response.write(bytes.subarray(0, 40));
      response.write(bytes.subarray(40, 41));
      response.write(bytes.subarray(41));
      const bookmark = { type: "BOOKMARK", object: { metadata: { resourceVersion: "8" } } };
      response.end(`${JSON.stringify(bookmark)}\n`);
    });
    const { watch, events, arrived, closed } = watching(world);
    await arrived(2);
    expect(events).toMatchObject([
      { type: "ADDED", object: { metadata: { name: "größer" } } },
      { type: "BOOKMARK", resourceVersion: "8" },
    ]);
    await expect.poll(() => world.seen.length, { timeout: 5_000 }).toBe(2);
    expect(world.seen[0]?.url).toContain("resourceVersion=5");
    expect(world.seen[0]?.url).toContain("allowWatchBookmarks=true");
    expect(world.seen[1]?.url).toContain("resourceVersion=8");
    watch[Symbol.dispose]();
    expect(await closed).toBeUndefined();
  });

  test("what is no longer kept closes it as expired, in the stream or before it", async () => {
    const status = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
    await using inStream = await api((_, response) => {
      response.writeHead(200).end(`${JSON.stringify({ type: "ERROR", object: status })}\n`);
    });
    expect(await watching(inStream).closed).toMatchObject({ reason: "Expired", message: "too old" });
    await using before = await api((_, response) => json(response, 410, status));
    expect(await watching(before).closed).toMatchObject({ reason: "Expired" });
  });

  test("a cut connection closes it, so that its owner lists again", async () => {
    await using world = await api((_, response) => {
      response.writeHead(200);
      response.write("\n");
      response.destroy();
    });
    expect(await watching(world).closed).toMatchObject({ reason: "ServiceUnavailable" });
  });
});

test("objects carry a generation and a namespace even where the API has none", async () => {
  const { namespace: _, ...metadata } = map("default").metadata;
  await using world = await api((__, response) => json(response, 200, { ...map("default"), metadata }));
  const object = await world.client.get(PodAutoscalerKind, { namespace: "", name: "default" });
  expect(object.metadata).toMatchObject({ namespace: "", generation: 0, resourceVersion: "5" });
});
