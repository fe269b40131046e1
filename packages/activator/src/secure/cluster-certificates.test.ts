import {
  type Authority,
  ConfigMapKind,
  InProcessKubeClient,
  issueCertificate,
  makeAuthority,
  ObjectStore,
  SecretKind,
  SeededRandom,
  type ServerCertificate,
  silentLogger,
} from "@rouse/shared";
import { VirtualClock } from "@rouse/shared/testing";
import { expect, test } from "vitest";
import { ClusterCertificates } from "./cluster-certificates.ts";

const namespace = "knative-serving";
const [one, two, three] = ["one", "two", "three"].map((name) =>
  makeAuthority(new VirtualClock().wall(), name),
);

function setUp() {
  const clock = new VirtualClock();
  const random = new SeededRandom(1);
  const store = new ObjectStore({ wall: () => clock.wall(), random });
  const client = new InProcessKubeClient({ store, clock });
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (text: string) => void warnings.push(text) };
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const putSecret = async (data: Record<string, string>): Promise<void> => {
    const ref = { namespace, name: "routing-serving-certs" };
    const coded = Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)]));
    const secret = { apiVersion: "v1", kind: "Secret", metadata: ref, data: coded };
    const known = await client.get(SecretKind, ref).catch(() => undefined);
    await (known === undefined ? client.create(SecretKind, secret) : client.update(SecretKind, secret));
    await clock.settle();
  };
  const putBundle = async (name: string, data: Record<string, string>, value = "true"): Promise<void> => {
    const metadata = { namespace, name, labels: { "networking.knative.dev/trust-bundle": value } };
    await client.create(ConfigMapKind, { apiVersion: "v1", kind: "ConfigMap", metadata, data });
    await clock.settle();
  };
  const own = issueCertificate(one ?? fail(), { hosts: ["kn-routing"], now: clock.wall() });
  const start = () => ClusterCertificates.start({ client, clock, random, log }, namespace);
  return { clock, own, putSecret, putBundle, start, warnings };
}

function fail(): never {
  throw new Error("there is none");
}

function trusted(certificates: ClusterCertificates): readonly string[] {
  const { ca = [] } = certificates.toPodsOf("default");
  return ca
    .map((cert) => [one, two, three].findIndex((each) => each?.cert.trim() === cert.trim()))
    .map(String);
}

const keysOf = ({ cert, key }: Authority) => ({ "tls.crt": cert, "tls.key": key });

test("A-122: without the secret there is no start, and the text names it", async () => {
  const { start, putSecret } = setUp();
  await expect(start()).rejects.toThrow("there is no secret knative-serving/routing-serving-certs");
  await putSecret({ "tls.crt": "nonsense", "tls.key": "" });
  await expect(start()).rejects.toThrow("routing-serving-certs holds no certificate that can be used");
});

test("A-122, A-123: a new certificate takes the place of the old one; one that cannot be used does not", async () => {
  const { clock, start, own, putSecret, warnings } = setUp();
  await putSecret(keysOf(own));
  using certificates = await start();
  const seen: ServerCertificate[] = [];
  certificates.follow((next) => seen.push(next));
  expect(certificates.certificate).toEqual({ cert: own.cert, key: own.key });
  await putSecret({ "tls.crt": "nonsense", "tls.key": own.key });
  await putSecret({ "tls.crt": own.cert, "tls.key": one?.key ?? "" });
  expect([seen, certificates.certificate.cert, warnings.length]).toEqual([[], own.cert, 2]);
  const next = issueCertificate(one ?? fail(), { hosts: ["kn-routing"], now: clock.wall() });
  await putSecret(keysOf(next));
  expect(seen).toEqual([{ cert: next.cert, key: next.key }]);
});

test("A-122, A-125: trusted is what the secret and every bundle say, each certificate that is one", async () => {
  const { start, own, putSecret, putBundle, warnings } = setUp();
  await putSecret({ ...keysOf(own), "ca.crt": one?.cert ?? "" });
  using certificates = await start();
  expect(trusted(certificates)).toEqual(["0"]);
  const broken = "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----";
  await putBundle(
    "bundle",
    { "a.pem": `${two?.cert}\n${broken}\n${three?.cert}`, "b.pem": "no PEM at all" },
    "",
  );
  expect([...trusted(certificates)].sort()).toEqual(["0", "1", "2"]);
  expect(warnings.sort()).toEqual([
    "a certificate of a trust bundle cannot be used",
    "no certificate in a trust bundle",
  ]);
  await putSecret({ ...keysOf(own), "ca.crt": "not PEM" });
  expect([...trusted(certificates)].sort()).toEqual(["1", "2"]);
});

test("A-124: pods are asked for their namespace, in lower case", async () => {
  const { start, own, putSecret } = setUp();
  await putSecret(keysOf(own));
  using certificates = await start();
  expect(certificates.toPodsOf("Default")).toEqual({
    ca: [],
    serverName: "data-plane.knative.dev",
    requiredName: "kn-user-default",
    minVersion: "TLSv1.3",
    assumesHttp2: true,
  });
});
