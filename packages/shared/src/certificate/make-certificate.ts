import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIPv4 } from "node:net";
import type { WallMs } from "../clock/clock.ts";
import type { ServerCertificate } from "../http/tls/tls-listener.ts";
import { bits, integer, objectId, octets, sequence, set, tagged, text, time, yes } from "./der.ts";

/** A private key and the certificate of it, in PEM. Whoever trusts the certificate trusts all it has issued. */
export type Authority = Pick<ServerCertificate, "cert" | "key">;

const DAY_MS = 86_400_000;
/** An authority is made once per installation. */
const AUTHORITY_DAYS = 3_650;
/** The most that browsers take from anybody. */
const SERVER_DAYS = 397;
/** For clocks that are a little behind. */
const EARLIER_MS = 3_600_000;
const SERIAL_BYTES = 16;

// Values of ASN.1 are made where they are used: a program that makes no certificate does not run this file.
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
/** Bits of KeyUsage, from the highest: digitalSignature; keyCertSign and cRLSign. RFC 5280 §4.2.1.3 */
const SIGNS = { bits: 0x80, unused: 7 };
const CERTIFIES = { bits: 0x06, unused: 1 };
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

/**
 * A new authority that vouches for itself. X.509 version 3 by hand: Node can read certificates and not write them, and
 * a library for one fixed shape of them would be the larger thing to trust.
 */
export function makeAuthority(now: WallMs, name = "Rouse home"): Authority {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const cert = certificate(
    { subject: name, issuer: name, publicKey, now, days: AUTHORITY_DAYS },
    privateKey,
    [
      extension("2.5.29.19", sequence(yes()), "critical"), // BasicConstraints: CA
      extension("2.5.29.15", usage(CERTIFIES), "critical"),
      extension("2.5.29.14", octets(keyId(publicKey))),
    ],
  );
  return { cert, key: pem(privateKey) };
}

/** A certificate of a server for these names and addresses, with a key of its own, followed by the authority's. */
export function issueCertificate(
  authority: Authority,
  options: { readonly hosts: readonly string[]; readonly now: WallMs; readonly days?: number },
): Authority {
  const issuerKey = createPrivateKey(authority.key);
  const issuer = commonName(new X509Certificate(authority.cert).subject);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [subject = "server"] = options.hosts;
  const cert = certificate(
    { subject, issuer, publicKey, now: options.now, days: options.days ?? SERVER_DAYS },
    issuerKey,
    [
      extension("2.5.29.19", sequence(), "critical"),
      extension("2.5.29.15", usage(SIGNS), "critical"),
      extension("2.5.29.37", sequence(objectId(SERVER_AUTH))),
      extension("2.5.29.17", sequence(...options.hosts.map(alternativeName))),
      extension("2.5.29.35", sequence(tagged(0, keyId(createPublicKey(issuerKey)), "primitive"))),
    ],
  );
  return { cert: cert + authority.cert, key: pem(privateKey) };
}

interface Subject {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly now: WallMs;
  readonly days: number;
}

function certificate(
  { subject, issuer, publicKey, now, days }: Subject,
  issuerKey: KeyObject,
  extensions: readonly Buffer[],
): string {
  const start = (now - EARLIER_MS) as WallMs;
  const toBeSigned = sequence(
    tagged(0, integer(Buffer.from([2])), "constructed"), // version 3
    integer(serial()),
    sequence(objectId(ECDSA_WITH_SHA256)),
    named(issuer),
    sequence(time(start), time((start + days * DAY_MS) as WallMs)),
    named(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...extensions), "constructed"),
  );
  const signature = sign("sha256", toBeSigned, issuerKey);
  const der = sequence(toBeSigned, sequence(objectId(ECDSA_WITH_SHA256)), bits(signature));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** A common name holds 64 characters at most; who checks looks at the alternative names. RFC 5280, ub-common-name */
function named(name: string): Buffer {
  return sequence(set(sequence(objectId(COMMON_NAME), text(name.slice(0, 64)))));
}

/** Positive, and not zero. */
function serial(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** Of a subject that has nothing else. */
function commonName(subject: string): string {
  return subject.slice(subject.indexOf("=") + 1);
}

function usage({ bits: first, unused }: typeof SIGNS): Buffer {
  return bits(Buffer.from([first]), unused);
}

function extension(id: string, value: Buffer, critical?: "critical"): Buffer {
  return sequence(objectId(id), ...(critical === undefined ? [] : [yes()]), octets(value));
}

function alternativeName(host: string): Buffer {
  return isIPv4(host)
    ? tagged(7, Buffer.from(host.split(".").map(Number)), "primitive")
    : tagged(2, Buffer.from(host, "ascii"), "primitive");
}

/** RFC 5280 §4.2.1.2, method 1: SHA-1 names the key here and protects nothing. */
function keyId(publicKey: KeyObject): Buffer {
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-65); // uncompressed, the last thing in it
  return createHash("sha1").update(point).digest();
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
