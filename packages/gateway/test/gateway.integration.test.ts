import { once } from "node:events";
import { createServer, request } from "node:http";
import { annotations, type Ingress, IngressKind, ROUSE_INGRESS_CLASS } from "@rouse/shared";
import { expect, test } from "vitest";
import { World } from "./support/world.ts";

test("C-109, C-115: a request goes to its Service with what the platform says about it, and nothing a client could make up", async () => {
  await using world = await World.start();
  await world.setEndpoints("hello", [
    await world.upstream((request, response) => response.end(JSON.stringify(request.headers))),
  ]);
  await world.apply("hello", [{ appendHeaders: { "Knative-Serving-Revision": "hello-1" } }]);
  await world.untilReady("hello");
  const answer = await world.call("hello", {
    "Knative-Serving-Revision": "other",
    "Knative-Serving-Namespace": "other",
    "K-Original-Host": "other",
    "K-Proxy-Request": "activator",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "192.0.2.1",
  });
  const seen: Record<string, string> = JSON.parse(answer.body);
  expect(seen).toMatchObject({
    host: `hello.default.localhost:${world.gateway.address.port}`,
    "knative-serving-revision": "hello-1",
    "x-forwarded-proto": "http",
    "x-forwarded-for": "192.0.2.1, 127.0.0.1",
  });
  for (const name of ["knative-serving-namespace", "k-original-host", "k-proxy-request"]) {
    expect(Object.keys(seen)).not.toContain(name);
  }
});

test("C-105: an unknown host is 404, and says which", async () => {
  await using world = await World.start();
  expect(await world.call("nobody")).toEqual({
    status: 404,
    body: 'no service has the host "nobody.default.localhost"\n',
  });
});

test("C-104: an Ingress of another class is left alone", async () => {
  await using world = await World.start();
  await world.apply("other", [{}], "istio.ingress.networking.knative.dev");
  await world.setEndpoints("hello", [await world.upstream((_, response) => response.end())]);
  await world.apply("hello", [{}]);
  await world.untilReady("hello");
  expect((await world.ingress("other")).status).toBeUndefined();
  expect((await world.call("other")).status).toBe(404);
});

test("C-103, C-126: an Ingress in force says so, and where", async () => {
  await using world = await World.start();
  await world.setEndpoints("hello", [await world.upstream((_, response) => response.end())]);
  await world.apply("hello", [{}]);
  const { status } = await world.untilReady("hello");
  expect(status?.conditions?.map(({ type, status: is }) => [type, is])).toEqual([
    ["LoadBalancerReady", "True"],
    ["NetworkConfigured", "True"],
    ["Ready", "True"],
  ]);
  expect(status).toMatchObject({ publicLoadBalancer: { ingress: [{ ip: "127.0.0.1" }] } });
});

