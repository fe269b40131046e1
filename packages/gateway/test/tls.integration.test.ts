import { once } from "node:events";
import { createServer, get } from "node:http";
import { type RequestOptions, request } from "node:https";
import { connect } from "node:tls";
import {
  annotations,
  EndpointsKind,
  type Ingress,
  IngressKind,
  InProcessKubeClient,
  issueCertificate,
  makeAuthority,
  ObjectStore,
  RealClock,
  RealRandom,
  ROUSE_INGRESS_CLASS,
  SecretKind,
  silentLogger,
} from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { Gateway } from "../src/index.ts";

const clock = new RealClock();

async function setup() {
  const random = new RealRandom();
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const client = new InProcessKubeClient({ store, clock });
  const authority = makeAuthority(clock.wall());
  const gateway = await Gateway.start(
    { client, clock, random, log: silentLogger },
    { ip: "127.0.0.1", port: 0, tls: { port: 0, authority } },
  );
  onTestFinished(() => gateway.close());
  const served = createServer((incoming, response) =>
    response.end(`${incoming.headers.host} ${incoming.headers["x-forwarded-proto"]}`),
  );
  served.listen(0, "127.0.0.1");
  await once(served, "listening");
  onTestFinished(() => void served.close());
  const bound = served.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  await client.create(EndpointsKind, {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { namespace: "default", name: "hello" },
    subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ name: "http", port }] }],
  });
  const apply = async (host: string, more: Partial<Ingress["spec"]>): Promise<void> => {
    await client.create(IngressKind, {
      apiVersion: "networking.internal.knative.dev/v1alpha1",
      kind: "Ingress",
      metadata: {
        namespace: "default",
        name: host,
        annotations: { [annotations.ingressClass]: ROUSE_INGRESS_CLASS },
      },
      spec: {
        rules: [
          {
            hosts: [host],
            http: {
              paths: [
                {
                  splits: [
                    { serviceNamespace: "default", serviceName: "hello", servicePort: 80, percent: 100 },
                  ],
                },
              ],
            },
          },
        ],
        ...more,
      },
    });
    await new Promise((resolve) => clock.after(20, () => resolve(undefined)));
  };
  return { client, authority, gateway, apply };
}

/** Status and body; or the code of the error. */
function ask(options: RequestOptions): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ host: "127.0.0.1", agent: false, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        body += part;
      });
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
    });
    sent.on("error", (error) => resolve("code" in error ? String(error.code) : error.message));
    sent.end();
  });
}

test("a routed host has a certificate of the home's authority, and the program is told that it was https", async () => {
  const { authority, gateway, apply } = await setup();
  const port = gateway.tlsAddress?.port ?? 0;
  const host = "hello.default.localhost";
  const over = { port, servername: host, ca: authority.cert, headers: { Host: host } };
  expect(await ask(over)).toBe("ERR_TLS_CERT_ALTNAME_INVALID"); // nobody routes it yet
  await apply(host, {});
  expect(await ask(over)).toBe(`200 ${host} https`);
  const stranger = makeAuthority(clock.wall());
  expect(await ask({ ...over, ca: stranger.cert })).not.toMatch(/^200/);
});

test("C-117: the Secret that an Ingress names for a host is shown for that host, and followed when it changes", async () => {
  const { client, gateway, apply } = await setup();
  const port = gateway.tlsAddress?.port ?? 0;
  const host = "www.acme.io";
  const theirs = makeAuthority(clock.wall());
  const { cert, key } = issueCertificate(theirs, { hosts: [host], now: clock.wall() });
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  await client.create(SecretKind, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "default", name: "acme" },
    data: { "tls.crt": base64(cert), "tls.key": base64(key) },
  });
  await apply(host, { tls: [{ hosts: [host], secretName: "acme", secretNamespace: "default" }] });
  const over = { port, servername: host, headers: { Host: host } };
  expect(await ask({ ...over, ca: theirs.cert })).toBe(`200 ${host} https`);
  const next = makeAuthority(clock.wall());
  const renewed = issueCertificate(next, { hosts: [host], now: clock.wall() });
  const secret = await client.get(SecretKind, { namespace: "default", name: "acme" });
  await client.update(SecretKind, {
    ...secret,
    data: { "tls.crt": base64(renewed.cert), "tls.key": base64(renewed.key) },
  });
  await new Promise((resolve) => clock.after(20, () => resolve(undefined)));
  expect(await ask({ ...over, ca: next.cert })).toBe(`200 ${host} https`);
});

test("C-116: a plain request of a redirected host is sent to where TLS is spoken", async () => {
  const { gateway, apply } = await setup();
  const host = "www.acme.io";
  await apply(host, {
    httpOption: "Redirected",
    tls: [{ hosts: [host], secretName: "none", secretNamespace: "default" }],
  });
  const { ip, port } = gateway.address;
  const answer = await fetch(`http://${ip}:${port}/a?b`, { redirect: "manual" }).catch(() => undefined);
  expect(answer?.status).toBe(404); // by its address nobody is meant
  const location = await new Promise((resolve, reject) => {
    get({ host: ip, port, path: "/a?b", headers: { Host: host }, agent: false }, (response) => {
      response.resume();
      resolve(`${response.statusCode} ${response.headers.location}`);
    }).on("error", reject);
  });
  expect(location).toBe(`301 https://${host}:${gateway.tlsAddress?.port}/a?b`);
});

test("HTTP/2 is agreed on for hosts whose program speaks it, and no others: a request keeps its version", async () => {
  const { authority, gateway, apply } = await setup();
  const split = { serviceNamespace: "default", serviceName: "hello", servicePort: 81, percent: 100 };
  await apply("grpc.localhost", {
    rules: [{ hosts: ["grpc.localhost"], http: { paths: [{ splits: [split] }] } }],
  });
  await apply("hello.localhost", {});
  const agreed = async (servername: string, ALPNProtocols: string[]): Promise<unknown> => {
    const port = gateway.tlsAddress?.port ?? 0;
    const socket = connect({ host: "127.0.0.1", port, servername, ca: authority.cert, ALPNProtocols });
    try {
      await once(socket, "secureConnect");
      return socket.alpnProtocol;
    } catch (error) {
      return error instanceof Error && "code" in error ? error.code : error;
    } finally {
      socket.destroy();
    }
  };
  expect(await agreed("grpc.localhost", ["h2", "http/1.1"])).toBe("h2");
  expect(await agreed("hello.localhost", ["h2", "http/1.1"])).toBe("http/1.1");
  expect(await agreed("hello.localhost", ["h2"])).not.toBe("h2");
});
