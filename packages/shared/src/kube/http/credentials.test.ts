import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock/virtual-clock.ts";
import { inClusterServer, kubeconfigServer } from "./credentials.ts";

const files: Record<string, string> = {
  "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt": "CA",
  "/var/run/secrets/kubernetes.io/serviceaccount/token": "first\n",
  "/home-of-it/ca.pem": "CA2",
  "/home-of-it/token": "from-file",
};
const readFile = (path: string): string => {
  const text = files[path];
  if (text === undefined) throw new Error(`no ${path}`);
  return text;
};
const base64 = (text: string): string => Buffer.from(text).toString("base64");

test("in a pod: the address from the environment, the token read again as it is renewed", () => {
  const clock = new VirtualClock();
  const server = inClusterServer({ clock, readFile }, { host: "10.96.0.1", port: "443" });
  expect(server).toMatchObject({ protocol: "https:", host: "10.96.0.1", port: 443, tls: { ca: "CA" } });
  expect(server.authorization()).toBe("Bearer first");
  files["/var/run/secrets/kubernetes.io/serviceaccount/token"] = "second";
  expect(server.authorization()).toBe("Bearer first");
  clock.advance(60_000);
  expect(server.authorization()).toBe("Bearer second");
});

test("elsewhere there is no such address", () => {
  const deps = { clock: new VirtualClock(), readFile };
  expect(() => inClusterServer(deps, { host: undefined, port: undefined })).toThrow("no pod");
});

describe("a kubeconfig", () => {
  const config = (cluster: object, user: object) => ({
    "current-context": "here",
    contexts: [
      { name: "there", context: { cluster: "x", user: "x" } },
      { name: "here", context: { cluster: "c", user: "u" } },
    ],
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
  });
  const of = (cluster: object, user: object) =>
    kubeconfigServer({ clock: new VirtualClock(), readFile }, config(cluster, user), "/home-of-it/config");

  test("its current context is used, with data inside it", () => {
    const server = of(
      { server: "https://api.example:6443/k8s/", "certificate-authority-data": base64("CA") },
      { "client-certificate-data": base64("CERT"), "client-key-data": base64("KEY") },
    );
    expect(server).toMatchObject({
      protocol: "https:",
      host: "api.example",
      port: 6443,
      basePath: "/k8s",
      tls: { ca: "CA", cert: "CERT", key: "KEY" },
    });
    expect(server.authorization()).toBeUndefined();
  });

  test("files are beside it", () => {
    const server = of(
      { server: "https://[fd00::1]:6443", "certificate-authority": "ca.pem", "tls-server-name": "api" },
      { tokenFile: "token" },
    );
    expect(server).toMatchObject({ host: "fd00::1", tls: { ca: "CA2", servername: "api" } });
    expect(server.authorization()).toBe("Bearer from-file");
  });

  test.each([
    { user: { token: "t" }, want: "Bearer t" },
    { user: { username: "me", password: "pw" }, want: `Basic ${base64("me:pw")}` },
  ])("a user $user says $want", ({ user, want }) => {
    expect(of({ server: "http://localhost:8080" }, user).authorization()).toBe(want);
  });

  test.each([
    { config: {}, problem: "contexts" },
    { config: config({}, {}), problem: "no server" },
    { config: config({ server: "ftp://x" }, {}), problem: "no address of HTTP" },
    { config: config({ server: "http://x" }, { exec: { command: "x" } }), problem: "program" },
  ])("one that cannot be used says why: $problem", ({ config: value, problem }) => {
    const deps = { clock: new VirtualClock(), readFile };
    expect(() => kubeconfigServer(deps, value, "/x")).toThrow(problem);
  });
});