test("C-113: without a ready endpoint an Ingress is not ready; it becomes so when there is one", async () => {
  await using world = await World.start();
  await world.apply("hello", [{}]);
  for (;;) {
    const conditions = (await world.ingress("hello")).status?.conditions;
    const balancer = conditions?.find(({ type }) => type === "LoadBalancerReady");
    if (balancer !== undefined) {
      expect(balancer).toMatchObject({ status: "Unknown", reason: "Uninitialized" });
      break;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await world.setEndpoints("hello", [await world.upstream((_, response) => response.end("hi"))]);
  await world.untilReady("hello");
  expect((await world.call("hello")).body).toBe("hi");
});

test("C-113: a new configuration that cannot serve leaves the old one in force", async () => {
  await using world = await World.start();
  await world.setEndpoints("hello", [await world.upstream((_, response) => response.end("old"))]);
  await world.apply("hello", [{}]);
  await world.untilReady("hello");
  await world.apply("hello", [{ serviceName: "new" }]);
  expect((await world.call("hello")).body).toBe("old");
  await world.setEndpoints("new", [await world.upstream((_, response) => response.end("new"))]);
  await world.untilReady("hello");
  expect((await world.call("hello")).body).toBe("new");
});

test("an endpoint that refuses connections is passed over", async () => {
  await using world = await World.start();
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const address = closed.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise<void>((resolve) => closed.close(() => resolve()));
  const upstream = await world.upstream((_, response) => response.end("hi"));
  await world.setEndpoints("hello", [{ ip: "127.0.0.1", port }, upstream]);
  await world.apply("hello", [{}]);
  await world.untilReady("hello");
  const answers = await Promise.all(Array.from({ length: 30 }, () => world.call("hello")));
  expect(answers.every(({ status }) => status === 200)).toBe(true);
});

test("C-118: endpoints that change under load fail nobody", async () => {
  await using world = await World.start();
  const upstreams = await Promise.all(
    [1, 2, 3].map((n) => world.upstream((_, response) => response.end(`${n}`))),
  );
  await world.setEndpoints("hello", upstreams.slice(0, 1));
  await world.apply("hello", [{}]);
  await world.untilReady("hello");
  let isOver = false;
  const load = Array.from({ length: 8 }, async () => {
    const statuses: number[] = [];
    while (!isOver) statuses.push((await world.call("hello")).status);
    return statuses;
  });
  for (let round = 0; round < 60; round++) {
    await world.setEndpoints(
      "hello",
      upstreams.filter((_, index) => index === round % 3),
    );
    await world.call("hello");
  }
  isOver = true;
  const statuses = (await Promise.all(load)).flat();
  expect(statuses.length).toBeGreaterThan(0);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});

test("C-121, C-122: who asks which configuration is in force gets its hash to the backend", async () => {
  await using world = await World.start();
  await world.setEndpoints("hello", [
    await world.upstream((request, response) => response.end(request.headers["k-network-hash"])),
  ]);
  await world.apply("hello", [{}]);
  await world.untilReady("hello");
  expect((await world.call("hello", { "K-Network-Hash": "override" })).body).toMatch(/^[0-9a-f]{64}$/);
  expect((await world.call("hello", { "K-Network-Hash": "mine" })).body).toBe("mine");
});

test("C-114: bodies stream both ways", async () => {
  await using world = await World.start();
  await world.setEndpoints("hello", [
    await world.upstream((request, response) => {
      response.writeHead(200);
      request.on("data", (piece: Buffer) => response.write(`<${piece.toString()}>`));
      request.on("end", () => response.end());
    }),
  ]);
  await world.apply("hello", [{}]);
  await world.untilReady("hello");
  const { ip, port } = world.gateway.address;
  const sent = request({ host: ip, port, method: "POST", headers: { Host: "hello.default.localhost" } });
  sent.write("one");
  const [response] = await once(sent, "response");
  expect(String((await once(response, "data"))[0])).toBe("<one>");
  sent.write("two");
  expect(String((await once(response, "data"))[0])).toBe("<two>");
  sent.end();
  response.resume();
  await once(response, "end");
});

test("C-110, C-130: a mapped domain takes the inner route, under the inner name, and says what it was called", async () => {
  await using world = await World.start();
  const { client } = world;
  const served = await world.upstream((incoming, response) =>
    response.end(
      [
        incoming.headers.host,
        incoming.headers["k-original-host"],
        incoming.headers["knative-serving-revision"],
      ].join(" "),
    ),
  );
  const mapping = (path: object): Ingress => ({
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "Ingress",
    metadata: {
      namespace: "default",
      name: "www.acme.io",
      annotations: { [annotations.ingressClass]: ROUSE_INGRESS_CLASS },
    },
    spec: {
      rules: [
        {
          hosts: ["www.acme.io"],
          http: {
            paths: [
              {
                rewriteHost: "hello.default.localhost",
                splits: [
                  {
                    serviceNamespace: "default",
                    serviceName: "hello",
                    servicePort: 80,
                    percent: 100,
                    appendHeaders: { "K-Original-Host": "www.acme.io" },
                  },
                ],
                ...path,
              },
            ],
          },
        },
      ],
    },
  });
  await client.create(IngressKind, mapping({}));
  expect(
    (await world.ingress("www.acme.io")).status?.conditions?.some(({ status }) => status === "True"),
  ).not.toBe(true);
  await world.setEndpoints("hello-00001", [served]);
  await world.apply("hello", [
    { serviceName: "hello-00001", appendHeaders: { "Knative-Serving-Revision": "hello-00001" } },
  ]);
  await world.untilReady("hello");
  await world.untilReady("www.acme.io"); // once the name it leads to is known
  const answer = await world.call("", { Host: "www.acme.io" });
  expect(answer).toEqual({ status: 200, body: "hello.default.localhost www.acme.io hello-00001" });
});
